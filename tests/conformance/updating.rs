//! Update: by mask, field by field; what is ignored, what changes nothing, and what is refused.
//!
//! An update is judged as the whole that it would make: where a kind's own rules allow that whole, the update succeeds
//! and makes exactly it, and where they do not, it is refused for the same fields.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind as Type, Value};
use tonic::Code;

use super::kind::{Kind, is_settable, rules};
use super::sample::{Fill, freed};
use super::suite::{Suite, body, mask, named};
use crate::harness::dynamic::{message, number, set, string, text};
use crate::harness::{Refusal, refused};

/// Whether what is allowed at creation and what an update makes of `before` agree; answers whether it was allowed.
async fn agrees(
    suite: &Suite,
    kind: &Kind,
    before: &DynamicMessage,
    sent: DynamicMessage,
    path: &str,
    whole: &DynamicMessage,
) -> bool {
    let id = suite.id();
    let name = format!("{}/{id}", kind.collection);
    suite.create(kind, &id, before.clone()).await.unwrap();
    let allowed = suite.try_create(kind, whole.clone()).await;
    let updated = suite.update(kind, named(sent, &name), &[path]).await;
    match allowed {
        Ok(_) => {
            let updated = updated.unwrap_or_else(|status| panic!("{} {path}: {}", kind.name(), status.message()));
            assert_eq!(&body(kind, &updated), whole, "{} {path}: nothing else changes", kind.name());
            assert_eq!(suite.get(kind, &name).await.unwrap(), updated, "{} {path}", kind.name());
            true
        }
        Err(status) => {
            let fields = |told: Refusal| (told.code, told.reason, told.fields);
            let wanted = fields(crate::harness::refusal(&status));
            assert_eq!(fields(refused(updated)), wanted, "{} {path}", kind.name());
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mask_changes_the_fields_it_names_and_no_other() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let full = [0, 1].map(|seed| suite.sampler.resource(kind, Fill::All, seed));
        for field in kind.settable() {
            let rules = rules(&field);
            let [before, other] = full.each_ref().map(|full| freed(full, &field));
            if rules.set_at_creation || rules.immutable {
                continue;
            }
            let mut done = false;
            let mut whole = before.clone();
            whole.set_field(&field, other.get_field(&field).into_owned());
            done |= agrees(&suite, kind, &before, other.clone(), field.name(), &whole).await;
            let mut whole = before.clone();
            whole.clear_field(&field);
            let mut sent = other.clone();
            sent.clear_field(&field);
            done |= agrees(&suite, kind, &before, sent, field.name(), &whole).await;
            assert!(done, "{} could not be changed by itself in any way that was tried", field.full_name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mask_reaches_into_single_messages() {
    let suite = Suite::start().await;
    let mut seen = 0;
    for kind in &suite.kinds {
        let before = suite.sampler.resource(kind, Fill::All, 0);
        let other = suite.sampler.resource(kind, Fill::All, 1);
        for field in kind.settable() {
            let Some(inner) = single_message(&field) else { continue };
            for part in inner.fields().filter(is_settable) {
                let path = format!("{}.{}", field.name(), part.name());
                let mut whole = before.clone();
                let (from, to) = (other.get_field(&field), whole.get_field_mut(&field).as_message_mut().unwrap());
                match from.as_message().unwrap() {
                    from if from.has_field(&part) => to.set_field(&part, from.get_field(&part).into_owned()),
                    _ => to.clear_field(&part),
                }
                seen += usize::from(agrees(&suite, kind, &before, other.clone(), &path, &whole).await);
            }
        }
    }
    assert!(seen > 30, "few parts of messages could be changed: {seen}");
}

fn single_message(field: &FieldDescriptor) -> Option<prost_reflect::MessageDescriptor> {
    match field.kind() {
        Type::Message(inner) if !field.is_list() && !field.is_map() => Some(inner),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_star_replaces_all_and_no_mask_changes_what_is_set() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let full = suite.create_all(kind, 0).await;
        let name = text(&full, "name");
        let least = suite.sampler.resource(kind, Fill::Least, 0);
        let kept = kind.settable().into_iter().filter(|field| rules(field).set_at_creation || rules(field).immutable);
        let mut expected = least.clone();
        for field in kept {
            expected.set_field(&field, full.get_field(&field).into_owned());
        }
        let replaced = suite.update(kind, named(least, &name), &["*"]).await.unwrap();
        assert_eq!(body(kind, &replaced), expected, "{}", kind.name());

        let change = message(&kind.message, [("name", string(&name)), ("display_name", string("changed"))]);
        let changed = suite.update(kind, change, &[]).await.unwrap();
        set(&mut expected, "display_name", string("changed"));
        assert_eq!(body(kind, &changed), expected, "{}: only what is set", kind.name());

        let all = suite.sampler.resource(kind, Fill::All, 1);
        let changed = suite.update(kind, named(all, &name), &[]).await.unwrap();
        let set_now = kind.settable().into_iter().filter(|field| changed.has_field(field)).count();
        assert_eq!(set_now, kind.settable().len(), "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_leads_nowhere_is_refused() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let name = text(&suite.create_all(kind, 0).await, "name");
        let change = message(&kind.message, [("name", string(&name)), ("display_name", string("changed"))]);
        let paths: [&[&str]; 13] = [
            &["no_such_field"],
            &["displayName"],
            &["display_name", "no_such_field"],
            &["display_name."],
            &[".display_name"],
            &["display_name.text"],
            &[""],
            &["*", "display_name"],
            &["display_name", "*"],
            &["labels.run.more"],
            &["documents.title"],
            &["documents[0]"],
            &["external_ids.*"],
        ];
        for paths in paths {
            let told = refused(suite.update(kind, change.clone(), paths).await);
            assert_eq!((told.code, told.reason.as_str()), (Code::InvalidArgument, "INVALID_FIELDS"), "{paths:?}");
            assert!(told.names("update_mask"), "{} {paths:?}: {told:?}", kind.name());
        }
        assert_ne!(text(&suite.get(kind, &name).await.unwrap(), "display_name"), "changed");
        let many = vec!["display_name"; 201];
        assert!(refused(suite.update(kind, change, &many).await).names("update_mask"), "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_changes_nothing_makes_no_revision() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let name = text(&made, "name");
        for paths in [&["*"][..], &[], &["display_name"], &["name", "uid", "etag", "update_time"]] {
            let same = suite.update(kind, made.clone(), paths).await.unwrap();
            assert_eq!(same, made, "{} {paths:?}", kind.name());
        }
        assert_eq!(suite.revisions(&name).await.len(), 1, "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_never_change_is_refused() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        for field in kind.settable().into_iter().filter(|field| rules(field).immutable) {
            let made = suite.create_all(kind, 0).await;
            let mut change = made.clone();
            change.set_field(&field, suite.sampler.field(&field, Fill::All, 1));
            for paths in [&[field.name()][..], &["*"]] {
                let told = refused(suite.update(kind, change.clone(), paths).await);
                assert_eq!(told.code, Code::InvalidArgument, "{}", field.full_name());
                assert!(told.names(&format!("{}.{}", kind.singular, field.name())), "{}", field.full_name());
            }
        }
        // The name identifies: a mask that names it changes nothing, and another name is another resource.
        let made = suite.create_least(kind, 0).await;
        let missing = named(made.clone(), &format!("{}/{}", kind.collection, suite.id()));
        assert_eq!(refused(suite.update(kind, missing, &["name"]).await).code, Code::NotFound, "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_created_only_if_that_is_allowed() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let name = format!("{}/{}", kind.collection, suite.id());
        let resource = suite.sampler.resource(kind, Fill::All, 0);
        let told = refused(suite.update(kind, named(resource.clone(), &name), &["*"]).await);
        assert_eq!((told.code, told.resource.as_deref()), (Code::NotFound, Some(name.as_str())), "{}", kind.name());

        let upsert = |resource: DynamicMessage| {
            suite.call(
                &kind.update,
                [
                    (kind.singular.as_str(), Value::Message(named(resource, &name))),
                    ("update_mask", mask(kind, &["*"])),
                    ("allow_missing", Value::Bool(true)),
                ],
            )
        };
        let empty = DynamicMessage::new(kind.message.clone());
        let told = refused(upsert(empty).await);
        assert!(
            told.code == Code::InvalidArgument && told.names(&format!("{}.display_name", kind.singular)),
            "{told:?}"
        );
        let made = upsert(resource.clone()).await.unwrap();
        assert_eq!((text(&made, "name"), body(kind, &made)), (name.clone(), resource.clone()), "{}", kind.name());
        let again = upsert(resource).await.unwrap();
        assert_eq!(number(&again, "revision"), number(&made, "revision"), "{}", kind.name());
        let told = refused(suite.update(kind, named(made, "countries"), &["*"]).await);
        assert!(told.code == Code::InvalidArgument && told.names(&format!("{}.name", kind.singular)), "{told:?}");
    }
}
