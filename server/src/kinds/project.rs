//! The rules of projects: each participant is one, nothing ends before it starts, and no budget is negative.
//!
//! What is closed has ended, else it is strange. That a project is late, or began before it was approved, is not; and a
//! negative transaction corrects another.

mod parts;

use partnership_registry::v1::{Project, ProjectState};

use crate::findings::Findings;
use crate::values::localized_text::check_one_per_language;
use crate::values::money;
use crate::values::partial_date::both_and_before;
use crate::values::reference::{check_exactly_one, check_not_itself};
use crate::violations::Violations;

/// Notes what cannot be true of any project.
pub(crate) fn check(project: &Project, violations: &mut Violations) {
    check_one_per_language("titles", &project.titles, violations);
    check_dates(project, violations);
    for (index, participant) in project.participants.iter().enumerate() {
        let who = [
            ("country", participant.country.as_str()),
            ("organization", &participant.organization),
            ("unresolved_name", &participant.unresolved_name),
        ];
        check_exactly_one(&format!("participants[{index}]"), &who, violations);
    }
    for (index, budget) in project.budgets.iter().enumerate() {
        if budget.amount.as_ref().is_some_and(money::is_negative) {
            violations.add(format!("budgets[{index}].amount"), "must not be negative");
        }
    }
    for (index, relation) in project.related_projects.iter().enumerate() {
        check_not_itself(&format!("related_projects[{index}].project"), &project.name, &relation.project, violations);
    }
    parts::check(project, violations);
}

fn check_dates(project: &Project, violations: &mut Violations) {
    if both_and_before(project.planned_end_date.as_ref(), project.planned_start_date.as_ref()) {
        violations.add("planned_end_date", "must not be before the planned start");
    }
    if both_and_before(project.actual_end_date.as_ref(), project.actual_start_date.as_ref()) {
        violations.add("actual_end_date", "must not be before the actual start");
    }
}

/// Notes what contradicts the state: an end of what is not over, and none of what is closed. And what is strange about
/// the parts of a project.
pub(crate) fn find(project: &Project, findings: &mut Findings) {
    find_contradictions(project, findings);
    parts::find(project, findings);
}

