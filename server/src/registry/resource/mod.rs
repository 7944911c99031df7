//! A resource as bytes: its name, the wire format, its body and document, and masks over it.

pub(crate) mod document;
pub(crate) mod etag;
pub(crate) mod format;
pub(crate) mod mask;
pub(crate) mod name;
pub(crate) mod targets;
pub(crate) mod wire;
