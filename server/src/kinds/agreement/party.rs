//! The table of events as a machine, for one party: when it consents, is bound, and is so no more.
//!
//! It goes through one order of steps, those of the agreement among them. Of the other parties it knows no more than when
//! the first of them consented.

use partnership_registry::v1::AgreementEndType as EndType;
use smallvec::SmallVec;

use super::machine::{Appliers, Gap, Segment, State, Unrecorded, brought_by, by, has_ended, is_unbegun, next, rank};
use super::record::{Record, What, row};
use super::worlds::Step;

/// How a party stands, of what its status tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Standing {
    pub(super) consented: bool,
    pub(super) bound: bool,
    pub(super) in_force: bool,
    pub(super) applies: bool,
    /// How its participation ended, if it did and was not taken up again.
    pub(super) ended: Option<EndType>,
}

/// All that decides how a party stands from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Party {
    state: State,
    /// The agreement has been in force.
    was_in_force: bool,
    consented: bool,
    bound: bool,
    suspended: bool,
    applies: bool,
    ended: Option<EndType>,
    /// It left by an act of its own or of the others, and has not consented since.
    left: bool,
    /// Another took its place: it is bound by consents of its own alone.
    succeeded: bool,
    by: u32,
}

impl Party {
    fn standing(&self) -> Standing {
        Standing {
            consented: self.consented,
            bound: self.bound,
            in_force: self.bound && !self.suspended && self.state == State::InForce,
            applies: self.applies && !self.bound && !has_ended(self.state),
            ended: self.ended.filter(|_| !self.bound),
        }
    }

    fn bind(&mut self, by: u32) {
        if !self.bound {
            *self = Party { bound: true, suspended: false, applies: false, ended: None, left: false, by, ..*self };
        }
    }

    fn end(&mut self, how: EndType, by: u32) {
        if self.bound {
            *self = Party { bound: false, suspended: false, consented: false, ended: Some(how), by, ..*self };
        }
    }

    /// It leaves: a consent that has not bound it yet is taken back.
    fn leave(&mut self, how: EndType, by: u32) {
        self.end(how, by);
        *self = Party { consented: false, left: true, applies: false, ..*self };
        self.succeeded |= how == EndType::Succession;
    }
}

/// One party in one order of steps.
struct Course<'a> {
    record: &'a Record<'a>,
    contracting: bool,
    unrecorded: Unrecorded,
    /// The party may come to be bound before the step at this place, by something that is not recorded.
    bound_before: usize,
    /// And its participation may end from this place on.
    end_from: usize,
    consents: bool,
    suspended_before: usize,
    applies_before: usize,
    entry_recorded: bool,
    ahead: Ahead,
}

/// What is still to come for the party, so that no step has to look through all that are behind it.
struct Ahead {
    /// For each place: an entry into force of the party itself comes from there on, before it leaves.
    own_entry: SmallVec<[bool; 32]>,
    /// It joins, by what is recorded, before this place for the last time.
    joins_before: usize,
    /// It takes the place of another before this place for the last time.
    succeeds_before: usize,
    /// Some party, it or another, consents from this place on.
    asked_from: usize,
}

impl Ahead {
    fn of(steps: &[Step]) -> Ahead {
        let last = |is: &dyn Fn(&Step) -> bool| steps.iter().rposition(is).map_or(0, |place| place + 1);
        let consents = |step: &Step| matches!(step.what, What::Consent { .. } | What::OtherConsent);
        let mut own_entry: SmallVec<[bool; 32]> = SmallVec::from_elem(false, steps.len() + 1);
        let mut comes = false;
        for (step, own_entry) in steps.iter().zip(&mut own_entry).rev() {
            comes = (comes || matches!(step.what, What::OwnEntry { .. })) && !matches!(step.what, What::OwnEnd(_));
            *own_entry = comes;
        }
        Ahead {
            own_entry,
            joins_before: last(&|step| matches!(step.what, What::Consent { .. } | What::OwnEntry { .. })),
            succeeds_before: last(&|step| step.what == What::Consent { succession: true }),
            asked_from: steps.iter().position(consents).unwrap_or(usize::MAX),
        }
    }

    fn has_own_entry(&self, place: usize) -> bool {
        self.own_entry.get(place).copied().unwrap_or(false)
    }
}

