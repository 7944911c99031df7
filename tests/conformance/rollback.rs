//! Rollback (AIP-162): a resource becomes what it was, as a new revision, under the rules of today.

use prost_reflect::{DynamicMessage, Value};
use tonic::Code;

use super::coverage::Coverage;
use super::kind::{Kind, rules};
use super::sample::Fill;
use super::suite::{Suite, body, named, time};
use crate::harness::dynamic::{get, message, messages, number, set, string, text};
use crate::harness::refused;

/// The number of `CHANGE_ACTION_ROLLBACK`.
const ROLLBACK: i32 = 5;
/// The number of `CHANGE_ACTION_UNCHANGED`.
const UNCHANGED: i32 = 6;

fn action(message: &DynamicMessage) -> i32 {
    get(message, "action").as_enum_number().unwrap()
}

fn then(resource: &DynamicMessage) -> String {
    format!("{}/revisions/{}", text(resource, "name"), number(resource, "revision"))
}

/// Everything of a resource but its labels is cleared.
async fn changed(suite: &Suite, kind: &Kind, name: &str) -> DynamicMessage {
    let least = named(suite.sampler.resource(kind, Fill::Least, 1), name);
    suite.update(kind, least, &["*"]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_becomes_what_it_was_and_its_history_goes_on() {
    let suite = Suite::start().await;
    let mut coverage =
        Coverage::of("162 rollback", "methods", suite.kinds.iter().map(|kind| kind.rollback.full_name()));
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let name = text(&made, "name");
        let later = changed(&suite, kind, &name).await;
        assert_ne!(body(kind, &later), body(kind, &made), "{}", kind.name());
        let fields = [("name", string(then(&made)))];
        let back = suite.call_as(&kind.rollback, fields, "clerk", "a mistake").await.unwrap();
        assert_eq!(body(kind, &back), body(kind, &made), "{}", kind.name());
        for kept in ["name", "uid", "create_time", "creator"] {
            assert_eq!(get(&back, kept), get(&made, kept), "{} {kept}", kind.name());
        }
        assert!(number(&back, "revision") > number(&later, "revision"), "{}", kind.name());
        assert!(time(&back, "update_time") > time(&later, "update_time"), "{}", kind.name());
        assert_eq!(text(&back, "updater"), "clerk", "{}", kind.name());
        assert_eq!(suite.get(kind, &name).await.unwrap(), back, "{}", kind.name());
        let revisions = suite.revisions(&name).await;
        assert_eq!(revisions.iter().map(action).collect::<Vec<_>>(), [ROLLBACK, 2, 1], "{}", kind.name());
        assert_eq!(text(&revisions[0], "reason"), "a mistake", "{}", kind.name());
        // It is so already.
        let again = suite.rollback(kind, &name, number(&made, "revision")).await.unwrap();
        assert_eq!((&again, suite.revisions(&name).await.len()), (&back, 3), "{}", kind.name());
        // What was rolled away can be rolled back to, and a rollback too.
        let forth = suite.rollback(kind, &name, number(&later, "revision")).await.unwrap();
        assert_eq!(body(kind, &forth), body(kind, &later), "{}", kind.name());
        let back = suite.rollback(kind, &name, number(&back, "revision")).await.unwrap();
        assert_eq!(body(kind, &back), body(kind, &made), "{}", kind.name());
        coverage.held(kind.rollback.full_name());
    }
    coverage.complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_comes_back_as_it_was_in_a_revision_in_which_it_was_live() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let name = text(&made, "name");
        let deleted = suite.delete(kind, &name).await.unwrap();
        let told = refused(suite.rollback(kind, &name, number(&deleted, "revision")).await);
        assert_eq!((told.code, told.reason.as_str()), (Code::FailedPrecondition, "REVISION_DELETED"), "{told:?}");
        assert_eq!(told.metadata["revision"], number(&deleted, "revision").to_string());
        assert_eq!(told.resource.as_deref(), Some(name.as_str()));
        // Though no field changes.
        let back = suite.rollback(kind, &name, number(&made, "revision")).await.unwrap();
        assert_eq!((body(kind, &back), time(&back, "delete_time")), (body(kind, &made), None), "{}", kind.name());
        assert_eq!(suite.get(kind, &name).await.unwrap(), back, "{}", kind.name());
        let told = refused(suite.rollback(kind, &name, number(&deleted, "revision")).await);
        assert_eq!(told.reason, "REVISION_DELETED", "{}: nor does it delete", kind.name());
        for none in [0, number(&made, "revision") - 1, number(&back, "revision") + 1, u64::MAX] {
            let told = refused(suite.rollback(kind, &name, none).await);
            assert_eq!((told.code, told.reason.as_str()), (Code::NotFound, "REVISION_NOT_FOUND"), "{none}: {told:?}");
        }
    }
}

