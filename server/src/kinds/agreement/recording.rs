//! How events of an agreement are recorded and voided: what the server gives to them, and which cannot be voided.
//!
//! An event is added or voided, never rewritten and never removed. What an event must be of itself, and beside the others,
//! `check` of the kind says, which is asked of all that comes out of here.

use std::collections::{HashMap, HashSet};

use partnership_registry::v1::{
    Agreement, AgreementEvent, AgreementEventVoiding, Format, PartialDate, Resource, resource,
};
use prost::Message as _;

use super::naming::short;
use crate::kinds::verb::{Added, Moment, Refused, Verb};
use crate::time::{Day, Time};
use crate::values::{format, partial_date};
use crate::violations::Violations;

/// The most events of one request.
const EVENTS_MAX: usize = 1_000;
/// The most events of an agreement, as its annotation says too.
const EVENTS_ALTOGETHER_MAX: usize = 5_000;
/// The most characters of a reason.
const REASON_LENGTH_MAX: usize = 1_000;

/// The agreement in an envelope. The registry hands no other kind to these rules.
pub(super) fn agreement_of(resource: &mut Resource) -> Option<&mut Agreement> {
    if let Some(resource::Kind::Agreement(agreement)) = &mut resource.kind { Some(agreement) } else { None }
}

/// Notes what is wrong with a verb whatever the agreement is.
pub(super) fn check(verb: &Verb, reason: &str, violations: &mut Violations) {
    match verb {
        Verb::RecordEvents { events, voided_event_ids } => {
            check_count("events", events.len(), violations);
            if events.is_empty() {
                violations.add("events", "is required");
            }
            for (index, event) in events.iter().take(EVENTS_MAX).enumerate() {
                check_is_news(&format!("events[{index}]"), event, violations);
            }
            check_count("voided_event_ids", voided_event_ids.len(), violations);
            let mut seen = HashSet::new();
            for (index, event_id) in voided_event_ids.iter().take(EVENTS_MAX).enumerate() {
                if !seen.insert(event_id) {
                    let rule = format!("must not name an event twice, and {:?} is named before", short(event_id));
                    violations.add(format!("voided_event_ids[{index}]"), rule);
                }
            }
            if !voided_event_ids.is_empty() && reason.is_empty() {
                violations.add("voided_event_ids", "must have a reason; say in `reason` why these events are voided");
            }
        }
        Verb::VoidEvent { event_id, reason: own } => {
            if event_id.is_empty() {
                violations.add("event_id", "is required");
            }
            let length = own.chars().count();
            if length > REASON_LENGTH_MAX {
                let rule = format!("must have at most {REASON_LENGTH_MAX} characters, and has {length}");
                violations.add("reason", rule);
            }
            if let Some(rule) = format::check(Format::Unspecified, own) {
                violations.add("reason", rule);
            }
            if own.is_empty() && reason.is_empty() {
                violations.add("reason", "is required: say why the event is voided");
            }
        }
    }
}

fn check_count(field: &str, count: usize, violations: &mut Violations) {
    if count > EVENTS_MAX {
        violations.add(field, format!("must have at most {EVENTS_MAX} items, and has {count}"));
    }
}

/// An event that is recorded now has nothing yet that the server gives, but perhaps an id.
fn check_is_news(path: &str, event: &AgreementEvent, violations: &mut Violations) {
    let given = [
        ("record_time", event.record_time.is_some()),
        ("record_date", event.record_date.is_some()),
        ("voided", event.voided.is_some()),
    ];
    for (field, _) in given.iter().filter(|(_, given)| *given) {
        violations.add(format!("{path}.{field}"), "must be left out: the server gives it to an event that is recorded");
    }
}

/// About how many bytes a verb has.
pub(super) fn bytes(verb: &Verb) -> usize {
    match verb {
        Verb::RecordEvents { events, voided_event_ids } => {
            let ids = voided_event_ids.iter().map(|id| id.len() + size_of::<String>()).sum::<usize>();
            ids + events.iter().map(|event| event.encoded_len() + size_of::<AgreementEvent>()).sum::<usize>()
        }
        Verb::VoidEvent { event_id, reason } => event_id.len() + reason.len(),
    }
}

