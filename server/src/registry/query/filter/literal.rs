//! Values of filters, read as what a field can have.

use std::collections::BTreeMap;

use partnership_registry::v1::{Format, PartialDate};
use prost_types::Timestamp;

use super::expression::Literal;
use crate::registry::schema::{Field, NumberType, Schemas, SharedValue, Value};
use crate::time::Time;
use crate::values::text::nfc;
use crate::values::{format, money, partial_date};

const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: i128 = 1_000_000_000;
/// How many digits behind the point an amount may have.
const FRACTION_DIGITS: usize = 9;

/// The literal that a text is for a field. The error says what would be one.
pub(super) fn literal(schemas: &Schemas, field: &Field, text: &str) -> Result<Literal, String> {
    match &field.value {
        Value::Bool => match text {
            "true" => Ok(Literal::Bool(true)),
            "false" => Ok(Literal::Bool(false)),
            _ => Err("true or false".to_owned()),
        },
        Value::Enum { values } => enum_number(values.iter(), text).map(Literal::Enum),
        Value::Number { number, .. } => self::number(*number, text),
        Value::Text { .. } | Value::Reference(_) => Ok(Literal::Text(nfc(text).into_owned())),
        Value::Message(shape) => match schemas.shape(*shape).shared {
            Some(SharedValue::PartialDate) => match days(text) {
                Some((first, last)) => Ok(Literal::Days(first..=last)),
                None => Err("a date such as 2025-10-15, 2025-10 or 2025".to_owned()),
            },
            Some(SharedValue::Timestamp) => times(text).ok_or_else(|| {
                "a time such as 2025-10-15T09:30:00Z, or a day, month or year in UTC such as 2025-10-15".to_owned()
            }),
            Some(SharedValue::Money) => {
                amount(text).ok_or_else(|| "an amount and its currency such as \"1000.50 USD\"".to_owned())
            }
            Some(SharedValue::DateInterval) | None => Err("nothing, since it has several fields".to_owned()),
        },
    }
}

fn enum_number<'a>(values: impl Iterator<Item = (&'a i32, &'a String)>, text: &str) -> Result<i32, String> {
    let values: BTreeMap<_, _> = values.collect();
    // All names of an enum begin as that of 0 does, and people leave the beginning out.
    let zero = values.get(&0).and_then(|zero| zero.strip_suffix("UNSPECIFIED")).unwrap_or_default();
    // As people write them: `in-force`.
    let plain = text.to_ascii_uppercase().replace('-', "_");
    let is_meant = |name: &str| name == plain || name.strip_prefix(zero) == Some(&plain);
    let found = values.iter().find(|(_, name)| is_meant(name)).map(|(number, _)| **number);
    found.ok_or_else(|| {
        let known = values.iter().filter(|(number, _)| ***number != 0);
        let known: Vec<_> = known.map(|(_, name)| name.strip_prefix(zero).unwrap_or(name)).collect();
        format!("one of {}", known.join(", "))
    })
}

