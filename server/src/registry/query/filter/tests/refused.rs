//! What is not understood is refused where it stands, with what would be.

use super::super::check::TESTS_MAX;
use super::*;
use crate::registry::schema::{contract, kind_of};

#[test]
fn what_is_not_understood_is_refused_where_it_stands() {
    let schemas = contract();
    let many = vec!["uid:a"; TESTS_MAX + 1].join(" ");
    let several = format!("region_code = ({})", vec!["A"; TESTS_MAX + 1].join(" OR "));
    let long = "x".repeat(BYTES_MAX + 1);
    let deep = format!("{}uid:a{}", "(".repeat(33), ")".repeat(33));
    let table: &[(&str, &str)] = &[
        (
            "nothing = 1",
            "must name fields, and Country has no field \"nothing\"; its fields are name, uid, display_name, etag, revision, create_time, update_time, delete_time, creator, updater, labels, annotations, external_ids, documents, findings, state, type, official_names, short_names, region_code, region_code_alpha3, m49_code, m49_region_code, m49_subregion_code, relations_established_date, existence, predecessors, successors, sovereign, focus_areas, capital, language_codes, currency_codes, lead_organization, description (at column 1)",
        ),
        (
            "regioncode = KR",
            "must name fields, and Country has no field \"regioncode\"; did you mean \"region_code\"? (at column 1)",
        ),
        (
            "Region_Code = KR",
            "must name fields, and Country has no field \"Region_Code\"; did you mean \"region_code\"? (at column 1)",
        ),
        (
            "region_code",
            "must compare region_code with a value, or ask with region_code:* whether there is one (at column 12)",
        ),
        ("labels", "must compare labels with a value, or ask with labels:* whether there is one (at column 7)"),
        ("region_code =", "must have a value after \"region_code =\" (at column 14)"),
        (
            "region_code KR",
            "must compare region_code with a value, or ask with region_code:* whether there is one (at column 12)",
        ),
        (
            "prod",
            "must compare fields, and \"prod\" stands alone; text is asked for in a field, as in display_name = \"*prod*\" (at column 1)",
        ),
        (
            "\"region\" code",
            "must compare fields, and \"region\" stands alone; text is asked for in a field, as in display_name = \"*region*\" (at column 1)",
        ),
        (
            "region_code = =",
            "must have a value here, and has \"=\"; a value that has '=' in it needs quotation marks (at column 15)",
        ),
        ("\"region_code\" = KR", "must have a field here, and has \"region_code\" (at column 1)"),
        ("region_code = KR AND", "must have a term after AND (at column 21)"),
        ("region_code = KR OR", "must have a term after OR (at column 20)"),
        ("AND region_code = KR", "must have a term here, and has AND (at column 1)"),
        ("region_code = KR OR AND labels:a", "must have a term here, and has AND (at column 21)"),
        ("NOT", "must have a term after NOT (at column 4)"),
        ("NOT NOT labels:a", "must have a term here, and has NOT (at column 5)"),
        ("NOT -labels:a", "must not have '-' behind NOT (at column 5)"),
        ("--labels:a", "must not have '-' behind '-' (at column 2)"),
        ("- labels:a", "must have a term directly behind '-' (at column 2)"),
        ("-", "must have a term directly behind '-' (at column 2)"),
        (
            "region_code = AND",
            "must have a value here, and has AND, which needs quotation marks to be one (at column 15)",
        ),
        ("()", "must have a term here, and has \")\" (at column 2)"),
        ("(labels:a", "must close the parenthesis that opens here (at column 1)"),
        ("labels:a)", "must have AND, OR or the end here, and has \")\" (at column 9)"),
        ("(labels:a OR", "must have a term after OR (at column 13)"),
        ("region_code = (KR", "must close the parenthesis that opens here (at column 15)"),
        ("region_code = ()", "must have a term here, and has \")\" (at column 16)"),
        ("region_code ! KR", "must not have '!' outside of quotation marks (at column 13)"),
        ("region_code = \"KR", "must close the quotation that opens here (at column 15)"),
        ("region_code = 'KR\"", "must close the quotation that opens here (at column 15)"),
        (r#"region_code = "a\b""#, "must have only \", ', * or \\ after \\ (at column 17)"),
        ("region_code = KR; labels:a", "must not have ';' outside of quotation marks (at column 17)"),
        (
            "documents.uri = https://example.org",
            "must have AND, OR or the end here, and has \":\"; a value that has ':' in it needs quotation marks (at column 22)",
        ),
        (
            "region_code = \"한국\" AND nothing = 1",
            "must name fields, and Country has no field \"nothing\"; its fields are name, uid, display_name, etag, revision, create_time, update_time, delete_time, creator, updater, labels, annotations, external_ids, documents, findings, state, type, official_names, short_names, region_code, region_code_alpha3, m49_code, m49_region_code, m49_subregion_code, relations_established_date, existence, predecessors, successors, sovereign, focus_areas, capital, language_codes, currency_codes, lead_organization, description (at column 24)",
        ),
        (
            "* = KR",
            "must name fields, and Country has no field \"*\"; its fields are name, uid, display_name, etag, revision, create_time, update_time, delete_time, creator, updater, labels, annotations, external_ids, documents, findings, state, type, official_names, short_names, region_code, region_code_alpha3, m49_code, m49_region_code, m49_subregion_code, relations_established_date, existence, predecessors, successors, sovereign, focus_areas, capital, language_codes, currency_codes, lead_organization, description (at column 1)",
        ),
        (
            "*",
            "must compare fields, and \"*\" stands alone; text is asked for in a field, as in display_name = \"*text*\" (at column 1)",
        ),
        (
            "region_code < K*",
            "must have no wildcard behind '<', which compares with one text; a star itself is written \"\\*\" (at column 15)",
        ),
        (
            "findings.code != LINK_NOT_URI",
            "must not test \"findings.code\" with '!=', since of a list one item may differ and another not; ask NOT findings.code = LINK_NOT_URI (at column 1)",
        ),
        (
            "successors != \"countries/kr\"",
            "must not test \"successors\" with '!=', since of a list one item may differ and another not; ask NOT successors = \"countries/kr\" (at column 1)",
        ),
        (
            "region_code != (KR OR KP)",
            "must not use '!=' with several values; ask NOT region_code = (KR OR KP) (at column 1)",
        ),
        ("region_code = (a = b)", "must have only values in the parentheses behind \"region_code =\" (at column 16)"),
        ("region_code = f(x)", "must have a value here, and f(…) holds or does not (at column 15)"),
        (
            "region_code = \"a\".b",
            "must compare fields, and \".b\" stands alone; text is asked for in a field, as in display_name = \"*text*\" (at column 18)",
        ),
        ("region_code = a.\"b\"", "must have the whole value in quotation marks, and not a part of it (at column 15)"),
        (
            "findings.code = NOT_URI",
            "must compare code with one of LINK_NOT_URI, DATE_IMPOSSIBLE, DATE_UNLIKELY, STATE_CONTRADICTED, CONTROL_CHARACTERS, OUTPUT_ONLY_IGNORED, MORE, EVENTS_CONTRADICT, ASSERTED_STATUS_CONTRADICTED, EFFECT_ASSUMED, NOTICE_LATE, EVENT_GONE, WEIGHTS_NOT_WHOLE, LOCATION_UNLIKELY, SCOPE_CONTRADICTED, and \"NOT_URI\" is none (at column 17)",
        ),
        (
            "findings.code > LINK_NOT_URI",
            "must compare code with =, != or :, since what it can be has no order (at column 1)",
        ),
        (
            "findings = a",
            "must test single values, and \"findings\" is a message; its fields are code, field, text, and findings:* asks whether it is there (at column 1)",
        ),
        (
            "existence = 2019",
            "must test single values, and \"existence\" is a message; its fields are start_date, end_date, and existence:* asks whether it is there (at column 1)",
        ),
        (
            "existence:a",
            "must name fields, and DateInterval has no field \"a\"; its fields are start_date, end_date (at column 11)",
        ),
        (
            "existence:\"start_date\"",
            "must test single values, and \"existence\" is a message; its fields are start_date, end_date, and existence:* asks whether it is there (at column 1)",
        ),
        (
            "findings < 3",
            "must test single values, and \"findings\" is a message; its fields are code, field, text, and findings:* asks whether it is there (at column 1)",
        ),
        ("region_code.a = 1", "must test fields, and \"region_code\" has no field \"a\" (at column 13)"),
        ("labels = a", "must test labels as labels.key = \"value\" or as labels:key (at column 1)"),
        ("labels != a", "must test labels as labels.key = \"value\" or as labels:key (at column 1)"),
        ("labels.a* = b", "must name one key, without wildcards, and \"a*\" is none (at column 8)"),
        ("labels. = b", "must have a key behind the dot (at column 8)"),
        ("labels:a*", "must name one key, without wildcards, and \"a*\" is none (at column 8)"),
        ("labels.\"\" = b", "must have a key behind the dot (at column 8)"),
        (
            "existence.start_date = \"1948~\"",
            "must compare start_date with a date such as 2025-10-15, 2025-10 or 2025, and \"1948~\" is none (at column 24)",
        ),
        (
            "existence.start_date = 1948-13",
            "must compare start_date with a date such as 2025-10-15, 2025-10 or 2025, and \"1948-13\" is none (at column 24)",
        ),
        (
            "existence.start_date = unknown",
            "must compare start_date with a date such as 2025-10-15, 2025-10 or 2025, and \"unknown\" is none (at column 24)",
        ),
        (
            "existence.start_date = 2019-05-01T00:00:00Z",
            "must compare start_date with a date such as 2025-10-15, 2025-10 or 2025, and \"2019-05-01T00:00:00Z\" is none (at column 24)",
        ),
        (
            "existence.start_date.era = a",
            "must name fields, and PartialDate has no field \"era\"; its fields are year, month, day, approximate, uncertain, unknown, original_text (at column 22)",
        ),
        (
            "existence.start_date.year = old",
            "must compare year with a whole number, and \"old\" is none (at column 29)",
        ),
        (
            "existence.start_date.year = 1948.5",
            "must compare year with a whole number, and \"1948.5\" is none (at column 29)",
        ),
        (
            "existence.start_date.year = nan",
            "must compare year with a whole number, and \"nan\" is none (at column 29)",
        ),
        (
            "existence.start_date.unknown = 1",
            "must compare unknown with true or false, and \"1\" is none (at column 32)",
        ),
        (
            "existence.start_date.unknown > false",
            "must compare unknown with =, != or :, since what it can be has no order (at column 1)",
        ),
        (
            "create_time > now",
            "must compare create_time with a time such as 2025-10-15T09:30:00Z, or a day, month or year in UTC such as 2025-10-15, and \"now\" is none (at column 15)",
        ),
        (
            "create_time = 2025-10-15T09:30:00",
            "must compare create_time with a time such as 2025-10-15T09:30:00Z, or a day, month or year in UTC such as 2025-10-15, and \"2025-10-15T09:30:00\" is none (at column 15)",
        ),
        (
            "revision > -1",
            "must compare revision with a whole number that is not negative, and \"-1\" is none (at column 12)",
        ),
        (
            "party(\"countries/kr\")",
            "must not ask party(…) of Country, in which no field says who takes part (at column 1)",
        ),
        (
            "under(\"countries/kr\")",
            "must give under a name, which must be of one of focusAreas, organizations, agreements, and is of \"countries\" (at column 7)",
        ),
        (
            "under(\"focusAreas/AI\")",
            "must give under a name, which must end in 1 to 63 lower-case letters, digits and inner hyphens, and ends in \"AI\" (2 characters) (at column 7)",
        ),
        (
            "partys(\"countries/kr\")",
            "must use one of the functions party, under, inForce, mayBeInForce, partyOn; \"partys\" is none; did you mean party? (at column 1)",
        ),
        (
            "in_force(2019-01-01)",
            "must use one of the functions party, under, inForce, mayBeInForce, partyOn; \"in_force\" is none; did you mean inForce? (at column 1)",
        ),
        ("inForce(2019-01-01)", "must not ask inForce(…) of countries, which stand alike on all days (at column 1)"),
        ("partyOn()", "must not ask partyOn(…) of countries, which stand alike on all days (at column 1)"),
        ("under()", "must give under one name, as in under(\"focusAreas/{id}\"), and gives it 0 (at column 1)"),
        (
            "under(\"focusAreas/ai\", \"focusAreas/b\")",
            "must give under one name, as in under(\"focusAreas/{id}\"), and gives it 2 (at column 1)",
        ),
        ("under(\"focusAreas/ai\"", "must close the parenthesis that opens here (at column 6)"),
        ("under(,)", "must have a value here, and has \",\" (at column 7)"),
        ("under((\"focusAreas/ai\"))", "must give under one name, as in under(\"focusAreas/{id}\") (at column 7)"),
        (
            "under(\"focusAreas/ai\") = true",
            "must not compare under(…), which holds or does not, with '=' (at column 1)",
        ),
        ("labels:a , labels:b", "must have AND, OR or the end here, and has \",\" (at column 10)"),
        (
            "state = KR",
            "must compare state with one of PROPOSED, ACTIVE, DORMANT, SUSPENDED, ENDED, and \"KR\" is none (at column 9)",
        ),
        (
            "labels:a b:c d",
            "must name fields, and Country has no field \"b\"; its fields are name, uid, display_name, etag, revision, create_time, update_time, delete_time, creator, updater, labels, annotations, external_ids, documents, findings, state, type, official_names, short_names, region_code, region_code_alpha3, m49_code, m49_region_code, m49_subregion_code, relations_established_date, existence, predecessors, successors, sovereign, focus_areas, capital, language_codes, currency_codes, lead_organization, description (at column 10)",
        ),
        (&many, "must have at most 200 tests (at column 1201)"),
        (&several, "must have at most 200 tests (at column 1016)"),
        (&long, "must have at most 4096 bytes, and has 4097"),
        (&deep, "must have at most 32 parentheses in one another (at column 33)"),
    ];
    for (text, expected) in table {
        let found = Filter::parse(&schemas, kind_of(&schemas, "countries"), text).err();
        assert_eq!(found.as_deref(), Some(*expected), "{text}");
    }
}

#[test]
fn what_other_kinds_cannot_be_asked_is_refused() {
    let schemas = contract();
    let table = [
        (
            "countries",
            "under(agreements/a)",
            "must not ask under(…) of Country, in which no field refers to agreements (at column 1)",
        ),
        (
            "agreements",
            "inForce(2019)",
            "must give inForce a whole day such as 1950-01-01, and \"2019\" is none (at column 9)",
        ),
        (
            "agreements",
            "mayBeInForce(\"2019-02\")",
            "must give mayBeInForce a whole day such as 1950-01-01, and \"2019-02\" is none (at column 14)",
        ),
        (
            "agreements",
            "mayBeInForce(1950-02-30)",
            "must give mayBeInForce a whole day such as 1950-01-01, and \"1950-02-30\" is none (at column 14)",
        ),
        (
            "agreements",
            "inForce()",
            "must give inForce one day, as in inForce(1950-01-01), and gives it 0 (at column 1)",
        ),
        (
            "agreements",
            "inForce(1950-01-01, 1951-01-01)",
            "must give inForce one day, as in inForce(1950-01-01), and gives it 2 (at column 1)",
        ),
        (
            "agreements",
            "inForce((1950-01-01))",
            "must give inForce a whole day such as 1950-01-01, and \"\" is none (at column 9)",
        ),
        (
            "agreements",
            "inForce(1950-01-01) = true",
            "must not compare inForce(…), which holds or does not, with '=' (at column 1)",
        ),
        (
            "agreements",
            "partyOn(countries/kr)",
            "must give partyOn a name and a day, as in partyOn(\"countries/{id}\", 1950-01-01), and gives it 1 (at column 1)",
        ),
        (
            "agreements",
            "partyOn(projects/x, 1950-01-01)",
            "must give partyOn a name, which must be of one of countries, organizations, and is of \"projects\" (at column 9)",
        ),
        (
            "agreements",
            "partyOn(countries/kr, 1950)",
            "must give partyOn a whole day such as 1950-01-01, and \"1950\" is none (at column 23)",
        ),
        (
            "agreements",
            "party(\"kr\")",
            "must give party a name, which must be {collection}/{id}, and is \"kr\" (at column 7)",
        ),
        (
            "agreements",
            "labels:a AND party(\"countries/KR\")",
            "must give party a name, which must end in 1 to 63 lower-case letters, digits and inner hyphens, and ends in \"KR\" (2 characters) (at column 20)",
        ),
        (
            "agreements",
            "party(\"countries/*\")",
            "must give party a name, which must end in 1 to 63 lower-case letters, digits and inner hyphens, and ends in \"*\" (1 characters) (at column 7)",
        ),
        (
            "agreements",
            "party(\"projects/a\")",
            "must give party a name, which must be of one of countries, organizations, and is of \"projects\" (at column 7)",
        ),
        (
            "agreements",
            "party(countries/kr OR countries/jp)",
            "must have ',' or ')' here, and has \"OR\" (at column 20)",
        ),
        (
            "agreements",
            "parties.country != \"countries/kr\"",
            "must not test \"parties.country\" with '!=', since of a list one item may differ and another not; ask NOT parties.country = \"countries/kr\" (at column 1)",
        ),
        (
            "agreements",
            "state = FORCE",
            "must compare state with one of DRAFT, NEGOTIATING, ADOPTED, SIGNED, PROVISIONALLY_APPLIED, IN_FORCE, SUSPENDED, EXPIRED, TERMINATED, SUPERSEDED, ABANDONED, and \"FORCE\" is none (at column 9)",
        ),
        (
            "agreements",
            "parties:county",
            "must name fields, and AgreementParty has no field \"county\"; did you mean \"country\"? (at column 9)",
        ),
        (
            "feasibilityStudies",
            "cost_range.low > 1000",
            "must compare low with an amount and its currency such as \"1000.50 USD\", and \"1000\" is none (at column 18)",
        ),
        (
            "feasibilityStudies",
            "cost_range.low > \"1,000 USD\"",
            "must compare low with an amount and its currency such as \"1000.50 USD\", and \"1,000 USD\" is none (at column 18)",
        ),
        (
            "feasibilityStudies",
            "cost_range.low > 1000 USD",
            "must compare low with an amount and its currency such as \"1000.50 USD\", and \"1000\" is none (at column 18)",
        ),
        (
            "feasibilityStudies",
            "dimensions.score > 7.5",
            "must compare score with a whole number, and \"7.5\" is none (at column 20)",
        ),
        (
            "projects",
            "results.indicators.target = much",
            "must compare target with a number, and \"much\" is none (at column 29)",
        ),
    ];
    for (collection, text, expected) in table {
        let found = Filter::parse(&schemas, kind_of(&schemas, collection), text).err();
        assert_eq!(found.as_deref(), Some(expected), "{collection} {text}");
    }
}
