//! The tables of the index: a row for each resource, who refers to it, the orders of each kind, and the requests that
//! became commits.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use super::derive::Derived;
use super::order::{Order, OrderKey, Spans};
use super::row::{Row, RowId};
use super::trees::Trees;
use crate::registry::schema::KindId;
use crate::store::{Record, RequestMark, Revision};
use crate::time::{Day, Time};

/// How many ended spans the orders keep for listings of the past before they are dropped together.
const ENDED_SPANS_MAX: usize = 1_000_000;

/// The length of what resources are ordered by in the order of creation.
pub(super) const CREATED_BYTES: usize = 12;

/// All that the tables hold of a resource.
pub(super) struct Entry {
    pub(super) name: Arc<str>,
    pub(super) kind: KindId,
    pub(super) row: Row,
    /// What it is ordered by in the order of creation.
    pub(super) created: [u8; CREATED_BYTES],
    pub(super) display_name: Box<str>,
    /// What it refers to.
    pub(super) targets: Box<[RowId]>,
    /// The live resources that refer to it.
    pub(super) referrers: BTreeSet<RowId>,
}

/// The id of a request.
pub(super) type RequestId = [u8; 16];
/// What a request became, and the hash of what it asked for.
pub(super) type Became = (Revision, [u8; 16]);

/// All resources.
#[derive(Default)]
pub(crate) struct Tables {
    head: Revision,
    last_time: Time,
    settled_day: Day,
    pub(super) entries: Vec<Entry>,
    pub(super) by_name: HashMap<Arc<str>, RowId>,
    pub(super) trees: Trees,
    pub(super) kinds: Vec<KindTable>,
    /// What each request became, and the hash of what it asked for. Sorted, so that they can be saved piece by piece.
    pub(super) requests: BTreeMap<RequestId, Became>,
    ended_spans: usize,
    /// From this revision on the orders know every version; before it they do not.
    pub(super) orders_complete_from: Revision,
}

#[derive(Default)]
pub(super) struct KindTable {
    pub(super) names: BTreeSet<Arc<str>>,
    pub(super) live: usize,
    pub(super) by_display_name: Spans,
    pub(super) by_create: Spans,
    pub(super) by_update: Spans,
}

impl Tables {
    /// The tables of a journal without commits, for so many kinds.
    pub(super) fn new(kinds: usize) -> Self {
        Self { kinds: (0..kinds).map(|_| KindTable::default()).collect(), ..Self::default() }
    }

    /// Takes in a commit, of which `changes` is what its documents say. What a row has already is skipped: a checkpoint is
    /// saved while commits go on, and these are applied again when it has been loaded.
    pub(super) fn apply(&mut self, record: &Record, changes: Vec<Derived>) {
        let mut referring = Vec::with_capacity(changes.len());
        for mut change in changes {
            if self.row(&change.name).is_some_and(|row| row.revision >= change.row.revision) {
                continue;
            }
            let parent = change.parent.take();
            let (targets, id) = self.apply_row(change);
            referring.extend(id.map(|id| (id, targets, parent)));
        }
        // References may lead to any other resource of the commit: its rows come first.
        for (id, targets, parent) in referring {
            self.apply_references(id, &targets);
            self.trees.set(id, parent.and_then(|parent| self.by_name.get(&parent).copied()));
        }
        if let Some(RequestMark { id, hash }) = record.request {
            self.requests.insert(id, (record.revision, hash));
        }
        self.head = record.revision;
        self.last_time = record.commit_time;
        self.settled_day = record.settled_day;
        if self.ended_spans > ENDED_SPANS_MAX {
            self.forget_ended_spans();
        }
    }

