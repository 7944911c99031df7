//! What a test of a convention went through: it must be all that the descriptors say the convention is for, so that no
//! kind, method or field escapes; and how many there were is written down, for `.ci/run` to show.
//!
//! The wanted ones are collected from the descriptors before anything is called, and never by what the test itself does.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// Where each convention leaves its line.
const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/conventions");

/// What a convention is for, and which of that a test has seen hold.
pub(crate) struct Coverage {
    convention: &'static str,
    /// `kinds`, `methods` or `fields`.
    what: &'static str,
    wanted: BTreeSet<String>,
    held: BTreeSet<String>,
}

impl Coverage {
    /// Begins to count. `convention` begins with the number of its AIP.
    pub(crate) fn of(
        convention: &'static str,
        what: &'static str,
        wanted: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let wanted: BTreeSet<String> = wanted.into_iter().map(Into::into).collect();
        assert!(!wanted.is_empty(), "{convention}: the descriptors have none of these {what}");
        Self { convention, what, wanted, held: BTreeSet::new() }
    }

    /// The convention was seen to hold for this one.
    pub(crate) fn held(&mut self, one: impl Into<String>) {
        let one = one.into();
        assert!(self.wanted.contains(&one), "{}: {one} was not wanted", self.convention);
        self.held.insert(one);
    }

    /// All of them were seen. Fails on whatever escaped.
    pub(crate) fn complete(self) {
        let escaped: Vec<_> = self.wanted.difference(&self.held).collect();
        assert!(escaped.is_empty(), "{}: these {} escaped: {escaped:#?}", self.convention, self.what);
        let file: String = self.convention.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let line = format!("{:>5} {:<7} {}\n", self.held.len(), self.what, self.convention);
        let folder = PathBuf::from(FOLDER);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{file}-{}", self.what)), line).unwrap();
    }
}

#[test]
#[should_panic(expected = "these fields escaped")]
fn what_a_test_did_not_see_has_escaped() {
    let mut coverage = Coverage::of("000 an example", "fields", ["a", "b"]);
    coverage.held("a");
    coverage.complete();
}

#[test]
#[should_panic(expected = "was not wanted")]
fn what_the_descriptors_do_not_name_cannot_be_counted() {
    Coverage::of("000 an example", "fields", ["a"]).held("b");
}