fn find_contradictions(project: &Project, findings: &mut Findings) {
    let state = project.state();
    let (started, ended) = (project.actual_start_date.is_some(), project.actual_end_date.is_some());
    if state == ProjectState::Pipeline && started {
        findings.add_contradiction("actual_start_date", "an actual start", state.as_str_name());
    }
    let contradicted = match state {
        ProjectState::Pipeline | ProjectState::Implementation | ProjectState::Suspended => ended,
        // What never began was given up, and did not end.
        ProjectState::Cancelled => ended && !started,
        ProjectState::Closed => !ended,
        ProjectState::Finalisation | ProjectState::Unspecified => false,
    };
    if contradicted {
        let what = if ended { "an actual end" } else { "the lack of an actual end" };
        findings.add_contradiction("actual_end_date", what, state.as_str_name());
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::Money;
    use partnership_registry::v1::{
        ProjectBudget, ProjectFocusAreaWeight, ProjectParticipant, ProjectRelation, ProjectTransaction,
    };

    use super::*;
    use crate::kinds::table::{assert_findings, assert_table};
    use crate::values::localized_text::tests::text;
    use crate::values::partial_date::tests::{date, unknown};

    fn budget(units: i64, nanos: i32) -> ProjectBudget {
        let amount = Some(Money { currency_code: "USD".into(), units, nanos });
        ProjectBudget { amount, ..ProjectBudget::default() }
    }

    #[test]
    fn a_project_is_refused_for_what_cannot_be_true() {
        let good = Project {
            name: "projects/example".into(),
            display_name: "An Example".into(),
            state: ProjectState::Closed.into(),
            titles: vec![text("en", "An Example")],
            participants: vec![ProjectParticipant { country: "countries/kr".into(), ..ProjectParticipant::default() }],
            planned_start_date: Some(date(2020, 1, 1)),
            planned_end_date: Some(date(2020, 12, 31)),
            actual_start_date: Some(date(2020, 3, 0)),
            actual_end_date: Some(date(2021, 0, 0)),
            budgets: vec![budget(1, 500_000_000), budget(0, 0)],
            transactions: vec![ProjectTransaction { value: budget(-5, 0).amount, ..ProjectTransaction::default() }],
            ..Project::default()
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
                (
                    "a plan that ends before it starts",
                    |it| it.planned_end_date = Some(date(2019, 0, 0)),
                    Some("planned_end_date"),
                ),
                ("an end before the start", |it| it.actual_end_date = Some(date(2020, 2, 29)), Some("actual_end_date")),
                ("an end in the month of the start", |it| it.actual_end_date = Some(date(2020, 3, 1)), None),
                ("begun before the plan", |it| it.actual_start_date = Some(date(2018, 0, 0)), None),
                (
                    "nobody as a participant",
                    |it| it.participants.push(ProjectParticipant::default()),
                    Some("participants[1]"),
                ),
                (
                    "a participant that is two",
                    |it| {
                        it.participants.push(ProjectParticipant {
                            organization: "organizations/un".into(),
                            unresolved_name: "UN".into(),
                            ..ProjectParticipant::default()
                        });
                    },
                    Some("participants[1]"),
                ),
                ("a negative budget", |it| it.budgets.push(budget(-1, 0)), Some("budgets[2].amount")),
                ("a budget a little below nothing", |it| it.budgets.push(budget(0, -1)), Some("budgets[2].amount")),
                (
                    "a share of what it is not about",
                    |it| {
                        it.focus_area_weights.push(ProjectFocusAreaWeight {
                            focus_area: "focusAreas/ai".into(),
                            ..ProjectFocusAreaWeight::default()
                        })
                    },
                    Some("focus_area_weights[0].focus_area"),
                ),
                (
                    "related to itself",
                    |it| {
                        it.related_projects
                            .push(ProjectRelation { project: it.name.clone(), ..ProjectRelation::default() })
                    },
                    Some("related_projects[0].project"),
                ),
            ],
        );
    }

    #[test]
    fn an_end_that_the_state_does_not_have_is_strange_and_so_is_the_lack_of_one() {
        let good = Project {
            state: ProjectState::Closed.into(),
            actual_start_date: Some(date(2020, 3, 0)),
            actual_end_date: Some(unknown()),
            ..Project::default()
        };
        assert_findings(
            &good,
            find,
            &[
                ("closed without an end", |it| it.actual_end_date = None, Some("actual_end_date")),
                ("under way with an end", |it| it.set_state(ProjectState::Implementation), Some("actual_end_date")),
                ("suspended with an end", |it| it.set_state(ProjectState::Suspended), Some("actual_end_date")),
                ("the work is done", |it| it.set_state(ProjectState::Finalisation), None),
                ("given up on its way", |it| it.set_state(ProjectState::Cancelled), None),
                (
                    "given up before it began, and ended",
                    |it| {
                        it.set_state(ProjectState::Cancelled);
                        it.actual_start_date = None;
                    },
                    Some("actual_end_date"),
                ),
                (
                    "planned, and begun",
                    |it| {
                        it.set_state(ProjectState::Pipeline);
                        it.actual_end_date = None;
                    },
                    Some("actual_start_date"),
                ),
                (
                    "planned, and ended",
                    |it| {
                        it.set_state(ProjectState::Pipeline);
                        it.actual_start_date = None;
                    },
                    Some("actual_end_date"),
                ),
                (
                    "under way without an end",
                    |it| {
                        it.set_state(ProjectState::Implementation);
                        it.actual_end_date = None;
                    },
                    None,
                ),
            ],
        );
    }
}
