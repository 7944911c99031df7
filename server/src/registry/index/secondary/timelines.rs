//! How the resources of a kind stand on each day, in some bytes for each: what questions about any day are answered from.
//!
//! A timeline is a piece of one array of bytes: the steps of the states, then for each party its number and its steps, days
//! as differences, all of them varints. Invariant: a row whose columns hold for the day of the index, and whose states have a
//! step behind it, stands in `next` at the day of that step.

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
use steps::{Steps, last_step, put, put_steps, take};

/// Where a row begins that has no timeline.
const NONE: u32 = u32::MAX;
/// What was replaced is given back when it is so much, and half of all.
const WASTE_MAX: usize = 1 << 20;

/// The timelines of a kind.
pub(crate) struct Timelines {
    pub(crate) dated: Dated,
    /// The day for which the columns hold what follows from days, but for the rows in `turning`.
    day: Day,
    /// For each row, where its piece begins.
    begins: Vec<u32>,
    /// The pieces. Each begins with the number of the bytes behind that.
    bytes: Vec<u8>,
    /// How many of the bytes belong to no row any more.
    waste: usize,
    /// The names of all parties, and the rows in whose timelines they are.
    parties: Dictionary,
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
            begins: Vec::new(),
            bytes: Vec::new(),
            waste: 0,
            parties: Dictionary::default(),
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
        last_step(self.states_of(row), day).unwrap_or_default()
    }

    /// Whether a resource is in force on a day.
    pub(crate) fn in_force(&self, row: RowNumber, day: Day) -> Truth {
        standing_part::in_force(self.states(row, day), &self.dated)
    }

    /// The number of a party, if some resource has it.
    pub(crate) fn party(&self, name: &str) -> Option<FactNumber> {
        self.parties.find(name.as_bytes())
    }

    /// The resources of which a party takes part on some day, or may.
    pub(crate) fn rows_of(&self, party: FactNumber) -> Option<&Rows> {
        self.parties.rows(party)
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
        let rows = (0..).zip(&self.begins).map(|(row, _)| row);
        let stepped: RoaringBitmap =
            rows.filter(|row| self.states_of(*row).any(|(step, _)| step > first && step <= last)).collect();
        stepped | &self.turning
    }

    /// Replaces the timeline of a row, of which the columns have been derived for the day of the index.
    pub(super) fn set(&mut self, row: RowNumber, timeline: Option<&Timeline>) {
        if self.begins.len() <= row as usize {
            self.begins.resize(row as usize + 1, NONE);
        }
        self.forget_next(row);
        self.turning.remove(row);
        // The new names come first: what an old one shares with them keeps its number.
        let old: Vec<FactNumber> = self.parties_of(row).map(|(party, _)| party).collect();
        let mut new = Vec::new();
        let piece = timeline.map(|timeline| self.piece(timeline, &mut new)).unwrap_or_default();
        new.sort_unstable();
        new.dedup();
        new.iter().filter(|party| !old.contains(party)).for_each(|party| self.parties.add(*party, row));
        old.iter().filter(|party| new.binary_search(party).is_err()).for_each(|party| self.parties.remove(*party, row));
        self.put(row, &piece);
        if let Some(next) = self.next_step(row) {
            self.next.entry(next).or_default().insert(row);
        }
        if self.waste > WASTE_MAX.max(self.bytes.len() / 2) {
            self.compact();
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
        self.begins.capacity() * size_of::<u32>()
            + self.bytes.capacity()
            + self.parties.heap_bytes()
            + next
            // Nodes of such a tree are two thirds full.
            + self.next.len() * size_of::<(Day, Rows)>() * 3 / 2
            + self.turning.serialized_size()
    }

    /// A timeline as bytes, with the numbers of its parties.
    fn piece(&mut self, timeline: &Timeline, parties: &mut Vec<FactNumber>) -> Vec<u8> {
        let mut body = Vec::new();
        put_steps(&mut body, timeline.states.iter().copied());
        put(&mut body, timeline.parties.iter().filter(|(_, steps)| !steps.is_empty()).count() as u64);
        let mut before: Option<&[(Day, Truth)]> = None;
        for (name, steps) in timeline.parties.iter().filter(|(_, steps)| !steps.is_empty()) {
            let number = self.parties.number(name.as_bytes());
            parties.push(number);
            put(&mut body, number.into());
            // Parties that came and went together stand together as a rule, and share their steps.
            if before == Some(steps.as_slice()) {
                put(&mut body, 0);
            } else {
                put_steps(&mut body, steps.iter().map(|(day, truth)| (*day, number_of(*truth))));
                before = Some(steps);
            }
        }
        let mut piece = Vec::with_capacity(body.len() + 2);
        put(&mut piece, body.len() as u64);
        piece.extend(body);
        piece
    }

    fn put(&mut self, row: RowNumber, piece: &[u8]) {
        let old = self.whole_piece(row);
        let fits = !piece.is_empty() && piece.len() <= old.len();
        self.waste += if fits { old.len() - piece.len() } else { old.len() };
        let begin = match old.start {
            begin if fits => {
                if let Some(place) = self.bytes.get_mut(begin..begin + piece.len()) {
                    place.copy_from_slice(piece);
                }
                begin
            }
            _ => {
                self.bytes.extend_from_slice(piece);
                self.bytes.len() - piece.len()
            }
        };
        // More than 4 GiB of them do not fit into the memory of an index.
        let begin = if piece.is_empty() { NONE } else { u32::try_from(begin).unwrap_or(NONE) };
        if let Some(place) = self.begins.get_mut(row as usize) {
            *place = begin;
        }
    }

    /// Leaves out what belongs to no row.
    fn compact(&mut self) {
        let mut bytes = Vec::with_capacity(self.bytes.len() - self.waste);
        for row in 0..self.begins.len() {
            let piece = self.whole_piece(u32::try_from(row).unwrap_or(u32::MAX));
            let place = self.begins.get_mut(row).filter(|begin| **begin != NONE);
            if let (Some(place), Some(piece)) = (place, self.bytes.get(piece)) {
                *place = u32::try_from(bytes.len()).unwrap_or(NONE);
                bytes.extend_from_slice(piece);
            }
        }
        (self.bytes, self.waste) = (bytes, 0);
    }

    /// Where the piece of a row lies, its length with it.
    fn whole_piece(&self, row: RowNumber) -> std::ops::Range<usize> {
        let begin = self.begins.get(row as usize).copied().filter(|begin| *begin != NONE);
        let Some(begin) = begin.map(|begin| begin as usize) else { return 0..0 };
        let mut reading = self.bytes.get(begin..).unwrap_or_default();
        let before = reading.len();
        let length = take(&mut reading);
        begin..begin + (before - reading.len()) + usize::try_from(length).unwrap_or_default()
    }

    /// What stands behind the length of a piece.
    fn reading(&self, row: RowNumber) -> &[u8] {
        let begin = self.begins.get(row as usize).copied().filter(|begin| *begin != NONE);
        let mut reading = begin.and_then(|begin| self.bytes.get(begin as usize..)).unwrap_or_default();
        take(&mut reading);
        reading
    }

    /// The steps of the states of a row.
    fn states_of(&self, row: RowNumber) -> Steps<'_> {
        let mut reading = self.reading(row);
        let left = take(&mut reading);
        Steps::new(reading, left)
    }

    /// The parties of a row, each with its steps.
    fn parties_of(&self, row: RowNumber) -> impl Iterator<Item = (FactNumber, Steps<'_>)> {
        let mut states = self.states_of(row);
        states.by_ref().for_each(drop);
        let mut reading = states.reading;
        let count = take(&mut reading);
        let mut last = Steps::new(&[], 0);
        (0..count).map(move |_| {
            let party = FactNumber::try_from(take(&mut reading)).unwrap_or(FactNumber::MAX);
            let left = take(&mut reading);
            if left > 0 {
                last = Steps::new(reading, left);
                let mut behind = last.clone();
                behind.by_ref().for_each(drop);
                reading = behind.reading;
            }
            (party, last.clone())
        })
    }

    /// The day of the first step of the states behind the day of the index.
    fn next_step(&self, row: RowNumber) -> Option<Day> {
        self.states_of(row).map(|(day, _)| day).find(|day| *day > self.day)
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
