//! The rules of officials: a person has one name a language. Terms of office may overlap, since one person may hold
//! several posts at once.

use partnership_registry::v1::Official;

use crate::findings::Findings;
use crate::values::localized_text::check_one_per_language;
use crate::violations::Violations;

/// Notes what cannot be true of any official.
pub(crate) fn check(official: &Official, violations: &mut Violations) {
    check_one_per_language("names", &official.names, violations);
}

/// Notes what is strange and may yet be so: an official has no state that anything could contradict.
pub(crate) fn find(_: &Official, _: &mut Findings) {}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{DateInterval, OfficialPost};

    use super::*;
    use crate::kinds::table::assert_table;
    use crate::values::localized_text::tests::text;
    use crate::values::partial_date::tests::date;

    #[test]
    fn an_official_is_refused_for_what_cannot_be_true() {
        let good = Official {
            name: "officials/example".into(),
            display_name: "An Example".into(),
            names: vec![text("en", "An Example"), text("ko", "예시")],
            post: "Ambassador".into(),
            term: Some(DateInterval { start_date: Some(date(2024, 0, 0)), end_date: None }),
            ..Official::default()
        };
        assert_table(
            &good,
            check,
            &[
                (
                    "a name in a language twice",
                    |official| official.names.push(text("ko", "보기")),
                    Some("names[2].language_code"),
                ),
                ("a language in another script", |official| official.names.push(text("ko-Latn", "yesi")), None),
                (
                    "another post at the same time",
                    |official| {
                        official
                            .other_posts
                            .push(OfficialPost { term: official.term.clone(), ..OfficialPost::default() })
                    },
                    None,
                ),
            ],
        );
    }
}
