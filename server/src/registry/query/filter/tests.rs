//! Tests of filters as a whole, from their text to what they select.

use partnership_registry::v1::{Agreement, Country, DateInterval, FeasibilityStudy, Finding, FindingCode, PartialDate};
use prost::Message as _;

use super::parse::TERMS_MAX;
use super::*;
use crate::registry::schema::{contract, kind_of};

#[test]
fn a_filter_selects_what_all_its_terms_hold_for() {
    let schemas = contract();
    let country = Country {
        name: "countries/kr".into(),
        display_name: "Korea \"South\" \\".into(),
        region_code: "KR".into(),
        existence: Some(DateInterval {
            start_date: Some(PartialDate { year: 1948, ..PartialDate::default() }),
            end_date: None,
        }),
        labels: [("unit/a.b".to_owned(), "asia".to_owned()), ("empty".to_owned(), String::new())].into(),
        successors: vec!["countries/kp".into(), "countries/kr".into()],
        findings: vec![
            Finding { code: FindingCode::LinkNotUri.into(), field: "documents[0].uri".into(), text: String::new() },
            Finding {
                code: FindingCode::DateUnlikely.into(),
                field: "existence.start_date".into(),
                text: String::new(),
            },
        ],
        ..Country::default()
    };
    let document = country.encode_to_vec();
    let table = [
        ("", true),
        ("  ", true),
        ("region_code = KR", true),
        ("region_code=\"KR\"", true),
        ("region_code = KP", false),
        ("region_code != KP", true),
        ("region_code != KR", false),
        (r#"display_name = "Korea \"South\" \\""#, true),
        ("name = countries/kr", true),
        ("region_code = KR AND existence.start_date.year = 1948", true),
        ("region_code = KR AND existence.start_date.year = 1949", false),
        ("existence.start_date.year = 1948.0", true),
        ("existence.start_date = 1948", true),
        ("existence.start_date = 1949", false),
        ("existence.start_date != 1949", true),
        ("existence.start_date != 1948", false),
        // It may be, and may not.
        ("existence.start_date = 1948-05", false),
        ("existence.start_date != 1948-05", false),
        ("existence.start_date = \"1948\"", true),
        // What is not known is neither.
        ("existence.end_date = 1948", false),
        ("existence.end_date != 1948", false),
        ("existence.start_date.approximate = false", true),
        ("existence.end_date.year = 0", true),
        ("existence.end_date.year != 0", false),
        ("existence.start_date.month = -0", true),
        ("labels.unit/a.b = asia", true),
        ("labels.unit/a.b != asia", false),
        ("labels.unit/a.b != europe", true),
        ("labels.other = asia", false),
        ("labels.other != asia", true),
        ("labels.empty = \"\"", true),
        ("labels.other = \"\"", false),
        ("labels:empty", true),
        ("labels:other", false),
        ("labels:*", true),
        ("annotations:*", false),
        ("findings:*", true),
        ("predecessors:*", false),
        ("findings.code = LINK_NOT_URI", true),
        ("findings.code:FINDING_CODE_LINK_NOT_URI", true),
        ("findings.code:DATE_UNLIKELY", true),
        ("findings.code:DATE_IMPOSSIBLE", false),
        ("findings.field = \"documents[0].uri\"", true),
        ("findings.field:*", true),
        ("findings.text:*", false),
        // Of an item the text may be absent, but there must be an item.
        ("findings.text = \"\"", true),
        ("documents.title = \"\"", false),
        ("successors = countries/kp", true),
        ("successors:\"countries/kr\"", true),
        ("successors:\"countries/jp\"", false),
        // Terms on one list are not about one item.
        ("findings.code:DATE_UNLIKELY AND findings.field = \"documents[0].uri\"", true),
        // A value may be what a term begins or goes on with.
        ("region_code = AND", false),
    ];
    let kind = kind_of(&schemas, "countries");
    for (text, selected) in table {
        let filter = Filter::parse(&schemas, kind, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.selects(&document), selected, "{text}");
        assert_eq!(filter.is_empty(), text.trim().is_empty(), "{text}");
    }
}

#[test]
fn enums_and_bounded_numbers_are_tested_by_what_they_mean() {
    let schemas = contract();
    let agreement =
        Agreement { state: partnership_registry::v1::AgreementState::InForce.into(), ..Agreement::default() };
    let filter = |collection: &str, text: &str| Filter::parse(&schemas, kind_of(&schemas, collection), text).unwrap();
    assert!(filter("agreements", "state = AGREEMENT_STATE_IN_FORCE").selects(&agreement.encode_to_vec()));
    assert!(filter("agreements", "state != AGREEMENT_STATE_DRAFT").selects(&agreement.encode_to_vec()));
    assert!(filter("agreements", "state = AGREEMENT_STATE_UNSPECIFIED").selects(&[]));
    for written in ["IN_FORCE", "in-force", "in_force", "\"in-force\""] {
        assert!(filter("agreements", &format!("state = {written}")).selects(&agreement.encode_to_vec()));
    }
    assert!(filter("agreements", "state != DRAFT AND state != UNSPECIFIED").selects(&agreement.encode_to_vec()));
    let study = FeasibilityStudy { revision: 1 << 40, ..FeasibilityStudy::default() };
    assert!(filter("feasibilityStudies", "revision = 1099511627776").selects(&study.encode_to_vec()));
}

#[test]
fn texts_are_compared_in_their_normal_form() {
    let schemas = contract();
    let kind = kind_of(&schemas, "countries");
    let (composed, decomposed) = ("\u{d55c}\u{ad6d}", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}");
    for (stored, asked) in [(composed, decomposed), (decomposed, composed), (decomposed, decomposed)] {
        let document = Country {
            display_name: stored.into(),
            labels: [("name".to_owned(), stored.to_owned())].into(),
            annotations: [(stored.to_owned(), String::new())].into(),
            ..Country::default()
        }
        .encode_to_vec();
        for filter in [
            format!("display_name = \"{asked}\""),
            format!("labels.name = {asked}"),
            format!("annotations:\"{asked}\""),
        ] {
            assert!(Filter::parse(&schemas, kind, &filter).unwrap().selects(&document), "{filter}");
        }
        let other = Filter::parse(&schemas, kind, &format!("display_name != \"{asked}\"")).unwrap();
        assert!(!other.selects(&document));
    }
}

#[test]
fn what_is_not_understood_is_refused_where_it_stands() {
    let schemas = contract();
    let kind = kind_of(&schemas, "countries");
    let many = vec!["region_code = KR"; TERMS_MAX + 1].join(" AND ");
    let long = "x".repeat(BYTES_MAX + 1);
    let table = [
        ("nothing = 1", "must name fields, and Country has no field \"nothing\" (at column 1)"),
        ("region_code", "must have an operator after \"region_code\" (at column 12)"),
        ("region_code =", "must have a value after \"region_code\" (at column 14)"),
        ("region_code KR", "must have =, != or : here, and has \"KR\" (at column 13)"),
        ("region_code = =", "must have a value here, and has \"=\" (at column 15)"),
        ("\"region_code\" = KR", "must have a field here, and has \"region_code\" (at column 1)"),
        ("region_code = KR AND", "must have a term after AND (at column 21)"),
        ("region_code = KR OR region_code = KP", "must have AND here, and has \"OR\" (at column 18)"),
        ("NOT region_code = KR", "must not use NOT; terms are joined by AND (at column 1)"),
        (
            "region_code = \"한국\" AND nothing = 1",
            "must name fields, and Country has no field \"nothing\" (at column 24)",
        ),
        ("region_code > KR", "must not have '>' outside of quotation marks (at column 13)"),
        ("region_code ! KR", "must not have '!' outside of quotation marks (at column 13)"),
        ("region_code = \"KR", "must close the quotation that opens here (at column 15)"),
        (r#"region_code = "a\b""#, "must have only \" or \\ after \\ (at column 17)"),
        (
            "region_code:KR",
            "must use ':' only with lists and with maps such as labels, and \"region_code\" is neither (at column 1)",
        ),
        ("region_code = *", "must have a value here, and has \"*\" (at column 15)"),
        ("* = KR", "must have a field here, and has \"*\" (at column 1)"),
        (
            "findings.code != LINK_NOT_URI",
            "must not test \"findings.code\" with '!=', since of a list one item may differ and another not; ask with '=' \
             for what some item is, and leave out what that selects (at column 1)",
        ),
        (
            "findings.code = NOT_URI",
            "must compare code with one of LINK_NOT_URI, DATE_IMPOSSIBLE, DATE_UNLIKELY, STATE_CONTRADICTED, \
             CONTROL_CHARACTERS, OUTPUT_ONLY_IGNORED, MORE, and \"NOT_URI\" is none (at column 17)",
        ),
        ("findings = a", "must test single values, and \"findings\" is a message (at column 1)"),
        ("region_code.a = 1", "must test fields, and \"region_code\" has no field \"a\" (at column 13)"),
        ("labels = a", "must test labels as labels.key = \"value\" or as labels:key (at column 1)"),
        ("labels.a:b", "must test labels as labels.key = \"value\" or as labels:key (at column 1)"),
        ("labels.a:*", "must test labels as labels.key = \"value\" or as labels:key (at column 1)"),
        ("existence = a", "must test single values, and \"existence\" is a message (at column 1)"),
        (
            "existence.start_date = \"1948~\"",
            "must compare start_date with a date such as 2025-10-15, 2025-10 or 2025, and \"1948~\" is none (at column 24)",
        ),
        (
            "existence.start_date = 1948-13",
            "must compare start_date with a date such as 2025-10-15, 2025-10 or 2025, and \"1948-13\" is none (at column 24)",
        ),
        ("existence.start_date.era = a", "must name fields, and PartialDate has no field \"era\" (at column 22)"),
        ("existence.start_date.year = old", "must compare year with a number, and \"old\" is none (at column 29)"),
        ("existence.start_date.year = nan", "must compare year with a number, and \"nan\" is none (at column 29)"),
        (
            "existence.start_date.unknown = 1",
            "must compare unknown with true or false, and \"1\" is none (at column 32)",
        ),
        (&many, "must have at most 50 terms (at column 1051)"),
        (&long, "must have at most 4096 bytes, and has 4097"),
    ];
    for (text, expected) in table {
        assert_eq!(Filter::parse(&schemas, kind, text).unwrap_err(), expected, "{text}");
    }
    let error = Filter::parse(&schemas, kind_of(&schemas, "agreements"), "state = FORCE").unwrap_err();
    assert!(error.starts_with("must compare state with one of "), "{error}");
    assert!(error.contains("IN_FORCE, ") && error.ends_with(", and \"FORCE\" is none (at column 9)"), "{error}");
}
