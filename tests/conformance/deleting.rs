//! Delete and Undelete: what is deleted is kept, and nothing live refers to it.

use prost_reflect::Value;
use tonic::Code;

use super::coverage::Coverage;
use super::kind::rules;
use super::sample::Fill;
use super::suite::{Suite, body, time};
use crate::harness::dynamic::{message, set, string, text};
use crate::harness::refused;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_can_be_brought_back() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let name = text(&made, "name");
        let deleted = suite.delete(kind, &name).await.unwrap();
        let back = suite.undelete(kind, &name).await.unwrap();
        assert_eq!(body(kind, &back), body(kind, &made), "{}", kind.name());
        assert_eq!((time(&back, "delete_time"), text(&back, "uid")), (None, text(&made, "uid")), "{}", kind.name());
        assert!(time(&back, "update_time") > time(&deleted, "update_time"), "{}", kind.name());
        assert_eq!(suite.get(kind, &name).await.unwrap(), back, "{}", kind.name());
        let told = refused(suite.undelete(kind, &name).await);
        assert_eq!((told.code, told.reason.as_str()), (Code::AlreadyExists, "NOT_DELETED"), "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_deleted_once_and_not_changed() {
    let suite = Suite::start().await;
    let names = suite.kinds.iter().map(|kind| kind.name().to_owned());
    let mut coverage = Coverage::of("164 deleted once, undeleted once", "kinds", names);
    for kind in &suite.kinds {
        let made = suite.create_least(kind, 0).await;
        let name = text(&made, "name");
        let told = refused(suite.undelete(kind, &name).await);
        assert_eq!((told.code, told.reason.as_str()), (Code::AlreadyExists, "NOT_DELETED"), "{}", kind.name());
        let deleted = suite.delete(kind, &name).await.unwrap();
        let told = refused(suite.delete(kind, &name).await);
        assert_eq!((told.code, told.reason.as_str()), (Code::NotFound, "DELETED"), "{}", kind.name());

        let change = message(&kind.message, [("name", string(&name)), ("display_name", string("changed"))]);
        for allow_missing in [false, true] {
            let fields = [
                (kind.singular.as_str(), Value::Message(change.clone())),
                ("allow_missing", Value::Bool(allow_missing)),
            ];
            let told = refused(suite.call(&kind.update, fields).await);
            assert_eq!((told.code, told.reason.as_str()), (Code::FailedPrecondition, "DELETED"), "{}", kind.name());
            assert_eq!(told.resource.as_deref(), Some(name.as_str()));
        }
        assert_eq!(suite.get(kind, &name).await.unwrap(), deleted, "{}", kind.name());
        coverage.held(kind.name());
    }
    coverage.complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_may_be_deleted_if_that_is_allowed() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let missing = format!("{}/{}", kind.collection, suite.id());
        let delete =
            |name: &str| suite.call(&kind.delete, [("name", string(name)), ("allow_missing", Value::Bool(true))]);
        assert_eq!(refused(suite.delete(kind, &missing).await).code, Code::NotFound, "{}", kind.name());
        assert_eq!(refused(suite.undelete(kind, &missing).await).code, Code::NotFound, "{}", kind.name());
        assert_eq!(text(&delete(&missing).await.unwrap(), "name"), missing, "{}", kind.name());
        assert_eq!(refused(suite.get(kind, &missing).await).code, Code::NotFound, "{}: nothing was made", kind.name());

        let name = text(&suite.create_least(kind, 0).await, "name");
        let deleted = delete(&name).await.unwrap();
        assert_eq!(delete(&name).await.unwrap(), deleted, "{}: nothing happens twice", kind.name());
        assert_eq!(suite.revisions(&name).await.len(), 2, "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_that_is_not_the_current_one_stops_every_write() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_least(kind, 0).await;
        let (name, stale) = (text(&made, "name"), text(&made, "etag"));
        let current = text(&suite.rename(kind, &name, "later").await, "etag");
        let change = |etag: &str, display_name: &str| {
            let fields = [("name", string(&name)), ("display_name", string(display_name)), ("etag", string(etag))];
            suite.update(kind, message(&kind.message, fields), &["display_name"])
        };
        let by_name = |method, etag: &str| suite.call(method, [("name", string(&name)), ("etag", string(etag))]);
        for wrong in [stale.as_str(), "\"nonsense\""] {
            for told in [refused(change(wrong, "x").await), refused(by_name(&kind.delete, wrong).await)] {
                assert_eq!((told.code, told.reason.as_str()), (Code::Aborted, "ETAG_MISMATCH"), "{}", kind.name());
                assert_eq!(told.preconditions[0].1, name, "{}", kind.name());
            }
        }
        let current = text(&change(&current, "again").await.unwrap(), "etag");
        let deleted = by_name(&kind.delete, &current).await.unwrap();
        let told = refused(by_name(&kind.undelete, &current).await);
        assert_eq!((told.code, told.reason.as_str()), (Code::Aborted, "ETAG_MISMATCH"), "{}", kind.name());
        by_name(&kind.undelete, &text(&deleted, "etag")).await.unwrap();
    }
}

