//! `record` and `void`; and `import` and `apply` of agreements whose events have changed.

use super::shell::Shell;

const AGREEMENT: &str = r#"{"agreement":{"name":"agreements/y","displayName":"On trade","parties":[
    {"partyId":"rok","country":"countries/kr"},{"partyId":"ir","country":"countries/ir"}],
    "events":[{"type":"signature","actDate":"1990"}]}}"#;

/// Two countries, and an agreement of them that was signed.
fn signed() -> Shell {
    let shell = Shell::start();
    for (id, name) in [("kr", "Korea"), ("ir", "Iran")] {
        shell.run(&["create", &format!("countries/{id}"), "--set", &format!("display_name={name}")]).exits(0);
    }
    shell.run_with(&["create", "-f", "-"], AGREEMENT).exits(0);
    shell
}

fn events(shell: &Shell) -> serde_json::Value {
    let json = shell.run(&["get", "agreements/y", "--fields", "events", "-o", "json"]).exits(0).out;
    serde_json::from_str::<serde_json::Value>(&json).unwrap()["agreement"]["events"].clone()
}

#[test]
fn an_event_is_recorded_and_voided() {
    let shell = signed();
    let head = shell.head();
    let record = ["record", "agreements/y", "ratification", "--party", "kr", "--date", "2020-05"];
    shell.run(&[&record[..], &["--dry-run"]].concat()).exits(0).prints("agreements/y recorded e2 (dry run)\n");
    assert_eq!(shell.head(), head);
    shell.run(&[&record[..], &["-m", "note 12"]].concat()).exits(0).prints("agreements/y recorded e2\n");
    let event = &events(&shell)[1];
    assert_eq!((&event["type"], &event["partyIds"][0]), (&"AGREEMENT_EVENT_TYPE_RATIFICATION".into(), &"rok".into()));
    shell.run(&["history", "agreements/y"]).exits(0).prints("RECORD_EVENTS").prints("note 12");
    let instead = ["record", "y", "ratification", "--party", "countries/kr", "--date", "2020-04", "--instead-of", "e2"];
    shell.run(&instead).exits(2).complains("--instead-of voids events: say why with --reason, or -m");
    let instead = [&instead[..], &["-m", "a slip of the pen"]].concat();
    shell.run(&instead).exits(0).prints("agreements/y recorded e3, voided e2\n");
    assert_eq!(events(&shell)[1]["voided"]["reason"], "a slip of the pen");

    shell.run(&["void", "agreements/y", "e3"]).exits(2).complains("an event is voided for a reason");
    shell.run(&["void", "agreements/y", "e3", "-m", "x", "--dry-run"]).exits(0).prints("voided e3 (dry run)");
    let json = shell.run(&["void", "agreements/y", "e3", "-m", "never", "-o", "json"]).exits(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["agreement"]["events"][2]["voided"]["reason"], "never");
    shell.run(&["void", "agreements/y", "e3", "-m", "x"]).exits(4).complains("e3, which is voided already");
    shell.run(&["void", "agreements/y", "e9", "-m", "x"]).exits(4).complains("\"e9\" is not");
    shell.run(&["void", "agreements/none", "e1", "-m", "x"]).exits(3);
}

#[test]
fn what_an_event_lacks_is_told_by_the_options() {
    let shell = signed();
    let refused = |options: &[&str], code: i32, text: &str| {
        shell.run(&[&["record", "agreements/y"], options].concat()).exits(code).complains(text);
    };
    refused(&["ratificaton", "--date", "2020"], 2, "did you mean ratification?");
    refused(&["ratification"], 2, "--date");
    refused(&["ratification", "--date", "soon"], 2, "is not a date");
    refused(&["ratification", "--date", "2020", "--party", "iran"], 2, "--party iran: agreements/y has no such party");
    refused(&["denunciation", "--date", "2020"], 4, "error: --party: is required: an event of this type");
    refused(&["termination", "--date", "2020"], 4, "error: --ground: is required of a termination");
    refused(&["termination", "--date", "2020", "--ground", "later-agrement"], 2, "did you mean later-agreement?");
    refused(&["revocation", "--date", "2020"], 4, "error: --revokes: is required");
    refused(&["signature", "--date", "2020", "--instead-of", "e7", "-m", "x"], 4, "--instead-of, the first: must be");
    refused(&["amendment", "--date", "2020", "--agreement", "agreements/none"], 4, "agreements/none does not exist");
    shell.run(&["record", "countries/kr", "signature", "--date", "2020"]).exits(2).complains("countries");
    // Every option, where it belongs.
    let full = ["denunciation", "--party", "ir", "--date", "2020-01-10", "--effect", "2021-01-10"];
    let full = [&full[..], &["--instrument", "Note 7", "--note", "by post", "--ground", "other"]].concat();
    shell.run(&[&["record", "agreements/y"], &full[..]].concat()).exits(0);
    shell.run(&["record", "y", "revocation", "--party", "ir", "--date", "2020-06", "--revokes", "e2"]).exits(0);
    let renewal = ["record", "y", "renewal", "--date", "unknown", "--until", "2030-12-31"];
    shell.run(&renewal).exits(0).prints("recorded e4");
    let recorded = events(&shell);
    assert_eq!((&recorded[1]["instrument"], &recorded[1]["note"]), (&"Note 7".into(), &"by post".into()));
    assert_eq!(recorded[2]["revokedEventId"], "e2");
    // Completion knows the types.
    shell.run(&["completion", "bash"]).exits(0).prints("entry-into-force");
}

