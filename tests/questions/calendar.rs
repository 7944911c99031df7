//! The calendar of this test: days and instants as numbers, and back. Written out here, so that a mistake of a library
//! that the server uses is seen.

const MONTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_of_month(year: i64, month: i64) -> i64 {
    MONTHS[month as usize - 1] + i64::from(month == 2 && is_leap(year))
}

/// Days from 1970-01-01 to this one.
pub(crate) fn day(year: i64, month: i64, day: i64) -> i64 {
    // Of the years before this one, counted from year 1.
    let before = year - 1;
    let leaps = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    let of_months: i64 = (1..month).map(|month| days_of_month(year, month)).sum();
    before * 365 + leaps + of_months + day - 1 - 719_162
}

/// Year, month and day of a number of days from 1970-01-01.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    // No later than it is: years have 365 days or 366.
    let mut year = 1970 + days.div_euclid(365).min(days.div_euclid(366));
    while day(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && day(year, month + 1, 1) <= days {
        month += 1;
    }
    (year, month, days - day(year, month, 1) + 1)
}

/// The month that is so many months later, or earlier.
fn months_on(year: i64, month: i64, count: i64) -> (i64, i64) {
    let months = year * 12 + month - 1 + count;
    (months.div_euclid(12), months.rem_euclid(12) + 1)
}

/// The first and the last day of a year, a month or a day; one such span more on both sides if it is `about` then.
pub(crate) fn span(year: i64, month: i64, day_of_month: i64, about: bool) -> (i64, i64) {
    let more = i64::from(about);
    match (month, day_of_month) {
        (0, _) => (day(year - more, 1, 1), day(year + more + 1, 1, 1) - 1),
        (month, 0) => {
            let (first, next) = (months_on(year, month, -more), months_on(year, month, more + 1));
            (day(first.0, first.1, 1), day(next.0, next.1, 1) - 1)
        }
        (month, of_month) => (day(year, month, of_month) - more, day(year, month, of_month) + more),
    }
}

pub(crate) const NANOS_OF_SECOND: i128 = 1_000_000_000;
pub(crate) const NANOS_OF_DAY: i128 = 86_400 * NANOS_OF_SECOND;

/// An instant, in nanoseconds from 1970, as RFC 3339 writes it where clocks are so many minutes ahead of UTC.
pub(crate) fn rfc3339(nanos: i128, minutes_ahead: i128) -> String {
    let local = nanos + minutes_ahead * 60 * NANOS_OF_SECOND;
    let (year, month, day) = civil(local.div_euclid(NANOS_OF_DAY) as i64);
    let of_day = local.rem_euclid(NANOS_OF_DAY);
    let (seconds, fraction) = (of_day / NANOS_OF_SECOND, of_day % NANOS_OF_SECOND);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction =
        if fraction == 0 { String::new() } else { format!(".{fraction:09}").trim_end_matches('0').to_owned() };
    let zone = match minutes_ahead {
        0 => "Z".to_owned(),
        ahead => {
            let sign = if ahead < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", ahead.abs() / 60, ahead.abs() % 60)
        }
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}")
}

#[test]
fn the_calendar_of_this_test_is_that_of_the_world() {
    for (days, date) in [
        (0, (1970, 1, 1)),
        (-1, (1969, 12, 31)),
        (11_016, (2000, 2, 29)),
        (19_782, (2024, 2, 29)),
        (20_786, (2026, 11, 29)),
        (-719_162, (1, 1, 1)),
        (2_932_896, (9999, 12, 31)),
        (-25_509, (1900, 2, 28)),
        (-25_508, (1900, 3, 1)),
    ] {
        assert_eq!(day(date.0, date.1, date.2), days, "{date:?}");
        assert_eq!(civil(days), date);
    }
    assert_eq!(span(2024, 2, 0, false), (day(2024, 2, 1), day(2024, 2, 29)));
    assert_eq!(span(2025, 1, 0, true), (day(2024, 12, 1), day(2025, 2, 28)));
    assert_eq!(span(2025, 0, 0, true), (day(2024, 1, 1), day(2026, 12, 31)));
    assert_eq!(span(2025, 1, 1, true), (day(2024, 12, 31), day(2025, 1, 2)));
    assert_eq!(rfc3339(NANOS_OF_SECOND / 2, 0), "1970-01-01T00:00:00.5Z");
    assert_eq!(rfc3339(0, -210), "1969-12-31T20:30:00-03:30");
}
