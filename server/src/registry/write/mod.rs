//! The way of a write: a request is prepared in its caller's task, planned and decided by the committer, made durable,
//! visible and answered by the writer.

pub(crate) mod change;
pub(crate) mod committer;
pub(crate) mod input;
pub(crate) mod ledger;
pub(crate) mod place;
pub(crate) mod plan;
pub(crate) mod planned;
pub(crate) mod references;
pub(crate) mod request;
#[cfg(test)]
mod tests;
pub(crate) mod trees;
pub(crate) mod trusted_time;
mod verbs;
pub(crate) mod writer;
pub(crate) mod writing;
