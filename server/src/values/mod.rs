//! Pure values that kinds share.

pub(crate) mod localized_text;
pub(crate) mod partial_date;
