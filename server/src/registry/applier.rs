//! The applier: one thread that brings sled up to what is durable, at leisure and in large batches.
//!
//! Until sled has a commit, readers find it in the index. What sled loses is rebuilt from the journal at the next start.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use parking_lot::RwLock;

use super::index::Index;
use super::writer::Group;
use crate::store::State;

/// The most commits of a batch.
const BATCH_MAX: usize = 4_096;

/// Applies groups until the writer is gone or sled fails, and flushes at the end.
pub(crate) fn run(state: &State, index: &RwLock<Index>, groups: &Receiver<Group>) {
    while let Ok(mut batch) = groups.recv() {
        while batch.records.len() < BATCH_MAX
            && let Ok(next) = groups.try_recv()
        {
            batch.head = next.head;
            batch.records.extend(next.records);
        }
        if let Err(error) = state.apply(&batch.head, &batch.records) {
            tracing::error!(%error, "sled could not be written");
            return;
        }
        let names: HashSet<Arc<str>> =
            batch.records.iter().flat_map(|record| &record.changes).map(|change| change.name.as_str().into()).collect();
        index.write().forget_recent(names.into_iter(), batch.head.revision);
    }
    if let Err(error) = state.flush() {
        tracing::warn!(%error, "sled could not be flushed; the next start catches up from the journal");
    }
}
