//! What is below a resource in its tree, as of a revision: what `under(…)` asks for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::registry::error::{Costs, Error};
use crate::registry::index::secondary::{KindIndex, PathId};
use crate::registry::query::filter::Ancestry;
use crate::registry::query::filter::expression::{Expression, Subject};
use crate::registry::query::plan::costs::changed_max;
use crate::registry::read::reader::Reader;
use crate::registry::resource::name::Name;
use crate::registry::resource::{stamp, wire};
use crate::registry::schema::KindId;
use crate::store::Revision;

/// For each resource that a filter names in `under`, the names of itself and of all below it.
#[derive(Debug, Default)]
pub(crate) struct Trees(HashMap<String, HashSet<Arc<str>>>);

impl Trees {
    /// The trees that a filter asks about, as of `at`.
    pub(crate) fn of(reader: &Reader, filter: Option<&Expression>, at: Revision) -> Result<Self, Error> {
        let mut roots = Vec::new();
        if let Some(expression) = filter {
            roots_in(expression, &mut roots);
        }
        let mut trees = HashMap::new();
        for (kind, root) in roots {
            if !trees.contains_key(root) {
                trees.insert(root.to_owned(), below(reader, kind, root, at)?);
            }
        }
        Ok(Self(trees))
    }

    /// The names of a resource and of all below it.
    pub(super) fn below(&self, root: &str) -> impl Iterator<Item = &str> {
        self.0.get(root).into_iter().flatten().map(|name| &**name)
    }
}

impl Ancestry for Trees {
    fn is_under(&self, name: &str, root: &str) -> bool {
        self.0.get(root).is_some_and(|below| below.contains(name))
    }
}

fn roots_in<'e>(expression: &'e Expression, roots: &mut Vec<(KindId, &'e str)>) {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => parts.iter().for_each(|part| roots_in(part, roots)),
        Expression::Test(test) => {
            if let Subject::Under { kind, root, .. } = &test.subject {
                roots.push((*kind, root));
            }
        }
    }
}

fn below(reader: &Reader, kind: KindId, root: &str, at: Revision) -> Result<HashSet<Arc<str>>, Error> {
    let mut found = HashSet::from([Arc::from(root)]);
    let Some(parent) = &reader.schemas.kind(kind).parent else { return Ok(found) };
    // What has changed since has to be read as it was.
    let mut parents: HashMap<Arc<str>, Option<Arc<str>>> = HashMap::new();
    loop {
        let unread: Vec<Arc<str>> = {
            let Some(index) = reader.index.secondary().kind(kind) else { return Ok(found) };
            let changed = index.changed_since(at);
            if changed.len() > changed_max() {
                let costs = Costs::Changes { revision: at, reads: changed.len(), max: changed_max() };
                return Err(Error::TooCostly(costs));
            }
            let unread: Vec<_> = changed
                .iter()
                .map(|row| index.name(row))
                .filter(|name| !parents.contains_key(*name))
                .cloned()
                .collect();
            if unread.is_empty() {
                if let Some(path) = index.paths.find(std::iter::once(parent.number)) {
                    grow(&mut found, &index, path, at, &parents);
                }
                return Ok(found);
            }
            unread
        };
        for name in unread {
            let document = reader.get(&Name::stored(kind, name.clone()), at)?.map(|(_, document)| document);
            let document = document.filter(|document| !stamp::is_deleted(document));
            let parent = document.and_then(|document| wire::field(&document, parent.number).map(|it| it.text().into()));
            parents.insert(name, parent);
        }
    }
}

/// Adds all children to what is found, and theirs, until there are none. `parents` has those of what is not as it was.
fn grow(
    found: &mut HashSet<Arc<str>>,
    index: &KindIndex,
    path: PathId,
    at: Revision,
    parents: &HashMap<Arc<str>, Option<Arc<str>>>,
) {
    let (Some(facts), count) = (index.facts(path), index.count_at(at)) else { return };
    let mut moved: HashMap<&str, Vec<&Arc<str>>> = HashMap::new();
    for (name, parent) in parents {
        if let Some(parent) = parent {
            moved.entry(parent).or_default().push(name);
        }
    }
    let mut waiting: VecDeque<Arc<str>> = found.iter().cloned().collect();
    while let Some(name) = waiting.pop_front() {
        let rows = facts.find(name.as_bytes()).and_then(|fact| facts.rows(fact));
        let rows = rows.map(|rows| rows.within(index.live())).unwrap_or_default();
        let as_they_were = rows.iter().filter(|row| *row < count).map(|row| index.name(row));
        let children = as_they_were
            .filter(|name| !parents.contains_key(*name))
            .chain(moved.get(&*name).into_iter().flatten().copied());
        for child in children {
            if found.insert(child.clone()) {
                waiting.push_back(child.clone());
            }
        }
    }
}
