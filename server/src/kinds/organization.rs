//! The rules of organizations: an organization is no predecessor and no successor of itself, has one name a language,
//! and plans to spend no less than nothing. What it spent may be less: more came back.

use partnership_registry::v1::Organization;

use crate::findings::Findings;
use crate::values::localized_text::check_one_per_language;
use crate::values::money;
use crate::values::reference::check_none_itself;
use crate::violations::Violations;

/// Notes what cannot be true of any organization.
pub(crate) fn check(organization: &Organization, violations: &mut Violations) {
    check_one_per_language("official_names", &organization.official_names, violations);
    check_none_itself("predecessors", &organization.name, &organization.predecessors, violations);
    check_none_itself("successors", &organization.name, &organization.successors, violations);
    for (index, budget) in organization.budgets.iter().enumerate() {
        if budget.amount.as_ref().is_some_and(money::is_negative) {
            violations.add(format!("budgets[{index}].amount"), "must not be negative");
        }
    }
}

/// Notes what is strange and may yet be so: an organization has no state that anything could contradict.
pub(crate) fn find(_: &Organization, _: &mut Findings) {}

#[cfg(test)]
mod tests {
    use partnership_registry::Money;
    use partnership_registry::v1::{OrganizationBudget, OrganizationExpenditure};

    use super::*;
    use crate::kinds::table::assert_table;
    use crate::values::localized_text::tests::text;

    fn amount(units: i64) -> Option<Money> {
        Some(Money { currency_code: "KRW".into(), units, nanos: 0 })
    }

    #[test]
    fn an_organization_is_refused_for_what_cannot_be_true() {
        let good = Organization {
            name: "organizations/ministry-of-health".into(),
            display_name: "Ministry of Health".into(),
            official_names: vec![text("en", "Ministry of Health"), text("de", "Gesundheitsministerium")],
            parent: "organizations/government".into(),
            predecessors: vec!["organizations/health-office".into()],
            successors: vec!["organizations/ministry-of-health-and-care".into()],
            budgets: vec![OrganizationBudget { amount: amount(0), ..OrganizationBudget::default() }],
            expenditures: vec![OrganizationExpenditure { amount: amount(-5), ..OrganizationExpenditure::default() }],
            ..Organization::default()
        };
        assert_table(
            &good,
            check,
            &[
                (
                    "a name in a language twice",
                    |organization| organization.official_names.push(text("de", "Ministerium")),
                    Some("official_names[2].language_code"),
                ),
                (
                    "a budget below nothing",
                    |it| it.budgets.push(OrganizationBudget { amount: amount(-1), ..OrganizationBudget::default() }),
                    Some("budgets[1].amount"),
                ),
                ("it has no parent", |organization| organization.parent.clear(), None),
                (
                    "it preceded itself",
                    |organization| organization.predecessors.push(organization.name.clone()),
                    Some("predecessors[1]"),
                ),
                (
                    "it followed itself",
                    |organization| organization.successors.insert(0, organization.name.clone()),
                    Some("successors[0]"),
                ),
            ],
        );
    }
}
