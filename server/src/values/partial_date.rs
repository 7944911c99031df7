//! How dates that are known in part compare.
//!
//! A date contradicts another only as far as both are known, and one that is approximate or doubtful contradicts
//! nothing: records are refused for what cannot be true, not for what is merely odd.

use std::cmp::Ordering;

use partnership_registry::v1::PartialDate;

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
