//! `count`, and `--explain` of what would be listed or counted.

use super::shell::Shell;

/// Projects with budgets in several currencies, and where they are done.
const PROJECTS: &str = r#"
{"country":{"name":"countries/kr","displayName":"Republic of Korea"}}
{"country":{"name":"countries/ir","displayName":"Iran"}}
{"project":{"name":"projects/a","displayName":"A","state":"pipeline","countries":["countries/kr","countries/ir"],"approvalDate":"2024-03","budgets":[{"amount":{"currencyCode":"USD","units":"1000","nanos":500000000}}]}}
{"project":{"name":"projects/b","displayName":"B","state":"pipeline","countries":["countries/kr"],"approvalDate":"2025","budgets":[{"amount":{"currencyCode":"USD","units":"1"}},{"amount":{"currencyCode":"EUR","units":"20"}}]}}
{"project":{"name":"projects/c","displayName":"C","state":"suspended","approvalDate":"2025~"}}
"#;

fn stocked() -> Shell {
    let shell = Shell::start();
    shell.write("projects.ndjson", PROJECTS.trim_start());
    shell.run(&["import", "projects.ndjson"]).exits(0).complains("0 refused");
    shell
}

#[test]
fn groups_are_a_table_with_what_is_left_out_and_the_total() {
    let shell = stocked();
    let all = shell.run(&["count", "projects"]).exits(0);
    assert_eq!((all.out.as_str(), all.err.as_str()), ("COUNT\n    3\n", ""));
    let table = shell.run(&["count", "project", "--by", "state", "--sum", "budgets.amount"]).exits(0);
    let expected = "\
STATE       COUNT   EUR       USD
PIPELINE        2    20   1001.50
SUSPENDED       1
(total)         3    20   1001.50
";
    assert_eq!((table.out.as_str(), table.err.as_str()), (expected, ""));
    let by_year = shell.run(&["count", "projects", "--by", "state,year(approval_date)", "--groups-max", "2"]).exits(0);
    let expected = "\
STATE      YEAR(APPROVAL DATE)   COUNT
PIPELINE   2024                      1
PIPELINE   2025                      1
(others)                             1
(total)                              3
";
    assert_eq!(by_year.out, expected);
    assert_eq!(by_year.err, "the 2 largest groups; --groups-max shows more\n");
    // A listing writes amounts as filters and keys do.
    let listed = shell.run(&["list", "projects", "--fields", "budgets", "-o", "csv"]).exits(0);
    assert_eq!(listed.out, "name,budgets\nprojects/a,1000.50 USD\nprojects/b,\"1 USD,20 EUR\"\nprojects/c,\n");
    let countries = shell.run(&["count", "projects", "--by", "countries"]).exits(0);
    countries
        .prints("countries/kr       2\n")
        .prints("(none)             1\n")
        .prints("(total)            3\n")
        .complains("what has several values counts once for each, so the groups have more together than the total");
    shell.run(&["count", "projects", "--filter", "state = suspended"]).exits(0).prints("COUNT\n    1\n");
    shell.run(&["delete", "projects/c"]).exits(0);
    shell.run(&["count", "projects"]).exits(0).prints("    2\n");
    shell.run(&["count", "projects", "--show-deleted"]).exits(0).prints("    3\n");
    shell.run(&["count", "projects", "--at", "1"]).exits(0).prints("    3\n");
}

#[test]
fn programs_get_the_counts_whole() {
    let shell = stocked();
    let count = &["count", "projects", "--by", "state", "--sum", "budgets.amount", "-o"];
    let print = |format| shell.run(&[&count[..], &[format]].concat()).exits(0).out;
    let json: serde_json::Value = serde_json::from_str(&print("json")).unwrap();
    assert_eq!(json["totalSize"], "3");
    assert_eq!(json["groups"][0]["keys"][0], "PROJECT_STATE_PIPELINE");
    assert_eq!(
        json["groups"][0]["sums"][1],
        serde_json::json!({"currencyCode": "USD", "units": "1001", "nanos": 500_000_000})
    );
    let csv = "state,count,eur,usd\nPROJECT_STATE_PIPELINE,2,20,1001.50\nPROJECT_STATE_SUSPENDED,1,,\n";
    assert_eq!(print("csv"), csv);
    let lines = print("ndjson");
    assert_eq!(lines.lines().count(), 2);
    assert!(lines.ends_with("{\"keys\":[\"PROJECT_STATE_SUSPENDED\"],\"count\":\"1\"}\n"), "{lines}");
    assert!(print("yaml").contains("totalSize: \"3\""));
    let countries = shell.run(&["count", "projects", "--by", "countries", "-o", "csv"]).exits(0);
    assert_eq!(countries.out, "countries,count\ncountries/kr,2\n,1\ncountries/ir,1\n");
    let total = shell.run(&["count", "projects", "--sum", "budgets.amount", "-o", "csv"]).exits(0);
    assert_eq!(total.out, "count,eur,usd\n3,20,1001.50\n");
}

#[test]
fn what_cannot_be_counted_is_told_by_its_option() {
    let shell = stocked();
    let refused = |arguments: &[&str], told: &str| {
        shell.run(&[&["count", "projects"][..], arguments].concat()).exits(4).complains(told);
    };
    refused(&["--by", "colour"], "error: --by, the first: must name fields, and Project has no field \"colour\"");
    refused(
        &["--by", "state,year(state)"],
        "error: --by, the second: must be a date or a time here, and state is neither (at column 6)",
    );
    refused(&["--by", "a,b,c"], "error: 3 fields break rules\n  --by: must have at most 2 items, and has 3\n");
    refused(
        &["--sum", "budgets"],
        "error: --sum: must add up single values, and \"budgets\" is a message; its fields are ",
    );
    refused(&["--filter", "colour = red"], "error: --filter: ");
    shell.run(&["count", "ships"]).exits(2).complains("there is no kind \"ships\"");
    shell.run(&["count", "projects", "--groups-max", "0"]).exits(2).complains("--groups-max");
}

#[test]
fn a_plan_is_told_in_words_and_nothing_is_answered() {
    let shell = stocked();
    for command in ["list", "count"] {
        let all = shell.run(&[command, "projects", "--explain"]).exits(0);
        assert!(!all.out.contains("TEST") && !all.out.contains("projects/a"), "{}", all.out);
        all.prints("found     3 resources, by indexes\n").prints("cost      0 documents to read, of at most ");
        let filtered = shell.run(&[command, "projects", "--filter", "display_name = A", "--explain"]).exits(0);
        filtered.prints("TEST ").prints("display_name = A   ");
        let json = shell.run(&[command, "projects", "--explain", "-o", "json"]).exits(0).out;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["found"], "3", "{json}");
        shell.run(&[command, "projects", "--explain", "-o", "csv"]).exits(2).complains("--explain prints no csv");
    }
    shell.run(&["list", "projects", "--explain", "--order-by", "colour"]).exits(4).complains("--order-by: ");
}
