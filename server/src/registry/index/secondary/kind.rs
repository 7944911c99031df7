//! The index of one kind: its resources by number, and what each has at the indexed paths.

use std::cmp::Ordering;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use roaring::RoaringBitmap;

use super::dictionary::{Dictionary, FactNumber};
use super::key::prefix;
use super::paths::{KindPaths, PathId};
use super::rows::RowNumber;
use super::sorted::Sorted;
use super::timelines::Timelines;
use crate::kinds::timeline::{Dated, Timeline};
use crate::store::Revision;
use crate::time::Day;

/// In a column: the resource has no value there.
pub(crate) const ABSENT: FactNumber = FactNumber::MAX;

/// A resource after a change, as far as questions are concerned.
pub(super) struct Changed {
    pub(super) name: Arc<str>,
    pub(super) revision: Revision,
    /// The revision in which it was created.
    pub(super) created: Revision,
    pub(super) deleted: bool,
    /// What questions are answered from. `None`: its document cannot be read.
    pub(super) known: Option<Known>,
}

/// What is known of a resource.
pub(super) struct Known {
    /// What it has at the indexed paths.
    pub(super) values: Vec<(PathId, Vec<u8>)>,
    /// How it stands from day to day, if that differs.
    pub(super) timeline: Option<Timeline>,
}

/// A fact of a list: the place of its path, then its number.
type Listed = (u16, FactNumber);

struct Row {
    name: Arc<str>,
    /// How its id begins: most comparisons of names need no more, and look nowhere else.
    beginning: u64,
    /// In which it last changed; the greatest there is if its document could not be read: whoever asks reads it again.
    revision: Revision,
    created: Revision,
}

/// The resources of a kind, and what they have.
pub(crate) struct KindIndex {
    pub(crate) paths: Arc<KindPaths>,
    /// For each path, the facts.
    facts: Vec<Dictionary>,
    /// For each path, the resources that have a value there.
    present: Vec<RoaringBitmap>,
    rows: Vec<Row>,
    by_name: HashTable<RowNumber>,
    hasher: DefaultHashBuilder,
    names: Sorted,
    live: RoaringBitmap,
    /// For each path where a resource has one value at most: its fact, by the number of the resource.
    columns: Vec<Vec<FactNumber>>,
    /// The facts of each resource at the other paths, by path. One that a list has twice stands twice.
    lists: Vec<Box<[Listed]>>,
    /// How the resources stand from day to day, if that differs.
    timelines: Option<Timelines>,
    last_change: Revision,
    /// How often something was taken in.
    version: u64,
    list_bytes: usize,
    /// Whether names and facts are to be put in order at once, later.
    is_building: bool,
}

impl KindIndex {
    /// Without resources, which many are about to come: nothing can be asked before [`KindIndex::order`].
    pub(super) fn new(paths: Arc<KindPaths>, dated: Option<Dated>) -> Self {
        let count = paths.paths.len();
        Self {
            paths,
            facts: std::iter::repeat_with(Dictionary::building).take(count).collect(),
            present: vec![RoaringBitmap::new(); count],
            rows: Vec::new(),
            by_name: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            names: Sorted::default(),
            live: RoaringBitmap::new(),
            columns: std::iter::repeat_with(Vec::new).take(count).collect(),
            lists: Vec::new(),
            timelines: dated.map(Timelines::new),
            last_change: 0,
            version: 0,
            list_bytes: 0,
            is_building: true,
        }
    }

    /// Puts names and facts in their order, once all is there that there is at the start.
    pub(super) fn order(&mut self) {
        let Self { rows, names, facts, is_building, .. } = self;
        let by_name = |rows: &[Row]| {
            let mut numbers: Vec<RowNumber> = rows.iter().zip(0..).map(|(_, number)| number).collect();
            numbers.sort_unstable_by(|one, other| {
                let beginning = rows.get(index(*other)).map_or(0, |row| row.beginning);
                compare_names(rows, *one, beginning, name_of(rows, *other))
            });
            Sorted::of(&numbers)
        };
        // The two processors share it.
        *names = std::thread::scope(|scope| {
            let names = scope.spawn(|| by_name(rows));
            facts.iter_mut().for_each(Dictionary::order);
            names.join().unwrap_or_else(|_| by_name(rows))
        });
        *is_building = false;
    }

    /// Takes a change in. One that it has already, or a later one, is skipped.
    pub(super) fn apply(&mut self, changed: Changed) {
        let Changed { name, revision, created, deleted, known: derived } = changed;
        let row = match self.number(&name) {
            Some(row) => {
                let Some(known) = self
                    .rows
                    .get_mut(index(row))
                    .filter(|known| known.revision < revision || known.revision == Revision::MAX)
                else {
                    return;
                };
                known.revision = revision;
                row
            }
            None => self.create(name, revision, created),
        };
        self.last_change = self.last_change.max(revision);
        self.know(row, derived);
        if deleted {
            self.live.remove(row)
        } else {
            self.live.insert(row)
        };
    }

