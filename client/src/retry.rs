//! When a call is retried, and how long it waits before.
//!
//! `UNAVAILABLE` is retried: reads have no effect, and the server recognizes a repeated write by its request id.
//! `RESOURCE_EXHAUSTED` only if the server sent a delay. `ABORTED` never: the caller has to read the resource again.

use std::time::Duration;

use crate::error::{Code, Error};

/// How often calls are retried, and how long they wait before.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    attempts_max: u32,
    backoff_first: Duration,
    backoff_max: Duration,
}

impl Default for RetryPolicy {
    /// Eight attempts with waits of 0.1 to 5 seconds: together about ten, in which a server that restarts is back.
    fn default() -> Self {
        Self { attempts_max: 8, backoff_first: Duration::from_millis(100), backoff_max: Duration::from_secs(5) }
    }
}

impl RetryPolicy {
    /// No retries.
    #[must_use]
    pub fn never() -> Self {
        Self { attempts_max: 1, ..Self::default() }
    }

    /// The most attempts, including the first; at least one is made.
    #[must_use]
    pub fn attempts_max(mut self, attempts: u32) -> Self {
        self.attempts_max = attempts.max(1);
        self
    }

    /// The longest wait before the second attempt; it doubles with each further one.
    #[must_use]
    pub fn backoff_first(mut self, backoff: Duration) -> Self {
        self.backoff_first = backoff;
        self
    }

    /// The longest wait before any attempt, unless the server asks for a longer one.
    #[must_use]
    pub fn backoff_max(mut self, backoff: Duration) -> Self {
        self.backoff_max = backoff;
        self
    }

    /// How long to wait before the next attempt, after `attempts` failed, the last with `error`. `None`: give up.
    pub(crate) fn wait(&self, attempts: u32, error: &Error) -> Option<Duration> {
        (attempts < self.attempts_max && is_safe(error)).then(|| self.pause(attempts, error))
    }

    /// The wait itself, whatever the number of attempts: never less than the server asks for, and more by chance, so that
    /// those who were refused together do not come back together.
    pub(crate) fn pause(&self, attempts: u32, error: &Error) -> Duration {
        let backoff = self.ceiling(attempts).mul_f64(rand::random_range(0.5..=1.0));
        let asked = error.retry_delay().unwrap_or_default().mul_f64(rand::random_range(1.0..=1.5));
        backoff.max(asked)
    }

    /// The longest wait after so many attempts.
    fn ceiling(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(20);
        self.backoff_first.saturating_mul(1 << doublings).min(self.backoff_max)
    }
}

/// Whether a retry can help, and cannot take effect twice.
pub(crate) fn is_safe(error: &Error) -> bool {
    // A server may be restarting: the number of attempts bounds how long that is waited for.
    error.is_unavailable() || (error.code() == Code::ResourceExhausted && error.retry_delay().is_some())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use tonic::Status;
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    fn exhausted(delay: Option<Duration>) -> Error {
        let mut details = ErrorDetails::new();
        if delay.is_some() {
            details.set_retry_info(delay);
        }
        Status::with_error_details(Code::ResourceExhausted, "full", details).into()
    }

    #[test]
    fn only_what_is_safe_is_retried() {
        let policy = RetryPolicy::default();
        let cases = [
            (Error::from(Status::unavailable("")), true),
            (Error::from(Status::aborted("")), false),
            (Error::from(Status::internal("")), false),
            (Error::from(Status::deadline_exceeded("")), false),
            (exhausted(None), false),
            (exhausted(Some(Duration::from_secs(9))), true),
        ];
        for (error, again) in cases {
            assert_eq!(policy.wait(1, &error).is_some(), again, "{error:?}");
        }
    }

    #[test]
    fn attempts_are_bounded_and_waits_grow_to_a_limit() {
        let policy = RetryPolicy::default().attempts_max(3).backoff_max(Duration::from_millis(300));
        let down = Error::from(Status::unavailable(""));
        assert!(policy.wait(2, &down).is_some());
        assert!(policy.wait(3, &down).is_none());
        assert!(RetryPolicy::never().wait(1, &down).is_none());
        assert_eq!(policy.ceiling(1), Duration::from_millis(100));
        assert_eq!(policy.ceiling(2), Duration::from_millis(200));
        assert_eq!(policy.ceiling(60), Duration::from_millis(300));
        for _ in 0..100 {
            let wait = policy.wait(2, &down).unwrap();
            assert!(wait >= Duration::from_millis(100) && wait <= Duration::from_millis(200));
        }
    }

    #[test]
    fn the_delay_that_a_server_asks_for_is_kept_and_not_by_all_alike() {
        let asked = Duration::from_secs(9);
        let waits: Vec<_> =
            (0..100).map(|_| RetryPolicy::default().wait(1, &exhausted(Some(asked))).unwrap()).collect();
        assert!(waits.iter().all(|wait| *wait >= asked && *wait <= asked.mul_f64(1.5)));
        let (first, last) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*last - *first > Duration::from_secs(1), "{first:?} to {last:?}");
    }
}
