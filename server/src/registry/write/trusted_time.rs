//! The time that commits and days go by: that of the wall clock, as long as it goes with the time that has passed.
//!
//! A clock can be set wrong, by hand, by a server of time or by a dead battery, and nothing that it showed while it was
//! wrong can be taken back: commit times never go back, nor do days. So the wall clock is held against the monotonic one,
//! which nobody can set. Small differences are followed at once; a jump only once it has lasted, and one that is too far
//! only by an operator. Pure, but for [`TrustedClock`], which asks the clock and logs.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use parking_lot::Mutex;

use crate::faults;
use crate::time::{Clock, Time};

const SECONDS_PER_DAY: i64 = 86_400;

/// A wall clock that differs by more has jumped. Less comes of leap seconds, of slow machines and of clocks that are set a
/// little; a wrong time zone is an hour at least.
const JUMP_SECONDS: i64 = 3_600;

/// A jump that has lasted so long is believed: whoever set the clock wrong by mistake has had the time to see it.
const BELIEVED_AFTER: Duration = Duration::from_secs(3_600);

/// The wall clock may be so far ahead of what is known, at the start or after a jump: a registry that has been shut for a
/// year is not unheard of, and a clock that is wrong is often wrong by many years.
const AHEAD_DAYS_MAX: i64 = 400;

/// How often the clock is looked at when nobody writes: a jump is told soon, and lasts from then on.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why the registry does not go by the clock, and so does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// It shows a time of which nobody could tell.
    #[error("the clock of this machine shows {0}, which is not in the years 1970 to 9999; set it, and start again")]
    Untellable(Time),
    /// It is so far ahead that it may well be wrong.
    #[error(
        "the clock of this machine shows {shown}, {days} days after the last commit ({last}), and up to {AHEAD_DAYS_MAX} are believed; if it is right, start once with --accept-time-jump; if not, set it first: what is committed at a wrong time keeps it"
    )]
    TooFarAhead {
        /// What it shows.
        shown: Time,
        /// When the last commit was made.
        last: Time,
        /// How many whole days later that is.
        days: i64,
    },
    /// The last commit was made at a time after which there is no other.
    #[error(
        "the last commit was made at {0}, beyond the year 9999, by a clock that was wrong; go on from a copy of before"
    )]
    LastUntellable(Time),
}

/// What came of a look at the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It has jumped by so many seconds, and is not followed.
    Jumped(i64),
    /// It goes with the time again, as before the jump.
    Returned,
    /// The jump has lasted, and is followed.
    Believed(i64),
}

#[derive(Debug, Clone, Copy)]
struct Jump {
    /// When it was seen, by the monotonic clock.
    since: Duration,
    /// By how many seconds the wall clock was ahead then; negative if it was behind.
    seconds: i64,
}

/// The rule.
#[derive(Debug)]
struct TrustedTime {
    time: Time,
    /// When it was that, by the monotonic clock.
    at: Duration,
    /// The jump that is not followed.
    jump: Option<Jump>,
}

impl TrustedTime {
    /// Begins with what the wall clock shows.
    fn new(wall: Time, monotonic: Duration) -> Self {
        Self { time: wall, at: monotonic, jump: None }
    }

    /// Looks at the clocks.
    fn look(&mut self, wall: Time, monotonic: Duration) -> Option<Change> {
        self.time = self.time.after(monotonic.saturating_sub(self.at));
        self.at = monotonic;
        let seconds = wall.seconds_after(self.time);
        let is_near = |seconds: i64| seconds.unsigned_abs() <= JUMP_SECONDS.unsigned_abs();
        if is_near(seconds) && wall.is_tellable() {
            self.time = wall;
            return self.jump.take().map(|_| Change::Returned);
        }
        match self.jump {
            Some(jump) if is_near(seconds.saturating_sub(jump.seconds)) => {
                let lasted = monotonic.saturating_sub(jump.since) >= BELIEVED_AFTER;
                if !lasted || !wall.is_tellable() || seconds > AHEAD_DAYS_MAX * SECONDS_PER_DAY {
                    return None;
                }
                (self.time, self.jump) = (wall, None);
                Some(Change::Believed(seconds))
            }
            // The first one, or another one on top of it: that has to last by itself.
            Some(_) | None => {
                self.jump = Some(Jump { since: monotonic, seconds });
                Some(Change::Jumped(seconds))
            }
        }
    }
}

