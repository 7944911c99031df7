//! What can be true, false, or left open by what is known.

use partnership_registry::v1;

use crate::faults;

/// What is known of a statement: Kleene's three values, of which a filter selects only what is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It does not hold, whatever is not known.
    False,
    /// It may be, and it may not: of a date not enough is known.
    Unknown,
    /// It holds, whatever is not known.
    True,
}

impl Truth {
    /// Whether both hold.
    pub(crate) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Whether one of both holds.
    pub(crate) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// Whether it does not hold. What is not known stays unknown.
    pub(crate) fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown if faults::planted("filter-not-two-valued").is_some() => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl From<Truth> for v1::Truth {
    fn from(truth: Truth) -> Self {
        match truth {
            Truth::False => Self::False,
            Truth::Unknown => Self::Unknown,
            Truth::True => Self::True,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False, True, Unknown};

    #[test]
    fn truths_are_joined_as_kleene_has_it() {
        let table = [
            (True, True, True, True),
            (True, Unknown, Unknown, True),
            (True, False, False, True),
            (Unknown, Unknown, Unknown, Unknown),
            (Unknown, False, False, Unknown),
            (False, False, False, False),
        ];
        for (a, b, and, or) in table {
            assert_eq!([a.and(b), b.and(a), a.or(b), b.or(a)], [and, and, or, or], "{a:?} {b:?}");
            assert_eq!(a.and(b).not(), a.not().or(b.not()), "{a:?} {b:?}");
        }
        assert_eq!([False, Unknown, True].map(Truth::not), [True, Unknown, False]);
        assert_eq!([Truth::from(true), Truth::from(false)], [True, False]);
    }
}
