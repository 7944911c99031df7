//! The table of events as a machine: what an agreement becomes by each event, and what it may have become by events that
//! are not recorded.
//!
//! It goes through one order of steps. What an unrecorded event would change makes it be in several states at once, each
//! with what brought it there.

use partnership_registry::v1::AgreementState;
use smallvec::SmallVec;

use super::days::{ALWAYS, NEVER};
use super::record::{Record, What, Whose, row};
use super::worlds::Step;

pub(super) type State = AgreementState;

/// What brought something, if it is no event.
pub(super) mod by {
    /// Nothing.
    pub(crate) const NOTHING: u32 = u32::MAX;
    /// The end of the last term.
    pub(crate) const TERM: u32 = u32::MAX - 1;
    /// What a source asserts.
    pub(crate) const ASSERTED: u32 = u32::MAX - 2;
    /// An event that is not recorded.
    pub(crate) const UNRECORDED: u32 = u32::MAX - 3;
}

/// Days on which something is so in some worlds: from the first up to the day before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment<T> {
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) holds: T,
    /// What brought it.
    pub(super) by: u32,
}

/// The events that are not recorded and may have happened, as far as the order of steps matters: each up to which step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unrecorded {
    /// An entry into force may come before this step, by its place.
    entry_before: usize,
    /// And this is the first place before which an end may come.
    end_from: usize,
    suspension_before: usize,
    provisional_before: usize,
}

impl Unrecorded {
    pub(super) fn of(record: &Record<'_>, steps: &[Step]) -> Unrecorded {
        let last = |is: &dyn Fn(&Step) -> bool| steps.iter().rposition(is).map_or(0, |place| place + 1);
        let any = |is: &dyn Fn(&Step) -> bool| steps.iter().any(is);
        let entry = |step: &Step| matches!(step.what, What::Entry | What::OwnEntry { counts: true });
        let end = |step: &Step| matches!(step.what, What::End { .. });
        let asserted = record.agreement.asserted_status.as_ref().map(|asserted| asserted.state());
        let ended_or_in_force = asserted.is_some_and(|state| rank(state) > rank(State::ProvisionallyApplied));
        let has_begun = any(&entry) || asserted == Some(State::InForce);
        let all = steps.len() + 1;
        let entry_before = match (has_begun, record.agreement.events_incomplete && !ended_or_in_force) {
            (true, _) => 0,
            (false, true) => all,
            (false, false) => last(&presupposes_entry),
        };
        // What ends is what began after the last end that is recorded.
        let ended = last(&end);
        let begun = steps.iter().skip(ended).position(entry).map(|place| ended + place + 1);
        let begun = begun.or((ended == 0).then_some(0));
        let may_end = record.agreement.events_incomplete && !ended_or_in_force;
        let suspension =
            if any(&|step| step.what == What::Suspension) { 0 } else { last(&|step| step.what == What::Resumption) };
        let provisional = last(&|step| step.what == What::ProvisionalEnd && is_unbegun(record, step));
        Unrecorded {
            entry_before,
            end_from: begun.filter(|_| may_end).unwrap_or(usize::MAX),
            suspension_before: suspension,
            provisional_before: provisional,
        }
    }

    /// How far it has come when a step happens that presupposes what is not recorded: worlds in which that did not happen
    /// before are none.
    pub(super) fn least_rank(&self, record: &Record<'_>, step: &Step, place: usize) -> u8 {
        if place < self.entry_before && presupposes_entry(step) {
            rank(State::InForce)
        } else if place < self.provisional_before && step.what == What::ProvisionalEnd && is_unbegun(record, step) {
            rank(State::ProvisionallyApplied)
        } else {
            0
        }
    }

    /// Whether none may happen at all.
    pub(super) fn is_none(&self) -> bool {
        self.entry_before == 0
            && self.end_from == usize::MAX
            && self.suspension_before == 0
            && self.provisional_before == 0
    }

    /// What may happen to an agreement in a state before the step at a place, each with its row in the table.
    pub(super) fn from(&self, state: State, place: usize, open: bool) -> SmallVec<[(u8, State); 3]> {
        let mut to = SmallVec::new();
        if place < self.entry_before && rank(state) <= rank(State::ProvisionallyApplied) {
            to.push((row::ENTRY, State::InForce));
        }
        let runs = matches!(state, State::InForce | State::Suspended);
        if place >= self.end_from && runs {
            to.push((row::TERMINATION, State::Terminated));
        }
        if place < self.suspension_before && state == State::InForce {
            to.push((row::SUSPENSION, State::Suspended));
        }
        if place < self.provisional_before && rank(state) <= rank(State::Signed) {
            to.push((row::PROVISIONAL, State::ProvisionallyApplied));
        }
        if open && (runs || state == State::ProvisionallyApplied) {
            to.push((row::TERM_END, State::Expired));
        }
        to
    }
}