/// For every field of every kind that refers.
#[tokio::test(flavor = "multi_thread")]
async fn what_it_referred_to_then_must_be_live_now() {
    let suite = Suite::start().await;
    let mut seen = 0;
    for kind in &suite.kinds {
        for field in kind.settable() {
            let rules = rules(&field);
            let Some(target) = rules.target() else { continue };
            seen += 1;
            let what = field.full_name().to_owned();
            let target_kind = suite.kind(target);
            let target = suite.create_least(target_kind, 0).await;
            let target_name = text(&target, "name");
            let value = |name: &str| if field.is_list() { Value::List(vec![string(name)]) } else { string(name) };
            let mut resource = suite.sampler.resource(kind, Fill::Least, 0);
            set(&mut resource, field.name(), value(&target_name));
            let made = suite.create(kind, &suite.id(), resource).await.unwrap();
            let name = text(&made, "name");
            let mut away = message(&kind.message, [("name", string(&name))]);
            if rules.required {
                let other = text(&suite.create_least(target_kind, 0).await, "name");
                set(&mut away, field.name(), value(&other));
            }
            suite.update(kind, away, &[field.name()]).await.unwrap();
            suite.delete(target_kind, &target_name).await.unwrap();

            let path = if field.is_list() { format!("{}[0]", field.name()) } else { field.name().to_owned() };
            let told = refused(suite.rollback(kind, &name, number(&made, "revision")).await);
            assert_eq!((told.code, told.reason.as_str()), (Code::FailedPrecondition, "REFERENCE_NOT_FOUND"), "{what}");
            assert!(told.names(&path), "{what}: {told:?}");
            assert_eq!((&told.metadata["target"], &told.metadata["field"]), (&target_name, &path), "{what}");
            let rollback = || suite.mutation("rollback", [("name", string(then(&made)))]);
            let told = refused(suite.commit(vec![rollback()]).await);
            assert!(told.names(&format!("mutations[0].rollback.{path}")), "{what}: {told:?}");

            // Both at once, in any order.
            let target_back = suite.mutation("rollback", [("name", string(then(&target)))]);
            suite.commit(vec![rollback(), target_back]).await.unwrap();
            assert_eq!(body(kind, &suite.get(kind, &name).await.unwrap()), body(kind, &made), "{what}");
        }
    }
    assert!(seen > 30, "few references at the top of kinds: {seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_rolls_back_what_it_names_and_says_what_it_did() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let (one, other) = (suite.create_all(kind, 0).await, suite.create_all(kind, 1).await);
        let name = text(&one, "name");
        changed(&suite, kind, &name).await;
        let rollback = |resource: &DynamicMessage| suite.mutation("rollback", [("name", string(then(resource)))]);
        let answer = suite.commit(vec![rollback(&other), rollback(&one)]).await.unwrap();
        let results = messages(&answer, "results");
        assert_eq!(results.iter().map(action).collect::<Vec<_>>(), [UNCHANGED, ROLLBACK], "{}", kind.name());
        assert_eq!(number(&results[0], "revision"), number(&other, "revision"), "{}: it stayed", kind.name());
        assert_eq!(number(&results[1], "revision"), number(&answer, "revision"), "{}", kind.name());
        assert_eq!(body(kind, &suite.get(kind, &name).await.unwrap()), body(kind, &one), "{}", kind.name());
        let told = refused(suite.commit(vec![rollback(&one), rollback(&one)]).await);
        assert!(told.code == Code::InvalidArgument && told.names("mutations[1]"), "{}: {told:?}", kind.name());
    }
}

/// The resource moves on between the reading of a rollback and its decision, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn rollbacks_and_changes_at_once_each_happen_whole() {
    let suite = Suite::start().await;
    let kind = &suite.kinds[0];
    let made = suite.create_all(kind, 0).await;
    let name = text(&made, "name");
    let back = async {
        for _ in 0..50 {
            let back = suite.rollback(kind, &name, number(&made, "revision")).await.unwrap();
            assert_eq!(body(kind, &back), body(kind, &made));
        }
    };
    let away = async {
        for n in 0..50 {
            suite.rename(kind, &name, &format!("name {n}")).await;
        }
    };
    tokio::join!(back, away);
    let revisions = suite.revisions(&name).await;
    assert!(revisions.iter().filter(|one| action(one) == ROLLBACK).count() > 1, "they met");
}
