//! The rules of the house, read off the sources: who may use what.
//!
//! Each rule is a function of a file's path and text, so that it is also tried on a text that breaks it.

use std::fs;
use std::path::{Path, PathBuf};

/// A rule: the complaint about a file of the server, if there is one.
type Rule = fn(path: &str, text: &str) -> Option<String>;

const RULES: &[Rule] =
    &[imports_go_down, only_the_state_knows_sled, only_the_disk_is_synced_by_the_store, lower_floors_name_no_kind];

fn imports_go_down(path: &str, text: &str) -> Option<String> {
    let forbidden: &[&str] = match path.split('/').next()? {
        "store" => &["crate::registry", "crate::api", "crate::kinds", "crate::serve", "crate::config", "tonic"],
        "registry" => &["crate::api", "crate::serve", "crate::config", "tonic"],
        "kinds" | "values" => {
            &["crate::registry", "crate::store", "crate::api", "crate::time", "tokio", "std::fs", "async fn"]
        }
        "api" => &["crate::serve"],
        _ => &[],
    };
    forbidden.iter().find(|word| code(text).contains(*word)).map(|word| format!("{path} must not use {word}"))
}

fn only_the_state_knows_sled(path: &str, text: &str) -> Option<String> {
    let knows = code(text).contains("sled::");
    (knows && !matches!(path, "store/state/mod.rs" | "store/tests/mod.rs")).then(|| format!("{path} must not use sled"))
}

fn only_the_disk_is_synced_by_the_store(path: &str, text: &str) -> Option<String> {
    let syncs = ["sync_data(", "sync_all("].iter().any(|call| code(text).contains(call));
    (syncs && !matches!(path, "store/journal/mod.rs" | "store/disk.rs")).then(|| format!("{path} must not sync files"))
}

fn lower_floors_name_no_kind(path: &str, text: &str) -> Option<String> {
    if !path.starts_with("registry/") && !path.starts_with("store/") {
        return None;
    }
    let named = KINDS.iter().flat_map(|kind| [format!("v1::{kind};"), format!("v1::{kind},"), format!("Kind::{kind}")]);
    let code = code(text);
    named.into_iter().find(|name| code.contains(name)).map(|name| format!("{path} must not name the kind {name}"))
}

macro_rules! kinds {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        const KINDS: &[&str] = &[$(stringify!($Kind)),*];
    };
}

partnership_registry::for_each_kind!(kinds);

/// The text without comments and unit tests, which may say what they like.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

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

#[test]
fn every_file_keeps_the_rules_of_the_house() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("server/src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    assert!(found.len() > 40, "the sources are found: {}", found.len());
    let mut complaints = Vec::new();
    for path in found {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        // Unit tests that stand in files of their own.
        if name.starts_with("store/tests") || name.ends_with("/tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        complaints.extend(RULES.iter().filter_map(|rule| rule(&name, &text)));
        if !text.starts_with("//!") {
            complaints.push(format!("{name} must open with what it is"));
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_file_that_breaks_a_rule_is_seen() {
    let table: &[(Rule, &str, &str)] = &[
        (imports_go_down, "store/key.rs", "use crate::registry::Name;"),
        (imports_go_down, "registry/read.rs", "use tonic::Status;"),
        (imports_go_down, "kinds/country.rs", "use crate::store::Revision;"),
        (imports_go_down, "values/money.rs", "use crate::registry::Name;"),
        (only_the_state_knows_sled, "registry/read.rs", "fn open() -> sled::Db {}"),
        (only_the_disk_is_synced_by_the_store, "registry/writer.rs", "file.sync_data()?;"),
        (lower_floors_name_no_kind, "registry/draft.rs", "use partnership_registry::v1::Agreement;"),
    ];
    for (rule, path, text) in table {
        assert!(rule(path, text).is_some(), "{path}: {text}");
        assert!(rule(path, &format!("// {text}")).is_none(), "a comment may say it: {text}");
    }
}
