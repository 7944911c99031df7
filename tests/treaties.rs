//! Fifty real agreements (`treaties.toml`), each created as a person reads it from its source: how it and its parties stand on
//! chosen days is what that person says, in what Get and List answer of the day and in what filters select.
//!
//! And all treaties of the public data (`public_data`), loaded by the example. No code of the server works out what is
//! expected here.

mod entry;
mod public_data;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use partnership_registry::v1::agreement_service_client::AgreementServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::*;
use tempfile::TempDir;
use tonic::transport::Channel;

use self::entry::{Entry, Standing};
use crate::harness::process::Process;
use crate::questions::raw;
use crate::service::{commit, country, create};

type Agreements = AgreementServiceClient<Channel>;

fn entries() -> Vec<Entry> {
    #[derive(serde::Deserialize)]
    struct File {
        treaty: Vec<Entry>,
    }
    toml::from_str::<File>(include_str!("treaties.toml"))
        .unwrap_or_else(|error| panic!("treaties.toml: {error}"))
        .treaty
}

fn truth(text: &str) -> Truth {
    match text {
        "TRUE" => Truth::True,
        "FALSE" => Truth::False,
        "UNKNOWN" => Truth::Unknown,
        other => panic!("no truth: {other}"),
    }
}

/// What is wrong with how a treaty stands on a day; empty if nothing is.
fn wrong(expected: &Standing, told: &Agreement) -> Vec<String> {
    let status = told.status.clone().unwrap_or_default();
    let mut wrong = Vec::new();
    let mut hold = |what: &str, told: String, expected: String| {
        if told != expected {
            wrong.push(format!("{what} is {told} and not {expected}"));
        }
    };
    let short = |state: AgreementState| state.as_str_name().replacen("AGREEMENT_STATE_", "", 1);
    hold("in_force", status.in_force().as_str_name().into(), truth(&expected.in_force).as_str_name().into());
    if let Some(states) = expected.possible() {
        let told: BTreeSet<String> = status.possible_states().map(short).collect();
        hold("possible_states", format!("{told:?}"), format!("{states:?}"));
        let one = if states.len() == 1 { states.first().cloned().unwrap() } else { "UNSPECIFIED".to_owned() };
        hold("state", short(status.state()), one);
    }
    let day = status.valid_date.map(|day| day.to_string()).unwrap_or_default();
    hold("valid_date", day, expected.day.clone());
    let parties: BTreeMap<&str, &AgreementPartyStatus> =
        status.parties.iter().map(|party| (party.party_id.as_str(), party)).collect();
    for (names, truth) in
        [(&expected.bound, Truth::True), (&expected.free, Truth::False), (&expected.open, Truth::Unknown)]
    {
        for name in names {
            let told = parties.get(name.as_str()).unwrap_or_else(|| panic!("no status of {name}"));
            hold(&format!("bound of {name}"), told.bound().as_str_name().into(), truth.as_str_name().into());
        }
    }
    for (name, end) in &expected.ended {
        let told = parties[name.as_str()].end_type().as_str_name().replacen("AGREEMENT_END_TYPE_", "", 1);
        hold(&format!("end_type of {name}"), told, end.clone());
    }
    wrong
}

/// What filters select, each asked once.
struct Filters {
    agreements: Agreements,
    selected: BTreeMap<String, BTreeSet<String>>,
}

impl Filters {
    async fn select(&mut self, filter: &str, name: &str) -> bool {
        if !self.selected.contains_key(filter) {
            let request = ListAgreementsRequest {
                filter: filter.to_owned(),
                page_size: 1_000,
                read_mask: Some(mask(&["name"])),
                ..Default::default()
            };
            let listed = self.agreements.list_agreements(request).await;
            let listed = listed.unwrap_or_else(|status| panic!("{filter}: {status}")).into_inner();
            let names = listed.agreements.into_iter().map(|agreement| agreement.name).collect();
            self.selected.insert(filter.to_owned(), names);
        }
        self.selected[filter].contains(name)
    }
}

fn mask(paths: &[&str]) -> prost_types::FieldMask {
    prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }
}

