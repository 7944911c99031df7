//! How much a question may read. What needs more is refused, whatever the machine: nobody learns by waiting that a question
//! was a mistake.

use crate::faults;

/// The most documents that are read to find what a filter selects: about half a second of work.
const READS_MAX: u64 = 100_000;
/// The most resources that are read and sorted for an order which no index knows. It is done for each page.
const SORTED_MAX: u64 = 20_000;
/// The most resources that are read as they were at an earlier revision, to be put into an order.
const CHANGED_MAX: u64 = 20_000;

/// [`READS_MAX`].
pub(crate) fn reads_max() -> u64 {
    or_planted(READS_MAX)
}

/// [`SORTED_MAX`].
pub(crate) fn sorted_max() -> u64 {
    or_planted(SORTED_MAX)
}

/// [`CHANGED_MAX`].
pub(crate) fn changed_max() -> u64 {
    or_planted(CHANGED_MAX)
}

/// The limit, or where tests want to meet it with few resources, theirs.
fn or_planted(max: u64) -> u64 {
    faults::planted("costs-max").and_then(|max| max.parse().ok()).unwrap_or(max)
}
