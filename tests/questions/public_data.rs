//! Questions of the public data, and of each of its quirks: what the server answers is what a few lines find in the rows
//! of the files.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use partnership_registry::v1::insight_service_client::InsightServiceClient;
use partnership_registry::v1::{Agreement, CountResourcesRequest, CountResourcesResponse, Project as OneProject};
use partnership_registry_client::{ListOptions, Registry};
use tempfile::TempDir;
use tonic::transport::Channel;

use super::calendar::{civil, day};
use super::raw::{self, Project, Treaty};
use super::row::nfc;
use crate::harness::process::{self, Process};

/// A filter, and whether it is to select a row.
type Asked<R> = (String, Box<dyn Fn(&R) -> bool>);

fn asked<R>(filter: impl Into<String>, selects: impl Fn(&R) -> bool + 'static) -> Asked<R> {
    (filter.into(), Box::new(selects))
}

fn year(days: i64) -> i64 {
    civil(days).0
}

fn before(first_year: i64, date: Option<i64>) -> bool {
    date.is_some_and(|date| date < day(first_year, 1, 1))
}

fn since(first_year: i64, date: Option<i64>) -> bool {
    date.is_some_and(|date| date >= day(first_year, 1, 1))
}

fn of_treaties() -> Vec<Asked<Treaty>> {
    let mut all: Vec<Asked<Treaty>> = vec![
        // `KOREA`, of which there are two, is no country for the loader, and neither is `NORTH KOREA`: both are kept as
        // they stand.
        asked(r#"party("countries/kr")"#, |row: &Treaty| row.is_party("KOREA REPUBLIC OF")),
        asked(r#"parties.country = "countries/kr""#, |row: &Treaty| row.is_party("KOREA REPUBLIC OF")),
        asked(r#"parties.unresolved_name = "KOREA""#, |row: &Treaty| row.is_party("KOREA")),
        asked(
            r#"party("countries/kr") OR party("countries/kp") OR parties.unresolved_name = "*KOREA*""#,
            |row: &Treaty| row.parties().any(|party| party.contains("KOREA")),
        ),
        asked(r#"party("countries/kr") AND conclusion_date >= 1990"#, |row: &Treaty| {
            row.is_party("KOREA REPUBLIC OF") && since(1990, row.concluded())
        }),
        // Countries that are no more.
        asked(r#"parties.unresolved_name = "SOVIET UNION" AND NOT party("countries/us")"#, |row: &Treaty| {
            row.is_party("SOVIET UNION") && !row.is_party("UNITED STATES OF AMERICA")
        }),
        asked("parties.unresolved_name:SI*AM", |row: &Treaty| row.is_party("SIAM")),
        // Nobody as a party, and more than two where the source says that there are two.
        asked("NOT parties:*", |row: &Treaty| row.parties().next().is_none()),
        asked(r#"scope = bilateral AND parties.role = other"#, |row: &Treaty| {
            // What is written in small letters is no state, but what the treaty extends to.
            row.text("field3") == "BI" && row.parties().any(|party| party.chars().any(char::is_lowercase))
        }),
        asked("scope = unspecified", |row: &Treaty| !row.has("field3")),
        asked(
            r#"party("countries/fr") party("countries/jp") party("countries/br") party("countries/tr")"#,
            |row: &Treaty| ["FRANCE", "JAPAN", "BRAZIL", "TURKEY"].iter().all(|name| row.is_party(name)),
        ),
        // Dates that are missing, far away, or out of order.
        asked("NOT conclusion_date:*", |row: &Treaty| row.concluded().is_none()),
        asked("events.type = adoption AND -events.type = signature", |row: &Treaty| {
            (row.has("adopted_event_date") || row.has("adopted_event_effective_date")) && !row.has("signed_event_date")
        }),
        asked("conclusion_date < 1800", |row: &Treaty| before(1800, row.concluded())),
        asked("conclusion_date <= 1703-05-16", |row: &Treaty| row.concluded().is_some_and(|it| it <= day(1703, 5, 16))),
        asked("conclusion_date = 1950-06", |row: &Treaty| {
            row.concluded().is_some_and(|it| (day(1950, 6, 1)..day(1950, 7, 1)).contains(&it))
        }),
        asked("state = terminated AND events.act_date >= 2000", |row: &Treaty| {
            let terminated = row.has("terminated_event_date") || row.has("terminated_event_effective_date");
            terminated && row.acts().any(|act| act >= day(2000, 1, 1))
        }),
        // Of which the source does not say whose act it was.
        asked(r#"events.source_id = withdrawn AND events.type = notification"#, |row: &Treaty| {
            row.has("withdrawn_event_date") || row.has("withdrawn_event_effective_date")
        }),
        // What nobody said to be in force may be.
        asked("events_incomplete = true AND events.type = termination", |row: &Treaty| {
            let happened =
                |what: &str| row.has(&format!("{what}_event_date")) || row.has(&format!("{what}_event_effective_date"));
            happened("terminated") && (!happened("definative_eif") || happened("withdrawn"))
        }),
        // The source cites what nobody published, and gives links that are none.
        asked(r#"annotations.published = "no""#, |row: &Treaty| {
            row.references().any(|(cited, _)| cited.starts_with("Other NOT PUBLISHED"))
        }),
        asked(r#"documents.uri = "* *""#, |row: &Treaty| row.references().any(|(_, link)| link.contains(' '))),
        asked(r#"external_ids.uri = "*\\html\\*" AND scope = multilateral"#, |row: &Treaty| {
            row.text("document_url").contains(r"\html\") && row.text("field3") == "MULTI"
        }),
        asked("documents:*", |row: &Treaty| row.references().any(|(_, link)| !link.is_empty())),
        // Subjects, and that there is none.
        asked("NOT focus_areas:*", |row: &Treaty| !row.has("subject")),
        asked("labels.subject = aviation", |row: &Treaty| row.text("subject") == "AVIATION"),
        asked(r#"under("focusAreas/uk-treaties-aviation")"#, |row: &Treaty| row.text("subject") == "AVIATION"),
        asked(r#"focus_areas = "focusAreas/uk-treaties-loans-credits-grants""#, |row: &Treaty| {
            row.text("subject") == "LOANS, CREDITS & GRANTS"
        }),
        // Words in titles, and places as the source spells them.
        asked(r#"display_name = "Exchange of Notes*""#, |row: &Treaty| {
            row.text("title").starts_with("Exchange of Notes")
        }),
        asked(r#"display_name = "*co-operation*" AND NOT display_name = "*Co-operation*""#, |row: &Treaty| {
            row.text("title").contains("co-operation") && !row.text("title").contains("Co-operation")
        }),
        asked("conclusion_place.locality = (London OR LONDON) AND conclusion_date < 1850", |row: &Treaty| {
            matches!(row.text("signed_event_location").trim(), "London" | "LONDON") && before(1850, row.concluded())
        }),
    ];
    for decade in (1700..2020).step_by(10) {
        all.push(asked(
            format!("conclusion_date >= {decade} AND conclusion_date <= \"{}\"", decade + 9),
            move |row: &Treaty| row.concluded().is_some_and(|it| year(it) / 10 * 10 == decade),
        ));
    }
    for first in [1850, 1900, 1920, 1946, 1950, 1960] {
        // In force, or ended, before it was concluded.
        all.push(asked(format!("conclusion_date >= {first} AND events.act_date < {first}"), move |row: &Treaty| {
            since(first, row.concluded()) && row.acts().any(|act| before(first, Some(act)))
        }));
        // In effect before it was done.
        all.push(asked(format!("events.effect_date < {first} NOT events.act_date < {first}"), move |row: &Treaty| {
            row.effects().any(|it| before(first, Some(it))) && !row.acts().any(|it| before(first, Some(it)))
        }));
    }
    all
}

