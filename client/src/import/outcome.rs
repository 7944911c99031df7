//! The outcome of an import: its numbers, its observer, and the error that ends it early.

use super::row::{AcceptedRow, Origin, RefusedRow};
use crate::error::Error;

/// The progress of an import. At the end, `accepted() + refused + unknown` is `read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Rows read.
    pub read: u64,
    /// Resources created.
    pub created: u64,
    /// Resources changed.
    pub updated: u64,
    /// Resources deleted, since their rows say that they are; also those that were created for that.
    pub deleted: u64,
    /// Resources that were already equal.
    pub unchanged: u64,
    /// Resources that were left alone, since they exist ([`Existing::Keep`](super::Existing::Keep)).
    pub kept: u64,
    /// Rows refused.
    pub refused: u64,
    /// Of a dry run: rows of which nothing can be told before the rows that they refer to are written.
    pub unknown: u64,
    /// Rows that wait for a resource that they refer to.
    pub waiting: u64,
    /// Findings in accepted rows: what is strange about them, or was asked for and not done.
    pub findings: u64,
    /// Accepted rows with values that were ignored, since their fields cannot be changed; findings tell which.
    pub ignored: u64,
    /// Commits that made a revision.
    pub commits: u64,
}

impl Summary {
    /// Rows that were accepted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.created + self.updated + self.deleted + self.unchanged + self.kept
    }
}

/// Observes an import. All methods are optional; `()` ignores everything.
pub trait Observer {
    /// A row was refused.
    fn refused(&mut self, _row: &RefusedRow) {}
    /// A row was accepted.
    fn accepted(&mut self, _row: &AcceptedRow<'_>) {}
    /// Of a dry run: nothing can be told of a row, for these reasons, before the rows that it refers to are written.
    fn unknown(&mut self, _origin: &Origin, _name: &str, _reasons: &[String]) {}
    /// A batch is done.
    fn progress(&mut self, _summary: &Summary) {}
    /// Whether to stop. It is asked before each row and each batch; a batch that was sent is completed.
    fn stops(&mut self) -> bool {
        false
    }
}

impl Observer for () {}

/// An import that ended early, because the rows cannot be read, the registry cannot be reached, its observer stopped it, or
/// a batch was refused that is written as a whole or not at all.
#[derive(Debug, thiserror::Error)]
#[error("the import was interrupted: {cause}")]
pub struct Interrupted {
    /// The error.
    pub cause: Error,
    /// What had been done.
    pub summary: Summary,
    /// The first row that is not done: an import that starts there omits nothing.
    pub resume_from: Option<Origin>,
    /// The names of the resources of the commit that was refused: what the cause says of `mutations[1]` is about the second.
    pub names: Vec<String>,
}
