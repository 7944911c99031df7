//! The writer: one thread that has commits decided, and makes them durable, then visible, then answered, always in this
//! order.
//!
//! While it waits for the disk, writes come together; all of them are the next group, and share one `fdatasync`. After a
//! failed append nothing is ever answered but that the server has to be restarted: nobody can know what the disk holds. A
//! journal without room is another thing, and so is one that may only be read: nothing was written, and the next group is
//! tried again.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::committer::{Answer, Committer, Decision, Submission};
use super::writing::Writing;
use crate::faults;
use crate::registry::index::Index;
use crate::store::{JournalError, JournalWriter, Record, Revision};

/// The most bytes of a group: what is written in one go, and held in memory until then.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// The most decisions of a group.
const GROUP_MAX: usize = 1_024;

/// How often it is tried, while writes are refused, whether they have to be: a moment for whoever waits, and little work.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// The writer.
pub(crate) struct Writer {
    pub(crate) committer: Committer,
    pub(crate) journal: JournalWriter,
    pub(crate) index: Arc<Index>,
    /// Tells of a new head.
    pub(crate) new_heads: watch::Sender<Revision>,
    /// Pulled, it tells those who watch, when they want to hear of it.
    pub(crate) cord: SyncSender<()>,
    /// Pulled, it tells the secondary indexes.
    pub(crate) index_cord: SyncSender<()>,
    pub(crate) writing: watch::Sender<Writing>,
}

impl Writer {
    /// Takes writes until nobody can send one any more.
    pub(crate) fn run(mut self, submissions: &Receiver<Submission>) {
        let mut tried = Instant::now();
        loop {
            let refused = matches!(*self.writing.borrow(), Writing::Refused(_));
            let next = match refused {
                false => submissions.recv().map_err(RecvTimeoutError::from),
                true => submissions.recv_timeout(TRY_EVERY),
            };
            match next {
                Ok(first) => {
                    let group = self.group(first, submissions);
                    self.write(group);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // Without a write that tries it, it is tried here: whoever asks after the health wants to know.
            if refused && tried.elapsed() >= TRY_EVERY {
                tried = Instant::now();
                self.try_again();
            }
        }
    }

    /// What is decided of the first write, and of all that wait behind it.
    fn group(&mut self, first: Submission, submissions: &Receiver<Submission>) -> Vec<Decision> {
        self.committer.ledger.forget();
        let (mut group, mut bytes) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(submission) = next {
            let decision = self.committer.decide(submission);
            bytes += decision.record.as_ref().map_or(0, Record::document_bytes);
            group.push(decision);
            let is_full = bytes >= GROUP_BYTES_MAX || group.len() >= GROUP_MAX;
            next = if is_full { None } else { submissions.try_recv().ok() };
        }
        group
    }

    fn try_again(&mut self) {
        if matches!(*self.writing.borrow(), Writing::Refused(_)) && self.journal.has_room() {
            tracing::info!("the journal can be written again; writes are accepted");
            self.writing.send_replace(Writing::Taken);
        }
    }

    fn write(&mut self, mut group: Vec<Decision>) {
        let records: Vec<Record> = group.iter_mut().filter_map(|decision| decision.record.take()).collect();
        // What is durable is answered as such, whatever follows; what is not, never: what was decided behind a commit that
        // was not written rests on it.
        let refused = self.append(records).err();
        for Decision { record: _, result, answer, room } in group {
            let result = match refused.and_then(Writing::refusal) {
                Some(error) => Answer::Done(Err(error)),
                None => result,
            };
            // The caller may have gone away.
            let _ = answer.send(result);
            drop(room);
        }
    }

    /// Makes commits durable and visible.
    fn append(&mut self, mut records: Vec<Record>) -> Result<(), Writing> {
        if let stopped @ Writing::Stopped(_) = *self.writing.borrow() {
            return Err(stopped);
        }
        let Some(first) = records.first() else { return Ok(()) };
        match self.journal.append(first.revision - 1, &mut records) {
            Ok(head) => {
                if self.index.apply(&records).is_err() {
                    tracing::error!(revision = head.revision, "what was written cannot be read");
                    return Err(self.stop("what was written cannot be read"));
                }
                self.index.remember(records);
                self.new_heads.send_replace(head.revision);
                // If it was pulled before, that tells of these commits too.
                let _ = self.cord.try_send(());
                let _ = self.index_cord.try_send(());
                Ok(())
            }
            Err(JournalError::Unwritten { obstacle, source }) if faults::planted("refusals-stop").is_none() => {
                let refused = Writing::Refused(obstacle);
                // Said once, not for every group.
                if self.writing.send_replace(refused) != refused {
                    tracing::warn!(
                        error = %source, cause = %source.source,
                        "the journal cannot be written now; writes are refused until it can, and reads go on"
                    );
                }
                self.committer.ledger.reset();
                Err(refused)
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(tracing::field::display);
                tracing::error!(%error, cause, "the journal could not be written");
                Err(self.stop("the journal could not be written"))
            }
        }
    }

    fn stop(&self, why: &'static str) -> Writing {
        tracing::error!(why, "no write is accepted until a restart; reads go on");
        self.writing.send_replace(Writing::Stopped(why));
        Writing::Stopped(why)
    }
}