/// The same agreement as a source has it, with these events.
fn source(events: &str) -> String {
    let agreement = AGREEMENT.replace('\n', "");
    agreement.replace(r#"{"type":"signature","actDate":"1990"}"#, events)
}

#[test]
fn a_file_that_is_read_again_refreshes_the_registry() {
    let shell = signed();
    let head = shell.head();
    let (signature, force) =
        (r#"{"type":"signature","actDate":"1990"}"#, r#"{"type":"entry-into-force","actDate":"1991"}"#);
    shell.write("a.ndjson", &source(signature));
    for command in [
        &["import", "a.ndjson"][..],
        &["import", "--merge", "a.ndjson"],
        &["apply", "-f", "a.ndjson"],
        &["diff", "-f", "a.ndjson"],
    ] {
        shell.run(command).exits(0);
        assert_eq!(shell.head(), head, "{command:?}: nothing has changed");
    }
    // News, and a change.
    let mended = r#"{"type":"signature","actDate":"1990","note":"in Tehran"}"#;
    shell.write("a.ndjson", &source(&format!("{mended},{force}")));
    shell.run(&["diff", "-f", "a.ndjson"]).exits(1).prints("events of agreements/y would be recorded and voided");
    shell.run(&["import", "--dry-run", "a.ndjson"]).exits(0).complains("1 updated");
    shell.run(&["import", "a.ndjson", "-m", "the edition of May"]).exits(0).complains("1 updated");
    let kept = events(&shell);
    assert_eq!((kept.as_array().unwrap().len(), &kept[0]["voided"]["reason"]), (3, &"the edition of May".into()));
    let head = shell.head();
    shell.run(&["import", "a.ndjson"]).exits(0).complains("0 created, 0 updated, 1 unchanged");
    shell.run(&["apply", "-f", "a.ndjson"]).exits(0).prints("agreements/y unchanged");
    assert_eq!(shell.head(), head, "a second run makes no revision");
    // What staff voids stays so; what is gone is told, and voided only if it is asked for.
    shell.run(&["void", "y", "e3", "-m", "never in force"]).exits(0);
    shell.run(&["import", "a.ndjson"]).exits(0).complains("1 unchanged");
    shell.write("a.ndjson", &source(force));
    let told = shell.run(&["import", "a.ndjson"]).exits(0).complains("1 unchanged");
    told.complains(
        "a.ndjson:1: warning: agreements/y: events[1]: e2, SIGNATURE of 1990, is not in the source any more; it stays",
    );
    shell.run(&["apply", "--void-gone", "-f", "a.ndjson"]).exits(0).prints("configured").complains("it was voided");
    assert!(events(&shell)[1]["voided"].is_object());
    shell.run(&["import", "--void-gone", "--create-only", "a.ndjson"]).exits(2);
}

#[test]
fn an_export_of_events_imported_elsewhere_is_exported_to_the_same_bytes() {
    let first = signed();
    first.run(&["record", "y", "entry-into-force", "--date", "1991-05-01"]).exits(0);
    let instead =
        ["record", "y", "entry-into-force", "--date", "1991-06~", "--instead-of", "e2", "-m", "another month"];
    first.run(&instead).exits(0);
    first.run(&["export", "-f", "all.ndjson"]).exits(0);
    let exported = first.read("all.ndjson");
    for kept in ["eventId", "recordTime", "recordDate", "voidTime", "another month"] {
        assert!(exported.contains(kept), "{kept}: {exported}");
    }
    let second = Shell::start();
    second.write("all.ndjson", &exported);
    second.run(&["import", "all.ndjson"]).exits(0).complains("0 refused");
    second.run(&["export", "-f", "again.ndjson"]).exits(0);
    assert_eq!(second.read("again.ndjson"), exported);
    let head = second.head();
    for mode in
        [&["import", "all.ndjson"][..], &["import", "--void-gone", "all.ndjson"], &["import", "--merge", "all.ndjson"]]
    {
        second.run(mode).exits(0).complains("0 created, 0 updated");
    }
    assert_eq!(second.head(), head, "a second import makes no revision");
    // And there where it comes from.
    let head = first.head();
    first.run(&["import", "all.ndjson"]).exits(0).complains("0 created, 0 updated");
    assert_eq!(first.head(), head);
}
