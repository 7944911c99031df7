//! Following the journal: what sled lacks is read, gathered for a moment, and applied in one batch; now and then it is
//! flushed. sled is locked for others during these two calls and at no other time.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::store::state::calls::Call;
use crate::store::state::engine::{Engine, StateError};
use crate::store::state::health::StateHealth;
use crate::store::state::thread::{Follower, Stop};
use crate::store::{JournalError, JournalReader, Record, Revision};

/// How long a batch is gathered. With each one, however small, sled writes a piece of its log.
const GATHER_FOR: Duration = Duration::from_millis(10);
/// A batch of so many changes is not gathered any longer: while sled takes it, its readers go to the journal.
const BATCH_CHANGES: usize = 1_024;
/// Nor is one of so many bytes: they are in memory until sled has them.
const BATCH_BYTES: usize = 4 << 20;
/// How long a commit may be missing from sled's files: a restart after a crash reads that much of the journal again.
const FLUSH_EVERY: Duration = Duration::from_millis(500);
/// How long it may take to notice that the store is being closed.
const NOTICE_EVERY: Duration = Duration::from_millis(50);
/// Further behind than this, the state is said to be catching up: some seconds of an import.
const BEHIND_MAX: Revision = 10_000;
/// How long a closing store still catches up: sled then is a witness of the journal's end, and the next start has less to
/// do. What is left after it costs nothing but time at the next start.
const CATCH_UP_AT_CLOSE: Duration = Duration::from_millis(500);
const PROGRESS_EVERY: Duration = Duration::from_secs(3);

impl Follower {
    /// Applies what the journal has and sled has not, and goes on as the journal does. Ends with the reason to stop.
    pub(super) fn follow(&self, engine: Engine, journal: &JournalReader) -> Result<(), Stop> {
        let shared = &self.shared;
        let from = engine.applied();
        shared.applied.store(from, Ordering::Release);
        *shared.gate.write() = Some(engine);
        let mut progress = Progress::new(from);
        let mut flush_due: Option<Instant> = None;
        let mut close_due: Option<Instant> = None;
        loop {
            let applied = shared.applied();
            if let Some(error) = shared.doubt.lock().take() {
                return Err(error.into());
            }
            if shared.is_closing() {
                let due = *close_due.get_or_insert_with(|| Instant::now() + CATCH_UP_AT_CLOSE);
                if applied == journal.head() || due <= Instant::now() {
                    return self.flush().map_err(Stop::from);
                }
            }
            if applied == journal.head() {
                self.caught_up(&mut progress, applied)?;
            }
            let until_flush = flush_due.map_or(NOTICE_EVERY, |due| due.saturating_duration_since(Instant::now()));
            let _ = journal.wait_beyond(applied, until_flush.min(NOTICE_EVERY));
            let records = self.gather(journal, applied)?;
            if let Some(last) = records.last() {
                let last = last.revision;
                self.apply(&records)?;
                shared.applied.store(last, Ordering::Release);
                flush_due.get_or_insert_with(|| Instant::now() + FLUSH_EVERY);
                progress.tell(last, journal.head());
                if journal.head() - last > BEHIND_MAX && progress.caught_up {
                    progress = Progress::new(last);
                    shared.health.set_phase(StateHealth::CatchingUp);
                }
            }
            if flush_due.is_some_and(|due| due <= Instant::now()) {
                self.flush()?;
                flush_due = None;
            }
        }
    }

    /// The next records, gathered for a moment; none if there are none yet.
    fn gather(&self, journal: &JournalReader, applied: Revision) -> Result<Vec<Record>, JournalError> {
        let mut records = Vec::new();
        let (mut changes, mut bytes) = (0, 0);
        let mut last = applied;
        let due = Instant::now() + GATHER_FOR;
        loop {
            for record in journal.scan(last + 1) {
                let record = record?;
                changes += record.changes.len();
                bytes += record.document_bytes();
                last = record.revision;
                records.push(record);
                if changes >= BATCH_CHANGES || bytes >= BATCH_BYTES {
                    return Ok(records);
                }
            }
            let left = due.saturating_duration_since(Instant::now());
            if records.is_empty() || left.is_zero() || self.shared.is_closing() {
                return Ok(records);
            }
            let _ = journal.wait_beyond(last, left);
        }
    }

    fn apply(&self, records: &[Record]) -> Result<(), StateError> {
        let mut gate = self.shared.gate.write();
        let _apply = self.shared.calls.enter(Call::Apply);
        gate.as_mut().ok_or(StateError::Closing)?.apply(records)
    }

    fn flush(&self) -> Result<(), StateError> {
        let gate = self.shared.gate.write();
        let _flush = self.shared.calls.enter(Call::Flush);
        gate.as_ref().ok_or(StateError::Closing)?.flush()
    }

    /// Says that sled has come to the journal's end; at the first time also makes that last.
    fn caught_up(&self, progress: &mut Progress, applied: Revision) -> Result<(), Stop> {
        if progress.caught_up {
            return Ok(());
        }
        progress.caught_up = true;
        if applied > progress.from {
            let seconds = progress.began.elapsed().as_secs_f64();
            tracing::info!(commits = applied - progress.from, seconds, "the state is up to the journal");
            self.flush()?;
        }
        self.remove_aside();
        self.shared.health.set_phase(StateHealth::Following);
        Ok(())
    }
}

/// How catching up goes on.
struct Progress {
    from: Revision,
    began: Instant,
    told: Instant,
    caught_up: bool,
}

impl Progress {
    fn new(from: Revision) -> Progress {
        let now = Instant::now();
        Progress { from, began: now, told: now, caught_up: false }
    }

    fn tell(&mut self, revision: Revision, head: Revision) {
        if !self.caught_up && self.told.elapsed() >= PROGRESS_EVERY {
            self.told = Instant::now();
            tracing::info!(revision, head, "bringing the state up to the journal");
        }
    }
}
