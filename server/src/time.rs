//! Time, as the registry is told it: one type for the order and the arithmetic of timestamps, days, and the clock.
//!
//! The one place that asks the system's clock. What needs the time is handed a [`Clock`], so that tests can run fifty
//! years in a second.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use prost_types::Timestamp;

use crate::faults;

const NANOS_PER_SECOND: i32 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// 9999-12-31T23:59:59Z: no text form of a timestamp has more than four digits for the year.
const SECONDS_MAX: i64 = 253_402_300_799;

/// A moment, in UTC. Its order is that of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Since 1970-01-01T00:00:00Z; negative before.
    seconds: i64,
    /// 0 to 999,999,999, forward from `seconds`.
    nanos: i32,
}

impl Time {
    /// The first moment after this one.
    #[must_use]
    pub fn next(self) -> Time {
        if self.nanos >= NANOS_PER_SECOND - 1 {
            Time { seconds: self.seconds.saturating_add(1), nanos: 0 }
        } else {
            Time { nanos: self.nanos + 1, ..self }
        }
    }

    /// So much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Time {
        let seconds = self.seconds.saturating_add(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX));
        // Both are less than a second, and fit together into 32 bits.
        let nanos = self.nanos + duration.subsec_nanos().cast_signed();
        if nanos < NANOS_PER_SECOND {
            Time { seconds, nanos }
        } else {
            Time { seconds: seconds.saturating_add(1), nanos: nanos - NANOS_PER_SECOND }
        }
    }

    /// By how many whole seconds it is later than another one; negative if it is earlier.
    #[must_use]
    pub fn seconds_after(self, other: Time) -> i64 {
        self.seconds.saturating_sub(other.seconds)
    }

    /// Whether it is of the years 1970 to 9999, of which everybody can tell the time.
    #[must_use]
    pub fn is_tellable(self) -> bool {
        (0..=SECONDS_MAX).contains(&self.seconds)
    }

    /// The day in UTC to which it belongs.
    #[must_use]
    pub fn day(self) -> Day {
        Day(i32::try_from(self.seconds.div_euclid(SECONDS_PER_DAY)).unwrap_or(i32::MAX))
    }

    /// The day in a time zone to which it belongs; beyond the years that have dates, that in UTC.
    #[must_use]
    pub fn day_in(self, zone: &TimeZone) -> Day {
        let Ok(moment) = jiff::Timestamp::from_second(self.seconds) else { return self.day() };
        let offset = i64::from(zone.to_offset(moment).seconds());
        Time { seconds: self.seconds.saturating_add(offset), nanos: 0 }.day()
    }

    /// The time of its sort key.
    #[must_use]
    pub fn from_sort_key(key: [u8; 12]) -> Time {
        let [s0, s1, s2, s3, s4, s5, s6, s7, n0, n1, n2, n3] = key;
        let seconds = u64::from_be_bytes([s0, s1, s2, s3, s4, s5, s6, s7]) ^ (1 << 63);
        Time { seconds: seconds.cast_signed(), nanos: i32::from_be_bytes([n0, n1, n2, n3]) }
    }

    /// Bytes that sort as times do.
    #[must_use]
    pub fn sort_key(self) -> [u8; 12] {
        let mut key = [0; 12];
        let seconds = (self.seconds.cast_unsigned() ^ (1 << 63)).to_be_bytes();
        for (to, from) in key.iter_mut().zip(seconds.into_iter().chain(self.nanos.to_be_bytes())) {
            *to = from;
        }
        key
    }
}

impl From<Timestamp> for Time {
    /// Takes the parts as they are: timestamps from outside are checked where they come in.
    fn from(Timestamp { seconds, nanos }: Timestamp) -> Time {
        Time { seconds, nanos }
    }
}

impl From<Time> for Timestamp {
    fn from(Time { seconds, nanos }: Time) -> Timestamp {
        Timestamp { seconds, nanos }
    }
}

impl fmt::Display for Time {
    /// As RFC 3339 has it, to the second; from the last day of the year 9999 on, in seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.seconds) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{} seconds after 1970", self.seconds),
        }
    }
}

/// A calendar day: the number of days since 1970-01-01, negative before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The time now, as the clock on the wall shows it: it may be set, and then jumps.
    fn now(&self) -> Time;

    /// What has passed since some moment of the past, by a clock that nobody can set.
    fn monotonic(&self) -> Duration;
}

