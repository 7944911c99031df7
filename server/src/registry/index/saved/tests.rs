//! Tables that were saved while commits went on, and loaded, are those that were derived from all commits.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use partnership_registry::v1::{FocusArea, resource};
use prost_types::Timestamp;

use super::super::tests::{country, organization, record};
use super::super::{Index, Opening};
use super::*;
use crate::registry::schema::contract;
use crate::store::dice::Dice;
use crate::store::{Derivation as _, Record, Revision};

fn index() -> Index {
    Index::new(Arc::new(contract()), Duration::from_secs(86_400), usize::MAX)
}

/// A random commit: countries, organizations of a country that is there, deleted and not, and areas with a parent.
fn random(revision: Revision, dice: &mut Dice) -> Record {
    let mut changed: BTreeMap<String, resource::Kind> = BTreeMap::new();
    for _ in 0..=dice.roll() % 4 {
        let number = dice.roll() % 12;
        let (name, kind) = match dice.roll() % 3 {
            0 => {
                let name = format!("countries/c{number}");
                (name.clone(), country(&name, &format!("Country {}", dice.roll() % 5)))
            }
            1 => {
                let name = format!("organizations/o{number}");
                let of = format!("countries/c{}", dice.roll() % 12);
                (name.clone(), organization(&name, &of, dice.roll().is_multiple_of(4)))
            }
            _ => {
                let name = format!("focusAreas/f{number}");
                let parent = if number == 0 { String::new() } else { format!("focusAreas/f{}", dice.roll() % number) };
                let create_time = Some(Timestamp { seconds: i64::try_from(number).unwrap(), nanos: 0 });
                (
                    name.clone(),
                    resource::Kind::FocusArea(FocusArea { name, parent, create_time, ..FocusArea::default() }),
                )
            }
        };
        changed.insert(name, kind);
    }
    // What may be referred to is there from the beginning.
    if revision == 1 {
        for number in 0..12 {
            let name = format!("countries/c{number}");
            changed.insert(name.clone(), country(&name, "First"));
            let name = format!("focusAreas/f{number}");
            let area = FocusArea { name: name.clone(), ..FocusArea::default() };
            changed.insert(name, resource::Kind::FocusArea(area));
        }
    }
    record(revision, changed.into_values().collect())
}

/// All that can be asked of an index.
fn told(index: &Index) -> BTreeMap<String, String> {
    let tables = index.read();
    let mut told = BTreeMap::new();
    let mut tell = |what: String, answer: String| assert!(told.insert(what, answer).is_none());
    tell("head".to_owned(), format!("{:?}", (tables.head(), tables.last_time(), tables.settled_day())));
    tell("days".to_owned(), format!("{:?}", tables.days));
    for (at, (kind, name, row, created)) in tables.rows(0, usize::MAX).into_iter().enumerate() {
        tell(format!("row {at}"), format!("{:?}", (kind, &name, row, created)));
        let sorted = |names: Vec<&Arc<str>>| {
            let mut names: Vec<_> = names.into_iter().map(ToString::to_string).collect();
            names.sort();
            format!("{names:?}")
        };
        tell(format!("row of {name}"), format!("{:?}", tables.row(&name)));
        tell(format!("referrers of {name}"), sorted(tables.referrers(&name).collect()));
        tell(format!("children of {name}"), sorted(tables.children(&name).collect()));
        tell(format!("parent of {name}"), format!("{:?}", tables.parent(&name)));
    }
    for id in 0..=u8::MAX {
        tell(format!("request {id}"), format!("{:?}", tables.request(&[id; 16])));
    }
    told
}

/// What differs, for a failure that can be read.
fn differences(found: &BTreeMap<String, String>, expected: &BTreeMap<String, String>) -> Vec<String> {
    let all: std::collections::BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let differ = all.into_iter().filter(|what| found.get(*what) != expected.get(*what));
    differ.map(|what| format!("{what}: {:?} and not {:?}", found.get(what), expected.get(what))).collect()
}