/// Records or voids.
pub(super) fn apply(verb: &Verb, resource: &mut Resource, moment: &Moment<'_>) -> Result<Option<Added>, Refused> {
    let Some(agreement) = agreement_of(resource) else { return Ok(None) };
    match verb {
        Verb::RecordEvents { events, voided_event_ids } => {
            record(&mut agreement.events, events, voided_event_ids, moment).map(Some)
        }
        Verb::VoidEvent { event_id, reason } => {
            let moment = Moment { reason: if reason.is_empty() { moment.reason } else { reason }, ..*moment };
            void(&mut agreement.events, &[("event_id".to_owned(), event_id)], &moment).map(|()| None)
        }
    }
}

fn record(
    kept: &mut Vec<AgreementEvent>,
    events: &[AgreementEvent],
    voided: &[String],
    moment: &Moment<'_>,
) -> Result<Added, Refused> {
    let mut violations = Violations::new();
    let from = kept.len();
    let count = from + events.len();
    if count > EVENTS_ALTOGETHER_MAX {
        violations.add(
            "events",
            format!("would make {count} events with those of the agreement, and it may have {EVENTS_ALTOGETHER_MAX}"),
        );
    }
    let mut taken: HashSet<&str> = kept.iter().map(|event| event.event_id.as_str()).collect();
    for (index, event) in events.iter().enumerate().filter(|(_, event)| !event.event_id.is_empty()) {
        if !taken.insert(&event.event_id) {
            let rule = format!("must differ from that of every other event, and {:?} is taken", short(&event.event_id));
            violations.add(format!("events[{index}].event_id"), rule);
        }
    }
    let named: Vec<_> =
        voided.iter().enumerate().map(|(index, id)| (format!("voided_event_ids[{index}]"), id)).collect();
    match (void(kept, &named, moment), violations.is_empty()) {
        (Ok(()), true) => {}
        (Err(refused @ Refused::State(_)), true) => return Err(refused),
        (Err(Refused::Invalid(more)), _) => {
            violations.add_all("", more);
            return Err(Refused::Invalid(violations));
        }
        (Ok(()) | Err(Refused::State(_)), false) => return Err(Refused::Invalid(violations)),
    }
    kept.extend(events.iter().cloned());
    fill_in(kept, moment);
    Ok(Added { field: "events", from })
}

/// Voids the events of these ids, each with the field of the request that names it; all or none.
fn void(kept: &mut [AgreementEvent], named: &[(String, &String)], moment: &Moment<'_>) -> Result<(), Refused> {
    if named.is_empty() {
        return Ok(());
    }
    let with_ids = kept.iter().enumerate().filter(|(_, event)| !event.event_id.is_empty());
    let places: HashMap<&str, usize> = with_ids.map(|(index, event)| (event.event_id.as_str(), index)).collect();
    let goes_too: HashSet<&str> = named.iter().map(|(_, event_id)| event_id.as_str()).collect();
    let staying = |event: &&AgreementEvent| event.voided.is_none() && !goes_too.contains(event.event_id.as_str());
    let revocations: HashMap<&str, &str> =
        kept.iter().filter(staying).map(|event| (event.revoked_event_id.as_str(), event.event_id.as_str())).collect();
    let (mut invalid, mut state) = (Violations::new(), Violations::new());
    let mut found = Vec::with_capacity(named.len());
    for (field, event_id) in named {
        let event = places.get(event_id.as_str()).and_then(|index| Some((*index, kept.get(*index)?)));
        match (event, revocations.get(event_id.as_str())) {
            (None, _) => {
                invalid.add(
                    field,
                    format!("must be the id of an event of the agreement, and {:?} is not", short(event_id)),
                );
            }
            (Some((_, event)), _) if event.voided.is_some() => {
                state.add(field, format!("names {event_id}, which is voided already"));
            }
            (Some(_), Some(by)) => {
                state.add(field, format!("names {event_id}, which {by} revokes; void {by} too, or first"));
            }
            (Some((index, _)), None) => found.push(index),
        }
    }
    if !invalid.is_empty() {
        return Err(Refused::Invalid(invalid));
    }
    if !state.is_empty() {
        return Err(Refused::State(state));
    }
    for index in found {
        if let Some(event) = kept.get_mut(index) {
            event.voided = Some(voiding(moment, moment.reason));
        }
    }
    Ok(())
}

