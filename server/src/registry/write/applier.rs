//! The applier: one thread that brings sled up to what is durable, in batches and at leisure.
//!
//! Until sled has a commit, readers find it in the index. What sled loses is rebuilt from the journal at the next start.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use parking_lot::RwLock;

use crate::registry::index::Index;
use crate::store::{Head, Record, State, StateError};

/// How long a batch is gathered. With each one, however small, sled writes a piece of its log.
const GATHER_FOR: Duration = Duration::from_millis(10);
/// A batch of so many changes is not gathered any longer: while sled takes it, its readers wait.
const BATCH_CHANGES: usize = 256;
/// How long a commit may be missing from sled's files: a restart after a crash replays that much.
const FLUSH_EVERY: Duration = Duration::from_millis(500);
/// How many batches sled may be behind; then the writer waits. They are in memory until sled has them. None has much
/// over the 4 MiB of a group.
const BATCHES_MAX: usize = 16;

/// Durable commits, and the head after them.
struct Batch {
    head: Head,
    records: Vec<Record>,
    changes: usize,
    /// When it is to be applied.
    due: Instant,
}

/// The writer's end: gathers what is durable, and hands it over.
pub(crate) struct Feed {
    batches: SyncSender<Batch>,
    gathered: Option<Batch>,
}

/// The applier's end.
pub(crate) struct Batches(Receiver<Batch>);

/// The way from the writer to the applier.
pub(crate) fn way() -> (Feed, Batches) {
    let (batches, taken) = sync_channel(BATCHES_MAX);
    (Feed { batches, gathered: None }, Batches(taken))
}

/// The applier is gone: sled has failed.
#[derive(Debug)]
pub(crate) struct Gone;

impl Feed {
    /// Takes a group of durable commits, with the head after it. Waits while sled is too far behind.
    pub(crate) fn add(&mut self, head: Head, records: Vec<Record>) -> Result<(), Gone> {
        let changes = records.iter().map(|record| record.changes.len()).sum();
        match &mut self.gathered {
            Some(batch) => {
                batch.head = head;
                batch.records.extend(records);
                batch.changes += changes;
            }
            none => *none = Some(Batch { head, records, changes, due: Instant::now() + GATHER_FOR }),
        }
        match &self.gathered {
            Some(batch) if batch.changes >= BATCH_CHANGES || batch.due <= Instant::now() => self.hand_over(),
            Some(_) | None => Ok(()),
        }
    }

    /// When [`Feed::hand_over`] is to be called, if anything was gathered.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.gathered.as_ref().map(|batch| batch.due)
    }

    /// Hands over what was gathered.
    pub(crate) fn hand_over(&mut self) -> Result<(), Gone> {
        match self.gathered.take() {
            Some(batch) => self.batches.send(batch).map_err(|_| Gone),
            None => Ok(()),
        }
    }
}

/// Applies batches until the writer is gone or sled fails, and flushes now and then and at the end.
pub(crate) fn run(state: &State, index: &RwLock<Index>, batches: &Batches) {
    if let Err(error) = apply_all(state, index, batches) {
        tracing::error!(%error, "sled could not be written; no data is lost, the next start catches up from the journal");
    }
}

fn apply_all(state: &State, index: &RwLock<Index>, batches: &Batches) -> Result<(), StateError> {
    let mut flush_due: Option<Instant> = None;
    loop {
        let batch = match flush_due {
            None => batches.0.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => batches.0.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match batch {
            Ok(batch) => {
                state.apply(&batch.head, &batch.records)?;
                let names = batch.records.iter().flat_map(|record| &record.changes).map(|change| &*change.name);
                index.write().forget_recent(names, batch.head.revision);
                flush_due.get_or_insert_with(|| Instant::now() + FLUSH_EVERY);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return state.flush(),
        }
        if flush_due.is_some_and(|due| due <= Instant::now()) {
            state.flush()?;
            flush_due = None;
        }
    }
}
