//! The committer's ledger over the index, and the references of a commit.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use partnership_registry::v1::{Country, resource};
use prost::Message as _;

use super::ledger::{Known, Ledger, Outcome};
use super::place::Place;
use super::plan::Drafting;
use super::request::PreparedMutation;
use crate::registry::index::Index;
use crate::registry::index::tests::{country, organization, record};
use crate::registry::resource::etag::Etags;
use crate::registry::resource::name::Name;
use crate::registry::schema::{Schemas, contract, contract_with_immutable};
use crate::store::{Record, RequestMark, Revision};
use crate::time::{Day, Time};

struct Fixture {
    schemas: Arc<Schemas>,
    index: Arc<Index>,
    ledger: Ledger,
}

impl Fixture {
    fn new() -> Self {
        let schemas = Arc::new(contract());
        let index = Arc::new(Index::new(schemas.clone(), std::time::Duration::MAX, usize::MAX));
        let ledger = Ledger::new(index.clone());
        Self { schemas, index, ledger }
    }

    /// Makes resources durable, in the next commit.
    fn publish(&self, request: Option<RequestMark>, resources: Vec<resource::Kind>) {
        let record = Record { request, ..record(self.index.head() + 1, resources) };
        self.index.apply(&[record]).unwrap();
    }

    /// Decides a commit of one resource, which is then not durable yet.
    fn decide(&mut self, name: &str, deleted: bool, targets: &[&str], bytes: usize) -> Revision {
        let revision = self.ledger.head() + 1;
        let name = Name::parse(&self.schemas, name).unwrap();
        let known = Known { revision, deleted };
        let targets = targets.iter().map(|target| Arc::from(*target)).collect();
        let outcome = Outcome { name, known, document: vec![0; bytes].into(), targets, parent: None };
        let request = u8::try_from(revision).ok().map(|byte| RequestMark { id: [byte; 16], hash: [byte; 16] });
        self.ledger.add(revision, Time::default().next(), Day(1), request, [outcome]);
        revision
    }

    fn referrers(&self, name: &str) -> Vec<String> {
        let mut found: Vec<_> = self.ledger.referrers(name).iter().map(ToString::to_string).collect();
        found.sort();
        found
    }
}

#[test]
fn what_was_decided_hides_what_is_durable() {
    let mut fixture = Fixture::new();
    fixture.publish(None, vec![country("countries/kr", "K"), organization("organizations/a", "countries/kr", false)]);
    fixture.ledger.reset();
    assert_eq!(fixture.ledger.known("countries/kr"), Some(Known { revision: 1, deleted: false }));
    assert_eq!(fixture.referrers("countries/kr"), ["organizations/a"]);
    // An organization that is deleted, and one that begins to refer.
    fixture.decide("organizations/a", true, &[], 1);
    fixture.decide("organizations/b", false, &["countries/kr"], 1);
    assert_eq!(fixture.ledger.known("organizations/a"), Some(Known { revision: 2, deleted: true }));
    assert_eq!(fixture.ledger.known("organizations/c"), None);
    assert_eq!(fixture.referrers("countries/kr"), ["organizations/b"]);
    assert_eq!(fixture.ledger.request(&[2; 16]), Some((2, [2; 16])));
    assert_eq!(fixture.ledger.head(), 3);
}

#[test]
fn what_could_not_be_written_is_forgotten_as_a_whole() {
    let mut fixture = Fixture::new();
    fixture.publish(None, vec![country("countries/kr", "K")]);
    fixture.ledger.reset();
    fixture.decide("countries/kr", true, &[], 1);
    fixture.decide("organizations/a", false, &["countries/kr"], 1);
    fixture.ledger.reset();
    assert_eq!(fixture.ledger.head(), 1);
    assert_eq!(fixture.ledger.known("countries/kr"), Some(Known { revision: 1, deleted: false }));
    assert_eq!(fixture.ledger.known("organizations/a"), None);
    assert_eq!(fixture.referrers("countries/kr"), [""; 0]);
    assert_eq!(fixture.ledger.request(&[2; 16]), None);
    assert!(fixture.ledger.document("countries/kr").is_none());
}