    /// Takes in all but the references, and answers those, with the resource that has them.
    fn apply_row(&mut self, change: Derived) -> (Vec<Arc<str>>, Option<RowId>) {
        let Derived { kind, name, row, display_name, create_time, targets, parent: _ } = change;
        let Some(table) = self.kinds.get_mut(kind.index()) else { return (targets, None) };
        let named = OrderKey::new(display_name.as_bytes(), &name);
        table.by_update.open(OrderKey::new(&row.revision.to_be_bytes(), &name), row.revision);
        table.live += usize::from(!row.deleted);
        let Some(id) = self.by_name.get(&name).copied() else {
            let created = create_time.sort_key();
            table.by_create.open(OrderKey::new(&created, &name), row.revision);
            table.by_display_name.open(named, row.revision);
            table.names.insert(name.clone());
            // More than 2^32 resources do not fit into any memory.
            let id = RowId(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
            self.by_name.insert(name.clone(), id);
            let (targets_yet, referrers) = (Box::default(), BTreeSet::new());
            self.entries.push(Entry { name, kind, row, created, display_name, targets: targets_yet, referrers });
            return (targets, Some(id));
        };
        let Some(entry) = self.entries.get_mut(index(id)) else { return (targets, None) };
        table.live -= usize::from(!entry.row.deleted);
        let updated = OrderKey::new(&entry.row.revision.to_be_bytes(), &name);
        self.ended_spans += table.by_update.close(updated, row.revision);
        if entry.display_name != display_name {
            let renamed = OrderKey::new(entry.display_name.as_bytes(), &name);
            self.ended_spans += table.by_display_name.close(renamed, row.revision);
            table.by_display_name.open(named, row.revision);
            entry.display_name = display_name;
        }
        entry.row = row;
        (targets, Some(id))
    }

    fn apply_references(&mut self, id: RowId, targets: &[Arc<str>]) {
        let new: Box<[RowId]> = targets.iter().filter_map(|name| self.by_name.get(name).copied()).collect();
        let Some(entry) = self.entries.get_mut(index(id)) else { return };
        let old = std::mem::replace(&mut entry.targets, new.clone());
        for target in old.iter().filter(|target| !new.contains(target)) {
            if let Some(target) = self.entries.get_mut(index(*target)) {
                target.referrers.remove(&id);
            }
        }
        for target in new.iter().filter(|target| !old.contains(target)) {
            if let Some(target) = self.entries.get_mut(index(*target)) {
                target.referrers.insert(id);
            }
        }
    }

    fn forget_ended_spans(&mut self) {
        for table in &mut self.kinds {
            table.by_display_name.forget_ended();
            table.by_update.forget_ended();
        }
        self.ended_spans = 0;
        self.orders_complete_from = self.head;
    }

    /// The last durable revision.
    pub(crate) fn head(&self) -> Revision {
        self.head
    }

    /// When the last commit was made.
    pub(crate) fn last_time(&self) -> Time {
        self.last_time
    }

    /// The day up to which time has been let pass.
    pub(crate) fn settled_day(&self) -> Day {
        self.settled_day
    }

    /// The resource as it is at the head.
    pub(crate) fn row(&self, name: &str) -> Option<Row> {
        self.entry(name).map(|entry| entry.row)
    }

    /// The live resources that refer to `name`.
    pub(crate) fn referrers(&self, name: &str) -> impl Iterator<Item = &Arc<str>> {
        let referrers = self.entry(name).into_iter().flat_map(|entry| &entry.referrers);
        referrers.filter_map(|id| self.entries.get(index(*id))).map(|entry| &entry.name)
    }

    /// The parent of a live resource.
    pub(crate) fn parent(&self, name: &str) -> Option<&Arc<str>> {
        let parent = self.trees.parent(*self.by_name.get(name)?)?;
        self.entries.get(index(parent)).map(|entry| &entry.name)
    }

    /// The live resources whose parent is `name`.
    pub(crate) fn children(&self, name: &str) -> impl Iterator<Item = &Arc<str>> {
        let children = self.by_name.get(name).into_iter().flat_map(|id| self.trees.children(*id));
        children.filter_map(|id| self.entries.get(index(id))).map(|entry| &entry.name)
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(index(*self.by_name.get(name)?))
    }

    /// The commit that a request became, and the hash of what it asked for.
    pub(crate) fn request(&self, id: &[u8; 16]) -> Option<(Revision, [u8; 16])> {
        self.requests.get(id).copied()
    }

    /// The next requests after `after`, in the order of their ids, with what became of them.
    pub(super) fn requests_after(&self, after: Option<RequestId>, limit: usize) -> Vec<(RequestId, Became)> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.requests.range((after, Bound::Unbounded)).take(limit).map(|(id, became)| (*id, *became)).collect()
    }

    /// How many live resources, or with the deleted ones too, a kind has at the head.
    pub(crate) fn count(&self, kind: KindId, deleted_too: bool) -> usize {
        self.kinds.get(kind.index()).map_or(0, |table| if deleted_too { table.names.len() } else { table.live })
    }

    /// Whether the orders can serve a listing at `revision`.
    pub(crate) fn orders_know(&self, revision: Revision) -> bool {
        revision >= self.orders_complete_from
    }

    /// The next names of a kind after `after`.
    pub(crate) fn names_after(
        &self,
        kind: KindId,
        after: Option<&str>,
        descending: bool,
        limit: usize,
    ) -> Vec<Arc<str>> {
        let Some(table) = self.kinds.get(kind.index()) else { return Vec::new() };
        let bounds: (Bound<&str>, Bound<&str>) = match (after, descending) {
            (None, _) => (Bound::Unbounded, Bound::Unbounded),
            (Some(after), false) => (Bound::Excluded(after), Bound::Unbounded),
            (Some(after), true) => (Bound::Unbounded, Bound::Excluded(after)),
        };
        let found = table.names.range::<str, _>(bounds).cloned();
        if descending { found.rev().take(limit).collect() } else { found.take(limit).collect() }
    }

    /// The next keys of a kind after `after`, in an order, of those that held at `at`.
    pub(crate) fn keys_after(
        &self,
        kind: KindId,
        order: Order,
        after: Option<&OrderKey>,
        descending: bool,
        at: Revision,
        limit: usize,
    ) -> Vec<OrderKey> {
        let Some(table) = self.kinds.get(kind.index()) else { return Vec::new() };
        let spans = match order {
            Order::Name => {
                let after = after.map(|key| &*key.name);
                let names = self.names_after(kind, after, descending, limit);
                return names.iter().map(|name| OrderKey::new(&[], name)).collect();
            }
            Order::DisplayName => &table.by_display_name,
            Order::CreateTime => &table.by_create,
            Order::UpdateTime => &table.by_update,
        };
        spans.after(after, descending, at, limit)
    }
}

/// Where a row stands among the entries.
pub(super) fn index(id: RowId) -> usize {
    id.0 as usize
}
