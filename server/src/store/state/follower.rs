//! The handle of the follower: starts its thread, asks it what sled knows of the journal's end, and closes it. Each of
//! these waits no longer than its limit: the thread can be left behind.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::Shared;
use crate::store::JournalReader;
use crate::store::disk::DirLock;
use crate::store::state::calls::PlantedStall;
use crate::store::state::health::StateHealth;
use crate::store::state::key::Mark;
use crate::store::state::reader::StateReader;
use crate::store::state::thread::{Follower, Given, Places};
use crate::store::state::watchdog;

/// How long a closing store waits for the last flush. It is a convenience to the next start, so the end of the process
/// does not depend on it.
const CLOSE_WAIT_MAX: Duration = Duration::from_secs(1);

/// What sled says of the journal's end.
pub(in crate::store) enum Witness {
    /// It had come so far.
    Mark(Mark),
    /// There is no sled, or it cannot be asked.
    Absent,
    /// It has not answered yet.
    Late,
}

/// The handle of the follower, for the one who opened the store.
pub struct StateFollower {
    pub(super) shared: Arc<Shared>,
    mark: Mutex<Receiver<Option<Mark>>>,
    journal: Mutex<Option<Sender<Given>>>,
    ended: Mutex<Receiver<()>>,
}

impl StateFollower {
    /// Starts the thread, which opens sled. `lock` is held until sled is closed.
    pub(in crate::store) fn start(
        places: Places,
        planted: Option<PlantedStall>,
        lock: Arc<DirLock>,
    ) -> std::io::Result<StateFollower> {
        if let Some(planted) = &planted {
            tracing::warn!(?planted, "a stall of sled is planted; this is for tests alone");
        }
        let shared = Arc::new(Shared::new(planted));
        let (tell_mark, mark) = channel();
        let (journal, given) = channel();
        let (tell_ended, ended) = channel::<()>();
        let follower = Follower { places, shared: shared.clone() };
        let watched = shared.clone();
        std::thread::Builder::new().name("sled-follower".into()).spawn(move || {
            let shared = follower.shared.clone();
            follower.run(&tell_mark, &given);
            drop(lock);
            shared.ended.store(true, Ordering::Release);
            drop(tell_ended);
        })?;
        std::thread::Builder::new().name("sled-watchdog".into()).spawn(move || watchdog::run(&watched))?;
        Ok(StateFollower {
            shared,
            mark: Mutex::new(mark),
            journal: Mutex::new(Some(journal)),
            ended: Mutex::new(ended),
        })
    }

    /// What sled knows of the journal's end, waited for no longer than this.
    pub(in crate::store) fn witness(&self, wait_max: Duration) -> Witness {
        match self.mark.lock().recv_timeout(wait_max) {
            Ok(Some(mark)) => Witness::Mark(mark),
            Ok(None) | Err(RecvTimeoutError::Disconnected) => Witness::Absent,
            Err(RecvTimeoutError::Timeout) => Witness::Late,
        }
    }

    /// Lets it follow the journal, which is in use from now on. To be called before the first commit of this process, and
    /// once.
    pub(in crate::store) fn follow(&self, journal: &JournalReader) {
        if let Some(giving) = self.journal.lock().take() {
            // If it has ended, its health says why.
            let _ = giving.send(Given { journal: journal.clone(), head: journal.head() });
        }
    }

    /// Reads what it keeps.
    #[must_use]
    pub fn reader(&self) -> StateReader {
        StateReader { shared: self.shared.clone() }
    }

    /// How it does, now and from now on.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<StateHealth> {
        self.shared.health.watch()
    }

    /// Flushes and closes sled; leaves it behind if that takes too long. Blocks no longer than a second. The directory
    /// stays locked until sled is closed or the process ends.
    pub fn close(&self) {
        if self.shared.has_ended() {
            return;
        }
        self.shared.closing.store(true, Ordering::Release);
        self.journal.lock().take();
        if self.ended.lock().recv_timeout(CLOSE_WAIT_MAX) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(
                "sled did not close within {} s and is left behind; the next start checks it",
                CLOSE_WAIT_MAX.as_secs()
            );
            self.shared.ended.store(true, Ordering::Release);
        }
    }
}

impl Drop for StateFollower {
    fn drop(&mut self) {
        self.close();
    }
}
