//! What a caller cannot change: refused where a mask names it with another value than the stored one, and otherwise
//! ignored and told in the answer of a commit.

use prost_reflect::{DynamicMessage, FieldDescriptor, Value};
use tonic::Code;

use super::coverage::Coverage;
use super::kind::{Kind, rules};
use super::sample::Fill;
use super::suite::{Suite, envelope, mask, named};
use crate::harness::dynamic::{get, message, messages, set, string, text};
use crate::harness::refused;

/// `FINDING_CODE_OUTPUT_ONLY_IGNORED`.
const IGNORED: i32 = 6;

/// The fields of a kind that an update cannot change.
fn unchangeable(kind: &Kind) -> Vec<FieldDescriptor> {
    let fields = kind.message.fields();
    fields.filter(|field| rules(field).output_only || rules(field).set_at_creation).collect()
}

/// The fields that only the server writes.
fn names(fields: &[FieldDescriptor]) -> Vec<String> {
    fields.iter().map(|field| field.name().to_owned()).collect()
}

/// The same resource with other values in all that an update cannot change.
fn loud(suite: &Suite, kind: &Kind, made: &DynamicMessage) -> DynamicMessage {
    let mut loud = made.clone();
    loud.clear_field_by_name("etag");
    for field in unchangeable(kind) {
        let stored = made.get_field(&field).into_owned();
        let mut others = (1..9).map(|seed| suite.sampler.field(&field, Fill::All, seed));
        loud.set_field(&field, others.find(|other| *other != stored).unwrap());
    }
    loud
}

/// An update of a commit.
fn update(suite: &Suite, kind: &Kind, resource: DynamicMessage, paths: &[&str], allow_missing: bool) -> Value {
    let fields = [
        ("resource", envelope(kind, resource)),
        ("update_mask", mask(kind, paths)),
        ("allow_missing", Value::Bool(allow_missing)),
    ];
    suite.mutation("update", fields)
}

