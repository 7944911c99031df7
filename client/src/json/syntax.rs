//! [`Syntax`]: JSON or YAML, and reading values from either.

use serde::de::Deserialize;

#[cfg(feature = "yaml")]
use super::yaml;
use crate::error::Error;

/// The syntax of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Syntax {
    /// Consecutive JSON values, or one array of them.
    Json,
    /// YAML documents, separated by `---`.
    #[cfg(feature = "yaml")]
    Yaml,
}

impl Syntax {
    /// Guesses the syntax: JSON begins with a brace or a bracket.
    #[cfg(feature = "yaml")]
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.trim_start().starts_with(['{', '[']) { Self::Json } else { Self::Yaml }
    }
}

/// Reads all values of a text.
pub(super) fn read<T: for<'de> Deserialize<'de>>(text: &str, syntax: Syntax) -> Result<Vec<T>, Error> {
    match syntax {
        Syntax::Json if text.trim_start().starts_with('[') => serde_json::from_str(text).map_err(malformed),
        Syntax::Json => {
            serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().map_err(malformed)
        }
        #[cfg(feature = "yaml")]
        Syntax::Yaml => yaml::read(text).map_err(malformed),
    }
}

/// The error of a malformed text. The message of serde names the field and the position.
pub(super) fn malformed(error: impl std::fmt::Display) -> Error {
    Error::invalid(error.to_string())
}
