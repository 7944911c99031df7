//! The timeline of an agreement: which states it may be in on each day, and whether each country and organization takes
//! part.

use partnership_registry::v1::Agreement;
use std::collections::HashMap;

use super::standing::{Standings, steps, truth};
use crate::kinds::timeline::Timeline;
use crate::time::Day;
use crate::values::truth::Truth;

type Steps = Vec<(Day, Truth)>;

pub(super) fn timeline(agreement: &Agreement) -> Timeline {
    let mut standings = Standings::of(agreement);
    let states =
        steps(&standings.agreement(|_| {}), |states| states.fold(0_u32, |bits, state| bits | 1 << i32::from(*state)));
    let states = states.into_iter().map(|(day, bits)| (Day(day), bits)).collect();
    let mut parties: Vec<(String, Steps)> = Vec::with_capacity(agreement.parties.len());
    // Those that nothing is recorded of stand alike.
    let mut alike: [Option<Steps>; 2] = [None, None];
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(agreement.parties.len());
    for (place, party) in (0_u16..).zip(&agreement.parties) {
        let name = if party.country.is_empty() { &party.organization } else { &party.country };
        if name.is_empty() {
            continue;
        }
        let [other, contracting] = &mut alike;
        let like = if standings.record.is_contracting(place) { contracting } else { other };
        let bound = match like {
            Some(known) if standings.is_like_others(place) => known.clone(),
            _ => {
                let bound = steps(&standings.party(place, |_| {}), |all| truth(all.map(|party| party.bound)));
                let bound: Steps = bound.into_iter().map(|(day, bound)| (Day(day), bound)).collect();
                if standings.is_like_others(place) {
                    *like = Some(bound.clone());
                }
                bound
            }
        };
        match places.get(name.as_str()).and_then(|place| parties.get_mut(*place)) {
            Some((_, known)) => *known = either(known, &bound),
            None => {
                places.insert(name, parties.len());
                parties.push((name.clone(), bound));
            }
        }
    }
    Timeline { states, parties }
}

/// Whether one of two is so.
fn either(one: &[(Day, Truth)], other: &[(Day, Truth)]) -> Steps {
    let mut days: Vec<Day> = one.iter().chain(other).map(|(day, _)| *day).collect();
    days.sort_unstable();
    days.dedup();
    let mut joined: Steps = Vec::with_capacity(days.len());
    for day in days {
        let [one, other] = [one, other].map(|steps| crate::kinds::timeline::on(steps, day).unwrap_or(Truth::False));
        if joined.last().is_none_or(|(_, last)| *last != one.or(other)) {
            joined.push((day, one.or(other)));
        }
    }
    joined
}