#[test]
fn nothing_is_forgotten_before_it_is_durable_and_documents_only_when_there_are_too_many() {
    const MEBIBYTE: usize = 1 << 20;
    let mut fixture = Fixture::new();
    for _ in 0..12 {
        let next = fixture.ledger.head() + 1;
        fixture.decide(&format!("countries/c{next}"), false, &[], MEBIBYTE);
    }
    fixture.ledger.forget();
    assert!(fixture.ledger.document("countries/c1").is_some(), "it is not durable");
    for revision in 1..=10_u8 {
        let mark = RequestMark { id: [revision; 16], hash: [revision; 16] };
        fixture.publish(Some(mark), vec![country(&format!("countries/c{revision}"), "C")]);
    }
    fixture.ledger.forget();
    let kept: Vec<u64> = (1..=12).filter(|n| fixture.ledger.document(&format!("countries/c{n}")).is_some()).collect();
    assert_eq!(kept, [5, 6, 7, 8, 9, 10, 11, 12], "8 MiB stay, the newest");
    // Whoever has them now, the answers are the same.
    for revision in 1..=12_u8 {
        assert_eq!(fixture.ledger.request(&[revision; 16]), Some((u64::from(revision), [revision; 16])));
        assert!(fixture.ledger.known(&format!("countries/c{revision}")).is_some());
    }
}

#[test]
fn a_resource_that_changes_again_and_again_takes_no_more_room() {
    let mut fixture = Fixture::new();
    for _ in 0..40_000 {
        fixture.decide("countries/kr", false, &[], 1);
        fixture.publish(None, vec![country("countries/kr", "K")]);
        fixture.ledger.forget();
    }
    assert!(fixture.ledger.changes_kept() <= super::ledger::CHANGES_MAX);
    assert!(fixture.ledger.document("countries/kr").is_some_and(|(revision, _)| revision == 40_000));
}

#[test]
fn a_rollback_is_held_to_the_rules_of_today() {
    let mut fixture = Fixture::new();
    fixture.publish(None, vec![country("countries/kr", "Korea")]);
    fixture.ledger.reset();
    let korea = || Country { name: "countries/kr".into(), display_name: "Korea".into(), ..Country::default() };
    let refused = |schemas: &Schemas, then: Country| {
        let etags = Etags::new(uuid::Uuid::nil(), 1);
        let drafting = Drafting {
            schemas,
            ledger: &fixture.ledger,
            etags,
            actor: "a",
            now: Time::default().next(),
            day: Day::default(),
            reason: "",
            time_zone: &jiff::tz::TimeZone::UTC,
        };
        let name = Name::parse(schemas, "countries/kr").unwrap();
        let snapshot = Some(then.encode_to_vec().into());
        let mutation = PreparedMutation::Rollback { name, revision: 1, etag: String::new(), snapshot };
        let place = Place { index: Some(0), verb: "rollback", singular: "" };
        let current = vec![Some((1, korea().encode_to_vec().into()))];
        drafting.draft(&[], vec![(place, mutation)], current).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let unnamed = Country { display_name: String::new(), ..korea() };
    assert_eq!(refused(&fixture.schemas, unnamed), "mutations[0].rollback.display_name: is required");
    let gone = Country { delete_time: Some(prost_types::Timestamp::default()), ..korea() };
    assert!(refused(&fixture.schemas, gone).contains("was deleted in revision 1"));
    let elsewhere = Country { region_code: "KP".into(), ..korea() };
    assert_eq!(refused(&fixture.schemas, elsewhere.clone()), "");
    assert_eq!(
        refused(&contract_with_immutable("countries", "region_code"), elsewhere),
        "mutations[0].rollback.region_code: can be given only when the resource is created"
    );
}
