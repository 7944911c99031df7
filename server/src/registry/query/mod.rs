//! Questions over many resources: filters, listings, selections, page tokens.

pub(crate) mod filter;
pub(crate) mod list;
pub(crate) mod listing;
pub(crate) mod order_by;
pub(crate) mod page;
pub(crate) mod page_token;
pub(crate) mod selection;
