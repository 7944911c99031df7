//! The rules of what a project is divided into, and of where it is done: shares of its focus areas and countries, and
//! places.
//!
//! A share belongs to something that the project names, and to it once. That shares make up the whole is not asked for:
//! it is found when they do not.

use std::collections::{BTreeMap, HashSet};

use partnership_registry::v1::{FindingCode, Project, ProjectLocation};

use crate::findings::Findings;
use crate::values::reference::check_exactly_one;
use crate::violations::Violations;

/// What a share that was rounded to two digits may differ by from the true one.
const ROUNDING: f64 = 0.01;
/// What calculating with binary fractions may add to that.
const CALCULATION: f64 = 1e-6;

/// Notes shares of what the project does not name, second shares, and half coordinates.
pub(super) fn check(project: &Project, violations: &mut Violations) {
    check_focus_areas(project, violations);
    check_countries(project, violations);
    for (index, location) in project.locations.iter().enumerate() {
        check_location(&format!("locations[{index}]"), location, violations);
    }
}

fn check_focus_areas(project: &Project, violations: &mut Violations) {
    let (named, mut seen) = (set(&project.focus_areas), HashSet::new());
    for (index, weight) in project.focus_area_weights.iter().enumerate() {
        let field = format!("focus_area_weights[{index}].focus_area");
        let area = weight.focus_area.as_str();
        // That it is given is asked elsewhere.
        if area.is_empty() {
        } else if !named.contains(area) {
            violations.add(field, format!("must be one of the project's focus areas, and {area} is not"));
        } else if !seen.insert(area) {
            violations.add(field, format!("must differ from that of every other weight, and {area} is used twice"));
        }
    }
}

fn check_countries(project: &Project, violations: &mut Violations) {
    let (named, unresolved) = (set(&project.countries), set(&project.unresolved_countries));
    let mut seen = HashSet::new();
    for (index, weight) in project.country_weights.iter().enumerate() {
        let path = format!("country_weights[{index}]");
        let fields = [("country", weight.country.as_str()), ("unresolved_country", weight.unresolved_country.as_str())];
        check_exactly_one(&path, &fields, violations);
        for ((field, value), named) in fields.into_iter().zip([&named, &unresolved]) {
            if value.is_empty() {
            } else if !named.contains(value) {
                let rule = format!("must be one of the project's countries, and {value} is not");
                violations.add(format!("{path}.{field}"), rule);
            } else if !seen.insert((field, value)) {
                let rule = format!("must differ from that of every other weight, and {value} is used twice");
                violations.add(format!("{path}.{field}"), rule);
            }
        }
    }
}

fn set(texts: &[String]) -> HashSet<&str> {
    texts.iter().map(String::as_str).collect()
}

fn check_location(path: &str, location: &ProjectLocation, violations: &mut Violations) {
    match (location.latitude, location.longitude) {
        (Some(_), None) => violations.add(format!("{path}.longitude"), "is required beside a latitude"),
        (None, Some(_)) => violations.add(format!("{path}.latitude"), "is required beside a longitude"),
        (Some(_), Some(_)) | (None, None) => {}
    }
}

/// Notes shares that do not make up the whole, and places in the sea where all coordinates are nothing.
pub(super) fn find(project: &Project, findings: &mut Findings) {
    // Each list of areas divides the whole project.
    let mut schemes = BTreeMap::<&str, Vec<f64>>::new();
    for weight in &project.focus_area_weights {
        schemes.entry(&weight.scheme).or_default().push(weight.percent);
    }
    for (scheme, shares) in schemes {
        let of = if scheme.is_empty() { String::new() } else { format!(" of {scheme:?}") };
        find_whole("focus_area_weights", &of, &shares, findings);
    }
    let shares: Vec<_> = project.country_weights.iter().map(|weight| weight.percent).collect();
    find_whole("country_weights", "", &shares, findings);
    for (index, location) in project.locations.iter().enumerate() {
        if location.latitude == Some(0.0) && location.longitude == Some(0.0) {
            let text = format_args!("0 degrees north and east is in the sea; it is kept as it came");
            findings.add(FindingCode::LocationUnlikely, format_args!("locations[{index}]"), text);
        }
    }
}

