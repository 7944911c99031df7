//! What readers know of every resource without reading it: in memory, derived from the store, never written.
//!
//! Invariant: the index holds exactly the durable commits up to its head. Only the writer changes it, one group at a
//! time, under the lock that holds it; a reader sees all of a group or nothing.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::registry::schema::KindId;
use crate::store::Revision;
use crate::time::Time;

/// What is known of a resource without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// The revision in which it last changed.
    pub(crate) revision: Revision,
    /// Whether it is deleted.
    pub(crate) deleted: bool,
}

/// One durable change, as the index takes it.
#[derive(Debug, Clone)]
pub(crate) struct Indexed {
    pub(crate) kind: KindId,
    pub(crate) name: Arc<str>,
    pub(crate) row: Row,
    pub(crate) display_name: Box<str>,
    pub(crate) create_time: Time,
}

/// How a listing is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Name,
    DisplayName,
    CreateTime,
    /// Time grows with the revision: the order of revisions is that of times.
    UpdateTime,
}

/// The key of an item in an order: what it is ordered by, then its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderKey {
    pub(crate) value: Box<[u8]>,
    pub(crate) name: Arc<str>,
}

/// How many superseded entries the orders keep for listings of the past before they are dropped together.
const SUPERSEDED_MAX: usize = 1_000_000;

/// All resources.
#[derive(Default)]
pub(crate) struct Index {
    pub(crate) head: Revision,
    kinds: Vec<KindIndex>,
    superseded: usize,
    /// From this revision on the orders know every version; before it they do not.
    complete_from: Revision,
}

#[derive(Default)]
struct KindIndex {
    rows: BTreeMap<Arc<str>, (Row, Box<str>)>,
    live: usize,
    by_display_name: Spans,
    by_create: Spans,
    by_update: Spans,
}

/// Keys with the revisions in which they held: from the first, until before the second.
#[derive(Default)]
struct Spans(BTreeMap<(OrderKey, Revision), Revision>);

const STILL: Revision = Revision::MAX;

impl Spans {
    fn open(&mut self, key: OrderKey, from: Revision) {
        self.0.insert((key, from), STILL);
    }

    /// Ends the span of `key` that is open, and answers how many it ended.
    fn close(&mut self, key: OrderKey, at: Revision) -> usize {
        let range = (key.clone(), 0)..=(key, STILL);
        match self.0.range_mut(range).next_back() {
            Some((_, until)) if *until == STILL => {
                *until = at;
                1
            }
            _ => 0,
        }
    }
}

impl Index {
    /// An index of nothing at `head`, to be filled with [`Index::load`].
    pub(crate) fn new(kinds: usize, head: Revision) -> Self {
        Self { head, complete_from: head, kinds: (0..kinds).map(|_| KindIndex::default()).collect(), ..Self::default() }
    }

    /// Adds a resource as it is at the head; only before the first [`Index::apply`].
    pub(crate) fn load(&mut self, kind: KindId, name: &Arc<str>, row: Row, display_name: &str, create_time: Time) {
        let Some(kind) = self.kinds.get_mut(kind.index()) else { return };
        kind.by_display_name.open(key(display_name.as_bytes(), name), row.revision);
        kind.by_create.open(key(&create_time.sort_key(), name), 0);
        kind.by_update.open(key(&row.revision.to_be_bytes(), name), row.revision);
        kind.rows.insert(name.clone(), (row, display_name.into()));
        kind.live += usize::from(!row.deleted);
    }

