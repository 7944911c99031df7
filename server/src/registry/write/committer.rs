//! The committer: one thread through which every write goes, in order. It checks what only the current state can say,
//! and makes commits of what it finds good.
//!
//! It writes nothing and answers nobody: all that it decides, refusals too, goes to the `writer`, so that no answer
//! tells of a state before that state is durable.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::registry::error::Error;
use crate::registry::index::{Indexed, Row};
use crate::registry::read::reader::Reader;
use crate::registry::resource::document;
use crate::registry::schema::Schemas;
use crate::registry::write::ledger::Ledger;
use crate::registry::write::plan::{Drafting, Planned};
use crate::registry::write::request::{Prepared, PreparedMutation, Written, WrittenOne};
use crate::store::{Change, Record, RequestMark, Revision};
use crate::time::{Clock, Time};

/// A write that waits.
pub(crate) struct Submission {
    pub(crate) request: Prepared,
    pub(crate) answer: oneshot::Sender<Result<Written, Error>>,
}

/// What the committer decided of one write.
pub(crate) struct Decision {
    /// The commit to write. `None`: nothing is written.
    pub(crate) commit: Option<Commit>,
    pub(crate) answer: oneshot::Sender<Result<Written, Error>>,
    pub(crate) result: Result<Written, Error>,
    /// If the answer is that of an earlier request, the revision it made: it is read once that is durable.
    pub(crate) replay: Option<Replay>,
}

/// A request that came before: its answer is read from the journal.
pub(crate) struct Replay {
    pub(crate) revision: Revision,
    /// For each mutation, the name it was given; `None` for one the server named.
    pub(crate) names: Vec<Option<crate::registry::resource::name::Name>>,
}

/// A commit as the writer takes it.
pub(crate) struct Commit {
    pub(crate) record: Record,
    pub(crate) indexed: Vec<Indexed>,
}

/// The committer.
pub(crate) struct Committer {
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) reader: Reader,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) last_time: Time,
}

impl Committer {
    /// Takes writes until nobody can send one any more, or the writer is gone.
    pub(crate) fn run(mut self, mut queue: mpsc::Receiver<Submission>, decisions: &SyncSender<Decision>) {
        while let Some(submission) = queue.blocking_recv() {
            self.ledger.forget(self.reader.journal.head());
            let decision = self.decide(submission);
            if decisions.send(decision).is_err() {
                return;
            }
        }
    }

    fn decide(&mut self, Submission { mut request, answer }: Submission) -> Decision {
        let decision = |result, commit, replay| (result, commit, replay);
        let (result, commit, replay) = match self.replay(&request) {
            Err(error) => decision(Err(error), None, None),
            Ok(Some(replay)) => {
                decision(Ok(Written { revision: replay.revision, time: None, results: Vec::new() }), None, Some(replay))
            }
            Ok(None) => match self.draft(&mut request) {
                Err(error) => decision(Err(error), None, None),
                Ok((planned, time)) => {
                    let (written, commit) = self.seal(&request, planned, time);
                    decision(Ok(written), commit, None)
                }
            },
        };
        Decision { commit, answer, result, replay }
    }

    /// The earlier request of this id, if there was one.
    fn replay(&self, request: &Prepared) -> Result<Option<Replay>, Error> {
        let Some(id) = request.request_id else { return Ok(None) };
        let Some((revision, hash)) = self.ledger.request(id.as_bytes()) else {
            return Ok(None);
        };
        if hash != request.request_hash {
            return Err(Error::RequestIdReused(id.to_string()));
        }
        let names = request
            .mutations
            .iter()
            .map(|(_, mutation)| {
                let generated = matches!(mutation, PreparedMutation::Create { generated: true, .. });
                (!generated).then(|| mutation.name().clone())
            })
            .collect();
        Ok(Some(Replay { revision, names }))
    }

    fn draft(&self, request: &mut Prepared) -> Result<(Vec<Planned>, Time), Error> {
        let now = self.clock.now().max(self.last_time.next());
        let actor = std::mem::take(&mut request.actor);
        let drafting =
            Drafting { schemas: &self.schemas, ledger: &self.ledger, reader: &self.reader, actor: &actor, now };
        let planned = drafting.draft(request);
        request.actor = actor;
        Ok((planned?, now))
    }

    /// Makes a commit of what was drafted, and takes it into the ledger. Without any change there is no commit.
    fn seal(&mut self, request: &Prepared, planned: Vec<Planned>, time: Time) -> (Written, Option<Commit>) {
        let revision = self.ledger.head + 1;
        let changes = planned.iter().any(|plan| plan.action.is_some());
        let write = changes && !request.validate_only;
        // What is only checked is answered as it would be, but for what only a commit can give.
        let (stamped_revision, etag) = if write { (revision, self.reader.etag(revision)) } else { (0, String::new()) };
        let mut results = Vec::with_capacity(planned.len());
        let mut indexed = Vec::with_capacity(planned.len());
        let mut record_changes = Vec::with_capacity(planned.len());
        for plan in planned {
            let Some(action) = plan.action else {
                results.push(WrittenOne { name: plan.name, action: None, document: plan.body.into() });
                continue;
            };
            let document: Bytes =
                document::stamped(&plan.name, &plan.body, &plan.stamp, stamped_revision, &etag).into();
            results.push(WrittenOne { name: plan.name.clone(), action: plan.action, document: document.clone() });
            if !write {
                continue;
            }
            let row = Row { revision, deleted: !plan.live() };
            let envelope: Bytes = document::envelope(self.schemas.kind(plan.name.kind()), &document).into();
            let previous_revision = plan.previous.map_or(0, |row| row.revision);
            let salt = *uuid::Uuid::new_v4().as_bytes();
            let name = plan.name.shared();
            record_changes.push(Change::new(action, name, previous_revision, envelope, salt));
            indexed.push(Indexed {
                kind: plan.name.kind(),
                name: plan.name.shared(),
                row,
                display_name: document::display_name(&document).into(),
                create_time: plan.stamp.create_time,
            });
            let name = plan.name.shared();
            self.ledger.unrefer(&name, &plan.old_referrals);
            self.ledger.refer(&name, &plan.referrals);
            self.ledger.set(&name, row, document);
        }
        if !write {
            return (Written { revision: self.ledger.head, time: None, results }, None);
        }
        if let Some(id) = request.request_id {
            self.ledger.remember(id.into_bytes(), revision, request.request_hash);
        }
        self.ledger.head = revision;
        self.last_time = time;
        let record = Record {
            revision,
            commit_time: time,
            actor: request.actor.clone(),
            reason: request.reason.clone(),
            request: request.request_id.map(|id| RequestMark { id: id.into_bytes(), hash: request.request_hash }),
            epoch: 1,
            settled_day: time.day(),
            parent_hash: [0; 32],
            hash: [0; 32],
            changes: record_changes,
        };
        (Written { revision, time: Some(time), results }, Some(Commit { record, indexed }))
    }
}