fn of_projects() -> Vec<Asked<Project>> {
    let mut all: Vec<Asked<Project>> = vec![
        asked("NOT approval_date:*", |row: &Project| row.approved().is_none()),
        // Closed, and the source does not say when: the loader says of their end that nobody knows it.
        asked("actual_end_date.unknown = true", |row: &Project| row.is("Closed") && row.closes().is_none()),
        asked("actual_end_date < 2100", |row: &Project| row.is("Closed") && row.closes().is_some()),
        asked("NOT actual_end_date < 2100", |row: &Project| !row.is("Closed")),
        asked("actual_end_date < 2000 OR NOT actual_end_date < 2000", |row: &Project| {
            // Of what is not known neither is certain.
            !(row.is("Closed") && row.closes().is_none())
        }),
        asked("state = unspecified", |row: &Project| row.cell("Project Status").is_empty()),
        asked("state = implementation AND planned_end_date < 2020", |row: &Project| {
            row.is("Active") && before(2020, row.closes())
        }),
        // Countries: with their full names, with names that were cut off, and regions that are none.
        asked(r#"countries = "countries/in""#, |row: &Project| row.cell("Country") == "Republic of India"),
        asked(r#"countries:"countries/lk""#, |row: &Project| {
            row.cell("Country") == "Democratic Socialist Republic of Sri Lan"
        }),
        asked(r#"unresolved_countries = ("Africa" OR "World")"#, |row: &Project| {
            matches!(row.cell("Country"), "Africa" | "World")
        }),
        // Amounts: with cents, very large, and none at all.
        asked(r#"budgets.amount = "2739873.74 USD""#, |row: &Project| row.cents().any(|cents| cents == 273_987_374)),
        asked(r#"budgets.amount >= "USD 1000000000""#, |row: &Project| {
            row.cents().any(|cents| cents >= 100_000_000_000)
        }),
        asked(r#"budgets.amount < "1000.50 EUR""#, |_: &Project| false),
        asked("NOT budgets:*", |row: &Project| row.cents().next().is_none()),
        // Who takes part, and that nobody is known to.
        asked(r#"party("organizations/world-bank") AND -participants.role = implementing"#, |row: &Project| {
            row.cell("Implementing Agency").is_empty()
        }),
        asked(r#"participants.unresolved_name = "*MINISTRY*""#, |row: &Project| {
            [row.cell("Borrower"), row.cell("Implementing Agency")].iter().any(|name| name.contains("MINISTRY"))
        }),
        asked(r#"labels."environmental-category" = "A" AND labels.region = "south-asia""#, |row: &Project| {
            row.cell("Environmental Assessment Category") == "A" && row.cell("Region") == "South Asia"
        }),
        asked(
            r#"classifications.scheme = "world-bank-environmental-category" AND classifications.code = B"#,
            |row: &Project| row.cell("Environmental Assessment Category") == "B",
        ),
        // Promised on the day of the approval.
        asked(r#"transactions.type = commitment AND transactions.transaction_date < 1960"#, |row: &Project| {
            let firm = row.is("Active") || row.is("Closed");
            firm && row.cents().next().is_some() && before(1960, row.approved())
        }),
        asked(r#"NOT labels:"environmental-category""#, |row: &Project| {
            row.cell("Environmental Assessment Category").is_empty()
        }),
        asked(r#"display_name = "*família*""#, |row: &Project| nfc(row.cell("Project Name")).contains("família")),
        asked(r#"display_name >= "é""#, |row: &Project| {
            nfc(row.cell("Project Name")).chars().cmp("é".chars()).is_ge()
        }),
        asked("objective:*", |row: &Project| !row.cell("Project Development Objective").is_empty()),
        // Spellings that differ in case only are one focus area for the loader.
        asked(r#"focus_areas = "focusAreas/world-bank-health""#, |row: &Project| {
            row.sectors().any(|sector| sector.eq_ignore_ascii_case("health"))
        }),
        asked(r#"under("focusAreas/world-bank-health") AND state = (implementation OR pipeline)"#, |row: &Project| {
            row.sectors().any(|sector| sector.eq_ignore_ascii_case("health"))
                && (row.is("Active") || row.is("Pipeline"))
        }),
    ];
    for first in [1980, 2000, 2005, 2006, 2010, 2020] {
        // Over before it was approved.
        all.push(asked(format!("approval_date >= {first} AND actual_end_date < {first}"), move |row: &Project| {
            since(first, row.approved()) && row.is("Closed") && before(first, row.closes())
        }));
    }
    all
}

