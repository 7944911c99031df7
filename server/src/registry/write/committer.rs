//! The committer: every write goes through it, in order. It checks what only the current state can say, and makes commits
//! of what it finds good.
//!
//! It writes nothing, reads nothing and answers nobody: all that it decides, refusals too, is the `writer`'s to answer, so
//! that no answer tells of a state before that state is durable.

use std::sync::Arc;

use bytes::Bytes;
use jiff::tz::TimeZone;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::ledger::{Known, Ledger, Outcome};
use super::place::Place;
use super::plan::Drafting;
use super::planned::Planned;
use super::request::{Prepared, PreparedMutation, Written, WrittenOne};
use super::trusted_time::TrustedClock;
use crate::faults;
use crate::registry::error::Error;
use crate::registry::resource::etag::Etags;
use crate::registry::resource::name::Name;
use crate::registry::resource::{envelope, stamp};
use crate::registry::schema::Schemas;
use crate::store::{Change, Record, RequestMark, Revision, Salt};
use crate::time::{Day, Time};

/// A write that waits.
pub(crate) struct Submission {
    pub(crate) request: Prepared,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// What became of a submission.
pub(crate) enum Answer {
    /// It is done, or refused.
    Done(Result<Written, Error>),
    /// It was done before: what it was answered then can be read.
    Replay(Replay),
    /// A document that it changes has changed since it was fetched. To be submitted again once `after` is visible.
    Again { request: Box<Prepared>, after: Revision },
}

/// A request that came before.
pub(crate) struct Replay {
    /// The commit that it became.
    pub(crate) revision: Revision,
    /// What it asked for.
    pub(crate) mutations: Vec<(Place, PreparedMutation)>,
}

/// What the committer decided of one submission.
pub(crate) struct Decision {
    /// The commit to write. `None`: nothing is written.
    pub(crate) record: Option<Record>,
    /// What is answered once all commits before it, and its own, are durable.
    pub(crate) result: Answer,
    pub(crate) answer: oneshot::Sender<Answer>,
    /// Kept until it is answered.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

/// The committer.
pub(crate) struct Committer {
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) etags: Etags,
    pub(crate) epoch: u64,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<TrustedClock>,
    /// Whose days are those of the law.
    pub(crate) time_zone: TimeZone,
}

impl Committer {
    /// Decides on a write.
    pub(crate) fn decide(&mut self, Submission { mut request, answer }: Submission) -> Decision {
        let room = request.room.take();
        let (result, record) = self.outcome(request);
        Decision { record, result, answer, room }
    }

    fn outcome(&mut self, mut request: Prepared) -> (Answer, Option<Record>) {
        match self.replay(&mut request) {
            Ok(None) => {}
            Ok(Some(replay)) => return (Answer::Replay(replay), None),
            Err(error) => return (Answer::Done(Err(error)), None),
        }
        if let Some(after) = self.bring_up(&mut request) {
            return (Answer::Again { request: Box::new(request), after }, None);
        }
        let time = self.clock.now().max(self.ledger.last_time().next());
        let drafting = Drafting {
            schemas: &self.schemas,
            ledger: &self.ledger,
            etags: self.etags,
            actor: &request.actor,
            reason: &request.reason,
            now: time,
            day: self.settled_day(time),
            time_zone: &self.time_zone,
        };
        let mutations = std::mem::take(&mut request.mutations);
        let current = std::mem::take(&mut request.current);
        match drafting.draft(&request.preconditions, mutations, current) {
            Err(error) => (Answer::Done(Err(error)), None),
            Ok(planned) => {
                let (written, record) = self.seal(request, planned, time);
                (Answer::Done(Ok(written)), record)
            }
        }
    }

    /// The settled day of a commit at a time: no day comes again.
    fn settled_day(&self, time: Time) -> Day {
        self.ledger.settled_day().max(time.day_in(&self.time_zone))
    }

