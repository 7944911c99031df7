//! The writer: one thread that makes commits durable, then visible, then answered, always in this order.
//!
//! While it waits for the disk, the committer goes on; all that has come by then is the next group, and shares one
//! `fdatasync`. After a failed append nothing is ever answered but that the server has to be restarted: nobody can know
//! what the disk holds.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use parking_lot::RwLock;
use tokio::sync::watch;

use crate::registry::error::Error;
use crate::registry::index::{Index, Indexed};
use crate::registry::read::reader::Reader;
use crate::registry::write::committer::{Commit, Decision, Replay};
use crate::registry::write::request::{Written, WrittenOne};
use crate::store::{Head, JournalWriter, Record, Revision};

/// The most bytes of a group: what is written in one go, and held in memory until then.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// The most decisions of a group.
const GROUP_MAX: usize = 1_024;

/// The writer.
pub(crate) struct Writer {
    pub(crate) journal: JournalWriter,
    pub(crate) index: Arc<RwLock<Index>>,
    pub(crate) reader: Reader,
    pub(crate) bell: watch::Sender<Revision>,
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
        let commits: Vec<Commit> = group.iter_mut().filter_map(|decision| decision.commit.take()).collect();
        let (mut records, indexed): (Vec<Record>, Vec<Vec<Indexed>>) =
            commits.into_iter().map(|commit| (commit.record, commit.indexed)).unzip();
        let mut appended = None;
        if self.stopped.is_none() && !records.is_empty() {
            match self.journal.append(self.journal.head().revision, &mut records) {
                Ok(head) => appended = Some(head),
                Err(error) => {
                    tracing::error!(%error, "the journal could not be written; no write is accepted until a restart");
                    self.stopped = Some("the journal could not be written");
                }
            }
        }
        // What is durable is answered as such, even if nothing can follow it.
        let stopped = self.stopped;
        if let Some(head) = appended {
            self.publish(head, &records, indexed);
        }
        for decision in group {
            let result = match (stopped, decision.replay) {
                (Some(why), _) => Err(Error::Stopped(why)),
                (None, Some(replay)) => self.replay(&replay),
                (None, None) => decision.result,
            };
            // A caller that has gone away does not want to know.
            let _ = decision.answer.send(result);
        }
    }

    /// Makes durable commits visible to readers and watchers.
    fn publish(&self, head: Head, records: &[Record], indexed: Vec<Vec<Indexed>>) {
        {
            let mut index = self.index.write();
            for (record, indexed) in records.iter().zip(indexed) {
                index.apply(record.revision, indexed);
            }
        }
        self.bell.send_replace(head.revision);
    }

    /// The answer that an earlier request was given, read from its commit.
    fn replay(&self, replay: &Replay) -> Result<Written, Error> {
        let record = self.reader.record(replay.revision)?;
        let mut changes = record.changes.iter().peekable();
        let mut results = Vec::with_capacity(replay.names.len());
        for name in &replay.names {
            let change = changes.next_if(|change| name.as_ref().is_none_or(|name| name.as_str() == &*change.name));
            results.push(match (change, name) {
                (Some(change), _) => WrittenOne {
                    name: self.reader.name(&change.name)?,
                    action: Some(change.action),
                    document: self.reader.open(&change.document, replay.revision)?.1,
                },
                (None, Some(name)) => WrittenOne {
                    name: name.clone(),
                    action: None,
                    document: self.reader.get(name, replay.revision)?.map(|(_, document)| document).unwrap_or_default(),
                },
                (None, None) => return Err(Error::Damaged { revision: replay.revision }),
            });
        }
        Ok(Written { revision: record.revision, time: Some(record.commit_time), results })
    }
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
    let changes = decision.commit.iter().flat_map(|commit| &commit.record.changes);
    changes.map(|change| change.document.len()).sum()
}
