//! What holds for references, whatever kind they belong to, and what the annotations cannot say.
//!
//! That a reference is well formed, and that what it names exists, is not asked here.

use crate::violations::Violations;

/// Notes that `reference` is the resource `name` itself. A resource that has no name yet cannot refer to itself.
pub(crate) fn check_not_itself(field: &str, name: &str, reference: &str, violations: &mut Violations) {
    if !name.is_empty() && name == reference {
        violations.add(field, "must not be the resource itself");
    }
}

/// [`check_not_itself`] for each of a list.
pub(crate) fn check_none_itself(field: &str, name: &str, references: &[String], violations: &mut Violations) {
    for (index, reference) in references.iter().enumerate() {
        check_not_itself(&format!("{field}[{index}]"), name, reference, violations);
    }
}

/// Notes that not exactly one of `fields`, which are names and values of fields of the message at `path`, is given.
pub(crate) fn check_exactly_one(path: &str, fields: &[(&str, &str)], violations: &mut Violations) {
    let given: Vec<_> = fields.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| *name).collect();
    if given.len() != 1 {
        let all: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        let have = if given.is_empty() { "none".to_owned() } else { given.join(", ") };
        violations.add(path, format!("must have exactly one of {}, and has {have}", all.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `check` notes, as `field: description`.
    fn noted(check: impl FnOnce(&mut Violations)) -> String {
        let mut violations = Violations::new();
        check(&mut violations);
        violations.to_string()
    }

    #[test]
    fn a_resource_with_a_name_is_told_from_others() {
        let table = [
            ("another", "a/x", "a/y", true),
            ("itself", "a/x", "a/x", false),
            ("nothing", "a/x", "", true),
            ("no name yet", "", "", true),
        ];
        for (what, name, reference, good) in table {
            assert_eq!(noted(|found| check_not_itself("parent", name, reference, found)).is_empty(), good, "{what}");
        }
        let others = ["a/y".to_owned(), "a/x".to_owned()];
        assert!(noted(|found| check_none_itself("list", "a/x", &others, found)).starts_with("list[1]: "));
    }

    #[test]
    fn of_fields_that_exclude_each_other_one_is_given() {
        let table = [
            ("", "", "p: must have exactly one of country, name, and has none"),
            ("countries/kr", "", ""),
            ("", "Corea", ""),
            ("countries/kr", "Corea", "p: must have exactly one of country, name, and has country, name"),
        ];
        for (country, name, expected) in table {
            let check = |found: &mut Violations| check_exactly_one("p", &[("country", country), ("name", name)], found);
            assert_eq!(noted(check), expected);
        }
    }
}
