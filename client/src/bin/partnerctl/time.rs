//! Durations and moments on the command line, and times in print.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use partnership_registry_client::v1::PartialDate;
use partnership_registry_client::{Point, Timestamp};

/// Reads a duration such as `500ms`, `30s`, `2m` or `1h30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<SignedDuration>().map_err(|_| "must look like 500ms, 30s or 2m".to_owned())?;
    if !(SignedDuration::from_millis(1)..=SignedDuration::from_hours(24)).contains(&duration) {
        return Err("must be between 1ms and 24h".to_owned());
    }
    Ok(duration.unsigned_abs())
}

/// Reads a moment: a revision, an RFC 3339 time, or a date, which is its first moment in UTC.
pub(crate) fn point(text: &str) -> Result<Point, String> {
    if let Ok(revision) = text.parse::<u64>() {
        return if revision == 0 { Err("the first revision is 1".to_owned()) } else { Ok(Point::Revision(revision)) };
    }
    let instant = match Date::strptime("%Y-%m-%d", text) {
        Ok(date) => TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)),
        Err(_) => text.parse::<jiff::Timestamp>(),
    };
    let instant = instant.map_err(
        |_| "must be a revision such as 12, a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z",
    )?;
    Ok(Point::Time(Timestamp { seconds: instant.as_second(), nanos: instant.subsec_nanosecond() }))
}

/// Reads a whole day, such as 1990-01-01.
pub(crate) fn day(text: &str) -> Result<PartialDate, String> {
    let date = Date::strptime("%Y-%m-%d", text).map_err(|_| "must be a day of the calendar, such as 1990-01-01")?;
    Ok(PartialDate::day(date.year().into(), date.month().into(), date.day().into()))
}

/// Reads a day, a month or a year.
pub(crate) fn date(text: &str) -> Result<PartialDate, String> {
    match text.parse::<PartialDate>() {
        Ok(date) if date.year != 0 => Ok(date),
        Ok(_) | Err(_) => Err("must be a day, a month or a year, such as 1990-01-31, 1990-01 or 1990".to_owned()),
    }
}

/// A time as RFC 3339 in UTC, to the second.
pub(crate) fn text(time: Option<Timestamp>) -> String {
    let Some(time) = time else { return String::new() };
    match jiff::Timestamp::from_second(time.seconds) {
        Ok(instant) => instant.to_string(),
        Err(_) => time.seconds.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, milliseconds) in
            [("500ms", 500), ("30s", 30_000), ("2m", 120_000), ("1h", 3_600_000), ("1.5s", 1_500), ("1h30m", 5_400_000)]
        {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(milliseconds), "{text}");
        }
        for text in ["", "s", "7", "-1s", "0s", "25h", "99999999999999999999h", "soon"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_read() {
        assert_eq!(point("12").unwrap(), Point::Revision(12));
        let time = |seconds| Point::Time(Timestamp { seconds, nanos: 0 });
        assert_eq!(point("2023-11-14").unwrap(), time(1_699_920_000));
        assert_eq!(point("2023-11-14T22:13:20Z").unwrap(), time(1_700_000_000));
        assert_eq!(point("2023-11-15T01:43:20+03:30").unwrap(), time(1_700_000_000));
        for text in ["", "0", "-3", "yesterday", "2023-13-01", "2023-11-14T22:13"] {
            assert!(point(text).is_err(), "{text}");
        }
        assert_eq!(day("1990-01-31").unwrap(), PartialDate::day(1990, 1, 31));
        for text in ["1990", "1990-01", "1990-02-30", "1990-01-01~", "unknown", ""] {
            assert!(day(text).is_err(), "{text}");
        }
        assert_eq!(date("1990").unwrap(), PartialDate::year(1990));
        for text in ["soon", "unknown", "19900101", ""] {
            assert!(date(text).is_err(), "{text}");
        }
        assert_eq!(super::text(Some(Timestamp { seconds: 1_700_000_000, nanos: 5 })), "2023-11-14T22:13:20Z");
    }
}
