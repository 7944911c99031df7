//! docs/limits.md: its numbers are those of the sources, and they add up.

use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../docs/limits.md");

fn source(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("server/src").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of the rows with so many of them, without their headings.
fn rows(cells: usize) -> impl Iterator<Item = Vec<&'static str>> {
    PAGE.lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---") && !line.starts_with("| what |"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>())
        .filter(move |row| row.len() == cells)
}

/// What stands in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// A number of the page, such as `16 KiB` or `9 s`: bytes, milliseconds, or how many.
fn told(cell: &str) -> u64 {
    let (number, unit) = cell.split_once(' ').unwrap_or((cell, ""));
    let number: u64 = number.replace(',', "").parse().unwrap_or_else(|_| panic!("no number: {cell}"));
    match unit {
        "" => number,
        "KiB" => number << 10,
        "MiB" => number << 20,
        "s" => number * 1_000,
        unit => panic!("no unit: {unit}"),
    }
}

/// A constant of a source, in the same units.
fn constant(file: &str, name: &str) -> u64 {
    let text = source(file);
    let (_, rest) = text.split_once(&format!("const {name}: ")).unwrap_or_else(|| panic!("{file} has no {name}"));
    let (_, value) = rest.split_once(" = ").unwrap();
    let (value, _) = value.split_once(';').unwrap();
    evaluated(value).unwrap_or_else(|| match value.strip_prefix("2 * ") {
        Some("COMMIT_BYTES_MAX") => 2 * constant("registry/write/plan.rs", "COMMIT_BYTES_MAX"),
        Some(_) | None => panic!("{file}: {name} = {value}"),
    })
}

fn evaluated(value: &str) -> Option<u64> {
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().ok();
    let inner = |prefix| value.strip_prefix(prefix).and_then(|rest: &str| rest.strip_suffix(')')).and_then(number);
    if let Some((number_, bits)) = value.split_once("<<") {
        return Some(number(number_)? << number(bits)?);
    }
    inner("Duration::from_secs(")
        .map(|seconds| seconds * 1_000)
        .or_else(|| inner("Duration::from_millis("))
        .or(number(value))
}

/// The default of a flag, as it is written.
fn default_of(file: &str, flag: &str) -> String {
    let variable = format!("\"PARTNERSHIP_{}\"", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
    let text = source(file);
    let (_, rest) = text.split_once(&variable).unwrap_or_else(|| panic!("{file} has no {flag}"));
    let (_, rest) = rest.split_once("default_value = \"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[test]
fn every_limit_of_the_page_is_that_of_the_sources() {
    let mut held = 0;
    for row in rows(4) {
        let [what, most, flag, place] = row.as_slice() else { unreachable!() };
        match (quoted(flag).as_slice(), quoted(place).as_slice()) {
            ([], [file, name]) => assert_eq!(told(most), constant(file, name), "{what}: {name}"),
            ([flag], [file]) => {
                let unit = if flag.ends_with("-mib") { " MiB" } else { "" };
                assert_eq!(most.replace(',', ""), default_of(file, flag) + unit, "{what}: {flag}");
            }
            other => panic!("{what}: {other:?}"),
        }
        held += 1;
    }
    assert!(held > 40, "docs/limits.md has {held} limits");
}

#[test]
fn what_a_server_can_hold_adds_up() {
    let number = |row: &Vec<&str>| row[1].trim_matches('*').parse::<u64>().unwrap();
    let all: Vec<_> = rows(2).collect();
    let (sum, parts) = all.split_last().unwrap();
    assert!(sum[0].contains("together") && parts.len() > 5);
    assert_eq!(number(sum), parts.iter().map(number).sum::<u64>());
    // The parts that follow from limits.
    let part = |word: &str| number(parts.iter().find(|row| row[0].contains(word)).unwrap()) << 20;
    let flag = |flag| default_of("config/limits.rs", flag).parse::<u64>().unwrap();
    assert_eq!(part("the budget"), flag("--budget-mib") << 20);
    let connections = flag("--connections-max");
    assert_eq!(part("floors"), connections * constant("config/limits.rs", "CONNECTION_FLOOR_BYTES"));
    assert_eq!(part("transport"), connections * constant("config/connection.rs", "SEND_BUFFER_BYTES"));
    assert_eq!(part("writes that wait"), 2 * constant("registry/mod.rs", "WRITES_BYTES_MAX"));
    let read =
        constant("registry/resource/mod.rs", "DOCUMENT_BYTES_MAX") + constant("api/export.rs", "CHUNK_BYTES_MAX");
    assert_eq!(part("reads, each"), constant("api/blocking.rs", "READS_MAX") * read);
    assert_eq!(part("committer remembers"), constant("registry/write/ledger.rs", "DOCUMENT_BYTES_MAX"));
}
