//! All treaties of the public data, loaded by the example: which of them are in force on a day, and who is a party, is what
//! comparing the dates of their rows says.
//!
//! What is expected is worked out here from the raw rows, without the loader's code or the server's. The rows say little: a day
//! each for an entry into force and for an end. Without the first, nobody can say; and where somebody withdrew, and it does
//! not say who, nobody can say either how it went on.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use partnership_registry::v1::agreement_service_client::AgreementServiceClient;
use partnership_registry::v1::insight_service_client::InsightServiceClient;
use partnership_registry::v1::*;
use partnership_registry_client::{ListOptions, Registry};
use tempfile::TempDir;

use crate::harness::process::{self, Process};
use crate::questions::calendar::day;
use crate::questions::raw::{self, Treaty};

/// The days on which all treaties are asked.
const DAYS: [(i64, i64, i64); 3] = [(1900, 1, 1), (1950, 1, 1), (2000, 1, 1)];

/// Treaties of many, and days in their lives.
const OF_MANY: [u64; 5] = [70_896, 70_225, 63_381, 70_493, 71_750];
const THEIR_DAYS: [(i64, i64, i64); 5] = [(1923, 8, 17), (1936, 12, 31), (1959, 3, 24), (1980, 1, 27), (2000, 1, 1)];

fn written((year, month, day): (i64, i64, i64)) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

/// Whether a treaty is in force on a day, as its row has it; `None`: the row leaves it open.
fn in_force(row: &Treaty, on: i64) -> Option<bool> {
    let of = |what: &str| row.day(&format!("{what}_event_effective_date")).or(row.day(&format!("{what}_event_date")));
    let (begin, end) = (of("definative_eif"), of("terminated"));
    match (begin, end) {
        // What came into force after its end is in force again.
        (Some(begin), Some(end)) if begin > end => Some(on >= begin),
        (_, Some(end)) if on >= end => Some(false),
        (Some(begin), _) if on < begin => Some(false),
        (Some(_), _) if of("withdrawn").is_none() => Some(true),
        _ => None,
    }
}

/// The names of the rows that are so.
fn names(rows: &[Treaty], is: impl Fn(&Treaty) -> bool) -> BTreeSet<String> {
    rows.iter().filter(|row| is(row)).map(Treaty::name).collect()
}

struct Asker {
    registry: Registry,
    insight: InsightServiceClient<tonic::transport::Channel>,
    agreements: AgreementServiceClient<tonic::transport::Channel>,
    found: Vec<String>,
}

impl Asker {
    async fn of(server: &Process) -> Self {
        let channel = server.channel().await;
        Self {
            registry: Registry::connect(format!("http://{}", server.address)).await.unwrap(),
            insight: InsightServiceClient::new(channel.clone()),
            agreements: AgreementServiceClient::new(channel),
            found: Vec::new(),
        }
    }

    fn hold(&mut self, what: &str, told: BTreeSet<String>, expected: &BTreeSet<String>) {
        if told != *expected {
            let some = |one: &BTreeSet<String>, other| one.difference(other).take(4).cloned().collect::<Vec<_>>();
            let (missing, more) = (some(expected, &told), some(&told, expected));
            let (told, expected) = (told.len(), expected.len());
            self.found.push(format!("{what}: {told} and not {expected}: without {missing:?}, with {more:?}"));
        }
    }

    /// What a filter selects is what is expected, and so many are counted.
    async fn ask(&mut self, filter: &str, valid: Option<PartialDate>, expected: &BTreeSet<String>) {
        let mut options = ListOptions::new().filter(filter).fields(["name"]).page_size(1_000);
        if let Some(valid) = &valid {
            options = options.on(valid.clone());
        }
        let listed: Vec<Agreement> = self.registry.agreements().list(options).collect().await.unwrap();
        let listed = listed.into_iter().map(|agreement| agreement.name).collect();
        let on = valid.as_ref().map(|day| format!(" on {day}")).unwrap_or_default();
        self.hold(&format!("{filter}{on}"), listed, expected);
        let request = CountResourcesRequest {
            collection: "agreements".into(),
            filter: filter.into(),
            valid_date: valid,
            ..Default::default()
        };
        let counted = self.insight.count_resources(request).await.unwrap().into_inner().total_size;
        if usize::try_from(counted).ok() != Some(expected.len()) {
            self.found.push(format!("{filter}{on}: {counted} are counted, and not {}", expected.len()));
        }
    }