fn find_whole(field: &str, of: &str, shares: &[f64], findings: &mut Findings) {
    let sum: f64 = shares.iter().sum();
    let tolerance: f64 = shares.iter().map(|_| ROUNDING).sum::<f64>() + CALCULATION;
    if !shares.is_empty() && (sum - 100.0).abs() > tolerance {
        // Not every digit of a sum of fractions says something.
        let sum = (sum * 1e6).round() / 1e6;
        let text = format_args!("the shares{of} add up to {sum} per cent, not 100; they are kept as they came");
        findings.add(FindingCode::WeightsNotWhole, field, text);
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{ProjectCountryWeight, ProjectFocusAreaWeight};

    use super::*;
    use crate::kinds::table::{assert_findings_of, assert_table};

    fn area(id: &str, percent: f64) -> ProjectFocusAreaWeight {
        ProjectFocusAreaWeight { focus_area: format!("focusAreas/{id}"), percent, ..ProjectFocusAreaWeight::default() }
    }

    fn country(id: &str, percent: f64) -> ProjectCountryWeight {
        ProjectCountryWeight { country: format!("countries/{id}"), percent, ..ProjectCountryWeight::default() }
    }

    fn region(name: &str, percent: f64) -> ProjectCountryWeight {
        ProjectCountryWeight { unresolved_country: name.into(), percent, ..ProjectCountryWeight::default() }
    }

    fn location(latitude: Option<f64>, longitude: Option<f64>) -> ProjectLocation {
        ProjectLocation { latitude, longitude, ..ProjectLocation::default() }
    }

    fn good() -> Project {
        Project {
            focus_areas: ["ai", "health", "water"].map(|id| format!("focusAreas/{id}")).into(),
            focus_area_weights: vec![area("ai", 66.67), area("health", 33.34)],
            countries: ["kr", "ir", "tj"].map(|id| format!("countries/{id}")).into(),
            unresolved_countries: vec!["Central Asia".into()],
            country_weights: vec![country("kr", 50.0), country("ir", 25.5), region("Central Asia", 24.5)],
            locations: vec![location(Some(-90.0), Some(180.0)), location(None, None), location(Some(0.0), Some(51.4))],
            ..Project::default()
        }
    }

    #[test]
    fn a_share_is_of_something_that_the_project_names_and_the_only_one_of_it() {
        assert_table(
            &good(),
            check,
            &[
                (
                    "an area that the project does not name",
                    |it| it.focus_area_weights.push(area("space", 1.0)),
                    Some("focus_area_weights[2].focus_area"),
                ),
                (
                    "an area twice",
                    |it| it.focus_area_weights.push(area("ai", 1.0)),
                    Some("focus_area_weights[2].focus_area"),
                ),
                (
                    "an area twice, in another list",
                    |it| {
                        it.focus_area_weights
                            .push(ProjectFocusAreaWeight { scheme: "oecd-dac".into(), ..area("ai", 100.0) })
                    },
                    Some("focus_area_weights[2].focus_area"),
                ),
                ("no area, which is refused elsewhere", |it| it.focus_area_weights[0].focus_area.clear(), None),
                ("an area without a share", |it| it.focus_area_weights.push(area("water", 0.0)), None),
                (
                    "a country that the project does not name",
                    |it| it.country_weights.push(country("cn", 1.0)),
                    Some("country_weights[3].country"),
                ),
                (
                    "a country twice",
                    |it| it.country_weights.push(country("kr", 1.0)),
                    Some("country_weights[3].country"),
                ),
                (
                    "a region that the project does not name",
                    |it| it.country_weights.push(region("Asia", 1.0)),
                    Some("country_weights[3].unresolved_country"),
                ),
                (
                    "a region twice",
                    |it| it.country_weights.push(region("Central Asia", 1.0)),
                    Some("country_weights[3].unresolved_country"),
                ),
                ("no country", |it| it.country_weights[0].country.clear(), Some("country_weights[0]")),
                (
                    "a country and a region at once",
                    |it| it.country_weights[2].country = "countries/tj".into(),
                    Some("country_weights[2]"),
                ),
                ("a latitude alone", |it| it.locations[1].latitude = Some(1.0), Some("locations[1].longitude")),
                ("a longitude alone", |it| it.locations[1].longitude = Some(1.0), Some("locations[1].latitude")),
            ],
        );
    }

    #[test]
    fn shares_that_do_not_make_up_the_whole_are_strange_and_so_is_a_place_in_the_sea() {
        assert_findings_of(
            FindingCode::WeightsNotWhole,
            &good(),
            find,
            &[
                ("less", |it| it.focus_area_weights[0].percent = 60.0, Some("focus_area_weights")),
                ("more", |it| it.country_weights[0].percent = 50.1, Some("country_weights")),
                ("what rounding does not explain", |it| it.country_weights[0].percent = 50.04, Some("country_weights")),
                ("what rounding explains", |it| it.country_weights[0].percent = 50.02, None),
                ("no shares at all", |it| it.focus_area_weights.clear(), None),
                (
                    "the whole once more by another list",
                    |it| {
                        it.focus_area_weights
                            .push(ProjectFocusAreaWeight { scheme: "oecd-dac".into(), ..area("water", 100.0) })
                    },
                    None,
                ),
                (
                    "a part by another list",
                    |it| {
                        it.focus_area_weights
                            .push(ProjectFocusAreaWeight { scheme: "oecd-dac".into(), ..area("water", 40.0) })
                    },
                    Some("focus_area_weights"),
                ),
            ],
        );
        assert_findings_of(
            FindingCode::LocationUnlikely,
            &good(),
            find,
            &[
                ("nothing and nothing", |it| it.locations.push(location(Some(0.0), Some(0.0))), Some("locations[3]")),
                ("on the equator", |it| it.locations.push(location(Some(0.0), Some(100.0))), None),
                ("at Greenwich", |it| it.locations.push(location(Some(51.5), Some(0.0))), None),
            ],
        );
    }

    #[test]
    fn the_sum_is_told_and_whose_it_is() {
        let mut project = good();
        project.focus_area_weights = vec![
            ProjectFocusAreaWeight { scheme: "oecd-dac".into(), ..area("ai", 33.3) },
            ProjectFocusAreaWeight { scheme: "oecd-dac".into(), ..area("health", 33.3) },
        ];
        let mut findings = Findings::new();
        find(&project, &mut findings);
        let told: Vec<_> = findings.iter().map(|finding| finding.text.as_str()).collect();
        let expected = "the shares of \"oecd-dac\" add up to 66.6 per cent, not 100; they are kept as they came";
        assert_eq!(told, [expected]);
    }
}
