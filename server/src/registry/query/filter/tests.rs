//! Tests of filters as a whole, from their text to what they select.

use partnership_registry::v1::{Agreement, Country, DateInterval, FeasibilityStudy, PartialDate};
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
    let study = FeasibilityStudy { revision: 1 << 40, ..FeasibilityStudy::default() };
    assert!(filter("feasibilityStudies", "revision = 1099511627776").selects(&study.encode_to_vec()));
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
            "must name fields, and Country has no field \"nothing\" (at column 29)",
        ),
        ("region_code > KR", "must not have '>' outside of quotation marks (at column 13)"),
        ("region_code ! KR", "must not have '!' outside of quotation marks (at column 13)"),
        ("region_code = \"KR", "must close the quotation that opens here (at column 15)"),
        (r#"region_code = "a\b""#, "must have only \" or \\ after \\ (at column 22)"),
        ("region_code:KR", "must use ':' only with maps such as labels, and \"region_code\" is none (at column 1)"),
        ("region_code.a = 1", "must test fields, and \"region_code\" has no field \"a\" (at column 13)"),
        ("labels = a", "must test labels as labels.key = \"value\" or as labels:key (at column 1)"),
        ("labels.a:b", "must test labels as labels.key = \"value\" or as labels:key (at column 1)"),
        ("short_names.text = a", "must test single values, and \"short_names\" is a list or a map (at column 1)"),
        ("existence = a", "must test single values, and \"existence\" is a message (at column 1)"),
        ("existence.start_date.era = a", "must name fields, and PartialDate has no field \"era\" (at column 22)"),
        ("existence.start_date.year = old", "must compare year with a number, and \"old\" is none (at column 29)"),
        ("existence.start_date.year = nan", "must compare year with a number, and \"nan\" is none (at column 29)"),
        (
            "existence.start_date.unknown = 1",
            "must compare unknown with true or false, and \"1\" is none (at column 27)",
        ),
        (&many, "must have at most 50 terms (at column 1051)"),
        (&long, "must have at most 4096 bytes, and has 4097"),
    ];
    for (text, expected) in table {
        assert_eq!(Filter::parse(&schemas, kind, text).unwrap_err(), expected, "{text}");
    }
    let error = Filter::parse(&schemas, kind_of(&schemas, "agreements"), "state = IN_FORCE").unwrap_err();
    assert_eq!(error, "must compare state with a value of its enum, and \"IN_FORCE\" is none (at column 9)");
}
