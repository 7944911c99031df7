//! [`Syntax`]: JSON or YAML.

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
