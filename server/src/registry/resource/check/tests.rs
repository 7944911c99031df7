//! Tests of the check: each rule by a body that just keeps it and one that breaks it, and what is found on the way.

use partnership_registry::Money;
use partnership_registry::v1::{
    Country, Document, FeasibilityStudy, FeasibilityStudyDimension, LocalizedText, Meeting, MeetingDecision, Place,
    Project, ProjectBudget, ProjectIndicator, ProjectResult,
};
use prost::Message as _;

use super::*;
use crate::registry::resource::finding;
use crate::registry::schema::{contract, kind_of};

type Change = fn(&mut Country);

/// The broken rules of a body of `collection`, as `field: rule`, and what it refers to.
fn checked(collection: &str, body: &[u8]) -> (Vec<String>, Vec<String>) {
    let schemas = contract();
    let (kind, mut violations) = (kind_of(&schemas, collection), Violations::new());
    let resource = (schemas.kind(kind).rules.decode)(body).unwrap();
    let Checked { referrals, .. } = check(&schemas, kind, &resource, &mut body.to_vec(), &mut violations);
    let broken = violations.iter().map(|one| format!("{}: {}", one.field, one.description)).collect();
    let referrals = referrals.iter().map(|one| format!("{}: {}", one.field, one.target)).collect();
    (broken, referrals)
}

#[test]
fn each_broken_rule_of_the_annotations_is_told_with_the_path_of_its_field() {
    let good = Country { display_name: "Korea".into(), ..Country::default() };
    let table: [(Change, &str); 15] = [
        (|_| {}, ""),
        (|it| it.display_name.clear(), "display_name: is required"),
        (|it| it.region_code = "kr".into(), "region_code: must be two capital letters (ISO 3166-1 alpha-2)"),
        (|it| it.documents = vec![Document::default()], "documents[0].title: is required"),
        (
            |it| it.short_names = vec![LocalizedText { language_code: "en".into(), text: "x".repeat(4_097) }],
            "short_names[0].text: must have at most 4096 characters, and has 4097",
        ),
        (
            // A text has fewer characters than bytes.
            |it| it.short_names = vec![LocalizedText { language_code: "ko".into(), text: "한".repeat(4_096) }],
            "",
        ),
        (|it| it.successors = vec!["countries/a".into(), String::new()], "successors[1]: must not be empty"),
        (|it| it.sovereign = "meetings/a".into(), "sovereign: must be countries/{id}, and is \"meetings/a\""),
        (
            |it| it.labels = (0..65).map(|number| (format!("key-{number}"), String::new())).collect(),
            "labels: must have at most 64 items, and has 65",
        ),
        (
            |it| it.labels = [("Key".to_owned(), String::new())].into(),
            "labels[\"Key\"]: has a key that must be a lower-case letter and then at most 62 of lower-case \
             letters, digits, '-', '_', '.' and '/'",
        ),
        (|it| it.labels = [(String::new(), "x".to_owned())].into(), "labels[\"\"]: must have a key"),
        (
            |it| {
                it.relations_established_date =
                    Some(PartialDate { year: 2023, month: 2, day: 100, ..Default::default() })
            },
            "relations_established_date.day: must be a day of that month, or 0 if it is not known",
        ),
        (
            |it| it.relations_established_date = Some(PartialDate::default()),
            "relations_established_date: must have a year or the original text, or be marked as unknown",
        ),
        // What is cleaned is checked as it is then.
        (|it| it.display_name = "\u{7}".into(), "display_name: is required"),
        (|it| it.region_code = "K\u{7}".into(), "region_code: must be two capital letters (ISO 3166-1 alpha-2)"),
    ];
    for (change, expected) in table {
        let mut country = good.clone();
        change(&mut country);
        assert_eq!(checked("countries", &country.encode_to_vec()).0.join("; "), expected);
    }
}

#[test]
fn what_is_strange_is_found_at_its_path_and_what_can_be_kept_only_otherwise_is_made_so() {
    let date = |year, month, day| PartialDate { year, month, day, ..PartialDate::default() };
    let document = |title: &str, uri: &str| Document { title: title.into(), uri: uri.into(), ..Document::default() };
    let mut meeting = Meeting {
        name: "meetings/a".into(),
        display_name: "A\u{1}B".into(),
        labels: [("unit".to_owned(), "a\u{9f}".to_owned())].into(),
        documents: vec![document("a", "https://example.org"), document("b\0", "www.example.org\n/b")],
        start_time: Some(Timestamp { seconds: -40_000_000_000, nanos: 0 }),
        meeting_date: Some(PartialDate { approximate: true, ..date(2023, 2, 30) }),
        decisions: vec![MeetingDecision { text: "one\ttwo\nthree".into(), ..MeetingDecision::default() }],
        ..Meeting::default()
    };
    let schemas = contract();
    let kind = kind_of(&schemas, "meetings");
    let check = |meeting: &Meeting| {
        let mut body = Meeting { name: String::new(), ..meeting.clone() }.encode_to_vec();
        let mut violations = Violations::new();
        let checked = check(&schemas, kind, &meeting.clone().into(), &mut body, &mut violations);
        assert_eq!(violations.to_string(), "");
        let encoded = finding::encode(&schemas, kind, checked.findings);
        let found: Vec<_> = finding::stored(&encoded).map(|it| format!("{}: {}", it.field, it.text)).collect();
        (found, Meeting::decode(body.as_slice()).unwrap())
    };
    let link = "documents[1].uri: \"www.example.org/b\" is no absolute URI (RFC 3986, RFC 3987); it is kept as text";
    let time = "start_time: 0702-06-15T00:53:20Z is before the year 1000 or after 2200; it is kept as it came";
    let text = "meeting_date: \"2023-02-30~\" is on no calendar; it is kept as the original text";
    let (found, cleaned) = check(&meeting);
    assert_eq!(
        found,
        [
            "display_name: 1 control character was taken out; \"AB\" is kept",
            "labels[\"unit\"]: 1 control character was taken out; \"a\" is kept",
            "documents[1].title: 1 control character was taken out; \"b\" is kept",
            link,
            "documents[1].uri: 1 control character was taken out; \"www.example.org/b\" is kept",
            time,
            text,
        ]
    );
    meeting.display_name = "AB".into();
    meeting.labels = [("unit".to_owned(), "a".to_owned())].into();
    meeting.documents[1] = document("b", "www.example.org/b");
    let original_text = "2023-02-30~".into();
    meeting.meeting_date = Some(PartialDate { original_text, approximate: true, ..PartialDate::default() });
    assert_eq!(cleaned, Meeting { name: String::new(), ..meeting.clone() });
    // What was cleaned is clean, and what can be seen in it is found again.
    assert_eq!(check(&meeting), (vec![link.to_owned(), time.to_owned(), text.to_owned()], cleaned));
}

