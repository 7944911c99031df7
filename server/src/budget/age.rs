//! How long what was answered has not been taken: for each second, how many pieces were handed over in it and have not
//! been freed. Counting is all that an answer costs, and the oldest is found by looking at the seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A slot for each second; more than a piece can be old before its connection is closed.
const SLOTS: usize = 128;

/// How many pieces are held, by the second in which they were handed over.
pub(super) struct Ages {
    began: Instant,
    slots: [AtomicU32; SLOTS],
}

impl Ages {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), slots: [const { AtomicU32::new(0) }; SLOTS] }
    }

    fn second(&self) -> usize {
        usize::try_from(self.began.elapsed().as_secs()).unwrap_or(usize::MAX)
    }

    fn slot(&self, second: usize) -> Option<&AtomicU32> {
        self.slots.get(second % SLOTS)
    }

    /// The age of the oldest piece, at least: a piece may be up to two seconds older. `None`: all were taken.
    pub(super) fn oldest(&self) -> Option<Duration> {
        let now = self.second();
        let held = |second| self.slot(second).is_some_and(|slot| slot.load(Ordering::Relaxed) > 0);
        let second = (now.saturating_sub(SLOTS - 1)..=now).find(|second| held(*second))?;
        Some(Duration::from_secs((now - second).saturating_sub(1) as u64))
    }
}

/// A piece of an answer that was handed over and is not freed yet.
pub(crate) struct Aged {
    ages: Arc<Ages>,
    second: usize,
}

impl Aged {
    /// One that is handed over now.
    pub(super) fn new(ages: Arc<Ages>) -> Self {
        let second = ages.second();
        if let Some(slot) = ages.slot(second) {
            slot.fetch_add(1, Ordering::Relaxed);
        }
        Self { ages, second }
    }
}

impl Drop for Aged {
    fn drop(&mut self) {
        if let Some(slot) = self.ages.slot(self.second) {
            slot.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