/// That an event is voided now.
pub(super) fn voiding(moment: &Moment<'_>, reason: &str) -> AgreementEventVoiding {
    AgreementEventVoiding {
        reason: reason.to_owned(),
        actor: moment.actor.to_owned(),
        void_time: Some(moment.time.into()),
    }
}

/// Gives to the events of an agreement that is created what they lack, and notes what was recorded in the future.
pub(super) fn complete(resource: &mut Resource, moment: &Moment<'_>, violations: &mut Violations) -> bool {
    let Some(agreement) = agreement_of(resource) else { return false };
    for (index, event) in agreement.events.iter().enumerate() {
        if event.record_time.is_some_and(|time| Time::from(time) > moment.time) {
            let rule = format!("must not be in the future, and is after {}, the time of the commit", moment.time);
            violations.add(format!("events[{index}].record_time"), rule);
        }
        let first = event.record_date.as_ref().and_then(partial_date::day_numbers).map(|(first, _)| first);
        // In another time zone, as that of the registry that it comes from, it may be tomorrow.
        if first.is_some_and(|first| first > moment.day.0 + 1) {
            let today = partial_date::written(&date(moment.day));
            let rule = format!("must not be in the future, and is after {today}, the day of the commit");
            violations.add(format!("events[{index}].record_date"), rule);
        }
    }
    fill_in(&mut agreement.events, moment)
}

/// Gives to each event what the server gives, where it has it not yet: an id, by its place among the events, and when it is
/// recorded. Says whether anything was given.
pub(super) fn fill_in(events: &mut [AgreementEvent], moment: &Moment<'_>) -> bool {
    let mut filled = false;
    let lacking = events.iter().any(|event| event.event_id.is_empty());
    let mut ids = if lacking { Ids::of(events) } else { Ids::default() };
    for (index, event) in events.iter_mut().enumerate() {
        if event.event_id.is_empty() {
            event.event_id = ids.next(index);
            filled = true;
        }
        if event.record_date.is_none() {
            let day = event.record_time.map_or(moment.day, |time| Time::from(time).day_in(moment.zone));
            event.record_date = Some(date(day));
            filled = true;
        }
        if event.record_time.is_none() {
            event.record_time = Some(moment.time.into());
            filled = true;
        }
    }
    filled
}

/// The ids of the events of an agreement.
#[derive(Debug, Default)]
pub(super) struct Ids {
    taken: HashSet<String>,
    last: usize,
}

impl Ids {
    /// Those that events have.
    pub(super) fn of(events: &[AgreementEvent]) -> Self {
        let taken = events.iter().map(|event| &event.event_id).filter(|id| !id.is_empty()).cloned();
        Self { taken: taken.collect(), last: 0 }
    }

    /// Takes an id. Says whether it was free.
    pub(super) fn take(&mut self, id: &str) -> bool {
        self.taken.insert(id.to_owned())
    }

    /// The id of the event at a place, counted from 0: places come in their order. Ids that callers gave may stand in the way;
    /// then it is the next one that is free.
    pub(super) fn next(&mut self, place: usize) -> String {
        loop {
            self.last = (place + 1).max(self.last + 1);
            let id = format!("e{}", self.last);
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }
}

/// A day as a date.
fn date(day: Day) -> PartialDate {
    use jiff::ToSpan as _;
    let civil = jiff::civil::date(1970, 1, 1).checked_add(i64::from(day.0).days()).unwrap_or(jiff::civil::Date::MAX);
    PartialDate {
        year: civil.year().into(),
        month: civil.month().into(),
        day: civil.day().into(),
        ..PartialDate::default()
    }
}

#[cfg(test)]
mod tests;
