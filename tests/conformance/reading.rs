//! Get and BatchGet: at the head and in the past, deleted ones too, and cheaply for those who have the answer already.

use prost_reflect::{DynamicMessage, Value};
use tonic::Code;

use super::kind::Kind;
use super::sample::Fill;
use super::suite::{Suite, body, time};
use crate::harness::dynamic::{message, number, string, strings, text};
use crate::harness::refused;

/// A time as the field `read_time` of a request takes it.
fn read_time(kind: &Kind, (seconds, nanos): (i64, i32)) -> Value {
    let field = kind.get.input().get_field_by_name("read_time").unwrap();
    let time =
        message(field.kind().as_message().unwrap(), [("seconds", Value::I64(seconds)), ("nanos", Value::I32(nanos))]);
    Value::Message(time)
}

fn just_before((seconds, nanos): (i64, i32)) -> (i64, i32) {
    if nanos == 0 { (seconds - 1, 999_999_999) } else { (seconds, nanos - 1) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_created_is_read_again_whole() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        for (fill, seed) in [(Fill::Least, 0), (Fill::All, 0), (Fill::All, 1)] {
            let sent = suite.sampler.resource(kind, fill, seed);
            let made = suite.create(kind, &suite.id(), sent.clone()).await.unwrap();
            assert_eq!(body(kind, &made), sent, "{} {fill:?}", kind.name());
            assert_eq!(suite.get(kind, &text(&made, "name")).await.unwrap(), made, "{}", kind.name());
            let unset: Vec<_> = kind.settable().into_iter().filter(|field| !made.has_field(field)).collect();
            assert!(fill == Fill::Least || unset.is_empty(), "{}: the full sample leaves out {unset:?}", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_writes_is_there_and_right() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_least(kind, 0).await;
        let uid = text(&made, "uid");
        assert!(uid.len() == 36 && uid.as_bytes()[14] == b'4', "{}: {uid} is a UUID of version 4", kind.name());
        assert!(number(&made, "revision") > 0 && !text(&made, "etag").is_empty());
        assert_eq!(time(&made, "create_time"), time(&made, "update_time"));
        assert_eq!(time(&made, "delete_time"), None);
        assert_eq!((text(&made, "creator"), text(&made, "updater")), ("anonymous".into(), "anonymous".into()));

        let renamed = suite.rename(kind, &text(&made, "name"), "another").await;
        assert_eq!(text(&renamed, "uid"), uid);
        assert_eq!(time(&renamed, "create_time"), time(&made, "create_time"));
        assert!(time(&renamed, "update_time") > time(&made, "update_time"));
        assert!(number(&renamed, "revision") > number(&made, "revision"));
        assert_ne!(text(&renamed, "etag"), text(&made, "etag"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_resources_are_still_read() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let name = text(&made, "name");
        let deleted = suite.delete(kind, &name).await.unwrap();
        assert_eq!(time(&deleted, "delete_time"), time(&deleted, "update_time"), "{}", kind.name());
        assert!(time(&deleted, "delete_time").is_some());
        assert_eq!(body(kind, &deleted), body(kind, &made), "{}: a deletion changes nothing else", kind.name());
        assert_eq!(suite.get(kind, &name).await.unwrap(), deleted, "{}", kind.name());
        assert_eq!(suite.batch_get(kind, std::slice::from_ref(&name)).await.unwrap(), [deleted], "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_read_as_it_was() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let first = suite.create_all(kind, 0).await;
        let name = text(&first, "name");
        let second = suite.rename(kind, &name, "second").await;
        let third = suite.delete(kind, &name).await.unwrap();
        let fourth = suite.undelete(kind, &name).await.unwrap();
        let versions = [first, second, third, fourth];
        for (index, version) in versions.iter().enumerate() {
            let revision = number(version, "revision");
            assert_eq!(&suite.get_at(kind, &name, revision).await.unwrap(), version, "{} {index}", kind.name());
            let at_time = |time| suite.call(&kind.get, [("name", string(&name)), ("read_time", read_time(kind, time))]);
            let time = time(version, "update_time").unwrap();
            assert_eq!(&at_time(time).await.unwrap(), version, "{} {index}: at its time", kind.name());
            let (before, earlier) = (suite.get_at(kind, &name, revision - 1).await, at_time(just_before(time)).await);
            if index == 0 {
                assert_eq!(refused(before).code, Code::NotFound, "{}: before it was", kind.name());
                // There may be no commit at all before it, if the registry is new.
                let told = refused(earlier);
                assert!(matches!(told.code, Code::NotFound | Code::OutOfRange), "{}: {told:?}", kind.name());
            } else {
                assert_eq!(before.unwrap(), versions[index - 1], "{} {index}", kind.name());
                assert_eq!(earlier.unwrap(), versions[index - 1], "{} {index}", kind.name());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_does_not_exist_is_refused() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_least(kind, 0).await;
        let name = text(&made, "name");
        let now = time(&made, "update_time").unwrap();
        let ask = |method, fields: Vec<(&'static str, Value)>| suite.call(method, fields);
        type Fields = Vec<(&'static str, Value)>;
        let invalid =
            |what, at| (what, vec![("read_time", read_time(kind, at))], Code::InvalidArgument, "INVALID_FIELDS");
        let points: [(&str, Fields, Code, &str); 9] = [
            ("the future", vec![("read_revision", Value::U64(u64::MAX))], Code::OutOfRange, "REVISION_IN_FUTURE"),
            ("before all", vec![("read_time", read_time(kind, (0, 0)))], Code::OutOfRange, "TIME_BEFORE_FIRST"),
            (
                "two points",
                vec![("read_revision", Value::U64(1)), ("read_time", read_time(kind, now))],
                Code::InvalidArgument,
                "INVALID_FIELDS",
            ),
            invalid("negative nanos", (now.0, -1)),
            invalid("a second of nanos", (now.0, 1_000_000_000)),
            invalid("the most nanos", (now.0, i32::MAX)),
            invalid("before the year 1", (-62_135_596_801, 0)),
            invalid("after the year 9999", (253_402_300_800, 0)),
            invalid("the end of time", (i64::MAX, 999_999_999)),
        ];
        for (what, point, code, reason) in points {
            let mut one = vec![("name", string(&name))];
            one.extend(point.clone());
            let mut many = vec![("names", strings([name.as_str()]))];
            many.extend(point.clone());
            for (method, fields) in [(&kind.get, one), (&kind.batch_get, many), (&kind.list, point)] {
                let told = refused(ask(method, fields).await);
                assert_eq!((told.code, told.reason.as_str()), (code, reason), "{} {what}", method.name());
                assert!(
                    code != Code::InvalidArgument || told.names("read_time") || told.names("read_time.nanos"),
                    "{} {what}",
                    method.name()
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_current_etag_gets_little() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let (name, etag) = (text(&made, "name"), text(&made, "etag"));
        let ask = |etag: &str| suite.call(&kind.get, [("name", string(&name)), ("if_none_match", string(etag))]);
        let expected: DynamicMessage = message(
            &kind.message,
            [("name", string(&name)), ("etag", string(&etag)), ("revision", Value::U64(number(&made, "revision")))],
        );
        assert_eq!(ask(&etag).await.unwrap(), expected, "{}", kind.name());
        assert_eq!(ask("\"another\"").await.unwrap(), made, "{}", kind.name());
        let renamed = suite.rename(kind, &name, "another").await;
        assert_eq!(ask(&etag).await.unwrap(), renamed, "{}: it is not the current one any more", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_in_its_order_and_whole_or_not_at_all() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let mut made = Vec::new();
        for seed in 0..4 {
            made.push(suite.create_all(kind, seed % 2).await);
        }
        made.reverse();
        made.push(made[1].clone());
        let names = super::suite::names(&made);
        assert_eq!(suite.batch_get(kind, &names).await.unwrap(), made, "{}", kind.name());

        let revision = made.iter().map(|one| number(one, "revision")).max().unwrap();
        suite.rename(kind, &names[0], "later").await;
        let past = [("names", strings(names.clone())), ("read_revision", Value::U64(revision))];
        let answer = suite.call(&kind.batch_get, past).await.unwrap();
        assert_eq!(number(&answer, "revision"), revision, "{}", kind.name());
        assert_eq!(crate::harness::dynamic::messages(&answer, &kind.plural), made, "{}: one snapshot", kind.name());

        let missing = format!("{}/{}", kind.collection, suite.id());
        let told = refused(suite.batch_get(kind, &[names[0].clone(), missing.clone()]).await);
        assert_eq!((told.code, told.resource.as_deref()), (Code::NotFound, Some(missing.as_str())), "{}", kind.name());
        assert_eq!(told.resource_type.as_ref(), Some(&kind.resource_type));

        let other = suite.sampler.name(&suite.other(kind).resource_type, 0);
        for (bad, field) in
            [(vec![names[0].clone(), other], "names[1]"), (vec!["x".into()], "names[0]"), (vec![], "names")]
        {
            let told = refused(suite.batch_get(kind, &bad).await);
            assert!(told.code == Code::InvalidArgument && told.names(field), "{}: {told:?}", kind.name());
        }
    }
}
