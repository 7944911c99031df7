//! The indexes, fed with random commits: whether they follow or are built, they hold what the documents say.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use partnership_registry::v1::{Agreement, AgreementEvent, AgreementEventType, AgreementParty, PartialDate, resource};
use roaring::RoaringBitmap;

use super::*;
use crate::registry::index::tests::record;
use crate::registry::schema::{contract, kind_of};
use crate::store::dice::Dice;

fn date(dice: &mut Dice) -> Option<PartialDate> {
    let year = 1990 + i32::try_from(dice.roll() % 4).unwrap();
    match dice.roll() % 4 {
        0 => None,
        1 => Some(PartialDate { unknown: true, ..PartialDate::default() }),
        2 => Some(PartialDate::year(year)),
        _ => Some(PartialDate { month: 1 + i32::try_from(dice.roll() % 12).unwrap(), ..PartialDate::year(year) }),
    }
}

/// Something that happened on one of the days of the commits.
fn event(dice: &mut Dice) -> AgreementEvent {
    use AgreementEventType::{EntryIntoForce, Signature, Termination};
    let part = |dice: &mut Dice, most: u64| i32::try_from(dice.roll() % most).unwrap();
    let date = PartialDate::day(1970 + part(dice, 2), 1 + part(dice, 12), 1 + part(dice, 28));
    let r#type = [Signature, EntryIntoForce, Termination][usize::try_from(dice.roll() % 3).unwrap()];
    AgreementEvent { r#type: r#type.into(), act_date: Some(date), ..AgreementEvent::default() }
}

fn agreement(number: u64, dice: &mut Dice) -> resource::Kind {
    let party = |dice: &mut Dice| AgreementParty {
        country: if dice.roll().is_multiple_of(4) { String::new() } else { format!("countries/c{}", dice.roll() % 5) },
        role: i32::try_from(dice.roll() % 3).unwrap(),
        ..AgreementParty::default()
    };
    let labels: Vec<_> =
        (0..dice.roll() % 3).map(|label| (format!("l{label}"), format!("v{}", dice.roll() % 3))).collect();
    resource::Kind::Agreement(Agreement {
        name: format!("agreements/a{number}"),
        display_name: format!("Agreement {}", dice.roll() % 50),
        r#type: i32::try_from(dice.roll() % 5).unwrap(),
        conclusion_date: date(dice),
        events: (0..dice.roll() % 4).map(|_| event(dice)).collect(),
        parties: (0..dice.roll() % 5).map(|_| party(dice)).collect(),
        labels: labels.into_iter().collect(),
        delete_time: dice.roll().is_multiple_of(5).then_some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
        ..Agreement::default()
    })
}

fn commits(count: u64, resources: u64, dice: &mut Dice) -> Vec<Record> {
    let mut known = BTreeMap::new();
    let mut commits = Vec::new();
    for revision in 1..=count {
        let numbers: BTreeSet<u64> = (0..=dice.roll() % 5).map(|_| dice.roll() % resources).collect();
        let mut commit = record(revision, numbers.into_iter().map(|number| agreement(number, dice)).collect());
        for change in &mut commit.changes {
            change.previous_revision = known.insert(change.name.clone(), revision).unwrap_or(0);
        }
        commits.push(commit);
    }
    commits
}

/// All that the index holds of each resource and of each fact.
fn told(index: &KindIndex) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    let by_name: Vec<_> = index.names().after(Cut::default()).collect();
    assert!(by_name.is_sorted_by(|one, other| index.name(*one) < index.name(*other)));
    assert_eq!(by_name.len(), index.len());
    for row in by_name {
        let name = index.name(row);
        assert_eq!(index.number(name), Some(row));
        told.insert(format!("{name} revision {} live {}", index.revision(row), index.live().contains(row)));
        for path in (0..index.paths.paths.len()).map(|at| PathId(u16::try_from(at).unwrap())) {
            let facts = index.facts(path).unwrap();
            let keys: Vec<_> = index.facts_of(row, path).map(|fact| facts.key(fact).to_vec()).collect();
            assert_eq!(index.present(path).unwrap().contains(row), !keys.is_empty());
            for fact in index.facts_of(row, path) {
                let all: RoaringBitmap = (0..u32::try_from(index.len()).unwrap()).collect();
                assert!(facts.rows(fact).unwrap().within(&all).contains(row));
                assert_eq!(facts.find(facts.key(fact)), Some(fact));
            }
            let mut keys = keys;
            keys.sort();
            told.insert(format!("{name} {path:?} {keys:?}"));
        }
    }
    if let Some(timelines) = index.timelines() {
        assert!(timelines.hold(Day(400)), "none is left to be derived anew");
        for (row, day) in
            (0..u32::try_from(index.len()).unwrap()).flat_map(|row| [0, 200, 400, 600].map(|day| (row, day)))
        {
            told.insert(format!("{} on {day}: {}", index.name(row), timelines.states(row, Day(day))));
        }
    }
    for path in (0..index.paths.paths.len()).map(|at| PathId(u16::try_from(at).unwrap())) {
        let facts = index.facts(path).unwrap();
        let ordered: Vec<_> = facts.ordered().after(Cut::default()).collect();
        assert!(ordered.is_sorted_by(|one, other| facts.compare(*one, *other).is_lt()));
        assert_eq!(ordered.len(), facts.len());
        for fact in ordered {
            told.insert(format!("{path:?} {:?} of {}", facts.key(fact), facts.rows(fact).unwrap().len()));
        }
    }
    told
}