impl<'a> Course<'a> {
    fn of(record: &'a Record<'a>, steps: &[Step], contracting: bool) -> Course<'a> {
        let last = |is: &dyn Fn(&Step) -> bool| steps.iter().rposition(is).map_or(0, |place| place + 1);
        let any = |is: &dyn Fn(&Step) -> bool| steps.iter().any(is);
        let own_begin = |step: &Step| matches!(step.what, What::Consent { .. } | What::OwnEntry { .. });
        let entry = |step: &Step| matches!(step.what, What::Entry | What::OwnEntry { counts: true });
        let begin = |step: &Step| own_begin(step) || entry(step);
        // Among many one may have left before the agreement ended for all.
        let end = |step: &Step| {
            let of_all = matches!(step.what, What::End { .. }) && (record.bilateral || step.own);
            of_all || matches!(step.what, What::OwnEnd(_))
        };
        let left = |step: &Step| {
            let leaves = matches!(step.what, What::OwnEnd(how) if how != EndType::Succession);
            leaves || (step.own && matches!(step.what, What::End { .. }))
        };
        let incomplete = record.agreement.events_incomplete && contracting;
        let begins = any(&own_begin);
        let bound_before = match (begins, incomplete) {
            (true, _) => 0,
            (false, true) => steps.len() + 1,
            (false, false) => last(&left),
        };
        let ended = last(&end);
        let begun = steps.iter().skip(ended).position(begin).map(|place| ended + place + 1);
        let begun = begun.or((ended == 0).then_some(0));
        let before = |begins: bool, place: usize| if begins { 0 } else { place };
        Course {
            record,
            contracting,
            unrecorded: Unrecorded::of(record, steps),
            bound_before,
            end_from: begun.filter(|_| incomplete).unwrap_or(usize::MAX),
            consents: incomplete && !any(&|step| matches!(step.what, What::Consent { .. })),
            suspended_before: before(
                any(&|step| step.what == What::OwnSuspension),
                last(&|step| step.what == What::OwnResumption),
            ),
            applies_before: before(
                any(&|step| step.what == What::Provisional && step.own),
                last(&|step| step.what == What::ProvisionalEnd && step.own && is_unbegun(record, step)),
            ),
            entry_recorded: any(&entry) || record.agreement.asserted_status.is_some(),
            ahead: Ahead::of(steps),
        }
    }

    fn is_none(&self) -> bool {
        self.unrecorded.is_none()
            && self.bound_before == 0
            && self.end_from == usize::MAX
            && !self.consents
            && self.suspended_before == 0
            && self.applies_before == 0
    }

    /// Whether a party was bound since nobody is recorded to have consented, of which not all is recorded.
    fn rests_on_absence(&self, was: &Party, now: &Party) -> bool {
        let by_all = self.contracting && !self.record.bilateral && !now.consented;
        self.record.agreement.events_incomplete && by_all && now.bound && !was.bound
    }

    /// It enters into force for all, before the step at a place; whether it is in force already.
    fn enter(&self, party: &mut Party, place: usize, runs: bool, by: u32) {
        let first = !party.was_in_force;
        party.was_in_force = true;
        if !self.contracting || party.bound {
            return;
        }
        if runs && !party.consented {
            return;
        }
        let binds = if self.record.bilateral {
            party.consented || (!party.succeeded && place >= self.ahead.succeeds_before)
        } else if self.ahead.has_own_entry(place) {
            false
        } else {
            let asked = first && self.ahead.asked_from < place;
            let joins = place < self.ahead.joins_before;
            party.consented || (!asked && !party.left && !joins)
        };
        if binds {
            party.bind(by);
        }
    }

    fn take(&self, party: &mut Party, place: usize, step: &Step, appliers: &Appliers, entered: bool) {
        let by = brought_by(step);
        let was = party.state;
        party.state = next(was, step, appliers, self.record.general_entry, entered);
        let runs = rank(party.state) == rank(State::InForce);
        match step.what {
            // One of single parties binds those alone.
            What::Entry if !self.record.general_entry => party.was_in_force = true,
            What::Entry => self.enter(party, place + 1, rank(was) == rank(State::InForce), by),
            What::OwnEntry { counts } => {
                party.was_in_force |= counts;
                if !has_ended(party.state) {
                    party.bind(by);
                }
            }
            What::Consent { .. } => {
                (party.consented, party.left) = (true, false);
                if self.contracting && runs && !self.ahead.has_own_entry(place + 1) {
                    party.bind(by);
                }
            }
            What::OwnEnd(how) => party.leave(how, by),
            What::OwnSuspension => party.suspended |= party.bound,
            What::OwnResumption => party.suspended = false,
            What::Provisional if step.own => party.applies = !party.bound && !has_ended(party.state),
            What::ProvisionalEnd if step.own => party.applies = false,
            What::End { superseded } => {
                let all = if superseded { EndType::Supersession } else { EndType::Termination };
                let how = if step.own && step.row != row::TERMINATION { EndType::Withdrawal } else { all };
                party.end(how, by);
                party.applies = false;
                if step.own && step.row != row::TERMINATION {
                    (party.consented, party.left) = (false, true);
                }
            }
            What::Expiry if has_ended(party.state) && !has_ended(was) => party.end(EndType::Expiry, by),
            What::Abandonment if has_ended(party.state) => party.end(EndType::Termination, by),
            What::Asserted(_) if runs && rank(was) < rank(State::InForce) => self.enter(party, place + 1, false, by),
            What::Asserted(_) if has_ended(party.state) && !has_ended(was) => party.end(end_by(party.state), by),
            What::Negotiation
            | What::Adoption
            | What::Signature
            | What::Provisional
            | What::ProvisionalEnd
            | What::Suspension
            | What::Resumption
            | What::NonRenewal
            | What::TermDate
            | What::DeadlineDate
            | What::Renewal { .. }
            | What::Expiry
            | What::Abandonment
            | What::Revocation(_)
            | What::Asserted(_)
            | What::Deadline
            | What::TermOver
            | What::OtherConsent => {}
        }
        if has_ended(party.state) {
            party.applies = false;
        }
    }

    /// What may happen to the party before the step at a place that is not recorded, each with its row in the table.
    fn changes(&self, party: &Party, place: usize, open: bool) -> SmallVec<[(u8, Party); 4]> {
        let mut to: SmallVec<[(u8, Party); 4]> = SmallVec::new();
        for (row, state) in self.unrecorded.from(party.state, place, open) {
            let mut changed = Party { state, ..*party };
            if state == State::InForce {
                self.enter(&mut changed, place, false, by::UNRECORDED);
            } else if has_ended(state) {
                changed.end(end_by(state), if state == State::Expired { by::TERM } else { by::UNRECORDED });
            }
            changed.applies &= !has_ended(state);
            to.push((row, changed));
            if self.rests_on_absence(party, &changed) {
                to.push((row, Party { state, was_in_force: changed.was_in_force, ..*party }));
            }
        }
        let runs = rank(party.state) == rank(State::InForce);
        let may_bind = runs || (!self.entry_recorded && !has_ended(party.state));
        if place < self.bound_before && !party.bound && party.ended.is_none() && !party.left && may_bind {
            let mut changed = *party;
            changed.bind(by::UNRECORDED);
            to.push((row::OWN_ENTRY, changed));
        }
        if place >= self.end_from && party.bound {
            let mut changed = *party;
            changed.leave(EndType::Withdrawal, by::UNRECORDED);
            to.push((row::DENUNCIATION, changed));
        }
        if self.consents && !party.consented {
            to.push((row::CONSENT, Party { consented: true, ..*party }));
        }
        if place < self.suspended_before && party.bound && !party.suspended {
            to.push((row::SUSPENSION, Party { suspended: true, ..*party }));
        }
        if place < self.applies_before && !party.bound && !party.applies && !has_ended(party.state) {
            to.push((row::PROVISIONAL, Party { applies: true, ..*party }));
        }
        to
    }
}

