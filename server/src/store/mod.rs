//! Floor 1: the store. It keeps commits as bytes, in order and durably (the journal), and what they
//! add up to (the state, in sled), and knows neither kinds nor rules. The journal is the truth, the
//! state is derived from it, and opening brings the two together: whatever is wrong with the state
//! is healed from the journal, and whatever is wrong with the journal is refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

mod disk;

mod journal;

mod record;

mod state;

pub use disk::DiskError;
pub use journal::frame::PAYLOAD_BYTES_MAX;
pub use journal::reader::{JournalReader, JournalScan, scan_read_only};
pub use journal::{JournalError, JournalWriter};
pub use record::{Action, Change, Place, Record, RequestMark, Salt, digest};
pub use state::{PlantedStall, READS_MAX, StateFollower, StateHealth, StateReader};

use disk::DirLock;
use journal::Inspected;
use state::{Places, Standing, Witness};

/// The place of a commit in the order of all commits: 1, 2, 3, without a gap. 0 is before the first.
pub type Revision = u64;

/// The hash of a commit.
pub type Hash = [u8; 32];

const LOCK_FILE: &str = "LOCK";
const JOURNAL_DIR: &str = "journal";
const SLED_DIR: &str = "sled";
/// A state that was found wanting, kept until its successor is complete.
const SLED_ASIDE_DIR: &str = "sled.bad";

/// How long the start waits for what sled knows of the journal's end. sled opens in well under a second for each GiB that
/// it holds; a start that takes longer than this would cost more than the second witness is worth.
const WITNESS_WAIT_MAX: Duration = Duration::from_secs(5);

/// Where a journal ends: its last commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The revision of the commit; 0 if there is none.
    pub revision: Revision,
    /// The hash of the commit; zeros if there is none.
    pub hash: Hash,
}

impl Head {
    /// The head of a journal without commits.
    pub const NONE: Head = Head { revision: 0, hash: [0; 32] };
}

/// How a store is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// A journal segment that has reached this size is followed by a new one. 64 MiB by default:
    /// quick to copy, and few files.
    pub segment_bytes_max: u64,
    /// `false` leaves out the `fdatasync` of each group, and with it every promise. Only for the
    /// test which shows that the power-cut test would notice.
    pub sync: bool,
    /// Memory for sled's cache of pages. 256 MiB by default.
    pub cache_bytes_max: u64,
    /// A call into sled that does not come back. Only for the test which shows that nobody waits for it.
    pub stall: Option<PlantedStall>,
}

impl Default for Options {
    fn default() -> Options {
        Options { segment_bytes_max: 64 << 20, sync: true, cache_bytes_max: 256 << 20, stall: None }
    }
}

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The journal is not sound.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The operating system gives no thread.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
    /// Another server has the directory.
    #[error("The data directory {} is in use by another server. Stop that one, or name another directory.", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// There is a state, and no journal.
    #[error("The journal is missing: {} has no segments, yet {} holds a state that came from it. Nothing was changed. Restore the journal from a backup or from another copy. Only if there is none, and knowing that every commit is lost, remove {}.", journal.display(), sled.display(), sled.display())]
    JournalMissing {
        /// Where the journal should be.
        journal: PathBuf,
        /// The state.
        sled: PathBuf,
    },
    /// The state knows of commits that the journal has lost.
    #[error("The journal has lost its end: it goes up to revision {head}, and the state in {} knows of commits up to revision {applied}. Nothing was changed. Restore {} from a backup or from another copy. Only if that is impossible, and knowing that acknowledged commits are lost, remove {}.", sled.display(), journal.display(), sled.display())]
    JournalBehind {
        /// The journal.
        journal: PathBuf,
        /// Its last revision.
        head: Revision,
        /// The state.
        sled: PathBuf,
        /// The last revision of the state.
        applied: Revision,
    },
    /// The state knows another commit than the journal has.
    #[error("The journal is not the one that the state in {} came from: at revision {applied} they hold different commits, so the journal has lost its end at some time and gone on without it. Nothing was changed. Restore {} from a backup or from another copy. Only if that is impossible, and knowing that acknowledged commits are lost, remove {}.", sled.display(), journal.display(), sled.display())]
    JournalForked {
        /// The journal.
        journal: PathBuf,
        /// The state.
        sled: PathBuf,
        /// The last revision of the state.
        applied: Revision,
    },
    /// A commit of the journal is whole, and means nothing to this server.
    #[error(
        "Revision {revision} of the journal is whole but is not a commit that this version can read. Start the version of the server that wrote it."
    )]
    Unreadable {
        /// The revision.
        revision: Revision,
    },
}

