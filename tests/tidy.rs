//! The rules of the sources, read off the sources: who may import what, and what may be said only in one place.
//!
//! Each rule is a function of all sources, so that it is also tried on a text that breaks it. `tokens`, `paths` and
//! `sources` read them; this file has the rules.

mod paths;
mod sources;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

use sources::{Source, Sources};
use tokens::Token;

/// What each part of the server may import, besides itself. `main.rs` and `lib.rs` may import all.
const SERVER: &[(&str, &[&str])] = &[
    ("commands", &["serve", "config", "api", "registry", "store", "kinds", "values", "violations", "time"]),
    ("serve", &["config", "api", "access", "budget", "registry", "time", "faults"]),
    ("api", &["config", "access", "budget", "registry", "kinds", "values", "violations", "time", "faults"]),
    ("config", &["registry", "store", "time", "faults"]),
    ("access", &["violations", "time"]),
    ("log", &["config"]),
    ("registry", &["store", "kinds", "values", "findings", "violations", "time", "faults"]),
    ("store", &["time", "faults"]),
    ("kinds", &["values", "findings", "violations", "time", "faults"]),
    ("values", &["violations", "time", "faults"]),
    ("findings", &[]),
    ("violations", &[]),
    ("time", &["faults"]),
    ("budget", &["config", "faults"]),
    ("ending", &["faults"]),
    ("faults", &[]),
];

/// What each part of the registry may import of it. Its facade, `registry/mod.rs`, may import all of them.
const REGISTRY: &[(&str, &[&str])] = &[
    ("query", &["read", "index", "resource", "schema", "error"]),
    ("write", &["index", "resource", "schema", "error"]),
    ("read", &["index", "resource", "schema", "error"]),
    ("checkpoint", &["index"]),
    ("bell", &["index"]),
    ("index", &["resource", "schema", "error"]),
    ("resource", &["schema", "error"]),
    ("schema", &["error"]),
    ("error", &[]),
];

/// Crates, and the only places that may name them.
const CRATES: &[(&str, &[&str])] = &[
    ("sled", &["server/src/store/state/"]),
    (
        "tonic",
        &["server/src/api/", "server/src/serve/", "server/src/commands/", "server/src/main.rs", "client/", "proto/"],
    ),
    ("clap", &["server/src/config/", "server/src/main.rs", "client/src/bin/", "client/examples/"]),
];

macro_rules! kinds {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        /// The words that name a kind, and the texts that do.
        const KINDS: (&[&str], &[&str]) =
            (&[$(stringify!($Kind), stringify!($singular), stringify!($plural)),*], &[$($collection),*]);
    };
}

partnership_registry::for_each_kind!(kinds);

/// A rule: the complaints about all sources.
type Rule = fn(&Sources) -> Vec<String>;

const RULES: &[Rule] = &[
    imports_of_the_server_go_down,
    imports_of_the_registry_go_down,
    no_files_import_each_other,
    crates_stay_in_their_places,
    only_the_store_syncs,
    no_kind_is_named_below_the_api,
    kinds_and_values_are_pure,
    only_the_clock_asks_the_system_for_the_time,
    each_file_is_a_module,
    each_file_opens_with_what_it_is,
    modules_are_called_what_they_are,
];

