//! One value of a field, as it is compared and ordered: read from the wire, in a form in which equal is the same.
//!
//! A date is the days that it may be, a text is in its normal form, an amount is whole nanos of its currency. Filters,
//! orders and the index compare these, and nothing else.

use std::borrow::Cow;

use partnership_registry::v1::PartialDate;
use prost_types::Timestamp;

use super::wire::{self, WireField};
use crate::registry::schema::{Field, NumberType, Schemas, SharedValue, Value};
use crate::time::Time;
use crate::values::text::nfc;
use crate::values::{money, partial_date};

/// A single value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LeafValue<'a> {
    /// A text or a reference, in Unicode's normal form C.
    Text(Cow<'a, str>),
    Bool(bool),
    Enum(i32),
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    /// The days that a date may be, as [`crate::time::Day`] numbers them. `i32::MIN` to `i32::MAX`: any.
    Date {
        first: i32,
        last: i32,
    },
    Time(Time),
    /// An amount in billionths of the currency's unit.
    Money {
        currency: Cow<'a, str>,
        nanos: i128,
    },
}

impl LeafValue<'_> {
    /// Whether it is what protobuf takes for a field that is not set. A message that is there is never that.
    pub(crate) fn is_default(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Bool(value) => !value,
            Self::Enum(value) => *value == 0,
            Self::Signed(value) => *value == 0,
            Self::Unsigned(value) => *value == 0,
            Self::Double(value) => *value == 0.0,
            Self::Date { .. } | Self::Time(_) | Self::Money { .. } => false,
        }
    }
}

/// The value of a field that is single, of an item of a list, or of an entry of a map, as it stands on the wire.
///
/// `None`: absent. A scalar that is not on the wire has the value that protobuf gives it, unless the field tells that from
/// one that is not set; a message that is not there has none, and neither has one that is several values.
pub(crate) fn leaf<'a>(schemas: &Schemas, field: &Field, wire: Option<WireField<'a>>) -> Option<LeafValue<'a>> {
    if wire.is_none() && field.has_presence {
        return None;
    }
    let varint = || wire.map_or(0, |wire| wire.varint());
    Some(match &field.value {
        Value::Text { .. } | Value::Reference(_) => LeafValue::Text(nfc(wire.map_or("", |wire| wire.text()))),
        Value::Bool => LeafValue::Bool(varint() != 0),
        Value::Enum { .. } => LeafValue::Enum(wire.map_or(0, |wire| wire.enum_number())),
        Value::Number { number: NumberType::Signed, .. } => LeafValue::Signed(varint().cast_signed()),
        Value::Number { number: NumberType::Unsigned, .. } => LeafValue::Unsigned(varint()),
        Value::Number { number: NumberType::Double, .. } => {
            LeafValue::Double(wire.map_or(0.0, |wire| wire.number(NumberType::Double)))
        }
        Value::Message(shape) => message(schemas.shape(*shape).shared?, wire?.value)?,
    })
}

fn message(shared: SharedValue, value: &[u8]) -> Option<LeafValue<'_>> {
    match shared {
        SharedValue::PartialDate => {
            let (first, last) = partial_date::day_numbers(&date(value)).unwrap_or((i32::MIN, i32::MAX));
            Some(LeafValue::Date { first, last })
        }
        SharedValue::Timestamp => {
            let [seconds, nanos] = numbers(value, [1, 2]);
            Some(LeafValue::Time(Timestamp { seconds, nanos: narrow(nanos) }.into()))
        }
        SharedValue::Money => {
            let [units, nanos] = numbers(value, [2, 3]);
            let currency = wire::field(value, 1).map_or("", |field| field.text());
            Some(LeafValue::Money { currency: currency.into(), nanos: money::nanos(units, narrow(nanos)) })
        }
        SharedValue::DateInterval => None,
    }
}

/// All of a date by which it is compared: how its source puts it is left out.
fn date(value: &[u8]) -> PartialDate {
    let [year, month, day, approximate, uncertain, unknown] = numbers(value, [1, 2, 3, 4, 5, 6]);
    PartialDate {
        year: narrow(year),
        month: narrow(month),
        day: narrow(day),
        approximate: approximate != 0,
        uncertain: uncertain != 0,
        unknown: unknown != 0,
        original_text: String::new(),
    }
}

/// The varints of these fields of a message; 0 for those that are not there.
fn numbers<const COUNT: usize>(message: &[u8], fields: [u32; COUNT]) -> [i64; COUNT] {
    let mut found = [0; COUNT];
    for wire in wire::fields(message) {
        for (number, found) in fields.iter().zip(&mut found) {
            if *number == wire.number {
                *found = wire.varint().cast_signed();
            }
        }
    }
    found
}

