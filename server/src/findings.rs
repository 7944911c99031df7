//! What is strange about a resource and was accepted all the same: each finding with the field that it concerns.
//!
//! The other half of [`Violations`](crate::Violations), for which a resource is refused. Nothing is written out until
//! something is found, and what is found is bounded, however strange a resource is.

use std::fmt::{Arguments, Display};

use partnership_registry::v1::{Finding, FindingCode};

/// The most findings of a resource: a reader takes in no more, and each write carries them. Of more than these the last
/// one says how many are left out.
pub const FINDINGS_MAX: usize = 100;

/// The findings of one resource.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    found: Vec<Finding>,
    left_out: usize,
}

impl Findings {
    /// No findings yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `field` is strange. `text` is a phrase for people: what was found, and what became of it.
    pub fn add(&mut self, code: FindingCode, field: impl Display, text: Arguments<'_>) {
        if self.found.len() < FINDINGS_MAX {
            self.found.push(Finding { code: code.into(), field: field.to_string(), text: text.to_string() });
        } else {
            self.left_out += 1;
        }
    }

    /// Notes that `field`, which says `what`, does not go with a state.
    pub fn add_contradiction(&mut self, field: impl Display, what: &str, state: &str) {
        let text = format_args!("{what} contradicts {state}; both are kept as they came");
        self.add(FindingCode::StateContradicted, field, text);
    }

    /// Notes what was found before.
    pub fn add_found(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// Takes over all of `other`.
    pub fn add_all(&mut self, other: Self) {
        self.found.extend(other.found);
        self.left_out += other.left_out;
    }

    /// Whether nothing is strange.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The findings, in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.found.iter()
    }

    /// Whether this is found of this field.
    #[must_use]
    pub fn has(&self, code: i32, field: &str) -> bool {
        self.found.iter().any(|finding| finding.code == code && finding.field == field)
    }

    /// The findings by `key`, of which equal ones stay in their order: at most [`FINDINGS_MAX`].
    #[must_use]
    pub fn into_sorted<K: Ord>(self, key: impl Fn(&Finding) -> K) -> Vec<Finding> {
        let Self { mut found, mut left_out } = self;
        found.sort_by_cached_key(|finding| key(finding));
        if found.len() + left_out > FINDINGS_MAX {
            left_out += found.len().saturating_sub(FINDINGS_MAX - 1);
            found.truncate(FINDINGS_MAX - 1);
            let text = format!("{left_out} more findings are not listed");
            found.push(Finding { code: FindingCode::More.into(), field: String::new(), text });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize) -> Findings {
        let mut findings = Findings::new();
        for index in 0..count {
            findings.add(FindingCode::DateUnlikely, format_args!("dates[{index}]"), format_args!("strange"));
        }
        findings
    }

    #[test]
    fn of_too_many_findings_the_last_says_how_many_more_there_are() {
        for (count, listed, more) in
            [(0, 0, None), (99, 99, None), (100, 100, None), (101, 100, Some(2)), (5_000, 100, Some(4_901))]
        {
            let found = many(count).into_sorted(|_| 0);
            assert_eq!(found.len(), listed, "{count}");
            let told = found.iter().find(|finding| finding.code() == FindingCode::More);
            assert_eq!(
                told.map(|finding| finding.text.clone()),
                more.map(|more| format!("{more} more findings are not listed")),
                "{count}"
            );
            let expected = (0..listed - usize::from(more.is_some())).map(|index| format!("dates[{index}]"));
            assert!(found.iter().map(|finding| finding.field.clone()).take(99).eq(expected.take(99)), "{count}");
        }
    }

    #[test]
    fn findings_of_several_sources_are_put_in_one_order_before_they_are_cut() {
        let mut findings = many(99);
        let mut other = Findings::new();
        other.add(FindingCode::LinkNotUri, "a", format_args!("first"));
        other.add(FindingCode::LinkNotUri, "z", format_args!("last"));
        assert!(other.has(FindingCode::LinkNotUri.into(), "a") && !other.has(FindingCode::LinkNotUri.into(), "b"));
        findings.add_all(other);
        let found = findings.into_sorted(|finding| finding.field.clone());
        assert_eq!((found[0].field.as_str(), found.len()), ("a", FINDINGS_MAX));
        assert_eq!(found[FINDINGS_MAX - 1].text, "2 more findings are not listed");
    }
}
