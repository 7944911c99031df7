//! Following the journal: a scan that waits at its end. Replay and live are one code path.
//!
//! It reads up to the last durable revision, then waits to be told of a new head. Nothing is buffered for a follower, so
//! none can fall behind what is kept for it.

use tokio::sync::watch;

use crate::registry::error::Error;
use crate::registry::read::reader::Reader;
use crate::store::{Record, Revision};

/// About so many commits are passed over without a break, and a group at least: a millisecond of work.
const PASSED_AT_ONCE: Revision = 64;

/// A place in the journal that moves on as commits become durable.
pub(crate) struct Tail {
    reader: Reader,
    heads: watch::Receiver<Revision>,
    next: Revision,
}

impl Tail {
    /// Follows the journal after `after`; `None`: after the head.
    ///
    /// # Errors
    /// A revision that does not exist yet.
    pub(crate) fn new(
        reader: Reader,
        heads: watch::Receiver<Revision>,
        after: Option<Revision>,
    ) -> Result<Self, Error> {
        let head = reader.head();
        let after = after.unwrap_or(head);
        if after > head {
            return Err(Error::RevisionInFuture { asked: after, head });
        }
        Ok(Self { reader, heads, next: after + 1 })
    }

    /// Passes over the next commits as long as `passes` says so, and they are remembered: nothing is read for that. At most
    /// about [`PASSED_AT_ONCE`], so that others get their turn.
    pub(crate) fn pass(&mut self, mut passes: impl FnMut(&Record) -> bool) {
        let end = self.next + PASSED_AT_ONCE;
        while self.next < end
            && let Some(commits) = self.reader.index.recent(self.next)
        {
            for record in commits.iter() {
                if !passes(record) {
                    return;
                }
                self.next = record.revision + 1;
            }
        }
    }

    /// Waits until there is a next commit, which is durable then. `None`: there will be no more, since the registry is closing.
    ///
    /// Can be dropped while it waits; nothing is lost by that.
    pub(crate) async fn wait(&mut self) -> Option<()> {
        while self.next > *self.heads.borrow_and_update() {
            self.heads.changed().await.ok()?;
        }
        Some(())
    }

    /// How many bytes the next commit has. `None`: there is none yet.
    pub(crate) fn next_bytes(&self) -> Option<Result<usize, Error>> {
        (self.next <= *self.heads.borrow()).then(|| self.reader.record_bytes(self.next))
    }

    /// Reads the next commit, which must be there.
    pub(crate) fn read_next(&mut self) -> Result<Record, Error> {
        let record = self.reader.record(self.next);
        self.next += 1;
        record
    }

    /// The last revision that was answered, or that was given as the start.
    pub(crate) fn position(&self) -> Revision {
        self.next - 1
    }
}