/// The complaint about each path of the sources below `folder` that leads to another part of it and may not.
fn imports_go_down(sources: &Sources, folder: &str, table: &[(&str, &[&str])], follow: bool) -> Vec<String> {
    let below = |source: &Source| {
        let path = source.path.strip_prefix(folder)?;
        let (part, _) = path.split_once('/').unwrap_or((path.trim_end_matches(".rs"), ""));
        (!matches!(part, "main" | "lib" | "mod")).then(|| part.to_owned())
    };
    let depth = folder.split('/').skip(2).filter(|part| !part.is_empty()).count();
    let mut complaints = Vec::new();
    for source in sources.iter() {
        let Some(part) = below(source) else { continue };
        let Some((_, allowed)) = table.iter().find(|(known, _)| *known == part) else {
            complaints.push(format!("{} is in no part that the rules know", source.path));
            continue;
        };
        for named in &source.paths {
            let Some(target) = sources.absolute(source, named) else { continue };
            let target = if follow {
                // What a facade hands on is where it comes from; what it has itself is its own.
                let Some(file) = sources.file(&target).filter(|file| file.path.starts_with(folder)) else { continue };
                below(file).unwrap_or_else(|| "mod".to_owned())
            } else {
                let Some(target) = target.get(depth) else { continue };
                target.clone()
            };
            if target != part && !allowed.contains(&target.as_str()) {
                complaints.push(format!("{} must not import {}", source.path, named.path.join("::")));
            }
        }
    }
    complaints
}

fn imports_of_the_server_go_down(sources: &Sources) -> Vec<String> {
    imports_go_down(sources, "server/src/", SERVER, false)
}

fn imports_of_the_registry_go_down(sources: &Sources) -> Vec<String> {
    let mut complaints = imports_go_down(sources, "server/src/registry/", REGISTRY, true);
    complaints.retain(|complaint| complaint.starts_with("server/src/registry/"));
    complaints
}

fn no_files_import_each_other(sources: &Sources) -> Vec<String> {
    sources.circles().iter().map(|circle| format!("in a circle: {}", circle.join(" -> "))).collect()
}

fn crates_stay_in_their_places(sources: &Sources) -> Vec<String> {
    let complaint = |source: &Source| {
        let foreign = |(_, places): &&(&str, &[&str])| !places.iter().any(|place| source.path.starts_with(place));
        let named = |name: &str| source.paths.iter().any(|named| named.path.first().is_some_and(|first| first == name));
        let found = CRATES.iter().filter(foreign).filter(|(name, _)| named(name));
        found.map(|(name, _)| format!("{} must not use {name}", source.path)).collect::<Vec<_>>()
    };
    sources.iter().flat_map(complaint).collect()
}

/// A complaint for each file that says one of these words.
fn words(sources: &Sources, applies: fn(&str) -> bool, words: &[&str]) -> Vec<String> {
    let said = |source: &Source| {
        let found = words.iter().filter(|word| source.tokens.iter().any(|token| token.is_word(word)));
        found.map(|word| format!("{} must not say {word}", source.path)).collect::<Vec<_>>()
    };
    sources.iter().filter(|source| applies(&source.path)).flat_map(said).collect()
}

fn only_the_store_syncs(sources: &Sources) -> Vec<String> {
    let applies = |path: &str| {
        path.starts_with("server/")
            && !path.starts_with("server/src/store/journal/")
            && path != "server/src/store/checkpoint.rs"
            && path != "server/src/store/disk.rs"
    };
    words(sources, applies, &["sync_all", "sync_data"])
}

fn no_kind_is_named_below_the_api(sources: &Sources) -> Vec<String> {
    let applies = |path: &str| path.starts_with("server/src/registry/") || path.starts_with("server/src/store/");
    let (names, collections) = KINDS;
    let mut complaints = words(sources, applies, names);
    for source in sources.iter().filter(|source| applies(&source.path)) {
        let said = |collection: &&&str| source.tokens.contains(&Token::Text((**collection).to_owned()));
        complaints.extend(collections.iter().filter(said).map(|text| format!("{} must not say {text:?}", source.path)));
    }
    complaints
}

fn kinds_and_values_are_pure(sources: &Sources) -> Vec<String> {
    let applies = |path: &str| path.starts_with("server/src/kinds/") || path.starts_with("server/src/values/");
    words(sources, applies, &["async", "await", "tokio", "fs", "net", "env", "thread", "Clock", "SystemClock"])
}

