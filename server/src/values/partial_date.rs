//! Dates that are known in part: what they may be, and how they compare.
//!
//! A date contradicts another only as far as both are known, and one that is approximate or doubtful contradicts
//! nothing: records are refused for what cannot be true, not for what is merely odd.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use jiff::ToSpan as _;
use jiff::civil::Date;
use partnership_registry::v1::PartialDate;

use super::Broken;
use crate::time::Day;

/// The last year that has four digits.
const YEAR_MAX: i32 = 9_999;

/// The most that is taken for a month or a day: what has two digits may be a slip of the pen, what has more is no date.
const PART_MAX: i32 = 99;

/// The years of which dates are likely.
const LIKELY_YEARS: RangeInclusive<i32> = 1_000..=2_200;

/// What is strange about a date that breaks no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Strange {
    /// Its parts are on no calendar: [`keep_as_text`] is to be done.
    Impossible,
    /// It says nothing but a text, which is a date of no calendar.
    ImpossibleText,
    /// Its year is before 1000 or after 2200.
    Unlikely,
}

/// The rule that a date breaks: it has parts of which each is known only with the greater one, and says something.
/// Whether the calendar has it is asked by [`strange`].
pub(crate) fn check(date: &PartialDate) -> Option<Broken> {
    if !(0..=YEAR_MAX).contains(&date.year) {
        return Broken::some("year", "must be 1 to 9999, or 0 if it is not known");
    }
    if !(0..=PART_MAX).contains(&date.month) {
        return Broken::some("month", "must be 1 to 12, or 0 if it is not known");
    }
    if date.month != 0 && date.year == 0 {
        return Broken::some("month", "must be 0 if the year is not known");
    }
    if date.day != 0 && date.month == 0 {
        return Broken::some("day", "must be 0 if the month is not known");
    }
    if !(0..=PART_MAX).contains(&date.day) {
        return Broken::some("day", "must be a day of that month, or 0 if it is not known");
    }
    if date.unknown && date.year != 0 {
        return Broken::some("unknown", "must be false if the year is known");
    }
    if date.year == 0 && !date.unknown && date.original_text.is_empty() {
        return Broken::some("", "must have a year or the original text, or be marked as unknown");
    }
    None
}

/// What is strange about a date that [`check`] accepts.
pub(crate) fn strange(date: &PartialDate) -> Option<Strange> {
    if date.year == 0 {
        return read(&date.original_text).is_some_and(|date| is_impossible(&date)).then_some(Strange::ImpossibleText);
    }
    if is_impossible(date) {
        return Some(Strange::Impossible);
    }
    (!LIKELY_YEARS.contains(&date.year)).then_some(Strange::Unlikely)
}

/// A date of no calendar as nothing but a text: its own, or else the date as it was given. What was said of how sure it
/// is stays.
pub(crate) fn keep_as_text(date: &mut PartialDate) {
    if date.original_text.is_empty() {
        date.original_text = written(date);
    }
    (date.year, date.month, date.day) = (0, 0, 0);
}

/// The date as ISO 8601-2 writes it, such as `2023-02-30~`.
pub(crate) fn written(date: &PartialDate) -> String {
    let mut text = format!("{:04}", date.year);
    for part in [date.month, date.day] {
        if part != 0 {
            text.push_str(&format!("-{part:02}"));
        }
    }
    text.push_str(match (date.approximate, date.uncertain) {
        (true, true) => "%",
        (true, false) => "~",
        (false, true) => "?",
        (false, false) => "",
    });
    text
}

/// The parts of a text such as `2023-02-30` or `2023-13~`.
fn read(text: &str) -> Option<PartialDate> {
    let parts = text.strip_suffix(['~', '?', '%']).unwrap_or(text);
    let part = |text: &str, digits: usize| {
        let all = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| text.parse().ok()).flatten()
    };
    let (year, rest) = parts.split_once('-')?;
    let (month, day) = rest.split_once('-').map_or((rest, None), |(month, day)| (month, Some(day)));
    let day = day.map_or(Some(0), |day| part(day, 2))?;
    Some(PartialDate { year: part(year, 4)?, month: part(month, 2)?, day, ..PartialDate::default() })
}

