//! Questions over many resources: filters, listings, selections, exports, watches, history in pages.

mod ancestry;
pub(crate) mod export;
pub(crate) mod filter;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod listing;
pub(crate) mod order_by;
pub(crate) mod page;
pub(crate) mod page_token;
pub(crate) mod selection;
pub(crate) mod watch;
