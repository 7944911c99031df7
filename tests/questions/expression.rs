//! The expressions of this test: a tree of its own, which is written as the text of a filter, and which says by itself
//! of which resources it is true.

use std::cmp::Ordering;

use super::calendar::civil;
use super::memory::View;
use super::row::{Row, Value};
use super::shape::Shape;

/// What is known of whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    False,
    Unknown,
    True,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Truth {
        if holds { Truth::True } else { Truth::False }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// What a field is compared with: what it means, and as it is written.
#[derive(Debug, Clone)]
pub(crate) struct Literal {
    pub(crate) meaning: Meaning,
    pub(crate) written: String,
}

#[derive(Debug, Clone)]
pub(crate) enum Meaning {
    Text(String),
    /// A text with gaps between these pieces, in which anything can stand.
    Like(Vec<String>),
    Bool(bool),
    Enum(i32),
    Whole(i128),
    Double(f64),
    /// From the first day to the last.
    Days(i64, i64),
    /// From the first nanosecond to the last.
    Times(i128, i128),
    Money(String, i128),
}

/// Where a test looks, and how that is written.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: usize,
    pub(crate) key: Option<String>,
    pub(crate) written: String,
}

#[derive(Debug, Clone)]
pub(crate) enum Expression {
    All(Vec<Expression>, Joint),
    Any(Vec<Expression>),
    Not(Box<Expression>, Negation),
    Compare {
        place: Place,
        operator: Operator,
        written: &'static str,
        literal: Literal,
    },
    /// The same test with each of some values, of which all must hold, or any.
    CompareEach {
        place: Place,
        operator: Operator,
        written: &'static str,
        literals: Vec<Literal>,
        all: Option<Joint>,
    },
    /// Something is there.
    Has {
        place: Place,
        written: String,
    },
    Party(String),
    Under(String),
    /// It is in force on a day or, `perhaps`, may be.
    InForce {
        day: i64,
        perhaps: bool,
        quoted: bool,
    },
    /// Somebody takes part on a day.
    PartyOn {
        name: String,
        day: i64,
        quoted: bool,
    },
}

/// How the parts of a conjunction are joined.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Joint {
    And,
    Space,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Negation {
    Word,
    Minus,
}

impl Joint {
    fn text(self) -> &'static str {
        match self {
            Joint::And => " AND ",
            Joint::Space => " ",
        }
    }
}

impl Expression {
    /// As a filter writes it.
    pub(crate) fn text(&self) -> String {
        let all = |parts: &[Expression], joint, bare: fn(&Expression) -> bool| {
            let part = |part: &Expression| if bare(part) { part.text() } else { format!("({})", part.text()) };
            parts.iter().map(part).collect::<Vec<_>>().join(joint)
        };
        match self {
            // OR binds tighter than AND, and AND no tighter than a mere space: what is joined otherwise is enclosed.
            Self::All(parts, joint) => all(parts, joint.text(), |part| !matches!(part, Self::All(..))),
            Self::Any(parts) => all(parts, " OR ", |part| !matches!(part, Self::All(..) | Self::Any(_))),
            Self::Not(part, negation) => {
                let negation = match negation {
                    Negation::Word => "NOT ",
                    Negation::Minus => "-",
                };
                match **part {
                    Self::All(..) | Self::Any(_) | Self::Not(..) => format!("{negation}({})", part.text()),
                    _ => format!("{negation}{}", part.text()),
                }
            }
            Self::Compare { place, written, literal, .. } => {
                format!("{}{written}{}", place.written, literal.written)
            }
            Self::CompareEach { place, written, literals, all, .. } => {
                let joint = all.map_or(" OR ", Joint::text);
                let literals: Vec<_> = literals.iter().map(|literal| literal.written.as_str()).collect();
                format!("{}{written}({})", place.written, literals.join(joint))
            }
            Self::Has { written, .. } => written.clone(),
            Self::Party(name) => format!("party(\"{name}\")"),
            Self::Under(root) => format!("under(\"{root}\")"),
            Self::InForce { day, perhaps, quoted } => {
                let function = if *perhaps { "mayBeInForce" } else { "inForce" };
                format!("{function}({})", written_day(*day, *quoted))
            }
            Self::PartyOn { name, day, quoted } => format!("partyOn(\"{name}\", {})", written_day(*day, *quoted)),
        }
    }

