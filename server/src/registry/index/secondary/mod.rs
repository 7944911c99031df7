//! The secondary indexes: what filters, orders and counts are answered from.
//!
//! They are derived from the documents alone, kind by kind, and follow the journal a moment behind the rows, on a thread of
//! their own (`follow`): a write never waits for them, and a question waits until they have its revision. Invariant: each
//! kind holds every commit up to the position, and perhaps some behind it, each resource whole.

mod derive;
mod dictionary;
mod follow;
mod key;
mod kind;
mod paths;
mod rows;
mod sorted;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{RwLock, RwLockReadGuard};

pub(crate) use dictionary::{Dictionary, FactNumber};
pub(crate) use follow::{Follower, Position};
pub(crate) use key::{KeyType, UNKNOWN_DATE, date, entry, entry_key, is_unknown_date, key, value};
pub(crate) use kind::{ABSENT, KindIndex};
pub(crate) use paths::PathId;
pub(crate) use rows::{RowNumber, Rows};
pub(crate) use sorted::Cut;

use self::kind::Changed;
use self::paths::KindPaths;
use crate::registry::resource::{envelope, stamp};
use crate::registry::schema::{KindId, Schemas};
use crate::store::{Record, Revision};

/// So many changes are applied under one lock: questions wait for it a millisecond or two.
const CHANGES_AT_ONCE: usize = 256;

/// The secondary indexes of all kinds.
pub(crate) struct Secondary {
    schemas: Arc<Schemas>,
    paths: Vec<Arc<KindPaths>>,
    kinds: Vec<RwLock<KindIndex>>,
}

impl Secondary {
    /// Without resources.
    pub(crate) fn new(schemas: Arc<Schemas>) -> Self {
        let paths: Vec<_> = schemas.kind_ids().map(|kind| Arc::new(KindPaths::of(&schemas, kind))).collect();
        let kinds = paths.iter().map(|paths| RwLock::new(KindIndex::new(paths.clone()))).collect();
        Self { schemas, paths, kinds }
    }

    /// The index of a kind. While it is held, this kind does not go on: hold it for some milliseconds at most, and never
    /// while something is read.
    pub(crate) fn kind(&self, kind: KindId) -> Option<RwLockReadGuard<'_, KindIndex>> {
        self.kinds.get(kind.index()).map(RwLock::read)
    }

    /// Puts all in order that is there at the start: from then on it can be asked.
    fn order(&self) {
        self.kinds.iter().for_each(|kind| kind.write().order());
    }

    /// Takes durable commits in, in their order.
    fn apply(&self, records: &[&Record]) {
        let mut changes: BTreeMap<KindId, Vec<Changed>> = BTreeMap::new();
        for record in records {
            for change in &record.changes {
                // What the rows could not read would have stopped the writer.
                let Some((kind, document)) = envelope::open_envelope(&self.schemas, &change.document) else { continue };
                let created = if change.previous_revision == 0 { record.revision } else { 0 };
                let changed = self.changed(kind, change.name.clone(), record.revision, created, Some(document));
                changes.entry(kind).or_default().push(changed);
            }
        }
        for (kind, changes) in changes {
            self.take(kind, changes);
        }
    }

    /// What the index has to know of a document; of none, if it cannot be read.
    fn changed(
        &self,
        kind: KindId,
        name: Arc<str>,
        revision: Revision,
        created: Revision,
        document: Option<&[u8]>,
    ) -> Changed {
        let deleted = document.is_some_and(stamp::is_deleted);
        let values = document
            .zip(self.paths.get(kind.index()))
            .map(|(document, paths)| derive::values(&self.schemas, paths, document));
        Changed { name, revision, created, deleted, values }
    }

    fn take(&self, kind: KindId, changes: Vec<Changed>) {
        let Some(lock) = self.kinds.get(kind.index()) else { return };
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            let mut index = lock.write();
            changes.by_ref().take(CHANGES_AT_ONCE).for_each(|change| index.apply(change));
        }
    }

    /// About how many bytes of memory they take.
    pub(super) fn heap_bytes(&self) -> usize {
        self.kinds.iter().map(|kind| kind.read().heap_bytes()).sum()
    }
}
