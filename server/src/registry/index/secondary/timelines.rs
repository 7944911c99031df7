//! How the resources of a kind stand on each day, in some bytes for each: what questions about any day are answered from.
//!
//! The steps of the states lie as they are, since most questions are about them, and look at those of many rows; those of the
//! parties as bytes, a quarter as large. Invariant: a row whose columns hold for the day of the index, and whose states have
//! a step behind it, stands in `next` at the day of that step.

mod pieces;
mod steps;

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::dictionary::{Dictionary, FactNumber};
use super::rows::{RowNumber, Rows};
use crate::faults;
use crate::kinds::timeline::{Dated, Timeline};
use crate::registry::resource::standing_part;
use crate::time::Day;
use crate::values::truth::Truth;
use pieces::Pieces;
use steps::{Steps, last_step, put, put_steps, take};

/// Behind all days.
const NEVER: Day = Day(i32::MAX);
/// What stands for an interval where more is to say: several of them, or days of which it is not known.
const NOT_SIMPLE: (Day, Day) = (NEVER, Day(i32::MIN));

/// The timelines of a kind.
pub(crate) struct Timelines {
    pub(crate) dated: Dated,
    /// The day for which the columns hold what follows from days, but for the rows in `turning`.
    day: Day,
    /// The states in which a resource may be, in steps. None for a row that has no timeline.
    states: Pieces<(Day, u32)>,
    /// For each row, the first day on which it is in force, and the first on which it is not any more.
    in_force: Vec<(Day, Day)>,
    /// The parties, each its number, how many steps it has, and these steps; no number of steps is that of the one before.
    parties: Pieces<u8>,
    /// The names of all parties, and the rows in whose timelines they are.
    names: Dictionary,
    /// The rows by the day of their next step.
    next: BTreeMap<Day, Rows>,
    /// The rows whose columns are those of an earlier day, for a moment.
    turning: RoaringBitmap,
}

impl Timelines {
    /// Of no resources.
    pub(super) fn new(dated: Dated) -> Self {
        Self {
            dated,
            day: Day(i32::MIN),
            states: Pieces::default(),
            in_force: Vec::new(),
            parties: Pieces::default(),
            names: Dictionary::default(),
            next: BTreeMap::new(),
            turning: RoaringBitmap::new(),
        }
    }

    /// Whether the columns hold for a day, of all resources.
    pub(crate) fn hold(&self, day: Day) -> bool {
        day == self.day && self.turning.is_empty()
    }

    /// The states in which a resource may be on a day, a bit for each.
    pub(crate) fn states(&self, row: RowNumber, day: Day) -> u32 {
        // There are few, and most questions are about days behind most of them.
        let step = self.states.get(row).iter().rev().find(|(from, _)| *from <= day);
        step.map_or(0, |(_, states)| *states)
    }

    /// Whether a resource is in force on a day.
    #[inline]
    pub(crate) fn in_force(&self, row: RowNumber, day: Day) -> Truth {
        match self.in_force.get(row as usize) {
            Some((begins, ends)) if begins <= ends => (*begins <= day && day < *ends).into(),
            Some(_) | None => standing_part::in_force(self.states(row, day), &self.dated),
        }
    }

    /// The number of a party, if some resource has it.
    pub(crate) fn party(&self, name: &str) -> Option<FactNumber> {
        self.names.find(name.as_bytes())
    }

    /// The resources of which a party takes part on some day, or may.
    pub(crate) fn rows_of(&self, party: FactNumber) -> Option<&Rows> {
        self.names.rows(party)
    }

    /// Whether a party takes part on a day.
    pub(crate) fn party_on(&self, row: RowNumber, party: FactNumber, day: Day) -> Truth {
        let steps = self.parties_of(row).find(|(number, _)| *number == party).map(|(_, steps)| steps);
        match steps.and_then(|steps| last_step(steps, day)) {
            Some(2) => Truth::True,
            Some(1) => Truth::Unknown,
            Some(_) | None => Truth::False,
        }
    }

    /// The resources of which the columns may say something else than what holds on a day: those that have a step between
    /// that day and the day of the columns.
    pub(crate) fn unsure(&self, day: Day) -> RoaringBitmap {
        if day == self.day {
            return self.turning.clone();
        }
        let (first, last) = (day.min(self.day), day.max(self.day));
        let has_step = |steps: &[(Day, u32)]| steps.iter().any(|(step, _)| *step > first && *step <= last);
        let stepped: RoaringBitmap =
            self.states.iter().filter(|(_, steps)| has_step(steps)).map(|(row, _)| row).collect();
        stepped | &self.turning
    }