/// The clock of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Time {
        let Time { seconds, nanos } = Timestamp::from(std::time::SystemTime::now()).into();
        Time { seconds: seconds.saturating_add(planted_offset()), nanos }
    }

    fn monotonic(&self) -> Duration {
        static BEGAN: OnceLock<Instant> = OnceLock::new();
        BEGAN.get_or_init(Instant::now).elapsed()
    }
}

/// By how many seconds the clock is wrong: what is in the file of the fault `clock-offset-file`, if that is planted.
fn planted_offset() -> i64 {
    let file = faults::planted("clock-offset-file");
    file.and_then(|file| std::fs::read_to_string(file).ok()).and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: i64, nanos: i32) -> Time {
        Timestamp { seconds, nanos }.into()
    }

    #[test]
    fn the_moment_after_is_later_and_nothing_is_between() {
        assert_eq!(time(5, 7).next(), time(5, 8));
        assert_eq!(time(5, 999_999_999).next(), time(6, 0));
        assert_eq!(time(-1, 999_999_999).next(), time(0, 0));
    }

    #[test]
    fn what_passes_is_added_and_the_difference_is_in_seconds() {
        let passed = Duration::new(2, 600_000_000);
        assert_eq!(time(5, 500_000_000).after(passed), time(8, 100_000_000));
        assert_eq!(time(5, 0).after(passed), time(7, 600_000_000));
        assert_eq!(time(i64::MAX, 999_999_999).after(passed), time(i64::MAX, 599_999_999));
        assert_eq!((time(8, 0).seconds_after(time(5, 9)), time(-5, 0).seconds_after(time(5, 0))), (3, -10));
        assert_eq!(time(i64::MAX, 0).seconds_after(time(i64::MIN, 0)), i64::MAX);
    }

    #[test]
    fn times_of_four_digits_can_be_told_and_others_do_no_harm() {
        let table = [
            (0, true, "1970-01-01T00:00:00Z"),
            (253_402_207_200, true, "9999-12-30T22:00:00Z"),
            (SECONDS_MAX, true, "253402300799 seconds after 1970"),
            (-1, false, "1969-12-31T23:59:59Z"),
            (SECONDS_MAX + 1, false, "253402300800 seconds after 1970"),
            (i64::MIN, false, "-9223372036854775808 seconds after 1970"),
        ];
        for (seconds, tellable, text) in table {
            assert_eq!((time(seconds, 5).is_tellable(), time(seconds, 5).to_string().as_str()), (tellable, text));
        }
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_zone() {
        let zone = |name: &str| TimeZone::get(name).unwrap();
        // 2025-10-15T15:30Z; then before and after a change of the clock, 2025-03-30T01:00Z.
        let table = [
            ("UTC", 1_760_542_200, 20_376),
            ("Asia/Seoul", 1_760_542_200, 20_377),
            ("America/New_York", 1_760_542_200, 20_376),
            ("Europe/Berlin", 1_743_289_199, 20_176),
            ("Europe/Berlin", 1_743_289_200, 20_177),
            ("Europe/Berlin", 1_743_371_999, 20_177),
            ("Europe/Berlin", 1_743_372_000, 20_178),
        ];
        for (name, seconds, day) in table {
            assert_eq!(time(seconds, 0).day_in(&zone(name)), Day(day), "{name} {seconds}");
        }
        for seconds in [i64::MIN, i64::MAX] {
            assert_eq!(time(seconds, 0).day_in(&zone("Asia/Seoul")), time(seconds, 0).day());
        }
    }

    #[test]
    fn a_day_begins_at_midnight_before_1970_too() {
        let table = [(0, 0), (86_399, 0), (86_400, 1), (-1, -1), (-86_400, -1), (-86_401, -2)];
        for (seconds, day) in table {
            assert_eq!(time(seconds, 0).day(), Day(day), "{seconds}");
        }
    }

    #[test]
    fn keys_sort_as_times_do() {
        let times = [time(i64::MIN, 0), time(-1, 0), time(-1, 5), time(0, 0), time(0, 1), time(i64::MAX, 999_999_999)];
        for pair in times.windows(2) {
            if let [earlier, later] = pair {
                assert!(earlier < later && earlier.sort_key() < later.sort_key(), "{earlier:?} {later:?}");
            }
        }
    }
}
