//! How the rules of a kind are tested: one table a kind for what is refused and one for what is found, one line a rule.

use partnership_registry::v1::FindingCode;

use crate::findings::Findings;
use crate::violations::Violations;

/// Checks that nothing is strange about `good`, and that each change of it has the one finding its line states, or none:
/// that the state contradicts something.
pub(crate) fn assert_findings<K: Clone>(good: &K, find: fn(&K, &mut Findings), table: &[Case<K>]) {
    assert_findings_of(FindingCode::StateContradicted, good, find, table);
}

/// The same for another finding.
pub(crate) fn assert_findings_of<K: Clone>(
    code: FindingCode,
    good: &K,
    find: fn(&K, &mut Findings),
    table: &[Case<K>],
) {
    let unchanged: Case<K> = ("nothing is changed", |_| {}, None);
    for (what, change, expected) in std::iter::once(&unchanged).chain(table) {
        let mut record = good.clone();
        change(&mut record);
        let mut findings = Findings::new();
        find(&record, &mut findings);
        let fields: Vec<_> = findings.iter().map(|finding| finding.field.as_str()).collect();
        assert_eq!(fields, expected.iter().copied().collect::<Vec<_>>(), "{what}: {findings:?}");
        for finding in findings.iter() {
            assert_eq!(finding.code(), code, "{what}");
        }
    }
}

/// What is changed in a good record, how, and the one field that must then be refused or found strange, or `None`.
pub(crate) type Case<K> = (&'static str, fn(&mut K), Option<&'static str>);

/// Checks that `good` is accepted, and that each change of it has the answer its line states.
pub(crate) fn assert_table<K: Clone>(good: &K, check: fn(&K, &mut Violations), table: &[Case<K>]) {
    let unchanged: Case<K> = ("nothing is changed", |_| {}, None);
    for (what, change, expected) in std::iter::once(&unchanged).chain(table) {
        let mut record = good.clone();
        change(&mut record);
        let mut violations = Violations::new();
        check(&record, &mut violations);
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, expected.iter().copied().collect::<Vec<_>>(), "{what}: {violations}");
        for violation in violations.iter() {
            let phrase = violation.description.as_str();
            let lower = phrase.starts_with(|first: char| first.is_lowercase());
            assert!(lower && !phrase.ends_with('.'), "{what}: does not follow the field's name: {phrase}");
        }
    }
}
