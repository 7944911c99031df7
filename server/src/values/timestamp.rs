//! Moments as callers send them.

use std::ops::Range;

use prost_types::Timestamp;

use super::Broken;

/// 0001-01-01T00:00:00Z, the first second that a timestamp may have.
const SECONDS_MIN: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z, the last one.
const SECONDS_MAX: i64 = 253_402_300_799;
const NANOS_PER_SECOND: i32 = 1_000_000_000;
/// The seconds of the years 1000 to 2200, of which times are likely.
const LIKELY_SECONDS: Range<i64> = -30_610_224_000..7_289_654_400;

/// The rule that a timestamp breaks: protobuf allows the years 1 to 9999.
pub(crate) fn check(time: &Timestamp) -> Option<Broken> {
    if !(SECONDS_MIN..=SECONDS_MAX).contains(&time.seconds) {
        return Broken::some("", "must be a time of the years 1 to 9999");
    }
    if !(0..NANOS_PER_SECOND).contains(&time.nanos) {
        return Broken::some("nanos", "must be 0 to 999,999,999");
    }
    None
}

/// Whether a time is before the year 1000 or after the year 2200.
pub(crate) fn is_unlikely(time: &Timestamp) -> bool {
    !LIKELY_SECONDS.contains(&time.seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_unlikely_before_the_year_1000_and_after_2200() {
        use jiff::civil::date;

        let seconds = |day: jiff::civil::Date| day.duration_since(date(1970, 1, 1)).as_secs();
        assert_eq!(LIKELY_SECONDS, seconds(date(1000, 1, 1))..seconds(date(2201, 1, 1)));
        let unlikely = |seconds| is_unlikely(&Timestamp { seconds, nanos: 0 });
        assert!(unlikely(LIKELY_SECONDS.start - 1) && !unlikely(LIKELY_SECONDS.start));
        assert!(!unlikely(LIKELY_SECONDS.end - 1) && unlikely(LIKELY_SECONDS.end));
    }

    #[test]
    fn a_timestamp_is_of_the_years_1_to_9999() {
        let table = [
            (SECONDS_MIN, 0, true),
            (SECONDS_MIN - 1, 0, false),
            (SECONDS_MAX, NANOS_PER_SECOND - 1, true),
            (SECONDS_MAX + 1, 0, false),
            (0, NANOS_PER_SECOND, false),
            (0, -1, false),
        ];
        for (seconds, nanos, good) in table {
            assert_eq!(check(&Timestamp { seconds, nanos }).is_none(), good, "{seconds} {nanos}");
        }
    }

    #[test]
    fn the_bounds_are_those_of_the_calendar() {
        use jiff::civil::date;

        let seconds = |day: jiff::civil::Date| day.duration_since(date(1970, 1, 1)).as_secs();
        assert_eq!((seconds(date(1, 1, 1)), seconds(date(9999, 12, 31)) + 86_399), (SECONDS_MIN, SECONDS_MAX));
    }
}
