//! Dates that are known in part: what they may be, and how they compare.
//!
//! A date contradicts another only as far as both are known, and one that is approximate or doubtful contradicts
//! nothing: records are refused for what cannot be true, not for what is merely odd.

use std::cmp::Ordering;

use jiff::civil::Date;
use partnership_registry::v1::PartialDate;

use super::Broken;

/// The last year that has four digits.
const YEAR_MAX: i32 = 9_999;

/// The rule that a date breaks: the parts are a day of the calendar as far as they are known, and say something.
pub(crate) fn check(date: &PartialDate) -> Option<Broken> {
    if !(0..=YEAR_MAX).contains(&date.year) {
        return Broken::some("year", "must be 1 to 9999, or 0 if it is not known");
    }
    if !(0..=12).contains(&date.month) {
        return Broken::some("month", "must be 1 to 12, or 0 if it is not known");
    }
    if date.month != 0 && date.year == 0 {
        return Broken::some("month", "must be 0 if the year is not known");
    }
    if date.day != 0 && date.month == 0 {
        return Broken::some("day", "must be 0 if the month is not known");
    }
    if date.day != 0 && calendar_day(date).is_none() {
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

/// The day, if all parts are known and there is such a day.
fn calendar_day(date: &PartialDate) -> Option<Date> {
    Date::new(date.year.try_into().ok()?, date.month.try_into().ok()?, date.day.try_into().ok()?).ok()
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
            (date(2023, 2, 29), "day"),
            (date(2020, 1, -1), "day"),
            (date(2020, 1, 1 << 20), "day"),
            (date(0, 5, 0), "month"),
            (date(2020, 13, 0), "month"),
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
