//! The timeline of an agreement: which states it may be in on each day, and whether each country and organization takes
//! part.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use partnership_registry::v1::Agreement;

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
    let known = standings.parties(|standings, place| {
        let bound = steps(&standings.party(place, |_| {}), |all| truth(all.map(|party| party.bound)));
        bound.into_iter().map(|(day, bound)| (Day(day), bound)).collect::<Steps>()
    });
    let mut parties: Vec<(String, Steps)> = Vec::with_capacity(agreement.parties.len());
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(agreement.parties.len());
    // Of those that are listed more than once, the steps of each but the first.
    let mut more: BTreeMap<usize, Vec<Steps>> = BTreeMap::new();
    for (party, bound) in agreement.parties.iter().zip(known) {
        let name = if party.country.is_empty() { &party.organization } else { &party.country };
        if name.is_empty() {
            continue;
        }
        match places.get(name.as_str()) {
            Some(place) => more.entry(*place).or_default().push(bound),
            None => {
                places.insert(name, parties.len());
                parties.push((name.clone(), bound));
            }
        }
    }
    for (place, mut all) in more {
        if let Some((_, known)) = parties.get_mut(place) {
            all.push(std::mem::take(known));
            *known = any(&all);
        }
    }
    Timeline { states, parties }
}

/// Whether one of several is so.
fn any(all: &[Steps]) -> Steps {
    let each = all.iter().enumerate().flat_map(|(place, steps)| steps.iter().map(move |(day, is)| (*day, place, *is)));
    let mut changes: Vec<(Day, usize, Truth)> = each.collect();
    changes.sort_unstable_by_key(|(day, place, _)| (*day, *place));
    let mut now = vec![Truth::False; all.len()];
    // How many of them are so, and of how many it is not known.
    let (mut so, mut unknown) = (0_usize, 0_usize);
    let mut joined: Steps = Vec::new();
    for of_day in changes.chunk_by(|(one, ..), (other, ..)| one == other) {
        for (_, place, is) in of_day {
            let Some(was) = now.get_mut(*place) else { continue };
            so = so + usize::from(*is == Truth::True) - usize::from(*was == Truth::True);
            unknown = unknown + usize::from(*is == Truth::Unknown) - usize::from(*was == Truth::Unknown);
            *was = *is;
        }
        let is = match (so, unknown) {
            (0, 0) => Truth::False,
            (0, _) => Truth::Unknown,
            _ => Truth::True,
        };
        let Some((day, ..)) = of_day.first() else { continue };
        if joined.last().is_none_or(|(_, last)| *last != is) {
            joined.push((*day, is));
        }
    }
    joined
}
