//! `revert`: what `kubectl rollout undo` and `git revert` are to others.

use super::KOREA;
use super::shell::Shell;

fn capital(shell: &Shell) -> String {
    shell.run(&["get", "countries/kr", "--fields", "capital", "-o", "csv"]).exits(0).out
}

/// Korea in revision 1, without a capital; with Busan in 2, with Seoul in 3.
fn korea() -> Shell {
    let shell = Shell::start();
    shell.run_with(&["create", "-f", "-"], KOREA).exits(0);
    shell.run(&["update", "countries/kr", "--set", "capital=Busan"]).exits(0);
    shell.run(&["update", "countries/kr", "--set", "capital=Seoul"]).exits(0);
    shell
}

#[test]
fn revert_undoes_the_last_change_or_goes_back_to_a_revision() {
    let shell = korea();
    let done = shell.run(&["revert", "country", "kr", "-m", "the last change was a mistake"]).exits(0);
    done.prints("countries/kr reverted to revision 2\n");
    assert_eq!(capital(&shell), "name,capital\ncountries/kr,Busan\n");
    shell.run(&["revert", "countries/kr", "--to", "3"]).exits(0).prints("reverted to revision 3");
    assert_eq!(capital(&shell), "name,capital\ncountries/kr,Seoul\n");
    assert_eq!(shell.head(), 5, "each is a new revision");
    shell.run(&["history", "countries/kr"]).exits(0).prints("ROLLBACK").prints("the last change was a mistake");
    shell.run(&["revert", "countries/kr", "--to", "3"]).exits(0).prints("countries/kr unchanged");
    assert_eq!(shell.head(), 5, "what is so already makes no revision");
    let json = shell.run(&["revert", "countries/kr", "--to", "1", "-o", "json"]).exits(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["country"].get("capital"), None, "{json}");
}

#[test]
fn revert_brings_a_deleted_resource_back() {
    let shell = korea();
    shell.run(&["delete", "countries/kr"]).exits(0);
    shell.run(&["revert", "countries/kr"]).exits(0).prints("reverted to revision 3");
    shell.run(&["list", "countries", "-o", "name"]).exits(0).prints("countries/kr");
    assert_eq!(capital(&shell), "name,capital\ncountries/kr,Seoul\n");
}

#[test]
fn revert_writes_nothing_in_a_dry_run_and_where_it_is_refused() {
    let shell = korea();
    shell
        .run(&["revert", "countries/kr", "--to", "1", "--dry-run"])
        .exits(0)
        .prints("reverted to revision 1 (dry run)");
    shell.run(&["revert", "countries/kr", "--to", "1", "--etag", "1-0"]).exits(5).complains("countries/kr has changed");
    shell.run(&["revert", "countries/kr", "--to", "9"]).complains("9").exits(3);
    shell.run(&["revert", "countries/kr", "--to", "0"]).exits(2);
    shell.run(&["revert", "countries/xx"]).exits(3).complains("countries/xx");
    shell.run(&["revert", "countries", "kr", "xx"]).exits(2);
    shell.run(&["create", "focusAreas/ai", "--set", "display_name=AI"]).exits(0);
    shell.run(&["revert", "focusAreas/ai"]).exits(2).complains("focusAreas/ai has only one revision");
    assert_eq!(shell.head(), 4);
    let etag = shell.run(&["get", "countries/kr", "--fields", "etag", "-o", "json"]).exits(0).out;
    let etag: serde_json::Value = serde_json::from_str(&etag).unwrap();
    let etag = etag["country"]["etag"].as_str().unwrap().trim_matches('"').to_owned();
    shell.run(&["revert", "countries/kr", "--etag", &etag]).exits(0).prints("reverted to revision 2");
}