    /// Takes a durable commit in, and with it the head.
    pub(crate) fn apply(&mut self, head: Revision, changes: Vec<Indexed>) {
        for change in changes {
            let Some(kind) = self.kinds.get_mut(change.kind.index()) else { continue };
            let (revision, display_name) = (change.row.revision, change.display_name.as_bytes());
            let renamed = key(display_name, &change.name);
            let updated = key(&revision.to_be_bytes(), &change.name);
            let old = kind.rows.insert(change.name.clone(), (change.row, change.display_name.clone()));
            match old {
                None => {
                    kind.by_create.open(key(&change.create_time.sort_key(), &change.name), revision);
                    kind.by_display_name.open(renamed, revision);
                }
                Some((old, old_display_name)) => {
                    kind.live -= usize::from(!old.deleted);
                    self.superseded += kind.by_update.close(key(&old.revision.to_be_bytes(), &change.name), revision);
                    if old_display_name != change.display_name {
                        let old = key(old_display_name.as_bytes(), &change.name);
                        self.superseded += kind.by_display_name.close(old, revision);
                        kind.by_display_name.open(renamed, revision);
                    }
                }
            }
            kind.by_update.open(updated, revision);
            kind.live += usize::from(!change.row.deleted);
        }
        self.head = head;
        if self.superseded > SUPERSEDED_MAX {
            self.forget_superseded();
        }
    }

    fn forget_superseded(&mut self) {
        for kind in &mut self.kinds {
            for spans in [&mut kind.by_display_name, &mut kind.by_update] {
                spans.0.retain(|_, until| *until == STILL);
            }
        }
        self.superseded = 0;
        self.complete_from = self.head;
    }

    /// The resource as it is at the head.
    pub(crate) fn row(&self, kind: KindId, name: &str) -> Option<Row> {
        self.kinds.get(kind.index())?.rows.get(name).map(|(row, _)| *row)
    }

    /// How many live resources, and how many with the deleted ones, a kind has at the head.
    pub(crate) fn count(&self, kind: KindId, deleted_too: bool) -> usize {
        self.kinds.get(kind.index()).map_or(0, |kind| if deleted_too { kind.rows.len() } else { kind.live })
    }

    /// Whether the orders can serve a listing at `revision`.
    pub(crate) fn orders_know(&self, revision: Revision) -> bool {
        revision >= self.complete_from
    }

    /// The next names of a kind after `after`.
    pub(crate) fn names_after(
        &self,
        kind: KindId,
        after: Option<&str>,
        descending: bool,
        limit: usize,
    ) -> Vec<Arc<str>> {
        let Some(kind) = self.kinds.get(kind.index()) else { return Vec::new() };
        let bounds: (Bound<&str>, Bound<&str>) = match (after, descending) {
            (None, _) => (Bound::Unbounded, Bound::Unbounded),
            (Some(after), false) => (Bound::Excluded(after), Bound::Unbounded),
            (Some(after), true) => (Bound::Unbounded, Bound::Excluded(after)),
        };
        let found = kind.rows.range::<str, _>(bounds).map(|(name, _)| name.clone());
        if descending { found.rev().take(limit).collect() } else { found.take(limit).collect() }
    }

    /// The next keys of a kind after `after` in another order than that of names, of those that held at `revision`.
    pub(crate) fn keys_after(
        &self,
        kind: KindId,
        order: Order,
        after: Option<&OrderKey>,
        descending: bool,
        at: Revision,
        limit: usize,
    ) -> Vec<OrderKey> {
        let Some(kind) = self.kinds.get(kind.index()) else { return Vec::new() };
        let spans = match order {
            Order::Name => return Vec::new(),
            Order::DisplayName => &kind.by_display_name,
            Order::CreateTime => &kind.by_create,
            Order::UpdateTime => &kind.by_update,
        };
        let bounds = match (after, descending) {
            (None, _) => (Bound::Unbounded, Bound::Unbounded),
            (Some(after), false) => (Bound::Excluded((after.clone(), STILL)), Bound::Unbounded),
            (Some(after), true) => (Bound::Unbounded, Bound::Excluded((after.clone(), 0))),
        };
        let held = |((key, from), until): (&(OrderKey, Revision), &Revision)| {
            (*from <= at && at < *until).then(|| key.clone())
        };
        let range = spans.0.range(bounds);
        if descending {
            range.rev().filter_map(held).take(limit).collect()
        } else {
            range.filter_map(held).take(limit).collect()
        }
    }
}

pub(crate) fn key(value: &[u8], name: &Arc<str>) -> OrderKey {
    OrderKey { value: value.into(), name: name.clone() }
}
