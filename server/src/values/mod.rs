//! Pure values that kinds share, and the rules of each: what no annotation can say of them.
//!
//! No schema, no registry, no clock: functions of values alone.

pub(crate) mod format;
pub(crate) mod localized_text;
pub(crate) mod money;
pub(crate) mod partial_date;
pub(crate) mod period;
pub(crate) mod reference;
pub(crate) mod text;
pub(crate) mod timestamp;
pub(crate) mod truth;

/// A rule that a value breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The field of the value; empty for the value as a whole.
    pub(crate) field: &'static str,
    /// The rule, as a phrase that follows the field's name.
    pub(crate) rule: &'static str,
}

impl Broken {
    /// The answer of a check that found one broken rule.
    pub(crate) fn some(field: &'static str, rule: &'static str) -> Option<Self> {
        Some(Self { field, rule })
    }
}
