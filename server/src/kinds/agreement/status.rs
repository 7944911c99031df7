//! The status of an agreement on a day, as it is answered: its state, how each party stands, and what decides that.

use partnership_registry::v1::{
    self, Agreement, AgreementPartyStatus, AgreementState, AgreementStatus, AgreementStatusBasis,
    AgreementStatusBasisType as Type, PartialDate,
};
use prost::Message as _;

use super::days::{Days, NEVER, written};
use super::machine::{Segment, by, rank};
use super::party::Standing;
use super::record::{Fact, Item, Record, What};
use super::standing::{Standings, truth};
use super::worlds::Step;
use crate::kinds::timeline::Asked;
use crate::values::truth::Truth;

/// The fields that are computed, encoded: `state` of the settled day, and `status` of the day that is asked for.
pub(super) fn computed(agreement: &Agreement, asked: Asked) -> Vec<u8> {
    let mut standings = Standings::of(agreement);
    let mut over = Over::default();
    let known = standings.agreement(|steps| over.see(steps));
    let settled = on(&known, asked.settled.0);
    let mut status = of_agreement(&standings, &known, over, asked.valid.0);
    if asked.parties {
        status.parties = parties(&mut standings, asked.valid.0);
    }
    let state = only(&possible(&settled)).unwrap_or(AgreementState::Unspecified);
    Agreement { state: state.into(), status: Some(status), ..Agreement::default() }.encode_to_vec()
}

/// The days on which the last term may be over.
#[derive(Debug, Default, Clone, Copy)]
struct Over(Option<Days>);

impl Over {
    fn see(&mut self, steps: &[Step]) {
        for step in steps.iter().filter(|step| step.what == What::Expiry) {
            let days = self.0.unwrap_or(Days { first: step.first, last: step.last });
            self.0 = Some(Days { first: days.first.min(step.first), last: days.last.max(step.last) });
        }
    }
}

fn on<T: Copy>(known: &[Segment<T>], day: i32) -> Vec<Segment<T>> {
    known.iter().filter(|segment| segment.from <= day && day < segment.to).copied().collect()
}

fn possible(segments: &[Segment<AgreementState>]) -> Vec<AgreementState> {
    let mut states: Vec<_> = segments.iter().map(|segment| segment.holds).collect();
    states.sort_unstable_by_key(|state| i32::from(*state));
    states.dedup();
    states
}

fn only(states: &[AgreementState]) -> Option<AgreementState> {
    match states {
        [state] => Some(*state),
        _ => None,
    }
}

fn of_agreement(standings: &Standings<'_>, known: &[Segment<AgreementState>], over: Over, day: i32) -> AgreementStatus {
    let segments = on(known, day);
    let states = possible(&segments);
    let record = &standings.record;
    let state = only(&states);
    let brought = brought(&segments);
    let bases = if state.is_some() {
        brought.iter().filter_map(|by| basis(record, *by, over)).collect()
    } else {
        let forming = states.iter().any(|state| rank(*state) < rank(AgreementState::InForce));
        let expiring = states.contains(&AgreementState::Expired);
        let forms = |what| {
            let formation = matches!(what, What::Negotiation | What::Adoption | What::Signature | What::Abandonment);
            formation || matches!(what, What::Provisional | What::ProvisionalEnd)
        };
        // That a term is over is told of by itself.
        let matters = |item: &Item| {
            if forms(item.what) {
                forming || states.contains(&AgreementState::Abandoned)
            } else if matches!(item.what, What::NonRenewal | What::Renewal { .. }) {
                expiring
            } else {
                !matches!(item.what, What::TermDate | What::DeadlineDate)
            }
        };
        let items = standings.agreement_items();
        open(record, items.iter().filter(|item| matters(item)), &brought, over, day)
    };
    let in_force = truth(segments.iter().map(|segment| segment.holds == AgreementState::InForce));
    AgreementStatus {
        state: state.unwrap_or(AgreementState::Unspecified).into(),
        possible_states: states.iter().map(|state| i32::from(*state)).collect(),
        in_force: v1::Truth::from(in_force).into(),
        since: state.and_then(|_| since(record, &brought, over)),
        valid_date: written(day),
        parties: Vec::new(),
        bases,
    }
}