    async fn ask_about_days(&mut self, rows: &[Treaty]) {
        for date in DAYS {
            let (text, on) = (written(date), day(date.0, date.1, date.2));
            let valid: PartialDate = text.parse().unwrap();
            let is = names(rows, |row| in_force(row, on) == Some(true));
            let may_be = names(rows, |row| in_force(row, on) != Some(false));
            let is_not = names(rows, |row| in_force(row, on) == Some(false));
            assert!(is.len() > 100 && may_be.len() > is.len() && is_not.len() > 100, "the days ask for something");
            self.ask(&format!("inForce(\"{text}\")"), None, &is).await;
            self.ask(&format!("mayBeInForce(\"{text}\")"), None, &may_be).await;
            self.ask(&format!("NOT inForce(\"{text}\")"), None, &is_not).await;
            self.ask("status.in_force = TRUE", Some(valid.clone()), &is).await;
            self.ask("status.state = IN_FORCE", Some(valid.clone()), &is).await;
            self.ask("status.in_force = FALSE", Some(valid.clone()), &is_not).await;
            let kingdom = names(rows, |row| row.is_party("UNITED KINGDOM") && in_force(row, on) == Some(true));
            self.ask(&format!("partyOn(\"countries/gb\", {text})"), None, &kingdom).await;

            let request = CountResourcesRequest {
                collection: "agreements".into(),
                group_by: vec!["status.in_force".into()],
                valid_date: Some(valid),
                ..Default::default()
            };
            let answer = self.insight.count_resources(request).await.unwrap().into_inner();
            for (truth, expected) in
                [("TRUTH_TRUE", is.len()), ("TRUTH_FALSE", is_not.len()), ("TRUTH_UNKNOWN", may_be.len() - is.len())]
            {
                let told = answer.groups.iter().find(|group| group.keys == [truth]).map_or(0, |group| group.count);
                if told != expected as i64 {
                    self.found.push(format!("{text}: {told} are counted as {truth}, and not {expected}"));
                }
            }
        }
    }

    /// The states that a row names, in capitals, are parties while it is in force; what it extends to never is.
    async fn ask_about_parties(&mut self, rows: &[Treaty]) {
        let mut bound = 0;
        for id in OF_MANY {
            let row = rows.iter().find(|row| row.name() == format!("agreements/uk-{id}")).unwrap();
            for date in THEIR_DAYS {
                let on = day(date.0, date.1, date.2);
                let request = GetAgreementRequest {
                    name: row.name(),
                    valid_date: Some(written(date).parse().unwrap()),
                    ..Default::default()
                };
                let status = self.agreements.get_agreement(request).await.unwrap().into_inner().status.unwrap();
                let expected: Vec<_> = row
                    .parties()
                    .map(|name| {
                        let is_state = !name.chars().any(char::is_lowercase);
                        match in_force(row, on) {
                            Some(true) if is_state => Truth::True,
                            _ => Truth::False,
                        }
                    })
                    .collect();
                bound += expected.iter().filter(|truth| **truth == Truth::True).count();
                let told: Vec<_> = status.parties.iter().map(AgreementPartyStatus::bound).collect();
                if told != expected {
                    self.found.push(format!("{id} on {}: {told:?} and not {expected:?}", written(date)));
                }
            }
        }
        assert!(bound > 300, "few are parties: {bound}");
    }
}

async fn ask(server: &Process, rows: &[Treaty]) -> Vec<String> {
    let mut asker = Asker::of(server).await;
    asker.ask_about_days(rows).await;
    asker.ask_about_parties(rows).await;
    asker.found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_treaties_of_the_public_data_stand_on_days_as_their_rows_say() {
    let Some(data) = raw::data() else {
        eprintln!("\n*** SKIPPED: there is no ../shared/data beside the project, so no public data was asked. ***\n");
        return;
    };
    let directory = TempDir::new().unwrap();
    let server = Process::start(directory.path());
    // Without the projects, of which nothing is asked here.
    let folder = directory.path().join("files");
    std::fs::create_dir_all(folder.join("worldbank_projects")).unwrap();
    for part in ["country_codes", "uk_treaties"] {
        std::os::unix::fs::symlink(data.join(part), folder.join(part)).unwrap();
    }
    let table = std::fs::read_to_string(data.join("worldbank_projects/wb_projects.csv")).unwrap();
    std::fs::write(folder.join("worldbank_projects/wb_projects.csv"), table.lines().next().unwrap()).unwrap();
    let loaded = Command::new(process::build("load_data"))
        .arg(&folder)
        .args(["--server", &format!("http://{}", server.address), "--report"])
        .arg(directory.path().join("report.csv"))
        .output()
        .unwrap();
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));

    let rows = raw::treaties(Path::new(&data));
    let found = ask(&server, &rows).await;
    assert!(found.is_empty(), "{found:#?}");

    // The same data, served with a mistake.
    server.stop();
    let faulty = Process::start_with(directory.path(), |command| {
        command.env("PARTNERSHIP_TEST_FAULTS", "effect-is-the-act");
    });
    let found = ask(&faulty, &rows).await;
    assert!(found.iter().any(|mistake| mistake.contains("inForce")), "a planted fault is not seen: {found:#?}");
}