/// Whether nothing of the kind happens to what has never been in force.
fn presupposes_entry(step: &Step) -> bool {
    matches!(
        step.what,
        What::End { .. }
            | What::NonRenewal
            | What::Renewal { .. }
            | What::Suspension
            | What::Resumption
            | What::Asserted(State::Suspended | State::Expired | State::Terminated | State::Superseded)
    )
}

/// Whether a step ends what is not recorded to have begun.
pub(super) fn is_unbegun(record: &Record<'_>, step: &Step) -> bool {
    record.fact(step.event).is_some_and(|fact| fact.unbegun)
}

/// How far an agreement has come in a state.
pub(super) fn rank(state: State) -> u8 {
    match state {
        State::Unspecified | State::Draft => 0,
        State::Negotiating => 1,
        State::Adopted => 2,
        State::Signed => 3,
        State::ProvisionallyApplied => 4,
        State::InForce | State::Suspended => 5,
        State::Expired | State::Terminated | State::Superseded | State::Abandoned => 6,
    }
}

pub(super) fn has_ended(state: State) -> bool {
    rank(state) == 6
}

/// Who applies an agreement provisionally, in one order of steps. What all do is done by each contracting party.
#[derive(Debug, Default)]
pub(super) struct Appliers {
    all: bool,
    /// The contracting parties that do by acts of their own, and the other parties.
    contracting: Few,
    others: Few,
}

/// Some of the parties, by their places.
#[derive(Debug, Default)]
struct Few {
    are: Vec<bool>,
    count: usize,
}

impl Few {
    fn set(&mut self, party: u16, is: bool) {
        let place = usize::from(party);
        if self.are.len() <= place {
            self.are.resize(place + 1, false);
        }
        if let Some(one) = self.are.get_mut(place).filter(|one| **one != is) {
            *one = is;
            self.count = if is { self.count + 1 } else { self.count - 1 };
        }
    }
}

impl Appliers {
    /// A step costs no more than the parties that it names.
    pub(super) fn take(&mut self, record: &Record<'_>, step: &Step) {
        let begins = step.what == What::Provisional;
        if !begins && step.what != What::ProvisionalEnd {
            return;
        }
        let Some(fact) = record.fact(step.event) else { return };
        let Whose::Some(parties) = &fact.whose else {
            (self.all, self.contracting) = (begins, Few::default());
            return;
        };
        if self.all && !begins {
            let count = record.contracting.iter().filter(|contracting| **contracting).count();
            (self.all, self.contracting) = (false, Few { are: record.contracting.clone(), count });
        }
        for &party in parties {
            let those = if record.is_contracting(party) { &mut self.contracting } else { &mut self.others };
            those.set(party, begins);
        }
    }

    fn is_none(&self) -> bool {
        !self.all && self.contracting.count == 0 && self.others.count == 0
    }
}

/// What an agreement in a state becomes by a step. `entered`: it has entered into force in this order before.
pub(super) fn next(state: State, step: &Step, appliers: &Appliers, general_entry: bool, entered: bool) -> State {
    let before_force = rank(state) <= rank(State::ProvisionallyApplied);
    let not_signed = rank(state) < rank(State::Signed);
    match step.what {
        What::Negotiation if state == State::Draft => State::Negotiating,
        What::Adoption if rank(state) < rank(State::Adopted) => State::Adopted,
        What::Signature if not_signed => State::Signed,
        What::Provisional if before_force => State::ProvisionallyApplied,
        What::ProvisionalEnd if state == State::ProvisionallyApplied && appliers.is_none() => State::Signed,
        // Of those of single parties only the first brings the agreement into force.
        What::Entry | What::OwnEntry { counts: true } if general_entry || !entered => State::InForce,
        What::Suspension if state == State::InForce => State::Suspended,
        What::Resumption if state == State::Suspended => State::InForce,
        What::Expiry if rank(state) == rank(State::InForce) || state == State::ProvisionallyApplied => State::Expired,
        What::End { superseded: true } => State::Superseded,
        What::End { superseded: false } => State::Terminated,
        What::Abandonment if before_force => State::Abandoned,
        What::Asserted(asserted) if may_be_asserted(state, asserted) => asserted,
        What::Negotiation
        | What::Adoption
        | What::Signature
        | What::Provisional
        | What::ProvisionalEnd
        | What::Entry
        | What::Suspension
        | What::Resumption
        | What::NonRenewal
        | What::TermDate
        | What::DeadlineDate
        | What::Renewal { .. }
        | What::Abandonment
        | What::Revocation(_)
        | What::Asserted(_)
        | What::Deadline
        | What::TermOver
        | What::Expiry
        | What::Consent { .. }
        | What::OtherConsent
        | What::OwnEntry { .. }
        | What::OwnEnd(_)
        | What::OwnSuspension
        | What::OwnResumption => state,
    }
}

