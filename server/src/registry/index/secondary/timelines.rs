//! How the resources of a kind stand on each day, in some bytes for each: what questions about any day are answered from.
//!
//! A timeline is a piece of one array of bytes: the steps of the states, then for each party its number and its steps, days
//! as differences, all of them varints. Invariant: a row whose columns hold for the day of the index, and whose states have a
//! step behind it, stands in `next` at the day of that step.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::dictionary::{Dictionary, FactNumber};
use super::rows::{RowNumber, Rows};
use crate::faults;
use crate::kinds::timeline::{Dated, Timeline};
use crate::registry::resource::standing_part;
use crate::time::Day;
use crate::values::truth::Truth;

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
        Steps { reading, left, day: None }
    }

    /// The parties of a row, each with its steps.
    fn parties_of(&self, row: RowNumber) -> impl Iterator<Item = (FactNumber, Steps<'_>)> {
        let mut states = self.states_of(row);
        states.by_ref().for_each(drop);
        let mut reading = states.reading;
        let count = take(&mut reading);
        let mut last = Steps { reading: &[], left: 0, day: None };
        (0..count).map(move |_| {
            let party = FactNumber::try_from(take(&mut reading)).unwrap_or(FactNumber::MAX);
            let left = take(&mut reading);
            if left > 0 {
                last = Steps { reading, left, day: None };
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

/// Steps as they are read.
#[derive(Clone)]
struct Steps<'a> {
    reading: &'a [u8],
    left: u64,
    /// That of the step before; `None` before the first.
    day: Option<i32>,
}

impl Iterator for Steps<'_> {
    type Item = (Day, u32);

    #[inline]
    fn next(&mut self) -> Option<(Day, u32)> {
        self.left = self.left.checked_sub(1)?;
        // The first step holds since ever.
        let day = match self.day {
            None => i32::MIN,
            Some(i32::MIN) => signed(take(&mut self.reading)),
            Some(before) => before.wrapping_add(signed(take(&mut self.reading))),
        };
        self.day = Some(day);
        Some((Day(day), u32::try_from(take(&mut self.reading)).unwrap_or_default()))
    }
}

/// What holds on a day: the last step that does not begin after it.
#[inline]
fn last_step(steps: Steps<'_>, day: Day) -> Option<u32> {
    let mut holds = None;
    for (from, value) in steps {
        if from > day {
            break;
        }
        holds = Some(value);
    }
    holds
}

/// Writes steps, of which the first holds since ever.
fn put_steps(out: &mut Vec<u8>, steps: impl ExactSizeIterator<Item = (Day, u32)>) {
    put(out, steps.len() as u64);
    let mut before: Option<i32> = None;
    for (Day(day), value) in steps {
        match before {
            None => before = Some(i32::MIN),
            Some(i32::MIN) => {
                put(out, unsigned(day));
                before = Some(day);
            }
            Some(earlier) => {
                put(out, unsigned(day.wrapping_sub(earlier)));
                before = Some(day);
            }
        }
        put(out, value.into());
    }
}

fn unsigned(number: i32) -> u64 {
    u64::from((number << 1 ^ number >> 31).cast_unsigned())
}

#[inline]
fn signed(number: u64) -> i32 {
    let number = u32::try_from(number).unwrap_or_default();
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Appends a varint.
fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Takes a varint off the beginning; 0 where there is none.
#[inline]
fn take(reading: &mut &[u8]) -> u64 {
    if let [only @ 0..0x80, rest @ ..] = *reading {
        *reading = rest;
        return (*only).into();
    }
    let mut number = 0;
    let mut shift = 0;
    while let Some((byte, rest)) = reading.split_first() {
        *reading = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
        if shift > 63 {
            break;
        }
    }
    number
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kinds::timeline::on;
    use crate::registry::schema::{contract, kind_of};
    use crate::store::dice::Dice;

    fn dated() -> Dated {
        let schemas = contract();
        schemas.kind(kind_of(&schemas, "agreements")).rules.dated.unwrap()
    }

    /// Days on which something may happen: near each other, so that many meet, and the ends of the calendar.
    fn some_days(dice: &mut Dice) -> BTreeSet<i32> {
        let day = |dice: &mut Dice| match dice.roll() % 12 {
            0 => -719_162,
            1 => 2_932_896,
            _ => i32::try_from(dice.roll() % 40).unwrap() - 10,
        };
        (0..dice.roll() % 5).map(|_| day(dice)).collect()
    }

    fn steps<T>(dice: &mut Dice, value: impl Fn(&mut Dice) -> T) -> Vec<(Day, T)> {
        let days = std::iter::once(i32::MIN).chain(some_days(dice)).collect::<Vec<_>>();
        days.into_iter().map(|day| (Day(day), value(dice))).collect()
    }

    fn timeline(dice: &mut Dice) -> Timeline {
        let states = steps(dice, |dice| 1 << (dice.roll() % 12) | 1 << (4 + dice.roll() % 3));
        let truth =
            |dice: &mut Dice| [Truth::False, Truth::Unknown, Truth::True][usize::try_from(dice.roll() % 3).unwrap()];
        let mut parties: Vec<(String, Vec<(Day, Truth)>)> = Vec::new();
        for number in 0..dice.roll() % 5 {
            let same = parties.last().filter(|_| dice.roll().is_multiple_of(2)).map(|(_, steps)| steps.clone());
            let steps = same.unwrap_or_else(|| steps(dice, truth));
            parties.push((format!("countries/c{}", number * 3 + dice.roll() % 3), steps));
        }
        Timeline { states, parties }
    }

    #[test]
    fn timelines_say_of_each_day_what_they_were_made_of() {
        let mut dice = Dice(5);
        let mut timelines = Timelines::new(dated());
        timelines.turn(Day(0));
        let mut plain: Vec<Option<Timeline>> = vec![None; 60];
        for _ in 0..3_000 {
            let row = usize::try_from(dice.roll() % 60).unwrap();
            let new = (!dice.roll().is_multiple_of(20)).then(|| timeline(&mut dice));
            timelines.set(u32::try_from(row).unwrap(), new.as_ref());
            plain[row] = new;
            if dice.roll().is_multiple_of(500) {
                timelines.compact();
            }
        }
        let rows = || (0..).zip(&plain).map(|(row, plain): (u32, _)| (row, plain.as_ref()));
        for day in [i32::MIN, -719_163, -719_162, -5, 0, 1, 7, 15, 29, 30, 2_932_896, i32::MAX].map(Day) {
            for (row, plain) in rows() {
                let states = plain.map_or(0, |plain| on(&plain.states, day).unwrap());
                assert_eq!(timelines.states(row, day), states, "{plain:?} on {day:?}");
                for number in 0..15 {
                    let name = format!("countries/c{number}");
                    let steps = plain.and_then(|plain| plain.parties.iter().find(|(party, _)| *party == name));
                    let expected = steps.map_or(Truth::False, |(_, steps)| on(steps, day).unwrap());
                    let party = timelines.party(&name);
                    assert_eq!(party.map_or(Truth::False, |party| timelines.party_on(row, party, day)), expected);
                    let has = party
                        .and_then(|party| timelines.rows_of(party))
                        .is_some_and(|rows| rows.meets(&std::iter::once(row).collect()));
                    assert_eq!(has, steps.is_some(), "{name} in {plain:?}");
                }
            }
            let is_unsure = |(row, plain): (u32, Option<&Timeline>)| {
                let between = |(step, _): &(Day, u32)| *step > day.min(Day(0)) && *step <= day.max(Day(0));
                plain.is_some_and(|plain| plain.states.iter().any(between)).then_some(row)
            };
            assert_eq!(timelines.unsure(day), rows().filter_map(is_unsure).collect(), "{day:?}");
        }
        timelines.compact();
        assert!(timelines.bytes.len() < 60 * 50, "{} bytes", timelines.bytes.len());
    }

    #[test]
    fn a_day_that_turns_takes_up_what_has_a_step_on_the_way() {
        let mut dice = Dice(7);
        for _ in 0..200 {
            let mut timelines = Timelines::new(dated());
            timelines.turn(Day(-10));
            let mut plain = Vec::new();
            for row in 0..30 {
                let new = timeline(&mut dice);
                timelines.set(row, Some(&new));
                plain.push(new);
            }
            let mut today = -10;
            while today < 35 {
                let before = today;
                today += 1 + i32::try_from(dice.roll() % 5).unwrap();
                let between = |(day, _): &(Day, u32)| *day > Day(before) && *day <= Day(today);
                let stepping = (0..30_u32).filter(|row| plain[*row as usize].states.iter().any(between));
                let stepping: RoaringBitmap = stepping.collect();
                let turned = timelines.turn(Day(today));
                assert_eq!(turned, stepping);
                assert_eq!(timelines.unsure(Day(today)), stepping, "their columns are of an earlier day");
                assert_eq!(timelines.hold(Day(today)), stepping.is_empty());
                for row in stepping {
                    if dice.roll().is_multiple_of(2) {
                        plain[row as usize] = timeline(&mut dice);
                    }
                    timelines.set(row, Some(&plain[row as usize]));
                }
                assert!(timelines.hold(Day(today)));
            }
            assert!(timelines.turn(Day(today - 1)).is_empty(), "it never goes back");
        }
    }
}
