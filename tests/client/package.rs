//! The client crate as others depend on it: what it brings with it, and the program on its front page.

use std::process::Command;

use super::start;
use crate::harness::process;

/// What the library itself is written with. Each further crate is one that every program has to build and to trust.
const DEPENDENCIES: &[&str] = &[
    "futures-core",
    "futures-util",
    "partnership-registry",
    "prost",
    "prost-reflect",
    "prost-types",
    "rand",
    "serde",
    "serde_json",
    "serde_path_to_error",
    "strsim",
    "thiserror",
    "tokio",
    "tonic",
    "tonic-types",
    "uuid",
];

/// What only the command line needs, wherever in the tree it would come from.
const NOT_IN_THE_TREE: &[&str] =
    &["clap", "csv", "indicatif", "jiff", "serde-saphyr", "similar", "toml", "signal-hook-registry"];

fn tree(depth: &[&str]) -> Vec<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--offline", "-p", "partnership-registry-client", "--no-default-features"])
        .args(["-e", "normal", "--prefix", "none"])
        .args(depth)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn the_library_depends_on_nothing_that_only_the_command_line_needs() {
    let direct = tree(&["--depth", "1"]);
    assert_eq!(direct.first().map(String::as_str), Some("partnership-registry-client"));
    assert_eq!(direct[1..], *DEPENDENCIES);
    let all = tree(&[]);
    assert!(all.len() > DEPENDENCIES.len() && all.iter().any(|name| name == "hyper"), "the tree is whole: {all:?}");
    for name in NOT_IN_THE_TREE {
        assert!(!all.iter().any(|found| found == name), "{name} is in the tree of the library");
    }
}

#[tokio::test]
async fn the_program_on_the_front_page_runs_and_runs_again() {
    let (process, _data) = start();
    let example = process::build_example("quick_start");
    let run = || {
        let output = Command::new(&example).arg(format!("http://{}", process.address)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let lines = |first: &str, before: u64, note: &str| {
        let (was, is) = (note, format!("read in revision {before}"));
        format!(
            "{first}\n{is}\nMemorandum of understanding on hydrogen of 2025-10\nagreement.display_name is required\n\
             jane@ministry.example changed the note of agreements/hydrogen from {was:?} to {is:?}\n"
        )
    };
    assert_eq!(run(), lines("created agreements/hydrogen in revision 1", 1, ""));
    assert_eq!(run(), lines("it is there from the last time", 2, "read in revision 1"));
}