    fn know(&mut self, row: RowNumber, known: Option<Known>) {
        self.version += 1;
        let timeline = known.as_ref().and_then(|known| known.timeline.as_ref());
        if let Some(timelines) = &mut self.timelines {
            timelines.set(row, timeline);
        }
        match known {
            Some(known) => self.set_values(row, known.values),
            None => self.open(row),
        }
    }

    /// Goes on to a later day, for which the columns hold from now on. Answers the names of the resources that have to be
    /// derived anew for it ([`KindIndex::derive_anew`]).
    pub(super) fn turn(&mut self, day: Day) -> Vec<Arc<str>> {
        self.version += 1;
        let stepping = self.timelines.as_mut().map(|timelines| timelines.turn(day)).unwrap_or_default();
        stepping.iter().map(|row| name_of(&self.rows, row).clone()).collect()
    }

    /// Takes in what has been derived anew of a resource since a day has turned, which is no change of it. If it has changed
    /// meanwhile, that is taken in as a change.
    pub(super) fn derive_anew(&mut self, changed: Changed) {
        let Some(row) = self.number(&changed.name) else { return };
        if changed.known.is_none() || changed.revision == self.revision(row) {
            self.know(row, changed.known);
        } else {
            self.apply(changed);
        }
    }

    /// A row whose document could not be read: it is read whenever a question comes to it.
    fn open(&mut self, row: RowNumber) {
        if let Some(known) = self.rows.get_mut(index(row)) {
            known.revision = Revision::MAX;
        }
        self.last_change = Revision::MAX;
    }

    fn create(&mut self, name: Arc<str>, revision: Revision, created: Revision) -> RowNumber {
        // More than 2^32 resources do not fit into any memory.
        let row = RowNumber::try_from(self.rows.len()).unwrap_or(RowNumber::MAX);
        let beginning = beginning(&name);
        self.rows.push(Row { name: name.clone(), beginning, revision, created });
        self.lists.push(Box::default());
        for (column, path) in self.columns.iter_mut().zip(&self.paths.paths) {
            if !path.repeated {
                column.push(ABSENT);
            }
        }
        let Self { rows, by_name, hasher, names, is_building, .. } = self;
        by_name.insert_unique(hasher.hash_one(&*name), row, |row| hasher.hash_one(name_of(rows, *row)));
        if !*is_building {
            names.insert(row, |other| compare_names(rows, other, beginning, &name));
        }
        row
    }

    fn set_values(&mut self, row: RowNumber, values: Vec<(PathId, Vec<u8>)>) {
        let mut singles = vec![ABSENT; self.columns.len()];
        let mut list: Vec<Listed> = Vec::new();
        for (path, key) in values {
            let Some(facts) = self.facts.get_mut(path.index()) else { continue };
            let fact = facts.number(&key);
            match self.paths.get(path).is_some_and(|path| path.repeated) {
                true => list.push((path.0, fact)),
                false => singles.get_mut(path.index()).into_iter().for_each(|single| *single = fact),
            }
        }
        for ((at, path), new) in self.paths.clone().paths.iter().enumerate().zip(singles) {
            let place = self.columns.get_mut(at).and_then(|column| column.get_mut(index(row)));
            if let Some(place) = place.filter(|_| !path.repeated) {
                let old = std::mem::replace(place, new);
                self.replace(at, row, old, new);
            }
        }
        self.set_list(row, list);
    }

    /// Replaces the fact of a resource at a path where it has one at most.
    fn replace(&mut self, path: usize, row: RowNumber, old: FactNumber, new: FactNumber) {
        let (Some(facts), Some(present)) = (self.facts.get_mut(path), self.present.get_mut(path)) else { return };
        if old == new {
            return;
        }
        if new == ABSENT {
            present.remove(row);
        } else {
            facts.add(new, row);
            present.insert(row);
        }
        if old != ABSENT {
            facts.remove(old, row);
        }
    }

    /// Replaces the facts of a resource at the paths where it can have several.
    fn set_list(&mut self, row: RowNumber, mut list: Vec<Listed>) {
        list.sort_unstable();
        let list = list.into_boxed_slice();
        let Some(place) = self.lists.get_mut(index(row)) else { return };
        self.list_bytes += size_of_val(&*list);
        let old = std::mem::replace(place, list.clone());
        self.list_bytes -= size_of_val(&*old);
        for (path, fact) in list.iter().filter(|listed| old.binary_search(listed).is_err()) {
            if let Some(facts) = self.facts.get_mut(usize::from(*path)) {
                facts.add(*fact, row);
            }
        }
        // One that the list had twice goes once: its number is to be given again once.
        let gone = old.chunk_by(|one, other| one == other).filter_map(|same| same.first());
        for (path, fact) in gone.filter(|listed| list.binary_search(listed).is_err()) {
            if let Some(facts) = self.facts.get_mut(usize::from(*path)) {
                facts.remove(*fact, row);
            }
        }
        for (path, _) in &old {
            self.present.get_mut(usize::from(*path)).map(|present| present.remove(row));
        }
        for (path, _) in &list {
            self.present.get_mut(usize::from(*path)).map(|present| present.insert(row));
        }
    }

