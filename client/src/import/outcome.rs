//! The outcome of an import: its numbers, its observer, and the error that ends it early.

use super::row::{FoundRow, Item, Origin, RefusedRow};
use crate::error::Error;

/// The progress of an import. At the end, `accepted() + refused` is `read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Rows read.
    pub read: u64,
    /// Resources created.
    pub created: u64,
    /// Resources changed.
    pub updated: u64,
    /// Resources that were already equal.
    pub unchanged: u64,
    /// Rows refused.
    pub refused: u64,
    /// Rows that wait for a resource that they refer to.
    pub waiting: u64,
    /// Findings in accepted rows: what is strange about them, or was asked for and not done.
    pub findings: u64,
    /// Commits that made a revision.
    pub commits: u64,
}

impl Summary {
    /// Rows that were accepted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.created + self.updated + self.unchanged
    }
}

/// Observes an import. All methods are optional; `()` ignores everything.
pub trait Observer {
    /// A row was refused.
    fn refused(&mut self, _row: &RefusedRow) {}
    /// A row was accepted, and something about it is strange, or was asked for and not done.
    fn found(&mut self, _row: &FoundRow<'_>) {}
    /// A batch is done.
    fn progress(&mut self, _summary: &Summary) {}
}

impl Observer for () {}

/// An import that ended early, because the rows cannot be read or the registry cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("the import was interrupted: {cause}")]
pub struct Interrupted {
    /// The error.
    pub cause: Error,
    /// What had been done.
    pub summary: Summary,
    /// The first row that is not done: an import that starts there omits nothing.
    pub resume_from: Option<Origin>,
}

impl Interrupted {
    /// Adds rows that are not done.
    pub(super) fn also_undone(mut self, items: &[Item]) -> Self {
        let first = items.iter().map(|item| &item.origin).chain(&self.resume_from).min_by_key(|origin| origin.line);
        self.resume_from = first.cloned();
        self
    }
}
