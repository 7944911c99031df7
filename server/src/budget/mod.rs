//! The bytes that are held for callers: what was received of them, and what was answered and not taken yet. One budget in
//! all, and a share of it for each connection, so that no caller can take the memory of the others.
//!
//! What is about to be made waits until there is room for it ([`Account::reserve`]), what is received is refused if there
//! is none ([`Account::try_reserve`]), and what exists already is counted in any case ([`Account::charge`]). All of it is
//! given back when it is freed, wherever that happens.

mod account;
mod age;

use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

pub(crate) use account::{Account, OpenCall, Reservation};
pub(crate) use age::Aged;

use crate::config::{CONNECTION_FLOOR_BYTES, TAKING_MAX, TAKING_MAX_UNDER_PRESSURE};
use crate::faults;

/// There is no room for what a caller wants to be held, and was none for as long as it could wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// What is held for all callers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Budget(Arc<Total>);

struct Total {
    bytes_max: usize,
    connection_bytes_max: usize,
    /// What all connections hold beyond their floors.
    taken: AtomicIsize,
    /// How many wait for something to be given back.
    waiting: AtomicUsize,
    given_back: Notify,
}

impl Budget {
    /// A budget of so many bytes in all, of which one connection may hold so many.
    pub(crate) fn new(bytes_max: usize, connection_bytes_max: usize) -> Self {
        let (bytes_max, connection_bytes_max) = match faults::planted("no-budget") {
            Some(_) => (usize::MAX, usize::MAX),
            None => (bytes_max, connection_bytes_max),
        };
        Self(Arc::new(Total {
            bytes_max,
            connection_bytes_max,
            taken: AtomicIsize::new(0),
            waiting: AtomicUsize::new(0),
            given_back: Notify::new(),
        }))
    }

    /// The account of a new connection.
    pub(crate) fn account(&self) -> Account {
        Account::new(self.clone())
    }

    /// How long a caller may take nothing of what is owed to it before its connection is closed. Less than usual while more
    /// than half of the budget is taken: those who take nothing must not keep out those who do.
    pub(crate) fn taking_max(&self) -> Duration {
        if let Some(millis) = faults::planted("taking-max-ms").and_then(|millis| millis.parse().ok()) {
            return Duration::from_millis(millis);
        }
        if self.taken() > self.0.bytes_max / 2 { TAKING_MAX_UNDER_PRESSURE } else { TAKING_MAX }
    }

    /// What is held beyond the floors of all connections. What was given back may be told before it was told that it was
    /// taken, by other threads: for a moment it can be less than nothing.
    pub(crate) fn taken(&self) -> usize {
        usize::try_from(self.0.taken.load(Ordering::Relaxed)).unwrap_or_default()
    }

    fn connection_bytes_max(&self) -> usize {
        self.0.connection_bytes_max
    }

    /// Whether there is room for so many bytes more.
    fn has_room(&self, bytes: usize) -> bool {
        self.taken().saturating_add(bytes) <= self.0.bytes_max
    }

    /// Takes in that a connection that held `before` holds `after`.
    fn moved(&self, before: usize, after: usize) {
        let (before, after) =
            (before.saturating_sub(CONNECTION_FLOOR_BYTES), after.saturating_sub(CONNECTION_FLOOR_BYTES));
        if after != before {
            self.0.taken.fetch_add(after.cast_signed().wrapping_sub(before.cast_signed()), Ordering::Relaxed);
        }
    }

    /// Wakes those who wait.
    fn wake(&self) {
        if self.0.waiting.load(Ordering::SeqCst) > 0 {
            self.0.given_back.notify_waiters();
        }
    }
}
