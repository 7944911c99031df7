//! The rules of delegations: a delegation goes from one side to another, each member is one person, and no delegation
//! reports before it travels.

use partnership_registry::v1::{Delegation, DelegationState};

use crate::findings::Findings;
use crate::values::partial_date::both_and_before;
use crate::values::reference::check_exactly_one;
use crate::violations::Violations;

/// Notes what cannot be true of any delegation.
pub(crate) fn check(delegation: &Delegation, violations: &mut Violations) {
    check_sides(delegation, violations);
    for (index, member) in delegation.members.iter().enumerate() {
        let who = [("official", member.official.as_str()), ("unresolved_name", &member.unresolved_name)];
        check_exactly_one(&format!("members[{index}]"), &who, violations);
    }
    let departure = delegation.actual_dates.as_ref().and_then(|dates| dates.start_date.as_ref());
    if both_and_before(delegation.report_date.as_ref(), departure) {
        violations.add("report_date", "must not be before the delegation travels");
    }
}

/// Checks that sender and receiver differ. Organizations of one country may send to each other.
fn check_sides(delegation: &Delegation, violations: &mut Violations) {
    let same = |sender: &str, receiver: &str| !sender.is_empty() && sender == receiver;
    if same(&delegation.sending_organization, &delegation.receiving_organization) {
        violations.add("receiving_organization", "must differ from the sending organization");
    }
    let between_organizations =
        !delegation.sending_organization.is_empty() && !delegation.receiving_organization.is_empty();
    if same(&delegation.sending_country, &delegation.receiving_country) && !between_organizations {
        violations.add("receiving_country", "must differ from the sending country");
    }
}

/// Notes what contradicts the state: a delegation that did not go has travelled, or reports.
pub(crate) fn find(delegation: &Delegation, findings: &mut Findings) {
    let stayed = match delegation.state() {
        DelegationState::Proposed | DelegationState::Approved | DelegationState::Cancelled => true,
        DelegationState::Unspecified
        | DelegationState::OnMission
        | DelegationState::Returned
        | DelegationState::Reported => false,
    };
    if !stayed {
        return;
    }
    let contradictions = [
        ("actual_dates", "that it travelled", delegation.actual_dates.is_some()),
        ("report", "a report", !delegation.report.is_empty()),
        ("report_date", "the day of a report", delegation.report_date.is_some()),
    ];
    for (field, what, _) in contradictions.iter().filter(|(_, _, said)| *said) {
        findings.add_contradiction(field, what, delegation.state().as_str_name());
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{DateInterval, DelegationMember};

    use super::*;
    use crate::kinds::table::{assert_findings, assert_table};
    use crate::values::partial_date::tests::date;

    #[test]
    fn a_delegation_is_refused_for_what_cannot_be_true() {
        let good = Delegation {
            name: "delegations/example".into(),
            display_name: "An Example".into(),
            sending_country: "countries/kr".into(),
            sending_organization: "organizations/sender".into(),
            receiving_country: "countries/ir".into(),
            receiving_organization: "organizations/receiver".into(),
            members: vec![DelegationMember { official: "officials/a".into(), ..DelegationMember::default() }],
            actual_dates: Some(DateInterval { start_date: Some(date(2025, 9, 1)), end_date: None }),
            report_date: Some(date(2025, 9, 0)),
            ..Delegation::default()
        };
        assert_table(
            &good,
            check,
            &[
                (
                    "an organization to itself",
                    |it| it.receiving_organization.clone_from(&it.sending_organization),
                    Some("receiving_organization"),
                ),
                (
                    "a country to itself",
                    |it| {
                        it.receiving_country.clone_from(&it.sending_country);
                        it.receiving_organization.clear();
                    },
                    Some("receiving_country"),
                ),
                (
                    "one organization of a country to another",
                    |it| it.receiving_country.clone_from(&it.sending_country),
                    None,
                ),
                ("nothing settled yet", |it| *it = Delegation { name: it.name.clone(), ..Delegation::default() }, None),
                ("nobody as a member", |it| it.members.push(DelegationMember::default()), Some("members[1]")),
                (
                    "a member that is two",
                    |it| {
                        it.members.push(DelegationMember {
                            official: "officials/a".into(),
                            unresolved_name: "Somebody".into(),
                            ..DelegationMember::default()
                        });
                    },
                    Some("members[1]"),
                ),
                ("a report before the journey", |it| it.report_date = Some(date(2025, 8, 31)), Some("report_date")),
                (
                    "a report of a journey that is only planned",
                    |it| {
                        it.planned_dates = it.actual_dates.take();
                        it.report_date = Some(date(2024, 0, 0));
                    },
                    None,
                ),
            ],
        );
    }

    #[test]
    fn a_delegation_that_did_not_go_and_travelled_or_reports_is_strange() {
        let good = Delegation {
            state: DelegationState::Returned.into(),
            actual_dates: Some(DateInterval { start_date: Some(date(2025, 9, 1)), end_date: None }),
            ..Delegation::default()
        };
        assert_findings(
            &good,
            find,
            &[
                ("it reports", |it| it.report = "We saw it.".into(), None),
                ("it is only wanted", |it| it.set_state(DelegationState::Proposed), Some("actual_dates")),
                ("it does not go", |it| it.set_state(DelegationState::Cancelled), Some("actual_dates")),
                (
                    "it reports before it goes",
                    |it| {
                        *it = Delegation { report: "We saw it.".into(), ..Delegation::default() };
                        it.set_state(DelegationState::Approved);
                    },
                    Some("report"),
                ),
                (
                    "it reported before it goes",
                    |it| {
                        *it = Delegation { report_date: Some(date(2025, 0, 0)), ..Delegation::default() };
                        it.set_state(DelegationState::Approved);
                    },
                    Some("report_date"),
                ),
                (
                    "it is to go",
                    |it| {
                        it.set_state(DelegationState::Approved);
                        it.planned_dates = it.actual_dates.take();
                    },
                    None,
                ),
            ],
        );
    }
}