/// What brought what may be so, each once.
fn brought<T>(segments: &[Segment<T>]) -> Vec<u32> {
    let mut all: Vec<u32> = segments.iter().map(|segment| segment.by).filter(|by| *by != by::NOTHING).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn days_of(record: &Record<'_>, by: u32, over: Over) -> Option<Days> {
    match by {
        by::TERM => over.0,
        by::ASSERTED => record.asserted().map(|asserted| asserted.days),
        by::UNRECORDED | by::NOTHING => None,
        event => record.fact(event).map(Fact::effect),
    }
}

fn basis(record: &Record<'_>, by: u32, over: Over) -> Option<AgreementStatusBasis> {
    let (r#type, event_id) = match by {
        by::NOTHING => return None,
        by::TERM => (Type::Term, String::new()),
        by::ASSERTED => (Type::AssertedStatus, String::new()),
        by::UNRECORDED => (Type::UnrecordedEvent, String::new()),
        event => (Type::Event, record.fact(event)?.event.event_id.clone()),
    };
    let days = days_of(record, by, over).unwrap_or(Days::ANY);
    Some(AgreementStatusBasis {
        r#type: r#type.into(),
        event_id,
        earliest_date: written(days.first),
        latest_date: if days.last == NEVER { None } else { written(days.last) },
    })
}

/// What leaves open how it stands on a day: what may be before it and after it; or else, since then the order of what was
/// before is open, all that is not certain.
fn open<'a>(
    record: &Record<'_>,
    items: impl Iterator<Item = &'a Item> + Clone,
    brought: &[u32],
    over: Over,
    day: i32,
) -> Vec<AgreementStatusBasis> {
    let by = |item: &Item| if matches!(item.what, What::Asserted(_)) { by::ASSERTED } else { item.event };
    let straddles = |days: Days| days.first <= day && day < days.last;
    let mut all: Vec<u32> = items.clone().filter(|item| straddles(item.effect())).map(by).collect();
    all.extend(brought.iter().filter(|by| **by == by::UNRECORDED));
    all.extend(over.0.filter(|days| straddles(*days)).map(|_| by::TERM));
    if all.is_empty() {
        let uncertain = items.filter(|item| !item.days.is_certain() && item.effect().first <= day);
        all.extend(uncertain.map(by));
    }
    all.sort_unstable();
    all.dedup();
    all.iter().filter_map(|by| basis(record, *by, over)).collect()
}

/// The first day of what one thing brought, or else its date as it was recorded.
fn since(record: &Record<'_>, brought: &[u32], over: Over) -> Option<PartialDate> {
    let days: Option<Vec<Days>> = brought.iter().map(|by| days_of(record, *by, over)).collect();
    let days = days?;
    let first = days.first().filter(|first| first.is_certain() && days.iter().all(|days| days == *first));
    if let Some(first) = first {
        return written(first.first);
    }
    let [by] = brought else { return None };
    if *by == by::ASSERTED {
        return record.agreement.asserted_status.as_ref()?.since.clone();
    }
    let event = record.fact(*by)?.event;
    event.effect_date.clone().or_else(|| event.act_date.clone())
}

fn parties(standings: &mut Standings<'_>, day: i32) -> Vec<AgreementPartyStatus> {
    let signed = signed(&standings.record);
    let ids = standings.record.agreement.parties.iter().map(|party| party.party_id.clone());
    let all = (0_u16..).zip(ids).zip(signed);
    // Those that nothing is recorded of stand alike.
    let mut alike: [Option<AgreementPartyStatus>; 2] = [None, None];
    all.map(|((place, party_id), signed)| {
        let [other, contracting] = &mut alike;
        let like = if standings.record.is_contracting(place) { contracting } else { other };
        let status = match like {
            Some(known) if standings.is_like_others(place) => known.clone(),
            _ => party(standings, place, day),
        };
        if standings.is_like_others(place) && like.is_none() {
            *like = Some(status.clone());
        }
        let signed = v1::Truth::from(signed_on(&standings.record, place, signed, day)).into();
        AgreementPartyStatus { party_id, signed, ..status }
    })
    .collect()
}

/// The days on which each party may first have signed.
fn signed(record: &Record<'_>) -> Vec<Option<Days>> {
    use partnership_registry::v1::AgreementEventType::{DefinitiveSignature, Signature};

    let mut signed: Vec<Option<Days>> = vec![None; record.contracting.len()];
    for fact in record.facts.iter().filter(|fact| matches!(fact.r#type, Signature | DefinitiveSignature)) {
        let days = fact.effect();
        for (place, first) in (0_u16..).zip(&mut signed) {
            if fact.is_of(place, record.is_contracting(place)) {
                let known = first.unwrap_or(days);
                *first = Some(Days { first: known.first.min(days.first), last: known.last.min(days.last) });
            }
        }
    }
    signed
}

fn signed_on(record: &Record<'_>, party: u16, signed: Option<Days>, day: i32) -> Truth {
    match signed {
        Some(days) if days.last <= day => Truth::True,
        Some(days) if days.first > day => Truth::False,
        Some(_) => Truth::Unknown,
        None if record.agreement.events_incomplete && record.is_contracting(party) => Truth::Unknown,
        None => Truth::False,
    }
}

fn party(standings: &mut Standings<'_>, party: u16, day: i32) -> AgreementPartyStatus {
    let mut over = Over::default();
    let known = standings.party(party, |steps| over.see(steps));
    let segments = on(&known, day);
    let told = |is: fn(&Standing) -> bool| -> i32 {
        v1::Truth::from(truth(segments.iter().map(|segment| is(&segment.holds)))).into()
    };
    let bound = truth(segments.iter().map(|segment| segment.holds.bound));
    let brought = brought(&segments);
    let bases = if bound == Truth::Unknown {
        let items = standings.party_items(party);
        open(&standings.record, items.iter(), &brought, over, day)
    } else {
        brought.iter().filter_map(|by| basis(&standings.record, *by, over)).collect()
    };
    let mut ends = segments.iter().map(|segment| segment.holds.ended);
    let end_type = ends.next().flatten().filter(|end| ends.all(|other| other == Some(*end)));
    AgreementPartyStatus {
        consented: told(|party| party.consented),
        bound: v1::Truth::from(bound).into(),
        in_force: told(|party| party.in_force),
        provisionally_applied: told(|party| party.applies),
        ended: told(|party| party.ended.is_some()),
        end_type: end_type.unwrap_or_default().into(),
        bases,
        ..AgreementPartyStatus::default()
    }
}
