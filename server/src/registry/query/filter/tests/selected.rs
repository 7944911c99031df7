//! What is known of documents: every operator on every type, absent values, lists, maps, dates, wildcards, functions.

use partnership_registry::Money;
use partnership_registry::v1::{
    Agreement, AgreementEvent, AgreementParty, AgreementState, Country, DateInterval, FeasibilityStudy,
    FeasibilityStudyCostRange, FeasibilityStudyDimension, Finding, FindingCode, PartialDate, Project, ProjectIndicator,
    ProjectResult,
};
use prost::Message as _;
use prost_types::Timestamp;

use super::*;
use crate::registry::schema::{contract, kind_of};
use Truth::{False, True, Unknown};

/// Asserts what is known of each filter's holding for a document of the collection.
fn assert_known(collection: &str, document: &[u8], table: &[(&str, Truth)]) {
    let schemas = contract();
    let kind = kind_of(&schemas, collection);
    for (text, expected) in table {
        let known = |text: &str| {
            let filter = Filter::parse(&schemas, kind, text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let truth = filter.truth(&schemas, document, &Trees);
            assert_eq!(filter.selects(&schemas, document, &Trees), truth == True, "{text}");
            truth
        };
        assert_eq!(known(text), *expected, "{text}");
        if !text.trim().is_empty() {
            assert_eq!(known(&format!("NOT ({text})")), expected.not(), "NOT ({text})");
            assert_eq!(known(&format!("-(-({text}))")), *expected, "-(-({text}))");
        }
    }
}

fn country() -> Country {
    Country {
        name: "countries/kr".into(),
        display_name: "Korea \"South\" \\".into(),
        region_code: "KR".into(),
        existence: Some(DateInterval { start_date: Some(PartialDate::year(1948)), end_date: None }),
        labels: [("unit/a.b".to_owned(), "asia".to_owned()), ("empty".to_owned(), String::new())].into(),
        successors: vec!["countries/kp".into(), "countries/kr".into()],
        create_time: Some(Timestamp { seconds: 1_760_520_600, nanos: 250_000_000 }),
        findings: vec![
            Finding { code: FindingCode::LinkNotUri.into(), field: "documents[0].uri".into(), text: String::new() },
            Finding {
                code: FindingCode::DateUnlikely.into(),
                field: "existence.start_date".into(),
                text: String::new(),
            },
        ],
        ..Country::default()
    }
}

#[test]
fn texts_are_compared_and_matched() {
    let table = [
        ("", True),
        ("  ", True),
        ("region_code = KR", True),
        ("region_code=\"KR\"", True),
        ("region_code = 'KR'", True),
        ("region_code:KR", True),
        ("region_code = KP", False),
        ("region_code != KP", True),
        ("region_code != KR", False),
        ("region_code < KS", True),
        ("region_code < KR", False),
        ("region_code <= KR", True),
        ("region_code > KP", True),
        ("region_code > KR", False),
        ("region_code >= KR", True),
        // Case counts, and the order is that of code points.
        ("region_code = kr", False),
        ("region_code < kr", True),
        (r#"display_name = "Korea \"South\" \\""#, True),
        (r#"display_name = 'Korea "South" \\'"#, True),
        ("display_name = Korea*", True),
        ("display_name:\"*South*\"", True),
        ("display_name = \"*north*\"", False),
        ("display_name != \"*north*\"", True),
        ("display_name != Korea*", False),
        ("display_name = *", True),
        ("display_name = \"Korea\\*\"", False),
        ("name = countries/kr", True),
        ("name = countries/*", True),
        ("name:projects/*", False),
        ("region_code = (KP OR KR)", True),
        ("region_code = (KP OR JP)", False),
        ("region_code:(K* AND NOT *P)", True),
        ("region_code:(K* *P)", False),
        ("region_code > (A OR Z)", True),
    ];
    assert_known("countries", &country().encode_to_vec(), &table);
}

#[test]
fn terms_are_joined_as_the_aip_has_it() {
    let table = [
        ("region_code = KR AND existence.start_date.year = 1948", True),
        ("region_code = KR AND existence.start_date.year = 1949", False),
        ("region_code = KR existence.start_date.year = 1948", True),
        ("region_code = KR existence.start_date.year = 1949", False),
        ("region_code = KP OR existence.start_date.year = 1948", True),
        // OR binds tighter: (KR or KP), and not 1949.
        ("region_code = KR OR region_code = KP AND existence.start_date.year = 1949", False),
        ("region_code = KR OR (region_code = KP AND existence.start_date.year = 1949)", True),
        ("NOT region_code = KP", True),
        ("-region_code = KP", True),
        ("-region_code = KR", False),
        ("NOT (region_code = KR OR region_code = KP)", False),
        ("NOT region_code = KR OR region_code = KR", True),
        // Of what is not known, the negation is not known either.
        ("existence.start_date = 1948-05", Unknown),
        ("existence.start_date = 1948-05 AND region_code = KR", Unknown),
        ("existence.start_date = 1948-05 AND region_code = KP", False),
        ("existence.start_date = 1948-05 OR region_code = KR", True),
        ("existence.start_date = 1948-05 OR region_code = KP", Unknown),
    ];
    assert_known("countries", &country().encode_to_vec(), &table);
}

#[test]
fn what_is_absent_is_nothing_and_what_has_no_value_has_the_default() {
    let table = [
        ("existence.end_date = 1948", False),
        ("existence.end_date != 1948", False),
        ("existence.end_date < 1948", False),
        ("NOT existence.end_date = 1948", True),
        ("existence.end_date.year = 0", False),
        ("existence.end_date.year != 0", False),
        ("existence.start_date.month = 0", True),
        ("existence.start_date.month = -0", True),
        ("existence.start_date.month:*", False),
        ("existence.start_date.year:*", True),
        ("existence.start_date.approximate = false", True),
        ("existence.start_date.approximate != true", True),
        ("existence.start_date.approximate:*", False),
        ("existence:*", True),
        ("existence.end_date:*", False),
        ("existence:end_date", False),
        ("existence:start_date", True),
        ("existence:start_date.year", True),
        ("existence:start_date.day", False),
        ("delete_time:*", False),
        ("create_time:*", True),
        ("capital:*", False),
        ("region_code:*", True),
        ("state = UNSPECIFIED", True),
        ("state:*", False),
    ];
    assert_known("countries", &country().encode_to_vec(), &table);
    let dimension = |score| FeasibilityStudyDimension { score, ..FeasibilityStudyDimension::default() };
    let study = |scores: &[Option<i32>]| FeasibilityStudy {
        dimensions: scores.iter().map(|score| dimension(*score)).collect(),
        ..FeasibilityStudy::default()
    };
    let table = [("dimensions.score = 0", False), ("dimensions.score:*", False), ("dimensions.score < 5", False)];
    assert_known("feasibilityStudies", &study(&[None]).encode_to_vec(), &table);
    let table = [("dimensions.score = 0", True), ("dimensions.score:*", True), ("dimensions.score < 5", True)];
    assert_known("feasibilityStudies", &study(&[None, Some(0)]).encode_to_vec(), &table);
}

#[test]
fn of_a_list_some_item_is_tested() {
    let table = [
        ("findings:*", True),
        ("predecessors:*", False),
        ("predecessors = countries/kr", False),
        ("NOT predecessors = countries/kr", True),
        ("findings.code = LINK_NOT_URI", True),
        ("findings.code:FINDING_CODE_LINK_NOT_URI", True),
        ("findings.code:DATE_UNLIKELY", True),
        ("findings.code:DATE_IMPOSSIBLE", False),
        ("NOT findings.code = LINK_NOT_URI", False),
        ("findings.code = (DATE_IMPOSSIBLE OR LINK_NOT_URI)", True),
        ("findings.field = \"documents[0].uri\"", True),
        ("findings.field = \"documents*\"", True),
        ("findings.field:*", True),
        ("findings:field", True),
        // Of an item the text may be empty, but there must be an item.
        ("findings.text:*", False),
        ("findings.text = \"\"", True),
        ("documents.title = \"\"", False),
        ("documents.title:*", False),
        ("successors = countries/kp", True),
        ("successors:\"countries/kr\"", True),
        ("successors:\"countries/jp\"", False),
        ("successors < countries/kq", True),
        ("successors > countries/kz", False),
        // Tests on one list are not about one item.
        ("findings.code:DATE_UNLIKELY AND findings.field = \"documents[0].uri\"", True),
    ];
    assert_known("countries", &country().encode_to_vec(), &table);
    let dates = |years: &[i32]| {
        let date = |year| if year == 0 { PartialDate::unknown() } else { PartialDate::year(year) };
        let event = |year| AgreementEvent { act_date: Some(date(year)), ..AgreementEvent::default() };
        Agreement { events: years.iter().map(|year| event(*year)).collect(), ..Agreement::default() }.encode_to_vec()
    };
    let table = [("events.act_date < 1990", Unknown), ("events.act_date < 2010", True)];
    assert_known("agreements", &dates(&[0, 2000]), &table);
    assert_known("agreements", &dates(&[]), &[("events.act_date < 1990", False)]);
}

#[test]
fn of_a_map_the_entry_of_a_key_is_tested() {
    let table = [
        ("labels.unit/a.b = asia", True),
        ("labels.\"unit/a.b\" = asia", True),
        ("labels.'unit/a.b' = asia", True),
        ("labels.unit/a.b:asia", True),
        ("labels.unit/a.b = a*", True),
        ("labels.unit/a.b != asia", False),
        ("labels.unit/a.b != europe", True),
        ("labels.unit/a.b < b", True),
        ("labels.unit/a.b:*", True),
        ("labels.other = asia", False),
        ("labels.other != asia", False),
        ("NOT labels.other = asia", True),
        ("labels.other:*", False),
        ("labels.empty = \"\"", True),
        ("labels.empty:*", True),
        ("labels.other = \"\"", False),
        ("labels:empty", True),
        ("labels:\"unit/a.b\"", True),
        ("labels:other", False),
        ("labels:(other OR empty)", True),
        ("labels:(other empty)", False),
        ("labels:*", True),
        ("annotations:*", False),
    ];
    assert_known("countries", &country().encode_to_vec(), &table);
}

#[test]
fn enums_truths_and_numbers_are_compared_by_what_they_mean() {
    let agreement = Agreement { state: AgreementState::InForce.into(), ..Agreement::default() }.encode_to_vec();
    let table = [
        ("state = AGREEMENT_STATE_IN_FORCE", True),
        ("state = IN_FORCE", True),
        ("state = in-force", True),
        ("state:in_force", True),
        ("state = \"in-force\"", True),
        ("state != AGREEMENT_STATE_DRAFT", True),
        ("state != DRAFT AND state != UNSPECIFIED", True),
        ("state = (DRAFT OR IN_FORCE)", True),
        ("state = UNSPECIFIED", False),
        ("state:*", True),
    ];
    assert_known("agreements", &agreement, &table);
    // Beyond what a double tells apart.
    let study = FeasibilityStudy { revision: (1 << 53) + 1, ..FeasibilityStudy::default() }.encode_to_vec();
    let table = [
        ("revision = 9007199254740993", True),
        ("revision = 9007199254740992", False),
        ("revision > 9007199254740992", True),
        ("revision >= 9007199254740993", True),
        ("revision < 9007199254740994", True),
        ("revision <= 9007199254740992", False),
        ("revision != 9007199254740993", False),
        ("revision = 9007199254740993.0", True),
    ];
    assert_known("feasibilityStudies", &study, &table);
    let indicator = ProjectIndicator { target: Some(1.5), baseline: Some(0.0), ..ProjectIndicator::default() };
    let result = ProjectResult { indicators: vec![indicator], ..ProjectResult::default() };
    let project = Project { results: vec![result], ..Project::default() }.encode_to_vec();
    let table = [
        ("results.indicators.target = 1.5", True),
        ("results.indicators.target > -1", True),
        ("results.indicators.target < 1.25e0", False),
        ("results.indicators.target <= 1.5", True),
        ("results.indicators.target >= 2", False),
        ("results.indicators.baseline:*", True),
        ("results.indicators.baseline = 0", True),
        ("results.indicators.actual:*", False),
        ("results.indicators.actual = 0", False),
    ];
    assert_known("projects", &project, &table);
}

/// The operators on a date, as in a filter.
const OPERATORS: [&str; 6] = ["=", "!=", "<", "<=", ">", ">="];

#[test]
fn a_date_is_compared_by_all_the_days_that_it_may_be() {
    let about = |date: PartialDate| PartialDate { approximate: true, ..date };
    // What is known of =, !=, <, <=, > and >=.
    let table = [
        (PartialDate::day(2019, 5, 3), "2019-05-03", [True, False, False, True, False, True]),
        (PartialDate::day(2019, 5, 3), "2019-05-04", [False, True, True, True, False, False]),
        (PartialDate::day(2019, 5, 3), "2019-05", [True, False, False, True, False, True]),
        (PartialDate::day(2019, 5, 3), "2019", [True, False, False, True, False, True]),
        (PartialDate::day(2019, 5, 3), "2018", [False, True, False, False, True, True]),
        (PartialDate::day(2019, 5, 3), "2020", [False, True, True, True, False, False]),
        (PartialDate::month(2019, 5), "2019-05-03", [Unknown, Unknown, Unknown, Unknown, Unknown, Unknown]),
        (PartialDate::month(2019, 5), "2019-05-01", [Unknown, Unknown, False, Unknown, Unknown, True]),
        (PartialDate::month(2019, 5), "2019-05-31", [Unknown, Unknown, Unknown, True, False, Unknown]),
        (PartialDate::month(2019, 5), "2019-06-01", [False, True, True, True, False, False]),
        (PartialDate::year(2019), "2019-05", [Unknown, Unknown, Unknown, Unknown, Unknown, Unknown]),
        (PartialDate::year(2019), "2019", [True, False, False, True, False, True]),
        (PartialDate::year(2019), "2018-12-31", [False, True, False, False, True, True]),
        (about(PartialDate::day(2019, 5, 3)), "2019-05-03", [Unknown, Unknown, Unknown, Unknown, Unknown, Unknown]),
        (about(PartialDate::day(2019, 5, 3)), "2019-05", [True, False, False, True, False, True]),
        (about(PartialDate::year(2019)), "2019", [Unknown, Unknown, Unknown, Unknown, Unknown, Unknown]),
        (about(PartialDate::year(2019)), "2021", [False, True, True, True, False, False]),
        (PartialDate::unknown(), "2019", [Unknown; 6]),
        (PartialDate::original("spring"), "2019", [Unknown; 6]),
    ];
    for (date, literal, expected) in table {
        let existence = Some(DateInterval { start_date: Some(date), end_date: None });
        let document = Country { existence, ..Country::default() }.encode_to_vec();
        for (operator, expected) in OPERATORS.into_iter().zip(expected) {
            for literal in [literal.to_owned(), format!("\"{literal}\"")] {
                let filter = format!("existence.start_date {operator} {literal}");
                assert_known("countries", &document, &[(&filter, expected)]);
            }
        }
    }
}

/// What is known of a comparison of a date is what all days that it may be, and all that are asked for, agree on.
#[test]
fn what_is_known_of_a_date_is_what_all_its_days_agree_on() {
    let schemas = contract();
    let kind = kind_of(&schemas, "countries");
    let dates = [
        PartialDate::day(2020, 2, 28),
        PartialDate::day(2020, 2, 29),
        PartialDate::month(2020, 2),
        PartialDate::month(2020, 3),
        PartialDate { uncertain: true, ..PartialDate::month(2020, 3) },
        PartialDate::year(2020),
    ];
    let literals = ["2020-02-28", "2020-02-29", "2020-03-01", "2020-02", "2020-03", "2020-04", "2019", "2020", "2021"];
    let document = |date: &PartialDate| {
        let existence = Some(DateInterval { start_date: Some(date.clone()), end_date: None });
        Country { existence, ..Country::default() }.encode_to_vec()
    };
    for date in &dates {
        let days = crate::values::partial_date::days(date).unwrap();
        let worlds = days.start().series(jiff::ToSpan::days(1)).take_while(|day| day <= days.end());
        let worlds: Vec<_> = worlds
            .map(|day| document(&PartialDate::day(day.year().into(), day.month().into(), day.day().into())))
            .collect();
        for (operator, literal) in OPERATORS.iter().flat_map(|operator| literals.map(|literal| (operator, literal))) {
            let text = format!("existence.start_date {operator} {literal}");
            let filter = Filter::parse(&schemas, kind, &text).unwrap();
            let mut truths: Vec<_> = worlds.iter().map(|world| filter.truth(&schemas, world, &Trees)).collect();
            truths.sort_unstable();
            truths.dedup();
            let expected = match truths.as_slice() {
                [only] => *only,
                _ => Unknown,
            };
            assert_eq!(filter.truth(&schemas, &document(date), &Trees), expected, "{date} {text}");
        }
    }
}

#[test]
fn times_are_compared_exactly_or_by_the_day_in_utc() {
    // 2025-10-15T09:30:00.25Z
    let table = [
        ("create_time = 2025-10-15T09:30:00.25Z", True),
        ("create_time = 2025-10-15T18:30:00.25+09:00", True),
        ("create_time = \"2025-10-15T09:30:00.25Z\"", True),
        ("create_time = \"2025-10-15T09:30:00Z\"", False),
        ("create_time > \"2025-10-15T09:30:00Z\"", True),
        ("create_time <= \"2025-10-15T09:30:00Z\"", False),
        ("create_time != \"2025-10-15T09:30:00Z\"", True),
        ("create_time = 2025-10-15", True),
        ("create_time = 2025-10", True),
        ("create_time = 2025", True),
        ("create_time = 2024", False),
        ("create_time > 2025-10-14", True),
        ("create_time > 2025-10-15", False),
        ("create_time >= 2025-10-15", True),
        ("create_time < 2025-10-15", False),
        ("create_time <= 2025-10-15", True),
        ("create_time < 2025-10-16", True),
        ("create_time != 2025-10-15", False),
        ("update_time < 2025", False),
    ];
    assert_known("countries", &country().encode_to_vec(), &table);
}

#[test]
fn amounts_are_compared_in_their_currency() {
    let low = Some(Money { currency_code: "USD".into(), units: 1000, nanos: 500_000_000 });
    let cost_range = Some(FeasibilityStudyCostRange { low, ..FeasibilityStudyCostRange::default() });
    let study = FeasibilityStudy { cost_range, ..FeasibilityStudy::default() }.encode_to_vec();
    let table = [
        ("cost_range.low = \"1000.50 USD\"", True),
        ("cost_range.low = \"USD 1000.5\"", True),
        ("cost_range.low = 1000.50USD", True),
        ("cost_range.low != \"1000.50 USD\"", False),
        ("cost_range.low > \"1000 USD\"", True),
        ("cost_range.low < \"1000.500000001 USD\"", True),
        ("cost_range.low <= \"1000.50 USD\"", True),
        ("cost_range.low >= \"1000.51 USD\"", False),
        // Another currency is neither more nor less.
        ("cost_range.low = \"1000.50 KRW\"", False),
        ("cost_range.low > \"1 KRW\"", False),
        ("cost_range.low < \"1 KRW\"", False),
        ("cost_range.low <= \"1 KRW\"", False),
        ("cost_range.low != \"1000.50 KRW\"", True),
        ("cost_range.high != \"1 USD\"", False),
        ("cost_range.low.currency_code = USD", True),
        ("cost_range.low.units > 999", True),
    ];
    assert_known("feasibilityStudies", &study, &table);
}

#[test]
fn functions_ask_all_references_of_their_sort() {
    let party = AgreementParty { country: "countries/kr".into(), ..AgreementParty::default() };
    let agreement =
        Agreement { parties: vec![party], focus_areas: vec!["focusAreas/learning".into()], ..Agreement::default() }
            .encode_to_vec();
    let table = [
        ("party(\"countries/kr\")", True),
        ("party(countries/kr)", True),
        ("party('countries/jp')", False),
        ("party(\"organizations/kr\")", False),
        ("party(\"countries/kr\") AND under(\"focusAreas/ai\")", True),
        ("under(\"focusAreas/learning\")", True),
        ("under(\"focusAreas/science\")", True),
        ("under(\"focusAreas/deep\")", False),
        ("under(focusAreas/none)", False),
    ];
    assert_known("agreements", &agreement, &table);
    let empty = Agreement::default().encode_to_vec();
    assert_known("agreements", &empty, &[("party(\"countries/kr\")", False), ("under(\"focusAreas/ai\")", False)]);
}

#[test]
fn texts_are_compared_in_their_normal_form() {
    let (composed, decomposed) = ("\u{d55c}\u{ad6d}", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}");
    for (stored, asked) in [(composed, decomposed), (decomposed, composed), (decomposed, decomposed)] {
        let document = Country {
            display_name: stored.into(),
            labels: [("name".to_owned(), stored.to_owned())].into(),
            annotations: [(stored.to_owned(), String::new())].into(),
            ..Country::default()
        }
        .encode_to_vec();
        let filters = [
            (format!("display_name = \"{asked}\""), True),
            (format!("display_name = \"*{asked}*\""), True),
            (format!("display_name <= \"{asked}\""), True),
            (format!("labels.name = {asked}"), True),
            (format!("annotations:\"{asked}\""), True),
            (format!("annotations.{asked} = \"\""), True),
            (format!("display_name != \"{asked}\""), False),
        ];
        for (filter, expected) in filters {
            assert_known("countries", &document, &[(&filter, expected)]);
        }
    }
}

#[test]
fn a_filter_tells_whether_it_asks_anything() {
    let schemas = contract();
    let kind = kind_of(&schemas, "countries");
    for text in ["", " \t"] {
        assert!(Filter::parse(&schemas, kind, text).unwrap().expression().is_none());
    }
    assert!(Filter::default().selects(&schemas, &[], &Trees));
    let filter = Filter::parse(&schemas, kind, "labels:a -(region_code = (KR OR KP) b OR labels:c)");
    assert!(filter.is_err(), "a bare word asks nothing");
    let filter = Filter::parse(&schemas, kind, "labels:a -(region_code = (KR OR 'K P') OR labels.c!=d)").unwrap();
    let Some(Expression::All(each)) = filter.expression() else { panic!("{filter:?}") };
    let tests: Vec<_> = each
        .iter()
        .map(|one| match one {
            Expression::Test(test) => (test.text.as_str(), test.negated),
            Expression::All(_) | Expression::Any(_) => panic!("{one:?}"),
        })
        .collect();
    let expected =
        [("labels:a", false), ("region_code = KR", true), ("region_code = 'K P'", true), ("labels.c!=d", true)];
    assert_eq!(tests, expected, "NOT stands at the tests, which are told as they are written");
}