/// Creates all, and answers what stands otherwise than a person says.
async fn ask(server: &Process) -> Vec<String> {
    let channel = server.channel().await;
    let mut registry = RegistryServiceClient::new(channel.clone());
    let entries = entries();
    let countries: BTreeSet<&str> = entries.iter().flat_map(Entry::countries).collect();
    let mutations = countries.into_iter().map(|id| create(country(id)));
    let mutations = mutations.chain(entries.iter().map(|entry| create(entry.agreement())));
    commit(&mut registry, mutations.collect()).await.unwrap();
    let mut agreements = AgreementServiceClient::new(channel);

    let mut filters = Filters { agreements: agreements.clone(), selected: BTreeMap::new() };
    let mut found = Vec::new();
    for entry in &entries {
        for expected in &entry.on {
            let day: PartialDate = expected.day.parse().unwrap();
            let request =
                GetAgreementRequest { name: entry.name(), valid_date: Some(day.clone()), ..Default::default() };
            let got = agreements.get_agreement(request).await.unwrap().into_inner();
            let mut mistakes = wrong(expected, &got);

            let request = ListAgreementsRequest {
                filter: format!("external_ids.id = \"{}\"", entry.id),
                valid_date: Some(day),
                read_mask: Some(mask(&["name", "status"])),
                ..Default::default()
            };
            let listed = agreements.list_agreements(request).await.unwrap().into_inner().agreements;
            if listed.len() != 1
                || listed[0].status.as_ref().map(|status| status.in_force())
                    != got.status.as_ref().map(|status| status.in_force())
            {
                mistakes.push(format!("the listing tells otherwise: {listed:?}"));
            }

            let day = &expected.day;
            let mut questions = vec![
                (format!("inForce({day})"), expected.in_force == "TRUE"),
                (format!("mayBeInForce({day})"), expected.in_force != "FALSE"),
                (format!("NOT inForce({day})"), expected.in_force == "FALSE"),
            ];
            for (names, truth) in [(&expected.bound, "TRUE"), (&expected.free, "FALSE"), (&expected.open, "UNKNOWN")] {
                for id in names.iter().filter(|id| entry.countries().any(|country| country == *id)) {
                    let test = format!("partyOn(\"countries/{id}\", {day})");
                    questions.push((test.clone(), truth == "TRUE"));
                    questions.push((format!("NOT {test}"), truth == "FALSE"));
                }
            }
            for (filter, is) in questions {
                if filters.select(&filter, &entry.name()).await != is {
                    mistakes.push(format!("{filter} is to {}select it", if is { "" } else { "not " }));
                }
            }
            found.extend(mistakes.into_iter().map(|mistake| format!("{} {}: {mistake}", entry.id, expected.day)));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_treaties_stand_as_a_person_reads_them() {
    let data = TempDir::new().unwrap();
    let server = Process::start(data.path());
    let found = ask(&server).await;
    assert!(found.is_empty(), "{} mistakes:\n{}", found.len(), found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_effect_that_is_taken_for_the_act_is_seen_in_the_fifty() {
    let data = TempDir::new().unwrap();
    let server = Process::start_with(data.path(), |command: &mut Command| {
        command.env("PARTNERSHIP_TEST_FAULTS", "effect-is-the-act");
    });
    let found = ask(&server).await;
    assert!(found.len() > 10, "a planted fault is not seen: {found:#?}");
}

#[test]
fn there_are_fifty_of_every_shape() {
    let entries = entries();
    assert_eq!(entries.len(), 50);
    assert_eq!(entries.iter().map(|entry| entry.id).collect::<BTreeSet<_>>().len(), 50, "each once");
    let days: usize = entries.iter().map(|entry| entry.on.len()).sum();
    assert!(days > 200, "{days} days");
    let count = |shape: &dyn Fn(&Entry) -> bool| entries.iter().filter(|entry| shape(entry)).count();
    let has = |entry: &Entry, types: &[&str]| {
        types.iter().all(|r#type| entry.events.iter().any(|event| event.r#type == *r#type))
    };
    let shapes = [
        ("renewed", count(&|entry| has(entry, &["RENEWAL"]))),
        ("denounced, of two", count(&|entry| entry.scope == "BILATERAL" && has(entry, &["DENUNCIATION"]))),
        ("joined late", count(&|entry| has(entry, &["ACCESSION", "ENTRY_INTO_FORCE"]))),
        (
            "left and came back",
            count(&|entry| {
                entry.on.iter().filter(|on| !on.ended.is_empty()).count() > 0 && has(entry, &["WITHDRAWAL"])
            }),
        ),
        ("provisionally applied", count(&|entry| has(entry, &["PROVISIONAL_APPLICATION"]))),
        ("in force on signature", count(&Entry::in_force_on_signature)),
        ("succeeded", count(&|entry| has(entry, &["SUCCESSION"]))),
        (
            "of years only",
            count(&|entry| entry.events.iter().any(|event| event.act.as_ref().is_some_and(|act| act.len() < 6))),
        ),
        (
            "with an unknown end",
            count(&|entry| entry.events.iter().any(|event| event.act.as_deref() == Some("unknown"))),
        ),
        ("of two, and three parties", count(&|entry| entry.scope == "BILATERAL" && entry.parties.len() > 2)),
        ("in force before signature", count(&Entry::in_force_before_signature)),
        ("not known", count(&|entry| entry.on.iter().any(|on| on.in_force == "UNKNOWN"))),
    ];
    for (shape, count) in shapes {
        assert!(count > 0, "none is {shape}");
    }
}

#[test]
fn the_fifty_are_treaties_of_the_public_data_with_the_dates_of_their_rows() {
    let Some(data) = raw::data() else {
        eprintln!(
            "\n*** SKIPPED: there is no ../shared/data beside the project, so the fifty were not looked up. ***\n"
        );
        return;
    };
    let rows: BTreeMap<String, raw::Treaty> =
        raw::treaties(Path::new(&data)).into_iter().map(|row| (row.name(), row)).collect();
    let mut dates = 0;
    for entry in entries() {
        let row = rows.get(&entry.name()).unwrap_or_else(|| panic!("there is no treaty {}", entry.id));
        assert!(row.text("title").starts_with(&entry.title), "{}: {}", entry.id, row.text("title"));
        for event in entry.events.iter().filter(|event| !event.row.is_empty()) {
            for (column, told) in [("event_date", &event.act), ("event_effective_date", &event.effect)] {
                let Some(told) = told else { continue };
                let there = row.text(&format!("{}_{column}", event.row)).split('/').rev().collect::<Vec<_>>().join("-");
                assert_eq!(&there, told, "{}: {}_{column}", entry.id, event.row);
                dates += 1;
            }
        }
    }
    assert!(dates > 80, "{dates} dates are those of the rows");
}
