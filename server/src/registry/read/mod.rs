//! Reading: one resource as of any revision, its history, and the journal as it grows.

pub(crate) mod history;
pub(crate) mod read_mask;
pub(crate) mod reader;
pub(crate) mod reads;
pub(crate) mod tail;
