//! What is held for one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::age::{Aged, Ages};
use super::{Budget, Busy};
use crate::config::{CALL_BYTES, CONNECTION_FLOOR_BYTES, CONNECTION_READS_MAX, ROOM_WAIT_MAX};

/// What is held for one connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Account(Arc<Held>);

struct Held {
    budget: Budget,
    /// All that is held, the calls themselves among it.
    bytes: AtomicUsize,
    /// The open calls.
    calls: AtomicUsize,
    ages: Arc<Ages>,
    /// Whoever waits for room: one at a time, in the order in which they came.
    turn: tokio::sync::Mutex<()>,
    /// The turns of those who read.
    reads: Semaphore,
}

impl Account {
    pub(super) fn new(budget: Budget) -> Self {
        let (bytes, calls, ages) = (AtomicUsize::new(0), AtomicUsize::new(0), Arc::new(Ages::new()));
        let reads = Semaphore::new(CONNECTION_READS_MAX);
        Self(Arc::new(Held { budget, bytes, calls, ages, turn: tokio::sync::Mutex::default(), reads }))
    }

    /// A turn among the reads of this connection that block, as soon as there is one. It is never `None`.
    pub(crate) async fn turn_to_read(&self) -> Option<SemaphorePermit<'_>> {
        self.0.reads.acquire().await.ok()
    }

    /// Opens a call, if there is room for what it takes by itself.
    pub(crate) fn open_call(&self) -> Result<OpenCall, Busy> {
        let reservation = self.try_reserve(CALL_BYTES)?;
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        Ok(OpenCall { reservation })
    }

    /// The open calls.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// Takes so many bytes at once, or none.
    pub(crate) fn try_reserve(&self, bytes: usize) -> Result<Reservation, Busy> {
        self.try_take(bytes, self.0.budget.connection_bytes_max())?;
        Ok(Reservation { account: self.clone(), bytes })
    }

    /// Takes so many bytes as soon as there is room for them; what is more than a connection may hold, once it holds nothing
    /// but its calls. Fails after [`ROOM_WAIT_MAX`].
    pub(crate) async fn reserve(&self, bytes: usize) -> Result<Reservation, Busy> {
        // Whoever comes later does not overtake those who wait.
        if let Ok(_turn) = self.0.turn.try_lock()
            && let Some(reservation) = self.take_alone_or_with_others(bytes)
        {
            return Ok(reservation);
        }
        // In a task of its own: an answer that nobody takes is not polled, and would keep its turn for ever.
        let account = self.clone();
        let waiting = tokio::spawn(async move { timeout(ROOM_WAIT_MAX, account.wait_for(bytes)).await });
        AbortOnDropHandle::new(waiting).await.ok().and_then(Result::ok).ok_or(Busy)
    }

    async fn wait_for(&self, bytes: usize) -> Reservation {
        let _turn = self.0.turn.lock().await;
        let total = &self.0.budget.0;
        loop {
            let given_back = total.given_back.notified();
            let _waiting = Waiting::new(&total.waiting);
            // What was given back before this was not told.
            if let Some(reservation) = self.take_alone_or_with_others(bytes) {
                return reservation;
            }
            given_back.await;
        }
    }

    fn take_alone_or_with_others(&self, bytes: usize) -> Option<Reservation> {
        let calls = self.calls() * CALL_BYTES;
        let max = self.0.budget.connection_bytes_max().max(calls.saturating_add(bytes));
        self.try_take(bytes, max).is_ok().then(|| Reservation { account: self.clone(), bytes })
    }

    /// Takes so many bytes in any case: they exist already. Those who reserve wait the longer.
    pub(crate) fn charge(&self, bytes: usize) -> Reservation {
        let before = self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.0.budget.moved(before, before.saturating_add(bytes));
        Reservation { account: self.clone(), bytes }
    }

    /// Notes a piece of an answer that is handed over now.
    pub(crate) fn aged(&self) -> Aged {
        Aged::new(self.0.ages.clone())
    }

    /// How long the oldest piece that was handed over has not been taken. `None`: all were.
    pub(crate) fn owed_for(&self) -> Option<Duration> {
        self.0.ages.oldest()
    }

    fn try_take(&self, bytes: usize, max: usize) -> Result<(), Busy> {
        let budget = &self.0.budget;
        let fits = |held: usize| {
            let after = held.saturating_add(bytes);
            let beyond = after.saturating_sub(CONNECTION_FLOOR_BYTES).min(bytes);
            (after <= max && (beyond == 0 || budget.has_room(beyond))).then_some(after)
        };
        let before = self.0.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).map_err(|_| Busy)?;
        budget.moved(before, before.saturating_add(bytes));
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        let before = self.0.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.0.budget.moved(before, before.saturating_sub(bytes));
        self.0.budget.wake();
    }
}

/// Bytes that are held until this is dropped.
pub(crate) struct Reservation {
    account: Account,
    bytes: usize,
}

impl Reservation {
    /// For whom.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// How many bytes are held.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives back what is not needed after all, or takes what is needed beyond it in any case.
    pub(crate) fn set(&mut self, bytes: usize) {
        match bytes.checked_sub(self.bytes) {
            Some(more) => {
                let before = self.account.0.bytes.fetch_add(more, Ordering::Relaxed);
                self.account.0.budget.moved(before, before.saturating_add(more));
            }
            None => self.account.give_back(self.bytes - bytes),
        }
        self.bytes = bytes;
    }

