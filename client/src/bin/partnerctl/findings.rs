//! Findings as warnings: what is strange about a resource and was accepted, or was asked for and not done.

use partnership_registry_client::v1::Finding;

/// Prints findings to standard error.
pub(crate) fn warn(name: &str, findings: &[Finding]) {
    for line in lines(name, findings) {
        eprintln!("{line}");
    }
}

/// A line for each text, such as `warning: agreements/a: documents[2].uri: "b c" is no absolute URI`. Fields of which the
/// same is said share a line.
pub(crate) fn lines(name: &str, findings: &[Finding]) -> Vec<String> {
    let mut said: Vec<(&str, Vec<&str>)> = Vec::new();
    for Finding { field, text, .. } in findings {
        match said.iter_mut().find(|(known, _)| known == text) {
            Some((_, fields)) => fields.push(field),
            None => said.push((text, vec![field])),
        }
    }
    let line = |(text, fields): (&str, Vec<&str>)| match fields.join(", ") {
        fields if fields.is_empty() => format!("warning: {name}: {text}"),
        fields => format!("warning: {name}: {fields}: {text}"),
    };
    said.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_names_the_resource_and_all_fields_of_which_it_is_true() {
        let finding =
            |field: &str, text: &str| Finding { field: field.into(), text: text.into(), ..Finding::default() };
        let findings = [
            finding("uid", "was ignored"),
            finding("website", "is odd"),
            finding("creator", "was ignored"),
            finding("", "more"),
        ];
        let expected = [
            "warning: agreements/a: uid, creator: was ignored",
            "warning: agreements/a: website: is odd",
            "warning: agreements/a: more",
        ];
        assert_eq!(lines("agreements/a", &findings), expected);
    }
}
