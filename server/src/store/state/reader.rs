//! Reading the state, so that sled can be given up on: a read never waits for the follower, runs in a task of its own, and
//! its caller waits for it no longer than the `watchdog` allows. Whoever gets no answer here reads the journal.

use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::Shared;
use crate::store::Revision;
use crate::store::state::calls::Call;
use crate::store::state::engine::{Engine, StateError};

/// Reads the state. Cheap to clone.
#[derive(Clone)]
pub struct StateReader {
    pub(super) shared: Arc<Shared>,
}

impl StateReader {
    /// The last revision that the state contains. Only a hint: what changed later is in the journal, and need not be
    /// asked for here.
    #[must_use]
    pub fn applied(&self) -> Revision {
        self.shared.applied()
    }

    /// Resources as sled has them, in the order of their names: for each the revision of its last change that sled knows
    /// of, and its envelope; `None` for one that it has not, not yet, or leaves to the journal for its size. `None` for
    /// all: sled does not answer now, ask the journal.
    ///
    /// To be called in a runtime. All names are read in one call, during which the follower waits: ask for hundreds at
    /// once, not for thousands.
    pub async fn get(&self, names: &[Arc<str>]) -> Option<Vec<Option<(Revision, Bytes)>>> {
        let names = names.to_vec();
        let read = move |engine: &Engine| names.iter().map(|name| engine.get(name)).collect();
        self.call(Call::Get, read).await
    }

    /// The last change of a resource at or before a revision; `None` in it: there was none. `None` for all: sled does not
    /// answer now or has not come to that revision, ask the journal.
    pub async fn version_at(&self, name: &Arc<str>, at: Revision) -> Option<Option<Revision>> {
        if self.applied() < at {
            return None;
        }
        let name = name.clone();
        self.call(Call::Range, move |engine| engine.version_at(&name, at)).await
    }

    async fn call<T: Send + 'static>(
        &self,
        call: Call,
        read: impl FnOnce(&Engine) -> Result<T, StateError> + Send + 'static,
    ) -> Option<T> {
        // Without a look first, every read beside a flush would make a task that can only fail.
        if !self.shared.can_be_read() {
            return None;
        }
        let runtime = Handle::try_current().ok()?;
        let (reading, given_up) = self.shared.calls.take_read(call)?;
        let (answer, answered) = oneshot::channel();
        let shared = self.shared.clone();
        // A task and not a blocking thread: in most cases it runs on this very thread as soon as the caller waits.
        runtime.spawn(async move {
            let found = shared.read(|engine| {
                reading.enter();
                read(engine)
            });
            drop(reading);
            // A caller that was told to give up is not there any more.
            let _ = answer.send(found);
        });
        tokio::select! {
            biased;
            found = answered => found.ok().flatten(),
            Ok(()) = given_up => None,
        }
    }
}
