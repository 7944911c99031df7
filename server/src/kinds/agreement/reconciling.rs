//! What becomes of the events of an agreement that was read from its source again: which of them the source still has, which
//! it has otherwise, and which it has no more.
//!
//! An event is known again by what the source calls it, or else by its type, its parties and the date of the act, and its
//! number among such. What somebody voided is not recorded again, and nothing that is kept is rewritten.

use std::collections::{HashMap, HashSet, VecDeque};

use partnership_registry::v1::{Agreement, AgreementEvent, AgreementEventType, FindingCode, Resource, resource};
use prost::Message as _;

use super::recording::{Ids, agreement_of, fill_in, voiding};
use crate::faults;
use crate::findings::Findings;
use crate::kinds::verb::{Moment, Reread};
use crate::values::partial_date;

/// Why an event is voided, if the commit does not say.
const CHANGED: &str = "its source says it otherwise now";
/// Why an event is voided that its source has no more, if the commit does not say.
const GONE: &str = "its source does not have it any more";
/// Why an event is voided that its source itself takes back, if neither says.
const VOIDED: &str = "its source says that it does not count";

/// Takes over what the source says now, and notes what is gone from there.
pub(super) fn reconcile(resource: &mut Resource, reread: &Reread<'_>, moment: &Moment<'_>, findings: &mut Findings) {
    let (Some(agreement), Some(read)) = (agreement_of(resource), read_agreement(reread.resource)) else { return };
    let mut again = Again::new(&agreement.events, &read.events);
    again.match_all();
    again.tell_gone(reread.replace, findings);
    again.follow_revocations();
    let Again { voided, recorded, .. } = again;
    if voided.is_empty() && recorded.is_empty() {
        return;
    }
    for (index, reason) in voided {
        if let Some(event) = agreement.events.get_mut(index) {
            event.voided = Some(voiding(moment, if moment.reason.is_empty() { &reason } else { moment.reason }));
        }
    }
    agreement.events.extend(recorded);
    fill_in(&mut agreement.events, moment);
}

fn read_agreement(resource: &Resource) -> Option<&Agreement> {
    if let Some(resource::Kind::Agreement(agreement)) = &resource.kind { Some(agreement) } else { None }
}

/// The events that are kept beside those that were read, and what is to be done.
struct Again<'a> {
    kept: &'a [AgreementEvent],
    read: Vec<AgreementEvent>,
    /// By which id each event that was read is named by others that were read.
    called: Vec<String>,
    /// Of each event that was read: whether it is known what it is.
    known: Vec<bool>,
    /// Of each event that is kept: whether the source has it, or it is known why not.
    seen: Vec<bool>,
    /// The ids by which the events are kept, by those by which they are called in what was read.
    ids: HashMap<String, String>,
    /// The new ids of events that are voided and recorded again, by the ones they had.
    replaced: HashMap<String, String>,
    /// Gives ids to what is recorded.
    next: Ids,
    /// Which of the events that are kept are voided, and why.
    voided: Vec<(usize, String)>,
    /// What is recorded, each with its id.
    recorded: Vec<AgreementEvent>,
}

impl<'a> Again<'a> {
    fn new(kept: &'a [AgreementEvent], read: &[AgreementEvent]) -> Self {
        // As they would be called if the agreement were created from what was read.
        let mut ids = Ids::of(read);
        let called = read.iter().enumerate().map(|(index, event)| match event.event_id.as_str() {
            "" => ids.next(index),
            given => given.to_owned(),
        });
        Self {
            called: called.collect(),
            known: vec![false; read.len()],
            seen: vec![false; kept.len()],
            kept,
            read: read.to_vec(),
            ids: HashMap::new(),
            replaced: HashMap::new(),
            next: Ids::of(kept),
            voided: Vec::new(),
            recorded: Vec::new(),
        }
    }

