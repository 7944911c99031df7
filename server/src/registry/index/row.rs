//! A row: what every reader needs to know of a resource before it reads it.

use crate::store::{Place, Revision};

/// A resource in the tables: its number, dense and never given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RowId(pub(super) u32);

/// What is known of a resource without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// The revision in which it last changed.
    pub(crate) revision: Revision,
    /// Whether it is deleted.
    pub(crate) deleted: bool,
    /// Where its document lies in the journal.
    pub(crate) place: Place,
}
