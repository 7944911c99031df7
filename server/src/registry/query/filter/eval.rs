//! Terms, asked of documents. A field that is absent has the value that protobuf gives it: empty, 0 or false.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use partnership_registry::v1::PartialDate;
use prost::Message as _;

use crate::registry::resource::wire::{self, WireField};
use crate::registry::schema::{ENTRY_KEY, ENTRY_VALUE, NumberType};
use crate::values::partial_date;
use crate::values::text::nfc;

/// A test that has to hold, or not to hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    pub(super) test: Test,
    pub(super) negated: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// The map in field `number` has this value for the key.
    Label { number: u32, key: String, value: String },
    /// The map in field `number` has the key.
    HasLabel { number: u32, key: String },
    /// The field to which the steps lead has this value; if they lead through lists, in some item of each.
    Field { path: Vec<Step>, value: Expected },
}

/// One field on the way to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) number: u32,
    /// Whether it is a list or a map.
    pub(super) repeated: bool,
}

/// What is asked for. Texts are in their normal form.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expected {
    Text(String),
    Bool(bool),
    Enum(i32),
    Number(NumberType, f64),
    /// A date that is certainly one of these days.
    Within(RangeInclusive<Date>),
    /// A date that is certainly none of these days.
    Outside(RangeInclusive<Date>),
    /// Anything that is there.
    Any,
}

impl Term {
    /// Whether it selects the document.
    pub(super) fn holds(&self, document: &[u8]) -> bool {
        self.test.holds(document) != self.negated
    }
}

impl Test {
    fn holds(&self, document: &[u8]) -> bool {
        match self {
            Self::Label { number, key, value } => {
                label(document, *number, key).is_some_and(|found| nfc(found) == *value)
            }
            Self::HasLabel { number, key } => label(document, *number, key).is_some(),
            Self::Field { path, value } => value.is_at(document, path),
        }
    }
}

impl Expected {
    /// Whether the path leads to it.
    fn is_at(&self, message: &[u8], path: &[Step]) -> bool {
        let Some((step, below)) = path.split_first() else { return false };
        let found = |field: Option<WireField<'_>>| match below {
            [] => self.is(field),
            // In a message that is not there each field has the value that protobuf gives it.
            _ => self.is_at(field.map_or(&[][..], |field| field.value), below),
        };
        if step.repeated {
            wire::fields(message).filter(|field| field.number == step.number).any(|field| found(Some(field)))
        } else {
            found(wire::field(message, step.number))
        }
    }

    fn is(&self, found: Option<WireField<'_>>) -> bool {
        match self {
            Self::Text(text) => nfc(found.map_or("", |field| field.text())) == *text,
            Self::Bool(truth) => (found.map_or(0, |field| field.varint()) != 0) == *truth,
            Self::Enum(number) => found.map_or(0, |field| field.enum_number()) == *number,
            Self::Number(kind, number) => found.map_or(0.0, |field| field.number(*kind)) == *number,
            Self::Within(days) => {
                date_in(found).is_some_and(|date| days.contains(date.start()) && days.contains(date.end()))
            }
            Self::Outside(days) => {
                date_in(found).is_some_and(|date| date.end() < days.start() || days.end() < date.start())
            }
            Self::Any => found.is_some(),
        }
    }
}

/// The days that a date may be, if they are known.
fn date_in(found: Option<WireField<'_>>) -> Option<RangeInclusive<Date>> {
    partial_date::days(&PartialDate::decode(found?.value).ok()?)
}

fn label<'a>(document: &'a [u8], number: u32, key: &str) -> Option<&'a str> {
    wire::fields(document)
        .filter(|field| field.number == number)
        .find(|entry| nfc(wire::field(entry.value, ENTRY_KEY).map_or("", |found| found.text())) == key)
        .map(|entry| wire::field(entry.value, ENTRY_VALUE).map_or("", |value| value.text()))
}
