//! Lines of the log that clients can bring about as often as they like: each is written at most once a minute.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long a line stays away once it was written. A minute shows that something goes on, and fills no disk.
const EVERY: Duration = Duration::from_secs(60);

/// When a line was written last, and how often it would have been since.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// Whether the line is to be written now, and how often it was left out before. `None`: it is left out.
    pub(super) fn due(&self, now: Instant) -> Option<u64> {
        let (written, left_out) = &mut *self.0.lock();
        if written.is_some_and(|written| now.duration_since(written) < EVERY) {
            *left_out += 1;
            return None;
        }
        *written = Some(now);
        Some(std::mem::take(left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_once_a_minute_and_tells_how_often_it_was_not() {
        let (line, now) = (Seldom::default(), Instant::now());
        assert_eq!(line.due(now), Some(0));
        for second in 1..60 {
            assert_eq!(line.due(now + Duration::from_secs(second)), None);
        }
        assert_eq!(line.due(now + EVERY), Some(59));
        assert_eq!(line.due(now + EVERY * 2), Some(0));
    }
}
