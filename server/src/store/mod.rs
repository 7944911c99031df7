//! Floor 1: the store. It keeps commits as bytes, in order and durably (the journal), and what they
//! add up to (the state, in sled), and knows neither kinds nor rules. The journal is the truth, the
//! state is derived from it, and opening brings the two together: whatever is wrong with the state
//! is healed from the journal, and whatever is wrong with the journal is refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

mod disk;

mod journal;

mod record;

mod state;

pub use disk::DiskError;
pub use journal::frame::PAYLOAD_BYTES_MAX;
pub use journal::reader::{JournalReader, JournalScan, scan_read_only};
pub use journal::{JournalError, JournalWriter};
pub use record::{Action, Change, Place, Record, RequestMark, Salt, digest};
pub use state::{State, StateError};

use disk::{DirLock, failed};
use journal::Inspected;

/// The place of a commit in the order of all commits: 1, 2, 3, without a gap. 0 is before the first.
pub type Revision = u64;

/// The hash of a commit.
pub type Hash = [u8; 32];

const LOCK_FILE: &str = "LOCK";
const JOURNAL_DIR: &str = "journal";
const SLED_DIR: &str = "sled";
/// A state that was found wanting, kept until its successor is complete.
const SLED_ASIDE_DIR: &str = "sled.bad";

/// A catch-up applies this much of the journal at once: few batches, and little memory.
const BATCH_BYTES: usize = 4 << 20;
const BATCH_COMMITS: usize = 4096;
const PROGRESS_EVERY: Duration = Duration::from_secs(3);

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
}

impl Default for Options {
    fn default() -> Options {
        Options { segment_bytes_max: 64 << 20, sync: true, cache_bytes_max: 256 << 20 }
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
    /// The state could not be brought up to the journal.
    #[error(transparent)]
    State(#[from] StateError),
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
    /// A commit of the journal is whole, and means nothing to this server.
    #[error(
        "Revision {revision} of the journal is whole but is not a commit that this version can read. Start the version of the server that wrote it."
    )]
    Unreadable {
        /// The revision.
        revision: Revision,
    },
}

/// A store in use. The directory stays locked until the writer and every `State` are dropped.
pub struct Opened {
    /// For the committer, and nobody else.
    pub writer: JournalWriter,
    /// To be cloned for everybody who reads the journal.
    pub reader: JournalReader,
    /// At the journal's head. To be cloned for everybody who reads the state.
    pub state: State,
    /// Whether the state had to be built anew from the journal.
    pub rebuilt: bool,
}

/// Opens the store in `dir`, or begins one if there is nothing. Returns with the journal verified
/// to the last byte, its unfinished end cut off, and the state verified and up to date. Refuses
/// whatever it cannot put right without losing a commit that may have been acknowledged.
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
    let verdict = opening.state(&inspected)?;
    // Every doubt about the journal has been raised by now, and nothing was changed.
    let (writer, reader) = inspected.settle(&opening.journal_dir, options, opening.lock.clone())?;
    let (state, rebuilt) = match verdict {
        Verdict::Sound(state) => (state, false),
        Verdict::Absent if reader.head() == 0 => (opening.begin_state(&reader)?, false),
        Verdict::Absent => {
            tracing::info!(head = reader.head(), "there is no state; building it from the journal");
            (opening.begin_state(&reader)?, true)
        }
        Verdict::Doubtful(why) => {
            tracing::warn!(why, head = reader.head(), "the state cannot be trusted; rebuilding it from the journal");
            opening.set_state_aside()?;
            (opening.begin_state(&reader)?, true)
        }
    };
    catch_up(&state, &reader)?;
    disk::remove(&opening.aside_dir)?;
    Ok(Opened { writer, reader, state, rebuilt })
}

struct Opening<'a> {
    journal_dir: PathBuf,
    sled_dir: PathBuf,
    aside_dir: PathBuf,
    options: &'a Options,
    lock: Arc<DirLock>,
}

/// What is to be thought of the state, held against the journal.
enum Verdict {
    /// It is a state of this journal, perhaps of some commits ago.
    Sound(State),
    /// There is none.
    Absent,
    /// It cannot be trusted, for this reason.
    Doubtful(String),
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

    /// Opens the state and holds it against the journal. Refuses one that is ahead.
    fn state(&self, inspected: &Inspected) -> Result<Verdict, StoreError> {
        if disk::list(&self.sled_dir)?.is_empty() {
            return Ok(Verdict::Absent);
        }
        let reader = inspected.reader();
        let doubtful = |why: &str| Ok(Verdict::Doubtful(why.to_owned()));
        let (state, mark) = match self.open_state(&reader) {
            Ok(opened) => opened,
            Err(error) => return Ok(Verdict::Doubtful(told(&error))),
        };
        let Some(mark) = mark else {
            return doubtful("it has no mark that can be read");
        };
        if mark.store_id != reader.store_id() {
            return doubtful("it belongs to another journal");
        }
        // Before anything else is held against it: this may be all that is left of a lost end.
        if mark.head.revision > inspected.head().revision {
            return Err(StoreError::JournalBehind {
                journal: self.journal_dir.clone(),
                head: inspected.head().revision,
                sled: self.sled_dir.clone(),
                applied: mark.head.revision,
            });
        }
        let head_then = match mark.head.revision {
            0 => Head::NONE,
            revision => reader.read(revision)?.head(),
        };
        if mark.head != head_then {
            return doubtful("its last commit is not that of the journal");
        }
        match state.verify() {
            Ok(()) => Ok(Verdict::Sound(state)),
            Err(error) => Ok(Verdict::Doubtful(told(&error))),
        }
    }

    fn open_state(&self, reader: &JournalReader) -> Result<(State, Option<state::key::Mark>), StateError> {
        let lock = self.lock.clone();
        State::open(&self.sled_dir, self.options.cache_bytes_max, reader.store_id(), lock)
    }

    fn begin_state(&self, reader: &JournalReader) -> Result<State, StoreError> {
        let (state, _) = self.open_state(reader)?;
        state.begin()?;
        Ok(state)
    }

    fn set_state_aside(&self) -> Result<(), StoreError> {
        disk::remove(&self.aside_dir)?;
        std::fs::rename(&self.sled_dir, &self.aside_dir).map_err(failed("rename", &self.sled_dir))?;
        Ok(())
    }
}

/// An error with its causes, for a log line that is not followed by the error itself.
fn told(error: &StateError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text} Cause: {error}");
        cause = error.source();
    }
    text
}

/// Applies to the state the commits that it lacks. A crash on the way is harmless: the state's mark
/// goes with every batch.
fn catch_up(state: &State, reader: &JournalReader) -> Result<(), StoreError> {
    let (from, head) = (state.applied(), reader.head());
    if from == head {
        return Ok(());
    }
    let began = Instant::now();
    let mut told = began;
    let mut records = Vec::new();
    let mut bytes = 0;
    for entry in reader.scan(from + 1) {
        let entry = entry?;
        let revision = entry.revision;
        bytes += entry.changes.iter().map(|change| change.document.len()).sum::<usize>();
        let head_now = entry.head();
        records.push(entry);
        if bytes >= BATCH_BYTES || records.len() >= BATCH_COMMITS || revision == head {
            state.apply(&head_now, &records)?;
            records.clear();
            bytes = 0;
        }
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            tracing::info!(revision, head, "bringing the state up to the journal");
        }
    }
    state.flush()?;
    let seconds = began.elapsed().as_secs_f64();
    tracing::info!(commits = head - from, seconds, "the state is up to the journal");
    Ok(())
}
