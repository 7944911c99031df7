//! What reading commands can be asked to show.

use super::KOREA;
use super::shell::Shell;

#[test]
fn get_and_list_show_only_the_fields_that_were_asked_for() {
    let shell = Shell::start();
    shell.run_with(&["create", "-f", "-"], KOREA).exits(0);
    let set = ["--set", "capital=Seoul", "--set", "labels.region=asia", "--set", "labels.group=a"];
    shell.run(&[&["update", "countries/kr"], &set[..]].concat()).exits(0);
    shell.run(&["create", "countries/ir", "--set", "display_name=Iran"]).exits(0);

    let table = shell.run(&["list", "countries", "--fields", "capital,labels.region"]).exits(0).out;
    let lines: Vec<_> = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines, ["NAME CAPITAL LABELS.REGION", "countries/ir", "countries/kr Seoul asia"]);

    for command in [&["get", "countries/kr"][..], &["get", "countries", "kr", "ir"], &["list", "countries"]] {
        let fields = ["--fields", "labels.region", "-o", "ndjson"];
        let out = shell.run(&[command, &fields[..]].concat()).exits(0).out;
        let korea = r#"{"country":{"name":"countries/kr","labels":{"region":"asia"}}}"#;
        assert!(out.lines().any(|line| line == korea), "{command:?}: {out}");
    }
    let wide = shell.run(&["get", "countries/kr", "--fields", "capital", "--at", "1", "-o", "csv"]).exits(0).out;
    assert_eq!(wide, "name,capital\ncountries/kr,\n");
    shell.run(&["list", "countries", "--fields", "population"]).exits(4).complains("population");
}
