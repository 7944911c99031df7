//! Whether the trees of a commit hold: no resource is its own ancestor, and none has more ancestors than its kind allows.
//!
//! Asked of the state that the whole commit leaves, so its mutations may build a tree in any order, and build no circle
//! together. Only what gets a parent, or another one, is looked at: upwards, and downwards if it takes descendants along
//! to where they have more ancestors than before.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::sync::Arc;

use super::ledger::Ledger;
use super::place::Place;
use super::planned::Planned;
use crate::registry::error::{Chain, Error};
use crate::registry::resource::name::Name;
use crate::registry::schema::Schemas;

/// The most descendants that a commit may move to where they have more ancestors: the committer looks at each of them, and
/// nobody else's write goes on meanwhile. So many take it some 75 ms, measured on two busy cores.
pub(super) const DESCENDANTS_MAX: usize = 100_000;

/// The trees as a commit leaves them.
pub(crate) struct Trees<'a> {
    schemas: &'a Schemas,
    ledger: &'a Ledger,
    /// The parents afterwards of those that the commit changes.
    parents: HashMap<&'a str, Option<&'a Name>>,
    /// [`Ledger::late_children`], once they are needed.
    late: OnceCell<HashMap<Arc<str>, Vec<Arc<str>>>>,
    /// How many descendants have been looked at.
    seen: Cell<usize>,
}

impl<'a> Trees<'a> {
    /// Those that the commit leaves.
    pub(crate) fn of(schemas: &'a Schemas, ledger: &'a Ledger, planned: &'a [Planned]) -> Self {
        let in_trees = |plan: &&Planned| plan.action.is_some() && schemas.kind(plan.name.kind()).parent.is_some();
        let parents = planned.iter().filter(in_trees).map(|plan| (plan.name.as_str(), plan.parent(schemas))).collect();
        Self { schemas, ledger, parents, late: OnceCell::new(), seen: Cell::new(0) }
    }

    /// Whether `plan`, if it gives its resource a parent, leaves a tree that holds.
    pub(crate) fn check(&self, plan: &Planned, place: &Place) -> Result<(), Error> {
        let Some(field) = &self.schemas.kind(plan.name.kind()).parent else { return Ok(()) };
        let Some(parent) = plan.parent(self.schemas) else { return Ok(()) };
        if self.ledger.parent(plan.name.as_str()).as_deref() == Some(parent.as_str()) {
            return Ok(());
        }
        let (max, path) = (field.ancestors_max, || place.resource(&field.name));
        let mut chain = vec![plan.name.shared()];
        let mut next = Some(parent.shared());
        while let Some(ancestor) = next {
            let known = chain.contains(&ancestor);
            chain.push(ancestor.clone());
            if known {
                return Err(Error::ParentCycle { field: path(), chain: Chain::of(&chain) });
            }
            if chain.len() > max + 1 {
                let name = plan.name.to_string();
                return Err(Error::TooManyAncestors { field: path(), name, max, chain: Chain::of(&chain) });
            }
            next = self.parent(&ancestor);
        }
        let levels_max = max + 1 - chain.len();
        match self.too_deep(&plan.name.shared(), chain.len() - 1, levels_max) {
            Below::Fits => Ok(()),
            Below::TooDeep(descendant) => {
                let mut whole = vec![descendant.clone()];
                let mut next = self.parent(&descendant);
                while let Some(ancestor) = next.filter(|_| whole.len() <= max) {
                    next = self.parent(&ancestor);
                    whole.push(ancestor);
                }
                let name = descendant.to_string();
                Err(Error::TooManyAncestors { field: path(), name, max, chain: Chain::of(&whole) })
            }
            Below::TooMany => {
                Err(Error::SubtreeTooLarge { field: path(), name: plan.name.to_string(), max: DESCENDANTS_MAX })
            }
        }
    }

    /// The parent afterwards.
    fn parent(&self, name: &str) -> Option<Arc<str>> {
        match self.parents.get(name) {
            Some(parent) => parent.map(Name::shared),
            None => self.ledger.parent(name),
        }
    }

    /// Whether what stays below `name`, which is to have so many ancestors, fits into so many levels. What the commit moves
    /// is looked at by itself, from where it comes to stand.
    fn too_deep(&self, name: &Arc<str>, ancestors: usize, levels_max: usize) -> Below {
        // What was not live before the commit has nothing below it, since references are to live resources alone; so a
        // creation is never followed down. What has no more ancestors than before was looked at when it got them.
        let was_live = self.ledger.known(name).is_some_and(|known| !known.deleted);
        if !was_live || ancestors <= self.ancestors_before(name, ancestors) {
            return Below::Fits;
        }
        let mut level = self.staying(name);
        for _ in 0..levels_max {
            if level.is_empty() {
                return Below::Fits;
            }
            let mut next = Vec::new();
            for child in &level {
                self.seen.set(self.seen.get() + 1);
                if self.seen.get() > DESCENDANTS_MAX {
                    return Below::TooMany;
                }
                next.extend(self.staying(child));
            }
            level = next;
        }
        level.into_iter().next().map_or(Below::Fits, Below::TooDeep)
    }

    /// The children of `name` before the commit that are so after it.
    fn staying(&self, name: &Arc<str>) -> Vec<Arc<str>> {
        let late = self.late.get_or_init(|| self.ledger.late_children());
        let mut children = self.ledger.settled_children(name);
        children.extend(late.get(name).into_iter().flatten().cloned());
        children.retain(|child| match self.parents.get(&**child) {
            Some(parent) => parent.is_some_and(|parent| parent.as_str() == &**name),
            None => true,
        });
        children
    }

    /// How many ancestors `name` has before the commit, as far as they are at most `enough`.
    fn ancestors_before(&self, name: &str, enough: usize) -> usize {
        let mut count = 0;
        let mut next = self.ledger.parent(name);
        while let Some(ancestor) = next.filter(|_| count < enough) {
            count += 1;
            next = self.ledger.parent(&ancestor);
        }
        count
    }
}

/// How what is below a resource fits.
enum Below {
    Fits,
    /// This one would have too many ancestors.
    TooDeep(Arc<str>),
    /// There is too much of it to look at.
    TooMany,
}

#[cfg(test)]
mod tests;
