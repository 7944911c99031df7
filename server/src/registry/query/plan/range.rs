//! Which facts a test can be about at all: from where to where they stand in the order of a dictionary.

use std::cmp::Ordering;

use crate::registry::index::secondary::{Cut, Dictionary, entry_key, key};
use crate::registry::query::filter::expression::{Check, Literal, Operator};
use crate::registry::resource::value::LeafValue;

/// From where to where the facts stand outside of which a test is FALSE for certain. If it is negated, those of which it is
/// not known are wanted too.
pub(super) fn range(facts: &Dictionary, of_key: Option<&str>, check: &Check, negated: bool) -> (Cut, Cut) {
    let (begin, end) = (Cut::default(), facts.ordered().end());
    let beginning_so = |with: &[u8]| (facts.cut(with), facts.ordered().cut(|fact| before_end(facts.key(fact), with)));
    if let Some(of_key) = of_key {
        return beginning_so(&entry_key(of_key, ""));
    }
    match check {
        Check::Like { pattern, negated: false } => beginning_so(pattern.beginning().as_bytes()),
        Check::Compare { operator, literal } => {
            let Some((first, behind)) = span(facts, literal) else { return (begin, end) };
            match operator {
                // A date that may be behind a day can begin anywhere before it, and one that may be any stands behind all.
                _ if negated && matches!(literal, Literal::Days(_)) => (begin, end),
                Operator::Less => (least(facts, literal), first),
                Operator::LessOrEqual => (least(facts, literal), behind),
                Operator::Greater => (behind, most(facts, literal)),
                Operator::GreaterOrEqual => (first, most(facts, literal)),
                Operator::Equal => (first, behind),
                Operator::NotEqual => (begin, end),
            }
        }
        Check::Set | Check::Present | Check::Like { negated: true, .. } => (begin, end),
    }
}

/// Where the facts begin that are equal to a literal, or begin within it; and where those behind them do.
fn span(facts: &Dictionary, literal: &Literal) -> Option<(Cut, Cut)> {
    let of = |value: &LeafValue<'_>| {
        let key = key(value);
        Some((facts.cut(&key), facts.cut_behind(&key)))
    };
    match literal {
        Literal::Text(text) => of(&LeafValue::Text(text.as_str().into())),
        Literal::Signed(number) => of(&LeafValue::Signed(*number)),
        Literal::Unsigned(number) => of(&LeafValue::Unsigned(*number)),
        Literal::Double(number) => of(&LeafValue::Double(*number)),
        Literal::Money { currency, nanos } => {
            of(&LeafValue::Money { currency: currency.as_str().into(), nanos: *nanos })
        }
        Literal::Times { start, end } => {
            Some((facts.cut(&key(&LeafValue::Time(*start))), facts.cut(&key(&LeafValue::Time(*end)))))
        }
        Literal::Days(days) => {
            // The first of all dates that begin on a day.
            let cut = |day: i32| facts.cut(&key(&LeafValue::Date { first: day, last: i32::MIN }));
            Some((cut(*days.start()), cut(days.end().saturating_add(1))))
        }
        Literal::Bool(_) | Literal::Enum(_) => None,
    }
}

/// Where the facts begin that can be compared with a literal: amounts of one currency stand together.
fn least(facts: &Dictionary, literal: &Literal) -> Cut {
    match literal {
        Literal::Money { currency, .. } => {
            facts.cut(&key(&LeafValue::Money { currency: currency.as_str().into(), nanos: i128::MIN }))
        }
        Literal::Text(_)
        | Literal::Bool(_)
        | Literal::Enum(_)
        | Literal::Signed(_)
        | Literal::Unsigned(_)
        | Literal::Double(_)
        | Literal::Days(_)
        | Literal::Times { .. } => Cut::default(),
    }
}

/// Where they end.
fn most(facts: &Dictionary, literal: &Literal) -> Cut {
    match literal {
        Literal::Money { currency, .. } => {
            facts.cut_behind(&key(&LeafValue::Money { currency: currency.as_str().into(), nanos: i128::MAX }))
        }
        Literal::Text(_)
        | Literal::Bool(_)
        | Literal::Enum(_)
        | Literal::Signed(_)
        | Literal::Unsigned(_)
        | Literal::Double(_)
        | Literal::Days(_)
        | Literal::Times { .. } => facts.ordered().end(),
    }
}

/// How a key stands to the place behind all keys that begin so.
fn before_end(key: &[u8], begin: &[u8]) -> Ordering {
    if key.starts_with(begin) || key < begin { Ordering::Less } else { Ordering::Greater }
}