/// A store in use. The directory stays locked until the writer is dropped and the follower is closed.
pub struct Opened {
    /// For the committer, and nobody else.
    pub writer: JournalWriter,
    /// To be cloned for everybody who reads the journal.
    pub reader: JournalReader,
    /// Keeps the state up to the journal. [`StateFollower::reader`] is for everybody who reads the state.
    pub follower: StateFollower,
}

/// Opens the store in `dir`, or begins one if there is nothing. Returns with the journal verified to the last byte and its
/// unfinished end cut off; the state is verified and brought up behind that. Refuses whatever it cannot put right without
/// losing a commit that may have been acknowledged: sled, if it answers in time, is a further witness that the end of the
/// journal is there.
pub fn open(dir: &Path, options: &Options) -> Result<Opened, StoreError> {
    disk::ensure_dir(dir)?;
    let lock = DirLock::take(&dir.join(LOCK_FILE))?;
    let lock = Arc::new(lock.ok_or_else(|| StoreError::Locked { dir: dir.to_path_buf() })?);
    let opening = Opening {
        journal_dir: dir.join(JOURNAL_DIR),
        sled_dir: dir.join(SLED_DIR),
        aside_dir: dir.join(SLED_ASIDE_DIR),
        options,
        lock,
    };
    let inspected = opening.journal()?;
    let follower = opening.follower().map_err(StoreError::Thread)?;
    // Dropped on a refusal, the follower closes sled.
    opening.hear_witness(&inspected, &follower)?;
    // Every doubt about the journal has been raised by now, and nothing was changed.
    let (writer, reader) = inspected.settle(&opening.journal_dir, options, opening.lock.clone())?;
    follower.follow(&reader);
    Ok(Opened { writer, reader, follower })
}

struct Opening<'a> {
    journal_dir: PathBuf,
    sled_dir: PathBuf,
    aside_dir: PathBuf,
    options: &'a Options,
    lock: Arc<DirLock>,
}

impl Opening<'_> {
    /// The journal, verified; a new one if there has never been any.
    fn journal(&self) -> Result<Inspected, StoreError> {
        if let Some(inspected) = journal::inspect(&self.journal_dir)? {
            return Ok(inspected);
        }
        for sled in [&self.sled_dir, &self.aside_dir] {
            // The journal's first segment is durable before sled makes its first file.
            if !disk::list(sled)?.is_empty() {
                return Err(StoreError::JournalMissing { journal: self.journal_dir.clone(), sled: sled.clone() });
            }
        }
        journal::create(&self.journal_dir)?;
        let created = journal::inspect(&self.journal_dir)?;
        created.ok_or_else(|| JournalError::Absent { dir: self.journal_dir.clone() }.into())
    }

    fn follower(&self) -> std::io::Result<StateFollower> {
        let places = Places {
            sled_dir: self.sled_dir.clone(),
            aside_dir: self.aside_dir.clone(),
            cache_bytes_max: self.options.cache_bytes_max,
        };
        StateFollower::start(places, self.options.stall.clone(), self.lock.clone())
    }

    /// Holds the journal against what sled knows of its end. If sled does not answer in time, nobody waits for it, and
    /// the follower does this later.
    fn hear_witness(&self, inspected: &Inspected, follower: &StateFollower) -> Result<(), StoreError> {
        let reader = inspected.reader();
        let mark = match follower.witness(WITNESS_WAIT_MAX) {
            Witness::Mark(mark) if mark.store_id == reader.store_id() => mark,
            // The follower rebuilds it.
            Witness::Mark(_) | Witness::Absent => return Ok(()),
            Witness::Late => {
                tracing::warn!(
                    "sled did not open within {} s; the server starts without it, and answers from the journal until \
                     it does",
                    WITNESS_WAIT_MAX.as_secs()
                );
                return Ok(());
            }
        };
        let (journal, sled) = (self.journal_dir.clone(), self.sled_dir.clone());
        let (head, applied) = (inspected.head().revision, mark.head.revision);
        match state::standing(&mark, &reader, head)? {
            Standing::Sound => Ok(()),
            Standing::Ahead => Err(StoreError::JournalBehind { journal, head, sled, applied }),
            Standing::Forked => Err(StoreError::JournalForked { journal, sled, applied }),
        }
    }
}
