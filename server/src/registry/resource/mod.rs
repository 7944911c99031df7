//! A resource as bytes, by the rules of `schema`.
//!
//! A *body* is what a caller says; a *document* is a body with its name and its stamp; an *envelope* is a document that
//! tells its kind. Everything here is a function of bytes: nothing is stored, and nothing is asked of other resources.

pub(crate) mod body;
pub(crate) mod check;
mod clean;
pub(crate) mod difference;
pub(crate) mod envelope;
pub(crate) mod etag;
pub(crate) mod finding;
pub(crate) mod mask;
mod mask_path;
pub(crate) mod name;
pub(crate) mod output_only;
mod path;
pub(crate) mod rollback;
pub(crate) mod stamp;
pub(crate) mod standing;
pub(crate) mod standing_part;
pub(crate) mod targets;
pub(crate) mod update_mask;
pub(crate) mod value;
pub(crate) mod wire;

/// The most bytes of a body: a quarter of what a message may have, so that a commit can hold several.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// The most bytes of the resources in one answer: with what is around them, below the 4 MiB that clients take.
pub(crate) const ANSWER_BYTES_MAX: usize = (4 << 20) - (64 << 10);
