//! Why a filter is not understood, and where.

/// What is wrong with a filter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Error {
    /// The byte of the filter from which it is not understood.
    at: usize,
    /// A phrase that follows the name of the field.
    rule: String,
}

impl Error {
    pub(crate) fn new(at: usize, rule: impl Into<String>) -> Self {
        Self { at, rule: rule.into() }
    }

    /// The phrase with the column, since people count characters.
    pub(crate) fn describe(&self, filter: &str) -> String {
        let column = filter.char_indices().take_while(|(byte, _)| *byte < self.at).count() + 1;
        format!("{} (at column {column})", self.rule)
    }
}