/// Whether the parts are on no calendar. A month `00` or a day `00` is one that is not known.
fn is_impossible(date: &PartialDate) -> bool {
    date.year != 0 && date.month != 0 && (date.month > 12 || (date.day != 0 && calendar_day(date).is_none()))
}

/// The day, if all parts are known and there is such a day.
fn calendar_day(date: &PartialDate) -> Option<Date> {
    Date::new(date.year.try_into().ok()?, date.month.try_into().ok()?, date.day.try_into().ok()?).ok()
}

/// Whether nothing is said of how sure it is.
pub(crate) fn is_plain(date: &PartialDate) -> bool {
    !date.approximate && !date.uncertain && !date.unknown && date.original_text.is_empty()
}

/// The days that it may be: a day, a month or a year, and as much again on both sides if it is approximate or uncertain.
/// `None`: any.
pub(crate) fn days(date: &PartialDate) -> Option<RangeInclusive<Date>> {
    if date.year == 0 {
        return None;
    }
    let date_of = |month, day| calendar_day(&PartialDate { month, day, ..PartialDate::year(date.year) });
    let (unit, first, last) = match (date.month, date.day) {
        (0, _) => (1.year(), date_of(1, 1)?, date_of(12, 31)?),
        (month, 0) => (1.month(), date_of(month, 1)?, date_of(month, 1)?.last_of_month()),
        (month, day) => (1.day(), date_of(month, day)?, date_of(month, day)?),
    };
    if !date.approximate && !date.uncertain {
        return Some(first..=last);
    }
    let later = last.saturating_add(unit);
    let later = if date.day == 0 { later.last_of_month() } else { later };
    Some(first.saturating_sub(unit)..=later)
}

/// The first and the last of [`days`], as [`crate::time::Day`] numbers them.
pub(crate) fn day_numbers(date: &PartialDate) -> Option<(i32, i32)> {
    days(date).map(|days| (day_number(*days.start()), day_number(*days.end())))
}

/// A day as a date. `None`: it is not of the years 1 to 9999.
pub(crate) fn of_day(day: Day) -> Option<PartialDate> {
    let after = jiff::Span::new().try_days(day.0).ok()?;
    let date = Date::constant(1970, 1, 1).checked_add(after).ok().filter(|date| date.year() >= 1)?;
    Some(PartialDate::day(date.year().into(), date.month().into(), date.day().into()))
}

/// The number of a day, counted from 1970-01-01.
pub(crate) fn day_number(day: Date) -> i32 {
    // Whole days, and fewer than four million of them.
    let hours = day.duration_since(Date::constant(1970, 1, 1)).as_hours();
    i32::try_from(hours / 24).unwrap_or(i32::MAX)
}

/// Whether `a` is before `b` whatever the unknown parts of both are.
pub(crate) fn certainly_before(a: &PartialDate, b: &PartialDate) -> bool {
    if [a, b].iter().any(|date| date.approximate || date.uncertain || date.unknown || date.year == 0) {
        return false;
    }
    for (part_of_a, part_of_b) in [(a.year, b.year), (a.month, b.month), (a.day, b.day)] {
        if part_of_a == 0 || part_of_b == 0 {
            return false;
        }
        match part_of_a.cmp(&part_of_b) {
            Ordering::Less => return true,
            Ordering::Greater => return false,
            Ordering::Equal => {}
        }
    }
    false
}

/// [`certainly_before`] for dates that may be absent: an absent date is before none and after none.
pub(crate) fn both_and_before(a: Option<&PartialDate>, b: Option<&PartialDate>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if certainly_before(a, b))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
pub(crate) mod tests {
    use super::*;

    /// A date of which 0 is not known.
    pub(crate) fn date(year: i32, month: i32, day: i32) -> PartialDate {
        PartialDate { year, month, day, ..PartialDate::default() }
    }

    /// A date that exists and that nobody knows.
    pub(crate) fn unknown() -> PartialDate {
        PartialDate { unknown: true, ..PartialDate::default() }
    }

