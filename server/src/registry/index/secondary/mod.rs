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
mod timelines;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use bytes::Bytes;
use parking_lot::{RwLock, RwLockReadGuard};

pub(crate) use dictionary::{Dictionary, FactNumber};
pub(crate) use follow::{Follower, Position};
pub(crate) use key::{KeyType, UNKNOWN_DATE, date, entry, entry_key, is_unknown_date, key, value};
pub(crate) use kind::{ABSENT, KindIndex};
pub(crate) use paths::PathId;
pub(crate) use rows::{RowNumber, Rows};
pub(crate) use sorted::Cut;
pub(crate) use timelines::Timelines;

use self::kind::{Changed, Known};
use self::paths::KindPaths;
use crate::kinds::timeline::Asked;
use crate::registry::resource::{envelope, stamp};
use crate::registry::schema::{KindId, Schemas};
use crate::store::{Record, Revision};
use crate::time::Day;

/// So many changes are applied under one lock: questions wait for it a millisecond or two.
const CHANGES_AT_ONCE: usize = 256;

/// The secondary indexes of all kinds.
pub(crate) struct Secondary {
    schemas: Arc<Schemas>,
    paths: Vec<Arc<KindPaths>>,
    kinds: Vec<RwLock<KindIndex>>,
    /// The day for which what is computed is derived. One thread alone lets it turn.
    day: AtomicI32,
}

/// Reads a resource of a kind as it is now: its revision, and its document. `None`: it cannot be read.
type Read<'r> = &'r dyn Fn(KindId, &str) -> Option<(Revision, Bytes)>;

impl Secondary {
    /// Without resources.
    pub(crate) fn new(schemas: Arc<Schemas>) -> Self {
        let paths: Vec<_> = schemas.kind_ids().map(|kind| Arc::new(KindPaths::of(&schemas, kind))).collect();
        let dated = schemas.kind_ids().map(|kind| schemas.kind(kind).rules.dated);
        let kinds = paths.iter().zip(dated).map(|(paths, dated)| RwLock::new(KindIndex::new(paths.clone(), dated)));
        Self { kinds: kinds.collect(), schemas, paths, day: AtomicI32::new(i32::MIN) }
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

    fn day(&self) -> Day {
        Day(self.day.load(Ordering::Relaxed))
    }

    /// Lets a day turn: derives anew what is computed of the resources that stand differently on it. That is no change of
    /// them.
    fn turn(&self, day: Day, read: Read<'_>) {
        if day <= self.day() {
            return;
        }
        self.day.store(day.0, Ordering::Relaxed);
        for (kind, lock) in self.schemas.kind_ids().zip(&self.kinds) {
            let names = lock.write().turn(day);
            for names in names.chunks(CHANGES_AT_ONCE) {
                let anew = names.iter().map(|name| {
                    let read = read(kind, name);
                    let (revision, document) =
                        read.as_ref().map_or((0, None), |(it, document)| (*it, Some(&**document)));
                    self.changed(kind, name.clone(), revision, 0, document)
                });
                let anew: Vec<Changed> = anew.collect();
                let mut index = lock.write();
                anew.into_iter().for_each(|changed| index.derive_anew(changed));
            }
        }
    }

    /// Takes durable commits in, in their order.
    fn apply(&self, records: &[&Record], read: Read<'_>) {
        if let Some(last) = records.last() {
            self.turn(last.settled_day, read);
        }
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
        let known = document.zip(self.paths.get(kind.index())).and_then(|(document, paths)| {
            let rules = &self.schemas.kind(kind).rules;
            let Some(dated) = rules.dated else {
                return Some(Known { values: derive::values(&self.schemas, paths, document), timeline: None });
            };
            let resource = (rules.decode)(document).ok()?;
            // No path of what is told of the parties is indexed.
            let asked = Asked { settled: self.day(), valid: self.day(), parties: false };
            let answered = [document, &(dated.computed)(&resource, asked)].concat();
            let values = derive::values(&self.schemas, paths, &answered);
            Some(Known { values, timeline: Some((dated.timeline)(&resource)) })
        });
        Changed { name, revision, created, deleted, known }
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
