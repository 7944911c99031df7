//! What resources are counted by, and what of them is added up: the keys of the groups that a document belongs to, and its
//! amounts of money.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan as _};
use prost_types::Timestamp;

use crate::registry::query::field_path::FieldPath;
use crate::registry::query::filter::error::Error;
use crate::registry::query::filter::lex::{Token, TokenValue, lex};
use crate::registry::query::tally::{Amounts, NANOS_PER_UNIT};
use crate::registry::resource::name::short;
use crate::registry::resource::value::LeafValue;
use crate::registry::schema::{KindId, Schemas, SharedValue, Value};
use crate::time::Time;

/// The key of a date that is not certainly within one year, or decade.
const UNCERTAIN: &str = "uncertain";

/// The key of a date that may be any.
const UNKNOWN: &str = "unknown";

/// A field to count by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// The field.
    pub(crate) path: FieldPath,
    /// What of its values.
    pub(crate) bucket: Bucket,
}

/// What of a value makes the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bucket {
    /// All of it.
    Whole,
    /// Of a date or a time: its year.
    Year,
    /// Of a date or a time: its decade.
    Decade,
}

impl Group {
    /// Reads a path, or `year(path)` or `decade(path)`. The error is a phrase that says what is wrong, and where.
    pub(crate) fn parse(schemas: &Schemas, kind: KindId, text: &str) -> Result<Self, String> {
        let read = || {
            let tokens = lex(text)?;
            let (bucket, field) = match tokens.as_slice() {
                [field] => (Bucket::Whole, field),
                [function, open, field, close]
                    if (&open.value, &close.value) == (&TokenValue::Open, &TokenValue::Close) =>
                {
                    (bucket(function)?, field)
                }
                _ => return Err(not_one(&tokens, "must be one field, or year(…) or decade(…) of one")),
            };
            let path = FieldPath::of(schemas, kind, field, "count by")?;
            if bucket != Bucket::Whole && !is_of(schemas, &path, &[SharedValue::PartialDate, SharedValue::Timestamp]) {
                let rule = format!("must be a date or a time here, and {} is neither", field.shown());
                return Err(Error::new(field.at, rule));
            }
            Ok(Self { path, bucket })
        };
        read().map_err(|error| error.describe(text))
    }

    /// The keys of the groups that a document belongs to, each once: one at least, which is empty if it has no value.
    pub(crate) fn keys(&self, schemas: &Schemas, document: &[u8]) -> Vec<String> {
        let mut keys = Vec::new();
        self.path.values(schemas, document, &mut |value| keys.extend(value.map(|value| self.text(schemas, &value))));
        if keys.is_empty() {
            keys.push(String::new());
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The key of one value.
    pub(crate) fn text(&self, schemas: &Schemas, value: &LeafValue<'_>) -> String {
        match (self.bucket, value) {
            (Bucket::Whole, LeafValue::Date { first, last }) => whole_date(*first, *last),
            (Bucket::Year, LeafValue::Date { first, last }) => part_of_date(*first, *last, year),
            (Bucket::Decade, LeafValue::Date { first, last }) => part_of_date(*first, *last, decade),
            (Bucket::Whole, LeafValue::Time(time)) => rfc3339(*time),
            (Bucket::Year, LeafValue::Time(time)) => part_of_time(*time, year),
            (Bucket::Decade, LeafValue::Time(time)) => part_of_time(*time, decade),
            (_, LeafValue::Text(text)) => text.to_string(),
            (_, LeafValue::Bool(value)) => value.to_string(),
            (_, LeafValue::Enum(number)) => self.enum_name(schemas, *number),
            (_, LeafValue::Signed(number)) => number.to_string(),
            (_, LeafValue::Unsigned(number)) => number.to_string(),
            (_, LeafValue::Double(number)) => number.to_string(),
            (_, LeafValue::Money { currency, nanos }) => format!("{} {currency}", amount(*nanos)),
        }
    }

    /// Of a value that is grouped by its year or decade, a number that is the same for the same group.
    pub(crate) fn part(&self, value: &LeafValue<'_>) -> Option<i32> {
        let years = match self.bucket {
            Bucket::Whole => return None,
            Bucket::Year => 1,
            Bucket::Decade => 10,
        };
        let part = |day: Date| i32::from(day.year()).div_euclid(years);
        match value {
            LeafValue::Date { first, last } => {
                let (first, last) = (calendar_day(*first).map(part), calendar_day(*last).map(part));
                Some(first.filter(|_| first == last).unwrap_or(i32::MIN))
            }
            LeafValue::Time(time) => {
                moment(*time).map(|moment| part(TimeZone::UTC.to_datetime(moment).date())).or(Some(i32::MIN))
            }
            LeafValue::Text(_)
            | LeafValue::Bool(_)
            | LeafValue::Enum(_)
            | LeafValue::Signed(_)
            | LeafValue::Unsigned(_)
            | LeafValue::Double(_)
            | LeafValue::Money { .. } => None,
        }
    }

    /// The full name of a value of an enum; its number, if it has none.
    fn enum_name(&self, schemas: &Schemas, number: i32) -> String {
        let name = self.path.field(schemas).and_then(|field| match &field.value {
            Value::Enum { values } => values.get(&number),
            Value::Text { .. } | Value::Reference(_) | Value::Number { .. } | Value::Bool | Value::Message(_) => None,
        });
        name.cloned().unwrap_or_else(|| number.to_string())
    }
}

/// Amounts of money to add up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sum {
    /// The field.
    pub(crate) path: FieldPath,
}

impl Sum {
    /// Reads a path to amounts of money. The error is a phrase that says what is wrong, and where.
    pub(crate) fn parse(schemas: &Schemas, kind: KindId, text: &str) -> Result<Self, String> {
        let read = || {
            let tokens = lex(text)?;
            let [field] = tokens.as_slice() else { return Err(not_one(&tokens, "must be one field")) };
            let path = FieldPath::of(schemas, kind, field, "add up")?;
            if !is_of(schemas, &path, &[SharedValue::Money]) {
                let rule = format!("must be an amount of money, and {} is none", field.shown());
                return Err(Error::new(field.at, rule));
            }
            Ok(Self { path })
        };
        read().map_err(|error| error.describe(text))
    }

