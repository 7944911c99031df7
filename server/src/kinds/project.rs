//! The rules of projects: each participant is one, nothing ends before it starts, no budget is negative, and what is
//! closed has ended.
//!
//! That a project is late, or began before it was approved, is no contradiction.

use partnership_registry::v1::{Project, ProjectState};

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
}

fn check_dates(project: &Project, violations: &mut Violations) {
    if both_and_before(project.planned_end_date.as_ref(), project.planned_start_date.as_ref()) {
        violations.add("planned_end_date", "must not be before the planned start");
    }
    if both_and_before(project.actual_end_date.as_ref(), project.actual_start_date.as_ref()) {
        violations.add("actual_end_date", "must not be before the actual start");
    }
    if project.state() == ProjectState::Closed && project.actual_end_date.is_none() {
        violations.add("actual_end_date", "is required of a closed project; a date that nobody knows is marked as unknown");
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::Money;
    use partnership_registry::v1::{ProjectBudget, ProjectParticipant, ProjectRelation};

    use super::*;
    use crate::kinds::table::assert_table;
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
                ("closed without an end", |it| it.actual_end_date = None, Some("actual_end_date")),
                ("closed on a day that nobody knows", |it| it.actual_end_date = Some(unknown()), None),
                (
                    "under way without an end",
                    |it| {
                        it.set_state(ProjectState::Implementation);
                        it.actual_end_date = None;
                    },
                    None,
                ),
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
}
