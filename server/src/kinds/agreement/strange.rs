//! What is strange about an agreement, and was accepted all the same: the record of real treaties is so.
//!
//! Nothing here is found that is so in some worlds only: what is uncertain may yet prove to be in order.

use std::collections::HashMap;

use partnership_registry::v1::{
    Agreement, AgreementEventType as Type, AgreementRegistration, AgreementScope, AgreementState as State, FindingCode,
};

use super::days::{Days, NEVER};
use super::machine::{Segment, has_ended, rank};
use super::order::{NeverBegun, never_begun};
use super::record::{Fact, NO_EVENT, Record, What, Whose};
use super::standing::Standings;
use super::worlds::Step;
use crate::findings::Findings;

/// Notes what contradicts the events, their order and what a source asserts, and what had to be assumed.
pub(crate) fn find(agreement: &Agreement, findings: &mut Findings) {
    let mut standings = Standings::of(agreement);
    let mut orders = Orders::default();
    let states = standings.agreement(|steps| orders.take(steps));
    let record = &standings.record;
    find_of_scope(record, findings);
    find_of_registrations(agreement, &states, findings);
    find_of_asserted(record, &states, findings);
    find_of_order(record, findings);
    let entries = record.facts.iter().filter(|fact| record.is_counting_entry(fact));
    let entered = entries.map(|entry| entry.effect().last).min().unwrap_or(NEVER);
    for fact in &record.facts {
        find_of_event(record, fact, entered, findings);
    }
    if !standings.cautious {
        orders.find(record, findings);
    }
}

fn find_of_scope(record: &Record<'_>, findings: &mut Findings) {
    if record.agreement.scope() == AgreementScope::Bilateral && record.sides > 2 {
        let text = format_args!("BILATERAL is said of {} contracting sides; both are kept as they came", record.sides);
        findings.add(FindingCode::ScopeContradicted, "scope", text);
    }
}

/// The number of a registration is given once an agreement is in force or provisionally applied.
fn find_of_registrations(agreement: &Agreement, states: &[Segment<State>], findings: &mut Findings) {
    let applied = |state| rank(state) > rank(State::Signed) && state != State::Abandoned;
    let begins = states.iter().filter(|segment| applied(segment.holds)).map(|segment| segment.from).min();
    let mut check = |registration: &AgreementRegistration, path: std::fmt::Arguments<'_>| {
        if registration.number.is_empty() {
            return;
        }
        let registered = Days::of(registration.registration_date.as_ref());
        let when = match begins {
            None => "",
            Some(begins) if registered.last < begins => " by the day of its registration",
            Some(_) => return,
        };
        let text =
            format_args!("a number is of what was in force or provisionally applied, and no event says so{when}");
        findings.add(FindingCode::StateContradicted, path, text);
    };
    for (index, registration) in agreement.registrations.iter().enumerate() {
        check(registration, format_args!("registrations[{index}].number"));
    }
    let events = agreement.events.iter().enumerate().filter(|(_, event)| event.voided.is_none());
    for (index, event) in events {
        if let Some(registration) = &event.registration {
            check(registration, format_args!("events[{index}].registration.number"));
        }
    }
}

/// What a source asserts is contradicted if it held in no world on a day on which it may have begun.
fn find_of_asserted(record: &Record<'_>, states: &[Segment<State>], findings: &mut Findings) {
    let Some((asserted, days)) = record.agreement.asserted_status.as_ref().map(|it| it.state()).zip(record.asserted())
    else {
        return;
    };
    let agrees = |state| state == asserted || (has_ended(state) && has_ended(asserted) && asserted != State::Abandoned);
    let meets = |segment: &Segment<State>| segment.from <= days.days.last && days.days.first < segment.to;
    if !states.iter().any(|segment| meets(segment) && agrees(segment.holds)) {
        let text = format_args!("{} is contradicted by recorded events, which count", asserted.as_str_name());
        findings.add(FindingCode::AssertedStatusContradicted, "asserted_status.state", text);
    }
}

