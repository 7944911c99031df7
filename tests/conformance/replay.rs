//! Request ids: a write that is asked for again is not done again, and is answered as it was the first time.

use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use tonic::Code;

use super::kind::Kind;
use super::sample::Fill;
use super::suite::{Suite, envelope, id_field, mask, named};
use crate::harness::dynamic::{get, message, number, string, text};
use crate::harness::refused;

type Fields = Vec<(String, Value)>;

/// A UUID that nobody used.
fn request_id() -> String {
    let bytes: [u8; 16] = rand::random();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

async fn ask(
    suite: &Suite,
    method: &MethodDescriptor,
    fields: &Fields,
    id: &str,
) -> Result<DynamicMessage, tonic::Status> {
    let fields = fields.iter().map(|(field, value)| (field.as_str(), value.clone()));
    suite.call(method, fields.chain([("request_id", string(id))])).await
}

/// One request of each writing method, on resources of their own, in an order in which each can be done; and for each
/// another request of the same method.
async fn writes(suite: &Suite, kind: &Kind) -> Vec<(MethodDescriptor, Fields, Fields)> {
    let made = suite.create_all(kind, 0).await;
    let name = text(&made, "name");
    let then = format!("{name}/revisions/{}", number(&made, "revision"));
    let back = |etag: &str| vec![("name".to_owned(), string(&then)), ("etag".to_owned(), string(etag))];
    let change = |display_name: &str| {
        let change = message(&kind.message, [("name", string(&name)), ("display_name", string(display_name))]);
        vec![(kind.singular.clone(), Value::Message(change)), ("update_mask".into(), mask(kind, &["display_name"]))]
    };
    let create = |id: String, seed| {
        let resource = suite.sampler.resource(kind, Fill::Least, seed);
        vec![(id_field(kind), string(id)), (kind.singular.clone(), Value::Message(resource))]
    };
    let by_name = |etag: &str| vec![("name".to_owned(), string(&name)), ("etag".to_owned(), string(etag))];
    let upsert = |n: usize| {
        let resource =
            named(suite.sampler.resource(kind, Fill::Least, n), &format!("{}/{}", kind.collection, suite.id()));
        vec![(kind.singular.clone(), Value::Message(resource)), ("allow_missing".into(), Value::Bool(true))]
    };
    let commit = |display_name: &str| {
        let creation =
            suite.mutation("create", [("resource", envelope(kind, suite.sampler.resource(kind, Fill::Least, 0)))]);
        let change = message(&kind.message, [("name", string(&name)), ("display_name", string(display_name))]);
        let change = suite.mutation("update", [("resource", envelope(kind, change))]);
        let missing = [
            ("name", string(format!("{}/{}-none", kind.collection, suite.sampler.run))),
            ("allow_missing", Value::Bool(true)),
        ];
        vec![("mutations".to_owned(), Value::List(vec![creation, suite.mutation("delete", missing), change]))]
    };
    // Of a resource of their own, on which one can be done after the other.
    let of_verbs = super::verbs::ready(suite, kind).await.0;
    let verbs = kind.verbs.iter().map(|verb| {
        let request = |n| super::verbs::request(suite, verb, &of_verbs, "", n);
        (verb.clone(), request(0), request(1))
    });
    let mut writes = vec![
        (kind.create.clone(), create(suite.id(), 0), create(suite.id(), 0)),
        (kind.create.clone(), create(String::new(), 0), create(String::new(), 1)),
        (kind.update.clone(), change("once"), change("otherwise")),
        (kind.update.clone(), upsert(0), upsert(1)),
        (suite.across("Commit"), commit("together"), commit("apart")),
        (kind.delete.clone(), by_name(""), by_name("\"other\"")),
        (kind.undelete.clone(), by_name(""), by_name("\"other\"")),
        (kind.rollback.clone(), back(""), back("\"other\"")),
    ];
    writes.extend(verbs);
    writes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_again_is_answered_as_it_was_and_not_done_again() {
    let mut suite = Suite::start().await;
    let mut asked = Vec::new();
    for kind in &suite.kinds {
        for (method, fields, other) in writes(&suite, kind).await {
            let id = request_id();
            let first = ask(&suite, &method, &fields, &id)
                .await
                .unwrap_or_else(|status| panic!("{}: {status:?}", method.name()));
            assert_eq!(ask(&suite, &method, &fields, &id).await.unwrap(), first, "{}", method.name());
            for (method, fields) in [
                (&method, &other),
                (&kind.undelete, &vec![("name".to_owned(), string(format!("{}/other", kind.collection)))]),
            ] {
                let told = refused(ask(&suite, method, fields, &id).await);
                assert_eq!(
                    (told.code, told.reason.as_str()),
                    (Code::InvalidArgument, "REQUEST_ID_REUSED"),
                    "{}",
                    method.name()
                );
                assert!(told.names("request_id"), "{}: {told:?}", method.name());
            }
            asked.push((kind.name().to_owned(), method, fields, id, first));
        }
    }
    // Whatever was written since, and after a restart too, each gets the answer that it got first.
    for again in ["later", "after a restart"] {
        for (kind, method, fields, id, first) in &asked {
            let answer = ask(&suite, method, fields, id).await.unwrap();
            assert_eq!(&answer, first, "{} {} {again}", kind, method.name());
        }
        if again == "later" && !suite.restart().await {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_with_one_id_at_once_are_done_once() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let resource = Value::Message(suite.sampler.resource(kind, Fill::Least, 0));
        let fields: Fields = vec![(kind.singular.clone(), resource)];
        let id = request_id();
        let answers = (0..16).map(|_| ask(&suite, &kind.create, &fields, &id));
        let mut first = None;
        for answer in join_all(answers).await {
            let answer = answer.unwrap();
            assert_eq!(first.get_or_insert_with(|| answer.clone()), &answer, "{}", kind.name());
        }
    }
}

/// Waits for all of them at once.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, output) in &mut futures {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(ready) => *output = Some(ready),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    futures.into_iter().map(|(_, output)| output.unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_may_be_mended_and_sent_again_with_its_id() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let id = request_id();
        let empty: Fields = vec![(kind.singular.clone(), Value::Message(DynamicMessage::new(kind.message.clone())))];
        assert_eq!(refused(ask(&suite, &kind.create, &empty, &id).await).reason, "INVALID_FIELDS");
        let good: Fields = vec![(kind.singular.clone(), Value::Message(suite.sampler.resource(kind, Fill::Least, 0)))];
        let made = ask(&suite, &kind.create, &good, &id).await.unwrap();
        assert_eq!(suite.get(kind, &text(&made, "name")).await.unwrap(), made, "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_a_uuid_and_stands_in_the_commit() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        for (method, fields, _) in writes(&suite, kind).await {
            for bad in ["x", "123e4567-e89b-42d3-a456-42661417400", "123e4567-e89b-42d3-a456-42661417400g", " "] {
                let told = refused(ask(&suite, &method, &fields, bad).await);
                assert!(
                    told.code == Code::InvalidArgument && told.names("request_id"),
                    "{} {bad:?}: {told:?}",
                    method.name()
                );
            }
            let id = request_id();
            let answer = ask(&suite, &method, &fields, &id).await.unwrap();
            let revision = number(&answer, "revision");
            let fields = [("after_revision", Value::U64(revision - 1)), ("page_size", Value::I32(1))];
            let commits = suite.call(&suite.across("ListCommits"), fields).await.unwrap();
            let commit = &crate::harness::dynamic::messages(&commits, "commits")[0];
            assert_eq!((text(commit, "request_id"), number(commit, "revision")), (id, revision), "{}", method.name());
            assert!(!get(commit, "request_hash").as_bytes().unwrap().is_empty(), "{}", method.name());
        }
    }
}