/// For every field of every kind that refers: what it refers to cannot be deleted while it does, and the referrer cannot
/// come back without it.
#[tokio::test(flavor = "multi_thread")]
async fn what_live_resources_refer_to_is_not_deleted() {
    let suite = Suite::start().await;
    let mut seen = 0;
    for kind in &suite.kinds {
        for field in kind.settable() {
            let rules = rules(&field);
            let Some(reference) = rules.target() else { continue };
            seen += 1;
            let what = field.full_name().to_owned();
            let target_kind = suite.kind(reference);
            let target = text(&suite.create_least(target_kind, 0).await, "name");
            let value = |name| if field.is_list() { Value::List(vec![string(name)]) } else { string(name) };
            let mut resource = suite.sampler.resource(kind, Fill::Least, 0);
            set(&mut resource, field.name(), value(&target));
            let referrer = text(&suite.create(kind, &suite.id(), resource).await.unwrap(), "name");

            let told = refused(suite.delete(target_kind, &target).await);
            assert_eq!((told.code, told.reason.as_str()), (Code::FailedPrecondition, "STILL_REFERENCED"), "{what}");
            assert_eq!(told.preconditions.len(), 1, "{what}: {told:?}");
            assert_eq!(
                (told.preconditions[0].0.as_str(), &told.preconditions[0].1),
                ("REFERRED_TO", &referrer),
                "{what}"
            );

            suite.delete(kind, &referrer).await.unwrap();
            suite.delete(target_kind, &target).await.unwrap();
            let told = refused(suite.undelete(kind, &referrer).await);
            assert_eq!((told.code, told.reason.as_str()), (Code::FailedPrecondition, "REFERENCE_NOT_FOUND"), "{what}");
            suite.undelete(target_kind, &target).await.unwrap();
            suite.undelete(kind, &referrer).await.unwrap();

            // It can be deleted once nothing refers to it. A required field refers to another one then.
            let mut change = message(&kind.message, [("name", string(&referrer))]);
            if rules.required {
                let other = text(&suite.create_least(target_kind, 0).await, "name");
                set(&mut change, field.name(), value(&other));
            }
            suite.update(kind, change, &[field.name()]).await.unwrap();
            suite.delete(target_kind, &target).await.unwrap();
        }
    }
    assert!(seen > 30, "few references at the top of kinds: {seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusal_of_a_deletion_counts_all_referrers() {
    let suite = Suite::start().await;
    let kind = suite.kinds.iter().find(|kind| kind.name() == "Organization").unwrap();
    let target = text(&suite.create_least(kind, 0).await, "name");
    for _ in 0..15 {
        let mut resource = suite.sampler.resource(kind, Fill::Least, 0);
        set(&mut resource, "parent", string(&target));
        suite.create(kind, &suite.id(), resource).await.unwrap();
    }
    let told = refused(suite.delete(kind, &target).await);
    assert_eq!((told.preconditions.len(), told.metadata["referrers"].as_str()), (10, "15"), "{told:?}");
}
