//! Texts of filters: words and quotations, with the wildcards in them.

use crate::registry::resource::name::short;

/// A text, cut at its wildcards: `a*b` has the parts `a` and `b`. A star that is no wildcard is written `\*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// One more than there are wildcards.
    parts: Vec<String>,
}

impl Default for Text {
    fn default() -> Self {
        Self { parts: vec![String::new()] }
    }
}

impl Text {
    pub(crate) fn push(&mut self, letter: char) {
        if let Some(last) = self.parts.last_mut() {
            last.push(letter);
        }
    }

    pub(crate) fn push_star(&mut self) {
        self.parts.push(String::new());
    }

    /// Puts another text behind it.
    pub(crate) fn append(&mut self, other: &Self) {
        let mut parts = other.parts.iter();
        if let (Some(last), Some(first)) = (self.parts.last_mut(), parts.next()) {
            last.push_str(first);
        }
        self.parts.extend(parts.cloned());
    }

    /// Whether it is a wildcard and nothing else.
    pub(crate) fn is_star(&self) -> bool {
        matches!(self.parts.as_slice(), [before, behind] if before.is_empty() && behind.is_empty())
    }

    /// The text, if it has no wildcards.
    pub(crate) fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// What stands between the wildcards.
    pub(crate) fn parts(&self) -> &[String] {
        &self.parts
    }

    /// As people wrote it, but for the marks and what they need.
    pub(crate) fn written(&self) -> String {
        self.parts.join("*")
    }

    /// As it is shown in errors.
    pub(crate) fn shown(&self) -> String {
        short(&self.written())
    }

    /// The text without the minus that it begins with, if it does.
    pub(crate) fn without_minus(&self) -> Option<Self> {
        let (first, rest) = self.parts.split_first()?;
        let first = first.strip_prefix('-')?;
        Some(Self { parts: [&[first.to_owned()][..], rest].concat() })
    }

    /// In quotation marks, as it can be read again.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn quoted(&self) -> String {
        let escaped = |part: &String| part.replace('\\', "\\\\").replace('"', "\\\"").replace('*', "\\*");
        format!("\"{}\"", self.parts.iter().map(escaped).collect::<Vec<_>>().join("*"))
    }
}
