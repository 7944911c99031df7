//! CountResources: groups, sums, points in time, and all that it refuses.

use partnership_registry::Money;
use partnership_registry::v1::insight_service_client::InsightServiceClient;
use partnership_registry::v1::*;
use tonic::Code;
use tonic::transport::Channel;

use crate::harness::{Refusal, Server, TestClock, refused, within};
use crate::service::{commit, country, create, delete, update};

type Insight = InsightServiceClient<Channel>;

macro_rules! collections {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        const COLLECTIONS: &[&str] = &[$($collection),*];
    };
}

partnership_registry::for_each_kind!(collections);

async fn insight(server: &Server) -> Insight {
    InsightServiceClient::new(server.channel().await)
}

/// A question about a kind.
fn about(collection: &str, group_by: &[&str]) -> CountResourcesRequest {
    let group_by = group_by.iter().map(|&path| path.to_owned()).collect();
    CountResourcesRequest { collection: collection.to_owned(), group_by, ..CountResourcesRequest::default() }
}

async fn counted(insight: &mut Insight, request: CountResourcesRequest) -> CountResourcesResponse {
    within(insight.count_resources(request)).await.unwrap().into_inner()
}

async fn refusal_of(insight: &mut Insight, request: CountResourcesRequest) -> Refusal {
    refused(within(insight.count_resources(request)).await)
}

/// The groups as `key, key: count`, in their order.
fn told(counted: &CountResourcesResponse) -> Vec<String> {
    counted.groups.iter().map(|group| format!("{}: {}", group.keys.join(", "), group.count)).collect()
}

/// The groups of a count by one field.
async fn by(insight: &mut Insight, collection: &str, path: &str) -> Vec<String> {
    told(&counted(insight, about(collection, &[path])).await)
}

fn sums(sums: &[Money]) -> Vec<(&str, i64, i32)> {
    sums.iter().map(|sum| (sum.currency_code.as_str(), sum.units, sum.nanos)).collect()
}

fn money(currency: &str, units: i64, nanos: i32) -> Money {
    Money { currency_code: currency.into(), units, nanos }
}

fn agreement(id: &str) -> Agreement {
    Agreement { name: format!("agreements/{id}"), display_name: id.to_owned(), ..Agreement::default() }
}

fn party(country: &str) -> AgreementParty {
    AgreementParty { country: country.into(), ..AgreementParty::default() }
}

