//! `apply` of more than one commit takes, and what it tells of what it did not do.

use std::fmt::Write as _;

use super::shell::Shell;
use super::{EMBASSY, KOREA};

/// An agreement of 0.45 MB if it has 500 documents: their titles are long.
fn large(id: usize, documents: usize) -> String {
    let document = format!(r#"{{"title":"{}"}}"#, "x".repeat(900));
    let documents = vec![document; documents].join(",");
    format!(r#"{{"agreement":{{"name":"agreements/large-{id}","displayName":"Large","documents":[{documents}]}}}}"#)
}

#[test]
fn apply_takes_files_of_more_than_a_message_whatever_refers_to_what() {
    let shell = Shell::start();
    let mut text = String::new();
    for number in 0..1_500 {
        let note = "x".repeat(4_000);
        let name = format!(r#""name":"officials/o-{number}","displayName":"O","country":"countries/kr""#);
        writeln!(text, r#"{{"official":{{{name},"note":"{note}"}}}}"#).unwrap();
    }
    writeln!(text, "{KOREA}").unwrap();
    assert!(text.len() > 5 << 20, "more than a message may have");
    shell.write("many.ndjson", &text);
    let tried = shell.run(&["apply", "-f", "many.ndjson", "--dry-run"]).exits(0);
    tried.prints("countries/kr created (dry run)").prints("cannot be told before the others are written (dry run)");
    assert_eq!(shell.head(), 0);
    let applied = shell.run(&["apply", "-f", "many.ndjson"]).exits(0);
    assert_eq!(applied.out.lines().filter(|line| line.ends_with(" created")).count(), 1_501);
    let head = shell.head();
    shell.run(&["apply", "-f", "many.ndjson"]).exits(0);
    assert_eq!(shell.head(), head, "a second time changes nothing");
}

#[test]
fn what_is_too_large_before_and_after_together_takes_several_commits() {
    let shell = Shell::start();
    let all = |documents| (0..40).map(|id| large(id, documents) + "\n").collect::<String>();
    shell.write("large.ndjson", &all(500));
    shell.run(&["import", "large.ndjson"]).exits(0).complains("40 created");
    shell.write("small.ndjson", &all(1));
    let applied = shell.run(&["apply", "-f", "small.ndjson"]).exits(0);
    assert_eq!(applied.out.matches("configured").count(), 40);
    shell.run(&["import", "large.ndjson"]).exits(0).complains("40 updated");
    shell.run(&["import", "small.ndjson"]).exits(0).complains("40 updated, 0 unchanged, 0 refused");
}

#[test]
fn a_failure_tells_what_was_applied_before_it() {
    let shell = Shell::start();
    let country = |id: usize, code: &str| {
        format!(r#"{{"country":{{"name":"countries/c-{id}","displayName":"C","regionCode":"{code}"}}}}"#)
    };
    let mut lines: Vec<_> = (1..=1_200).map(|id| country(id, "")).collect();
    lines.push(country(1_201, "wrong"));
    shell.write("all.ndjson", &lines.join("\n"));
    let failed = shell.run(&["apply", "-f", "all.ndjson"]).exits(4).complains("region_code");
    failed.complains("1000 of 1201 resources were applied, in 1 commits; from resource 1001 on they were not");
    shell.write("all.ndjson", &lines.join("\n").replace("wrong", "KR"));
    let applied = shell.run(&["apply", "-f", "all.ndjson"]).exits(0);
    assert_eq!(applied.out.matches("unchanged").count(), 1_000);
    assert_eq!(applied.out.matches(" created").count(), 201);

    shell.write("one.ndjson", &format!("{KOREA}\n{}\n", country(1_202, "wrong")));
    let failed = shell.run(&["apply", "-f", "one.ndjson"]).exits(4);
    assert!(!failed.err.contains("applied"), "one commit is made as a whole or not at all: {}", failed.err);
    shell.run(&["get", "countries/kr"]).exits(3);
}

#[test]
fn apply_tells_what_it_ignores_and_refuses_a_name_twice() {
    let shell = Shell::start();
    let with_state = |state: &str| KOREA.replace(r#""regionCode""#, &format!(r#""state":"{state}","regionCode""#));
    shell.run_with(&["apply", "-f", "-"], &with_state("COUNTRY_STATE_ACTIVE")).exits(0);
    let ignored = shell.run_with(&["apply", "-f", "-"], &with_state("COUNTRY_STATE_ENDED")).exits(9);
    ignored.prints("countries/kr unchanged").complains("state: is ACTIVE and stays; ENDED was ignored");
    shell.write("a.ndjson", &format!("{EMBASSY}\n{KOREA}\n"));
    shell.write("b.ndjson", KOREA);
    let refused = shell.run(&["apply", "-f", "a.ndjson", "-f", "b.ndjson"]).exits(2);
    refused.complains("b.ndjson (countries/kr) is a duplicate of a.ndjson, line 2 (countries/kr)");
    shell.run(&["get", "organizations/embassy"]).exits(3);
}

#[test]
fn apply_merges_or_only_creates_if_it_is_told_to() {
    let shell = Shell::start();
    shell.run_with(&["apply", "-f", "-"], KOREA).exits(0);
    shell.run(&["update", "countries/kr", "--set", "labels.mine=yes", "--set", "capital=Seoul"]).exits(0);
    let labelled = KOREA.replace(r#""regionCode""#, r#""labels":{"theirs":"1"},"regionCode""#);
    shell.run_with(&["apply", "--merge", "-f", "-"], &labelled).exits(0).prints("configured");
    let both = shell.run(&["get", "countries/kr", "-o", "yaml"]).exits(0);
    both.prints("mine: \"yes\"").prints("theirs: \"1\"").prints("capital: Seoul");
    let head = shell.head();
    let both = format!("{KOREA}\n{EMBASSY}\n");
    let created = shell.run_with(&["apply", "--create-only", "-f", "-"], &both).exits(0);
    created.prints("countries/kr unchanged").prints("organizations/embassy created");
    shell.run_with(&["apply", "--create-only", "-f", "-"], &both).exits(0);
    assert_eq!(shell.head(), head + 1);
    shell.run(&["get", "countries/kr", "-o", "yaml"]).exits(0).prints("capital: Seoul");
    // The etag of what was read is heeded.
    let read = shell.run(&["get", "countries/kr", "-o", "yaml"]).exits(0).out;
    shell.run(&["update", "countries/kr", "--set", "capital=Sejong"]).exits(0);
    shell.run_with(&["apply", "-f", "-"], &read).exits(5).complains("countries/kr has changed");
    let deleted = read.replace("  name:", "  deleteTime: \"2026-01-01T00:00:00Z\"\n  name:");
    shell.run_with(&["apply", "-f", "-"], &deleted).exits(4).complains("countries/kr has changed");
    shell.run(&["delete", "organizations/embassy"]).exits(0);
    let read = shell.run(&["get", "countries/kr", "-o", "yaml"]).exits(0).out;
    let deleted = read.replace("  name:", "  deleteTime: \"2026-01-01T00:00:00Z\"\n  name:");
    shell.run_with(&["apply", "-f", "-"], &deleted).exits(0).prints("countries/kr deleted");
}
