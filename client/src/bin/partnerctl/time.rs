//! Times and spans on the command line, and in print.

use std::time::Duration;

use partnership_registry_client::{Point, Timestamp};

/// Reads a span such as `500ms`, `30s`, `2m` or `1h`; a number alone is of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| "a time looks like 500ms, 30s or 2m".to_owned())?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "" | "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => return Err(format!("{unit:?} is no unit; there are ms, s, m and h")),
    };
    match milliseconds {
        Some(milliseconds @ 1..=86_400_000) => Ok(Duration::from_millis(milliseconds)),
        Some(_) | None => Err("a time is between 1ms and 24h".to_owned()),
    }
}

/// Reads a moment: a revision, an RFC 3339 time, or a date, which is its first moment in UTC.
pub(crate) fn point(text: &str) -> Result<Point, String> {
    if let Ok(revision) = text.parse::<u64>() {
        return if revision == 0 { Err("the first revision is 1".to_owned()) } else { Ok(Point::Revision(revision)) };
    }
    let is_date = text.len() == "2026-01-31".len();
    let instant = if is_date { format!("{text}T00:00:00Z").parse() } else { text.parse::<jiff::Timestamp>() };
    let wanted = "is neither a revision such as 12 nor a time such as 2026-01-31 or 2026-01-31T12:00:00Z";
    let instant = instant.map_err(|_| format!("{text:?} {wanted}"))?;
    Ok(Point::Time(Timestamp { seconds: instant.as_second(), nanos: instant.subsec_nanosecond() }))
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
    fn spans_are_read() {
        for (text, milliseconds) in [("500ms", 500), ("30s", 30_000), ("7", 7_000), ("2m", 120_000), ("1h", 3_600_000)]
        {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(milliseconds), "{text}");
        }
        for text in ["", "s", "-1s", "0s", "25h", "1d", "1.5s", "99999999999999999999h"] {
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
        assert_eq!(super::text(Some(Timestamp { seconds: 1_700_000_000, nanos: 5 })), "2023-11-14T22:13:20Z");
    }
}