/// What ends and has not begun. What is not recorded is missed only where all events are, and where no source asserts how
/// it stands instead.
fn find_of_order(record: &Record<'_>, findings: &mut Findings) {
    let all_recorded = !record.agreement.events_incomplete && record.agreement.asserted_status.is_none();
    for (place, wrong) in never_begun(record) {
        let Some(place) = place else {
            let text = format_args!("the first term ends before the entry into force; both are kept as they came");
            findings.add(FindingCode::EventsContradict, "term.expiry_date", text);
            continue;
        };
        let Some(fact) = record.facts.get(place) else { continue };
        match wrong {
            NeverBegun::Later => contradicts(fact, "comes before all that it could be of", findings),
            NeverBegun::Nowhere if all_recorded => contradicts(fact, "is of nothing that is recorded", findings),
            NeverBegun::Nowhere => {}
        }
    }
}

fn contradicts(fact: &Fact<'_>, what: &str, findings: &mut Findings) {
    let name = fact.r#type.as_str_name().trim_start_matches("AGREEMENT_EVENT_TYPE_");
    let text = format_args!("the {name} {what}; it is kept as it came");
    findings.add(FindingCode::EventsContradict, format_args!("events[{}].type", fact.index), text);
}

/// What can be seen from one event, and what it is about. `entered`: the day by which it has entered into force.
fn find_of_event(record: &Record<'_>, fact: &Fact<'_>, entered: i32, findings: &mut Findings) {
    let leaves = matches!(fact.r#type, Type::Denunciation | Type::Withdrawal);
    let notice = record.agreement.term.as_ref().and_then(|term| term.denunciation_notice.as_ref());
    if leaves && fact.event.effect_date.is_none() && notice.is_none() {
        let text =
            format_args!("no effect date and no term.denunciation_notice is recorded: the day of the act is taken");
        findings.add(FindingCode::EffectAssumed, format_args!("events[{}].effect_date", fact.index), text);
    }
    if fact.r#type == Type::Abandonment && entered <= fact.effect().first {
        contradicts(fact, "comes after the entry into force, and changes nothing", findings);
    }
    // When a notice is too late to be taken back depends on the term.
    let revoked = fact.revokes.and_then(|event| record.fact(event)).filter(|it| it.r#type != Type::NonRenewal);
    if revoked.is_some_and(|revoked| revoked.effect().last <= fact.effect().first) {
        contradicts(fact, "comes after what it revokes had effect, and changes nothing", findings);
    }
}

/// What is so in some of the orders in which things may have happened.
#[derive(Debug, Default)]
struct Orders {
    all: usize,
    /// In how many a notice came too late, and in how many an entry into force came after an end, by their events.
    late: HashMap<u32, usize>,
    reviving: HashMap<u32, usize>,
}

impl Orders {
    fn take(&mut self, steps: &[Step]) {
        self.all += 1;
        let (mut entered, mut ended) = (false, false);
        for step in steps {
            match step.what {
                What::NonRenewal if step.late => *self.late.entry(step.event).or_default() += 1,
                What::Entry | What::OwnEntry { counts: true } => {
                    if ended && step.event != NO_EVENT {
                        *self.reviving.entry(step.event).or_default() += 1;
                    }
                    (entered, ended) = (true, false);
                }
                What::End { .. } | What::Expiry => ended = entered,
                What::Asserted(state) => ended |= has_ended(state),
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
                | What::Abandonment
                | What::Revocation(_)
                | What::Deadline
                | What::TermOver
                | What::Consent { .. }
                | What::OtherConsent
                | What::OwnEntry { counts: false }
                | What::OwnEnd(_)
                | What::OwnSuspension
                | What::OwnResumption => {}
            }
        }
    }

    /// Notes what is so in all of them.
    fn find(&self, record: &Record<'_>, findings: &mut Findings) {
        for fact in &record.facts {
            let in_all = |some: &HashMap<u32, usize>| some.get(&fact.index) == Some(&self.all);
            if in_all(&self.late) {
                let text = format_args!("the notice came too late for the term, and counts for the next one");
                findings.add(FindingCode::NoticeLate, format_args!("events[{}].act_date", fact.index), text);
            }
            if in_all(&self.reviving) && fact.whose == Whose::All {
                contradicts(fact, "comes after an end, and revives the agreement", findings);
            }
        }
    }
}
