//! Limits: each is kept to the last item, and the refusal beyond it names the limit.

use prost_reflect::{DynamicMessage, MapKey, Value};
use tonic::Code;

use super::kind::Kind;
use super::sample::Fill;
use super::suite::{Suite, envelope, labelled};
use crate::harness::dynamic::{get, messages, string, text};
use crate::harness::refused;

/// A kind that many are made of.
fn any_kind(suite: &Suite) -> &Kind {
    let kind = &suite.kinds[rand::random_range(0..suite.kinds.len())];
    println!("kind: {}", kind.name());
    kind
}

/// A resource of about so many bytes.
fn of_bytes(suite: &Suite, kind: &Kind, bytes: usize) -> DynamicMessage {
    let mut resource = suite.sampler.resource(kind, Fill::Least, 0);
    // The longest annotation has 4,096 characters, of 4 bytes each.
    let notes =
        (0..bytes.div_ceil(16_384)).map(|n| (MapKey::String(format!("note-{n:03}")), string("𐎠".repeat(4_096))));
    resource.set_field_by_name("annotations", Value::Map(notes.collect()));
    resource
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_a_batch_and_a_commit_have_at_most_a_thousand() {
    let suite = Suite::start().await;
    let kind = any_kind(&suite);
    let label = suite.id();
    let creations = |count: usize| -> Vec<Value> {
        let one = |_| {
            let resource = labelled(suite.sampler.resource(kind, Fill::Least, 0), "set", &label);
            suite.mutation("create", [("resource", envelope(kind, resource))])
        };
        (0..count).map(one).collect()
    };
    let told = refused(suite.commit(creations(1_001)).await);
    assert!(told.code == Code::InvalidArgument && told.names("mutations") && told.message.contains("1000"), "{told:?}");
    let made = suite.commit(creations(1_000)).await.unwrap();
    suite.commit(creations(5)).await.unwrap();
    let names: Vec<String> = messages(&made, "results").iter().map(|one| text(one, "name")).collect();
    assert_eq!(names.len(), 1_000);

    let arguments = [("filter", string(format!("labels.set = \"{label}\"")))];
    let page = suite.page(kind, &arguments, 5_000, "").await.unwrap();
    assert_eq!((page.resources.len(), page.total), (1_000, 1_005), "more is taken as a thousand");
    assert_eq!(suite.page(kind, &arguments, 0, "").await.unwrap().resources.len(), 50, "none is taken as fifty");
    assert_eq!(suite.page(kind, &arguments, 5_000, &page.next).await.unwrap().resources.len(), 5);

    assert_eq!(suite.batch_get(kind, &names).await.unwrap().len(), 1_000);
    let one_more: Vec<String> = names.iter().chain([&names[0]]).cloned().collect();
    let told = refused(suite.batch_get(kind, &one_more).await);
    assert!(told.code == Code::InvalidArgument && told.names("names") && told.message.contains("1000"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_has_at_most_one_mebibyte() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let largest = of_bytes(&suite, kind, 63 * 16_384);
        let made = suite.create(kind, &suite.id(), largest.clone()).await.unwrap();
        assert_eq!(get(&made, "annotations"), get(&largest, "annotations"), "{}", kind.name());

        let mut larger = of_bytes(&suite, kind, 64 * 16_384);
        let text_of_2_kb = string("x".repeat(2_000));
        larger.set_field_by_name("display_name", text_of_2_kb);
        let told = refused(suite.create(kind, &suite.id(), larger.clone()).await);
        assert!(told.code == Code::InvalidArgument && told.names(&kind.singular), "{}: {}", kind.name(), told.message);
        assert!(told.message.contains("1048576"), "{}: it names the limit: {}", kind.name(), told.message);
        // Nor can it grow beyond it.
        let mut grown = of_bytes(&suite, kind, 64 * 16_384);
        grown.set_field_by_name("name", string(text(&made, "name")));
        let told = refused(suite.update(kind, grown, &["annotations"]).await);
        assert_eq!(told.code, Code::InvalidArgument, "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_batches_of_large_resources_fit_into_a_message() {
    let suite = Suite::start().await;
    let kind = any_kind(&suite);
    let label = suite.id();
    let mut names = Vec::new();
    for _ in 0..6 {
        let resource = labelled(of_bytes(&suite, kind, 60 * 16_384), "set", &label);
        names.push(text(&suite.create(kind, &suite.id(), resource).await.unwrap(), "name"));
    }
    // A page may be shorter than was asked for; nothing is lost by that.
    let arguments = [("filter", string(format!("labels.set = \"{label}\"")))];
    let (mut listed, mut token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = suite.page(kind, &arguments, 1_000, &token).await.unwrap();
        listed.extend(super::suite::names(&page.resources));
        (token, pages) = (page.next, pages + 1);
        assert!(pages <= 6, "it goes on");
        if token.is_empty() {
            break;
        }
    }
    names.sort();
    assert!(listed == names && pages > 1, "{pages} pages: {listed:?}");
    assert_eq!(suite.batch_get(kind, &names[..3]).await.unwrap().len(), 3);
    let told = refused(suite.batch_get(kind, &names).await);
    assert_eq!((told.code, told.reason.as_str()), (Code::ResourceExhausted, "ANSWER_TOO_LARGE"));

    // A history of large versions, too.
    for n in 0..4 {
        suite.rename(kind, &names[0], &format!("version {n}")).await;
    }
    let (mut seen, mut token) = (0, String::new());
    loop {
        let fields = [("parent", string(&names[0])), ("page_token", string(&token))];
        let page = suite.call(&suite.across("ListRevisions"), fields).await.unwrap();
        seen += messages(&page, "revisions").len();
        assert!(seen <= 5, "it goes on");
        token = text(&page, "next_page_token");
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_at_most_four_mebibytes() {
    let suite = Suite::start().await;
    let kind = any_kind(&suite);
    let creation = |n: usize| {
        suite.creation(kind, &format!("{}/{}", kind.collection, suite.id()), of_bytes(&suite, kind, n * 16_384))
    };
    suite.commit(vec![creation(60), creation(60), creation(60), creation(60)]).await.unwrap();
    let told = refused(suite.commit((0..5).map(|_| creation(60)).collect()).await);
    assert_eq!((told.code, told.reason.as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"), "{told:?}");
    assert!(told.message.contains("4194304"), "it names the limit: {told:?}");
}

/// Small requests can make large commits, since a commit holds each resource whole. What would be too large for those
/// who read commits is refused, and harms nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_would_hold_very_much_is_refused_and_nothing_stops() {
    let suite = Suite::start().await;
    let kind = any_kind(&suite);
    let mut names = Vec::new();
    for _ in 0..70 {
        names.push(text(&suite.create(kind, &suite.id(), of_bytes(&suite, kind, 60 * 16_384)).await.unwrap(), "name"));
    }
    let deletions =
        |names: &[String]| names.iter().map(|name| suite.mutation("delete", [("name", string(name))])).collect();
    let told = refused(suite.commit(deletions(&names)).await);
    assert_eq!((told.code, told.reason.as_str()), (Code::ResourceExhausted, "COMMIT_TOO_LARGE"), "{told:?}");
    suite.commit(deletions(&names[..2])).await.unwrap();
    suite.create_least(kind, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_and_why_have_limits() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let resource = suite.sampler.resource(kind, Fill::Least, 0);
        let call = |actor: String, reason: String| {
            let fields = [(kind.singular.as_str(), Value::Message(resource.clone()))];
            let suite = &suite;
            async move { suite.call_as(&kind.create, fields, &actor, &reason).await }
        };
        call("ü".repeat(200), "ü".repeat(1_000)).await.unwrap();
        for (actor, reason, field) in [
            ("x".repeat(201), String::new(), "actor"),
            (String::new(), "x".repeat(1_001), "reason"),
            ("bell\u{7}".into(), String::new(), "actor"),
        ] {
            let told = refused(call(actor, reason).await);
            assert!(told.code == Code::InvalidArgument && told.names(field), "{} {field}: {told:?}", kind.name());
        }
    }
}
