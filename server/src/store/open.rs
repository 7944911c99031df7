//! Opening a store: the journal is read and verified, and sled is asked what it knows of the journal's end. Nothing is
//! changed before the journal has been found sound and whatever sled says agrees with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::disk::{self, DirLock};
use super::journal::{self, Inspected, JournalError, JournalReader, JournalWriter};
use super::record::Record;
use super::state::{self, Places, Standing, StateFollower, Witness};
use super::{JOURNAL_DIR, Options, StoreError};

pub(super) const SLED_DIR: &str = "sled";
/// A state that cannot be trusted, kept until its successor is complete.
pub(super) const SLED_ASIDE_DIR: &str = "sled.bad";

/// How long the start waits for what sled knows of the journal's end. sled opens in well under a second for each GiB that
/// it holds; a start that takes longer than this would cost more than the second witness is worth.
const WITNESS_WAIT_MAX: Duration = Duration::from_secs(5);

/// A store in use. The directory stays locked until the writer is dropped and the follower is closed.
pub struct Opened {
    /// For the committer, and nobody else.
    pub writer: JournalWriter,
    /// To be cloned for everybody who reads the journal.
    pub reader: JournalReader,
    /// Keeps the state up to the journal. [`StateFollower::reader`] is for everybody who reads the state.
    pub follower: StateFollower,
}

/// Opens the store in `dir`, or begins one if there is nothing, and hands each commit of its journal to `visit`, in order.
/// Returns with the journal verified to the last byte and its unfinished end made zeros; the state is verified and brought
/// up behind that. Refuses whatever it cannot put right without losing a commit that may have been acknowledged; `visit`
/// may have been handed commits by then.
pub fn open(dir: &Path, options: &Options, visit: &mut dyn FnMut(Record)) -> Result<Opened, StoreError> {
    disk::ensure_dir(dir)?;
    let journal_dir = dir.join(JOURNAL_DIR);
    disk::ensure_dir(&journal_dir)?;
    let lock = DirLock::take(&journal_dir)?;
    let lock = Arc::new(lock.ok_or_else(|| StoreError::Locked { dir: dir.to_path_buf() })?);
    let places = Places {
        sled_dir: dir.join(SLED_DIR),
        aside_dir: dir.join(SLED_ASIDE_DIR),
        cache_bytes_max: options.cache_bytes_max,
    };
    let opening = Opening { dir: dir.to_path_buf(), journal_dir, options, lock };
    let inspected = opening.journal(&places, visit)?;
    let sled_dir = places.sled_dir.clone();
    let follower =
        StateFollower::start(places, options.stall.clone(), opening.lock.clone()).map_err(StoreError::Thread)?;
    // Dropped on a refusal, the follower closes sled.
    opening.ask_witness(&inspected, &follower, &sled_dir)?;
    let (writer, reader) = inspected.settle(options.segment_bytes_max, options.sync)?;
    follower.follow(&reader);
    Ok(Opened { writer, reader, follower })
}

struct Opening<'a> {
    dir: PathBuf,
    journal_dir: PathBuf,
    options: &'a Options,
    lock: Arc<DirLock>,
}

impl Opening<'_> {
    /// The journal, verified; a new one if there has never been any.
    fn journal(&self, places: &Places, visit: &mut dyn FnMut(Record)) -> Result<Inspected, StoreError> {
        if let Some(inspected) = journal::inspect(&self.lock, &self.dir, visit)? {
            return Ok(inspected);
        }
        for sled in [&places.sled_dir, &places.aside_dir] {
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

    /// Holds the journal against what sled knows of its end. If sled does not answer in time, nobody waits for it, and
    /// the follower does this later.
    fn ask_witness(&self, inspected: &Inspected, follower: &StateFollower, sled: &Path) -> Result<(), StoreError> {
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
        let (head, known) = (inspected.head().revision, mark.head.revision);
        let lost = |known| JournalError::LostEnd {
            journal: self.journal_dir.clone(),
            head,
            witness: sled.to_path_buf(),
            known,
        };
        match state::standing(&mark, &reader, head)? {
            Standing::Sound => Ok(()),
            Standing::Ahead => Err(lost(format!("commits up to revision {known}")).into()),
            Standing::Forked => Err(lost(format!("another commit of revision {known}")).into()),
        }
    }
}
