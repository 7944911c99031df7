//! `import`: what it keeps, what it deletes, what it refuses and ignores, and how it is interrupted.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::shell::Shell;
use super::{EMBASSY, KOREA};
use crate::harness::process::DEADLINE;

fn countries(ids: impl Iterator<Item = usize>) -> String {
    ids.fold(String::new(), |mut text, id| {
        writeln!(text, r#"{{"country":{{"name":"countries/c-{id}","displayName":"C {id}"}}}}"#).unwrap();
        text
    })
}

fn signal(child: &Child) {
    let sent = Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
}

/// The exit code of a command that ends soon.
fn code(child: &mut Child) -> Option<i32> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(begin.elapsed() < DEADLINE, "it does not end");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_state_that_differs_is_told_counted_and_has_an_exit_code() {
    let shell = Shell::start();
    let with_state = |state: &str| KOREA.replace(r#""regionCode""#, &format!(r#""state":"{state}","regionCode""#));
    shell.write("kr.ndjson", &with_state("COUNTRY_STATE_ACTIVE"));
    shell.run(&["import", "kr.ndjson"]).exits(0).complains("1 created");
    shell.write("kr.ndjson", &with_state("COUNTRY_STATE_ENDED"));
    for merge in
        [&["import", "kr.ndjson"][..], &["import", "--merge", "kr.ndjson"], &["import", "--dry-run", "kr.ndjson"]]
    {
        let told = shell.run(merge).exits(9).complains("1 warnings, 1 of rows with ignored values; 0 commits");
        told.complains("kr.ndjson:1: warning: countries/kr: state: is ACTIVE and stays; ENDED was ignored");
    }
    // Also where the mask has to leave the state out, since it names entries of a map.
    shell.write("kr.ndjson", &with_state(r#"COUNTRY_STATE_ENDED","labels":{"a":"b"},"capital":"Seoul"#));
    let told = shell.run(&["import", "--merge", "kr.ndjson"]).exits(9).complains("1 updated");
    told.complains("state: is ACTIVE and stays; ENDED was ignored");
    // What is refused weighs more.
    shell.write("kr.ndjson", &format!("{}\n{{}}\n", with_state("COUNTRY_STATE_ENDED")));
    shell.run(&["import", "kr.ndjson"]).exits(8);
    shell.run(&["--help"]).exits(0).prints("  9  done, and values of fields that cannot be changed were ignored");
}

#[test]
fn a_merge_keeps_what_a_row_does_not_have_and_create_only_all_that_exists() {
    let shell = Shell::start();
    let row = |fields: &str| format!(r#"{{"agreement":{{"name":"agreements/a","displayName":"A",{fields}}}}}"#);
    shell.write("a.ndjson", &row(r#""labels":{"theirs":"1"},"documents":[{"title":"One"},{"title":"Two"}]"#));
    shell.run(&["import", "a.ndjson"]).exits(0);
    let mine = ["--set", "labels.mine=yes", "--set", "labels.unit/region=asia", "--set", "note=kept"];
    shell.run(&[&["update", "agreements/a"][..], &mine].concat()).exits(0);
    let head = shell.head();
    shell.run(&["import", "--merge", "a.ndjson"]).exits(0).complains("1 unchanged");
    assert_eq!(shell.head(), head, "nothing was to be done");

    shell.write("a.ndjson", &row(r#""labels":{"theirs":"2","unit/new":"3"},"documents":[{"title":"Three"}]"#));
    shell.run(&["import", "--merge", "a.ndjson"]).exits(0).complains("1 updated");
    let read = shell.run(&["get", "agreements/a", "-o", "json"]).exits(0).out;
    let read: serde_json::Value = serde_json::from_str(&read).unwrap();
    let agreement = &read["agreement"];
    let labels = serde_json::json!({"mine": "yes", "theirs": "2", "unit/new": "3", "unit/region": "asia"});
    assert_eq!(agreement["labels"], labels, "{read}");
    assert_eq!(agreement["documents"], serde_json::json!([{"title": "Three"}]), "a list is replaced as a whole");
    assert_eq!(agreement["note"], "kept");

    let head = shell.head();
    shell.write("a.ndjson", &format!("{}\n{KOREA}\n", row(r#""note":"other""#)));
    let created = shell.run(&["import", "--create-only", "a.ndjson"]).exits(0);
    created.complains("2 read: 1 created, 0 updated, 0 unchanged, 1 left alone, 0 refused");
    shell.run(&["delete", "agreements/a"]).exits(0);
    shell.run(&["import", "--create-only", "a.ndjson"]).exits(0).complains("2 left alone, 0 refused");
    assert_eq!(shell.head(), head + 2);
    shell.run(&["import", "a.ndjson"]).exits(8).complains("agreements/a is deleted");
    shell.run(&["import", "--merge", "--create-only", "a.ndjson"]).exits(2);
}

#[test]
fn what_is_deleted_is_deleted_where_it_is_imported() {
    let shell = Shell::start();
    let official = r#"{"official":{"name":"officials/x","displayName":"X","organization":"organizations/embassy"}}"#;
    shell.write("all.ndjson", &format!("{official}\n{EMBASSY}\n{KOREA}\n{}", countries(1..5)));
    shell.run(&["import", "all.ndjson"]).exits(0);
    shell.run(&["delete", "officials/x", "organizations/embassy", "countries/c-1"]).exits(0);
    shell.run(&["export", "--show-deleted", "-f", "all.ndjson"]).exits(0);
    let exported = shell.read("all.ndjson");
    assert_eq!(exported.matches("deleteTime").count(), 3, "{exported}");

    let elsewhere = Shell::start();
    elsewhere.write("all.ndjson", &exported);
    let tried = elsewhere.run(&["import", "--dry-run", "all.ndjson"]).exits(0);
    tried.complains("4 created, 0 updated, 3 deleted, 0 unchanged, 0 refused; 0 warnings; 0 commits");
    let imported = elsewhere.run(&["import", "all.ndjson"]).exits(0);
    imported.complains("7 read: 4 created, 0 updated, 3 deleted, 0 unchanged, 0 refused; 0 warnings; 2 commits");
    elsewhere.run(&["import", "all.ndjson"]).exits(0).complains("7 unchanged");
    elsewhere.run(&["apply", "-f", "all.ndjson"]).exits(0).prints("officials/x unchanged");
    assert_eq!(elsewhere.head(), 2, "a second import makes no revision");
    elsewhere.run(&["export", "--show-deleted", "-f", "again.ndjson"]).exits(0);
    let without_times = |text: &str| {
        let mut rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for kind in rows.iter_mut().flat_map(|row| row.as_object_mut().unwrap().values_mut()) {
            kind.as_object_mut().unwrap().entry("deleteTime").and_modify(|time| *time = true.into());
        }
        rows
    };
    assert_eq!(without_times(&elsewhere.read("again.ndjson")), without_times(&exported));

    // What is live is deleted, unless something still refers to it.
    let live = Shell::start();
    let deputy = r#"{"official":{"name":"officials/y","displayName":"Y","organization":"organizations/embassy"}}"#;
    live.write("live.ndjson", &format!("{KOREA}\n{EMBASSY}\n{deputy}\n{}", countries(1..3)));
    live.run(&["import", "live.ndjson"]).exits(0);
    live.write("all.ndjson", &exported);
    let told = live.run(&["import", "--rejects", "rejects.ndjson", "all.ndjson"]).exits(8);
    told.complains("2 deleted")
        .complains("organizations/embassy is still referred to by officials/y")
        .complains("1 refused");
    live.run(&["get", "organizations/embassy", "-o", "name"]).exits(0);
    assert_eq!(live.run(&["list", "countries", "-o", "name"]).exits(0).out.matches("c-1").count(), 0);
    // A row that takes the reference away is written first, wherever it stands.
    live.write("all.ndjson", &format!("{exported}{}", deputy.replace("embassy", "new").replace("Y\"", "Z\"")));
    let new = EMBASSY.replace("/embassy", "/new");
    live.run_with(&["create", "-f", "-"], &new).exits(0);
    live.run(&["import", "all.ndjson"]).exits(0).complains("1 updated, 1 deleted");
}

#[test]
fn a_name_is_imported_once() {
    let shell = Shell::start();
    let again = KOREA.replace("Republic of Korea", "Korea");
    shell.write("twice.ndjson", &format!("{KOREA}\n{EMBASSY}\n{again}\n"));
    let told = shell.run(&["import", "twice.ndjson"]).exits(8);
    told.complains("twice.ndjson:3: countries/kr: duplicate of line 1").complains("2 created").complains("1 refused");
    let head = shell.head();
    shell.run(&["import", "twice.ndjson"]).exits(8).complains("2 unchanged, 1 refused");
    shell.run(&["import", "--from-line", "2", "twice.ndjson"]).exits(8).complains("duplicate of line 1");
    shell.write("other.ndjson", &again);
    shell
        .run(&["import", "twice.ndjson", "other.ndjson"])
        .exits(8)
        .complains("other.ndjson:1: countries/kr: duplicate of twice.ndjson:1");
    assert_eq!(shell.head(), head, "a second run changes nothing");
}

#[test]
fn a_dry_run_writes_nothing_and_says_what_it_cannot_tell() {
    let shell = Shell::start();
    shell.run_with(&["create", "-f", "-"], KOREA).exits(0);
    let official = |id: &str, country: &str| {
        format!(r#"{{"official":{{"name":"officials/{id}","displayName":"X","country":"countries/{country}"}}}}"#)
    };
    let rows = [official("a", "c-1"), official("b", "kr"), official("c", "nowhere"), official("d", "c-1")];
    shell.write("all.ndjson", &format!("{}\n{}{KOREA}\n", rows.join("\n"), countries(1..3)));
    let tried = shell.run(&["import", "--dry-run", "--batch", "2", "all.ndjson"]).exits(8);
    tried
        .complains("all.ndjson:3: officials/c: country: countries/nowhere does not exist")
        .complains("dry run: 7 read: 3 created, 0 updated, 1 unchanged, 1 refused, 2 that cannot be told before the others are written; 0 warnings; 0 commits");
    assert_eq!(shell.head(), 1);
    let tried = shell.run(&["import", "--dry-run", "all.ndjson"]).exits(8);
    tried.complains("5 created, 0 updated, 1 unchanged, 1 refused; 0 warnings");
    shell
        .run(&["import", "--batch", "2", "all.ndjson"])
        .exits(8)
        .complains("5 created, 0 updated, 1 unchanged, 1 refused");
}

#[test]
fn an_interrupted_import_completes_its_commit_and_says_where_to_go_on() {
    let shell = Shell::start();
    let all = 4_000;
    shell.write("all.ndjson", &countries(1..all + 1));
    let mut command = shell.command(&["import", "--batch", "4", "all.ndjson"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    while shell.run(&["list", "countries", "-o", "name", "-n", "1"]).exits(0).out.is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    signal(&child);
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(code(&mut child), Some(130), "{told}");
    let (_, line) = told.trim_end().rsplit_once("continue with --from-line ").unwrap_or_else(|| panic!("{told}"));
    let line: usize = line.parse().unwrap();
    assert!((5..all).contains(&line), "{told}");
    let done = line - 1;
    assert!(told.contains(&format!(" read: {done} created, 0 updated, 0 unchanged, 0 refused")), "{told}");
    let listed = shell.run(&["list", "countries", "-o", "name"]).exits(0).out;
    assert_eq!(listed.lines().count(), done, "what was sent is counted, and nothing besides");
    shell
        .run(&["import", "--from-line", &line.to_string(), "all.ndjson"])
        .exits(0)
        .complains(&format!("{} created, 0 updated, 0 unchanged", all - done));
}

#[test]
fn a_second_signal_ends_an_import_at_once() {
    let shell = Shell::start();
    let mut command = shell.command(&["import", "--batch", "2", "-"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(countries(1..4).as_bytes()).unwrap();
    while shell.run(&["list", "countries", "-o", "name"]).exits(0).out.is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    signal(&child);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("interrupt again"));
    // It waits for its input.
    assert!(child.try_wait().unwrap().is_none());
    signal(&child);
    assert_eq!(code(&mut child), Some(130));
    drop(input);
}

#[test]
fn off_a_terminal_progress_is_a_line_every_few_seconds() {
    let shell = Shell::start();
    let mut command = shell.command(&["import", "--batch", "1", "-"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let begin = Instant::now();
    for id in 1..=8 {
        input.write_all(countries(id..id + 1).as_bytes()).unwrap();
        thread::sleep(Duration::from_secs(1));
    }
    drop(input);
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(code(&mut child), Some(0));
    let lines = told.lines().filter(|line| line.contains(" rows read, ") && line.ends_with(" accepted, 0 refused"));
    let count = lines.count() as u64;
    assert!((1..=begin.elapsed().as_secs() / 3).contains(&count), "{told}");
    assert!(!told.contains(['\u{1b}', '\r']), "no bar: {told:?}");
}

#[test]
fn what_is_no_ndjson_is_refused_at_once() {
    let shell = Shell::start();
    for (text, what) in [
        ("country:\n  name: countries/kr\n  displayName: Korea\n", "YAML"),
        ("name,display_name\ncountries/kr,Korea\n", "CSV"),
        ("{\n  \"country\": {\n    \"name\": \"countries/kr\"\n  }\n}\n", "a JSON document over several lines"),
        ("[{\"country\": {\"name\": \"countries/kr\"}},\n{}]\n", "a JSON array"),
    ] {
        let told = shell.run_with(&["import", "-"], text).exits(2);
        let told = told.complains(&format!("error: standard input: is {what}; import takes NDJSON"));
        let told = told.complains("`partnerctl apply -f` takes JSON and YAML");
        assert_eq!(told.err.lines().count(), 1, "{}", told.err);
    }
    shell.write("kr.ndjson", KOREA);
    shell.write("kr.yaml", "country:\n  name: countries/kr\n");
    shell.run(&["import", "kr.ndjson", "kr.yaml"]).exits(2);
    assert_eq!(shell.head(), 0, "before anything is written");
}

#[test]
fn refused_rows_are_kept_to_be_corrected() {
    let shell = Shell::start();
    let wrong = KOREA.replace("\"KR\"", "\"Korea\"");
    shell.write("first.ndjson", &format!("{wrong}\n{EMBASSY}\n"));
    shell.write("second.ndjson", "not json\n{}\n{\"country\": {}}\n");
    let refused = shell.run(&["import", "--rejects", "rejects.ndjson", "first.ndjson", "second.ndjson"]).exits(8);
    refused.complains("5 refused");
    let rows: Vec<serde_json::Value> =
        shell.read("rejects.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |file: &str, line: u64| {
        let row = rows.iter().find(|row| row["file"] == file && row["line"] == line);
        row.unwrap_or_else(|| panic!("{file}:{line} is not among {rows:?}"))
    };
    let korea = of("first.ndjson", 1);
    assert_eq!((&korea["name"], &korea["row"]["country"]["regionCode"]), (&"countries/kr".into(), &"Korea".into()));
    assert!(korea["reasons"][0].as_str().unwrap().contains("region_code"), "{korea}");
    assert!(of("first.ndjson", 2)["reasons"][0].as_str().unwrap().contains("countries/kr does not exist"));
    assert_eq!(of("second.ndjson", 1)["row"], "not json");
    assert_eq!(of("second.ndjson", 3)["row"]["country"], serde_json::json!({}));
    // Corrected, the rows are taken.
    let corrected: Vec<_> =
        [korea, of("first.ndjson", 2)].map(|row| row["row"].to_string().replace("Korea\"}", "KR\"}")).into();
    shell.write("corrected.ndjson", &corrected.join("\n").replace("\"regionCode\":\"Korea\"", "\"regionCode\":\"KR\""));
    shell.run(&["import", "corrected.ndjson"]).exits(0).complains("2 created");
    shell.run(&["import", "--rejects", "corrected.ndjson", "corrected.ndjson"]).exits(2);
    assert!(shell.read("corrected.ndjson").contains("countries/kr"), "the input is not overwritten");
}