    /// The days that its functions name.
    pub(crate) fn days(&self) -> Vec<i64> {
        match self {
            Self::All(parts, _) | Self::Any(parts) => parts.iter().flat_map(Self::days).collect(),
            Self::Not(part, _) => part.days(),
            Self::InForce { day, .. } | Self::PartyOn { day, .. } => vec![*day],
            Self::Compare { .. } | Self::CompareEach { .. } | Self::Has { .. } | Self::Party(_) | Self::Under(_) => {
                Vec::new()
            }
        }
    }

    /// What is known of whether it holds of a resource.
    pub(crate) fn truth(&self, shape: &Shape, view: &View, row: &Row) -> Truth {
        let truths = |parts: &[Expression]| parts.iter().map(|part| part.truth(shape, view, row)).collect::<Vec<_>>();
        let some = |place: &Place, operator, literal: &Literal| {
            let values = row.values(place.path, place.key.as_deref());
            // What is absent is neither equal nor different, nor anything else.
            let one = |value: &Option<Value>| {
                value.as_ref().map_or(Truth::False, |value| compare(value, operator, &literal.meaning))
            };
            values.iter().map(one).max().unwrap_or(Truth::False)
        };
        match self {
            Self::All(parts, _) => truths(parts).into_iter().min().unwrap(),
            Self::Any(parts) => truths(parts).into_iter().max().unwrap(),
            Self::Not(part, _) => match part.truth(shape, view, row) {
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
                Truth::True => Truth::False,
            },
            Self::Compare { place, operator, literal, .. } => some(place, *operator, literal),
            Self::CompareEach { place, operator, literals, all, .. } => {
                let each = literals.iter().map(|literal| some(place, *operator, literal));
                if all.is_some() { each.min().unwrap() } else { each.max().unwrap() }
            }
            Self::Has { place, .. } => row.has(place.path, place.key.as_deref()).into(),
            Self::Party(name) => {
                let parties = (0..shape.paths.len()).filter(|path| shape.paths[*path].party);
                parties.into_iter().any(|path| row.says(path, name)).into()
            }
            Self::Under(root) => {
                let tree = super::memory::collection(root);
                let refers =
                    (0..shape.paths.len()).filter(|path| shape.paths[*path].targets.iter().any(|to| to == tree));
                refers.into_iter().flat_map(|path| row.texts(path)).any(|name| view.is_under(name, root)).into()
            }
            Self::InForce { day, perhaps, .. } => {
                let known = view.on(*day, &row.name).known("in_force");
                if *perhaps { (known != Truth::False).into() } else { known }
            }
            Self::PartyOn { name, day, .. } => view.on(*day, &row.name).bound(name),
        }
    }

    /// What is a little simpler, and might go wrong in the same way.
    pub(crate) fn simpler(&self) -> Vec<Expression> {
        let without = |parts: &[Expression], at: usize| {
            parts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, part)| part.clone()).collect::<Vec<_>>()
        };
        let of_parts = |parts: &[Expression], make: &dyn Fn(Vec<Expression>) -> Expression| {
            let mut simpler = parts.to_vec();
            if parts.len() > 2 {
                simpler.extend((0..parts.len()).map(|at| make(without(parts, at))));
            }
            for (at, part) in parts.iter().enumerate() {
                for one in part.simpler() {
                    let mut parts = parts.to_vec();
                    parts[at] = one;
                    simpler.push(make(parts));
                }
            }
            simpler
        };
        match self {
            Self::All(parts, joint) => of_parts(parts, &|parts| Self::All(parts, *joint)),
            Self::Any(parts) => of_parts(parts, &Self::Any),
            Self::Not(part, negation) => {
                let simpler = part.simpler().into_iter().map(|part| Self::Not(Box::new(part), *negation));
                std::iter::once((**part).clone()).chain(simpler).collect()
            }
            Self::CompareEach { place, operator, written, literals, .. } => {
                let one = |literal: &Literal| {
                    let (place, literal) = (place.clone(), literal.clone());
                    Self::Compare { place, operator: *operator, written, literal }
                };
                literals.iter().map(one).collect()
            }
            Self::Compare { .. }
            | Self::Has { .. }
            | Self::Party(_)
            | Self::Under(_)
            | Self::InForce { .. }
            | Self::PartyOn { .. } => Vec::new(),
        }
    }
}