    /// The earlier request of this id, if there was one.
    fn replay(&self, request: &mut Prepared) -> Result<Option<Replay>, Error> {
        let Some(id) = request.request_id else { return Ok(None) };
        let Some((revision, hash)) = self.ledger.request(id.as_bytes()) else {
            return Ok(None);
        };
        if hash != request.request_hash {
            return Err(Error::RequestIdReused(id.to_string()));
        }
        Ok(Some(Replay { revision, mutations: std::mem::take(&mut request.mutations) }))
    }

    /// Gives each mutation the document that it changes as the commits decided so far leave it. Answers the revision of
    /// one that nobody has at hand.
    fn bring_up(&self, request: &mut Prepared) -> Option<Revision> {
        for ((_, mutation), current) in request.mutations.iter().zip(&mut request.current) {
            if !mutation.needs_current() {
                continue;
            }
            let name = mutation.name().as_str();
            let Some(Known { revision, .. }) = self.ledger.known(name) else { continue };
            let is_verb = matches!(mutation, PreparedMutation::Verb { .. });
            if is_verb && current.is_some() && faults::planted("events-recorded-on-a-copy").is_some() {
                continue;
            }
            if current.as_ref().is_some_and(|(fetched, _)| *fetched == revision) {
                continue;
            }
            match self.ledger.document(name) {
                Some((newest, document)) if newest == revision => *current = Some((revision, document)),
                Some(_) | None => return Some(revision),
            }
        }
        None
    }

    /// Makes a commit of what was planned, and takes it into the ledger. Without any change there is no commit.
    fn seal(&mut self, request: Prepared, planned: Vec<Planned>, time: Time) -> (Written, Option<Record>) {
        let revision = self.ledger.head() + 1;
        let changing = planned.iter().filter(|plan| plan.action.is_some()).count();
        let write = changing > 0 && !request.validate_only;
        // What is only checked is answered as it would be, but for what only a commit can give.
        let (stamped_revision, etag) = if write { (revision, self.etags.of(revision)) } else { (0, String::new()) };
        let mut results = Vec::with_capacity(planned.len());
        let mut changes = Vec::with_capacity(changing);
        let mut outcomes = Vec::with_capacity(changing);
        for mut plan in planned {
            let Some(action) = plan.action else {
                results.push(WrittenOne { name: plan.name, action: None, document: plan.body, ignored: plan.ignored });
                continue;
            };
            let deleted = !plan.live();
            let kind = self.schemas.kind(plan.name.kind());
            let document = stamp::stamped(&plan.name, &plan.body, &plan.stamp, stamped_revision, &etag);
            let envelope: Bytes = envelope::envelope(kind, &document).into();
            let document = envelope.slice(envelope.len() - document.len()..);
            results.push(WrittenOne {
                name: plan.name.clone(),
                action: Some(action),
                document: document.clone(),
                ignored: std::mem::take(&mut plan.ignored),
            });
            if !write {
                continue;
            }
            // From a generator that is seeded by the system, and as hard to guess.
            let salt = rand::random::<Salt>();
            changes.push(Change::new(action, plan.name.shared(), plan.previous_revision, envelope, salt));
            outcomes.push(Outcome {
                known: Known { revision, deleted },
                document,
                parent: plan.parent(&self.schemas).map(Name::shared),
                targets: plan.referrals.iter().map(|referral| referral.target.shared()).collect(),
                name: plan.name,
            });
        }
        let settled_day = if changing > 0 { self.settled_day(time) } else { self.ledger.settled_day() };
        if !write {
            return (Written { revision: self.ledger.head(), time: None, settled_day, results }, None);
        }
        let mark = request.request_id.map(|id| RequestMark { id: id.into_bytes(), hash: request.request_hash });
        self.ledger.add(revision, time, settled_day, mark, outcomes);
        let record = Record {
            revision,
            commit_time: time,
            actor: request.actor,
            reason: request.reason,
            request: mark,
            epoch: self.epoch,
            settled_day,
            changes,
            parent_hash: [0; 32],
            hash: [0; 32],
        };
        (Written { revision, time: Some(time), settled_day, results }, Some(record))
    }
}