fn only_the_clock_asks_the_system_for_the_time(sources: &Sources) -> Vec<String> {
    let asks = |source: &&Source| {
        source.path.starts_with("server/")
            && source.path != "server/src/time.rs"
            && source.paths.iter().any(|named| {
                matches!(&named.path[..], [.., of, now] if now == "now" && matches!(of.as_str(), "SystemTime" | "Timestamp" | "Zoned" | "ZonedDateTime"))
            })
    };
    sources.iter().filter(asks).map(|source| format!("{} must ask a Clock for the time", source.path)).collect()
}

fn each_file_is_a_module(sources: &Sources) -> Vec<String> {
    // The table of kinds declares their files.
    let of_a_kind = |path: &str| KINDS.0.iter().any(|name| path == format!("server/src/kinds/{name}.rs"));
    let undeclared = sources.undeclared().filter(|source| !of_a_kind(&source.path));
    undeclared.map(|source| format!("{} is declared by no other file, so nobody compiles it", source.path)).collect()
}

fn each_file_opens_with_what_it_is(sources: &Sources) -> Vec<String> {
    let silent = sources.iter().filter(|source| !source.opening.starts_with("//! "));
    silent.map(|source| format!("{} must open with what it is", source.path)).collect()
}

fn modules_are_called_what_they_are(sources: &Sources) -> Vec<String> {
    let says_nothing = |name: &str| {
        matches!(name, "util" | "utils" | "helper" | "helpers" | "common" | "misc" | "manager")
            || ["_util", "_utils", "_helper", "_helpers", "_manager"].iter().any(|ending| name.ends_with(ending))
    };
    let named = |source: &&Source| source.path.split(['/', '.']).any(says_nothing);
    sources.iter().filter(named).map(|source| format!("{} needs a name that tells what it is", source.path)).collect()
}