/// The clock that commits are made by.
pub(crate) struct TrustedClock {
    clock: Arc<dyn Clock>,
    time: Mutex<TrustedTime>,
}

impl TrustedClock {
    /// Holds what the clock shows against the rule that it can be told at all. For before anything is opened.
    pub(crate) fn check_tellable(clock: &dyn Clock) -> Result<(), ClockError> {
        let wall = clock.now();
        if wall.is_tellable() || trusts_all() { Ok(()) } else { Err(ClockError::Untellable(wall)) }
    }

    /// Begins to trust the clock. `last` is when the last commit was made, if there is one; a clock that is much later is
    /// trusted only if the operator says so.
    pub(crate) fn new(clock: Arc<dyn Clock>, last: Option<Time>, accept_time_jump: bool) -> Result<Self, ClockError> {
        let wall = clock.now();
        if let Some(last) = last.filter(|_| !trusts_all()) {
            if last > wall && !last.is_tellable() {
                return Err(ClockError::LastUntellable(last));
            }
            let seconds = wall.seconds_after(last);
            let days = seconds / SECONDS_PER_DAY;
            if seconds > AHEAD_DAYS_MAX * SECONDS_PER_DAY {
                if !accept_time_jump {
                    return Err(ClockError::TooFarAhead { shown: wall, last, days });
                }
                tracing::warn!(%last, clock = %wall, days, "the last commit is long ago, and the clock is taken to be right");
            }
            if seconds < -JUMP_SECONDS {
                tracing::warn!(
                    %last,
                    clock = %wall,
                    "the last commit was made at a later time than the clock shows; until that time, commits follow it by a nanosecond each"
                );
            }
        }
        let time = Mutex::new(TrustedTime::new(wall, clock.monotonic()));
        Ok(Self { clock, time })
    }

    /// The time to go by.
    pub(crate) fn now(&self) -> Time {
        let wall = self.clock.now();
        if trusts_all() {
            return wall;
        }
        let (change, now) = {
            let mut time = self.time.lock();
            (time.look(wall, self.clock.monotonic()), time.time)
        };
        match change {
            None => {}
            Some(Change::Jumped(seconds)) => tracing::warn!(
                seconds,
                clock = %wall,
                trusted = %now,
                "the clock has jumped and is not followed; it is once the jump has lasted an hour, if it is not more than {AHEAD_DAYS_MAX} days ahead; a restart follows it at once"
            ),
            Some(Change::Returned) => tracing::info!(clock = %wall, "the clock goes with the time again"),
            Some(Change::Believed(seconds)) => {
                tracing::warn!(seconds, clock = %wall, "the jump of the clock has lasted, and is followed now");
            }
        }
        now
    }

    /// Looks at the clock every now and then, until the sender is gone.
    pub(crate) fn run(&self, closing: &Receiver<()>) {
        while closing.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            self.now();
        }
    }
}

