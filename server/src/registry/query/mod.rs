//! Questions over many resources: filters, listings, counts, selections, exports, watches, history in pages.

mod ancestry;
pub(crate) mod columns;
pub(crate) mod computed;
pub(crate) mod count;
pub(crate) mod counting;
pub(crate) mod dates;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod field_path;
pub(crate) mod filter;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub(crate) mod group;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod listing;
pub(crate) mod order;
pub(crate) mod order_by;
pub(crate) mod page;
pub(crate) mod page_token;
pub(crate) mod plan;
pub(crate) mod selection;
pub(crate) mod tally;
pub(crate) mod timeline;
pub(crate) mod watch;