    /// The number of a resource.
    pub(crate) fn number(&self, name: &str) -> Option<RowNumber> {
        let found = self.by_name.find(self.hasher.hash_one(name), |row| &**name_of(&self.rows, *row) == name);
        found.copied()
    }

    /// The name of a resource.
    pub(crate) fn name(&self, row: RowNumber) -> &Arc<str> {
        name_of(&self.rows, row)
    }

    /// How a resource stands to a name.
    pub(crate) fn compare_name(&self, row: RowNumber, name: &str) -> Ordering {
        compare_names(&self.rows, row, beginning(name), name)
    }

    /// How two resources stand to each other by their names.
    pub(crate) fn compare_names(&self, one: RowNumber, other: RowNumber) -> Ordering {
        let beginning = self.rows.get(index(other)).map_or(0, |row| row.beginning);
        compare_names(&self.rows, one, beginning, self.name(other))
    }

    /// All resources by name.
    pub(crate) fn names(&self) -> &Sorted {
        &self.names
    }

    /// The resources that are not deleted.
    pub(crate) fn live(&self) -> &RoaringBitmap {
        &self.live
    }

    /// How many resources there were at a revision, deleted ones too: their numbers are below.
    pub(crate) fn count_at(&self, revision: Revision) -> RowNumber {
        let count = self.rows.partition_point(|row| row.created <= revision);
        RowNumber::try_from(count).unwrap_or(RowNumber::MAX)
    }

    /// The resources that were there at a revision and have changed since. Most questions are about the newest revision,
    /// after which none has.
    pub(crate) fn changed_since(&self, revision: Revision) -> RoaringBitmap {
        if self.last_change <= revision {
            return RoaringBitmap::new();
        }
        let there = self.rows.iter().zip(0..).take_while(|(row, _)| row.created <= revision);
        there.filter(|(row, _)| row.revision > revision).map(|(_, number)| number).collect()
    }

    /// The facts of the resources at a path where each has one at most; empty for another path.
    pub(crate) fn column(&self, path: PathId) -> &[FactNumber] {
        self.columns.get(path.index()).map_or(&[], Vec::as_slice)
    }

    /// The facts of a resource at a path. One that a list has twice comes twice.
    pub(crate) fn facts_of(&self, row: RowNumber, path: PathId) -> impl Iterator<Item = FactNumber> {
        let single = self.column(path).get(index(row)).copied().filter(|fact| *fact != ABSENT);
        let list = self.lists.get(index(row)).map_or(&[][..], |list| list);
        let begin = list.partition_point(|(other, _)| *other < path.0);
        let own = list.get(begin..).unwrap_or_default().iter().take_while(move |(other, _)| *other == path.0);
        single.into_iter().chain(own.map(|(_, fact)| *fact))
    }

    /// The facts of a path.
    pub(crate) fn facts(&self, path: PathId) -> Option<&Dictionary> {
        self.facts.get(path.index())
    }

    /// The resources that have a value at a path.
    pub(crate) fn present(&self, path: PathId) -> Option<&RoaringBitmap> {
        self.present.get(path.index())
    }

    /// The revision in which a resource last changed.
    pub(crate) fn revision(&self, row: RowNumber) -> Revision {
        self.rows.get(index(row)).map_or(0, |row| row.revision)
    }

    /// Another one whenever something was taken in.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// How the resources stand from day to day. `None`: alike on all days.
    pub(crate) fn timelines(&self) -> Option<&Timelines> {
        self.timelines.as_ref()
    }

    /// How many resources there are, deleted ones too.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// About how many bytes of memory it takes, the names not among them: the rows hold them too.
    pub(super) fn heap_bytes(&self) -> usize {
        let bitmaps = self.present.iter().chain([&self.live]);
        self.facts.iter().map(Dictionary::heap_bytes).sum::<usize>()
            + bitmaps.map(RoaringBitmap::serialized_size).sum::<usize>()
            + self.rows.capacity() * size_of::<Row>()
            + self.by_name.allocation_size()
            + self.names.heap_bytes()
            + self.columns.iter().map(|column| column.capacity() * size_of::<FactNumber>()).sum::<usize>()
            + self.lists.capacity() * size_of::<Box<[Listed]>>()
            + self.list_bytes
            + self.timelines.as_ref().map_or(0, Timelines::heap_bytes)
            + 8 * self.lists.len()
    }
}

fn index(row: RowNumber) -> usize {
    row as usize
}

/// How the id of a name begins. All names of a kind begin with its collection.
fn beginning(name: &str) -> u64 {
    prefix(name.split_once('/').map_or(name, |(_, id)| id).as_bytes())
}

/// How a resource stands to a name, whose id begins so.
fn compare_names(rows: &[Row], row: RowNumber, beginning: u64, name: &str) -> Ordering {
    rows.get(index(row))
        .map_or(Ordering::Equal, |row| row.beginning.cmp(&beginning).then_with(|| (*row.name).cmp(name)))
}

fn name_of(rows: &[Row], row: RowNumber) -> &Arc<str> {
    static NONE: std::sync::LazyLock<Arc<str>> = std::sync::LazyLock::new(|| Arc::from(""));
    rows.get(index(row)).map_or(&NONE, |row| &row.name)
}
