//! Findings as warnings: what is strange about a resource and was accepted, or was asked for and not done.

use partnership_registry_client::v1::Finding;

/// Prints findings to standard error, a line each.
pub(crate) fn warn(name: &str, findings: &[Finding]) {
    for finding in findings {
        eprintln!("{}", line(name, finding));
    }
}

/// `warning: agreements/a: documents[2].uri: is no absolute URI; it is kept as it came`.
pub(crate) fn line(name: &str, finding: &Finding) -> String {
    let field = if finding.field.is_empty() { String::new() } else { format!("{}: ", finding.field) };
    format!("warning: {name}: {field}{}", finding.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_names_the_resource_and_the_field_if_it_is_about_one() {
        let finding = |field: &str| Finding { field: field.into(), text: "is odd".into(), ..Finding::default() };
        assert_eq!(line("agreements/a", &finding("title")), "warning: agreements/a: title: is odd");
        assert_eq!(line("agreements/a", &finding("")), "warning: agreements/a: is odd");
    }
}
