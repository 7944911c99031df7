//! The applier: one thread that brings sled up to what is durable, at leisure and in large batches.
//!
//! Until sled has a commit, readers find it in the index. What sled loses is rebuilt from the journal at the next start.
//! Between the writer and the applier stands the backlog: what is durable, and not in sled yet.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, RwLock};

use super::index::Index;
use crate::store::{Head, Record, State};

/// How long commits are gathered for a batch. With every batch sled seals a piece of its log and has it written to the
/// disk, however small it is: many small batches would take the disk and the processor from the journal.
const GATHER_FOR: Duration = Duration::from_millis(100);
/// A backlog of so many bytes is not gathered any longer.
const GATHER_BYTES: usize = 8 << 20;
/// How many bytes sled may be behind; then the writer waits. They are in memory until sled has them.
const BACKLOG_BYTES_MAX: usize = 64 << 20;
/// The most commits of a batch.
const BATCH_MAX: usize = 4_096;
/// How many resources are forgotten under one lock: readers wait meanwhile.
const FORGET_MAX: usize = 256;

#[derive(Default)]
struct Backlog {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// Groups, each with the head after it.
    groups: Vec<(Head, Vec<Record>)>,
    bytes: usize,
    /// Nothing more will come.
    ended: bool,
    /// Nothing more will be taken.
    left: bool,
}

/// The writer's end of the backlog. Dropped, it ends the applier once that has taken everything.
pub(crate) struct Giver(Arc<Backlog>);

/// The applier's end of the backlog.
pub(crate) struct Taker(Arc<Backlog>);

/// An empty backlog.
pub(crate) fn backlog() -> (Giver, Taker) {
    let backlog = Arc::new(Backlog::default());
    (Giver(backlog.clone()), Taker(backlog))
}

impl Giver {
    /// Gives a group of durable commits, of so many bytes, with the head after it. Waits while sled is too far behind.
    /// `false`: sled is not kept up any more.
    #[must_use]
    pub(crate) fn give(&self, head: Head, records: Vec<Record>, bytes: usize) -> bool {
        let Backlog { waiting, changed } = &*self.0;
        let mut waiting = waiting.lock();
        changed.wait_while(&mut waiting, |waiting| waiting.bytes >= BACKLOG_BYTES_MAX && !waiting.left);
        let before = waiting.bytes;
        let first = waiting.groups.is_empty();
        waiting.groups.push((head, records));
        waiting.bytes += bytes;
        // Whoever gathers is woken when it is time, not by every group.
        if first || (before < GATHER_BYTES && waiting.bytes >= GATHER_BYTES) {
            changed.notify_all();
        }
        !waiting.left
    }
}

impl Drop for Giver {
    fn drop(&mut self) {
        self.0.waiting.lock().ended = true;
        self.0.changed.notify_all();
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        self.0.waiting.lock().left = true;
        self.0.changed.notify_all();
    }
}

impl Taker {
    /// Waits for a first group, gathers more for a while, and takes all there are. `None`: there will be no more.
    fn take(&self) -> Option<Vec<(Head, Vec<Record>)>> {
        let Backlog { waiting, changed } = &*self.0;
        let mut waiting = waiting.lock();
        changed.wait_while(&mut waiting, |waiting| waiting.groups.is_empty() && !waiting.ended);
        let gathered = |waiting: &Waiting| waiting.ended || waiting.bytes >= GATHER_BYTES;
        let until = Instant::now() + GATHER_FOR;
        changed.wait_while_until(&mut waiting, |waiting| !gathered(waiting), until);
        let groups = std::mem::take(&mut waiting.groups);
        waiting.bytes = 0;
        drop(waiting);
        changed.notify_all();
        (!groups.is_empty()).then_some(groups)
    }
}

/// Applies what is in the backlog until the writer is gone or sled fails, and flushes at the end.
pub(crate) fn run(state: &State, index: &RwLock<Index>, backlog: &Taker) {
    while let Some(groups) = backlog.take() {
        let mut groups = groups.into_iter();
        while let Some((mut head, mut records)) = groups.next() {
            while records.len() < BATCH_MAX
                && let Some((next, more)) = groups.next()
            {
                head = next;
                records.extend(more);
            }
            if let Err(error) = state.apply(&head, &records) {
                tracing::error!(%error, "sled could not be written");
                return;
            }
            let names: Vec<_> =
                records.iter().flat_map(|record| &record.changes).map(|change| change.name.as_str()).collect();
            for names in names.chunks(FORGET_MAX) {
                index.write().forget_recent(names, head.revision);
            }
        }
    }
    if let Err(error) = state.flush() {
        tracing::warn!(%error, "sled could not be flushed; the next start catches up from the journal");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(revision: u64) -> Head {
        Head { revision, hash: [0; 32] }
    }

    #[test]
    fn what_was_given_before_the_end_is_taken_in_its_order() {
        let (giver, taker) = backlog();
        for revision in 1..=3 {
            assert!(giver.give(head(revision), Vec::new(), 100));
        }
        drop(giver);
        let taken = taker.take().map(|groups| groups.into_iter().map(|(head, _)| head.revision).collect::<Vec<_>>());
        assert_eq!(taken, Some(vec![1, 2, 3]));
        assert!(taker.take().is_none());
    }

    #[test]
    fn a_writer_is_told_that_nothing_is_taken_any_more_and_does_not_wait_for_it() {
        let (giver, taker) = backlog();
        assert!(giver.give(head(1), Vec::new(), BACKLOG_BYTES_MAX));
        drop(taker);
        assert!(!giver.give(head(2), Vec::new(), 1));
    }
}