/// The fields that the only result of a commit tells as ignored.
fn told(answer: &DynamicMessage) -> Vec<String> {
    let results = messages(answer, "results");
    let [result] = results.as_slice() else { panic!("one result: {answer:?}") };
    let findings = messages(result, "findings").into_iter();
    let ignored = findings.filter(|finding| get(finding, "code").as_enum_number() == Some(IGNORED));
    ignored
        .map(|finding| {
            assert!(text(&finding, "text").contains("was ignored"), "it says what became of the value: {finding}");
            text(&finding, "field")
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mask_that_names_what_cannot_be_changed_is_refused_unless_it_is_as_stored() {
    let suite = Suite::start().await;
    let wanted = suite.kinds.iter().flat_map(unchangeable).map(|field| field.full_name().to_owned());
    let mut coverage = Coverage::of("161 output only fields in a mask", "fields", wanted);
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let loud = loud(&suite, kind, &made);
        let quiet = message(&kind.message, [("name", string(text(&made, "name")))]);
        for field in unchangeable(kind) {
            let what = field.full_name();
            let rule = if rules(&field).set_at_creation { "only at creation" } else { "is output only" };
            for (sent, differs) in [(&loud, true), (&made, false), (&quiet, made.has_field(&field))] {
                for paths in [&[field.name()][..], &["name", field.name(), "display_name"]] {
                    let mut sent = sent.clone();
                    set(&mut sent, "display_name", string(text(&made, "display_name")));
                    if !differs {
                        assert_eq!(suite.update(kind, sent, paths).await.unwrap(), made, "{what}");
                        continue;
                    }
                    let in_commit = suite.commit(vec![update(&suite, kind, sent.clone(), paths, false)]).await;
                    let path = format!("{}.{}", kind.singular, field.name());
                    for (told, path) in [
                        (refused(suite.update(kind, sent, paths).await), path.clone()),
                        (refused(in_commit), format!("mutations[0].update.resource.{path}")),
                    ] {
                        let [(at, why)] = told.fields.as_slice() else { panic!("{what}: one violation: {told:?}") };
                        assert_eq!((told.code, at), (Code::InvalidArgument, &path), "{what}");
                        assert!(why.contains(rule), "{what}: {why}");
                        let verbs = [format!("Delete{}", kind.name()), format!("Undelete{}", kind.name())];
                        let says = verbs.iter().all(|verb| why.contains(verb));
                        assert_eq!(says, field.name() == "delete_time", "{what}: which method changes it: {why}");
                    }
                }
            }
            coverage.held(what);
        }
        let told = refused(suite.update(kind, loud.clone(), &["create_time.seconds", "uid"]).await);
        let prefix = &kind.singular;
        assert!(
            told.names(&format!("{prefix}.create_time.seconds")) && told.names(&format!("{prefix}.uid")),
            "{told:?}"
        );
        assert_eq!(suite.get(kind, &text(&made, "name")).await.unwrap(), made, "{}: nothing was written", kind.name());
    }
    coverage.complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_and_cannot_be_changed_is_ignored_and_told() {
    let suite = Suite::start().await;
    let wanted = suite.kinds.iter().flat_map(unchangeable).map(|field| field.full_name().to_owned());
    let mut coverage = Coverage::of("203 output only fields that are sent are told", "fields", wanted);
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let name = text(&made, "name");
        let loud = loud(&suite, kind, &made);
        for paths in [&[][..], &["*"]] {
            let what = format!("{} {paths:?}", kind.name());
            let commit = async |resource: &DynamicMessage, paths| {
                let update = update(&suite, kind, resource.clone(), paths, false);
                told(&suite.commit(vec![update]).await.unwrap())
            };
            assert_eq!(commit(&loud, paths).await, names(&unchangeable(kind)), "{what}");
            assert_eq!(commit(&made, paths).await, Vec::<String>::new(), "{what}: read, changed, and sent back");
            let mut quiet = super::suite::body(kind, &made);
            for field in unchangeable(kind) {
                quiet.clear_field(&field);
            }
            assert_eq!(commit(&named(quiet, &name), paths).await, Vec::<String>::new(), "{what}: nobody asked");
            assert_eq!(suite.get(kind, &name).await.unwrap(), made, "{what}: nothing was written");
        }
        assert_eq!(suite.update(kind, loud.clone(), &[]).await.unwrap(), made, "{}: ignored by Update", kind.name());

        let [created, upserted, masked] = [(); 3].map(|()| format!("{}/{}", kind.collection, suite.id()));
        let mutations = [
            (suite.creation(kind, &created, loud.clone()), &created),
            (update(&suite, kind, named(loud.clone(), &upserted), &["*"], true), &upserted),
            // Of a creation, a mask leaves nothing out.
            (update(&suite, kind, named(loud.clone(), &masked), &["display_name"], true), &masked),
        ];
        for (mutation, name) in mutations {
            let answer = suite.commit(vec![mutation]).await.unwrap();
            let written = kind.output_only();
            assert_eq!(told(&answer), names(&written), "{}: a creation takes what it may set", kind.name());
            let stored = suite.get(kind, name).await.unwrap();
            for field in written {
                assert_ne!(stored.get_field(&field), loud.get_field(&field), "{}", field.full_name());
            }
        }
        for field in unchangeable(kind) {
            coverage.held(field.full_name());
        }
    }
    coverage.complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_is_told_again_when_the_request_comes_again() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let mut loud = loud(&suite, kind, &made);
        set(&mut loud, "display_name", string("changed"));
        let mutations = [
            update(&suite, kind, loud.clone(), &[], false),
            suite.creation(kind, &format!("{}/{}", kind.collection, suite.id()), loud.clone()),
        ];
        for mutation in mutations {
            let request =
                [("mutations", Value::List(vec![mutation])), ("request_id", string(uuid::Uuid::new_v4().to_string()))];
            let first = suite.call(&suite.across("Commit"), request.clone()).await.unwrap();
            assert!(!told(&first).is_empty(), "{}", kind.name());
            assert_eq!(suite.call(&suite.across("Commit"), request).await.unwrap(), first, "{}", kind.name());
        }
    }
}