    /// What a document has, by currency.
    pub(crate) fn amounts(&self, schemas: &Schemas, document: &[u8]) -> Amounts {
        let mut amounts = Amounts::new();
        self.path.values(schemas, document, &mut |value| {
            if let Some(LeafValue::Money { currency, nanos }) = value {
                *amounts.entry(currency.into_owned()).or_default() += nanos;
            }
        });
        amounts
    }
}

fn bucket(function: &Token) -> Result<Bucket, Error> {
    match function.shown().as_str() {
        "year" => Ok(Bucket::Year),
        "decade" => Ok(Bucket::Decade),
        other => {
            Err(Error::new(function.at, format!("must be year(…) or decade(…), and {:?} is neither", short(other))))
        }
    }
}

/// The error of a text that is more or less than it may be.
fn not_one(tokens: &[Token], rule: &str) -> Error {
    match tokens {
        [] => Error::new(0, "must name a field"),
        [first] => Error::new(first.at, rule),
        [_, second, ..] => Error::new(second.at, rule),
    }
}

/// Whether a path leads to one of these values.
fn is_of(schemas: &Schemas, path: &FieldPath, values: &[SharedValue]) -> bool {
    let field = path.field(schemas);
    field.is_some_and(|field| match field.value {
        Value::Message(id) => schemas.shape(id).shared.is_some_and(|shared| values.contains(&shared)),
        Value::Text { .. } | Value::Reference(_) | Value::Number { .. } | Value::Bool | Value::Enum { .. } => false,
    })
}

/// A day by its number; `None` for one that stands for an open end.
fn calendar_day(number: i32) -> Option<Date> {
    date(1970, 1, 1).checked_add(Span::new().try_days(number).ok()?).ok()
}

/// A date as it is known, by its first and its last day. Of one that is approximate or uncertain these are those of the units
/// before and behind it.
fn whole_date(first: i32, last: i32) -> String {
    let (Some(first), Some(last)) = (calendar_day(first), calendar_day(last)) else { return UNKNOWN.to_owned() };
    let is_whole_months = first.day() == 1 && last.day() == last.days_in_month();
    let is_whole_years = is_whole_months && first.month() == 1 && last.month() == 12;
    let months = |of: Date| i32::from(of.year()) * 12 + i32::from(of.month());
    let (years_more, months_more) = (last.year() - first.year(), months(last) - months(first));
    // That in the middle, if it has one unit on each side.
    let middle = |unit: Span| first.saturating_add(unit);
    let days_more = first.until(last).map_or(-1, |span| span.get_days());
    if is_whole_years && years_more == 0 {
        format!("{:04}", first.year())
    } else if is_whole_years && years_more == 2 {
        format!("{:04}~", middle(1.year()).year())
    } else if is_whole_months && months_more == 0 {
        first.strftime("%Y-%m").to_string()
    } else if is_whole_months && months_more == 2 {
        middle(1.month()).strftime("%Y-%m~").to_string()
    } else if days_more == 0 {
        first.to_string()
    } else if days_more == 2 {
        format!("{}~", middle(1.day()))
    } else {
        format!("{first}/{last}")
    }
}

fn part_of_date(first: i32, last: i32, part: fn(Date) -> String) -> String {
    match (calendar_day(first).map(part), calendar_day(last).map(part)) {
        (Some(first), Some(last)) if first == last => first,
        _ => UNCERTAIN.to_owned(),
    }
}

fn year(day: Date) -> String {
    format!("{:04}", day.year())
}

fn decade(day: Date) -> String {
    format!("{:03}0s", day.year().div_euclid(10))
}

fn moment(time: Time) -> Option<jiff::Timestamp> {
    let Timestamp { seconds, nanos } = time.into();
    jiff::Timestamp::new(seconds, nanos).ok()
}

fn rfc3339(time: Time) -> String {
    moment(time).map_or_else(|| time.to_string(), |moment| moment.to_string())
}

fn part_of_time(time: Time, part: fn(Date) -> String) -> String {
    moment(time).map_or_else(|| UNCERTAIN.to_owned(), |moment| part(TimeZone::UTC.to_datetime(moment).date()))
}

/// An amount as people write it: whole, or with two digits behind the point, or with as many as it needs.
fn amount(nanos: i128) -> String {
    let (units, fraction) = ((nanos / NANOS_PER_UNIT).abs(), (nanos % NANOS_PER_UNIT).abs());
    let sign = if nanos < 0 { "-" } else { "" };
    if fraction == 0 {
        return format!("{sign}{units}");
    }
    let digits = format!("{fraction:09}");
    format!("{sign}{units}.{:0<2}", digits.trim_end_matches('0'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use crate::registry::schema::{contract, kind_of};

    fn group(schemas: &Schemas, text: &str) -> Group {
        Group::parse(schemas, kind_of(schemas, "agreements"), text).unwrap()
    }

    /// The number of a day.
    fn day(year: i16, month: i8, day: i8) -> i32 {
        date(1970, 1, 1).until(date(year, month, day)).unwrap().get_days()
    }

    #[test]
    fn a_date_has_the_key_of_the_days_that_it_may_be() {
        let table = [
            (day(2025, 1, 1), day(2025, 12, 31), "2025", "2025", "2020s"),
            (day(2025, 2, 1), day(2025, 2, 28), "2025-02", "2025", "2020s"),
            (day(2024, 2, 29), day(2024, 2, 29), "2024-02-29", "2024", "2020s"),
            (day(2024, 1, 1), day(2026, 12, 31), "2025~", "uncertain", "2020s"),
            (day(2024, 12, 1), day(2025, 2, 28), "2025-01~", "uncertain", "2020s"),
            (day(2024, 2, 28), day(2024, 3, 1), "2024-02-29~", "2024", "2020s"),
            // The year 0 is that before the year 1.
            (day(0, 1, 1), day(2, 12, 31), "0001~", "uncertain", "0000s"),
            // No date is so, whatever is known of it.
            (day(2024, 1, 1), day(2025, 12, 31), "2024-01-01/2025-12-31", "uncertain", "2020s"),
            (i32::MIN, i32::MAX, "unknown", "uncertain", "uncertain"),
        ];
        let schemas = contract();
        let groups = ["conclusion_date", "year(conclusion_date)", " decade( conclusion_date )"];
        let groups = groups.map(|text| group(&schemas, text));
        for (first, last, key, of_year, of_decade) in table {
            let value = LeafValue::Date { first, last };
            let keys: Vec<_> = groups.iter().map(|group| group.text(&schemas, &value)).collect();
            assert_eq!(keys, [key, of_year, of_decade]);
        }
    }

    #[test]
    fn an_amount_is_written_as_people_do() {
        let table = [
            (0, "0"),
            (1_000_000_000_000, "1000"),
            (1_000_500_000_000, "1000.50"),
            (-1, "-0.000000001"),
            (-2_120_000_000, "-2.12"),
            (125_000_000, "0.125"),
        ];
        for (nanos, text) in table {
            assert_eq!(amount(nanos), text);
        }
    }

    #[test]
    fn a_value_of_an_enum_that_has_no_name_is_its_number() {
        let schemas = contract();
        let of = |number| group(&schemas, "state").text(&schemas, &LeafValue::Enum(number));
        assert_eq!((of(6).as_str(), of(999).as_str()), ("AGREEMENT_STATE_IN_FORCE", "999"));
    }
}