/// Whole numbers are read exactly, however large they are.
fn number(number: NumberType, text: &str) -> Result<Literal, String> {
    // 1948.0 is a whole number.
    let whole =
        text.split_once('.').filter(|(_, fraction)| !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0'));
    let whole = whole.map_or(text, |(whole, _)| whole);
    match number {
        NumberType::Signed => whole.parse().map(Literal::Signed).map_err(|_| "a whole number".to_owned()),
        NumberType::Unsigned => {
            // -0 is 0.
            let whole = if whole == "-0" { "0" } else { whole };
            whole.parse().map(Literal::Unsigned).map_err(|_| "a whole number that is not negative".to_owned())
        }
        NumberType::Double => {
            let parsed = text.parse().ok().filter(|parsed: &f64| parsed.is_finite());
            parsed.map(Literal::Double).ok_or_else(|| "a number".to_owned())
        }
    }
}

/// The days of a day, a month or a year.
pub(super) fn days(text: &str) -> Option<(i32, i32)> {
    let date = text.parse::<PartialDate>().ok().filter(partial_date::is_plain)?;
    partial_date::day_numbers(&date)
}

/// A moment, or the time of a day, a month or a year in UTC.
fn times(text: &str) -> Option<Literal> {
    let time = |seconds, nanos| Time::from(Timestamp { seconds, nanos });
    if let Some((first, last)) = days(text) {
        let start = time(i64::from(first) * SECONDS_PER_DAY, 0);
        return Some(Literal::Times { start, end: time((i64::from(last) + 1) * SECONDS_PER_DAY, 0) });
    }
    // What names a zone too would be read, and the zone passed over.
    let moment = text.parse::<jiff::Timestamp>().ok().filter(|_| !text.contains('['))?.as_nanosecond();
    let seconds = i64::try_from(moment.div_euclid(NANOS_PER_SECOND)).ok()?;
    let start = time(seconds, i32::try_from(moment.rem_euclid(NANOS_PER_SECOND)).ok()?);
    Some(Literal::Times { start, end: start.next() })
}

/// An amount with its currency, before or behind it: `1000.50 USD`.
fn amount(text: &str) -> Option<Literal> {
    let is_currency = |text: &str| !text.is_empty() && format::check(Format::CurrencyCode, text).is_none();
    let number = |letter: char| letter.is_ascii_digit() || ".-".contains(letter);
    let (number, currency) = match text.find(number)? {
        0 => text.split_at(text.rfind(number)? + 1),
        begin => {
            let (currency, number) = text.split_at(begin);
            (number, currency)
        }
    };
    let (number, currency) = (number.trim(), currency.trim());
    let nanos = nanos(number)?;
    is_currency(currency).then(|| Literal::Money { currency: currency.to_owned(), nanos })
}

/// The billionths of a number such as `-1000.50`.
fn nanos(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (units, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(units) || !all_digits(fraction) || fraction.len() > FRACTION_DIGITS {
        return None;
    }
    let units: i64 = units.parse().ok()?;
    let nanos: i32 = format!("{fraction:0<FRACTION_DIGITS$}").parse().ok()?;
    Some(sign * money::nanos(units, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_number_and_a_currency_in_either_order() {
        let money = |currency: &str, nanos| Some(Literal::Money { currency: currency.into(), nanos });
        let table = [
            ("1000.50 USD", money("USD", 1_000_500_000_000)),
            ("USD 1000.50", money("USD", 1_000_500_000_000)),
            ("1000.50USD", money("USD", 1_000_500_000_000)),
            ("USD1000.50", money("USD", 1_000_500_000_000)),
            ("-0.000000001 KRW", money("KRW", -1)),
            ("KRW -3", money("KRW", -3_000_000_000)),
            ("9223372036854775807.999999999 KRW", money("KRW", 9_223_372_036_854_775_807_999_999_999)),
            ("1000", None),
            ("USD", None),
            ("", None),
            ("1,000 USD", None),
            ("1. USD", None),
            (".5 USD", None),
            ("1.0000000001 USD", None),
            ("1e3 USD", None),
            ("1 2 USD", None),
            ("1 USD 2", None),
            ("1 usd", None),
            ("1 DOLLAR", None),
            ("99999999999999999999 USD", None),
        ];
        for (text, expected) in table {
            assert_eq!(amount(text), expected, "{text}");
        }
    }

    #[test]
    fn a_time_is_a_moment_or_a_part_of_the_calendar_in_utc() {
        let time = |seconds, nanos| Time::from(Timestamp { seconds, nanos });
        let moment =
            |seconds, nanos| Some(Literal::Times { start: time(seconds, nanos), end: time(seconds, nanos).next() });
        let table = [
            ("1970-01-01T00:00:05Z", moment(5, 0)),
            ("1970-01-01T09:00:05.25+09:00", moment(5, 250_000_000)),
            ("1969-12-31T23:59:59.5Z", moment(-1, 500_000_000)),
            ("1970-01", Some(Literal::Times { start: time(0, 0), end: time(31 * SECONDS_PER_DAY, 0) })),
            ("1970-01-02", Some(Literal::Times { start: time(SECONDS_PER_DAY, 0), end: time(2 * SECONDS_PER_DAY, 0) })),
            ("1970-01-01T00:00:05", None),
            ("1970-01-01T00:00:05+09:00[Asia/Seoul]", None),
            ("1970-13", None),
            ("yesterday", None),
        ];
        for (text, expected) in table {
            assert_eq!(times(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_exactly() {
        let table = [
            (NumberType::Signed, "9007199254740993", Some(Literal::Signed(9_007_199_254_740_993))),
            (NumberType::Signed, "-5.00", Some(Literal::Signed(-5))),
            (NumberType::Signed, "1.5", None),
            (NumberType::Signed, "1.", None),
            (NumberType::Signed, "9223372036854775808", None),
            (NumberType::Unsigned, "18446744073709551615", Some(Literal::Unsigned(u64::MAX))),
            (NumberType::Unsigned, "-0", Some(Literal::Unsigned(0))),
            (NumberType::Unsigned, "-1", None),
            (NumberType::Double, "1.5", Some(Literal::Double(1.5))),
            (NumberType::Double, "-1e3", Some(Literal::Double(-1000.0))),
            (NumberType::Double, "nan", None),
            (NumberType::Double, "1e999", None),
        ];
        for (kind, text, expected) in table {
            assert_eq!(number(kind, text).ok(), expected, "{text}");
        }
    }
}
