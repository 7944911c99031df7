//! The way of a write: request, plan, commit, journal.

pub(crate) mod committer;
pub(crate) mod ledger;
pub(crate) mod plan;
pub(crate) mod request;
pub(crate) mod writer;
