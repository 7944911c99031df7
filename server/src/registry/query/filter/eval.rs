//! Terms, asked of documents. A field that is absent has the value that protobuf gives it: empty, 0 or false.

use crate::registry::resource::wire::{self, WireField};
use crate::registry::schema::{ENTRY_KEY, ENTRY_VALUE, NumberType};

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
    /// The field to which the numbers lead has this value.
    Field { path: Vec<u32>, value: Expected },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expected {
    Text(String),
    Bool(bool),
    Enum(i32),
    Number(NumberType, f64),
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
            Self::Label { number, key, value } => label(document, *number, key).is_some_and(|found| found == value),
            Self::HasLabel { number, key } => label(document, *number, key).is_some(),
            Self::Field { path, value } => value.is(follow(document, path)),
        }
    }
}

impl Expected {
    fn is(&self, found: Option<WireField<'_>>) -> bool {
        match self {
            Self::Text(text) => found.map_or("", |field| field.text()) == text,
            Self::Bool(truth) => (found.map_or(0, |field| field.varint()) != 0) == *truth,
            Self::Enum(number) => found.map_or(0, |field| field.enum_number()) == *number,
            Self::Number(kind, number) => found.map_or(0.0, |field| field.number(*kind)) == *number,
        }
    }
}

/// The field to which the numbers lead, if all messages on the way are there.
fn follow<'a>(document: &'a [u8], path: &[u32]) -> Option<WireField<'a>> {
    let (last, above) = path.split_last()?;
    let mut message = document;
    for number in above {
        message = wire::field(message, *number)?.value;
    }
    wire::field(message, *last)
}

fn label<'a>(document: &'a [u8], number: u32, key: &str) -> Option<&'a str> {
    wire::fields(document)
        .filter(|field| field.number == number)
        .find(|entry| wire::field(entry.value, ENTRY_KEY).map_or("", |found| found.text()) == key)
        .map(|entry| wire::field(entry.value, ENTRY_VALUE).map_or("", |value| value.text()))
}
