//! The rules of countries: a country is not its own predecessor, successor or sovereign, has one name a language, and
//! no relations that began after it had ceased to exist.
//!
//! That a country both preceded and followed another is no contradiction: unions are made and dissolved.

use partnership_registry::v1::{Country, CountryState};

use crate::findings::Findings;
use crate::values::localized_text::check_one_per_language;
use crate::values::partial_date::both_and_before;
use crate::values::reference::{check_none_itself, check_not_itself};
use crate::violations::Violations;

/// Notes what cannot be true of any country.
pub(crate) fn check(country: &Country, violations: &mut Violations) {
    check_one_per_language("official_names", &country.official_names, violations);
    check_one_per_language("short_names", &country.short_names, violations);
    check_none_itself("predecessors", &country.name, &country.predecessors, violations);
    check_none_itself("successors", &country.name, &country.successors, violations);
    check_not_itself("sovereign", &country.name, &country.sovereign, violations);
    let ceased = country.existence.as_ref().and_then(|existence| existence.end_date.as_ref());
    if both_and_before(ceased, country.relations_established_date.as_ref()) {
        violations.add("relations_established_date", "must not be after the country ceased to exist");
    }
}

/// Notes what contradicts the state: a partnership goes on with a country that is no more.
pub(crate) fn find(country: &Country, findings: &mut Findings) {
    let ended = match country.state() {
        CountryState::Unspecified | CountryState::Ended => true,
        CountryState::Proposed | CountryState::Active | CountryState::Dormant | CountryState::Suspended => false,
    };
    if !ended && country.existence.as_ref().is_some_and(|existence| existence.end_date.is_some()) {
        findings.add_contradiction("existence.end_date", "the end of the country", country.state().as_str_name());
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::DateInterval;

    use super::*;
    use crate::kinds::table::{assert_findings, assert_table};
    use crate::values::localized_text::tests::text;
    use crate::values::partial_date::tests::date;

    #[test]
    fn a_country_is_refused_for_what_cannot_be_true() {
        let good = Country {
            name: "countries/cs".into(),
            display_name: "Czechoslovakia".into(),
            official_names: vec![text("en", "Czechoslovak Republic"), text("cs", "Československá republika")],
            short_names: vec![text("en", "Czechoslovakia")],
            relations_established_date: Some(date(1925, 0, 0)),
            existence: Some(DateInterval { start_date: Some(date(1918, 10, 28)), end_date: Some(date(1992, 12, 31)) }),
            predecessors: vec!["countries/at-hu".into()],
            successors: vec!["countries/cz".into(), "countries/sk".into()],
            ..Country::default()
        };
        assert_table(
            &good,
            check,
            &[
                (
                    "an official name in a language twice",
                    |country| country.official_names.push(text("EN", "Czecho-Slovakia")),
                    Some("official_names[2].language_code"),
                ),
                (
                    "a short name in a language twice",
                    |country| country.short_names.push(text("en", "CSFR")),
                    Some("short_names[1].language_code"),
                ),
                (
                    "it preceded itself",
                    |country| country.predecessors.push(country.name.clone()),
                    Some("predecessors[1]"),
                ),
                ("it followed itself", |country| country.successors.push(country.name.clone()), Some("successors[2]")),
                ("it belongs to itself", |country| country.sovereign.clone_from(&country.name), Some("sovereign")),
                ("it preceded and followed another", |country| country.predecessors.push("countries/cz".into()), None),
                (
                    "relations after its end",
                    |country| country.relations_established_date = Some(date(1993, 1, 1)),
                    Some("relations_established_date"),
                ),
                (
                    "relations in the year of its end",
                    |country| country.relations_established_date = Some(date(1992, 0, 0)),
                    None,
                ),
                (
                    "relations before its beginning",
                    |country| country.relations_established_date = Some(date(1910, 0, 0)),
                    None,
                ),
                ("it still exists", |country| country.existence = None, None),
            ],
        );
    }

    #[test]
    fn a_partnership_with_a_country_that_is_no_more_is_strange() {
        let ended = DateInterval { start_date: None, end_date: Some(date(1992, 12, 31)) };
        let good = Country { state: CountryState::Ended.into(), existence: Some(ended), ..Country::default() };
        assert_findings(
            &good,
            find,
            &[
                ("it is active", |it| it.set_state(CountryState::Active), Some("existence.end_date")),
                ("it is thought of", |it| it.set_state(CountryState::Proposed), Some("existence.end_date")),
                ("nothing is said of it", |it| it.set_state(CountryState::Unspecified), None),
                (
                    "it is active, and the country exists",
                    |it| {
                        it.set_state(CountryState::Active);
                        it.existence = Some(DateInterval { start_date: Some(date(1918, 0, 0)), end_date: None });
                    },
                    None,
                ),
            ],
        );
    }
}
