//! The rules of feasibility studies: each dimension is looked at once, costs are a range in one currency, and a study
//! does not go on from itself.

use std::collections::HashSet;

use partnership_registry::v1::{
    FeasibilityStudy, FeasibilityStudyCostRange, FeasibilityStudyRecommendation, FeasibilityStudyState,
};

use crate::findings::Findings;
use crate::values::localized_text::check_one_per_language;
use crate::values::money;
use crate::values::reference::check_not_itself;
use crate::violations::Violations;

/// Notes what cannot be true of any feasibility study.
pub(crate) fn check(study: &FeasibilityStudy, violations: &mut Violations) {
    check_one_per_language("titles", &study.titles, violations);
    check_not_itself("previous_study", &study.name, &study.previous_study, violations);
    let mut seen = HashSet::new();
    for (index, dimension) in study.dimensions.iter().enumerate() {
        if !seen.insert(dimension.r#type) {
            violations.add(format!("dimensions[{index}].type"), "must differ from that of every other dimension");
        }
    }
    if let Some(range) = &study.cost_range {
        check_cost_range(range, violations);
    }
}

fn check_cost_range(range: &FeasibilityStudyCostRange, violations: &mut Violations) {
    let (low, high) = (range.low.as_ref(), range.high.as_ref());
    let mut negative = false;
    for (field, amount) in [("cost_range.low", low), ("cost_range.high", high)] {
        if amount.is_some_and(money::is_negative) {
            violations.add(field, "must not be negative");
            negative = true;
        }
    }
    if let (Some(low), Some(high), false) = (low, high, negative) {
        if low.currency_code != high.currency_code {
            violations.add("cost_range.high", "must be in the currency of the lowest cost");
        } else if money::order(low) > money::order(high) {
            violations.add("cost_range.high", "must not be below the lowest cost");
        }
    }
}

/// Notes what contradicts the state: a study that is only thought of advises nothing yet.
pub(crate) fn find(study: &FeasibilityStudy, findings: &mut Findings) {
    let advises = study.recommendation() != FeasibilityStudyRecommendation::Unspecified;
    if study.state() == FeasibilityStudyState::Proposed && advises {
        findings.add_contradiction("recommendation", "a recommendation", study.state().as_str_name());
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::Money;
    use partnership_registry::v1::{FeasibilityStudyDimension, FeasibilityStudyDimensionType};

    use super::*;
    use crate::kinds::table::{assert_findings, assert_table};
    use crate::values::localized_text::tests::text;

    fn dimension(dimension_type: FeasibilityStudyDimensionType) -> FeasibilityStudyDimension {
        FeasibilityStudyDimension { r#type: dimension_type.into(), ..FeasibilityStudyDimension::default() }
    }

    fn money(currency_code: &str, units: i64, nanos: i32) -> Option<Money> {
        Some(Money { currency_code: currency_code.into(), units, nanos })
    }

    fn set(study: &mut FeasibilityStudy, low: Option<Money>, high: Option<Money>) {
        study.cost_range = Some(FeasibilityStudyCostRange { low, high, ..FeasibilityStudyCostRange::default() });
    }

    #[test]
    fn a_feasibility_study_is_refused_for_what_cannot_be_true() {
        let good = FeasibilityStudy {
            name: "feasibilityStudies/example".into(),
            display_name: "An Example".into(),
            titles: vec![text("en", "An Example")],
            dimensions: vec![
                dimension(FeasibilityStudyDimensionType::Need),
                dimension(FeasibilityStudyDimensionType::Legal),
            ],
            cost_range: Some(FeasibilityStudyCostRange {
                low: money("KRW", 5, 0),
                high: money("KRW", 5, 1),
                ..FeasibilityStudyCostRange::default()
            }),
            commissioners: vec!["countries/kr".into()],
            previous_study: "feasibilityStudies/before".into(),
            ..FeasibilityStudy::default()
        };
        assert_table(
            &good,
            check,
            &[
                (
                    "a title in a language twice",
                    |it| it.titles.push(text("en", "Same")),
                    Some("titles[1].language_code"),
                ),
                ("it goes on from itself", |it| it.previous_study.clone_from(&it.name), Some("previous_study")),
                (
                    "a dimension twice",
                    |it| it.dimensions.push(dimension(FeasibilityStudyDimensionType::Need)),
                    Some("dimensions[2].type"),
                ),
                ("another dimension", |it| it.dimensions.push(dimension(FeasibilityStudyDimensionType::Risk)), None),
                ("no costs", |it| it.cost_range = None, None),
                ("a lowest cost alone", |it| set(it, money("KRW", 1, 0), None), None),
                ("one cost", |it| set(it, money("KRW", 1, 0), money("KRW", 1, 0)), None),
                (
                    "the highest below the lowest",
                    |it| set(it, money("KRW", 6, 0), money("KRW", 5, 9)),
                    Some("cost_range.high"),
                ),
                ("two currencies", |it| set(it, money("KRW", 1, 0), money("USD", 2, 0)), Some("cost_range.high")),
                ("a negative cost", |it| set(it, money("KRW", -1, 0), money("KRW", 5, 0)), Some("cost_range.low")),
                ("a highest cost below nothing", |it| set(it, None, money("KRW", 0, -1)), Some("cost_range.high")),
            ],
        );
    }

    #[test]
    fn a_study_that_advises_before_it_is_made_is_strange() {
        let good = FeasibilityStudy {
            state: FeasibilityStudyState::Approved.into(),
            recommendation: FeasibilityStudyRecommendation::Proceed.into(),
            ..FeasibilityStudy::default()
        };
        assert_findings(
            &good,
            find,
            &[
                ("it is only thought of", |it| it.set_state(FeasibilityStudyState::Proposed), Some("recommendation")),
                ("it is being made", |it| it.set_state(FeasibilityStudyState::UnderWay), None),
                ("nothing is said of it", |it| it.set_state(FeasibilityStudyState::Unspecified), None),
                (
                    "it is only thought of, and advises nothing",
                    |it| {
                        it.set_state(FeasibilityStudyState::Proposed);
                        it.set_recommendation(FeasibilityStudyRecommendation::Unspecified);
                    },
                    None,
                ),
            ],
        );
    }
}
