//! How an agreement and its parties stand: over all orders of what happened, the segments of days on which each is so.
//!
//! Of what has too many orders nothing is said that could be wrong: from the first day on which something may be so, it may
//! be so or not.

use partnership_registry::v1::AgreementState;

use super::days::{ALWAYS, NEVER};
use super::items::Items;
use super::left::Left;
use super::machine::{self, Segment, State, by};
use super::order::put_in_order;
use super::party::{self, Standing};
use super::record::{Item, Record, What};
use super::worlds::Step;
use crate::values::truth::Truth;

/// So many segments are kept without looking whether they are all different.
const SEGMENTS: usize = 2_000;

/// The records of an agreement, ready to be asked.
#[derive(Debug)]
pub(super) struct Standings<'a> {
    pub(super) record: Record<'a>,
    items: Items,
    room: Vec<Item>,
    left: Left,
    /// What was asked last has too many orders.
    pub(super) cautious: bool,
    /// And has so many segments.
    size: usize,
}

impl<'a> Standings<'a> {
    pub(super) fn of(agreement: &'a partnership_registry::v1::Agreement) -> Standings<'a> {
        let mut record = Record::of(agreement);
        put_in_order(&mut record);
        let items = Items::of(&record);
        Standings { record, items, room: Vec::new(), left: Left::all(), cautious: false, size: 0 }
    }

    /// How the agreement itself stands. Each order of steps is shown to `show`, too.
    pub(super) fn agreement(&mut self, mut show: impl FnMut(&[Step])) -> Vec<Segment<State>> {
        let mut items = self.items.of_agreement(&self.record);
        let mut segments = Vec::with_capacity(items.len() + 1);
        let mut room = SEGMENTS;
        let record = &self.record;
        let explored = self.left.explore(record, &mut items, &mut |steps| {
            machine::run(record, steps, &mut segments);
            compact(&mut segments, &mut room, |state| i32::from(*state));
            show(steps);
        });
        self.cautious = explored.is_err() || segments.is_empty();
        if self.cautious {
            segments.clear();
            possible_states(record, &items, &mut segments);
        }
        segments
    }

    /// How a party stands.
    pub(super) fn party(&mut self, party: u16, mut show: impl FnMut(&[Step])) -> Vec<Segment<Standing>> {
        let mut items = std::mem::take(&mut self.room);
        self.items.of_party(&self.record, party, &mut items);
        let mut segments = Vec::with_capacity(items.len() + 1);
        let mut room = SEGMENTS;
        let (record, contracting) = (&self.record, self.record.is_contracting(party));
        let explored = self.left.explore(record, &mut items, &mut |steps| {
            party::run(record, steps, contracting, &mut segments);
            compact(&mut segments, &mut room, |standing| *standing);
            show(steps);
        });
        self.cautious = explored.is_err() || segments.is_empty();
        if self.cautious {
            segments.clear();
            possible_standings(record, &items, &mut segments);
        }
        self.room = items;
        self.size = segments.len();
        segments
    }

    /// What is told of each party. It is worked out once for those that nothing recorded is about, since they stand alike.
    pub(super) fn parties<T: Clone>(&mut self, tell: impl Fn(&mut Self, u16) -> T) -> Vec<T> {
        let mut alike: [Option<(T, usize)>; 2] = [None, None];
        let mut all = Vec::with_capacity(self.record.contracting.len());
        for party in (0_u16..).take(self.record.contracting.len()) {
            let [other, contracting] = &mut alike;
            let like = if self.record.is_contracting(party) { contracting } else { other };
            let is_like = self.items.is_like_others(party);
            // What is copied takes room.
            if let Some((known, _)) = like.as_ref().filter(|(_, size)| is_like && self.left.take(*size)) {
                all.push(known.clone());
                continue;
            }
            let told = tell(self, party);
            if is_like {
                *like = Some((told.clone(), self.size));
            }
            all.push(told);
        }
        all
    }

    /// What the agreement's own state follows from.
    pub(super) fn agreement_items(&self) -> Vec<Item> {
        self.items.of_agreement(&self.record)
    }

    /// What a party's standing follows from.
    pub(super) fn party_items(&self, party: u16) -> Vec<Item> {
        let mut items = Vec::new();
        self.items.of_party(&self.record, party, &mut items);
        items
    }
}

/// Leaves each segment once, now and then: thousands of orders have most of them in common.
fn compact<T: PartialEq, K: Ord>(segments: &mut Vec<Segment<T>>, room: &mut usize, key: impl Fn(&T) -> K) {
    if segments.len() > *room {
        segments.sort_unstable_by_key(|segment| (segment.from, segment.to, segment.by, key(&segment.holds)));
        segments.dedup();
        *room = SEGMENTS.max(2 * segments.len());
    }
}

/// From when on something may have happened.
fn first_of(items: &[Item], is: impl Fn(What) -> bool) -> i32 {
    items.iter().filter(|item| is(item.what)).map(|item| item.effect().first).min().unwrap_or(NEVER)
}

/// Each state from the first day on which something may bring it.
fn possible_states(record: &Record<'_>, items: &[Item], into: &mut Vec<Segment<State>>) {
    let begins = if items.is_empty() { NEVER } else { ALWAYS };
    let first = first_of(items, |_| true);
    let entry = first_of(items, |what| {
        matches!(
            what,
            What::Entry | What::OwnEntry { .. } | What::Asserted(AgreementState::InForce | AgreementState::Suspended)
        )
    });
    // What is presupposed may have come before all that is recorded.
    let unrecorded = record.agreement.events_incomplete || entry == NEVER;
    let entry = if unrecorded { begins } else { entry };
    let asserted = |state| first_of(items, |what| what == What::Asserted(state));
    for (state, from) in [
        (AgreementState::Draft, ALWAYS),
        (AgreementState::Negotiating, first),
        (AgreementState::Adopted, first),
        (AgreementState::Signed, first),
        (AgreementState::ProvisionallyApplied, begins),
        (AgreementState::InForce, entry),
        (AgreementState::Suspended, entry),
        (AgreementState::Expired, entry.min(asserted(AgreementState::Expired))),
        (AgreementState::Terminated, if unrecorded { begins } else { first }),
        (AgreementState::Superseded, first),
        (AgreementState::Abandoned, first),
    ] {
        if from < NEVER {
            into.push(Segment { from, to: NEVER, holds: state, by: by::NOTHING });
        }
    }
}

fn possible_standings(record: &Record<'_>, items: &[Item], into: &mut Vec<Segment<Standing>>) {
    use partnership_registry::v1::AgreementEndType as EndType;

    let first = first_of(items, |_| true);
    let recorded =
        items.iter().any(|item| matches!(item.what, What::Entry | What::OwnEntry { .. } | What::Asserted(_)));
    let from = if recorded && !record.agreement.events_incomplete { first } else { ALWAYS };
    let none = Standing::default();
    let ends = [EndType::Withdrawal, EndType::Termination, EndType::Expiry, EndType::Succession];
    let mut add = |from, holds| into.push(Segment { from, to: NEVER, holds, by: by::NOTHING });
    add(ALWAYS, none);
    add(from, Standing { consented: true, ..none });
    add(from, Standing { applies: true, ..none });
    add(from, Standing { bound: true, ..none });
    add(from, Standing { bound: true, in_force: true, consented: true, ..none });
    for end in ends {
        add(from, Standing { ended: Some(end), ..none });
    }
}

/// What holds in the union of segments, in steps. `join` takes all that is so on a day.
pub(super) fn steps<T, H: PartialEq>(
    segments: &[Segment<T>],
    join: impl Fn(&mut dyn Iterator<Item = &T>) -> H,
) -> Vec<(i32, H)> {
    let in_order = segments.windows(2).all(|pair| matches!(pair, [one, next] if one.to == next.from));
    let mut steps: Vec<(i32, H)> = Vec::with_capacity(segments.len());
    let mut add = |day: i32, holds: H| {
        if steps.last().is_none_or(|(_, last)| *last != holds) {
            steps.push((day, holds));
        }
    };
    if in_order {
        for segment in segments {
            add(segment.from, join(&mut std::iter::once(&segment.holds)));
        }
        return steps;
    }
    let mut days: Vec<i32> = segments.iter().flat_map(|segment| [segment.from, segment.to]).collect();
    days.sort_unstable();
    days.dedup();
    for day in days {
        if day < NEVER {
            let on_day = segments.iter().filter(|segment| segment.from <= day && day < segment.to);
            add(day, join(&mut on_day.map(|segment| &segment.holds)));
        }
    }
    steps
}

/// Whether something is so: in all worlds, in none, or else.
pub(super) fn truth(all: impl Iterator<Item = bool>) -> Truth {
    let (mut some, mut other) = (false, false);
    for one in all {
        some |= one;
        other |= !one;
    }
    match (some, other) {
        (true, true) => Truth::Unknown,
        (some, _) => some.into(),
    }
}
