//! How much a question may read. What needs more is refused, whatever the machine: nobody learns by waiting that a question
//! was a mistake.

/// The most documents that are read to find what a filter selects: about half a second of work.
pub(crate) const READS_MAX: u64 = 100_000;
/// The most resources that are read and sorted for an order which no index knows. It is done for each page.
pub(crate) const SORTED_MAX: u64 = 20_000;
/// The most resources that are read as they were at an earlier revision, to be put into an order.
pub(crate) const CHANGED_MAX: u64 = 20_000;
