//! The index, fed with records as the journal holds them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use partnership_registry::v1::{Country, Organization, Resource, resource};
use prost::Message as _;
use prost_types::Timestamp;

use super::*;
use crate::registry::schema::contract;
use crate::store::{Action, Change, RequestMark};
use crate::time::Day;

fn index() -> (Index, Arc<Schemas>) {
    let schemas = Arc::new(contract());
    (Index::new(schemas.clone(), std::time::Duration::MAX, usize::MAX), schemas)
}

/// A country as a commit holds it.
pub(crate) fn country(name: &str, display_name: &str) -> resource::Kind {
    let create_time = Some(Timestamp { seconds: 1, nanos: 0 });
    resource::Kind::Country(Country {
        name: name.into(),
        display_name: display_name.into(),
        create_time,
        ..Country::default()
    })
}

/// An organization of a country, deleted or not.
pub(crate) fn organization(name: &str, country: &str, deleted: bool) -> resource::Kind {
    let delete_time = deleted.then_some(Timestamp { seconds: 9, nanos: 0 });
    resource::Kind::Organization(Organization {
        name: name.into(),
        country: country.into(),
        delete_time,
        ..Organization::default()
    })
}

/// The commit that updates these resources. Up to revision 255 it comes from a request with the revision in its id.
pub(crate) fn record(revision: Revision, resources: Vec<resource::Kind>) -> Record {
    let change = |kind: resource::Kind| {
        let resource = Resource { kind: Some(kind) };
        let name = resource.name().into();
        Change::new(Action::Update, name, 0, resource.encode_to_vec().into(), [0; 16])
    };
    Record {
        revision,
        commit_time: Timestamp { seconds: i64::try_from(revision).unwrap(), nanos: 0 }.into(),
        actor: "a".into(),
        reason: String::new(),
        request: u8::try_from(revision).ok().map(|byte| RequestMark { id: [byte; 16], hash: [7; 16] }),
        epoch: 1,
        settled_day: Day(i32::try_from(revision).unwrap()),
        changes: resources.into_iter().map(change).collect(),
        parent_hash: [0; 32],
        hash: [0; 32],
    }
}

/// The names that refer to `name`, sorted.
fn referrers(index: &Index, name: &str) -> Vec<String> {
    let mut found: Vec<_> = index.read().referrers(name).map(ToString::to_string).collect();
    found.sort();
    found
}

#[test]
fn references_follow_what_refers_and_may_lead_to_a_later_change_of_the_same_commit() {
    let (index, _) = index();
    index
        .apply(&[
            record(1, vec![organization("organizations/a", "countries/kr", false), country("countries/kr", "K")]),
            record(2, vec![country("countries/ir", "I"), organization("organizations/b", "countries/kr", false)]),
        ])
        .unwrap();
    assert_eq!(referrers(&index, "countries/kr"), ["organizations/a", "organizations/b"]);
    index.apply(&[record(3, vec![organization("organizations/a", "countries/ir", false)])]).unwrap();
    assert_eq!(referrers(&index, "countries/kr"), ["organizations/b"]);
    assert_eq!(referrers(&index, "countries/ir"), ["organizations/a"]);
    index.apply(&[record(4, vec![organization("organizations/a", "countries/ir", true)])]).unwrap();
    assert_eq!(referrers(&index, "countries/ir"), [""; 0], "a deleted resource refers to nothing");
    index.apply(&[record(5, vec![organization("organizations/a", "countries/ir", false)])]).unwrap();
    assert_eq!(referrers(&index, "countries/ir"), ["organizations/a"], "and again once it is undeleted");
    assert_eq!(referrers(&index, "countries/unknown"), [""; 0]);
}

#[test]
fn rows_counts_and_requests_are_those_of_the_last_commit() {
    let (index, _) = index();
    index.apply(&[record(1, vec![country("countries/kr", "K")])]).unwrap();
    index.apply(&[record(2, vec![organization("organizations/a", "countries/kr", false)])]).unwrap();
    index.apply(&[record(3, vec![organization("organizations/a", "countries/kr", true)])]).unwrap();
    let tables = index.read();
    assert_eq!((tables.head(), tables.settled_day()), (3, Day(3)));
    let days = [0, 1, 2, 3, 9].map(|revision| tables.settled_day_at(revision));
    assert_eq!(days, [0, 1, 2, 3, 3].map(Day), "each revision has its own");
    let row = tables.row("organizations/a").unwrap();
    assert_eq!((row.revision, row.deleted), (3, true));
    assert_eq!(tables.row("organizations/b"), None);
    assert_eq!(tables.count_of_all(), 2);
    assert_eq!(tables.request(&[2; 16]), Some((2, [7; 16])));
    assert_eq!(tables.request(&[4; 16]), None);
}

#[test]
fn a_group_with_a_commit_that_cannot_be_read_changes_nothing() {
    let (index, _) = index();
    index.apply(&[record(1, vec![country("countries/kr", "K")])]).unwrap();
    let mut unreadable = record(3, vec![country("countries/ir", "I")]);
    // A field of the envelope that this version does not have.
    let change = unreadable.changes.first_mut().unwrap();
    change.document = b"\xf2\x3f\x01a".as_slice().into();
    let group = [record(2, vec![country("countries/fr", "F")]), unreadable];
    assert_eq!(index.apply(&group), Err(Unreadable { revision: 3 }));
    assert_eq!(index.head(), 1);
    assert_eq!(index.read().row("countries/fr"), None);
}
