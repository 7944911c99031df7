//! [`Syntax`]: the two forms of text, and reading the values in one.

use serde::de::Deserialize;

use crate::error::Error;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// JSON values, one after the other, or one array of them.
    Json,
    /// YAML documents, parted by `---`.
    Yaml,
}

impl Syntax {
    /// What a text looks like: JSON begins with a brace or a bracket.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.trim_start().starts_with(['{', '[']) { Self::Json } else { Self::Yaml }
    }
}

/// Reads values one after the other, or out of an array.
pub(super) fn read<T: for<'de> Deserialize<'de>>(text: &str, syntax: Syntax) -> Result<Vec<T>, Error> {
    match syntax {
        Syntax::Json if text.trim_start().starts_with('[') => serde_json::from_str(text).map_err(malformed),
        Syntax::Json => {
            serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().map_err(malformed)
        }
        Syntax::Yaml => {
            let mut options = serde_saphyr::Options::default();
            options.strict_booleans = true;
            options.with_snippet = false;
            serde_saphyr::from_multiple_with_options(text, options).map_err(malformed)
        }
    }
}

/// A text that is not what it should be; what serde says of it names the field and the place.
pub(super) fn malformed(error: impl std::fmt::Display) -> Error {
    Error::invalid(error.to_string())
}