    /// Knows the events again. Revocations come last: they name others, by ids that are known by then.
    fn match_all(&mut self) {
        let revocations: Vec<bool> =
            self.read.iter().map(|event| event.r#type() == AgreementEventType::Revocation).collect();
        for revoking in [false, true] {
            let of_turn = |index: usize| revocations.get(index) == Some(&revoking);
            if revoking {
                for event in self.read.iter_mut().filter(|event| !event.revoked_event_id.is_empty()) {
                    if let Some(id) = self.ids.get(&event.revoked_event_id) {
                        event.revoked_event_id.clone_from(id);
                    }
                }
            }
            self.match_those(&of_turn);
        }
    }

    /// Knows some of the events again: for all of them the surest way first.
    fn match_those(&mut self, those: &dyn Fn(usize) -> bool) {
        let void = |event: &AgreementEvent| !counts(event);
        for (read, kept) in self.pairs(those, &void, &void, &said_bytes) {
            self.is_kept(read, kept);
        }
        for (read, kept) in self.pairs(those, &counts, &counts, &said_bytes) {
            self.is_kept(read, kept);
        }
        let source_id = |event: &AgreementEvent| event.source_id.as_bytes().to_vec();
        let is_named = |event: &AgreementEvent| counts(event) && !event.source_id.is_empty();
        for (read, kept) in self.pairs(those, &is_named, &is_named, &source_id) {
            self.is_changed(read, kept);
        }
        let mut corrected = self.pairs(those, &counts, &void, &said_bytes);
        if faults::planted("voided-recorded-again").is_some() {
            corrected.clear();
        }
        for (read, kept) in &corrected {
            self.is_kept(*read, *kept);
        }
        self.pass_over_corrections(&corrected.into_iter().map(|(_, kept)| kept).collect::<Vec<_>>());
        let is_unnamed = |event: &AgreementEvent| counts(event) && event.source_id.is_empty();
        for (read, kept) in self.pairs(those, &is_unnamed, &counts, &key) {
            self.is_changed(read, kept);
        }
        // What the source calls otherwise is something else.
        for (read, kept) in self.pairs(those, &is_named, &is_unnamed, &key) {
            self.is_changed(read, kept);
        }
        for (read, kept) in self.pairs(those, &void, &counts, &said_bytes) {
            let reason = self.read.get(read).and_then(|event| event.voided.as_ref()).map(|voided| &voided.reason);
            let reason = reason.filter(|reason| !reason.is_empty()).map_or(VOIDED, |reason| reason).to_owned();
            self.is_kept(read, kept);
            self.voided.push((kept, reason));
        }
        for index in (0..self.read.len()).filter(|index| those(*index)) {
            if self.known.get(index) == Some(&false) && self.read.get(index).is_some_and(counts) {
                self.record(index);
            }
        }
    }

    /// Pairs events that were read, and of which nothing is known, with events that are kept and not seen, by a key: the first
    /// with the first, the second with the second.
    fn pairs(
        &self,
        those: &dyn Fn(usize) -> bool,
        of_read: &dyn Fn(&AgreementEvent) -> bool,
        of_kept: &dyn Fn(&AgreementEvent) -> bool,
        key: &dyn Fn(&AgreementEvent) -> Vec<u8>,
    ) -> Vec<(usize, usize)> {
        let mut by_key: HashMap<Vec<u8>, VecDeque<usize>> = HashMap::new();
        for (index, (event, seen)) in self.kept.iter().zip(&self.seen).enumerate() {
            if !seen && of_kept(event) {
                by_key.entry(key(event)).or_default().push_back(index);
            }
        }
        let read = self.read.iter().zip(&self.known).enumerate();
        read.filter(|(index, (event, known))| those(*index) && !**known && of_read(event))
            .filter_map(|(index, (event, _))| Some((index, by_key.get_mut(&key(event))?.pop_front()?)))
            .collect()
    }

    fn mark(&mut self, read: usize, kept: Option<usize>) {
        if let Some(known) = self.known.get_mut(read) {
            *known = true;
        }
        if let Some(seen) = kept.and_then(|kept| self.seen.get_mut(kept)) {
            *seen = true;
        }
    }

    fn is_kept(&mut self, read: usize, kept: usize) {
        self.mark(read, Some(kept));
        if let (Some(called), Some(event)) = (self.called.get(read), self.kept.get(kept)) {
            self.ids.insert(called.clone(), event.event_id.clone());
        }
    }

    fn is_changed(&mut self, read: usize, kept: usize) {
        self.mark(read, Some(kept));
        self.voided.push((kept, CHANGED.to_owned()));
        let id = self.record(read);
        if let Some(event) = self.kept.get(kept) {
            self.replaced.insert(event.event_id.clone(), id);
        }
    }

    /// Records an event as it was read, and answers its id: the one that it came with, if nothing has it yet.
    fn record(&mut self, read: usize) -> String {
        self.mark(read, None);
        let Some(event) = self.read.get(read) else { return String::new() };
        let mut event = without_given(event);
        let called = self.called.get(read).cloned().unwrap_or_default();
        let given = self.read.get(read).is_some_and(|event| event.event_id == called);
        event.event_id = if given && self.next.take(&called) {
            called.clone()
        } else {
            self.next.next(self.kept.len() + self.recorded.len())
        };
        let id = event.event_id.clone();
        self.ids.insert(called, id.clone());
        self.recorded.push(event);
        id
    }

    /// Somebody voided events that the source still has, and may have recorded what is right: that is not gone from the
    /// source, which never had it.
    fn pass_over_corrections(&mut self, voided: &[usize]) {
        let wrong = voided.iter().filter_map(|index| self.kept.get(*index)).map(key);
        let mut wrong = wrong.fold(HashMap::<_, usize>::new(), |mut counts, key| {
            *counts.entry(key).or_default() += 1;
            counts
        });
        if wrong.is_empty() {
            return;
        }
        for (event, seen) in self.kept.iter().zip(&mut self.seen).filter(|(event, seen)| !**seen && counts(event)) {
            if let Some(left) = wrong.get_mut(&key(event)).filter(|left| **left > 0) {
                (*left, *seen) = (*left - 1, true);
            }
        }
    }

    /// Tells of what the source has no more, and voids it if it is to be so.
    fn tell_gone(&mut self, replace: bool, findings: &mut Findings) {
        // A source that calls its events something never had one that it calls nothing.
        let calls = !self.read.is_empty() && self.read.iter().all(|event| !event.source_id.is_empty());
        for (index, (event, seen)) in self.kept.iter().zip(&self.seen).enumerate() {
            if *seen || !counts(event) || (calls && event.source_id.is_empty()) {
                continue;
            }
            let date = event.act_date.as_ref().or(event.effect_date.as_ref());
            let date = date.filter(|date| date.year != 0).map(|date| format!(" of {}", partial_date::written(date)));
            let event_type = event.r#type().as_str_name().trim_start_matches("AGREEMENT_EVENT_TYPE_");
            let (id, date) = (&event.event_id, date.unwrap_or_default());
            let what = if replace { "it was voided" } else { "it stays" };
            findings.add(
                FindingCode::EventGone,
                format_args!("events[{index}]"),
                format_args!("{id}, {event_type}{date}, is not in the source any more; {what}"),
            );
            if replace {
                self.voided.push((index, GONE.to_owned()));
            }
        }
    }

    /// A revocation that stays takes back what it took back, however that is recorded now; one of what is voided is voided with
    /// it.
    fn follow_revocations(&mut self) {
        let goes: HashSet<usize> = self.voided.iter().map(|(index, _)| *index).collect();
        let gone: HashSet<&str> =
            goes.iter().filter_map(|index| Some(self.kept.get(*index)?.event_id.as_str())).collect();
        let revokes = |event: &AgreementEvent| {
            counts(event) && !event.revoked_event_id.is_empty() && gone.contains(event.revoked_event_id.as_str())
        };
        let kept = self.kept.iter().enumerate();
        let followed: Vec<_> = kept.filter(|(index, event)| revokes(event) && !goes.contains(index)).collect();
        for (index, event) in followed {
            let replaced = self.replaced.get(&event.revoked_event_id).cloned();
            self.voided.push((index, if replaced.is_some() { CHANGED } else { GONE }.to_owned()));
            if let Some(revoked_event_id) = replaced {
                let event_id = self.next.next(self.kept.len() + self.recorded.len());
                self.recorded.push(AgreementEvent { event_id, revoked_event_id, ..without_given(event) });
            }
        }
    }
}

fn counts(event: &AgreementEvent) -> bool {
    event.voided.is_none()
}

/// What a source says of an event: without what the registry gives to it.
fn without_given(event: &AgreementEvent) -> AgreementEvent {
    AgreementEvent { event_id: String::new(), record_time: None, record_date: None, voided: None, ..event.clone() }
}

/// The same, as bytes that are equal if it is equal.
fn said_bytes(event: &AgreementEvent) -> Vec<u8> {
    without_given(event).encode_to_vec()
}

/// By what an event is known again, if the source does not call it anything.
fn key(event: &AgreementEvent) -> Vec<u8> {
    let mut party_ids = event.party_ids.clone();
    party_ids.sort();
    AgreementEvent { r#type: event.r#type, party_ids, act_date: event.act_date.clone(), ..AgreementEvent::default() }
        .encode_to_vec()
}

#[cfg(test)]
mod tests;
