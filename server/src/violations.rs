//! What is wrong with an input: every broken rule, each with the field that breaks it.
//!
//! Not an error by itself: whoever collected violations decides what they mean. All are collected before any is
//! answered, so that a caller mends an input once.

/// The most violations that one answer lists; an input with more is told how many were left out.
pub const VIOLATIONS_MAX: usize = 100;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, such as `agreement.parties[3].country`.
    pub field: String,
    /// The rule, as a phrase that follows the field's name: lower case, without a full stop.
    pub description: String,
}

/// All broken rules of one input, in the order they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations {
    found: Vec<Violation>,
    left_out: usize,
}

impl Violations {
    /// No violations yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `field` breaks the rule that `description` states.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        if self.found.len() < VIOLATIONS_MAX {
            self.found.push(Violation { field: field.into(), description: description.into() });
        } else {
            self.left_out += 1;
        }
    }

    /// Takes over all of `other`, with `prefix` before each field.
    pub fn add_all(&mut self, prefix: &str, other: Violations) {
        for violation in other.found {
            self.add(format!("{prefix}{}", violation.field), violation.description);
        }
        self.left_out += other.left_out;
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many were found.
    #[must_use]
    pub fn count(&self) -> usize {
        self.found.len() + self.left_out
    }

    /// How many were found beyond [`VIOLATIONS_MAX`].
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The violations found.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.found.iter()
    }
}

impl std::fmt::Display for Violations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, violation) in self.found.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", violation.field, violation.description)?;
        }
        if self.left_out > 0 {
            write!(f, "; and {} more", self.left_out)?;
        }
        Ok(())
    }
}