/// All crates of the repository whose sources are read: their names and their folders.
const CRATES_READ: &[(&str, &str)] = &[
    ("partnership_registry", "proto"),
    ("partnership_registry_server", "server/src"),
    ("partnership_registry_client", "client/src"),
    ("partnerctl", "client/src/bin/partnerctl"),
    ("load_data", "client/examples/load_data"),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // A binary is a crate of its own.
        if path.is_dir() && path.file_name().is_some_and(|name| name != "bin") {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn read(name: &'static str, folder: &str) -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    files(&root, &mut found);
    let texts: Vec<_> = found
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    Sources::read(name, folder, &texts)
}

#[test]
fn the_sources_keep_the_rules() {
    let crates: Vec<_> = CRATES_READ.iter().map(|(name, folder)| read(name, folder)).collect();
    let count: usize = crates.iter().map(|sources| sources.iter().count()).sum();
    assert!(count > 100, "the sources are found: {count}");
    let mut complaints: Vec<_> =
        crates.iter().flat_map(|sources| RULES.iter().flat_map(|rule| rule(sources))).collect();
    complaints.sort();
    complaints.dedup();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_text_that_breaks_a_rule_is_seen() {
    let table: &[(Rule, &str, &str)] = &[
        (imports_of_the_server_go_down, "store/state/key.rs", "use crate::registry::Name;"),
        (imports_of_the_server_go_down, "registry/read/mod.rs", "fn f() -> crate::api::Api {}"),
        (
            imports_of_the_server_go_down,
            "api/watch.rs",
            "use crate::{\n    registry::Registry,\n    store::Record,\n};",
        ),
        (imports_of_the_server_go_down, "api/watch.rs", "use super::super::store;"),
        (imports_of_the_server_go_down, "kinds/country.rs", "use crate::store::Revision;"),
        (imports_of_the_server_go_down, "values/money.rs", "use crate::registry::KindId;"),
        (imports_of_the_registry_go_down, "registry/write/plan.rs", "use crate::registry::read::reader::Reader;"),
        (imports_of_the_registry_go_down, "registry/write/plan.rs", "use super::super::query::list::Page;"),
        (imports_of_the_registry_go_down, "registry/query/list.rs", "use crate::registry::write::plan::Plan;"),
        (imports_of_the_registry_go_down, "registry/read/reader.rs", "use crate::registry::Registry;"),
        (imports_of_the_registry_go_down, "registry/schema/mod.rs", "use crate::registry::{resource, error::Error};"),
        (no_files_import_each_other, "store/disk.rs", "use crate::store::own;"),
        (crates_stay_in_their_places, "registry/read/mod.rs", "fn open() -> sled::Db {}"),
        (crates_stay_in_their_places, "registry/read/mod.rs", "use tonic::{Code, Status};"),
        (crates_stay_in_their_places, "store/disk.rs", "use clap::Args;"),
        (only_the_store_syncs, "registry/write/writer.rs", "fn f() { file.sync_data()?; }"),
        (only_the_store_syncs, "store/state/mod.rs", "fn f() { file\n    .sync_all() }"),
        (
            no_kind_is_named_below_the_api,
            "registry/schema/mod.rs",
            "use partnership_registry::v1::{\n    Agreement, Resource,\n};",
        ),
        (no_kind_is_named_below_the_api, "store/mod.rs", "fn f() { matches!(kind, resource::Kind::Country(_)) }"),
        (no_kind_is_named_below_the_api, "registry/write/plan.rs", "fn f() { collection == \"focusAreas\" }"),
        (kinds_and_values_are_pure, "kinds/course.rs", "async fn f() {}"),
        (kinds_and_values_are_pure, "values/money.rs", "use std::{fs, io};"),
        (only_the_clock_asks_the_system_for_the_time, "serve/mod.rs", "fn f() { std::time::SystemTime::now() }"),
        (only_the_clock_asks_the_system_for_the_time, "api/mod.rs", "fn f() { jiff::Timestamp::now() }"),
    ];
    for (rule, path, text) in table {
        assert!(!complaints(*rule, path, text).is_empty(), "{path}: {text}");
        let comment = format!("// {}", text.replace('\n', " "));
        assert_eq!(complaints(*rule, path, &comment), Vec::<String>::new(), "a comment may say it: {text}");
        let test = format!("#[cfg(test)] mod tests {{ {text} }}");
        assert_eq!(complaints(*rule, path, &test), Vec::<String>::new(), "and so may a test: {text}");
    }
    let by_path: &[(Rule, &str, &str)] = &[
        (imports_of_the_server_go_down, "elsewhere/mod.rs", ""),
        (imports_of_the_registry_go_down, "registry/elsewhere.rs", ""),
        (each_file_is_a_module, "registry/forgotten.rs", ""),
        (modules_are_called_what_they_are, "registry/utils.rs", ""),
        (modules_are_called_what_they_are, "store/state_manager/mod.rs", ""),
        (each_file_opens_with_what_it_is, "api/mod.rs", "// An ordinary comment.\nuse std::fs;"),
    ];
    for (rule, path, text) in by_path {
        assert!(!complaints(*rule, path, text).is_empty(), "{path}");
    }
}

/// What a rule says of a text among some others that keep it.
fn complaints(rule: Rule, path: &str, text: &str) -> Vec<String> {
    let others = [
        ("lib.rs", ""),
        ("store/mod.rs", "use crate::store::disk::sync; fn own() {}"),
        ("registry/mod.rs", "pub use schema::KindId;"),
        ("registry/error.rs", ""),
        ("registry/query/list.rs", ""),
        ("registry/read/reader.rs", ""),
        ("registry/resource/mod.rs", ""),
        ("registry/schema/mod.rs", ""),
        ("registry/write/plan.rs", ""),
    ];
    let others = others.iter().filter(|(other, _)| *other != path);
    let mut texts: Vec<_> = others.map(|(other, text)| ((*other).to_owned(), format!("//! A file.\n{text}"))).collect();
    texts.push((path.to_owned(), text.to_owned()));
    rule(&Sources::read("partnership_registry_server", "server/src", &texts))
}