/// The name of the focus area that the loader makes of a sector: how it makes names is its own matter, and a part of what
/// is asked here.
fn area(sector: &str) -> String {
    let words: Vec<_> =
        sector.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let id = format!("world-bank-{}", words.join("-").to_lowercase());
    format!("focusAreas/{}", id[..id.len().min(63)].trim_end_matches('-'))
}

/// The groups of a count, with their numbers.
fn groups(answer: &CountResourcesResponse) -> BTreeMap<Vec<String>, i64> {
    assert_eq!(answer.other_count, 0, "all groups are answered");
    answer.groups.iter().map(|group| (group.keys.clone(), group.count)).collect()
}

async fn count(channel: &Channel, request: CountResourcesRequest) -> CountResourcesResponse {
    let request = CountResourcesRequest { groups_max: 10_000, ..request };
    InsightServiceClient::new(channel.clone()).count_resources(request).await.unwrap().into_inner()
}

/// How many rows there are of each of their keys.
fn counted<R>(rows: &[R], keys: impl Fn(&R) -> BTreeSet<Vec<String>>) -> BTreeMap<Vec<String>, i64> {
    let mut counts = BTreeMap::new();
    for key in rows.iter().flat_map(keys) {
        *counts.entry(key).or_insert(0) += 1;
    }
    counts
}

