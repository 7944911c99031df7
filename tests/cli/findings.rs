//! What is strange about a resource is a warning, and what was asked for and not done is never passed over.

use super::KOREA;
use super::shell::Shell;

const ODD: &str = r#"{"agreement":{"name":"agreements/odd","displayName":"Odd","conclusionDate":"2023-02-30",
                      "documents":[{"title":"Text","uri":"no link"}]}}"#;

#[test]
fn whoever_writes_what_is_strange_is_warned() {
    let shell = Shell::start();
    shell.write("odd.json", ODD);
    let created = shell.run(&["create", "-f", "odd.json"]).exits(0).prints("agreements/odd created");
    let warned = created.complains("warning: agreements/odd: documents[0].uri: ");
    warned.complains("warning: agreements/odd: conclusion_date: ");
    let updated = shell.run(&["update", "agreements/odd", "--set", "note=odd"]).exits(0);
    updated.complains("warning: agreements/odd: documents[0].uri: ");
    shell.run(&["apply", "-f", "odd.json"]).exits(0).complains("warning: agreements/odd: conclusion_date: ");

    shell.write("odd.ndjson", &ODD.replace('\n', ""));
    let imported = shell.run(&["import", "odd.ndjson"]).exits(0).complains("0 refused; 2 warnings;");
    imported.complains("odd.ndjson:1: warning: agreements/odd: documents[0].uri: ");

    shell
        .run(&["get", "agreements/odd", "-o", "yaml"])
        .exits(0)
        .prints("FINDING_CODE_LINK_NOT_URI")
        .prints("2023-02-30");
    shell.run(&["list", "agreements", "-o", "wide"]).exits(0).prints("DATE_IMPOSSIBLE");
    shell.run(&["create", "agreements/plain", "--set", "display_name=Plain"]).exits(0);
    let filter = "findings.code = LINK_NOT_URI";
    let listed = shell.run(&["list", "agreements", "--filter", filter, "-o", "name"]).exits(0).out;
    assert_eq!(listed, "agreements/odd\n");
}

#[test]
fn what_only_the_server_writes_is_refused_where_it_is_named_and_told_where_it_is_not() {
    let shell = Shell::start();
    shell.run_with(&["create", "-f", "-"], KOREA).exits(0);
    let uid = "uid=2f9a7c1e-8d07-4a3b-9c35-0b6f5a1f4e11";
    shell.run(&["update", "countries/kr", "--set", uid]).exits(4).complains("uid");
    assert_eq!(shell.head(), 1);

    let with_uid = KOREA.replace("countries/kr", "countries/kp").replace(r#""regionCode":"KR""#, r#""creator":"me""#);
    let created = shell.run_with(&["create", "-f", "-"], &with_uid).exits(0);
    created.prints("countries/kp created").complains("warning: countries/kp: creator: ");
    let updated = shell.run_with(&["update", "-f", "-", "-o", "json"], &with_uid).exits(0);
    updated.complains("warning: countries/kp: creator: ").prints(r#""creator": "tests""#);
    let applied = shell.run_with(&["apply", "-f", "-"], &with_uid).exits(9);
    applied.prints("countries/kp unchanged").complains("warning: countries/kp: creator: ");
    // What was read can be written back.
    let read = shell.run(&["get", "countries/kp", "-o", "json"]).exits(0).out;
    assert_eq!(shell.run_with(&["update", "-f", "-"], &read).exits(0).err, "");

    // What is true of many fields is said once.
    shell.run(&["export", "--full", "-f", "full.ndjson"]).exits(0);
    let elsewhere = Shell::start();
    elsewhere.write("full.ndjson", &shell.read("full.ndjson"));
    let imported = elsewhere.run(&["import", "full.ndjson"]).exits(9).complains(", 2 of rows with ignored values;");
    assert_eq!(imported.err.lines().filter(|line| line.contains("warning: countries/kr: uid, ")).count(), 1);
}