fn project(id: &str, amounts: &[Money]) -> Project {
    let budget = |amount: &Money| ProjectBudget { amount: Some(amount.clone()), ..ProjectBudget::default() };
    Project {
        name: format!("projects/{id}"),
        display_name: id.to_owned(),
        budgets: amounts.iter().map(budget).collect(),
        ..Project::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_are_counted_by_one_field_and_by_two_largest_groups_first() {
    let server = Server::start().await;
    let (mut registry, mut insight) = (server.registry().await, insight(&server).await);
    let of = |id: &str, r#type: AgreementType, year| Agreement {
        r#type: r#type.into(),
        conclusion_date: Some(PartialDate::year(year)),
        ..agreement(id)
    };
    let made = vec![
        create(of("a", AgreementType::Treaty, 1990)),
        create(of("b", AgreementType::Treaty, 1990)),
        create(of("c", AgreementType::Treaty, 1991)),
        create(of("d", AgreementType::Protocol, 1990)),
        create(of("e", AgreementType::Charter, 1989)),
        create(agreement("f")),
    ];
    let made = commit(&mut registry, made).await.unwrap();

    let all = counted(&mut insight, about("agreements", &[])).await;
    assert_eq!(all, CountResourcesResponse { total_size: 6, revision: made.revision, ..Default::default() });
    assert_eq!(
        by(&mut insight, "agreements", "type").await,
        [
            "AGREEMENT_TYPE_TREATY: 3",
            // Those of one size by their keys.
            "AGREEMENT_TYPE_CHARTER: 1",
            "AGREEMENT_TYPE_PROTOCOL: 1",
            "AGREEMENT_TYPE_UNSPECIFIED: 1",
        ]
    );
    let two = counted(&mut insight, about("agreements", &["year( conclusion_date )", "type"])).await;
    let groups = [
        "1990, AGREEMENT_TYPE_TREATY: 2",
        ", AGREEMENT_TYPE_UNSPECIFIED: 1",
        "1989, AGREEMENT_TYPE_CHARTER: 1",
        "1990, AGREEMENT_TYPE_PROTOCOL: 1",
        "1991, AGREEMENT_TYPE_TREATY: 1",
    ];
    assert_eq!(told(&two), groups);
    assert_eq!((two.total_size, two.other_count), (6, 0));

    let filtered =
        CountResourcesRequest { filter: "type = treaty".into(), ..about("agreements", &["conclusion_date"]) };
    let filtered = counted(&mut insight, filtered).await;
    assert_eq!((told(&filtered), filtered.total_size), (vec!["1990: 2".to_owned(), "1991: 1".to_owned()], 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_counts_once_for_each_different_value_and_the_total_once() {
    let server = Server::start().await;
    let (mut registry, mut insight) = (server.registry().await, insight(&server).await);
    let with = |id: &str, countries: &[&str]| {
        let parties = countries.iter().map(|id| party(&format!("countries/{id}"))).collect();
        let mut made = Agreement { parties, ..agreement(id) };
        made.labels.insert("programme".into(), countries.len().to_string());
        made
    };
    let unresolved = AgreementParty { unresolved_name: "Siam".into(), ..AgreementParty::default() };
    let mut half = with("half", &["kr"]);
    half.parties.push(unresolved);
    let made = vec![
        create(country("kr")),
        create(country("ir")),
        create(with("both", &["kr", "ir"])),
        // The same country as two parties.
        create(with("twice", &["kr", "kr"])),
        create(half),
        create(agreement("none")),
    ];
    commit(&mut registry, made).await.unwrap();
    let of = counted(&mut insight, about("agreements", &["parties.country"])).await;
    assert_eq!((told(&of), of.total_size), (["countries/kr: 3", ": 2", "countries/ir: 1"].map(String::from).into(), 4));
    // Each value of one with each of the other, whichever item they stand in.
    let two = counted(&mut insight, about("agreements", &["parties.country", "parties.unresolved_name"])).await;
    let groups = ["countries/kr, : 3", ", : 2", ", Siam: 1", "countries/ir, : 1", "countries/kr, Siam: 1"];
    assert_eq!(told(&two), groups);
    // An entry of a map.
    assert_eq!(by(&mut insight, "agreements", "labels.programme").await, ["2: 2", ": 1", "1: 1"]);
    assert_eq!(by(&mut insight, "agreements", "labels.\"programme\"").await, ["2: 2", ": 1", "1: 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_counts_as_far_as_it_is_certain() {
    let server = Server::start().await;
    let (mut registry, mut insight) = (server.registry().await, insight(&server).await);
    let about_ = |date: PartialDate| PartialDate { approximate: true, ..date };
    let perhaps = |date: PartialDate| PartialDate { uncertain: true, ..date };
    // The date, and what it is, in which year, and in which decade.
    let table = [
        (PartialDate::day(1968, 5, 30), "1968-05-30", "1968", "1960s"),
        (PartialDate::month(1969, 12), "1969-12", "1969", "1960s"),
        (PartialDate::year(1970), "1970", "1970", "1970s"),
        (PartialDate::year(1), "0001", "0001", "0000s"),
        (PartialDate::day(9999, 12, 31), "9999-12-31", "9999", "9990s"),
        (PartialDate::year(9999), "9999", "9999", "9990s"),
        (about_(PartialDate::year(1965)), "1965~", "uncertain", "1960s"),
        (perhaps(PartialDate::year(1969)), "1969~", "uncertain", "uncertain"),
        (about_(PartialDate::month(1968, 6)), "1968-06~", "1968", "1960s"),
        (perhaps(PartialDate::month(1969, 12)), "1969-12~", "uncertain", "uncertain"),
        (about_(perhaps(PartialDate::day(1968, 3, 1))), "1968-03-01~", "1968", "1960s"),
        (about_(PartialDate::day(1967, 12, 31)), "1967-12-31~", "uncertain", "1960s"),
        (PartialDate::unknown(), "unknown", "uncertain", "uncertain"),
        (PartialDate::original("in spring"), "unknown", "uncertain", "uncertain"),
    ];
    let dated = table.iter().enumerate().map(|(n, (date, ..))| {
        create(Agreement { conclusion_date: Some(date.clone()), ..agreement(&format!("a{n}")) })
    });
    let all = dated.chain([create(agreement("without"))]).collect();
    commit(&mut registry, all).await.unwrap();
    let expected = |key: fn(&(PartialDate, &'static str, &'static str, &'static str)) -> &'static str| {
        let mut counts = std::collections::BTreeMap::from([("", 1)]);
        table.iter().for_each(|row| *counts.entry(key(row)).or_insert(0) += 1);
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| -count);
        counts.into_iter().map(|(key, count)| format!("{key}: {count}")).collect::<Vec<_>>()
    };
    for (path, key) in [
        ("conclusion_date", (|row| row.1) as fn(&(_, _, _, _)) -> _),
        ("year(conclusion_date)", |row| row.2),
        ("decade(conclusion_date)", |row| row.3),
    ] {
        assert_eq!(by(&mut insight, "agreements", path).await, expected(key), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_value_makes_keys() {
    let clock = TestClock::at(1_700_000_000);
    let server = Server::start_at(clock.clone()).await;
    let (mut registry, mut insight) = (server.registry().await, insight(&server).await);
    let mut kr = Country { focus_areas: vec!["focusAreas/ai".into()], capital: "서울".into(), ..country("kr") };
    // In another normal form, which is the same text.
    kr.labels.insert("form".into(), "Cafe\u{301}".into());
    let area = FocusArea { name: "focusAreas/ai".into(), display_name: "AI".into(), ..FocusArea::default() };
    kr.relations_established_date = Some(PartialDate { approximate: true, ..PartialDate::year(1962) });
    commit(&mut registry, vec![create(kr), create(area)]).await.unwrap();
    clock.set(1_704_067_200);
    commit(&mut registry, vec![create(country("ir"))]).await.unwrap();
    let half = project("half", &[money("USD", 1_000, 500_000_000), money("KRW", 0, 1), money("USD", 7, 0)]);
    commit(&mut registry, vec![create(half)]).await.unwrap();
    for (collection, path, groups) in [
        ("countries", "name", &["countries/ir: 1", "countries/kr: 1"][..]),
        ("countries", "focus_areas", &[": 1", "focusAreas/ai: 1"]),
        ("countries", "capital", &[": 1", "서울: 1"]),
        ("countries", "labels.form", &[": 1", "Café: 1"]),
        ("countries", "revision", &["1: 1", "2: 1"]),
        ("countries", "create_time", &["2023-11-14T22:13:20Z: 1", "2024-01-01T00:00:00Z: 1"]),
        ("countries", "year(create_time)", &["2023: 1", "2024: 1"]),
        ("countries", "decade(create_time)", &["2020s: 2"]),
        ("countries", "delete_time", &[": 2"]),
        ("countries", "year(delete_time)", &[": 2"]),
        ("countries", "relations_established_date.year", &[": 1", "1962: 1"]),
        ("countries", "relations_established_date.approximate", &[": 1", "true: 1"]),
        ("countries", "relations_established_date.uncertain", &[": 1", "false: 1"]),
        ("agreements", "type", &[]),
        ("projects", "budgets.amount", &["0.000000001 KRW: 1", "1000.50 USD: 1", "7 USD: 1"]),
        ("projects", "actual_start_date.year", &[": 1"]),
    ] {
        let mut expected: Vec<_> = groups.iter().map(|&group| group.to_owned()).collect();
        let mut found = by(&mut insight, collection, path).await;
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{collection} by {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_added_up_exactly_by_currency() {
    let server = Server::start().await;
    let (mut registry, mut insight) = (server.registry().await, insight(&server).await);
    let in_state = |project: Project, state: ProjectState| Project { state: state.into(), ..project };
    let (pipeline, suspended) = (ProjectState::Pipeline, ProjectState::Suspended);
    let made = vec![
        // A tenth three times, which no floating point holds.
        create(in_state(project("a", &vec![money("USD", 0, 100_000_000); 3]), pipeline)),
        create(in_state(project("b", &[money("USD", 1, 700_000_000), money("IRR", 5, 0)]), pipeline)),
        create(in_state(project("c", &[money("KRW", 9, 999_999_999)]), suspended)),
        create(in_state(project("d", &[]), suspended)),
    ];
    commit(&mut registry, made).await.unwrap();
    let request = CountResourcesRequest { sum: "budgets.amount".into(), ..about("projects", &["state"]) };
    let answer = counted(&mut insight, request.clone()).await;
    assert_eq!(told(&answer), ["PROJECT_STATE_PIPELINE: 2", "PROJECT_STATE_SUSPENDED: 2"]);
    assert_eq!(sums(&answer.groups[0].sums), [("IRR", 5, 0), ("USD", 2, 0)]);
    assert_eq!(sums(&answer.groups[1].sums), [("KRW", 9, 999_999_999)]);
    assert_eq!(sums(&answer.sums), [("IRR", 5, 0), ("KRW", 9, 999_999_999), ("USD", 2, 0)]);
    assert_eq!(answer.total_size, 4);
    let alone = counted(&mut insight, CountResourcesRequest { group_by: Vec::new(), ..request.clone() }).await;
    assert_eq!((alone.groups, alone.sums, alone.total_size), (Vec::new(), answer.sums, 4));

    // What belongs to two groups counts in both, and once in all.
    let mut both = project("e", &[money("EUR", 10, 0)]);
    both.countries = vec!["countries/kr".into(), "countries/ir".into()];
    commit(&mut registry, vec![create(country("kr")), create(country("ir")), create(both)]).await.unwrap();
    let by_country = CountResourcesRequest { group_by: vec!["countries".into()], ..request.clone() };
    let by_country = counted(&mut insight, by_country).await;
    assert_eq!(told(&by_country), [": 4", "countries/ir: 1", "countries/kr: 1"]);
    assert!(by_country.groups[1..].iter().all(|group| sums(&group.sums) == [("EUR", 10, 0)]));
    assert_eq!(sums(&by_country.sums)[0], ("EUR", 10, 0));

    // Up to the last nano, and not beyond.
    let large = project("f", &[money("XTS", i64::MAX, 0), money("XTS", 0, 999_999_999)]);
    commit(&mut registry, vec![create(large)]).await.unwrap();
    let answer = counted(&mut insight, request.clone()).await;
    assert!(sums(&answer.sums).contains(&("XTS", i64::MAX, 999_999_999)), "{:?}", answer.sums);
    commit(&mut registry, vec![create(project("g", &[money("XTS", 0, 1)]))]).await.unwrap();
    let error = refusal_of(&mut insight, request).await;
    assert_eq!((error.code, error.reason.as_str()), (Code::OutOfRange, "SUM_TOO_LARGE"));
    assert_eq!(error.message, "sum: makes more XTS than an amount can hold; narrow the filter");
    assert_eq!(error.metadata["currency"], "XTS");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_largest_groups_are_answered_and_the_others_are_added_up() {
    let server = Server::start().await;
    let (mut registry, mut insight) = (server.registry().await, insight(&server).await);
    let mut made = Vec::new();
    for n in 0..110 {
        let capital = if n < 5 { "the same".to_owned() } else { format!("capital {n:03}") };
        made.push(create(Country { capital, ..country(&format!("c{n}")) }));
    }
    commit(&mut registry, made).await.unwrap();
    for (groups_max, answered, other) in
        [(1, 1, 105), (2, 2, 104), (0, 100, 6), (105, 105, 1), (106, 106, 0), (10_000, 106, 0), (i32::MAX, 106, 0)]
    {
        let request = CountResourcesRequest { groups_max, ..about("countries", &["capital"]) };
        let answer = counted(&mut insight, request).await;
        assert_eq!(
            (answer.groups.len(), answer.other_count, answer.total_size),
            (answered, other, 110),
            "{groups_max}"
        );
        assert_eq!(told(&answer)[0], "the same: 5");
        assert!(answer.groups[1..].is_sorted_by_key(|group| &group.keys), "{groups_max}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_counted_as_it_was() {
    let clock = TestClock::at(1_000_000);
    let server = Server::start_at(clock.clone()).await;
    let (mut registry, mut insight) = (server.registry().await, insight(&server).await);
    let in_city = |id: &str, capital: &str| Country { capital: capital.into(), ..country(id) };
    commit(&mut registry, vec![create(in_city("a", "x")), create(in_city("b", "x"))]).await.unwrap();
    clock.set(1_000_100);
    commit(&mut registry, vec![update(in_city("a", "y"), &["capital"]), create(in_city("c", "y"))]).await.unwrap();
    clock.set(1_000_200);
    commit(&mut registry, vec![delete("countries/b")]).await.unwrap();

    let question = about("countries", &["capital"]);
    let at = |revision| CountResourcesRequest { read_revision: revision, ..question.clone() };
    let then = |seconds| CountResourcesRequest {
        read_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        ..question.clone()
    };
    let too = |request| CountResourcesRequest { show_deleted: true, ..request };
    for (request, groups, total, revision) in [
        (question.clone(), &["y: 2"][..], 2, 3),
        (at(3), &["y: 2"], 2, 3),
        (at(2), &["y: 2", "x: 1"], 3, 2),
        (at(1), &["x: 2"], 2, 1),
        (then(1_000_000), &["x: 2"], 2, 1),
        (then(1_000_150), &["y: 2", "x: 1"], 3, 2),
        (too(question.clone()), &["y: 2", "x: 1"], 3, 3),
        (too(at(1)), &["x: 2"], 2, 1),
    ] {
        let answer = counted(&mut insight, request.clone()).await;
        assert_eq!(
            (told(&answer).as_slice(), answer.total_size),
            (groups.iter().map(|&g| g.to_owned()).collect::<Vec<_>>().as_slice(), total),
            "{request:?}"
        );
        assert_eq!(answer.revision, revision, "{request:?}");
        let total_alone = CountResourcesRequest { group_by: Vec::new(), ..request };
        assert_eq!(counted(&mut insight, total_alone).await.total_size, total);
    }
    let error = refusal_of(&mut insight, at(4)).await;
    assert_eq!((error.code, error.reason.as_str()), (Code::OutOfRange, "REVISION_IN_FUTURE"));
    let error = refusal_of(&mut insight, then(999_999)).await;
    assert_eq!((error.code, error.reason.as_str()), (Code::OutOfRange, "TIME_BEFORE_FIRST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_counted_is_refused_with_all_that_is_wrong() {
    let server = Server::start().await;
    let mut insight = insight(&server).await;
    let group = |path: &str| about("agreements", &[path]);
    let sum = |path: &str| CountResourcesRequest { sum: path.into(), ..about("projects", &[]) };
    let collections = COLLECTIONS.join(", ");
    let no_kind = format!("must be one of {collections}, and \"ships\" is not");
    let table: Vec<(CountResourcesRequest, &str, &str)> = vec![
        (CountResourcesRequest::default(), "collection", "is required"),
        (about("ships", &[]), "collection", &no_kind),
        (group(""), "group_by[0]", "must name a field (at column 1)"),
        (group("  "), "group_by[0]", "must name a field (at column 1)"),
        (
            group("typ"),
            "group_by[0]",
            "must name fields, and Agreement has no field \"typ\"; did you mean \"type\"? (at column 1)",
        ),
        (
            group("term.colour"),
            "group_by[0]",
            "must name fields, and AgreementTerm has no field \"colour\"; its fields are ",
        ),
        (group("\"type\""), "group_by[0]", "must have a field here, and has \"type\" (at column 1)"),
        (
            group("month(conclusion_date)"),
            "group_by[0]",
            "must be year(…) or decade(…), and \"month\" is neither (at column 1)",
        ),
        (group("year(type)"), "group_by[0]", "must be a date or a time here, and type is neither (at column 6)"),
        (
            group("decade( parties.country )"),
            "group_by[0]",
            "must be a date or a time here, and parties.country is neither (at column 9)",
        ),
        (
            group("year(conclusion_date"),
            "group_by[0]",
            "must be one field, or year(…) or decade(…) of one (at column 5)",
        ),
        (group("type, state"), "group_by[0]", "must be one field, or year(…) or decade(…) of one (at column 5)"),
        (
            group("labels"),
            "group_by[0]",
            "must count by one key of labels, as in labels.key, and labels is a map (at column 1)",
        ),
        (group("labels.\"a"), "group_by[0]", "must close the quotation that opens here (at column 8)"),
        (group("type.x"), "group_by[0]", "must test fields, and \"type\" has no field \"x\" (at column 6)"),
        (
            group("parties"),
            "group_by[0]",
            "must count by single values, and \"parties\" is a message; its fields are party_id, ",
        ),
        (sum("state"), "sum", "must be an amount of money, and state is none (at column 1)"),
        (sum("budgets.amount, x"), "sum", "must be one field (at column 15)"),
        (sum("budgets"), "sum", "must add up single values, and \"budgets\" is a message; its fields are amount, "),
        (sum("budgets.price"), "sum", "must name fields, and ProjectBudget has no field \"price\"; its fields are "),
        (
            CountResourcesRequest { groups_max: -1, ..about("projects", &[]) },
            "groups_max",
            "must not be negative, and is -1",
        ),
        (about("agreements", &["type", "state", "scope"]), "group_by", "must have at most 2 items, and has 3"),
        (
            CountResourcesRequest {
                read_revision: 1,
                read_time: Some(prost_types::Timestamp::default()),
                ..about("projects", &[])
            },
            "read_time",
            "is not given together with read_revision",
        ),
    ];
    for (request, field, rule) in table {
        let error = refusal_of(&mut insight, request.clone()).await;
        assert_eq!((error.code, error.reason.as_str()), (Code::InvalidArgument, "INVALID_FIELDS"), "{request:?}");
        let [(told, why)] = error.fields.as_slice() else { panic!("{request:?}: {:?}", error.fields) };
        assert_eq!(told, field, "{request:?}");
        assert!(if rule.ends_with(' ') { why.starts_with(rule) } else { why == rule }, "{request:?}: {why}");
    }
    let all = CountResourcesRequest {
        filter: "colour = red".into(),
        sum: "title".into(),
        groups_max: -7,
        read_revision: 1,
        read_time: Some(prost_types::Timestamp::default()),
        ..about("agreements", &["a", "b", "c"])
    };
    let fields: Vec<_> = refusal_of(&mut insight, all).await.fields.into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["groups_max", "group_by", "filter", "group_by[0]", "group_by[1]", "sum", "read_time"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_is_explained_counts_nothing() {
    let server = Server::start().await;
    let (mut registry, mut insight) = (server.registry().await, insight(&server).await);
    commit(&mut registry, vec![create(country("kr")), create(country("ir"))]).await.unwrap();
    let request = CountResourcesRequest { explain: true, ..about("countries", &["capital"]) };
    let CountResourcesResponse { groups, other_count, total_size, revision, sums, plan } =
        counted(&mut insight, request.clone()).await;
    assert_eq!((groups, other_count, total_size, revision, sums), (Vec::new(), 0, 0, 1, Vec::new()));
    let plan = plan.unwrap();
    assert!(plan.tests.is_empty(), "{plan:?}");
    assert_eq!((plan.found, plan.open), (2, 0));
    let filtered = CountResourcesRequest { filter: "capital = Seoul".into(), ..request.clone() };
    let plan = counted(&mut insight, filtered).await.plan.unwrap();
    assert_eq!(plan.tests.iter().map(|test| test.text.as_str()).collect::<Vec<_>>(), ["capital = Seoul"]);
    // What is refused is refused all the same.
    let bad = CountResourcesRequest { group_by: vec!["colour".into()], ..request };
    assert_eq!(refusal_of(&mut insight, bad).await.fields[0].0, "group_by[0]");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_are_too_large_for_an_answer_are_refused() {
    let server = Server::start().await;
    let (mut registry, mut insight) = (server.registry().await, insight(&server).await);
    // Each group has a key of 40 KB.
    let area = |n: usize| {
        let (name, description) = (format!("focusAreas/a{n}"), format!("{n:03}{}", "𐎠".repeat(9_990)));
        create(FocusArea { name, display_name: "x".into(), description, ..FocusArea::default() })
    };
    for many in [0..60, 60..120] {
        commit(&mut registry, many.map(area).collect()).await.unwrap();
    }
    let request = CountResourcesRequest { groups_max: 120, ..about("focusAreas", &["description"]) };
    let error = refusal_of(&mut insight, request.clone()).await;
    assert_eq!((error.code, error.reason.as_str()), (Code::ResourceExhausted, "ANSWER_TOO_LARGE"));
    let fewer = counted(&mut insight, CountResourcesRequest { groups_max: 80, ..request }).await;
    assert_eq!((fewer.groups.len(), fewer.other_count), (80, 40));
}
