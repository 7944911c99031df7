//! The tables of the index: a row for each resource, who refers to it, and the requests that became commits. They are what
//! a write needs to be decided, and a read to find a document.

use std::collections::BTreeSet;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::derive::Derived;
use super::requests::Requests;
use super::row::{Row, RowId};
use super::trees::Trees;
use crate::registry::schema::KindId;
use crate::store::{Record, Revision};
use crate::time::{Day, Time};

/// All that the tables hold of a resource.
pub(super) struct Entry {
    pub(super) name: Arc<str>,
    pub(super) kind: KindId,
    pub(super) row: Row,
    /// The revision in which it was created.
    pub(super) created: Revision,
    /// What it refers to.
    pub(super) targets: Box<[RowId]>,
    /// The live resources that refer to it.
    pub(super) referrers: BTreeSet<RowId>,
}

/// All resources.
#[derive(Default)]
pub(crate) struct Tables {
    head: Revision,
    last_time: Time,
    /// Each settled day, with the first revision that has it.
    pub(super) days: Vec<(Revision, Day)>,
    pub(super) entries: Vec<Entry>,
    by_name: HashTable<RowId>,
    hasher: DefaultHashBuilder,
    pub(super) trees: Trees,
    pub(super) requests: Requests,
    name_bytes: usize,
    references: usize,
}

impl Tables {
    /// The tables of a journal without commits.
    pub(super) fn new(request_id_retention: Duration) -> Self {
        Self { requests: Requests::new(request_id_retention), ..Self::default() }
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
            let targets = std::mem::take(&mut change.targets);
            referring.push((self.apply_row(change), targets, parent));
        }
        // References may lead to any other resource of the commit: its rows come first.
        for (id, targets, parent) in referring {
            self.apply_references(id, &targets);
            self.trees.set(id, parent.and_then(|parent| self.id(&parent)));
        }
        self.requests.add(record.request, record.revision, record.commit_time);
        self.head = record.revision;
        self.last_time = record.commit_time;
        if self.days.last().is_none_or(|(_, day)| *day < record.settled_day) {
            self.days.push((record.revision, record.settled_day));
        }
    }

    /// Takes in all but the references.
    fn apply_row(&mut self, change: Derived) -> RowId {
        let Derived { kind, name, row, targets: _, parent: _ } = change;
        match self.id(&name) {
            Some(id) => {
                if let Some(entry) = self.entries.get_mut(index(id)) {
                    entry.row = row;
                }
                id
            }
            None => {
                let (targets, referrers) = (Box::default(), BTreeSet::new());
                self.push(Entry { name, kind, row, created: row.revision, targets, referrers })
            }
        }
    }

    /// Adds a resource that is not there yet.
    pub(super) fn push(&mut self, entry: Entry) -> RowId {
        // More than 2^32 resources do not fit into any memory.
        let id = RowId(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.name_bytes += entry.name.len();
        let Self { entries, by_name, hasher, .. } = self;
        let hash = hasher.hash_one(&*entry.name);
        entries.push(entry);
        by_name.insert_unique(hash, id, |id| hasher.hash_one(entries.get(index(*id)).map_or("", |entry| &entry.name)));
        id
    }

    fn id(&self, name: &str) -> Option<RowId> {
        let is_named = |id: &RowId| self.entries.get(index(*id)).is_some_and(|entry| &*entry.name == name);
        self.by_name.find(self.hasher.hash_one(name), is_named).copied()
    }

    fn apply_references(&mut self, id: RowId, targets: &[Arc<str>]) {
        let new: Box<[RowId]> = targets.iter().filter_map(|name| self.id(name)).collect();
        let Some(entry) = self.entries.get_mut(index(id)) else { return };
        self.references = self.references + new.len() - entry.targets.len();
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

    /// Notes with each resource who refers to it, which is known only to those who do.
    pub(super) fn refer(&mut self) {
        let references: Vec<(RowId, Box<[RowId]>)> =
            self.entries.iter().zip(0..).map(|(entry, at)| (RowId(at), entry.targets.clone())).collect();
        for (id, targets) in references {
            self.references += targets.len();
            for target in &targets {
                if let Some(target) = self.entries.get_mut(index(*target)) {
                    target.referrers.insert(id);
                }
            }
        }
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
        self.settled_day_at(Revision::MAX)
    }

    /// The day up to which time had been let pass at a revision. Before the first one: the day 0.
    pub(crate) fn settled_day_at(&self, revision: Revision) -> Day {
        let after = self.days.partition_point(|(from, _)| *from <= revision);
        after.checked_sub(1).and_then(|at| self.days.get(at)).map_or_else(Day::default, |(_, day)| *day)
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
        let parent = self.trees.parent(self.id(name)?)?;
        self.entries.get(index(parent)).map(|entry| &entry.name)
    }

    /// The live resources whose parent is `name`.
    pub(crate) fn children(&self, name: &str) -> impl Iterator<Item = &Arc<str>> {
        let children = self.id(name).into_iter().flat_map(|id| self.trees.children(id));
        children.filter_map(|id| self.entries.get(index(id))).map(|entry| &entry.name)
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(index(self.id(name)?))
    }

    /// The commit that a request became, and the hash of what it asked for.
    pub(crate) fn request(&self, id: &[u8; 16]) -> Option<(Revision, [u8; 16])> {
        self.requests.get(id)
    }

    /// How many resources there are, deleted ones too.
    pub(crate) fn count_of_all(&self) -> usize {
        self.entries.len()
    }

    /// So many resources from a place on, in the order of their creation: each with its kind, and the revision in which it
    /// was created.
    pub(super) fn rows(&self, from: usize, count: usize) -> Vec<(KindId, Arc<str>, Row, Revision)> {
        let entries = self.entries.iter().skip(from).take(count);
        entries.map(|entry| (entry.kind, entry.name.clone(), entry.row, entry.created)).collect()
    }

    /// About how many bytes of memory they take.
    pub(super) fn heap_bytes(&self) -> usize {
        // A name is counted with the two counters before it. A reference stands with who refers, and with what is referred
        // to, there in a tree.
        self.entries.capacity() * size_of::<Entry>()
            + self.by_name.allocation_size()
            + self.name_bytes
            + 24 * self.entries.len()
            + self.days.capacity() * size_of::<(Revision, Day)>()
            + 16 * self.references
            + self.requests.heap_bytes()
    }
}

/// Where a row stands among the entries.
pub(super) fn index(id: RowId) -> usize {
    id.0 as usize
}