fn one_key(keys: &[&str]) -> BTreeSet<Vec<String>> {
    BTreeSet::from([keys.iter().map(|key| (*key).to_owned()).collect()])
}

/// The year of a day, as a key; empty if there is none.
fn year_key(days: Option<i64>) -> String {
    days.map_or(String::new(), |days| format!("{:04}", year(days)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_of_public_data_are_answered_as_its_rows_say() {
    let Some(data) = raw::data() else {
        eprintln!("\n*** SKIPPED: there is no ../shared/data beside the project, so no public data was asked. ***\n");
        return;
    };
    let directory = TempDir::new().unwrap();
    let server = Process::start(directory.path());
    let address = format!("http://{}", server.address);
    let loaded = Command::new(process::build("load_data"))
        .arg(&data)
        .args(["--server", &address, "--report"])
        .arg(directory.path().join("report.csv"))
        .output()
        .unwrap();
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    let registry = Registry::connect(address).await.unwrap();
    let channel = server.channel().await;
    let (treaties, projects) = (raw::treaties(&data), raw::projects(&data));

    let options = |filter: &str| ListOptions::new().filter(filter).fields(["name"]).page_size(1_000);
    let mut wrong = Vec::new();
    let mut hold = |filter: &str, found: Vec<String>, mut expected: Vec<String>| {
        expected.sort();
        let of_all = found.len() == treaties.len() || found.len() == projects.len();
        if found != expected {
            let some = |names: &[String], others: &[String]| {
                names.iter().filter(|name| !others.contains(name)).take(5).cloned().collect::<Vec<_>>()
            };
            let (missing, more) = (some(&expected, &found), some(&found, &expected));
            wrong.push(format!(
                "{filter}: {} and not {}: without {missing:?}, with {more:?}",
                found.len(),
                expected.len()
            ));
        } else if of_all {
            wrong.push(format!("{filter}: selects everything, and so asks nothing"));
        }
    };
    for (filter, selects) in of_treaties() {
        let found: Vec<Agreement> = registry.agreements().list(options(&filter)).collect().await.unwrap();
        let expected = treaties.iter().filter(|row| selects(row)).map(Treaty::name).collect();
        hold(&filter, found.into_iter().map(|one| one.name).collect(), expected);
    }
    for (filter, selects) in of_projects() {
        let found: Vec<OneProject> = registry.projects().list(options(&filter)).collect().await.unwrap();
        let expected = projects.iter().filter(|row| selects(row)).map(Project::name).collect();
        hold(&filter, found.into_iter().map(|one| one.name).collect(), expected);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    // Agreements with Korea, the newest first.
    let newest = options(r#"party("countries/kr")"#).order_by("conclusion_date desc");
    let newest: Vec<Agreement> = registry.agreements().list(newest).collect().await.unwrap();
    let mut expected: Vec<_> = treaties.iter().filter(|row| row.is_party("KOREA REPUBLIC OF")).collect();
    // Those of one day by their names, which descend with the days; those without a day come last.
    expected.sort_by_key(|row| (row.concluded().is_some(), row.concluded(), row.name()));
    expected.reverse();
    let names: Vec<_> = newest.into_iter().map(|one| one.name).collect();
    assert_eq!(names, expected.iter().map(|row| row.name()).collect::<Vec<_>>());

    // How many were concluded in each decade.
    let group_by = vec!["decade(conclusion_date)".to_owned()];
    let request = CountResourcesRequest { collection: "agreements".into(), group_by, ..Default::default() };
    let decades = counted(&treaties, |row| {
        one_key(&[&row.concluded().map_or(String::new(), |date| format!("{}s", year(date) / 10 * 10))])
    });
    assert_eq!(groups(&count(&channel, request).await), decades);

    // The five focus areas with most active projects.
    let request = CountResourcesRequest {
        collection: "projects".into(),
        filter: "state = implementation".into(),
        group_by: vec!["focus_areas".to_owned()],
        ..Default::default()
    };
    let answer = count(&channel, request).await;
    let active: Vec<_> = projects.iter().filter(|row| row.is("Active")).collect();
    let areas = counted(&active, |row| {
        let areas: BTreeSet<_> = row.sectors().map(|sector| vec![area(sector)]).collect();
        if areas.is_empty() { one_key(&[""]) } else { areas }
    });
    assert_eq!(groups(&answer), areas);
    let mut largest: Vec<_> = areas.into_iter().filter(|(keys, _)| !keys[0].is_empty()).collect();
    largest.sort_by(|(a_keys, a), (b_keys, b)| b.cmp(a).then_with(|| a_keys.cmp(b_keys)));
    let told: Vec<_> = answer.groups.iter().filter(|group| !group.keys[0].is_empty()).take(5).collect();
    let told: Vec<_> = told.into_iter().map(|group| (group.keys.clone(), group.count)).collect();
    assert_eq!(told, largest[..5], "the largest come first");
    assert_eq!(answer.total_size as usize, active.len());

    // Budgets by year, to the cent; and how many projects of each state there are in it.
    let request = CountResourcesRequest {
        collection: "projects".into(),
        group_by: vec!["year(approval_date)".to_owned()],
        sum: "budgets.amount".into(),
        ..Default::default()
    };
    let answer = count(&channel, request).await;
    let mut budgets = BTreeMap::new();
    for row in &projects {
        *budgets.entry(year_key(row.approved())).or_insert(0) += row.cents().sum::<i128>();
    }
    let cents = |sums: &[partnership_registry::Money]| match sums {
        [] => 0,
        [money] => {
            assert_eq!((money.currency_code.as_str(), money.nanos % 10_000_000), ("USD", 0));
            i128::from(money.units) * 100 + i128::from(money.nanos / 10_000_000)
        }
        more => panic!("the source has dollars alone: {more:?}"),
    };
    let told: BTreeMap<_, _> = answer.groups.iter().map(|group| (group.keys[0].clone(), cents(&group.sums))).collect();
    assert_eq!(told, budgets);
    assert_eq!(cents(&answer.sums), budgets.values().sum::<i128>());

    let group_by = vec!["state".to_owned(), "year(approval_date)".to_owned()];
    let request = CountResourcesRequest { collection: "projects".into(), group_by, ..Default::default() };
    let states = counted(&projects, |row| {
        let state = match row.cell("Project Status") {
            "Pipeline" => "PROJECT_STATE_PIPELINE",
            "Active" => "PROJECT_STATE_IMPLEMENTATION",
            "Closed" => "PROJECT_STATE_CLOSED",
            "Dropped" => "PROJECT_STATE_CANCELLED",
            _ => "PROJECT_STATE_UNSPECIFIED",
        };
        one_key(&[state, &year_key(row.approved())])
    });
    assert_eq!(groups(&count(&channel, request).await), states);
}
