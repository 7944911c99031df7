//! The rules of focus areas: a field of cooperation has one name a language, and has each code of another classification
//! once.

use std::collections::HashSet;

use partnership_registry::v1::FocusArea;

use crate::findings::Findings;
use crate::values::localized_text::check_one_per_language;
use crate::violations::Violations;

/// Notes what cannot be true of any focus area.
pub(crate) fn check(area: &FocusArea, violations: &mut Violations) {
    check_one_per_language("display_names", &area.display_names, violations);
    let mut seen = HashSet::new();
    for (index, code) in area.codes.iter().enumerate() {
        if !seen.insert((&code.scheme, &code.code)) {
            violations.add(format!("codes[{index}]"), "must not be listed twice");
        }
    }
}

/// Notes what is strange and may yet be so: a focus area has no state that anything could contradict.
pub(crate) fn find(_: &FocusArea, _: &mut Findings) {}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::FocusAreaCode;

    use super::*;
    use crate::kinds::table::assert_table;
    use crate::values::localized_text::tests::text;

    fn code(scheme: &str, code: &str) -> FocusAreaCode {
        FocusAreaCode { scheme: scheme.into(), code: code.into(), title: String::new() }
    }

    #[test]
    fn a_focus_area_is_refused_for_what_cannot_be_true() {
        let good = FocusArea {
            name: "focusAreas/artificial-intelligence".into(),
            display_name: "Artificial intelligence".into(),
            parent: "focusAreas/technology".into(),
            display_names: vec![text("en", "Artificial intelligence"), text("fr", "Intelligence artificielle")],
            codes: vec![code("oecd-dac-5", "22040"), code("sdg-target", "9.5")],
            ..FocusArea::default()
        };
        assert_table(
            &good,
            check,
            &[
                ("it has no parent", |area| area.parent.clear(), None),
                (
                    "a language twice",
                    |area| area.display_names.push(text("en", "AI")),
                    Some("display_names[2].language_code"),
                ),
                ("a code twice", |area| area.codes.push(code("sdg-target", "9.5")), Some("codes[2]")),
                ("another code of a scheme", |area| area.codes.push(code("sdg-target", "17.6")), None),
                ("the same code of another scheme", |area| area.codes.push(code("sdg-goal", "9.5")), None),
            ],
        );
    }
}