    /// Takes so many bytes more, or none.
    pub(crate) fn try_grow(&mut self, bytes: usize) -> Result<(), Busy> {
        self.account.try_take(bytes, self.account.0.budget.connection_bytes_max())?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.account.give_back(self.bytes);
    }
}

/// A call from its request to the end of its answer.
pub(crate) struct OpenCall {
    reservation: Reservation,
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.reservation.account.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One of those who wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    const IN_ALL: usize = 10 << 20;
    const OF_ONE: usize = 4 << 20;

    #[test]
    fn what_is_given_back_can_be_taken_again_and_nothing_is_lost() {
        let budget = Budget::new(IN_ALL, OF_ONE);
        let account = budget.account();
        let mut first = account.try_reserve(OF_ONE - 1).unwrap();
        assert_eq!(account.try_reserve(2).err(), Some(Busy));
        first.set(10);
        let second = account.try_reserve(OF_ONE - 10).unwrap();
        assert_eq!(first.try_grow(1), Err(Busy));
        assert_eq!(budget.taken(), OF_ONE - CONNECTION_FLOOR_BYTES);
        drop(second);
        first.try_grow(100).unwrap();
        drop((first, account.charge(2 * OF_ONE)));
        assert_eq!(budget.taken(), 0);
    }

    #[test]
    fn nobody_is_refused_because_others_take_and_give_back_at_once() {
        let budget = Budget::new(IN_ALL, OF_ONE);
        let busy = budget.account();
        // Beyond its floor by a little, so that it goes to and fro over it.
        let held = busy.charge(CONNECTION_FLOOR_BYTES - 1);
        let other = budget.account();
        let floor = other.charge(CONNECTION_FLOOR_BYTES);
        std::thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(|| (0..200_000).for_each(|_| drop(busy.charge(2))));
            }
            for _ in 0..200_000 {
                assert!(other.try_reserve(1).is_ok(), "{} of {IN_ALL} bytes are taken", budget.taken());
            }
        });
        drop((held, floor));
        assert_eq!(budget.taken(), 0);
    }

    #[test]
    fn the_floor_of_a_connection_is_there_whatever_the_others_hold() {
        let budget = Budget::new(IN_ALL, OF_ONE);
        let others: Vec<_> = (0..10).map(|_| budget.account()).collect();
        let held: Vec<_> = others.iter().map(|other| other.charge(OF_ONE)).collect();
        let account = budget.account();
        let floor = account.try_reserve(CONNECTION_FLOOR_BYTES).unwrap();
        assert_eq!(account.try_reserve(1).err(), Some(Busy));
        drop((held, floor));
        assert_eq!(budget.taken(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_served_in_turn_and_not_for_ever() {
        let budget = Budget::new(IN_ALL, OF_ONE);
        let account = budget.account();
        let held = account.try_reserve(OF_ONE).unwrap();
        assert_eq!(account.reserve(1).await.err(), Some(Busy), "nothing is given back");
        let order = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let mut waiting = tokio::task::JoinSet::new();
        for (place, bytes) in [OF_ONE, 1, OF_ONE / 2].into_iter().enumerate() {
            let (account, order) = (account.clone(), order.clone());
            waiting.spawn(async move {
                let reservation = account.reserve(bytes).await.unwrap();
                order.lock().push(place);
                tokio::time::sleep(Duration::from_millis(10)).await;
                drop(reservation);
            });
            tokio::task::yield_now().await;
        }
        drop(held);
        waiting.join_all().await;
        assert_eq!(*order.lock(), [0, 1, 2]);
        assert_eq!(budget.taken(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_polled_keeps_nobody_waiting() {
        let account = Budget::new(IN_ALL, OF_ONE).account();
        let held = account.try_reserve(OF_ONE).unwrap();
        let mut unpolled = Box::pin(account.reserve(1));
        assert!(futures_util::poll!(&mut unpolled).is_pending());
        let waiting = tokio::spawn({
            let account = account.clone();
            async move { account.reserve(2).await.map(|_| ()) }
        });
        tokio::task::yield_now().await;
        drop(held);
        assert_eq!(waiting.await.unwrap(), Ok(()));
        drop(unpolled);
        tokio::task::yield_now().await;
        assert!(account.try_reserve(OF_ONE).is_ok(), "what nobody waits for any more is given back");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_larger_than_a_connection_may_hold_is_let_in_alone() {
        let account = Budget::new(IN_ALL, OF_ONE).account();
        let calls = [account.open_call().unwrap(), account.open_call().unwrap()];
        let large = account.reserve(2 * OF_ONE).await.unwrap();
        assert_eq!(account.reserve(2 * OF_ONE).await.err(), Some(Busy));
        assert_eq!(account.calls(), 2);
        drop((large, calls));
        assert_eq!(account.calls(), 0);
        assert!(account.reserve(2 * OF_ONE).await.is_ok());
    }

    #[test]
    fn the_oldest_piece_tells_how_long_nothing_was_taken() {
        let account = Budget::new(IN_ALL, OF_ONE).account();
        assert_eq!(account.owed_for(), None);
        let piece = account.aged();
        assert_eq!(account.owed_for(), Some(Duration::ZERO));
        drop(piece);
        assert_eq!(account.owed_for(), None);
    }
}
