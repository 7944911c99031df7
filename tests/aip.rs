//! docs/aip.md: every test that it names is there, so that no line rests on nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../docs/aip.md");

/// All sources of the tests and of the server.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What stands in backticks in a line of the table and is named as tests are: a sentence of at least three words.
fn tests_in(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|name| {
        name.matches('_').count() >= 2
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'0'..=b'9'))
    })
}

#[test]
fn every_line_about_the_aips_names_a_test_that_exists_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["tests", "server/src", "client/src"] {
        sources(&root.join(folder), &mut files);
    }
    let mut tests = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let names = text.split("fn ").skip(1).filter_map(|rest| rest.split_once("()")).map(|(name, _)| name.to_owned());
        tests.extend(names);
    }
    let lines: Vec<_> = PAGE.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| AIP")).collect();
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.starts_with("| ---")).collect();
    assert!(lines.len() > 42, "docs/aip.md has {} lines", lines.len());
    let mut named = 0;
    for line in lines {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [aip, asks, kept, held] = cells.as_slice() else { panic!("not four cells: {line}") };
        assert!(!aip.is_empty() && !asks.is_empty() && !kept.is_empty() && !held.is_empty(), "an empty cell: {line}");
        for test in tests_in(held) {
            assert!(tests.contains(test), "AIP-{aip} is held by {test}, and there is no such test");
            named += 1;
        }
    }
    assert!(named > 40, "docs/aip.md names {named} tests");
}
