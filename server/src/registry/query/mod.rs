//! Questions over many resources: filters, listings, selections, page tokens.

pub(crate) mod filter;
pub(crate) mod list;
pub(crate) mod page_token;
pub(crate) mod selection;
