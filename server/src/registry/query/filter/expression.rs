//! What a filter asks of the resources of one kind: tests, joined by all and any.
//!
//! NOT stands at the tests alone: in Kleene's logic it can be moved down to them.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use super::pattern::Pattern;
use crate::registry::resource::value::LeafValue;
use crate::registry::schema::KindId;
use crate::time::{Day, Time};
use crate::values::truth::Truth;

/// Tests, and how they are joined.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Test(Test),
}

/// One test, which has to hold or, if it is negated, not to hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    pub(crate) subject: Subject,
    pub(crate) negated: bool,
    /// As it stands in the filter, without a NOT before it.
    pub(crate) text: String,
}

/// Who or what is tested.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Subject {
    /// Some value to which the path leads.
    Field { path: Vec<Step>, check: Check },
    /// Whether one of the paths leads to this name.
    Party { paths: Vec<Vec<Step>>, name: String },
    /// Whether one of the paths leads to the resource `root`, which is of this kind, or to one below it.
    Under { paths: Vec<Vec<Step>>, kind: KindId, root: String },
    /// Whether it is in force on a day or, `perhaps`, may be.
    InForce { day: Day, perhaps: bool },
    /// Whether a country or an organization takes part on a day.
    PartyOn { name: String, day: Day },
}

/// One field on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) number: u32,
    /// Whether it is a list, or a map of which all entries are meant.
    pub(crate) repeated: bool,
    /// Of a map, the entry of this key, in Unicode's normal form C.
    pub(crate) key: Option<String>,
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Check {
    /// That there is one at all: an item, an entry, or what can be told from a field that is not set.
    Set,
    /// That it is not what protobuf takes for a field that is not set.
    Present,
    Compare {
        operator: Operator,
        literal: Literal,
    },
    /// That it is a text of this form or, if negated, of another.
    Like {
        pattern: Pattern,
        negated: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// With what a value is compared: of the type of its field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    /// In Unicode's normal form C.
    Text(String),
    Bool(bool),
    Enum(i32),
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    /// From the first to the last day, as [`crate::time::Day`] numbers them.
    Days(RangeInclusive<i32>),
    /// From `start` on and before `end`.
    Times {
        start: Time,
        end: Time,
    },
    /// An amount in billionths of the currency's unit.
    Money {
        currency: String,
        nanos: i128,
    },
}

impl Check {
    /// What is known of its holding for a value that is there.
    pub(crate) fn truth(&self, value: &LeafValue<'_>) -> Truth {
        match (self, value) {
            (Self::Set, _) => Truth::True,
            (Self::Present, value) => (!value.is_default()).into(),
            (Self::Like { pattern, negated }, LeafValue::Text(text)) => (pattern.matches(text) != *negated).into(),
            (Self::Like { .. }, _) => Truth::False,
            (Self::Compare { operator, literal }, value) => literal.truth(*operator, value),
        }
    }
}

impl Literal {
    fn truth(&self, operator: Operator, value: &LeafValue<'_>) -> Truth {
        let ordered = |ordering: Ordering| operator.holds(ordering).into();
        match (self, value) {
            (Self::Text(literal), LeafValue::Text(value)) => ordered((**value).cmp(literal.as_str())),
            (Self::Bool(literal), LeafValue::Bool(value)) => ordered(value.cmp(literal)),
            (Self::Enum(literal), LeafValue::Enum(value)) => ordered(value.cmp(literal)),
            (Self::Signed(literal), LeafValue::Signed(value)) => ordered(value.cmp(literal)),
            (Self::Unsigned(literal), LeafValue::Unsigned(value)) => ordered(value.cmp(literal)),
            (Self::Double(literal), LeafValue::Double(value)) => {
                value.partial_cmp(literal).map_or((operator == Operator::NotEqual).into(), ordered)
            }
            (Self::Days(days), LeafValue::Date { first, last }) => {
                operator.among(*days.start(), *days.end(), *first, *last)
            }
            // A moment is a time of one moment.
            (Self::Times { start, end }, LeafValue::Time(time)) => {
                let ordering = match *time {
                    time if time < *start => Ordering::Less,
                    time if time < *end => Ordering::Equal,
                    _ => Ordering::Greater,
                };
                ordered(ordering)
            }
            // An amount of another currency is neither more nor less, and certainly not the same.
            (Self::Money { currency, nanos }, LeafValue::Money { currency: of, nanos: value }) => {
                match *of == *currency {
                    true => ordered(value.cmp(nanos)),
                    false => (operator == Operator::NotEqual).into(),
                }
            }
            // `check` made the literal for the field.
            (
                Self::Text(_)
                | Self::Bool(_)
                | Self::Enum(_)
                | Self::Signed(_)
                | Self::Unsigned(_)
                | Self::Double(_)
                | Self::Days(_)
                | Self::Times { .. }
                | Self::Money { .. },
                _,
            ) => Truth::False,
        }
    }
}

impl Operator {
    /// Whether it holds for a value that is so ordered to the literal.
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// What is known of its holding for a day that is one of `first..=last`, and a literal of `start..=end`.
    fn among(self, start: i32, end: i32, first: i32, last: i32) -> Truth {
        let known = |certainly: bool, never: bool| match (certainly, never) {
            (true, _) => Truth::True,
            (false, true) => Truth::False,
            (false, false) => Truth::Unknown,
        };
        match self {
            Self::Equal => known(start <= first && last <= end, last < start || end < first),
            Self::NotEqual => Self::Equal.among(start, end, first, last).not(),
            Self::Less => known(last < start, first >= start),
            Self::LessOrEqual => known(last <= end, first > end),
            Self::Greater => known(first > end, last <= end),
            Self::GreaterOrEqual => known(first >= start, last < start),
        }
    }
}