#[test]
fn numbers_enums_and_amounts_are_checked_by_their_values() {
    let dimension = |score| FeasibilityStudyDimension { score, ..FeasibilityStudyDimension::default() };
    let study = FeasibilityStudy { display_name: "x".into(), ..FeasibilityStudy::default() };
    let of_score = |score| FeasibilityStudy { dimensions: vec![dimension(score)], ..study.clone() }.encode_to_vec();
    let schemas = contract();
    let shape = schemas.shape_of(kind_of(&schemas, "feasibilityStudies"));
    let inner = match shape.by_name("dimensions").map(|field| &field.value) {
        Some(Value::Message(id)) => schemas.shape(*id),
        other => panic!("dimensions are messages: {other:?}"),
    };
    let Some(Value::Number { min: Some(min), max: Some(max), .. }) = inner.by_name("score").map(|field| &field.value)
    else {
        panic!("the score has bounds");
    };
    #[allow(clippy::cast_possible_truncation, reason = "small whole numbers")]
    let (min, max) = (*min as i32, *max as i32);
    let scores: Vec<_> = [min - 1, min, max, max + 1]
        .map(|score| checked("feasibilityStudies", &of_score(Some(score))).0)
        .iter()
        .map(|broken| broken.iter().filter(|one| one.contains("score")).count())
        .collect();
    assert_eq!(scores, [1, 0, 0, 1]);

    let project = Project { display_name: "x".into(), ..Project::default() };
    let of_target = |target| {
        let indicators = vec![ProjectIndicator { target, ..ProjectIndicator::default() }];
        checked(
            "projects",
            &Project { results: vec![ProjectResult { indicators, ..ProjectResult::default() }], ..project.clone() }
                .encode_to_vec(),
        )
        .0
    };
    let not_finite = "results[0].indicators[0].target: must be a finite number".to_owned();
    assert!(of_target(Some(f64::NAN)).contains(&not_finite));
    assert!(!of_target(Some(-1e300)).contains(&not_finite));

    let state = checked("projects", &Project { state: 99, ..project.clone() }.encode_to_vec()).0;
    assert_eq!(state, ["state: must be one of the values of its type, and 99 is not"]);
    let amount = Some(Money { currency_code: "krw".into(), ..Money::default() });
    let budgets = vec![ProjectBudget { amount, ..ProjectBudget::default() }];
    let broken = checked("projects", &Project { budgets, ..project }.encode_to_vec()).0.join("; ");
    assert!(broken.contains("budgets[0].amount.currency_code: must be three capital letters"), "{broken}");
}

#[test]
fn what_a_body_refers_to_is_told_with_the_paths() {
    let country = Country {
        display_name: "Korea".into(),
        sovereign: "countries/a".into(),
        successors: vec!["countries/b".into(), "countries/c".into()],
        ..Country::default()
    };
    let (broken, mut referrals) = checked("countries", &country.encode_to_vec());
    referrals.sort();
    let expected = ["sovereign: countries/a", "successors[0]: countries/b", "successors[1]: countries/c"];
    assert_eq!((broken, referrals), (vec![], expected.map(str::to_owned).to_vec()));
}

#[test]
fn a_reference_to_one_of_some_kinds_is_refused_of_any_other() {
    let refused = |host: &str| {
        let meeting =
            partnership_registry::v1::Meeting { display_name: "x".into(), host: host.into(), ..Default::default() };
        checked("meetings", &meeting.encode_to_vec()).0.join("; ")
    };
    for good in ["", "countries/kr", "organizations/un", "officials/a"] {
        assert_eq!(refused(good), "", "{good}");
    }
    let rule = "host: must be of one of countries, organizations, officials, and is of \"courses\"";
    assert_eq!(refused("courses/a"), rule);
}

#[test]
fn of_a_body_that_is_too_large_nothing_else_is_said() {
    let place = Some(Place { locality: "x".repeat(DOCUMENT_BYTES_MAX), ..Place::default() });
    let meeting = partnership_registry::v1::Meeting { place, ..Default::default() };
    let (broken, referrals) = checked("meetings", &meeting.encode_to_vec());
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert!(broken[0].starts_with(": must have at most 1048576 bytes, and has "), "{broken:?}");
    assert!(referrals.is_empty());
}
