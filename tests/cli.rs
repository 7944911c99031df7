//! `partnerctl` against the real server: what it prints, what it refuses, and the codes it exits with.

mod apply;
mod counting;
mod dates;
mod events;
mod files;
mod findings;
mod formats;
mod import;
mod reach;
mod reading;
mod revert;
mod shell;
mod transcripts;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::thread;

use shell::{Done, Shell};
use tempfile::TempDir;

use crate::harness::process::{DEADLINE, Process};

const KOREA: &str = r#"{"country":{"name":"countries/kr","displayName":"Republic of Korea","regionCode":"KR"}}"#;
const EMBASSY: &str =
    r#"{"organization":{"name":"organizations/embassy","displayName":"Embassy","country":"countries/kr"}}"#;

#[test]
fn a_resource_is_created_read_updated_deleted_and_undeleted() {
    let shell = Shell::start();
    shell.run_with(&["create", "-f", "-"], KOREA).exits(0).prints("countries/kr created");
    shell.run_with(&["create", "-f", "-"], KOREA).exits(4).complains("countries/kr exists already");
    shell.run(&["get", "country", "kr"]).exits(0).prints("Republic of Korea");
    shell.run(&["get", "countries/kr", "-o", "yaml"]).exits(0).prints("displayName: Republic of Korea");
    shell.run(&["get", "countries/kr", "-o", "name"]).exits(0).prints("countries/kr\n");
    let json: serde_json::Value =
        serde_json::from_str(&shell.run(&["get", "countries/kr", "-o", "json"]).exits(0).out).unwrap();
    assert_eq!(json["country"]["regionCode"], "KR", "{json}");
    assert_eq!(json["country"]["creator"], "tests", "{json}");

    shell.run(&["update", "countries/kr", "--set", "capital=Seoul", "-m", "was missing"]).exits(0);
    shell.run(&["get", "countries/kr", "--at", "1", "-o", "csv"]).exits(0).prints("countries/kr,Republic of Korea");
    shell.run(&["history", "countries/kr"]).exits(0).prints("was missing").prints("capital");

    shell.run_with(&["create", "-f", "-"], EMBASSY).exits(0);
    shell.run(&["delete", "countries/kr"]).exits(4).complains("organizations/embassy");
    shell.run(&["delete", "organizations/embassy", "countries/kr"]).exits(0);
    let listed = shell.run(&["list", "countries", "-o", "name"]).exits(0);
    assert_eq!(listed.out, "", "a deleted one is not listed");
    shell.run(&["list", "countries", "--show-deleted", "-o", "name"]).exits(0).prints("countries/kr");
    shell.run(&["undelete", "countries/kr"]).exits(0);
    shell
        .run(&["list", "countries", "--filter", r#"region_code = "KR""#, "-o", "name"])
        .exits(0)
        .prints("countries/kr");
}

#[test]
fn each_failure_has_its_exit_code_and_says_what_is_wrong() {
    let shell = Shell::start();
    shell.run_with(&["create", "-f", "-"], KOREA).exits(0);
    shell.run(&["get", "countries/xx"]).exits(3).complains("countries/xx does not exist");
    shell.run(&["get", "planets/mars"]).exits(2).complains("planets");
    shell.run(&["list", "countries", "--filter", "population > 1"]).exits(4).complains("filter");
    shell.run(&["update", "countries/kr", "--set", "region_code=korea"]).exits(4).complains("error: region_code: ");
    let two = &["update", "countries/kr", "--set", "region_code=korea", "--set", "m49_code=x"];
    let told = "error: 2 fields break rules\n  region_code: must be two capital letters";
    shell.run(two).exits(4).complains(told).complains("\n  m49_code");
    let area = r#"{"focusArea":{"name":"focusAreas/ai","displayName":"AI"}}"#;
    shell.run_with(&["create", "-f", "-"], area).exits(0);
    let own_parent = &["update", "focusAreas/ai", "--set", "parent=focusAreas/ai"];
    let circle = shell.run(own_parent).exits(4);
    assert_eq!(circle.err.matches("leads in a circle").count(), 1, "told once: {}", circle.err);
    for (set, field) in [("uid=made-up", "uid: "), ("state=COUNTRY_STATE_ENDED", "state: ")] {
        shell.run(&["update", "countries/kr", "--set", set]).exits(4).complains(field);
    }
    shell.run(&["delete", "countries/kr", "--etag", "\"1-00000000\""]).exits(5).complains("countries/kr has changed");
    shell.run(&["no-such-command"]).exits(2);
    let unknown = r#"{"country":{"name":"countries/ir","displayName":"Iran","population":1}}"#;
    shell.run_with(&["create", "-f", "-"], unknown).exits(2).complains("population");
    let several = r#"{"country":{"name":"countries/ir","regionCode":"iran","m49Code":"1"}}"#;
    let done = shell.run_with(&["create", "-f", "-"], several).exits(4);
    done.complains("display_name").complains("region_code").complains("m49_code");
    Shell::without_server().run(&["--timeout", "2s", "list", "countries"]).exits(6);
}

#[test]
fn apply_changes_what_differs_and_diff_shows_it_before() {
    let shell = Shell::start();
    shell.write("two.ndjson", &format!("{EMBASSY}\n{KOREA}\n"));
    shell.run(&["apply", "-f", "two.ndjson", "--dry-run"]).exits(0).prints("created");
    assert_eq!(shell.head(), 0, "a dry run writes nothing");
    shell.run(&["diff", "-f", "two.ndjson"]).exits(1).prints("+  displayName: Embassy");
    shell.run(&["apply", "-f", "two.ndjson"]).exits(0).prints("organizations/embassy created");
    assert_eq!(shell.head(), 1, "both in one commit, whichever refers to the other");
    shell.run(&["apply", "-f", "two.ndjson"]).exits(0).prints("unchanged");
    assert_eq!(shell.head(), 1, "what changes nothing makes no revision");
    shell.run(&["diff", "-f", "two.ndjson"]).exits(0);
    shell.write("kr.yaml", "country:\n  name: countries/kr\n  displayName: Korea\n  regionCode: KR\n");
    shell
        .run(&["diff", "-f", "kr.yaml"])
        .exits(1)
        .prints("-  displayName: Republic of Korea")
        .prints("+  displayName: Korea");
    shell.run(&["apply", "-f", "kr.yaml"]).exits(0).prints("countries/kr configured");
}

#[test]
fn an_export_imported_elsewhere_is_exported_to_the_same_bytes() {
    let demo = TempDir::new().unwrap();
    let process = Process::start_with(demo.path(), |command| {
        command.arg("--demo");
    });
    let first = Shell {
        server: format!("http://{}", process.address),
        dir: TempDir::new().unwrap(),
        _process: Some((process, demo)),
    };
    first.run(&["export", "-f", "all.ndjson"]).exits(0);
    let exported = first.read("all.ndjson");
    assert!(exported.lines().count() > 15, "{exported}");

    let second = Shell::start();
    second.write("all.ndjson", &exported);
    second.run(&["import", "all.ndjson"]).exits(0).complains("0 refused");
    let head = second.head();
    second.run(&["export", "-f", "again.ndjson"]).exits(0);
    assert_eq!(second.read("again.ndjson"), exported);
    second.run(&["import", "all.ndjson"]).exits(0).complains("0 created, 0 updated");
    assert_eq!(second.head(), head, "a second import makes no revision");
}

#[test]
fn an_import_accepts_valid_lines_and_reports_each_refused_one() {
    let shell = Shell::start();
    let bad_code = r#"{"country":{"name":"countries/ir","displayName":"Iran","regionCode":"IRAN"}}"#;
    let dangling = r#"{"official":{"name":"officials/x","displayName":"X","country":"countries/nowhere"}}"#;
    let lines = format!("{EMBASSY}\n{bad_code}\nnot json\n{KOREA}\n\n{dangling}\n");
    shell.write("mixed.ndjson", &lines);
    let done = shell.run(&["import", "mixed.ndjson"]).exits(8);
    let done = done.complains("mixed.ndjson:2: ").complains("region_code").complains("mixed.ndjson:3: ");
    done.complains("mixed.ndjson:6: ").complains("countries/nowhere").complains("3 refused");
    shell.run(&["list", "organizations", "-o", "name"]).exits(0).prints("organizations/embassy");
    shell.run(&["get", "countries/ir"]).exits(3);
    // The rest is imported once the file is corrected.
    shell.write("mixed.ndjson", &lines.replace("IRAN", "IR").replace("not json", "").replace("nowhere", "ir"));
    shell.run(&["import", "mixed.ndjson"]).exits(0).complains("2 created, 0 updated, 2 unchanged, 0 refused");
}

#[test]
fn a_watch_prints_every_commit_as_it_happens() {
    let shell = Shell::start();
    shell.run_with(&["create", "-f", "-"], KOREA).exits(0);
    let mut child =
        shell.command(&["watch", "countries", "--after", "0", "-o", "ndjson"]).stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = channel();
    thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let first = lines.recv_timeout(DEADLINE).unwrap();
    assert!(first.contains("countries/kr"), "{first}");
    shell.run(&["update", "countries/kr", "--set", "capital=Seoul"]).exits(0);
    let second: serde_json::Value = serde_json::from_str(&lines.recv_timeout(DEADLINE).unwrap()).unwrap();
    assert!(second.to_string().contains("Seoul"), "{second}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn contexts_keep_servers_under_short_names() {
    let shell = Shell::start();
    let elsewhere = Shell::without_server();
    let without_variable = |arguments: &[&str]| {
        let output = elsewhere.command(arguments).env_remove("PARTNERCTL_SERVER").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    };
    without_variable(&["config", "set", "here", "--server", &shell.server]).exits(0);
    without_variable(&["config", "use", "here"]).exits(0);
    without_variable(&["config", "list"]).exits(0).prints(&shell.server);
    without_variable(&["list", "countries", "-o", "name"]).exits(0);
    without_variable(&["--context", "nowhere", "list", "countries"]).exits(2).complains("nowhere");
    without_variable(&["config", "delete", "here"]).exits(0);
    without_variable(&["config", "use", "here"]).exits(2);
}

#[test]
fn help_states_the_exit_codes_and_completion_knows_the_commands() {
    let shell = Shell::without_server();
    shell.run(&["--help"]).exits(0).prints("Exit codes:");
    for name in ["bash", "zsh", "fish"] {
        shell.run(&["completion", name]).exits(0).prints("undelete");
    }
    shell.run(&["version"]).exits(0).prints(env!("CARGO_PKG_VERSION"));
}
