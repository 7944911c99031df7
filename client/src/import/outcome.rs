//! What comes of an import: its numbers, who observes it, and how it can be broken off.

use super::row::{Item, Origin, Refusal};
use crate::error::Error;

/// How an import stands. `accepted() + refused` is `read` when it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Rows read.
    pub read: u64,
    /// Resources created.
    pub created: u64,
    /// Resources changed.
    pub updated: u64,
    /// Resources that were so already.
    pub unchanged: u64,
    /// Rows refused.
    pub refused: u64,
    /// Rows that wait for what they refer to.
    pub waiting: u64,
    /// Commits that made a revision.
    pub commits: u64,
}

impl Summary {
    /// Rows that the registry holds now.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.created + self.updated + self.unchanged
    }
}

/// Is told what an import does. Everything may be left out; `()` is told nothing.
pub trait Observer {
    /// A row was refused.
    fn refused(&mut self, _refusal: &Refusal) {}
    /// Some rows more are done.
    fn progress(&mut self, _summary: &Summary) {}
}

impl Observer for () {}

/// An import that was broken off: by the rows, which could not be read, or because the registry could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("the import was broken off: {cause}")]
pub struct Interrupted {
    /// Why.
    pub cause: Error,
    /// What was done up to then.
    pub summary: Summary,
    /// The first row that is not done: an import that begins there leaves nothing out.
    pub resume_from: Option<Origin>,
}

impl Interrupted {
    /// With rows that are not done either.
    pub(super) fn also_undone(mut self, items: &[Item]) -> Self {
        let first = items.iter().map(|item| &item.origin).chain(&self.resume_from).min_by_key(|origin| origin.line);
        self.resume_from = first.cloned();
        self
    }
}
