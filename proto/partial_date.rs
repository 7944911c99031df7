//! [`PartialDate`] as text, in the one spelling of flags, files, tables and messages: `2025-10-15`, `2025-10`, `2025`.
//!
//! Behind a date may stand a qualifier of ISO 8601-2: `~` approximate, `?` uncertain, `%` both. A date that exists and is
//! not known is `unknown`, or the text of its source in double quotes: `"spring of 1968"`. What [`Display`] writes,
//! [`FromStr`] reads; all that gets lost is the original text beside a date that is known.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use crate::v1::PartialDate;

const UNKNOWN: &str = "unknown";

impl PartialDate {
    /// A year.
    pub fn year(year: i32) -> Self {
        Self { year, ..Self::default() }
    }

    /// A month of a year.
    pub fn month(year: i32, month: i32) -> Self {
        Self { month, ..Self::year(year) }
    }

    /// A day. Whether the calendar has it is not checked here.
    pub fn day(year: i32, month: i32, day: i32) -> Self {
        Self { day, ..Self::month(year, month) }
    }

    /// A date that exists, and that nobody knows.
    pub fn unknown() -> Self {
        Self { unknown: true, ..Self::default() }
    }

    /// A date of which nothing is known but how its source puts it.
    pub fn original(text: impl Into<String>) -> Self {
        Self { original_text: text.into(), ..Self::default() }
    }
}

impl Display for PartialDate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.year, self.month, self.day) {
            (0, ..) if self.original_text.is_empty() => f.write_str(UNKNOWN)?,
            (0, ..) => write!(f, "\"{}\"", self.original_text)?,
            (year, 0, _) => write!(f, "{year:04}")?,
            (year, month, 0) => write!(f, "{year:04}-{month:02}")?,
            (year, month, day) => write!(f, "{year:04}-{month:02}-{day:02}")?,
        }
        match (self.approximate, self.uncertain) {
            (true, true) => f.write_str("%"),
            (true, false) => f.write_str("~"),
            (false, true) => f.write_str("?"),
            (false, false) => Ok(()),
        }
    }
}

impl FromStr for PartialDate {
    type Err = PartialDateError;

    fn from_str(text: &str) -> Result<Self, PartialDateError> {
        let malformed = || PartialDateError::Malformed { text: text.to_owned() };
        let (known, approximate, uncertain) = match text.chars().next_back() {
            Some('~') => (text.trim_end_matches('~'), true, false),
            Some('?') => (text.trim_end_matches('?'), false, true),
            Some('%') => (text.trim_end_matches('%'), true, true),
            _ => (text, false, false),
        };
        if text.len() > known.len() + 1 {
            return Err(malformed());
        }
        let date = if known == UNKNOWN {
            Self::unknown()
        } else if let Some(original) = known.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Self::original(Some(original).filter(|original| !original.is_empty()).ok_or_else(malformed)?)
        } else {
            numbers(known).ok_or_else(malformed)?
        };
        let date = Self { approximate, uncertain, ..date };
        match broken_rule(&date) {
            Some(rule) => Err(PartialDateError::NotInCalendar { text: text.to_owned(), rule, date }),
            None => Ok(date),
        }
    }
}

/// Reads `2025-10-15`, `2025-10` or `2025`, whether or not the calendar has it.
fn numbers(text: &str) -> Option<PartialDate> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4)?;
    let date = match (parts.next(), parts.next()) {
        (None, _) => PartialDate::year(year),
        (Some(month), None) => PartialDate::month(year, number(month, 2)?),
        (Some(month), Some(day)) => PartialDate::day(year, number(month, 2)?, number(day, 2)?),
    };
    parts.next().is_none().then_some(date)
}

/// A number of so many digits. Zero is none: a part that is not known is left out.
fn number(text: &str, digits: usize) -> Option<i32> {
    let digits_only = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits_only && *number > 0)
}

/// The rule of the calendar that a date breaks.
fn broken_rule(date: &PartialDate) -> Option<String> {
    let PartialDate { year, month, day, .. } = *date;
    if month > 12 {
        return Some("the month must be 01 to 12".to_owned());
    }
    let last = days_of_month(year, month);
    (day > last).then(|| format!("the day must be 01 to {last} in {year:04}-{month:02}"))
}

/// How many days a month of the proleptic Gregorian calendar has.
fn days_of_month(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Why a text is no date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartialDateError {
    /// It is not written as dates are.
    Malformed {
        /// The text.
        text: String,
    },
    /// It is written as dates are, and no calendar has it: `2023-02-30`.
    NotInCalendar {
        /// The text.
        text: String,
        /// The rule that it breaks.
        rule: String,
        /// The date all the same. The registry keeps the text of such a date, and says so in a finding.
        date: PartialDate,
    },
}

impl Display for PartialDateError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { text } => write!(
                f,
                "{text:?} is not a date such as 2025-10-15, 2025-10 or 2025; behind it may stand ~ (approximate), \
                 ? (uncertain) or % (both), and a date that is not known is unknown, or a text in double quotes"
            ),
            Self::NotInCalendar { text, rule, .. } => write!(f, "{text:?} is in no calendar; {rule}"),
        }
    }
}

