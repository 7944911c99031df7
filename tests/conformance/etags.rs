//! Etags (AIP-154): one quoted tag, as it was answered, wherever one is taken; nothing else, nowhere.

use prost_reflect::{MethodDescriptor, Value};
use tonic::Code;

use super::coverage::Coverage;
use super::kind::Kind;
use super::sample::Fill;
use super::suite::{Suite, envelope};
use crate::harness::dynamic::{message, number, string, text};
use crate::harness::refused;

/// What is no single quoted tag.
const MALFORMED: &[&str] =
    &["x", "*", "\"", "\"x", "x\"", "W/\"x\"", "\"x\", \"y\"", "\"x\",\"y\"", "\"x y\"", " \"x\"", "'x'", "\"x\"y\""];

type Fields = Vec<(&'static str, Value)>;

/// Every request that takes an etag, of a live and a deleted resource, with the field that it stands in.
fn takers(
    suite: &Suite,
    kind: &Kind,
    live: &str,
    deleted: &str,
    etag: &str,
) -> Vec<(MethodDescriptor, Fields, String)> {
    let change =
        || message(&kind.message, [("name", string(live)), ("display_name", string("x")), ("etag", string(etag))]);
    let by_name = |name: String| vec![("name", string(name)), ("etag", string(etag))];
    let singular: &'static str = Box::leak(kind.singular.clone().into_boxed_str());
    let commit = |mutation: Value| vec![("mutations", Value::List(vec![mutation]))];
    let then = format!("{live}/revisions/1");
    let mutation = |operation: &str, name: &str| {
        (
            suite.across("Commit"),
            commit(suite.mutation(operation, [("name", string(name)), ("etag", string(etag))])),
            format!("mutations[0].{operation}.etag"),
        )
    };
    let precondition = {
        let field = suite.across("Commit").input().get_field_by_name("preconditions").unwrap().kind();
        let fields = [("name", string(live)), ("etag", string(etag))];
        Value::Message(message(field.as_message().unwrap(), fields))
    };
    let creation =
        suite.mutation("create", [("resource", envelope(kind, suite.sampler.resource(kind, Fill::Least, 0)))]);
    let verbs = kind.verbs.iter().map(|verb| {
        let leak = |field: String| -> &'static str { Box::leak(field.into_boxed_str()) };
        let fields = super::verbs::request(suite, verb, live, etag, 0);
        (verb.clone(), fields.into_iter().map(|(field, value)| (leak(field), value)).collect(), "etag".to_owned())
    });
    let mut takers = vec![
        (kind.update.clone(), vec![(singular, Value::Message(change()))], format!("{singular}.etag")),
        (kind.delete.clone(), by_name(live.to_owned()), "etag".to_owned()),
        (kind.undelete.clone(), by_name(deleted.to_owned()), "etag".to_owned()),
        (kind.rollback.clone(), by_name(then.clone()), "etag".to_owned()),
        (kind.get.clone(), vec![("name", string(live)), ("if_none_match", string(etag))], "if_none_match".to_owned()),
        (
            suite.across("Commit"),
            commit(suite.mutation("update", [("resource", envelope(kind, change()))])),
            format!("mutations[0].update.resource.{singular}.etag"),
        ),
        mutation("delete", live),
        mutation("undelete", deleted),
        mutation("rollback", &then),
        (
            suite.across("Commit"),
            vec![("mutations", Value::List(vec![creation])), ("preconditions", Value::List(vec![precondition]))],
            "preconditions[0].etag".to_owned(),
        ),
    ];
    takers.extend(verbs);
    takers
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_is_one_quoted_tag_and_whatever_else_is_given_is_refused_by_its_field() {
    let suite = Suite::start().await;
    let wanted =
        suite.kinds.iter().flat_map(|kind| [&kind.update, &kind.delete, &kind.undelete, &kind.rollback, &kind.get]);
    let wanted = wanted.chain(suite.kinds.iter().flat_map(|kind| &kind.verbs));
    let wanted = wanted.map(|method| method.full_name().to_owned());
    let commit = suite.across("Commit").full_name().to_owned();
    let mut coverage = Coverage::of("154 one quoted etag", "methods", wanted.chain([commit]));
    for kind in &suite.kinds {
        let (live, deleted) = (suite.create_least(kind, 0).await, suite.create_least(kind, 0).await);
        let etag = text(&live, "etag");
        assert!(etag.len() > 2 && etag.starts_with('"') && etag.ends_with('"'), "{}: {etag}", kind.name());
        let (live, deleted) = (text(&live, "name"), text(&deleted, "name"));
        suite.delete(kind, &deleted).await.unwrap();
        for bad in MALFORMED {
            for (method, fields, field) in takers(&suite, kind, &live, &deleted, bad) {
                let told = refused(suite.call(&method, fields).await);
                assert!(told.code == Code::InvalidArgument && told.names(&field), "{} {bad}: {told:?}", method.name());
                assert!(told.message.contains("must be one etag in its double quotes"), "{}", told.message);
                coverage.held(method.full_name());
            }
        }
        assert_eq!(text(&suite.get(kind, &live).await.unwrap(), "etag"), etag, "{}: nothing was done", kind.name());
    }
    coverage.complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_etag_that_is_not_the_current_one_is_told_with_it() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_least(kind, 0).await;
        let (name, old) = (text(&made, "name"), text(&made, "etag"));
        let then = format!("{name}/revisions/{}", number(&made, "revision"));
        let now = text(&suite.rename(kind, &name, "later").await, "etag");
        for wrong in [old.as_str(), "\"\"", "\"x\""] {
            for (method, name) in [(&kind.delete, &name), (&kind.rollback, &then)] {
                let told = refused(suite.call(method, [("name", string(name)), ("etag", string(wrong))]).await);
                assert_eq!((told.code, told.reason.as_str()), (Code::Aborted, "ETAG_MISMATCH"), "{}", method.name());
                assert_eq!(told.metadata["etag"], wrong);
            }
        }
        suite.call(&kind.rollback, [("name", string(&then)), ("etag", string(&now))]).await.unwrap();
    }
}
