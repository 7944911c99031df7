//! Time, as the registry is told it: one type for the order and the arithmetic of timestamps, days, and the clock.
//!
//! The one place that asks the system's clock. What needs the time is handed a [`Clock`], so that tests can run fifty
//! years in a second.

use prost_types::Timestamp;

const NANOS_PER_SECOND: i32 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

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

    /// The day in UTC to which it belongs.
    #[must_use]
    pub fn day(self) -> Day {
        Day(i32::try_from(self.seconds.div_euclid(SECONDS_PER_DAY)).unwrap_or(i32::MAX))
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

/// A calendar day: the number of days since 1970-01-01, negative before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Time;
}

/// The clock of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Time {
        Timestamp::from(std::time::SystemTime::now()).into()
    }
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
