//! Agreements of which not all is recorded: something presupposes what is not, or the record says that events are missing.
//!
//! In each world what is not recorded happened on some day: what is presupposed before whatever presupposes it; of a record
//! that says so one event that is missing, or none. Whatever is told to be so or not to be so is held against these worlds on
//! every day. That no more is left open than they leave open is held for what is presupposed, once all that is recorded has
//! happened. Before that it is not: several things that presuppose the same are looked at with caution. Terms are left out,
//! since they are not counted from a day that is not recorded.

use partnership_registry::v1::{Agreement, AgreementEventType as Type, PartialDate};

use super::Dice;
use super::record::{BOUND, ENDED, Event, FIRST_DAY, LEFT, Made, Maker, START, Unrecorded, is_whole, parties};
use super::world::is_consent;

/// All that is recorded lies within so many days.
const SPAN: u64 = 10;
/// The most worlds of an agreement that are gone through; others are passed over.
const WORLDS_MAX: u64 = 5_000;
/// What is not recorded lies before this day; what comes on it comes never, as far as anybody asks.
const NEVER: i32 = START + 16;

const KINDS: [Type; 14] = [
    Type::Signature,
    Type::Ratification,
    Type::EntryIntoForce,
    Type::Suspension,
    Type::Suspension,
    Type::Resumption,
    Type::Resumption,
    Type::Renewal,
    Type::NonRenewal,
    Type::Termination,
    Type::Withdrawal,
    Type::Expulsion,
    Type::ProvisionalApplication,
    Type::ProvisionalApplicationEnd,
];

/// A random agreement of which not all is recorded.
pub(super) fn make(dice: &mut Dice) -> Made {
    let count = 2 + usize::try_from(dice.roll(2)).unwrap();
    let contracting = vec![true; count];
    let incomplete = dice.chance(40);
    let uncertain_max = usize::try_from(dice.roll(3)).unwrap();
    let mut maker = Maker::new(dice, uncertain_max);
    for _ in 0..=maker.dice.roll(4) {
        let kind = maker.dice.among(&KINDS);
        let party = usize::try_from(maker.dice.roll(count as u64)).unwrap();
        let whose = match kind {
            Type::Ratification | Type::Withdrawal | Type::Expulsion | Type::NonRenewal => Some(vec![party]),
            Type::Renewal | Type::Termination => None,
            _ => maker.dice.chance(40).then(|| vec![party]),
        };
        let day = maker.day(START, SPAN);
        let approximate = maker.uncertain < uncertain_max && maker.dice.chance(50);
        let term_end = (kind == Type::Renewal).then(|| maker.day(START + 1_300, 900));
        maker.add_on(kind, whose, PartialDate { approximate, ..day }, term_end, NEVER - 1);
    }
    let mut of_what = presupposed(&maker.events, &contracting);
    if incomplete {
        let entry = of_what.iter().any(|what| what.kind == Type::EntryIntoForce);
        let missing = missing(&maker.events, count, entry);
        if !missing.is_empty() {
            of_what.push(missing[usize::try_from(maker.dice.roll(missing.len() as u64)).unwrap()].clone());
        }
    }
    let mut unrecorded = Vec::new();
    for What { kind, whose, before, or_never } in of_what {
        maker.dates.push((FIRST_DAY, if or_never { NEVER } else { NEVER - 1 }));
        let place = maker.events.len() + unrecorded.len();
        let event = Event::new(kind, place, whose, maker.dates.len() - 1);
        unrecorded.push(Unrecorded { event, before, or_never });
    }
    let Maker { wire, events, dates, uncertain, .. } = maker;
    let agreement = Agreement {
        parties: parties(&contracting),
        events: wire,
        events_incomplete: incomplete,
        ..Agreement::default()
    };
    let recorded_whole = unrecorded.is_empty() && is_whole(&events);
    Made {
        unrecorded,
        last_day: NEVER,
        recorded_whole,
        worlds_max: WORLDS_MAX,
        ..Made::of(agreement, events, contracting, dates, uncertain)
    }
}