    /// Replaces the timeline of a row, of which the columns have been derived for the day of the index.
    pub(super) fn set(&mut self, row: RowNumber, timeline: Option<&Timeline>) {
        self.forget_next(row);
        self.turning.remove(row);
        // The new names come first: what an old one shares with them keeps its number.
        let (bytes, new) = timeline.map(|timeline| self.encoded(timeline)).unwrap_or_default();
        let old: Vec<FactNumber> = self.parties_of(row).map(|(party, _)| party).collect();
        new.iter().filter(|party| !old.contains(party)).for_each(|party| self.names.add(*party, row));
        old.iter().filter(|party| new.binary_search(party).is_err()).for_each(|party| self.names.remove(*party, row));
        self.states.set(row, timeline.map_or(&[], |timeline| &timeline.states));
        if self.in_force.len() <= row as usize {
            self.in_force.resize(row as usize + 1, NOT_SIMPLE);
        }
        let in_force = self.interval(row);
        if let Some(place) = self.in_force.get_mut(row as usize) {
            *place = in_force;
        }
        self.parties.set(row, &bytes);
        if let Some(next) = self.next_step(row) {
            self.next.entry(next).or_default().insert(row);
        }
    }

    /// Goes on to a later day. Answers the rows of which the columns are to be derived anew for it: until then, they are
    /// unsure.
    pub(super) fn turn(&mut self, day: Day) -> RoaringBitmap {
        let mut stepping = RoaringBitmap::new();
        if day <= self.day {
            return stepping;
        }
        while let Some(entry) = self.next.first_entry().filter(|entry| *entry.key() <= day) {
            entry.remove().add_to(&mut stepping);
        }
        self.day = day;
        if faults::planted("index-keeps-yesterday").is_some() {
            return RoaringBitmap::new();
        }
        self.turning |= &stepping;
        stepping
    }

    /// About how many bytes of memory they take.
    pub(super) fn heap_bytes(&self) -> usize {
        let next: usize = self.next.values().map(Rows::heap_bytes).sum();
        self.states.heap_bytes()
            + self.in_force.capacity() * size_of::<(Day, Day)>()
            + self.parties.heap_bytes()
            + self.names.heap_bytes()
            + next
            // Nodes of such a tree are two thirds full.
            + self.next.len() * size_of::<(Day, Rows)>() * 3 / 2
            + self.turning.serialized_size()
    }

    /// The parties of a timeline as bytes, and their numbers.
    fn encoded(&mut self, timeline: &Timeline) -> (Vec<u8>, Vec<FactNumber>) {
        let (mut bytes, mut parties) = (Vec::new(), Vec::new());
        let mut before: Option<&[(Day, Truth)]> = None;
        for (name, steps) in timeline.parties.iter().filter(|(_, steps)| !steps.is_empty()) {
            let number = self.names.number(name.as_bytes());
            parties.push(number);
            put(&mut bytes, number.into());
            // Parties that came and went together stand together as a rule, and share their steps.
            if before == Some(steps.as_slice()) {
                put(&mut bytes, 0);
            } else {
                put_steps(&mut bytes, steps.iter().map(|(day, truth)| (*day, number_of(*truth))));
                before = Some(steps);
            }
        }
        parties.sort_unstable();
        parties.dedup();
        (bytes, parties)
    }

    /// The parties of a row, each with its steps.
    fn parties_of(&self, row: RowNumber) -> impl Iterator<Item = (FactNumber, Steps<'_>)> {
        let mut reading = self.parties.get(row);
        let mut last = Steps::new(&[], 0);
        std::iter::from_fn(move || {
            if reading.is_empty() {
                return None;
            }
            let party = FactNumber::try_from(take(&mut reading)).unwrap_or(FactNumber::MAX);
            let left = take(&mut reading);
            if left > 0 {
                last = Steps::new(reading, left);
                let mut behind = last.clone();
                behind.by_ref().for_each(drop);
                reading = behind.reading;
            }
            Some((party, last.clone()))
        })
    }

    /// The one interval in which a row is in force, if there is no more to say of that.
    fn interval(&self, row: RowNumber) -> (Day, Day) {
        let mut interval = (NEVER, NEVER);
        for (day, states) in self.states.get(row) {
            interval = match (standing_part::in_force(*states, &self.dated), interval) {
                (Truth::True, (NEVER, NEVER)) => (*day, NEVER),
                (Truth::False, (begins, NEVER)) if begins != NEVER => (begins, *day),
                (Truth::False, interval) | (Truth::True, interval @ (_, NEVER)) => interval,
                (Truth::True | Truth::Unknown, _) => return NOT_SIMPLE,
            };
        }
        interval
    }

    /// The day of the first step of the states behind the day of the index.
    fn next_step(&self, row: RowNumber) -> Option<Day> {
        self.states.get(row).iter().map(|(day, _)| *day).find(|day| *day > self.day)
    }

    fn forget_next(&mut self, row: RowNumber) {
        let Some(next) = self.next_step(row) else { return };
        if let Some(rows) = self.next.get_mut(&next) {
            rows.remove(row);
            if rows.is_empty() {
                self.next.remove(&next);
            }
        }
    }
}

fn number_of(truth: Truth) -> u32 {
    match truth {
        Truth::False => 0,
        Truth::Unknown => 1,
        Truth::True => 2,
    }
}

#[cfg(test)]
mod tests;
