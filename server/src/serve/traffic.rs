//! What is known of the traffic of one connection: whether it has greeted, what it has begun and not ended, what it does
//! not take, and whether it keeps to its allowance of frames that carry nothing. It decides; `wire` shows it the bytes.

use std::time::{Duration, Instant};

use super::frames::{Frame, Frames};
use crate::config::{
    ANSWER_FRAME_BYTES_MIN, CONTROL_FRAMES_MAX, CONTROL_FRAMES_PER_ANSWER, CONTROL_FRAMES_PER_SECOND, FRAME_MAX,
    GREETING_MAX,
};
use crate::faults;

/// Why a connection is closed from this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It did not say what HTTP/2 begins with.
    NoGreeting,
    /// A frame or the headers of a call were begun and not ended.
    SlowFrame,
    /// A request was begun and trickled.
    SlowRequest,
    /// More frames that carry nothing than are of use.
    Flood,
    /// It took nothing of what was owed to it.
    NotTaking,
}

impl Cause {
    /// How many there are.
    pub(super) const COUNT: usize = 5;

    /// What the log says of it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Cause::NoGreeting => "it did not begin to speak HTTP/2",
            Cause::SlowFrame => "it did not end a frame that it had begun",
            Cause::SlowRequest => "it did not end a request that it had begun",
            Cause::Flood => "it sent too many frames that carry nothing",
            Cause::NotTaking => "it took nothing of what was owed to it",
        }
    }
}

/// The traffic of one connection.
#[derive(Debug)]
pub(super) struct Traffic {
    opened: Instant,
    received: Frames,
    sent: Frames,
    greeted: bool,
    /// Whether headers have begun and not ended.
    within_headers: bool,
    /// Since when a frame, or the headers of a call, have been incomplete.
    unfinished_since: Option<Instant>,
    /// Whether more was asked for than had come. What we do not read ourselves is not the client's fault.
    starved: bool,
    /// Since when nothing could be written.
    blocked_since: Option<Instant>,
    /// How many bytes were written.
    bytes_sent: u64,
    /// How many frames that carry nothing may still come.
    allowance: u32,
    /// When the allowance last grew with time.
    grew: Instant,
    flooded: bool,
}

impl Traffic {
    /// A connection that was accepted at this time.
    pub(super) fn begin(now: Instant) -> Self {
        Self {
            opened: now,
            received: Frames::of_client(),
            sent: Frames::of_server(),
            greeted: false,
            within_headers: false,
            unfinished_since: None,
            starved: false,
            blocked_since: None,
            bytes_sent: 0,
            allowance: CONTROL_FRAMES_MAX,
            grew: now,
            flooded: false,
        }
    }

