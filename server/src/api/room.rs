//! The room that is kept for what a call answers: taken before it is read, and given back with it.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::SemaphorePermit;

use crate::budget::{Account, Reservation};
use crate::registry::Error;

/// What a call may read for its answer without asking: it is a part of what the call itself was charged.
const UNASKED_BYTES: usize = 4 << 10;

/// What a page waits for; beyond that it is as long as there is room at once. A page of this size fits into what every
/// connection may hold in any case.
pub(crate) const PAGE_ROOM_BYTES: usize = 32 << 10;

/// The room of one call. Cheap to clone; all is given back with the last clone.
#[derive(Clone)]
pub(crate) struct Room {
    account: Account,
    taken: Arc<Mutex<Reservation>>,
}

impl Room {
    /// No room yet, of the account of a connection.
    pub(crate) fn new(account: Account) -> Self {
        let taken = Arc::new(Mutex::new(account.charge(0)));
        Self { account, taken }
    }

    /// Takes room for so many bytes, instead of what was taken before: that has become an answer by now, and is counted as
    /// one.
    ///
    /// # Errors
    /// There was none for as long as a call can wait.
    pub(crate) async fn take(&self, bytes: usize) -> Result<(), Error> {
        self.set(0);
        if bytes > UNASKED_BYTES {
            let taken = self.account.reserve(bytes).await.map_err(|_| Error::Busy)?;
            *self.taken.lock() = taken;
        }
        Ok(())
    }

    /// Takes room for one thing after the other, as long as there is some: first what was taken before, then more.
    pub(crate) fn growing(&self) -> impl FnMut(usize) -> bool + Send + use<> {
        let taken = self.taken.clone();
        let mut left = taken.lock().bytes();
        move |bytes| {
            let more = bytes.saturating_sub(left);
            left = left.saturating_sub(bytes);
            more == 0 || taken.lock().try_grow(more).is_ok()
        }
    }

    /// A turn among the reads of the connection that block, as soon as there is one.
    pub(crate) async fn turn_to_read(&self) -> Option<SemaphorePermit<'_>> {
        self.account.turn_to_read().await
    }

    /// Whether anything was taken.
    pub(crate) fn is_taken(&self) -> bool {
        self.taken.lock().bytes() > 0
    }

    /// Notes how many bytes it became.
    pub(crate) fn set(&self, bytes: usize) {
        self.taken.lock().set(bytes);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use crate::budget::Budget;

    const OF_ONE: usize = 1 << 20;

    #[tokio::test(start_paused = true)]
    async fn room_is_taken_instead_of_what_was_taken_before() {
        let budget = Budget::new(OF_ONE, OF_ONE);
        let room = Room::new(budget.account());
        room.take(OF_ONE).await.unwrap();
        room.take(OF_ONE).await.unwrap();
        room.set(OF_ONE - 1);
        let mut growing = room.growing();
        assert!(growing(1) && growing(OF_ONE - 2), "it was taken before");
        assert!(growing(1) && !growing(1), "one is left");
        drop(growing);
        let other = room.clone();
        drop(room);
        assert!(!other.growing()(OF_ONE + 1), "a clone keeps it");
        drop(other);
        assert_eq!(budget.taken(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_room_hears_of_it_and_small_answers_do_not_ask() {
        let account = Budget::new(OF_ONE, OF_ONE).account();
        let _full = account.try_reserve(OF_ONE).unwrap();
        let room = Room::new(account);
        assert!(matches!(room.take(UNASKED_BYTES + 1).await, Err(Error::Busy)));
        room.take(UNASKED_BYTES).await.unwrap();
    }
}
