//! Masks of readings (AIP-157), and masks into maps (AIP-161): for every field of every kind, what a mask names is
//! answered or changed, and nothing else.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind as Type, MapKey, Value};
use tonic::{Code, Status};

use super::coverage::Coverage;
use super::kind::Kind;
use super::suite::{Suite, labelled, mask, named};
use crate::harness::dynamic::{message, messages, number, set, string, strings, text};
use crate::harness::refused;

/// Reads a resource with a mask in each of the ways there are, which must agree.
async fn read(suite: &Suite, kind: &Kind, name: &str, paths: &[&str]) -> DynamicMessage {
    let got = get(suite, kind, name, paths).await.unwrap();
    let batch = [("names", strings([name])), ("read_mask", mask(kind, paths))];
    let batch = messages(&suite.call(&kind.batch_get, batch).await.unwrap(), &kind.plural);
    assert_eq!(batch, std::slice::from_ref(&got), "{} {paths:?}", kind.batch_get.name());
    let arguments = [("filter", string(format!("name = \"{name}\""))), ("read_mask", mask(kind, paths))];
    let listed = suite.page(kind, &arguments, 0, "").await.unwrap();
    assert_eq!(listed.resources, [without_parties(&got, paths)], "{} {paths:?}", kind.list.name());
    got
}

/// A list tells how each party stands only if its mask asks for that.
fn without_parties(got: &DynamicMessage, paths: &[&str]) -> DynamicMessage {
    let mut without = got.clone();
    if matches!(paths, [] | ["*"])
        && let Some(status) = without.get_field_by_name_mut("status")
    {
        status.as_message_mut().unwrap().clear_field_by_name("parties");
    }
    without
}

async fn get(suite: &Suite, kind: &Kind, name: &str, paths: &[&str]) -> Result<DynamicMessage, Status> {
    suite.call(&kind.get, [("name", string(name)), ("read_mask", mask(kind, paths))]).await
}

/// A message with one field of another.
fn with_only(message: &DynamicMessage, field: &FieldDescriptor) -> DynamicMessage {
    let mut only = DynamicMessage::new(field.parent_message().clone());
    if message.has_field(field) {
        only.set_field(field, message.get_field(field).into_owned());
    }
    only
}

fn single_message(field: &FieldDescriptor) -> Option<prost_reflect::MessageDescriptor> {
    match field.kind() {
        Type::Message(inner) if !field.is_list() && !field.is_map() => Some(inner),
        _ => None,
    }
}

/// Each field of a kind, and each part of a single message in it, as paths.
fn paths(kind: &Kind) -> Vec<(String, FieldDescriptor, Option<FieldDescriptor>)> {
    let mut paths = Vec::new();
    for field in kind.message.fields() {
        for part in single_message(&field).iter().flat_map(|inner| inner.fields()) {
            paths.push((format!("{}.{}", field.name(), part.name()), field.clone(), Some(part)));
        }
        paths.push((field.name().to_owned(), field, None));
    }
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_mask_answers_exactly_what_it_names() {
    let suite = Suite::start().await;
    let all = || suite.kinds.iter().flat_map(|kind| paths(kind).into_iter().map(move |path| (kind, path)));
    let mut coverage = Coverage::of(
        "157 read_mask is kept",
        "paths",
        all().map(|(kind, (path, ..))| format!("{}.{path}", kind.name())),
    );
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let name = text(&made, "name");
        for (path, field, part) in paths(kind) {
            let mut expected = with_only(&made, &field);
            if let (Some(part), true) = (part, made.has_field(&field)) {
                let inner = with_only(made.get_field(&field).as_message().unwrap(), &part);
                expected.set_field(&field, Value::Message(inner));
            }
            assert_eq!(read(&suite, kind, &name, &[&path]).await, expected, "{} {path}", kind.name());
            coverage.held(format!("{}.{path}", kind.name()));
        }
        for whole in [
            &["*"][..],
            &[],
            &kind
                .message
                .fields()
                .map(|field| field.name().to_owned())
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        ] {
            assert_eq!(read(&suite, kind, &name, whole).await, made, "{} {whole:?}", kind.name());
        }
        let mut two = with_only(&made, &kind.message.get_field_by_name("name").unwrap());
        set(&mut two, "etag", string(text(&made, "etag")));
        assert_eq!(read(&suite, kind, &name, &["etag", "name", "etag"]).await, two, "{}", kind.name());
    }
    coverage.complete();
}

/// Whole maps of a resource, as entries.
fn entries(entries: &[(&str, &str)]) -> Value {
    Value::Map(entries.iter().map(|(key, value)| (MapKey::String((*key).into()), string(*value))).collect())
}