#[allow(clippy::cast_possible_truncation, reason = "an int32 is written as a sign-extended int64")]
fn narrow(number: i64) -> i32 {
    number as i32
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use partnership_registry::Money;
    use partnership_registry::v1::{
        Country, DateInterval, FeasibilityStudy, FeasibilityStudyCostRange, FeasibilityStudyDimension, Finding,
        FindingCode,
    };
    use prost::Message as _;

    use super::*;
    use crate::registry::schema::{contract, kind_of};

    /// The value of the first resource at a path.
    fn at<'a>(schemas: &Schemas, collection: &str, path: &str, document: &'a [u8]) -> Option<LeafValue<'a>> {
        let (mut shape, mut message) = (schemas.shape_of(kind_of(schemas, collection)), document);
        let mut names = path.split('.').peekable();
        loop {
            let field = shape.by_name(names.next().unwrap()).unwrap();
            let found = wire::field(message, field.number);
            match (&field.value, names.peek()) {
                (Value::Message(below), Some(_)) => (shape, message) = (schemas.shape(*below), found?.value),
                _ => return leaf(schemas, field, found),
            }
        }
    }

    #[test]
    fn a_value_is_read_as_what_its_field_is() {
        let schemas = contract();
        let time = Timestamp { seconds: -5, nanos: 7 };
        let country = Country {
            display_name: "\u{1112}\u{1161}\u{11ab}".into(),
            revision: u64::MAX,
            create_time: Some(time),
            findings: vec![Finding { code: FindingCode::DateUnlikely.into(), ..Finding::default() }],
            ..Country::default()
        }
        .encode_to_vec();
        let table = [
            ("display_name", Some(LeafValue::Text("\u{d55c}".into()))),
            ("region_code", Some(LeafValue::Text("".into()))),
            ("revision", Some(LeafValue::Unsigned(u64::MAX))),
            ("create_time", Some(LeafValue::Time(time.into()))),
            ("update_time", None),
            ("findings.code", Some(LeafValue::Enum(FindingCode::DateUnlikely.into()))),
            ("existence", None),
            ("existence.start_date", None),
        ];
        for (path, expected) in table {
            assert_eq!(at(&schemas, "countries", path, &country), expected, "{path}");
        }
        let money = |units, nanos| Some(Money { currency_code: "KRW".into(), units, nanos });
        let range = FeasibilityStudyCostRange { low: money(-3, -500_000_000), ..FeasibilityStudyCostRange::default() };
        let dimension = |score| FeasibilityStudyDimension { score, ..FeasibilityStudyDimension::default() };
        let study = |score| {
            let cost_range = Some(range.clone());
            FeasibilityStudy { cost_range, dimensions: vec![dimension(score)], ..FeasibilityStudy::default() }
                .encode_to_vec()
        };
        let low = LeafValue::Money { currency: "KRW".into(), nanos: -3_500_000_000 };
        let table = [
            ("cost_range.low", Some(0), Some(low)),
            ("cost_range.high", Some(0), None),
            ("dimensions.score", Some(0), Some(LeafValue::Signed(0))),
            ("dimensions.score", Some(7), Some(LeafValue::Signed(7))),
            ("dimensions.score", None, None),
            ("dimensions.type", None, Some(LeafValue::Enum(0))),
        ];
        for (path, score, expected) in table {
            assert_eq!(at(&schemas, "feasibilityStudies", path, &study(score)), expected, "{path}");
        }
    }

    #[test]
    fn a_date_is_the_days_that_it_may_be() {
        let schemas = contract();
        let text = PartialDate::original("about 1900");
        let about = PartialDate { approximate: true, ..PartialDate::day(1970, 1, 1) };
        let doubtful = PartialDate { uncertain: true, ..PartialDate::day(1970, 1, 1) };
        let table = [
            (PartialDate::day(1970, 1, 2), (1, 1)),
            (PartialDate { original_text: "x".into(), ..PartialDate::year(1970) }, (0, 364)),
            (about, (-1, 1)),
            (doubtful, (-1, 1)),
            (PartialDate::unknown(), (i32::MIN, i32::MAX)),
            (text, (i32::MIN, i32::MAX)),
            (PartialDate::default(), (i32::MIN, i32::MAX)),
        ];
        for (date, (first, last)) in table {
            let existence = Some(DateInterval { start_date: Some(date.clone()), end_date: None });
            let country = Country { existence, ..Country::default() }.encode_to_vec();
            let found = at(&schemas, "countries", "existence.start_date", &country);
            assert_eq!(found, Some(LeafValue::Date { first, last }), "{date:?}");
            assert_eq!(at(&schemas, "countries", "existence.end_date", &country), None);
            assert_eq!(at(&schemas, "countries", "existence", &country), None, "it is several values");
        }
    }

    #[test]
    fn bytes_that_are_no_value_are_read_as_some_value() {
        let schemas = contract();
        for shape in schemas.kind_ids().map(|kind| schemas.shape_of(kind)) {
            for field in &shape.fields {
                for value in [&[][..], &[0xff; 3], &[0x08], &[0x12, 0x01], &[0x80; 12]] {
                    let wire = WireField { number: field.number, value, whole: value };
                    leaf(&schemas, field, Some(wire));
                }
            }
        }
    }
}