    #[test]
    fn a_date_is_a_day_of_the_calendar_as_far_as_it_is_known() {
        let text = PartialDate { original_text: "1899?".into(), ..PartialDate::default() };
        for good in [date(1896, 0, 0), date(2024, 2, 29), date(9999, 12, 31), unknown(), text] {
            assert_eq!(check(&good), None, "{good:?}");
        }
        let table = [
            (date(2020, 1, -1), "day"),
            (date(2020, 1, 100), "day"),
            (date(2020, 1, 1 << 20), "day"),
            (date(0, 5, 0), "month"),
            (date(2020, 100, 0), "month"),
            (date(2020, -1, 0), "month"),
            (date(2020, 0, 1), "day"),
            (date(10_000, 1, 1), "year"),
            (date(-1, 1, 1), "year"),
            (date(0, 0, 0), ""),
            (PartialDate { unknown: true, ..date(2020, 0, 0) }, "unknown"),
        ];
        for (bad, field) in table {
            assert_eq!(check(&bad).map(|broken| broken.field), Some(field), "{bad:?}");
        }
    }

    /// A date of which nothing but a text is known.
    fn text(text: &str) -> PartialDate {
        PartialDate { original_text: text.into(), ..PartialDate::default() }
    }

    #[test]
    fn what_no_calendar_has_is_strange_and_so_is_a_year_far_away() {
        let table = [
            (date(2024, 2, 29), None),
            (date(2023, 2, 29), Some(Strange::Impossible)),
            (date(2023, 4, 31), Some(Strange::Impossible)),
            (date(2023, 13, 0), Some(Strange::Impossible)),
            (date(2023, 12, 99), Some(Strange::Impossible)),
            (date(500, 2, 30), Some(Strange::Impossible)),
            (date(999, 0, 0), Some(Strange::Unlikely)),
            (date(1_000, 1, 1), None),
            (date(2_200, 12, 31), None),
            (date(2_201, 0, 0), Some(Strange::Unlikely)),
            (unknown(), None),
            (text("2023-02-30"), Some(Strange::ImpossibleText)),
            (text("2023-13%"), Some(Strange::ImpossibleText)),
            (text("2023-02-28"), None),
            (text("0999-01-01"), None),
            (text("2023-00-99"), None),
            (text("2023"), None),
            (text("2023-2-30"), None),
            (text("2023-02-+3"), None),
            (text("30 February 2023"), None),
            (text("\u{ff12}023-02-30"), None),
            // What the parts say counts, not the text beside them.
            (PartialDate { original_text: "2023-02-30".into(), ..date(2023, 2, 0) }, None),
        ];
        for (date, expected) in table {
            assert_eq!(check(&date), None, "{date:?}");
            assert_eq!(strange(&date), expected, "{date:?}");
        }
    }

    #[test]
    fn a_date_of_no_calendar_is_kept_as_it_was_given() {
        let about = |date: PartialDate| PartialDate { approximate: true, ..date };
        let doubtful = |date: PartialDate| PartialDate { uncertain: true, ..date };
        let said = PartialDate { original_text: "30 Feb.".into(), ..date(2023, 2, 30) };
        let table = [
            (date(2023, 2, 30), text("2023-02-30")),
            (date(987, 13, 0), text("0987-13")),
            (about(date(2023, 2, 30)), about(text("2023-02-30~"))),
            (doubtful(date(2023, 2, 30)), doubtful(text("2023-02-30?"))),
            (about(doubtful(date(2023, 2, 30))), about(doubtful(text("2023-02-30%")))),
            (said, text("30 Feb.")),
        ];
        for (given, expected) in table {
            let mut kept = given.clone();
            keep_as_text(&mut kept);
            assert_eq!(kept, expected, "{given:?}");
            let found = strange(&kept);
            assert_eq!(found.is_some(), given.original_text.is_empty(), "what was made of it is known again: {kept:?}");
        }
    }

