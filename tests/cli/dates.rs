//! Dates on the command line: one spelling, wherever they are written or shown.

use super::shell::Shell;

#[test]
fn a_date_is_written_alike_in_set_files_and_imports_and_shown_so() {
    let shell = Shell::start();
    shell.run(&["create", "agreements/set", "--set", "display_name=S", "--set", "conclusion_date=1968-05~"]).exits(0);
    shell.write("a.yaml", "agreement:\n  name: agreements/yaml\n  displayName: Y\n  conclusionDate: 1968-05~\n");
    shell.run(&["apply", "-f", "a.yaml"]).exits(0);
    let line = r#"{"agreement":{"name":"agreements/json","displayName":"J","conclusionDate":"1968-05~"}}"#;
    shell.write("a.ndjson", line);
    shell.run(&["import", "a.ndjson"]).exits(0);
    let in_full = r#"{"agreement":{"name":"agreements/full","displayName":"F",
                      "conclusionDate":{"year":1968,"month":5,"approximate":true}}}"#;
    shell.run_with(&["create", "-f", "-"], in_full).exits(0);

    let shown = shell.run(&["list", "agreements", "--fields", "conclusion_date", "-o", "csv"]).exits(0);
    let expected = ["full", "json", "set", "yaml"].map(|id| format!("agreements/{id},1968-05~\n")).concat();
    assert_eq!(shown.out, format!("name,conclusion_date\n{expected}"));
    shell.run(&["apply", "-f", "a.yaml"]).exits(0).prints("agreements/yaml unchanged");
}

#[test]
fn what_is_no_date_is_refused_before_anything_is_sent_and_named() {
    let shell = Shell::start();
    let set = ["create", "agreements/a", "--set", "display_name=A", "--set", "conclusion_date=soon"];
    shell.run(&set).exits(2).complains("--set conclusion_date=soon: \"soon\" is not a date such as 2025-10-15");
    shell.write("a.yaml", "agreement:\n  displayName: A\n  conclusionDate: 15.10.2025\n");
    let done = shell.run(&["create", "-f", "a.yaml"]).exits(2);
    done.complains("a.yaml: conclusionDate: \"15.10.2025\" is not a date").complains("at line 3 column 19");
    shell.write("a.ndjson", r#"{"agreement":{"name":"agreements/a","displayName":"A","conclusionDate":"2025/10"}}"#);
    shell
        .run(&["import", "a.ndjson"])
        .exits(8)
        .complains("a.ndjson:1: agreements/a: conclusionDate: \"2025/10\" is not a date");
    assert_eq!(shell.head(), 0);
}
