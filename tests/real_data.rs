//! The example that loads public data, end to end: the example's own binary against the real server.
//!
//! The data lies beside the project and is no part of it. Where it is not, the test says so, loudly.

use std::path::{Path, PathBuf};
use std::process::Command;

use partnership_registry_client::v1::{Agreement, Country, FindingCode};
use partnership_registry_client::{ListOptions, Registry};
use tempfile::TempDir;

use crate::harness::process::{self, Process};

/// The rows of each file, counted when the data was gathered.
const COUNTRIES: u64 = 249;
const TREATIES: u64 = 8_134;
const PARTY_MENTIONS: usize = 85_123;
const PROJECTS: u64 = 20_095;

fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    beside.join("uk_treaties").is_dir().then_some(beside)
}

/// A line of the example's table: read, accepted, created, updated, unchanged, refused.
fn numbers(table: &str, file: &str) -> Vec<u64> {
    let line = table.lines().find(|line| line.contains(file) && !line.contains('×'));
    let line = line.unwrap_or_else(|| panic!("no line of {file} in\n{table}"));
    line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect()
}

#[tokio::test]
async fn public_data_is_loaded_whole_and_a_second_time_changes_nothing() {
    let Some(data) = data() else {
        eprintln!("\n*** SKIPPED: there is no ../shared/data beside the project, so no public data was loaded. ***\n");
        return;
    };
    let directory = TempDir::new().unwrap();
    let process = Process::start(directory.path());
    let address = format!("http://{}", process.address);
    let example = process::build("load_data");
    let load = || {
        let output = Command::new(&example)
            .arg(&data)
            .args(["--server", &address, "--report"])
            .arg(directory.path().join("report.csv"))
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(matches!(output.status.code(), Some(0 | 8)), "out: {out}\nerr: {err}");
        let report = std::fs::read_to_string(directory.path().join("report.csv")).unwrap();
        (out, report)
    };

    let (first, report) = load();
    println!("{first}");
    for (file, rows) in [("country-codes", COUNTRIES), ("uk_treaties", TREATIES), ("wb_projects", PROJECTS)] {
        let [read, accepted, created, updated, unchanged, refused, warnings] = numbers(&first, file)[..] else {
            panic!("{first}")
        };
        assert_eq!(read, rows, "{file}: every row is read");
        assert_eq!(accepted + refused, read, "{file}: every row is accounted for");
        assert_eq!(created + updated + unchanged, accepted, "{file}");
        assert_eq!((created, refused), (rows, 0), "{file}: these data have no row that cannot be true");
        let reported = report.lines().filter(|line| line.contains(file)).count() as u64;
        assert_eq!(reported, refused + warnings, "{file}: each refusal and warning is reported");
    }

    let registry = Registry::connect(address.clone()).await.unwrap();
    let countries: Vec<Country> =
        registry.countries().list(ListOptions::new().page_size(1_000)).collect().await.unwrap();
    assert!(countries.len() as u64 >= COUNTRIES);
    let treaties: Vec<Agreement> =
        registry.agreements().list(ListOptions::new().page_size(1_000)).collect().await.unwrap();
    assert_eq!(treaties.len() as u64, TREATIES);
    let parties = treaties.iter().flat_map(|treaty| &treaty.parties);
    assert_eq!(parties.clone().count(), PARTY_MENTIONS, "every party that a treaty mentions is kept");
    let unresolved = parties.filter(|party| !party.unresolved_name.is_empty()).count();
    assert!((1..PARTY_MENTIONS / 2).contains(&unresolved), "most parties are countries of the registry: {unresolved}");
    let dated = treaties.iter().filter(|treaty| {
        treaty.events.iter().filter_map(|event| event.act_date.as_ref()).any(|date| !date.original_text.is_empty())
    });
    assert!(dated.count() > 5_000, "the texts that dates were read from are kept");

    let odd = ListOptions::new().filter("findings.code = \"FINDING_CODE_LINK_NOT_URI\"").page_size(1_000);
    let odd = registry.agreements().list(odd).collect().await.unwrap();
    let links =
        odd.iter().flat_map(|treaty| &treaty.findings).filter(|one| one.code() == FindingCode::LinkNotUri).count();
    let told = report.lines().filter(|line| line.contains("uk_treaties") && line.contains(",LINK_NOT_URI,")).count();
    assert!(odd.len() > 1_000 && links == told, "{} treaties with {links} odd links, {told} of them told", odd.len());
    let kept = odd.iter().flat_map(|treaty| &treaty.documents).any(|document| document.uri.contains(' '));
    assert!(kept, "links are kept as they came");

    // What somebody adds is left alone.
    let name = countries[0].name.clone();
    let labels = [("mine".to_owned(), "yes".to_owned())].into();
    let labelled = Country { name: name.clone(), labels, capital: "Elsewhere".into(), ..Country::default() };
    registry.countries().update(labelled, ["labels.mine"]).await.unwrap();

    let head = registry.export(Default::default()).await.unwrap().revision;
    let (second, _) = load();
    for (file, rows) in [("country-codes", COUNTRIES), ("uk_treaties", TREATIES), ("wb_projects", PROJECTS)] {
        assert_eq!(numbers(&second, file)[..5], [rows, rows, 0, 0, rows], "{second}");
    }
    assert_eq!(registry.export(Default::default()).await.unwrap().revision, head, "the second time makes no revision");
    let labelled = registry.countries().get(&name).await.unwrap();
    let kept = (labelled.labels.len() == countries[0].labels.len() + 1, labelled.labels["mine"].as_str());
    assert_eq!(kept, (true, "yes"), "{labelled:?}");
}