/// Whether every clock is trusted: only by a planted fault.
fn trusts_all() -> bool {
    faults::planted("trust-any-clock").is_some()
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    const NOON: i64 = 1_700_000_000;
    const HOUR: i64 = 3_600;
    const DAY: i64 = SECONDS_PER_DAY;

    fn at(seconds: i64) -> Time {
        Timestamp { seconds, nanos: 0 }.into()
    }

    /// The clocks of a machine: `passed` seconds after noon, with the wall clock ahead by so much.
    struct Machine(TrustedTime);

    impl Machine {
        fn new() -> Self {
            Self(TrustedTime::new(at(NOON), Duration::ZERO))
        }

        /// What came of a look, and by how much the trusted time is ahead of what has passed.
        fn look(&mut self, passed: i64, ahead: i64) -> (Option<Change>, i64) {
            let monotonic = Duration::from_secs(passed.unsigned_abs());
            let change = self.0.look(at(NOON.saturating_add(passed).saturating_add(ahead)), monotonic);
            (change, self.0.time.seconds_after(at(NOON + passed)))
        }
    }

    #[test]
    fn small_differences_are_followed_in_both_directions() {
        let mut machine = Machine::new();
        for (passed, ahead) in [(1, 0), (2, 60), (3, 60 + HOUR), (4, 60), (5, -3_000), (5, -3_000 - HOUR)] {
            assert_eq!(machine.look(passed, ahead), (None, ahead), "{passed}");
        }
    }

    #[test]
    fn a_jump_is_told_once_and_not_followed_until_it_has_lasted() {
        for jump in [HOUR + 1, -HOUR - 1, 2 * HOUR, -3_000 * DAY, 400 * DAY] {
            let mut machine = Machine::new();
            assert_eq!(machine.look(10, jump), (Some(Change::Jumped(jump)), 0));
            // It is the same jump if the clock drifts.
            for passed in [11, 100, HOUR, HOUR + 9] {
                assert_eq!(machine.look(passed, jump + jump.signum() * passed / 1_000), (None, 0), "{jump} {passed}");
            }
            assert_eq!(machine.look(HOUR + 10, jump), (Some(Change::Believed(jump)), jump));
            assert_eq!(machine.look(HOUR + 11, jump), (None, jump));
        }
    }

    #[test]
    fn a_jump_that_is_taken_back_has_no_consequence() {
        let mut machine = Machine::new();
        assert_eq!(machine.look(10, 5 * DAY), (Some(Change::Jumped(5 * DAY)), 0));
        assert_eq!(machine.look(HOUR, 20), (Some(Change::Returned), 20));
        // Another one begins anew.
        assert_eq!(machine.look(HOUR + 1, 5 * DAY + 20), (Some(Change::Jumped(5 * DAY)), 20));
        assert_eq!(machine.look(2 * HOUR, 5 * DAY + 20), (None, 20));
    }

    #[test]
    fn a_jump_on_top_of_another_has_to_last_by_itself() {
        let mut machine = Machine::new();
        assert_eq!(machine.look(0, 2 * DAY).0, Some(Change::Jumped(2 * DAY)));
        assert_eq!(machine.look(HOUR - 1, 3 * DAY), (Some(Change::Jumped(3 * DAY)), 0));
        assert_eq!(machine.look(HOUR + 1, 3 * DAY), (None, 0));
        assert_eq!(machine.look(2 * HOUR - 1, 3 * DAY), (Some(Change::Believed(3 * DAY)), 3 * DAY));
    }

    #[test]
    fn what_is_too_far_ahead_or_cannot_be_told_is_never_followed() {
        for jump in [400 * DAY + 1, 4_000 * DAY, 300_000_000_000, i64::MAX / 2, -NOON - 200 * HOUR, i64::MIN / 2] {
            let mut machine = Machine::new();
            assert!(matches!(machine.look(10, jump), (Some(Change::Jumped(_)), 0)), "{jump}");
            for hours in 1..100 {
                assert_eq!(machine.look(hours * HOUR, jump), (None, 0), "{jump} {hours}");
            }
            assert_eq!(machine.look(100 * HOUR, 0), (Some(Change::Returned), 0));
        }
    }

    struct Wall(i64);

    impl Clock for Wall {
        fn now(&self) -> Time {
            at(self.0)
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[test]
    fn a_clock_that_cannot_be_right_is_refused_at_the_start() {
        let begin = |wall, last: Option<i64>, accept| TrustedClock::new(Arc::new(Wall(wall)), last.map(at), accept);
        for (wall, good) in [(-1, false), (0, true), (253_402_300_799, true), (253_402_300_800, false)] {
            assert_eq!(TrustedClock::check_tellable(&Wall(wall)).is_ok(), good, "{wall}");
        }
        for (last, accept, good) in [
            (None, false, true),
            (Some(NOON - 400 * DAY), false, true),
            (Some(NOON - 400 * DAY - 1), false, false),
            (Some(NOON - 4_000 * DAY), true, true),
            (Some(NOON + 4_000 * DAY), false, true),
            (Some(253_402_300_800), true, false),
        ] {
            assert_eq!(begin(NOON, last, accept).is_ok(), good, "{last:?} {accept}");
        }
        let told = begin(NOON, Some(NOON - 500 * DAY), false).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("2023-11-14T22:13:20Z, 500 days after") && told.contains("--accept-time-jump"), "{told}");
    }
}
