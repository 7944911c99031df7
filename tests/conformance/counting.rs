//! CountResources: every kind, by every field that it has.

use prost_reflect::{DynamicMessage, Kind as Type, MessageDescriptor, Value};

use super::coverage::Coverage;
use super::kind::{Kind, PACKAGE};
use super::sample::Fill;
use super::suite::{Arguments, Suite, labelled};
use crate::harness::dynamic::{get, messages, number, string, strings};

/// What is one value although it is a message.
const SINGLE: &[&str] = &["partnership.registry.v1.PartialDate", "google.protobuf.Timestamp", "google.type.Money"];

/// A path to single values, whether it leads through a list, and the message that it ends at, if it does.
struct Path {
    text: String,
    in_list: bool,
    message: String,
}

/// All paths of a message that something can be counted by.
fn paths(message: &MessageDescriptor, before: &str, in_list: bool, found: &mut Vec<Path>) {
    for field in message.fields() {
        let text = format!("{before}{}", field.name());
        let in_list = in_list || field.is_list();
        match field.kind() {
            _ if field.is_map() => {
                found.push(Path { text: format!("{text}.\"a/b\""), in_list, message: String::new() });
            }
            Type::Message(below) => {
                if SINGLE.contains(&below.full_name()) {
                    found.push(Path { text: text.clone(), in_list, message: below.full_name().to_owned() });
                }
                paths(&below, &format!("{text}."), in_list, found);
            }
            _ => found.push(Path { text, in_list, message: String::new() }),
        }
    }
}

async fn count(suite: &Suite, kind: &Kind, arguments: Arguments<'_>) -> DynamicMessage {
    let service = partnership_registry::descriptors().get_service_by_name(&format!("{PACKAGE}.InsightService"));
    let method = service.unwrap().methods().find(|method| method.name() == "CountResources").unwrap();
    let collection = [("collection", string(&kind.collection))];
    suite.call(&method, collection.into_iter().chain(arguments.iter().cloned())).await.unwrap()
}

fn size(counted: &DynamicMessage, field: &str) -> i64 {
    get(counted, field).as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_by_nothing_is_the_size_of_the_listing() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let label = suite.id();
        for n in 0..5 {
            let resource = labelled(suite.sampler.resource(kind, Fill::Least, n), "set", &label);
            let made = suite.create(kind, "", resource).await.unwrap();
            if n == 0 {
                suite.delete(kind, &crate::harness::dynamic::text(&made, "name")).await.unwrap();
            }
        }
        let head = suite.head().await;
        for filter in ["", &format!("labels.set = \"{label}\"")] {
            for show_deleted in [false, true] {
                for revision in [head, head - 2] {
                    let arguments = [
                        ("filter", string(filter)),
                        ("show_deleted", Value::Bool(show_deleted)),
                        ("read_revision", Value::U64(revision)),
                    ];
                    let counted = count(&suite, kind, &arguments).await;
                    let listed = suite.page(kind, &arguments, 1, "").await.unwrap();
                    let told = (size(&counted, "total_size"), number(&counted, "revision"));
                    assert_eq!(told, (listed.total.into(), listed.revision), "{} {arguments:?}", kind.name());
                    assert!(messages(&counted, "groups").is_empty());
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_every_kind_can_be_counted_by() {
    let suite = Suite::start().await;
    let all: Vec<(&Kind, Vec<Path>)> = suite
        .kinds
        .iter()
        .map(|kind| {
            let mut found = Vec::new();
            paths(&kind.message, "", false, &mut found);
            (kind, found)
        })
        .collect();
    let names = all.iter().flat_map(|(kind, paths)| paths.iter().map(|path| format!("{}.{}", kind.name(), path.text)));
    let mut coverage = Coverage::of("136 fields to count by", "fields", names);
    for (kind, paths) in &all {
        let label = suite.id();
        for n in 0..4 {
            let fill = if n < 2 { Fill::All } else { Fill::Least };
            let resource = labelled(suite.sampler.resource(kind, fill, n), "set", &label);
            suite.create(kind, "", resource).await.unwrap();
        }
        let filter = ("filter", string(format!("labels.set = \"{label}\"")));
        for Path { text, in_list, message } in paths {
            let by = |group_by: String| [filter.clone(), ("group_by", strings([group_by]))];
            let mut questions = vec![by(text.clone())];
            if message.ends_with("Date") || message.ends_with("Timestamp") {
                questions.extend([by(format!("year({text})")), by(format!("decade({text})"))]);
            }
            for arguments in &questions {
                let counted = count(&suite, kind, arguments).await;
                assert_eq!(size(&counted, "total_size"), 4, "{} by {text}", kind.name());
                let groups: i64 = messages(&counted, "groups").iter().map(|group| size(group, "count")).sum();
                assert!(if *in_list { groups >= 4 } else { groups == 4 }, "{} by {text}: {groups}", kind.name());
            }
            if message.ends_with("Money") {
                let counted = count(&suite, kind, &[filter.clone(), ("sum", string(text))]).await;
                assert_eq!(messages(&counted, "sums").len(), 1, "{} has {text}", kind.name());
            }
            coverage.held(format!("{}.{text}", kind.name()));
        }
    }
    coverage.complete();
}
