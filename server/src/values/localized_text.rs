//! What holds for texts by language, whatever kind they belong to.

use std::collections::HashSet;

use partnership_registry::v1::LocalizedText;

use crate::violations::Violations;

/// Notes each text of `field` whose language another before it has. Languages are compared as BCP 47 does: case means
/// nothing.
pub(crate) fn check_one_per_language(field: &str, texts: &[LocalizedText], violations: &mut Violations) {
    let mut seen = HashSet::new();
    for (index, text) in texts.iter().enumerate() {
        if !text.language_code.is_empty() && !seen.insert(text.language_code.to_ascii_lowercase()) {
            violations.add(
                format!("{field}[{index}].language_code"),
                format!("must differ from that of every other text, and {} is used twice", text.language_code),
            );
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A text in a language.
    pub(crate) fn text(language_code: &str, text: &str) -> LocalizedText {
        LocalizedText { language_code: language_code.into(), text: text.into() }
    }

    #[test]
    fn a_language_has_one_text() {
        let table: [(&str, &[&str], &[&str]); 5] = [
            ("no text", &[], &[]),
            ("three languages", &["en", "fa", "ko"], &[]),
            ("two scripts of one language", &["zh-Hans", "zh-Hant"], &[]),
            ("the same language in other letters", &["en-GB", "fa", "EN-gb"], &["names[2].language_code"]),
            ("no language, which is refused elsewhere", &["", ""], &[]),
        ];
        for (what, languages, expected) in table {
            let texts: Vec<_> = languages.iter().map(|language| text(language, "x")).collect();
            let mut violations = Violations::new();
            check_one_per_language("names", &texts, &mut violations);
            let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
            assert_eq!(fields, expected, "{what}");
        }
    }
}
