//! `--output`: every command prints every format, or refuses it.

use super::shell::{Done, Shell};

const FORMATS: [&str; 7] = ["table", "wide", "json", "yaml", "ndjson", "csv", "name"];

/// A command of each kind, and the formats that it prints. Those that write can be done again and again.
const COMMANDS: &[(&[&str], &[&str])] = &[
    (&["get", "countries/kr"], &FORMATS),
    (&["get", "countries", "kr", "jp"], &FORMATS),
    (&["list", "countries"], &FORMATS),
    (&["list", "countries", "--explain"], &["table", "wide", "json", "yaml", "ndjson"]),
    (&["count", "countries", "--by", "state"], &["table", "wide", "json", "yaml", "ndjson", "csv"]),
    (&["count", "countries", "--explain"], &["table", "wide", "json", "yaml", "ndjson"]),
    (&["create", "countries", "--set", "display_name=New"], &FORMATS),
    (&["create", "countries/new", "--set", "display_name=New", "--dry-run"], &FORMATS),
    (&["update", "countries/kr", "--set", "capital=Seoul"], &FORMATS),
    (&["update", "-f", "kr.json"], &FORMATS),
    (&["delete", "countries/xx", "--allow-missing", "--dry-run"], &FORMATS),
    (&["delete", "countries/a", "countries/b", "--allow-missing"], &FORMATS),
    (&["delete", "countries/kr", "countries/jp", "--dry-run"], &["table", "wide", "name"]),
    (&["undelete", "countries/b", "--dry-run"], &FORMATS),
    (&["revert", "countries/kr", "--to", "1", "--dry-run"], &FORMATS),
    (&["apply", "-f", "kr.json"], &["table", "wide", "name"]),
    (&["diff", "-f", "kr.json"], &["table", "wide", "name"]),
    (&["history", "countries/kr"], &FORMATS),
    (&["history", "countries/kr", "--diff"], &["table", "wide"]),
    (&["import", "kr.json"], &["table"]),
    (&["export", "countries"], &["table", "ndjson"]),
    (&["explain", "countries"], &["table"]),
    (&["config", "set", "here", "--server", "127.0.0.1:9"], &["table", "wide", "name"]),
    (&["config", "use", "here"], &["table", "wide", "name"]),
    (&["config", "list"], &FORMATS),
    (&["kinds"], &FORMATS),
    (&["completion", "bash"], &["table"]),
    (&["version"], &FORMATS),
];

#[test]
fn every_command_prints_each_format_or_refuses_it() {
    let shell = Shell::start();
    shell.write("kr.json", super::KOREA);
    shell.run(&["apply", "-f", "kr.json"]).exits(0);
    for id in ["jp", "a", "b"] {
        shell.run(&["create", &format!("countries/{id}"), "--set", "display_name=X"]).exits(0);
    }
    shell.run(&["delete", "countries/b"]).exits(0);
    for (command, printed) in COMMANDS {
        for format in FORMATS {
            let done = shell.run(&[command, &["-o", format][..]].concat());
            if printed.contains(&format) {
                let done = if done.code == 1 && command.contains(&"diff") { done.exits(1) } else { done.exits(0) };
                has_form(command, format, &done);
            } else {
                done.exits(2).complains(&format!(" prints no {format}; with --output it takes "));
            }
        }
    }
    for format in ["yaml", "csv", "name"] {
        shell.run(&["watch", "-o", format]).exits(2).complains(&format!("watch prints no {format}"));
    }
}

fn has_form(command: &[&str], format: &str, done: &Done) {
    let told = format!("{command:?} -o {format}: {}", done.out);
    let json =
        |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_else(|error| panic!("{error}: {told}"));
    match format {
        "json" => drop(json(&done.out)),
        "ndjson" => done.out.lines().for_each(|line| assert!(json(line).is_object(), "{told}")),
        "csv" => {
            let header = done.out.lines().next().unwrap_or_default();
            assert!(header.contains(',') && header == header.to_lowercase(), "{told}");
        }
        "yaml" => assert!(done.out.contains(": ") && !done.out.starts_with('{'), "{told}"),
        "name" => assert!(done.out.lines().all(|line| !line.is_empty() && !line.contains(' ')), "{told}"),
        _ => {}
    }
}
