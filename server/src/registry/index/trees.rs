//! The trees of the index: the parent of each live resource that has one, and back.
//!
//! Only the kinds with a field that leads to a parent have any. Nothing is checked here: the committer did.

use std::collections::{BTreeSet, HashMap};

use super::row::RowId;

/// Who is whose parent.
#[derive(Default)]
pub(super) struct Trees {
    parents: HashMap<RowId, RowId>,
    children: HashMap<RowId, BTreeSet<RowId>>,
}

impl Trees {
    /// Gives a resource another parent, or none.
    pub(super) fn set(&mut self, child: RowId, parent: Option<RowId>) {
        let old = self.parents.get(&child).copied();
        if old == parent {
            return;
        }
        if let Some(old) = old
            && let Some(siblings) = self.children.get_mut(&old)
        {
            siblings.remove(&child);
            if siblings.is_empty() {
                self.children.remove(&old);
            }
        }
        match parent {
            Some(parent) => {
                self.parents.insert(child, parent);
                self.children.entry(parent).or_default().insert(child);
            }
            None => {
                self.parents.remove(&child);
            }
        }
    }

    /// The parent of a resource.
    pub(super) fn parent(&self, child: RowId) -> Option<RowId> {
        self.parents.get(&child).copied()
    }

    /// The children of a resource.
    pub(super) fn children(&self, parent: RowId) -> impl Iterator<Item = RowId> {
        self.children.get(&parent).into_iter().flatten().copied()
    }
}
