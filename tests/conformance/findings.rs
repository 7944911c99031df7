//! Findings: what is strange about a resource of any kind is accepted, found at its path, kept with the resource, told in
//! every answer, and asked for by filters.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, Kind as Type, MapKey, MessageDescriptor, ReflectMessage as _, Value};

use super::coverage::Coverage;
use super::kind::{Kind, PACKAGE, is_settable, rules};
use super::rules::sites;
use super::sample::{Fill, counterexamples, with_room};
use super::suite::{Suite, body, envelope, named, names, opened};
use crate::harness::dynamic::{get, message, messages, number, set, string, text};

/// The code and the field of each finding of a resource or of a result.
fn findings(message: &DynamicMessage) -> Vec<(String, String)> {
    let code = |finding: &DynamicMessage| {
        let number = get(finding, "code").as_enum_number().unwrap();
        let codes = finding.descriptor().get_field_by_name("code").unwrap().kind();
        let name = codes.as_enum().unwrap().get_value(number).unwrap().name().to_owned();
        name.strip_prefix("FINDING_CODE_").unwrap().to_owned()
    };
    messages(message, "findings").iter().map(|finding| (code(finding), text(finding, "field"))).collect()
}

/// What is put into a field, the finding that there must be, and the value that is kept then.
type Strange = (Value, &'static str, Value);

fn date(descriptor: &MessageDescriptor, year: i32, month: i32, day: i32) -> Value {
    let fields = [("year", Value::I32(year)), ("month", Value::I32(month)), ("day", Value::I32(day))];
    Value::Message(message(descriptor, fields.into_iter().filter(|(_, value)| *value != Value::I32(0))))
}

/// Strange values of one field, of which a good one is `good`.
fn strange(site: &super::rules::Site, good: &Value) -> Vec<Strange> {
    let field_rules = rules(&site.field);
    match site.field.kind() {
        Type::String if field_rules.reference.is_none() => {
            let good = good.as_str().unwrap();
            match field_rules.format.as_str() {
                "FORMAT_UNSPECIFIED" => {
                    vec![(string(format!("\u{7}{good}\u{9f}")), "CONTROL_CHARACTERS", string(good))]
                }
                "FORMAT_URI" => {
                    let bad = counterexamples("FORMAT_URI").iter();
                    let mut found: Vec<Strange> = bad.map(|bad| (string(*bad), "LINK_NOT_URI", string(*bad))).collect();
                    found.push((string(format!("{good}\r\n\t")), "CONTROL_CHARACTERS", string(good)));
                    found
                }
                _ => Vec::new(),
            }
        }
        Type::Message(inner) if inner.name() == "PartialDate" => {
            let kept = |text: &str| Value::Message(message(&inner, [("original_text", string(text))]));
            vec![
                (date(&inner, 2023, 2, 30), "DATE_IMPOSSIBLE", kept("2023-02-30")),
                (date(&inner, 2023, 13, 0), "DATE_IMPOSSIBLE", kept("2023-13")),
                (kept("2023-04-31"), "DATE_IMPOSSIBLE", kept("2023-04-31")),
                (date(&inner, 999, 0, 0), "DATE_UNLIKELY", date(&inner, 999, 0, 0)),
                (date(&inner, 2_201, 1, 1), "DATE_UNLIKELY", date(&inner, 2_201, 1, 1)),
            ]
        }
        Type::Message(inner) if inner.full_name() == "google.protobuf.Timestamp" => {
            // In the years 999 and 2201: one of them is in order with whatever stands beside it.
            let far =
                [-30_628_713_600, 7_289_654_400].map(|seconds| message(&inner, [("seconds", Value::I64(seconds))]));
            far.map(|far| (Value::Message(far.clone()), "DATE_UNLIKELY", Value::Message(far))).into()
        }
        _ => Vec::new(),
    }
}

/// The fields of resources, and of all that stands in them, in which a strange value is accepted.
fn can_be_strange(kinds: &[Kind]) -> BTreeSet<String> {
    let mut open: Vec<MessageDescriptor> = kinds.iter().map(|kind| kind.message.clone()).collect();
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    while let Some(message) = open.pop() {
        if !seen.insert(message.full_name().to_owned()) {
            continue;
        }
        for field in message.fields().filter(|field| is_settable(field) && !field.is_map()) {
            let rules = rules(&field);
            let strange = match field.kind() {
                Type::String => {
                    rules.reference.is_none() && ["FORMAT_UNSPECIFIED", "FORMAT_URI"].contains(&rules.format.as_str())
                }
                Type::Message(inner) if inner.package_name() == PACKAGE => {
                    open.push(inner.clone());
                    inner.name() == "PartialDate"
                }
                Type::Message(inner) => inner.full_name() == "google.protobuf.Timestamp",
                _ => false,
            };
            if strange {
                found.insert(field.full_name().to_owned());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_strange_about_any_field_is_accepted_and_found_at_its_path() {
    let suite = Suite::start().await;
    let mut coverage = Coverage::of("findings: links, dates and free texts", "fields", can_be_strange(&suite.kinds));
    for kind in &suite.kinds {
        let full = suite.sampler.resource(kind, Fill::All, 0);
        let (mut seen, mut out_of_order) = (0, 0);
        for site in sites(&full, &kind.message, &kind.singular) {
            if site.field.is_map() {
                continue;
            }
            let full = with_room(&full, &site.path);
            let item = site.value(&full);
            for (value, code, kept) in strange(&site, &item) {
                let path = site.item_path().strip_prefix(&format!("{}.", kind.singular)).unwrap().to_owned();
                let what = format!("{} {path} = {value:?}", kind.name());
                match suite.try_create(kind, site.with(&full, Some(site.wrap(value)))).await {
                    Ok(made) => {
                        let found = findings(&made);
                        assert!(found.contains(&(code.to_owned(), path)), "{what}: {code} is not among {found:?}");
                        assert_eq!(site.value(&made), kept, "{what}");
                        coverage.held(site.field.full_name());
                        seen += 1;
                    }
                    Err(status) => {
                        // Not for the date itself, but for what it says beside another.
                        let told = crate::harness::refusal(&status);
                        let order = told.fields.iter().all(|(_, why)| why.contains("before") || why.contains("after"));
                        assert!(code == "DATE_UNLIKELY" && order, "{what}: {told:?}");
                        out_of_order += 1;
                    }
                }
            }
        }
        assert!(seen >= 20 && seen > 2 * out_of_order, "{}: few findings: {seen}, {out_of_order}", kind.name());
    }
    coverage.complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_values_of_maps_are_cleaned_too() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let mut resource = suite.sampler.resource(kind, Fill::Least, 0);
        for map in ["labels", "annotations"] {
            set(&mut resource, map, Value::Map([(MapKey::String("unit".into()), string("a\0b"))].into()));
        }
        let made = suite.try_create(kind, resource).await.unwrap();
        let expected = ["labels[\"unit\"]", "annotations[\"unit\"]"];
        assert_eq!(findings(&made), expected.map(|field| ("CONTROL_CHARACTERS".to_owned(), field.to_owned())));
        assert_eq!(get(&made, "labels").as_map().unwrap()[&MapKey::String("unit".into())], string("ab"));
    }
}

/// The least resource of a kind, with one document.
fn documented(suite: &Suite, kind: &Kind, title: &str, uri: &str) -> DynamicMessage {
    let mut resource = suite.sampler.resource(kind, Fill::Least, 0);
    let documents = kind.message.get_field_by_name("documents").unwrap();
    let document = message(documents.kind().as_message().unwrap(), [("title", string(title)), ("uri", string(uri))]);
    resource.set_field(&documents, Value::List(vec![Value::Message(document)]));
    resource
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_stay_with_a_resource_until_what_is_strange_is_gone() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let found = |title: bool, uri: bool| {
            let title = title.then(|| ("CONTROL_CHARACTERS".to_owned(), "documents[0].title".to_owned()));
            let uri = uri.then(|| ("LINK_NOT_URI".to_owned(), "documents[0].uri".to_owned()));
            title.into_iter().chain(uri).collect::<Vec<_>>()
        };
        let dirty = documented(&suite, kind, "a\u{7}", "www.example.org");
        let made = suite.create(kind, &suite.id(), dirty.clone()).await.unwrap();
        let name = text(&made, "name");
        assert_eq!(findings(&made), found(true, true), "{}", kind.name());
        assert_eq!(suite.get(kind, &name).await.unwrap(), made);

        // The same again changes nothing, and is told the same.
        for paths in [&["*"][..], &["documents"], &[]] {
            let again = suite.update(kind, named(dirty.clone(), &name), paths).await.unwrap();
            assert_eq!(again, made, "{} {paths:?}", kind.name());
        }
        let resource = envelope(kind, named(dirty.clone(), &name));
        let commit = suite.commit(vec![suite.mutation("update", [("resource", resource)])]).await.unwrap();
        let result = messages(&commit, "results").remove(0);
        assert_eq!((findings(&result), number(&result, "revision")), (found(true, true), number(&made, "revision")));

        // What changes elsewhere leaves them, and so do a deletion and a return.
        let renamed = suite.rename(kind, &name, "Another").await;
        assert_eq!(findings(&renamed), found(true, true), "{}", kind.name());
        suite.delete(kind, &name).await.unwrap();
        assert_eq!(findings(&suite.get(kind, &name).await.unwrap()), found(true, true));
        assert_eq!(findings(&suite.undelete(kind, &name).await.unwrap()), found(true, true));
        for revision in suite.revisions(&name).await {
            let changed = get(&revision, "changed_fields").as_message().map(|mask| get(mask, "paths")).unwrap();
            let changed = changed.as_list().unwrap().to_vec();
            assert!(!changed.contains(&string("findings")), "the server writes them, nobody changes them");
            let snapshot = opened(kind, &get(&revision, "snapshot"));
            assert_eq!(findings(&snapshot), found(true, true), "history shows them as they were");
        }

        // What is not seen any more is forgotten with its field; what is found again is found again.
        let other = documented(&suite, kind, "b", "www.example.org");
        let updated = suite.update(kind, named(other, &name), &["documents"]).await.unwrap();
        assert_eq!(findings(&updated), found(false, true), "{}", kind.name());
        let good = documented(&suite, kind, "b", "https://example.org");
        let updated = suite.update(kind, named(good.clone(), &name), &["documents"]).await.unwrap();
        assert_eq!(findings(&updated), found(false, false), "{}", kind.name());
        assert_eq!(get(&body(kind, &updated), "documents"), get(&good, "documents"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_no_input() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let strange = suite.create(kind, &suite.id(), documented(&suite, kind, "a", "no uri")).await.unwrap();
        let mut claimed = documented(&suite, kind, "a", "https://example.org");
        set(&mut claimed, "findings", get(&strange, "findings"));
        let made = suite.create(kind, &suite.id(), claimed).await.unwrap();
        assert_eq!(findings(&made), [], "{}", kind.name());
        // What was read can be written back as it is.
        assert_eq!(suite.update(kind, strange.clone(), &["*"]).await.unwrap(), strange, "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_can_be_asked_for_by_code_and_by_field() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let bad = suite.create(kind, &suite.id(), documented(&suite, kind, "a", "no uri")).await.unwrap();
        let dirty =
            suite.create(kind, &suite.id(), documented(&suite, kind, "a\0", "https://example.org")).await.unwrap();
        let (bad, dirty) = (text(&bad, "name"), text(&dirty, "name"));
        let ours = format!("labels.run = {}", suite.sampler.run);
        let table = [
            ("findings.code = LINK_NOT_URI", vec![&bad]),
            ("findings.code:FINDING_CODE_LINK_NOT_URI", vec![&bad]),
            ("findings.code = CONTROL_CHARACTERS", vec![&dirty]),
            ("findings.field = \"documents[0].uri\"", vec![&bad]),
            ("findings:* AND documents.title = a", vec![&bad, &dirty]),
            ("findings.code = DATE_UNLIKELY", vec![]),
        ];
        for (filter, expected) in table {
            let filter = format!("{filter} AND {ours}");
            let listed = suite.list(kind, &[("filter", string(filter.clone()))], 1).await;
            let mut listed = names(&listed);
            let mut expected: Vec<_> = expected.into_iter().cloned().collect();
            listed.sort();
            expected.sort();
            assert_eq!(listed, expected, "{} {filter}", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_lists_at_most_100_findings_and_says_how_many_more_there_are() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let mut resource = documented(&suite, kind, "a", "no uri");
        let document = messages(&resource, "documents").remove(0);
        for (count, more) in [
            (100, None),
            (101, Some("2 more findings are not listed")),
            (500, Some("401 more findings are not listed")),
        ] {
            set(&mut resource, "documents", Value::List(vec![Value::Message(document.clone()); count]));
            let made = suite.try_create(kind, resource.clone()).await.unwrap();
            let found = findings(&made);
            assert_eq!(found.len(), 100, "{} {count}", kind.name());
            let last = messages(&made, "findings").pop().unwrap();
            match more {
                None => assert_eq!(found[99].1, "documents[99].uri"),
                Some(more) => assert_eq!((found[99].0.as_str(), text(&last, "text").as_str()), ("MORE", more)),
            }
            assert_eq!(found[98].1, "documents[98].uri", "in their order");
        }
    }
}