    #[test]
    fn a_date_is_as_many_days_as_are_left_open() {
        let about = |date: PartialDate| PartialDate { approximate: true, ..date };
        let doubtful = |date: PartialDate| PartialDate { uncertain: true, ..date };
        let table = [
            (date(2024, 2, 29), Some(("2024-02-29", "2024-02-29"))),
            (date(2024, 2, 0), Some(("2024-02-01", "2024-02-29"))),
            (date(2025, 0, 0), Some(("2025-01-01", "2025-12-31"))),
            (about(date(2025, 1, 1)), Some(("2024-12-31", "2025-01-02"))),
            (doubtful(date(2025, 1, 0)), Some(("2024-12-01", "2025-02-28"))),
            (doubtful(about(date(2025, 0, 0))), Some(("2024-01-01", "2026-12-31"))),
            (about(date(2025, 2, 0)), Some(("2025-01-01", "2025-03-31"))),
            (date(9999, 12, 0), Some(("9999-12-01", "9999-12-31"))),
            (about(date(9999, 0, 0)), Some(("9998-01-01", "9999-12-31"))),
            (date(9999, 12, 31), Some(("9999-12-31", "9999-12-31"))),
            (date(2023, 2, 29), None),
            (unknown(), None),
            (text("about 1900"), None),
        ];
        for (date, expected) in table {
            let expected = expected.map(|(first, last)| first.parse().unwrap()..=last.parse().unwrap());
            assert_eq!(days(&date), expected, "{date:?}");
            assert_eq!(day_numbers(&date).is_some(), expected.is_some(), "{date:?}");
        }
    }

    #[test]
    fn days_are_numbered_from_1970_on() {
        let table = [
            (date(1970, 1, 1), (0, 0)),
            (date(1969, 12, 0), (-31, -1)),
            (date(2000, 2, 0), (10_988, 11_016)),
            (date(1, 1, 1), (-719_162, -719_162)),
            (date(9999, 12, 31), (2_932_896, 2_932_896)),
        ];
        for (date, expected) in table {
            assert_eq!(day_numbers(&date), Some(expected), "{date:?}");
        }
        assert_eq!(day_numbers(&unknown()), None);
        for day in [0, -31, 11_016, -719_162, 2_932_896] {
            let date = of_day(Day(day)).unwrap();
            assert_eq!(day_numbers(&date), Some((day, day)), "{date:?}");
        }
        for day in [-719_163, 2_932_897, i32::MIN, i32::MAX] {
            assert_eq!(of_day(Day(day)), None, "{day}");
        }
    }

    #[test]
    fn a_date_is_before_another_only_if_no_unknown_part_could_change_that() {
        let about = |year| PartialDate { approximate: true, ..date(year, 0, 0) };
        let doubtful = |year| PartialDate { uncertain: true, ..date(year, 0, 0) };
        let text = PartialDate { original_text: "1899?".into(), ..PartialDate::default() };
        let table = [
            ("an earlier year", date(1999, 0, 0), date(2000, 0, 0), true),
            ("an earlier year, and a later month", date(1999, 12, 31), date(2000, 1, 1), true),
            ("an earlier month", date(2000, 1, 0), date(2000, 2, 0), true),
            ("an earlier day", date(2000, 1, 1), date(2000, 1, 2), true),
            ("the same day", date(2000, 1, 1), date(2000, 1, 1), false),
            ("a later day", date(2000, 1, 2), date(2000, 1, 1), false),
            ("a later year, and an earlier month", date(2001, 1, 1), date(2000, 12, 31), false),
            ("a day of the other's year", date(2000, 1, 1), date(2000, 0, 0), false),
            ("a year of the other's day", date(2000, 0, 0), date(2000, 12, 31), false),
            ("a day of the other's month", date(2000, 5, 1), date(2000, 5, 0), false),
            ("an unknown date", unknown(), date(2000, 0, 0), false),
            ("than an unknown date", date(2000, 0, 0), unknown(), false),
            ("nothing but a text", text, date(2000, 0, 0), false),
            ("about an earlier year", about(1900), date(2000, 0, 0), false),
            ("than about a later year", date(1900, 0, 0), about(2000), false),
            ("perhaps an earlier year", doubtful(1900), date(2000, 0, 0), false),
        ];
        for (what, a, b, expected) in table {
            assert_eq!(certainly_before(&a, &b), expected, "{what}");
            assert_eq!(both_and_before(Some(&a), Some(&b)), expected, "{what}");
            assert!(!both_and_before(None, Some(&b)) && !both_and_before(Some(&a), None), "{what}, one absent");
        }
    }
}