/// Derives so many commits while the tables are saved in pieces of `piece` from revision `from` on, with a commit after
/// each; loads them, and replays the commits for which `replays` says so. Answers both indexes.
fn saved_and_loaded(
    seed: u64,
    from: Revision,
    piece: usize,
    replays: impl Fn(Revision, Revision) -> bool,
) -> (Index, Index) {
    let mut dice = Dice(seed);
    let direct = index();
    let mut records = Vec::new();
    let mut commit = |direct: &Index| {
        let record = random(records.len() as Revision + 1, &mut dice);
        direct.apply(std::slice::from_ref(&record)).unwrap();
        records.push(record);
    };
    (0..from).for_each(|_| commit(&direct));
    let mut pieces = Vec::new();
    for saved in direct.pieces(piece) {
        pieces.push(saved);
        commit(&direct);
    }
    let until = direct.head();
    (0..5).for_each(|_| commit(&direct));

    let loaded = index();
    let mut opening = Opening::new(&loaded);
    for piece in &pieces {
        opening.load(piece).unwrap();
    }
    opening.loaded().unwrap();
    let behind = records.into_iter().filter(|record| record.revision >= from);
    behind.filter(|record| replays(record.revision, until)).for_each(|record| opening.apply(record));
    assert_eq!(opening.unreadable, None);
    (direct, loaded)
}

#[test]
fn tables_saved_while_commits_go_on_are_those_of_all_commits() {
    for seed in 0..20 {
        for piece in [1, 3, 1_000] {
            let (direct, loaded) = saved_and_loaded(seed, 1 + seed % 20, piece, |_, _| true);
            let differ = differences(&told(&loaded), &told(&direct));
            assert!(differ.is_empty(), "seed {seed}, pieces of {piece}: {differ:#?}");
        }
    }
}

#[test]
fn commits_that_are_not_replayed_are_missed() {
    // Whoever takes up the commits where the saving ended has lost what changed behind it meanwhile.
    let missed = (0..20).filter(|seed| {
        let (direct, loaded) = saved_and_loaded(*seed, 10, 3, |revision, until| revision >= until);
        !differences(&told(&loaded), &told(&direct)).is_empty()
    });
    assert!(missed.count() > 10);
}

#[test]
fn what_no_tables_are_is_refused() {
    let (direct, ..) = saved_and_loaded(1, 10, 5, |_, _| true);
    let pieces: Vec<_> = direct.pieces(5).collect();
    let load = |pieces: &[Vec<u8>]| {
        let loaded = index();
        let mut opening = Opening::new(&loaded);
        pieces.iter().try_for_each(|piece| opening.load(piece)).and_then(|()| opening.loaded())
    };
    let kind = direct.schemas.kind(direct.schemas.kind_ids().next().unwrap()).tag;
    assert_eq!(load(&pieces), Ok(()));
    assert_eq!(load(&[b"\xff\xff".to_vec()]).unwrap_err(), "a part of it cannot be read");
    let row = SavedRow { kind, ..SavedRow::default() };
    let twice = SavedPiece { rows: vec![row.clone(), row], ..SavedPiece::default() };
    assert_eq!(load(&[twice.encode_to_vec()]).unwrap_err(), "a name is in it twice");
    let again: Vec<_> = pieces.iter().chain(&pieces).cloned().collect();
    assert_eq!(load(&again).unwrap_err(), "its settled days do not follow each other");
    let row = SavedRow { kind: 9_999, ..SavedRow::default() };
    let unknown = SavedPiece { rows: vec![row], ..SavedPiece::default() };
    assert_eq!(load(&[unknown.encode_to_vec()]).unwrap_err(), "it has a kind of number 9999");
    let row = SavedRow { kind, targets: vec![1], ..SavedRow::default() };
    let astray = SavedPiece { rows: vec![row], ..SavedPiece::default() };
    assert_eq!(load(&[astray.encode_to_vec()]).unwrap_err(), "a reference in it leads nowhere");
}