/// A day as a function is given it.
fn written_day(day: i64, quoted: bool) -> String {
    let (year, month, of_month) = civil(day);
    let mark = if quoted { "\"" } else { "" };
    format!("{mark}{year:04}-{month:02}-{of_month:02}{mark}")
}

fn compare(value: &Value, operator: Operator, literal: &Meaning) -> Truth {
    match (value, literal) {
        (Value::Text(text), Meaning::Like(pieces)) => {
            let matches = is_like(text, pieces);
            match operator {
                Operator::Equal => matches.into(),
                Operator::NotEqual => (!matches).into(),
                _ => panic!("a pattern has no order"),
            }
        }
        (Value::Text(a), Meaning::Text(b)) => holds(operator, a.chars().cmp(b.chars())),
        (Value::Bool(a), Meaning::Bool(b)) => holds(operator, a.cmp(b)),
        (Value::Enum(a), Meaning::Enum(b)) => holds(operator, a.cmp(b)),
        (Value::Whole(a), Meaning::Whole(b)) => holds(operator, a.cmp(b)),
        (Value::Double(a), Meaning::Double(b)) => holds(operator, a.partial_cmp(b).unwrap()),
        (Value::Time(a), Meaning::Times(first, last)) => {
            let order = match () {
                () if a < first => Ordering::Less,
                () if a > last => Ordering::Greater,
                () => Ordering::Equal,
            };
            holds(operator, order)
        }
        (Value::Money(currency, a), Meaning::Money(asked, b)) if currency == asked => holds(operator, a.cmp(b)),
        (Value::Money(..), Meaning::Money(..)) => (operator == Operator::NotEqual).into(),
        (Value::Date(days), Meaning::Days(first, last)) => {
            let Some((earliest, latest)) = *days else { return Truth::Unknown };
            // On every day that it may be, or on none, or who knows.
            let all_or_none = |all: bool, none: bool| match (all, none) {
                (true, _) => Truth::True,
                (_, true) => Truth::False,
                _ => Truth::Unknown,
            };
            let (within, outside) = (earliest >= *first && latest <= *last, latest < *first || earliest > *last);
            match operator {
                Operator::Equal => all_or_none(within, outside),
                Operator::NotEqual => all_or_none(outside, within),
                Operator::Less => all_or_none(latest < *first, earliest >= *first),
                Operator::LessEqual => all_or_none(latest <= *last, earliest > *last),
                Operator::Greater => all_or_none(earliest > *last, latest <= *last),
                Operator::GreaterEqual => all_or_none(earliest >= *first, latest < *first),
            }
        }
        (value, literal) => panic!("{value:?} is not compared with {literal:?}"),
    }
}

fn holds(operator: Operator, order: Ordering) -> Truth {
    let holds = match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::LessEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterEqual => order.is_ge(),
    };
    holds.into()
}

/// Whether a text is these pieces, in their order, with anything between them: the first at its beginning, and the last
/// at its end.
fn is_like(text: &str, pieces: &[String]) -> bool {
    match pieces {
        [] => false,
        [only] => text == only,
        [first, rest @ ..] => {
            let Some(left) = text.strip_prefix(first.as_str()) else { return false };
            let mut starts = left.char_indices().map(|(at, _)| at).chain([left.len()]);
            starts.any(|at| is_like(&left[at..], rest))
        }
    }
}

#[test]
fn a_text_is_like_a_pattern_or_not() {
    for (text, pattern, expected) in [
        ("abc", "a*", true),
        ("abc", "*c", true),
        ("abc", "*b*", true),
        ("abc", "b*", false),
        ("abc", "a*c", true),
        ("aa", "a*a", true),
        ("a", "a*a", false),
        ("abab", "*ab", true),
        ("한국", "*국", true),
        ("", "*", true),
    ] {
        let pieces: Vec<_> = pattern.split('*').map(str::to_owned).collect();
        assert_eq!(is_like(text, &pieces), expected, "{text} {pattern}");
    }
}