#[derive(Clone)]
struct What {
    kind: Type,
    whose: Option<Vec<usize>>,
    /// The places of what comes after it.
    before: Vec<usize>,
    or_never: bool,
}

/// What is presupposed, each with the places of what presupposes it.
fn presupposed(events: &[Event], contracting: &[bool]) -> Vec<What> {
    let places = |is: &dyn Fn(&Event) -> bool| -> Vec<usize> {
        events.iter().filter(|event| is(event)).map(|event| event.place).collect()
    };
    let has = |is: &dyn Fn(&Event) -> bool| events.iter().any(is);
    let bilateral = contracting.len() == 2;
    let mut all: Vec<What> = Vec::new();
    let mut add = |kind, whose, before: Vec<usize>| {
        if !before.is_empty() {
            all.push(What { kind, whose, before, or_never: kind == BOUND });
        }
    };
    if !has(&|event| event.kind == Type::EntryIntoForce) {
        let supposes = |event: &Event| match event.kind {
            Type::Termination | Type::Renewal | Type::NonRenewal => true,
            Type::Suspension | Type::Resumption => event.whose.is_none(),
            Type::Withdrawal => bilateral,
            _ => false,
        };
        add(Type::EntryIntoForce, None, places(&supposes));
    }
    if !has(&|event| event.kind == Type::Suspension && event.whose.is_none()) {
        add(Type::Suspension, None, places(&|event| event.kind == Type::Resumption && event.whose.is_none()));
    }
    let overlap = |one: &Event, other: &Event| match (&one.whose, &other.whose) {
        (Some(one), Some(other)) => one.iter().any(|party| other.contains(party)),
        _ => true,
    };
    for end in events.iter().filter(|event| event.kind == Type::ProvisionalApplicationEnd) {
        if !has(&|event| event.kind == Type::ProvisionalApplication && overlap(event, end)) {
            add(Type::ProvisionalApplication, end.whose.clone(), vec![end.place]);
        }
    }
    for party in 0..contracting.len() {
        let whose = || Some(vec![party]);
        if !has(&|event| event.kind == Type::Suspension && event.names(party)) {
            add(Type::Suspension, whose(), places(&|event| event.kind == Type::Resumption && event.names(party)));
        }
        // Whoever leaves and joined by no act that is recorded may have been bound before, while it is in force.
        let joined = |event: &Event| {
            (is_consent(event.kind) && event.is_of(party, true))
                || (event.kind == Type::EntryIntoForce && event.names(party))
        };
        let leaves = |event: &Event| matches!(event.kind, Type::Withdrawal | Type::Expulsion) && event.names(party);
        if !has(&joined) {
            add(BOUND, whose(), places(&leaves));
        }
    }
    all
}

/// What may be missing of a record that says that events are. What would undo what is recorded is not: an end before one that
/// is recorded, which would have ended nothing, or that a party joined again after it left.
fn missing(events: &[Event], count: usize, entry_is_presupposed: bool) -> Vec<What> {
    let has = |is: &dyn Fn(&Event) -> bool| events.iter().any(is);
    let leaves = |event: &Event| matches!(event.kind, Type::Withdrawal | Type::Expulsion);
    let bilateral = count == 2;
    let mut all = Vec::new();
    let mut add = |kind, whose, before| all.push(What { kind, whose, before, or_never: true });
    if !entry_is_presupposed && !has(&|event| event.kind == Type::EntryIntoForce) {
        add(Type::EntryIntoForce, None, Vec::new());
    }
    if !has(&|event| event.kind == Type::Termination || (bilateral && event.kind == Type::Withdrawal)) {
        add(ENDED, None, Vec::new());
    }
    for party in 0..count {
        let left = events.iter().filter(|event| leaves(event) && event.names(party));
        let left: Vec<usize> = left.map(|event| event.place).collect();
        if !bilateral && left.is_empty() {
            add(LEFT, Some(vec![party]), Vec::new());
        }
        if !has(&|event| is_consent(event.kind) && event.is_of(party, true)) {
            add(Type::Ratification, Some(vec![party]), left);
        }
    }
    all
}