    /// These bytes have come. `false`: they are too much of what carries nothing.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> bool {
        let Self { received, greeted, within_headers, unfinished_since, .. } = self;
        let mut control = 0_u32;
        received.pass(bytes, |frame| {
            *greeted |= frame.is_settings();
            *within_headers = (*within_headers || frame.is_headers()) && !frame.ends_headers();
            // Headers that go on in another frame are as old as their beginning.
            if !*within_headers {
                *unfinished_since = None;
            }
            control += u32::from(frame.is_control());
        });
        self.starved = false;
        if self.unfinished_since.is_none() && (self.received.within_frame() || self.within_headers) {
            self.unfinished_since = Some(Instant::now());
        }
        if control > 0 && faults::planted("control-frames-free").is_none() {
            self.spend(control);
        }
        !self.flooded
    }

    /// Nothing has come that could be read.
    pub(super) fn starve(&mut self) {
        self.starved = true;
    }

    /// These bytes have gone.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        let allowance = &mut self.allowance;
        self.sent.pass(bytes, |frame| {
            if is_answer(frame) {
                *allowance = allowance.saturating_add(CONTROL_FRAMES_PER_ANSWER).min(CONTROL_FRAMES_MAX);
            }
        });
        self.bytes_sent += bytes.len() as u64;
        self.blocked_since = None;
    }

    /// Something is to go, and cannot.
    pub(super) fn block(&mut self) {
        self.blocked_since.get_or_insert_with(Instant::now);
    }

    /// How many bytes have gone.
    pub(super) fn bytes_sent(&self) -> u64 {
        self.bytes_sent
    }

    /// Why the connection is to be closed now, if it is. A caller may take nothing for as long as `taking_max`.
    pub(super) fn verdict(&mut self, now: Instant, taking_max: Duration) -> Option<Cause> {
        let longer = |since: Option<Instant>, max| since.is_some_and(|since| now.duration_since(since) > max);
        if !self.starved && self.unfinished_since.is_some() {
            self.unfinished_since = Some(now);
        }
        let patient = faults::planted("slow-frames-wait").is_some();
        if self.flooded {
            Some(Cause::Flood)
        } else if !patient && !self.greeted && longer(Some(self.opened), GREETING_MAX) {
            Some(Cause::NoGreeting)
        } else if !patient && longer(self.unfinished_since, FRAME_MAX) {
            Some(Cause::SlowFrame)
        } else if longer(self.blocked_since, taking_max) {
            Some(Cause::NotTaking)
        } else {
            None
        }
    }

    /// Takes from the allowance, which grows with time; that is looked at only when it would not do.
    fn spend(&mut self, frames: u32) {
        if self.allowance < frames {
            let now = Instant::now();
            let earned = now.duration_since(self.grew).as_millis() * u128::from(CONTROL_FRAMES_PER_SECOND) / 1_000;
            if earned > 0 {
                let earned = u32::try_from(earned).unwrap_or(u32::MAX);
                self.allowance = self.allowance.saturating_add(earned).min(CONTROL_FRAMES_MAX);
                self.grew = now;
            }
        }
        match self.allowance.checked_sub(frames) {
            Some(left) => self.allowance = left,
            None => self.flooded = true,
        }
    }
}

