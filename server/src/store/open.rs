//! Opening a store: the journal is read and verified, and sled is asked what it knows of the journal's end. Nothing is
//! changed before the journal has been found sound and whatever sled says agrees with it.
//!
//! With a checkpoint only what is behind it is read. Whatever goes wrong with that, all of the journal is read as if there
//! were none, and only what is said then counts: a checkpoint can neither refuse a start nor let one pass.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::checkpoint::{self, Reading, Unfit};
use super::checkpoints::Checkpoints;
use super::derivation::Derivation;
use super::disk::{self, DirLock};
use super::journal::{self, Inspected, JournalError, JournalReader, JournalWriter};
use super::record::Head;
use super::scrub::Scrub;
use super::state::{self, Places, Standing, StateFollower, Witness};
use super::{JOURNAL_DIR, Options, StoreError};
use crate::faults;

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
    /// To be saved now and then by whoever has what is derived.
    pub checkpoints: Checkpoints,
    /// Verifies what the opening passed over.
    pub scrub: Scrub,
}

/// Opens the store in `dir`, or begins one if there is nothing, and gives `derived` what its checkpoint has, if there is a
/// good one, and each commit of its journal behind that, in order. Returns with the journal verified to the last byte, or
/// from the checkpoint on, and its unfinished end made zeros; the state is verified and brought up behind that. Refuses
/// whatever it cannot put right without losing a commit that may have been acknowledged; `derived` may have been handed
/// commits by then.
pub fn open(dir: &Path, options: &Options, derived: &mut dyn Derivation) -> Result<Opened, StoreError> {
    disk::ensure_dir(dir)?;
    // Earlier versions left it to the umask; what is below it is kept by it.
    disk::keep_to_owner(dir);
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
    let (inspected, from) = opening.journal(&places, derived)?;
    let sled_dir = places.sled_dir.clone();
    let follower =
        StateFollower::start(places, options.stall.clone(), opening.lock.clone()).map_err(StoreError::Thread)?;
    // Dropped on a refusal, the follower closes sled.
    opening.ask_witness(&inspected, &follower, &sled_dir)?;
    let (writer, reader) = inspected.settle(options.segment_bytes_max, options.sync)?;
    follower.follow(&reader);
    let scrub = Scrub::start(opening.journal_dir, dir.to_path_buf(), &reader, from).map_err(StoreError::Thread)?;
    let checkpoints = Checkpoints::new(
        dir.to_path_buf(),
        reader.clone(),
        derived.version(),
        from,
        options.checkpoint_bytes,
        scrub.health(),
    );
    Ok(Opened { writer, reader, follower, checkpoints, scrub })
}

/// Why the store was not opened from its checkpoint.
#[derive(Debug, thiserror::Error)]
enum NotFrom {
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

struct Opening<'a> {
    dir: PathBuf,
    journal_dir: PathBuf,
    options: &'a Options,
    lock: Arc<DirLock>,
}

impl Opening<'_> {
    /// The journal, verified; a new one if there has never been any. With it comes the commit of the checkpoint, before
    /// which it was not read.
    fn journal(&self, places: &Places, derived: &mut dyn Derivation) -> Result<(Inspected, Option<Head>), StoreError> {
        if let Err(error) = checkpoint::remove_unfinished(&self.dir) {
            tracing::warn!(%error, cause = %error.source, "what a crash left of a checkpoint stays");
        }
        match self.journal_from_checkpoint(derived) {
            Ok(Some((inspected, from))) => return Ok((inspected, Some(from))),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(
                    file = %checkpoint::path_in(&self.dir).display(), why = state::told(&error),
                    "the checkpoint is not used; the whole journal is read instead, which takes longer"
                );
                derived.reset();
            }
        }
        Ok((self.whole_journal(places, derived)?, None))
    }

    /// The journal, verified from its checkpoint on; `None` if there is no checkpoint.
    fn journal_from_checkpoint(&self, derived: &mut dyn Derivation) -> Result<Option<(Inspected, Head)>, NotFrom> {
        let Some(mut reading) = Reading::begin(&self.dir)? else { return Ok(None) };
        if reading.version != derived.version() {
            return Err(checkpoint::not("another version of the server wrote it").into());
        }
        let until = reading.derived(&mut |block| derived.load(block))?;
        derived.loaded().map_err(Unfit::Not)?;
        let Reading { known, epoch, .. } = reading;
        let from = known.head;
        let (mut seen, mut unlike) = (0, false);
        let inspected = journal::inspect(&self.lock, &self.dir, Some(known), &mut |record| {
            for noted in [from, until] {
                unlike |= record.revision == noted.revision && record.hash != noted.hash;
            }
            seen = record.revision;
            derived.apply(record);
        })?;
        let believed = faults::planted("believe-checkpoint").is_some();
        let Some(inspected) = inspected else { return Err(checkpoint::not("there is no journal").into()) };
        if (unlike || seen < until.revision || inspected.reader().epoch() != epoch) && !believed {
            return Err(checkpoint::not("it is not of this journal").into());
        }
        tracing::info!(
            from = from.revision,
            head = seen,
            "started from the checkpoint; what is before it is verified later"
        );
        Ok(Some((inspected, from)))
    }

    /// The journal, verified from its first commit on.
    fn whole_journal(&self, places: &Places, derived: &mut dyn Derivation) -> Result<Inspected, StoreError> {
        let visit = &mut |record| derived.apply(record);
        if let Some(inspected) = journal::inspect(&self.lock, &self.dir, None, visit)? {
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
        let created = journal::inspect(&self.lock, &self.dir, None, visit)?;
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
