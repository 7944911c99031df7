//! What is wrong with files: told by the file, the document, the resource, the field and the value.

use super::shell::Shell;

const THREE: &str = "country: {name: countries/ir, displayName: Iran}
---
# South
country:
  name: countries/kr
  displayName: Korea
  regionCode: KR
---
country:
  name: countries/jp
  displayName: Japan
  regionCode: JP
";

#[test]
fn every_malformed_document_is_told_by_its_place_field_and_value() {
    let shell = Shell::start();
    let malformed = THREE.replace("displayName: Korea", "displayNam: Korea").replace("regionCode: JP", "state: actve");
    shell.write("three.yaml", &malformed);
    let expected = "error: 2 documents are malformed
  three.yaml, document 2 (countries/kr): displayNam: Country has no such field; did you mean \"displayName\"? \
                    at line 6 column 3
  three.yaml, document 3 (countries/jp): state: \"actve\" is not a value of CountryState; did you mean ACTIVE? \
                    at line 12 column 10
";
    for command in ["create", "apply", "diff"] {
        assert_eq!(shell.run(&[command, "-f", "three.yaml"]).exits(2).err, expected);
    }
    let lines = "{\"country\":{\"name\":\"countries/kr\"}}\n\n{\"country\":{\"name\":\"countries/jp\",\"documents\":[{\"title\":1}]}}\n";
    shell.write("two.ndjson", lines);
    let told = "error: two.ndjson, line 3 (countries/jp): documents[0].title: invalid type: integer `1`";
    shell.run(&["apply", "-f", "two.ndjson"]).exits(2).complains(told);
    shell.write("kind.json", r#"{"contry": {"name": "countries/kr"}}"#);
    let told = r#"error: kind.json (countries/kr): there is no kind "contry"; did you mean "country"?"#;
    shell.run(&["apply", "-f", "kind.json"]).exits(2).complains(told);
    assert_eq!(shell.head(), 0);
}

#[test]
fn what_the_server_refuses_is_told_by_the_document_that_has_it() {
    let shell = Shell::start();
    shell.write("three.yaml", &THREE.replace("regionCode: KR", "regionCode: korea"));
    let told = "error: three.yaml, document 2 (countries/kr): region_code: must be two capital letters";
    for command in [&["apply", "-f", "three.yaml"][..], &["create", "--dry-run", "-f", "three.yaml"]] {
        let done = shell.run(command).exits(4).complains(told);
        assert!(!done.err.contains("mutations["), "{}", done.err);
    }
    shell.write("three.yaml", &THREE.replace("regionCode: KR", "regionCode: korea\n  m49Code: x"));
    let told = "error: 2 fields break rules
  three.yaml, document 2 (countries/kr): region_code: must be two capital letters";
    shell.run(&["apply", "-f", "three.yaml"]).exits(4).complains(told);
    shell.write(
        "embassy.json",
        r#"{"organization":{"name":"organizations/e","displayName":"E","country":"countries/xx"}}"#,
    );
    let told = "embassy.json (organizations/e): country: countries/xx does not exist";
    shell.run(&["apply", "-f", "embassy.json"]).exits(4).complains(told);
    assert_eq!(shell.head(), 0);
    shell.write("three.yaml", THREE);
    shell.run(&["apply", "-f", "three.yaml"]).exits(0);
    let done = shell.run(&["delete", "countries/ir", "countries/xx"]).exits(3);
    assert_eq!(done.err, "error: countries/xx does not exist\n");
}

#[test]
fn values_of_enums_are_spelled_alike_in_set_files_imports_and_filters() {
    let shell = Shell::start();
    for (id, state) in [("a", "in-force"), ("b", "IN_FORCE"), ("c", "AGREEMENT_STATE_IN_FORCE")] {
        let name = format!("agreements/set-{id}");
        shell
            .run(&["create", &name, "--set", "display_name=S", "--set", &format!("asserted_status.state={state}")])
            .exits(0);
        let yaml = format!(
            "agreement:\n  name: agreements/yaml-{id}\n  displayName: Y\n  assertedStatus: {{state: {state}}}\n"
        );
        shell.write("a.yaml", &yaml);
        shell.run(&["apply", "-f", "a.yaml"]).exits(0);
        let status = format!(r#"{{"state":"{state}"}}"#);
        let line =
            format!(r#"{{"agreement":{{"name":"agreements/json-{id}","displayName":"J","assertedStatus":{status}}}}}"#);
        shell.write("a.ndjson", &line);
        shell.run(&["import", "a.ndjson"]).exits(0);
    }
    for state in ["in-force", "IN_FORCE", "in_force", "AGREEMENT_STATE_IN_FORCE"] {
        let filter = format!("state = {state}");
        let listed = shell.run(&["list", "agreements", "--filter", &filter, "-o", "name"]).exits(0);
        assert_eq!(listed.out.lines().count(), 9, "{state}: {}", listed.out);
    }
    shell.run(&["list", "agreements", "--filter", "state = happy"]).exits(4).complains("IN_FORCE");
    let set = ["update", "agreements/set-a", "--set", "asserted_status.state=in-farce"];
    shell.run(&set).exits(2).complains("\"in-farce\" is not a value of AgreementState; did you mean IN_FORCE?");
    shell.write(
        "a.ndjson",
        r#"{"agreement":{"name":"agreements/x","displayName":"J","assertedStatus":{"state":"in-farce"}}}"#,
    );
    let told = "a.ndjson:1: agreements/x: assertedStatus.state: \"in-farce\" is not a value of AgreementState; did you mean IN_FORCE?";
    shell.run(&["import", "a.ndjson"]).exits(8).complains(told);
}
