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
pub use journal::{JournalError, JournalReader, JournalScan, JournalWriter};
pub use record::{Action, Change, Hash, Head, Place, Record, RequestMark, Revision, Salt, digest};
pub use state::{State, StateError};

use disk::{DirLock, failed};
use journal::Inspected;

const JOURNAL_DIR: &str = "journal";
const SLED_DIR: &str = "sled";
/// A state that was found wanting, kept until its successor is complete.
const SLED_ASIDE_DIR: &str = "sled.bad";

/// A catch-up applies this much of the journal at once: few batches, and little memory.
const BATCH_BYTES: usize = 4 << 20;
const BATCH_COMMITS: usize = 4096;
const PROGRESS_EVERY: Duration = Duration::from_secs(3);

/// How a store is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// The size of a journal segment; a single group that is larger gets a larger one. Twice as much is taken from the
    /// disk at once. 64 MiB by default: quick to copy, and few files.
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
    #[error("the data directory {} is in use by another server; stop that one, or name another directory", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
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

/// Opens the store in `dir`, or begins one if there is nothing, and hands each commit of its journal to `visit`, in order.
/// Returns with the journal verified to the last byte, its unfinished end made zeros, and the state verified and up to
/// date. Refuses whatever it cannot put right without losing a commit that may have been acknowledged; `visit` may have
/// been handed commits by then.
pub fn open(dir: &Path, options: &Options, visit: &mut dyn FnMut(Record)) -> Result<Opened, StoreError> {
    disk::ensure_dir(dir)?;
    let journal_dir = dir.join(JOURNAL_DIR);
    let (sled_dir, aside_dir) = (dir.join(SLED_DIR), dir.join(SLED_ASIDE_DIR));
    disk::ensure_dir(&journal_dir)?;
    let lock = DirLock::take(&journal_dir)?;
    let lock = Arc::new(lock.ok_or_else(|| StoreError::Locked { dir: dir.to_path_buf() })?);
    let opening = Opening { dir: dir.to_path_buf(), journal_dir, sled_dir, aside_dir, options, lock };
    let inspected = opening.journal(visit)?;
    let verdict = opening.state(&inspected)?;
    // Every doubt about the journal has been raised by now, and nothing was changed.
    let (writer, reader) = inspected.settle(options.segment_bytes_max, options.sync)?;
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
    dir: PathBuf,
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
    fn journal(&self, visit: &mut dyn FnMut(Record)) -> Result<Inspected, StoreError> {
        if let Some(inspected) = journal::inspect(&self.lock, &self.dir, visit)? {
            return Ok(inspected);
        }
        for sled in [&self.sled_dir, &self.aside_dir] {
            // The journal's first segment is durable before sled makes its first file.
            if !disk::list(sled)?.is_empty() {
                let (journal, witness) = (self.journal_dir.clone(), sled.clone());
                return Err(JournalError::Missing { journal, witness }.into());
            }
        }
        journal::create(&self.lock, self.options.segment_bytes_max)?;
        let created = journal::inspect(&self.lock, &self.dir, visit)?;
        created.ok_or_else(|| JournalError::Absent { dir: self.dir.clone() }.into())
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
            return Err(StoreError::Journal(JournalError::LostEnd {
                journal: self.journal_dir.clone(),
                head: inspected.head().revision,
                witness: self.sled_dir.clone(),
                known: format!("commits up to revision {}", mark.head.revision),
            }));
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

/// Reads and verifies the journal under a data directory from its first commit on, without changing or locking anything:
/// beside a running server too. Ends quietly before an unfinished last commit, and after the first error.
pub fn scan_read_only(
    data_dir: &Path,
) -> Result<impl Iterator<Item = Result<Record, JournalError>> + use<>, JournalError> {
    journal::scan_read_only(&data_dir.join(JOURNAL_DIR), data_dir)
}