/// Whether an asserted state takes an agreement on: it never takes one back, nor ends one that has ended already.
fn may_be_asserted(state: State, asserted: State) -> bool {
    if asserted == State::Abandoned {
        return rank(state) <= rank(State::ProvisionallyApplied);
    }
    asserted != State::Unspecified && !has_ended(state) && rank(asserted) >= rank(state)
}

/// What brings about the change of a step.
pub(super) fn brought_by(step: &Step) -> u32 {
    if step.what == What::Expiry {
        by::TERM
    } else if matches!(step.what, What::Asserted(_)) {
        by::ASSERTED
    } else {
        step.event
    }
}

/// The days between one step and the next one, and which of them an unrecorded event of a row can be seen on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    pub(super) from: i32,
    pub(super) to: i32,
    before: (u8, i32),
    next: (u8, i32),
}

impl Gap {
    /// The gap before the step at a place: from the step before it.
    pub(super) fn before(steps: &[Step], place: usize) -> Gap {
        let last = place.checked_sub(1).and_then(|place| steps.get(place));
        let next = steps.get(place);
        let from = last.map_or(ALWAYS, |step| step.first);
        let to = next.map_or(NEVER, |step| step.last);
        Gap {
            from,
            to,
            before: (last.map_or(0, |step| step.row), from),
            next: (next.map_or(u8::MAX, |step| step.row), to),
        }
    }

    /// From which day on a change that is not recorded can be seen. `None`: it cannot happen in this gap; at or after
    /// `to`: it happens on the day of the next step, and before that.
    pub(super) fn change(&self, row: u8) -> Option<i32> {
        let apart = i64::from(self.to) - i64::from(self.from);
        let (after_last, before_next) =
            (row > self.before.0 || self.from == ALWAYS, row < self.next.0 || self.to == NEVER);
        if after_last && (apart > 0 || before_next) {
            Some(self.from)
        } else if apart >= 2 {
            Some(self.from.saturating_add(1))
        } else if before_next && (apart > 0 || after_last) {
            Some(self.to)
        } else {
            None
        }
    }
}

/// The states of an agreement in one order of steps.
pub(super) fn run(record: &Record<'_>, steps: &[Step], into: &mut Vec<Segment<State>>) {
    let unrecorded = Unrecorded::of(record, steps);
    let none = unrecorded.is_none();
    let mut now: SmallVec<[(State, u32); 4]> = SmallVec::new();
    now.push((State::Draft, by::NOTHING));
    let mut others: SmallVec<[(State, u32); 1]> = SmallVec::new();
    let mut appliers = Appliers::default();
    let mut entered = false;
    for place in 0..=steps.len() {
        let gap = Gap::before(steps, place);
        let open = place.checked_sub(1).and_then(|last| steps.get(last)).is_some_and(|step| step.open);
        let mut seen: SmallVec<[i32; 4]> = now.iter().map(|_| gap.from).collect();
        if !none || open {
            let mut done = 0;
            while let (Some((state, _)), Some(from)) = (now.get(done).copied(), seen.get(done).copied()) {
                for (row, to) in unrecorded.from(state, place, open) {
                    let by = if row == row::TERM_END { by::TERM } else { by::UNRECORDED };
                    let Some(change) = gap.change(row) else { continue };
                    match now.iter().position(|(state, _)| *state == to) {
                        None => {
                            now.push((to, by));
                            seen.push(change.max(from));
                        }
                        // It may have come about in another way, and be seen earlier.
                        Some(there) => {
                            if let Some(seen) = seen.get_mut(there).filter(|seen| **seen > change.max(from)) {
                                *seen = change.max(from);
                            }
                        }
                    }
                }
                done += 1;
            }
        }
        for ((state, by), from) in now.iter().zip(seen) {
            if from < gap.to {
                into.push(Segment { from, to: gap.to, holds: *state, by: *by });
            }
        }
        let Some(step) = steps.get(place) else { break };
        appliers.take(record, step);
        let least = unrecorded.least_rank(record, step, place);
        if now.len() > 1 && now.iter().any(|(state, _)| rank(*state) >= least) {
            now.retain(|(state, _)| rank(*state) >= least);
        }
        for (state, by) in &mut now {
            let next = next(*state, step, &appliers, record.general_entry, entered);
            // Another may apply it still, of whom only the end is recorded.
            if step.what == What::ProvisionalEnd && next != *state && place + 1 < unrecorded.provisional_before {
                others.push((*state, by::UNRECORDED));
            }
            if next != *state {
                (*state, *by) = (next, brought_by(step));
            }
        }
        now.append(&mut others);
        entered |= matches!(step.what, What::Entry | What::OwnEntry { counts: true });
        if now.len() > 1 {
            let all = std::mem::take(&mut now);
            for one in all {
                if !now.iter().any(|(state, _)| *state == one.0) {
                    now.push(one);
                }
            }
        }
    }
}
