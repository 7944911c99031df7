//! What the test remembers of a registry: every version of every resource, as the server answered it when it was made.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::row::{Row, nfc};
use super::shape::Shape;

/// All versions of all resources of the kinds of this test.
#[derive(Default)]
pub(crate) struct Memory {
    /// By name, and then by revision.
    versions: BTreeMap<String, Vec<(u64, Arc<Row>)>>,
    pub(crate) head: u64,
    /// Each settled day, with the first revision that has it.
    settled: Vec<(u64, i64)>,
}

/// The resources at one revision.
#[derive(Clone)]
pub(crate) struct View {
    /// Those of the kind that is asked of, deleted ones too, by name; as they stand on the day that is asked about.
    pub(crate) rows: Vec<Arc<Row>>,
    /// As they stand on the days that a filter names, by name.
    pub(crate) days: HashMap<i64, HashMap<String, Arc<Row>>>,
    /// Of every resource of any kind: the one above it.
    parents: HashMap<String, String>,
}

pub(crate) fn collection(name: &str) -> &str {
    name.split('/').next().unwrap()
}

impl Memory {
    pub(crate) fn add(&mut self, revision: u64, row: Row) {
        self.versions.entry(row.name.clone()).or_default().push((revision, Arc::new(row)));
    }

    pub(crate) fn names(&self, collection: &str, deleted: bool) -> Vec<String> {
        let last = |versions: &Vec<(u64, Arc<Row>)>| versions.last().is_some_and(|(_, row)| row.deleted == deleted);
        let of_kind = |name: &str| self::collection(name) == collection;
        let all = self.versions.iter().filter(|(name, versions)| of_kind(name) && last(versions));
        all.map(|(name, _)| name.clone()).collect()
    }

    /// The resources of a kind, and the trees of all kinds, as they were at a revision.
    pub(crate) fn at(&self, revision: u64, shape: &Shape, shapes: &[Shape]) -> View {
        let (mut rows, mut parents) = (Vec::new(), HashMap::new());
        for (name, versions) in &self.versions {
            let Some((_, row)) = versions.iter().rfind(|(made, _)| *made <= revision) else { continue };
            let of = shapes.iter().find(|shape| shape.kind.collection == collection(name)).unwrap();
            if let Some(parent) = of.paths.iter().position(|path| path.text() == "parent") {
                parents.extend(
                    row.texts(parent)
                        .filter(|parent| !parent.is_empty())
                        .map(|parent| (name.clone(), parent.to_owned())),
                );
            }
            if of.kind.collection == shape.kind.collection {
                rows.push(row.clone());
            }
        }
        View { rows, days: HashMap::new(), parents }
    }

    /// Notes that a commit was made on a day.
    pub(crate) fn settle(&mut self, revision: u64, day: i64) {
        if self.settled.last().is_none_or(|(_, last)| *last < day) {
            self.settled.push((revision, day));
        }
    }

    /// The settled day of a revision.
    pub(crate) fn settled(&self, revision: u64) -> i64 {
        self.settled.iter().rfind(|(from, _)| *from <= revision).unwrap().1
    }
}

impl View {
    /// A resource as it stands on a day that the filter names.
    pub(crate) fn on(&self, day: i64, name: &str) -> &Row {
        &self.days[&day][name]
    }

    /// Whether a resource is this one, or somewhere below it.
    pub(crate) fn is_under(&self, name: &str, root: &str) -> bool {
        let mut at = name;
        // No chain of parents is longer than the contract lets it be.
        for _ in 0..64 {
            if at == root {
                return true;
            }
            let Some(parent) = self.parents.get(at) else { return false };
            at = parent;
        }
        panic!("{name} is below itself");
    }

    /// What stands so many steps above a resource, or as far as there is something.
    pub(crate) fn some_ancestor(&self, name: &str, steps: usize) -> String {
        let mut at = name;
        for _ in 0..steps {
            at = self.parents.get(at).map_or(at, String::as_str);
        }
        at.to_owned()
    }

    /// The keys of a map that any resource has.
    pub(crate) fn keys(&self, path: usize) -> Vec<String> {
        let mut keys: Vec<_> = self.rows.iter().flat_map(|row| row.keys(path)).map(|key| nfc(key)).collect();
        keys.sort();
        keys.dedup();
        keys
    }
}