#[test]
fn indexes_that_followed_hold_what_indexes_that_are_built_do() {
    let schemas = Arc::new(contract());
    let kind = kind_of(&schemas, "agreements");
    for seed in 0..10 {
        let mut dice = Dice(seed);
        let commits = commits(400, 60, &mut dice);
        let followed = Secondary::new(schemas.clone());
        followed.order();
        let (mut taken, mut now) = (0, BTreeMap::new());
        while taken < commits.len() {
            let group: Vec<&Record> = commits.iter().skip(taken).take(1 + dice.roll() as usize % 20).collect();
            taken += group.len();
            // A day turns with each commit. What stands differently then is read as it is by now, or a little later.
            for record in commits.iter().take(taken + dice.roll() as usize % 3) {
                for change in &record.changes {
                    now.insert(change.name.clone(), (record.revision, change.document.clone()));
                }
            }
            followed.apply(&group, &|of, name| {
                assert_eq!(of, kind);
                let (revision, sealed) = now.get(name)?;
                Some((*revision, sealed.slice_ref(envelope::open_envelope(&schemas, sealed).unwrap().1)))
            });
        }
        // What is built knows the last document of each, in the order of creation.
        let built = Secondary::new(schemas.clone());
        built.turn(commits.last().unwrap().settled_day, &|_, _| None);
        let mut last: BTreeMap<_, _> = BTreeMap::new();
        let mut created = Vec::new();
        for (revision, change) in
            commits.iter().flat_map(|record| record.changes.iter().map(|it| (record.revision, it)))
        {
            if last.insert(change.name.clone(), (revision, change)).is_none() {
                created.push((change.name.clone(), revision));
            }
        }
        let rows = created.into_iter().map(|(name, created)| {
            let (revision, change) = last[&name];
            let (_, document) = envelope::open_envelope(&schemas, &change.document).unwrap();
            built.changed(kind, name, revision, created, Some(document))
        });
        built.take(kind, rows.collect());
        built.order();
        let (followed, built) = (followed.kind(kind).unwrap(), built.kind(kind).unwrap());
        assert_eq!(told(&followed), told(&built), "seed {seed}");
        for at in [1, 100, 399] {
            assert_eq!(followed.count_at(at), built.count_at(at));
            assert_eq!(followed.changed_since(at), built.changed_since(at));
        }
    }
}

#[test]
fn what_cannot_be_read_counts_as_changed_until_it_is_written_again() {
    let schemas = Arc::new(contract());
    let kind = kind_of(&schemas, "agreements");
    let secondary = Secondary::new(schemas);
    secondary.take(kind, vec![secondary.changed(kind, "agreements/a".into(), 3, 3, None)]);
    assert_eq!(secondary.kind(kind).unwrap().changed_since(9).len(), 1);
    secondary.take(kind, vec![secondary.changed(kind, "agreements/a".into(), 4, 0, Some(&[]))]);
    assert_eq!(secondary.kind(kind).unwrap().changed_since(9).len(), 0);
}

#[test]
fn what_cannot_be_read_when_its_day_comes_is_read_by_each_question_from_then_on() {
    let schemas = Arc::new(contract());
    let kind = kind_of(&schemas, "agreements");
    let secondary = Secondary::new(schemas);
    secondary.order();
    secondary.turn(Day(0), &|_, _| None);
    let event = AgreementEvent {
        r#type: AgreementEventType::EntryIntoForce.into(),
        act_date: Some(PartialDate::day(1970, 1, 4)),
        ..AgreementEvent::default()
    };
    let agreement = Agreement { name: "agreements/a".into(), events: vec![event], ..Agreement::default() };
    let document = prost::Message::encode_to_vec(&agreement);
    secondary.take(kind, vec![secondary.changed(kind, "agreements/a".into(), 4, 0, Some(&document))]);
    let changed = |secondary: &Secondary| secondary.kind(kind).unwrap().changed_since(9).len();
    secondary.turn(Day(2), &|_, _| panic!("nothing happens by then"));
    assert_eq!(changed(&secondary), 0);
    secondary.turn(Day(3), &|_, _| None);
    assert_eq!(changed(&secondary), 1);
    secondary.take(kind, vec![secondary.changed(kind, "agreements/a".into(), 5, 0, Some(&document))]);
    assert_eq!(changed(&secondary), 0);
    assert!(secondary.kind(kind).unwrap().timelines().unwrap().hold(Day(3)));
}