impl Error for PartialDateError {}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn qualified(date: PartialDate, approximate: bool, uncertain: bool) -> PartialDate {
        PartialDate { approximate, uncertain, ..date }
    }

    #[test]
    fn what_is_displayed_can_be_parsed_in_every_shape() {
        let shapes = [
            (PartialDate::year(2025), "2025"),
            (PartialDate::year(44), "0044"),
            (PartialDate::month(2025, 10), "2025-10"),
            (PartialDate::day(2025, 10, 15), "2025-10-15"),
            (PartialDate::day(2024, 2, 29), "2024-02-29"),
            (PartialDate::day(9999, 12, 31), "9999-12-31"),
            (PartialDate::unknown(), "unknown"),
            (PartialDate::original("spring of 1968"), "\"spring of 1968\""),
            (PartialDate::original("1899?"), "\"1899?\""),
            (PartialDate::original("unknown"), "\"unknown\""),
            (PartialDate::original("a \"quote\""), "\"a \"quote\"\""),
            (PartialDate::original("\""), "\"\"\""),
        ];
        for (date, text) in shapes {
            let qualifiers = [(false, false, ""), (true, false, "~"), (false, true, "?"), (true, true, "%")];
            for (approximate, uncertain, qualifier) in qualifiers {
                let (date, text) = (qualified(date.clone(), approximate, uncertain), format!("{text}{qualifier}"));
                assert_eq!(date.to_string(), text);
                assert_eq!(text.parse(), Ok(date), "{text}");
            }
        }
    }

    #[test]
    fn the_original_text_beside_a_date_that_is_known_is_not_displayed() {
        let date = PartialDate { original_text: "12/11/1895".into(), ..PartialDate::day(1895, 11, 12) };
        assert_eq!(date.to_string(), "1895-11-12");
        assert_eq!(PartialDate::default().to_string(), "unknown");
    }

    #[test]
    fn every_day_of_the_calendar_is_read_and_no_other() {
        for year in [1, 1582, 1900, 2000, 2023, 2024, 9999] {
            let mut days = 0;
            for month in 0..=13 {
                for day in 0..=32 {
                    days += i32::from(format!("{year:04}-{month:02}-{day:02}").parse::<PartialDate>().is_ok());
                }
            }
            let leap = matches!(year, 2000 | 2024);
            assert_eq!(days, if leap { 366 } else { 365 }, "{year}");
        }
    }

    #[test]
    fn a_text_that_is_no_date_is_refused_by_name() {
        for text in [
            "",
            "~",
            "soon",
            "2025-1",
            "25-10-15",
            "2025/10/15",
            "15.10.2025",
            "2025-10-15T00:00:00Z",
            "2025-10-15-01",
            "2025-",
            "2025-10-00",
            "2025-00-01",
            "0000",
            "-2025",
            "+2025",
            "12025",
            "2025 ",
            "2025~?",
            "2025~~",
            "~2025",
            "Unknown",
            "\"",
            "\"\"",
            "\"a",
            "２０２５",
        ] {
            let error = text.parse::<PartialDate>().unwrap_err();
            assert_eq!(error, PartialDateError::Malformed { text: text.into() });
            let message = error.to_string();
            assert!(message.starts_with(&format!("{text:?} is not a date such as 2025-10-15")), "{message}");
        }
    }

    #[test]
    fn a_date_that_no_calendar_has_is_told_from_what_is_no_date() {
        let about = |date| qualified(date, true, false);
        for (text, rule, date) in [
            ("2023-02-30", "the day must be 01 to 28 in 2023-02", PartialDate::day(2023, 2, 30)),
            ("1900-02-29~", "the day must be 01 to 28 in 1900-02", about(PartialDate::day(1900, 2, 29))),
            ("2025-04-31", "the day must be 01 to 30 in 2025-04", PartialDate::day(2025, 4, 31)),
            ("2025-13", "the month must be 01 to 12", PartialDate::month(2025, 13)),
            ("2025-99-99", "the month must be 01 to 12", PartialDate::day(2025, 99, 99)),
        ] {
            let error = text.parse::<PartialDate>().unwrap_err();
            assert_eq!(date.to_string(), text, "its numbers are kept");
            assert_eq!(error, PartialDateError::NotInCalendar { text: text.into(), rule: rule.into(), date });
            assert_eq!(error.to_string(), format!("{text:?} is in no calendar; {rule}"));
        }
    }
}
