//! The rules of organizations: an organization is no predecessor and no successor of itself, and has one name a
//! language.

use partnership_registry::v1::Organization;

use crate::findings::Findings;
use crate::values::localized_text::check_one_per_language;
use crate::values::reference::check_none_itself;
use crate::violations::Violations;

/// Notes what cannot be true of any organization.
pub(crate) fn check(organization: &Organization, violations: &mut Violations) {
    check_one_per_language("official_names", &organization.official_names, violations);
    check_none_itself("predecessors", &organization.name, &organization.predecessors, violations);
    check_none_itself("successors", &organization.name, &organization.successors, violations);
}

/// Notes what is strange and may yet be so: an organization has no state that anything could contradict.
pub(crate) fn find(_: &Organization, _: &mut Findings) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::table::assert_table;
    use crate::values::localized_text::tests::text;

    #[test]
    fn an_organization_is_refused_for_what_cannot_be_true() {
        let good = Organization {
            name: "organizations/ministry-of-health".into(),
            display_name: "Ministry of Health".into(),
            official_names: vec![text("en", "Ministry of Health"), text("de", "Gesundheitsministerium")],
            parent: "organizations/government".into(),
            predecessors: vec!["organizations/health-office".into()],
            successors: vec!["organizations/ministry-of-health-and-care".into()],
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
