//! Agreements whose events clients record and void: what is asked next, what was learnt, and what must become of it.

use partnership_registry::v1::{
    self, Agreement, AgreementEvent, AgreementEventType, AgreementEventVoiding, Commit, PartialDate, Resource,
    mutation, resource,
};
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::oracle::{Answer, Request};

/// An agreement with more events is left alone: each commit holds all of them.
const EVENTS_MAX: usize = 40;

/// Asks for events of agreements whose names begin alike. Several may ask for the same.
pub(crate) struct Recorder {
    prefix: String,
    /// How many agreements are full.
    full: u64,
    /// Of the agreement that is not full: the ids of events that count, as far as known; `None`: it may not be there.
    events: Option<Vec<String>>,
    made: u64,
}

impl Recorder {
    /// One of agreements such as `agreements/{prefix}-0`.
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), full: 0, events: None, made: 0 }
    }

    fn name(&self) -> String {
        format!("agreements/{}-{}", self.prefix, self.full)
    }

    /// A creation, a recording or a voiding.
    pub(crate) fn next(&mut self, request_id: String, dice: &mut StdRng) -> Request {
        let name = self.name();
        let Some(events) = &self.events else {
            let agreement = Agreement { name, display_name: "made to be recorded".into(), ..Agreement::default() };
            let create = v1::CreateMutation { resource: Some(agreement.into()) };
            return commit(mutation::Operation::Create(create), request_id);
        };
        let reason = "it was another one".to_owned();
        let known = (!events.is_empty()).then(|| events[dice.random_range(0..events.len())].clone());
        let in_commit = dice.random_bool(0.25);
        if let Some(event_id) = known.clone().filter(|_| dice.random_bool(0.25)) {
            if in_commit {
                let void = v1::VoidEventMutation { name, event_id, reason, ..Default::default() };
                return commit(mutation::Operation::VoidEvent(void), request_id);
            }
            return Request::Void(v1::VoidAgreementEventRequest {
                name,
                event_id,
                reason,
                request_id,
                ..Default::default()
            });
        }
        let count = dice.random_range(1..4);
        let events = (0..count).map(|_| self.event(dice)).collect();
        let voided_event_ids: Vec<_> = known.into_iter().filter(|_| dice.random_bool(0.2)).collect();
        if in_commit {
            let record = v1::RecordEventsMutation { name, events, voided_event_ids, ..Default::default() };
            return commit(mutation::Operation::RecordEvents(record), request_id);
        }
        let record = v1::RecordAgreementEventsRequest {
            name,
            events,
            voided_event_ids,
            reason,
            request_id,
            ..Default::default()
        };
        Request::Record(record)
    }

    /// An event that no other request has.
    fn event(&mut self, dice: &mut StdRng) -> AgreementEvent {
        self.made += 1;
        AgreementEvent {
            r#type: AgreementEventType::Notification.into(),
            act_date: Some(PartialDate { year: dice.random_range(1_900..2_000), ..PartialDate::default() }),
            note: format!("number {} of {}, {}", self.made, self.prefix, dice.random::<u64>()),
            ..AgreementEvent::default()
        }
    }

    /// What is voided is not voided again.
    fn forget(&mut self, voided: &[String]) {
        if let Some(events) = &mut self.events {
            events.retain(|event_id| !voided.contains(event_id));
        }
    }

    /// Notes what came of a request, if it was one of these.
    pub(crate) fn learn(&mut self, request: &Request, answer: &Answer) {
        let name = self.name();
        match answer {
            Answer::Agreement(agreement) if agreement.name == name => {
                let counting = agreement.events.iter().filter(|event| event.voided.is_none());
                self.events = Some(counting.map(|event| event.event_id.clone()).collect());
                if agreement.events.len() > EVENTS_MAX {
                    (self.full, self.events) = (self.full + 1, None);
                }
            }
            Answer::Commit(_) | Answer::Refused(_) => {
                let Request::Commit(request) = request else { return };
                for mutation in &request.mutations {
                    match &mutation.operation {
                        // Whoever was first: it is there.
                        Some(mutation::Operation::Create(create))
                            if create.resource.as_ref().is_some_and(|resource| resource.name() == name) =>
                        {
                            self.events.get_or_insert_default();
                        }
                        Some(mutation::Operation::RecordEvents(record)) => self.forget(&record.voided_event_ids),
                        Some(mutation::Operation::VoidEvent(void)) => self.forget(std::slice::from_ref(&void.event_id)),
                        _ => {}
                    }
                }
            }
            Answer::Agreement(_) | Answer::Country(_) => {}
        }
    }
}

fn commit(operation: mutation::Operation, request_id: String) -> Request {
    let mutations = vec![v1::Mutation { operation: Some(operation) }];
    Request::Commit(v1::CommitRequest { mutations, reason: "the gazette".into(), request_id, ..Default::default() })
}

/// What is to be recorded and voided in one step, and why.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events {
    pub(crate) recorded: Vec<AgreementEvent>,
    pub(crate) voided: Vec<String>,
    pub(crate) reason: String,
}

/// What that must make of an agreement: every event is there, once, in the order of the commits.
pub(crate) fn recorded(before: Resource, events: &Events, commit: &Commit) -> Result<Resource, String> {
    let Some(resource::Kind::Agreement(mut agreement)) = before.kind else {
        return Err(format!("revision {}: it has no events", commit.revision));
    };
    let day = commit.commit_time.map_or(0, |time| time.seconds.div_euclid(86_400));
    for event_id in &events.voided {
        let event = agreement.events.iter_mut().find(|event| event.event_id == *event_id);
        let event = event.ok_or_else(|| format!("revision {}: there is no {event_id}", commit.revision))?;
        let void_time = commit.commit_time;
        let voiding = AgreementEventVoiding { reason: events.reason.clone(), actor: commit.actor.clone(), void_time };
        if event.voided.replace(voiding).is_some() {
            return Err(format!("revision {}: {event_id} is voided twice", commit.revision));
        }
    }
    for event in &events.recorded {
        let event_id = format!("e{}", agreement.events.len() + 1);
        agreement.events.push(AgreementEvent {
            event_id,
            record_time: commit.commit_time,
            record_date: Some(civil(day)),
            ..event.clone()
        });
    }
    Ok(agreement.into())
}

/// A day, counted from 1970-01-01, as a date: years are counted from March, so that a leap day is the last of its year.
fn civil(day: i64) -> PartialDate {
    let since = day + 719_468;
    let (era, of_era) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_based = (5 * of_year + 2) / 153;
    let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let part = |part: i64| i32::try_from(part).unwrap();
    PartialDate::day(part(year), part(month), part(of_year - (153 * march_based + 2) / 5 + 1))
}

/// An agreement without what follows from its events.
pub(crate) fn without_computed(mut resource: Resource) -> Resource {
    if let Some(resource::Kind::Agreement(agreement)) = &mut resource.kind {
        (agreement.state, agreement.status) = (0, None);
    }
    resource
}