/// Whether a frame that was sent makes up for some that carry nothing. Calls that were begun do not, on purpose: else
/// beginning one and resetting it could go on for ever.
fn is_answer(frame: Frame) -> bool {
    frame.is_headers() || (frame.is_data() && frame.length() >= ANSWER_FRAME_BYTES_MIN)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const PING: &[u8] = &[0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    const RESET: &[u8] = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8];
    const WINDOW_UPDATE: &[u8] = &[0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 1, 0];
    const MINUTE: Duration = Duration::from_secs(60);

    fn headers(flags: u8) -> Vec<u8> {
        vec![0, 0, 1, 1, flags, 0, 0, 0, 1, 0x82]
    }

    fn data(length: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, length, 0, 0, 0, 0, 0, 1];
        bytes.resize(9 + usize::from(length), 0);
        bytes
    }

    /// A connection that has greeted.
    fn greeted() -> Traffic {
        let mut traffic = Traffic::begin(Instant::now());
        assert!(traffic.receive(PREFACE) && traffic.receive(SETTINGS));
        traffic.starve();
        traffic
    }

    #[test]
    fn who_does_not_greet_is_closed_in_time_and_who_greets_is_not() {
        for greeting in [&b""[..], &PREFACE[..12], PREFACE] {
            let mut traffic = Traffic::begin(Instant::now());
            traffic.receive(greeting);
            traffic.starve();
            assert_eq!(traffic.verdict(Instant::now(), MINUTE), None);
            let cause = traffic.verdict(Instant::now() + Duration::from_secs(10), MINUTE);
            assert_eq!(cause, Some(Cause::NoGreeting), "{greeting:?}");
        }
        assert_eq!(greeted().verdict(Instant::now() + MINUTE, MINUTE), None);
    }

    #[test]
    fn headers_that_trickle_in_are_as_old_as_their_beginning() {
        let mut traffic = greeted();
        traffic.receive(&headers(0));
        std::thread::sleep(Duration::from_millis(20));
        // A continuation that does not end them: complete by itself.
        traffic.receive(&[0, 0, 1, 9, 0, 0, 0, 0, 1, 0x84]);
        traffic.starve();
        let soon = traffic.unfinished_since.unwrap() + FRAME_MAX;
        assert!(Instant::now() + FRAME_MAX > soon + Duration::from_millis(20));
        assert_eq!(traffic.verdict(soon, MINUTE), None);
        assert_eq!(traffic.verdict(soon + Duration::from_millis(1), MINUTE), Some(Cause::SlowFrame));
        traffic.receive(&[0, 0, 1, 9, 4, 0, 0, 0, 1, 0x84]);
        traffic.starve();
        assert_eq!(traffic.verdict(soon + MINUTE, MINUTE), None, "they have ended");
    }

    #[test]
    fn a_frame_that_we_do_not_read_on_is_not_held_against_the_client() {
        let mut traffic = greeted();
        traffic.receive(&PING[..10]);
        let later = Instant::now() + MINUTE;
        assert_eq!(traffic.verdict(later, MINUTE), None);
        traffic.starve();
        assert_eq!(traffic.verdict(later + FRAME_MAX, MINUTE), None);
        assert_eq!(traffic.verdict(later + MINUTE, MINUTE), Some(Cause::SlowFrame));
    }

    #[test]
    fn who_takes_nothing_is_closed_and_who_takes_something_is_not() {
        let mut traffic = greeted();
        traffic.block();
        assert_eq!(traffic.verdict(Instant::now() + MINUTE / 2, MINUTE), None);
        assert_eq!(traffic.verdict(Instant::now() + MINUTE * 2, MINUTE), Some(Cause::NotTaking));
        traffic.send(&data(1));
        assert_eq!(traffic.verdict(Instant::now() + MINUTE * 2, MINUTE), None);
    }

    /// Whether a client that sends `sent` and is sent `answered`, again and again, is taken for a flood.
    fn floods(sent: &[&[u8]], answered: &[&[u8]]) -> bool {
        let mut traffic = greeted();
        for _ in 0..50_000 {
            answered.iter().for_each(|bytes| traffic.send(bytes));
            if !sent.iter().all(|bytes| traffic.receive(bytes)) {
                assert_eq!(traffic.verdict(Instant::now(), MINUTE), Some(Cause::Flood));
                return true;
            }
        }
        false
    }

    #[test]
    fn floods_are_told_from_busy_clients() {
        let (begin, end) = (headers(4), headers(5));
        for (what, flood) in [
            ("pings", vec![PING]),
            ("settings", vec![SETTINGS]),
            ("calls that are reset", vec![&begin, RESET]),
            ("empty data", vec![&[0, 0, 0, 0, 0, 0, 0, 0, 1]]),
        ] {
            assert!(floods(&flood, &[]), "{what}");
        }
        assert!(floods(&[WINDOW_UPDATE], &[&data(1)]), "answers taken in crumbs");
        // As much as any client is known to send for an answer.
        let frugal: &[&[u8]] = &[&begin, &data(40), WINDOW_UPDATE, WINDOW_UPDATE, PING];
        assert!(!floods(frugal, &[&begin, &data(5), &end]), "small answers");
        assert!(!floods(&[WINDOW_UPDATE, WINDOW_UPDATE, PING], &[&data(200)]), "a stream of answers");
        assert!(!floods(&[&data(200)], &[]), "a long request");
    }

    #[test]
    fn the_allowance_grows_with_time() {
        let mut traffic = greeted();
        traffic.allowance = 0;
        traffic.grew = Instant::now() - Duration::from_secs(1);
        assert!(traffic.receive(PING));
        assert!(traffic.allowance >= CONTROL_FRAMES_PER_SECOND - 1, "{}", traffic.allowance);
        traffic.allowance = 0;
        traffic.grew = Instant::now() - MINUTE * 60;
        assert!(traffic.receive(PING));
        assert_eq!(traffic.allowance, CONTROL_FRAMES_MAX - 1);
    }
}
