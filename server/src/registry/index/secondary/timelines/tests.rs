//! Timelines, held against the lists of steps that they were made of.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

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
    let states = match dice.roll() % 2 {
        0 => steps(dice, |dice| 1 << (dice.roll() % 12) | 1 << (4 + dice.roll() % 3)),
        // Most that there is can only be in one state on a day.
        _ => steps(dice, |dice| 1 << (5 + dice.roll() % 3)),
    };
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
            timelines.parties.compact();
        }
    }
    let rows = || (0..).zip(&plain).map(|(row, plain): (u32, _)| (row, plain.as_ref()));
    for day in [i32::MIN, -719_163, -719_162, -5, 0, 1, 7, 15, 29, 30, 2_932_896, i32::MAX].map(Day) {
        for (row, plain) in rows() {
            let states = plain.map_or(0, |plain| on(&plain.states, day).unwrap());
            assert_eq!(timelines.states(row, day), states, "{plain:?} on {day:?}");
            // No calendar has the last day that a number can have.
            if day < NEVER {
                let in_force = standing_part::in_force(states, &timelines.dated);
                assert_eq!(timelines.in_force(row, day), in_force, "{plain:?} on {day:?}");
            }
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