/// The maps of a kind.
fn maps(kind: &Kind) -> Vec<FieldDescriptor> {
    kind.message.fields().filter(FieldDescriptor::is_map).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mask_reaches_single_entries_of_maps_for_reading_and_for_changing() {
    let suite = Suite::start().await;
    let wanted = suite.kinds.iter().flat_map(maps).map(|map| map.full_name().to_owned());
    let mut coverage = Coverage::of("161 masks into maps", "fields", wanted);
    const BEFORE: &[(&str, &str)] = &[("both", "old"), ("gone", "x"), ("unit/region.a", "old")];
    const SENT: &[(&str, &str)] = &[("both", "new"), ("come", "y"), ("unit/region.a", "new")];
    // The entries that a path names, and the map that a change by it leaves.
    type Line =
        (&'static [&'static str], &'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)]);
    let table: [Line; 7] = [
        (&["both"], &[("both", "old")], &[("both", "new"), ("gone", "x"), ("unit/region.a", "old")]),
        (&["come"], &[], &[("both", "old"), ("come", "y"), ("gone", "x"), ("unit/region.a", "old")]),
        (&["gone"], &[("gone", "x")], &[("both", "old"), ("unit/region.a", "old")]),
        (&["none"], &[], &[("both", "old"), ("gone", "x"), ("unit/region.a", "old")]),
        (
            &["`unit/region.a`"],
            &[("unit/region.a", "old")],
            &[("both", "old"), ("gone", "x"), ("unit/region.a", "new")],
        ),
        (&["both", "`gone`"], &[("both", "old"), ("gone", "x")], &[("both", "new"), ("unit/region.a", "old")]),
        (&[], BEFORE, SENT),
    ];
    for kind in &suite.kinds {
        for map in maps(kind) {
            for (keys, answered, left) in &table {
                let made = suite.create_all(kind, 0).await;
                let name = text(&made, "name");
                let mut start = named(made, &name);
                start.clear_field_by_name("etag");
                start.set_field(&map, entries(BEFORE));
                let start = suite.update(kind, start, &[map.name()]).await.unwrap();
                let mut paths: Vec<String> = keys.iter().map(|key| format!("{}.{key}", map.name())).collect();
                if paths.is_empty() {
                    // All of the map, whatever entries are named besides.
                    paths = vec![format!("{}.both", map.name()), map.name().to_owned(), format!("{}.gone", map.name())];
                }
                let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
                let what = format!("{} {paths:?}", kind.name());

                let mut expected = DynamicMessage::new(kind.message.clone());
                if !answered.is_empty() {
                    expected.set_field(&map, entries(answered));
                }
                assert_eq!(read(&suite, kind, &name, &paths).await, expected, "{what}");

                let mut change = message(&kind.message, [("name", string(&name))]);
                change.set_field(&map, entries(SENT));
                let changed = suite.update(kind, change, &paths).await.unwrap();
                assert_eq!(changed.get_field(&map).into_owned(), entries(left), "{what}");
                // Whatever the way to the same entries, the same resource: a change to it changes nothing.
                let again = suite.update(kind, changed.clone(), &["*"]).await.unwrap();
                assert_eq!(again, changed, "{what}");
                let unchanged = *keys == ["none"];
                assert_eq!(number(&changed, "revision") == number(&start, "revision"), unchanged, "{what}");
            }
            coverage.held(map.full_name());
        }
    }
    coverage.complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_any_letters_stands_in_backticks() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let name = text(&suite.create_least(kind, 0).await, "name");
        for (key, path) in [
            ("a`b", "annotations.`a``b`"),
            ("`", "annotations.````"),
            ("a.b", "annotations.`a.b`"),
            ("기관", "annotations.`기관`"),
            ("plain", "annotations.`plain`"),
            ("A9_", "annotations.A9_"),
        ] {
            let mut change = message(&kind.message, [("name", string(&name))]);
            set(&mut change, "annotations", entries(&[(key, "value"), ("other", "not meant")]));
            suite.update(kind, change, &[path]).await.unwrap();
            let answered = get(&suite, kind, &name, &[path]).await.unwrap();
            let expected = message(&kind.message, [("annotations", entries(&[(key, "value")]))]);
            assert_eq!(answered, expected, "{} {path}", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_leads_nowhere_is_refused_for_reading_as_for_changing() {
    let suite = Suite::start().await;
    let bad = [
        ("no_such_field", "has no field"),
        ("displayName", "has no field"),
        ("display_name.text", "has no parts"),
        ("create_time.hours", "has no field"),
        ("documents.title", "is a list"),
        ("documents.0", "is a list"),
        ("documents[0]", "has no field"),
        ("external_ids.*", "is a list"),
        ("labels.Key", "must be a lower-case letter"),
        ("labels.`a b`", "must be a lower-case letter"),
        ("labels.a-b", "must stand in backticks"),
        ("labels.*", "must stand in backticks"),
        ("labels.run.more", "has no parts"),
        ("labels.", "names no key"),
        ("labels.`run", "is not closed"),
        ("annotations.`a`b", "only a dot"),
        ("", "has no field"),
    ];
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let name = text(&made, "name");
        for (path, why) in bad {
            let read = |paths| ("read_mask", mask(kind, paths));
            let paths: &[&str] = &["display_name", path];
            let answers = [
                ("read_mask", get(&suite, kind, &name, paths).await),
                ("read_mask", suite.call(&kind.batch_get, [("names", strings([&*name])), read(paths)]).await),
                ("read_mask", suite.call(&kind.list, [read(paths)]).await),
                ("update_mask", suite.update(kind, made.clone(), paths).await),
            ];
            for (field, answer) in answers {
                let told = refused(answer);
                let [(at, rule)] = told.fields.as_slice() else { panic!("one path is bad: {told:?}") };
                assert_eq!((told.code, at.as_str()), (Code::InvalidArgument, field), "{} {path}", kind.name());
                assert!(rule.contains(&format!("{path:?}")) && rule.contains(why), "{} {path}: {rule}", kind.name());
            }
        }
        for paths in [vec!["*", "name"], vec!["name"; 201]] {
            assert!(refused(get(&suite, kind, &name, &paths).await).names("read_mask"), "{}", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_current_etag_gets_the_same_little_whatever_the_mask() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let ask = |paths: &[&str]| {
            let fields = [("name", string(text(&made, "name"))), ("if_none_match", string(text(&made, "etag")))];
            suite.call(&kind.get, fields.into_iter().chain([("read_mask", mask(kind, paths))]))
        };
        let little = ask(&[]).await.unwrap();
        assert!(little != made && text(&little, "name") == text(&made, "name"), "{}", kind.name());
        assert_eq!(ask(&["display_name"]).await.unwrap(), little, "{}", kind.name());
        assert!(refused(ask(&["nothing"]).await).names("read_mask"), "{}: a bad mask is bad all the same", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_full_of_what_its_mask_names_and_its_token_is_bound_to_it() {
    let suite = Suite::start().await;
    // Ten of these are more than a page may have, and twenty more than an answer may.
    let large: Vec<(String, String)> = (0..60).map(|n| (format!("key-{n}"), "x".repeat(4_096))).collect();
    let large = entries(&large.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>());
    for kind in &suite.kinds {
        let label = suite.id();
        let mut made = Vec::new();
        for seed in 0..10 {
            let mut resource = labelled(suite.sampler.resource(kind, super::sample::Fill::Least, seed), "set", &label);
            set(&mut resource, "annotations", large.clone());
            made.push(text(&suite.create(kind, &suite.id(), resource).await.unwrap(), "name"));
        }
        let only = ("filter", string(format!("labels.set = \"{label}\"")));
        let masked = |paths: &[&str]| [only.clone(), ("read_mask", mask(kind, paths))];
        let page = suite.page(kind, &masked(&["*"]), 1_000, "").await.unwrap();
        assert!(page.resources.len() < 10 && !page.next.is_empty(), "{}: the page of all is cut", kind.name());
        suite.page(kind, std::slice::from_ref(&only), 1_000, &page.next).await.unwrap();
        let page = suite.page(kind, &masked(&["name"]), 1_000, "").await.unwrap();
        assert_eq!((page.resources.len(), page.total), (10, 10), "{}", kind.name());

        let listed = suite.list(kind, &masked(&["name", "labels.set"]), 3).await;
        let mut names: Vec<String> = listed.iter().map(|one| text(one, "name")).collect();
        made.sort();
        assert_eq!(names, made, "{}", kind.name());
        names.dedup();
        assert!(listed.iter().all(|one| text(one, "display_name").is_empty()), "{}", kind.name());
        let first = suite.page(kind, &masked(&["name", "uid"]), 3, "").await.unwrap();
        for other in [&["name"][..], &["uid", "name"], &["*"], &[]] {
            let told = refused(suite.page(kind, &masked(other), 3, &first.next).await);
            assert_eq!(told.reason, "PAGE_TOKEN_INVALID", "{} {other:?}", kind.name());
        }

        let many = strings(std::iter::repeat_n(made[0].as_str(), 20));
        suite.call(&kind.batch_get, [("names", many.clone())]).await.unwrap_err();
        let batch = suite.call(&kind.batch_get, [("names", many), ("read_mask", mask(kind, &["name"]))]).await.unwrap();
        assert_eq!(messages(&batch, &kind.plural).len(), 20, "{}", kind.name());
    }
}
