//! The writer: one thread that makes commits durable, then visible, then answered, always in this order.
//!
//! While it waits for the disk, the committer goes on; all that has come by then is the next group, and shares one
//! `fdatasync`. After a failed append nothing is ever answered but that the server has to be restarted: nobody can know
//! what the disk holds. A journal without room is another thing: nothing was written, and the next group is tried again.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::watch;

use super::committer::{Answer, Decision, Refusals};
use crate::registry::error::Error;
use crate::registry::index::Index;
use crate::store::{JournalError, JournalWriter, Record, Revision};

/// The most bytes of a group: what is written in one go, and held in memory until then.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// The most decisions of a group.
const GROUP_MAX: usize = 1_024;

/// The writer.
pub(crate) struct Writer {
    pub(crate) journal: JournalWriter,
    pub(crate) index: Arc<Index>,
    /// Tells of a new head.
    pub(crate) new_heads: watch::Sender<Revision>,
    pub(crate) refusals: Refusals,
    /// Whether the journal had no room for the last group.
    pub(crate) full: bool,
    /// Why nothing is written any more.
    pub(crate) stopped: Option<&'static str>,
}

impl Writer {
    /// Takes decisions until the committer is gone.
    pub(crate) fn run(mut self, decisions: &Receiver<Decision>) {
        while let Ok(first) = decisions.recv() {
            self.write(group(first, decisions));
        }
    }

    fn write(&mut self, mut group: Vec<Decision>) {
        let refusals = self.refusals.count();
        let sound = |decision: &Decision| decision.refusals == refusals;
        let mut records: Vec<Record> =
            group.iter_mut().filter(|decision| sound(decision)).filter_map(|decision| decision.record.take()).collect();
        let refusal = self.append(&mut records).err();
        for decision in group {
            let stale = !sound(&decision);
            let result = match (&refusal, self.stopped) {
                // What is durable is answered as such, whatever follows; what is not, never.
                (Some(Refusal::Stopped(why)), _) => Answer::Done(Err(Error::Stopped(why))),
                (Some(Refusal::NoRoom), _) => Answer::Done(Err(Error::NoRoom)),
                (None, _) if stale => Answer::Done(Err(Error::NoRoom)),
                (None, _) => decision.result,
            };
            // The caller may have gone away.
            let _ = decision.answer.send(result);
            drop(decision.room);
        }
    }

    /// Makes commits durable and visible.
    fn append(&mut self, records: &mut [Record]) -> Result<(), Refusal> {
        if let Some(why) = self.stopped {
            return Err(Refusal::Stopped(why));
        }
        let Some(first) = records.first() else { return Ok(()) };
        match self.journal.append(first.revision - 1, records) {
            Ok(head) => {
                if std::mem::take(&mut self.full) {
                    tracing::info!("the journal has room again; writes are accepted");
                }
                if self.index.apply(records).is_err() {
                    tracing::error!(
                        revision = head.revision,
                        "what was written cannot be read; no write is accepted until a restart"
                    );
                    self.stopped = Some("what was written cannot be read");
                    return Err(Refusal::Stopped("what was written cannot be read"));
                }
                self.new_heads.send_replace(head.revision);
                Ok(())
            }
            Err(JournalError::Full { source }) => {
                // Said once, not for every group.
                if !std::mem::replace(&mut self.full, true) {
                    tracing::warn!(error = %source, cause = %source.source, "the journal has no room; writes are refused until it has");
                }
                self.refusals.add();
                Err(Refusal::NoRoom)
            }
            Err(error) => {
                tracing::error!(%error, "the journal could not be written; no write is accepted until a restart");
                self.stopped = Some("the journal could not be written");
                Err(Refusal::Stopped("the journal could not be written"))
            }
        }
    }
}

/// Why a group was not written.
enum Refusal {
    /// Nothing is written any more.
    Stopped(&'static str),
    /// There was no room for it.
    NoRoom,
}

/// The first decision, and all that wait behind it.
fn group(first: Decision, decisions: &Receiver<Decision>) -> Vec<Decision> {
    let mut bytes = size(&first);
    let mut group = vec![first];
    while bytes < GROUP_BYTES_MAX
        && group.len() < GROUP_MAX
        && let Ok(next) = decisions.try_recv()
    {
        bytes += size(&next);
        group.push(next);
    }
    group
}

fn size(decision: &Decision) -> usize {
    decision.record.as_ref().map_or(0, Record::document_bytes)
}