/// How participation ends with an agreement that comes into a state.
fn end_by(state: State) -> EndType {
    if state == State::Expired {
        EndType::Expiry
    } else if state == State::Superseded {
        EndType::Supersession
    } else {
        EndType::Termination
    }
}

/// How a party stands in one order of steps.
pub(super) fn run(record: &Record<'_>, steps: &[Step], contracting: bool, into: &mut Vec<Segment<Standing>>) {
    let course = Course::of(record, steps, contracting);
    let none = course.is_none();
    let mut now: SmallVec<[Party; 2]> = SmallVec::new();
    now.push(Party {
        state: State::Draft,
        was_in_force: false,
        consented: false,
        bound: false,
        suspended: false,
        applies: false,
        ended: None,
        left: false,
        succeeded: false,
        by: by::NOTHING,
    });
    let mut others: SmallVec<[Party; 1]> = SmallVec::new();
    let mut appliers = Appliers::default();
    let mut entered = false;
    for place in 0..=steps.len() {
        let gap = Gap::before(steps, place);
        let open = place.checked_sub(1).and_then(|last| steps.get(last)).is_some_and(|step| step.open);
        let mut seen: SmallVec<[i32; 4]> = now.iter().map(|_| gap.from).collect();
        if !none || open {
            let mut done = 0;
            while let (Some(party), Some(from)) = (now.get(done).copied(), seen.get(done).copied()) {
                for (row, to) in course.changes(&party, place, open) {
                    let Some(change) = gap.change(row) else { continue };
                    match now.iter().position(|party| Party { by: to.by, ..*party } == to) {
                        None => {
                            now.push(to);
                            seen.push(change.max(from));
                        }
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
        for (party, from) in now.iter().zip(seen) {
            if from < gap.to {
                into.push(Segment { from, to: gap.to, holds: party.standing(), by: party.by });
            }
        }
        let Some(step) = steps.get(place) else { break };
        appliers.take(record, step);
        let least = course.unrecorded.least_rank(record, step, place);
        if now.len() > 1 && now.iter().any(|party| rank(party.state) >= least) {
            now.retain(|party| rank(party.state) >= least);
        }
        for party in &mut now {
            let was = *party;
            course.take(party, place, step, &appliers, entered);
            if course.rests_on_absence(&was, party) {
                others.push(Party { state: party.state, was_in_force: party.was_in_force, ..was });
            }
        }
        now.append(&mut others);
        entered |= matches!(step.what, What::Entry | What::OwnEntry { counts: true });
        if now.len() > 1 {
            let all = std::mem::take(&mut now);
            for one in all {
                if !now.iter().any(|party| Party { by: one.by, ..*party } == one) {
                    now.push(one);
                }
            }
        }
    }
}
