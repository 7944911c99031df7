//! `validate_only`: it writes nothing, and fails exactly when the real call would.

use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage as _, Value};

use super::kind::Kind;
use super::sample::Fill;
use super::suite::{Suite, body, envelope, id_field, mask, named};
use crate::harness::dynamic::{message, messages, number, set, string, text};
use crate::harness::refusal;

type Write = (&'static str, MethodDescriptor, Vec<(String, Value)>);

/// Writes good and bad, each on resources of its own, for a kind.
async fn writes(suite: &Suite, kind: &Kind) -> Vec<Write> {
    let mut live = Vec::new();
    for _ in 0..6 {
        live.push(suite.create_all(kind, 0).await);
    }
    let mut deleted = Vec::new();
    for _ in 0..2 {
        let name = text(&suite.create_least(kind, 0).await, "name");
        deleted.push(suite.delete(kind, &name).await.unwrap());
    }
    let least = || suite.sampler.resource(kind, Fill::Least, 0);
    let missing = format!("{}/{}", kind.collection, suite.id());
    let create = |id: String, resource: DynamicMessage| {
        vec![(id_field(kind), string(id)), (kind.singular.clone(), Value::Message(resource))]
    };
    let update = |resource: DynamicMessage, paths: &[&str], allow_missing: bool| {
        vec![
            (kind.singular.clone(), Value::Message(resource)),
            ("update_mask".to_owned(), mask(kind, paths)),
            ("allow_missing".to_owned(), Value::Bool(allow_missing)),
        ]
    };
    let by_name = |name: &str, etag: &str| vec![("name".to_owned(), string(name)), ("etag".to_owned(), string(etag))];
    let then = |one: &DynamicMessage| format!("{}/revisions/{}", text(one, "name"), number(one, "revision"));
    let renamed = |one: &DynamicMessage, display_name: &str| {
        message(&kind.message, [("name", string(text(one, "name"))), ("display_name", string(display_name))])
    };
    let stale = |one: &DynamicMessage| {
        let mut stale = renamed(one, "stale");
        set(&mut stale, "etag", string("\"stale\""));
        stale
    };
    let commit = |mutations: Vec<Value>| vec![("mutations".to_owned(), Value::List(mutations))];
    let taken = text(&live[0], "name").split('/').next_back().unwrap().to_owned();
    let referred = {
        let organization = suite.kind("partnership.registry/Organization");
        let target = suite.create_least(organization, 0).await;
        let mut referrer = suite.sampler.resource(organization, Fill::Least, 0);
        set(&mut referrer, "parent", string(text(&target, "name")));
        suite.create(organization, &suite.id(), referrer).await.unwrap();
        text(&target, "name")
    };
    let organization = suite.kind("partnership.registry/Organization");
    let of_verbs = super::verbs::ready(suite, kind).await.0;
    let verbs = kind.verbs.iter().flat_map(|verb| {
        let request = |name: &str, etag: &str| super::verbs::request(suite, verb, name, etag, 0);
        [
            ("a verb", verb.clone(), request(&of_verbs, "")),
            ("a verb with a stale etag", verb.clone(), request(&of_verbs, "\"stale\"")),
            ("a verb on what is missing", verb.clone(), request(&format!("{missing}-x"), "")),
            ("a verb on what is deleted", verb.clone(), request(&text(&deleted[0], "name"), "")),
        ]
    });
    let mut writes = vec![
        ("create", kind.create.clone(), create(suite.id(), suite.sampler.resource(kind, Fill::All, 0))),
        ("create without an id", kind.create.clone(), create(String::new(), least())),
        ("create an id that is taken", kind.create.clone(), create(taken, least())),
        ("create with a bad id", kind.create.clone(), create("Bad".into(), least())),
        ("create nothing", kind.create.clone(), vec![(id_field(kind), string(suite.id()))]),
        ("create what is empty", kind.create.clone(), create(suite.id(), DynamicMessage::new(kind.message.clone()))),
        ("update", kind.update.clone(), update(renamed(&live[0], "changed"), &["display_name"], false)),
        ("update all", kind.update.clone(), update(named(least(), &text(&live[1], "name")), &["*"], false)),
        (
            "update nothing",
            kind.update.clone(),
            update(renamed(&live[2], &text(&live[2], "display_name")), &["display_name"], false),
        ),
        ("update with a bad mask", kind.update.clone(), update(renamed(&live[2], "x"), &["nothing"], false)),
        ("update with a stale etag", kind.update.clone(), update(stale(&live[2]), &["display_name"], false)),
        ("update to nothing", kind.update.clone(), update(renamed(&live[2], ""), &["display_name"], false)),
        ("update what is missing", kind.update.clone(), update(named(least(), &missing), &["*"], false)),
        ("update what is missing, or create it", kind.update.clone(), update(named(least(), &missing), &["*"], true)),
        ("update what is deleted", kind.update.clone(), update(renamed(&deleted[0], "x"), &["display_name"], false)),
        ("delete", kind.delete.clone(), by_name(&text(&live[3], "name"), "")),
        ("delete with a stale etag", kind.delete.clone(), by_name(&text(&live[4], "name"), "\"stale\"")),
        ("delete what is deleted", kind.delete.clone(), by_name(&text(&deleted[0], "name"), "")),
        ("delete what is missing", kind.delete.clone(), by_name(&format!("{missing}-x"), "")),
        ("delete what is referred to", organization.delete.clone(), by_name(&referred, "")),
        ("undelete", kind.undelete.clone(), by_name(&text(&deleted[1], "name"), "")),
        ("undelete what is live", kind.undelete.clone(), by_name(&text(&live[4], "name"), "")),
        ("undelete what is missing", kind.undelete.clone(), by_name(&format!("{missing}-x"), "")),
        ("roll back", kind.rollback.clone(), by_name(&then(&live[0]), "")),
        ("roll back to what is so", kind.rollback.clone(), by_name(&then(&live[2]), "")),
        ("roll back with a stale etag", kind.rollback.clone(), by_name(&then(&live[1]), "\"stale\"")),
        (
            "roll back to no revision",
            kind.rollback.clone(),
            by_name(&format!("{}/revisions/0", text(&live[1], "name")), ""),
        ),
        ("roll back to a deletion", kind.rollback.clone(), by_name(&then(&deleted[0]), "")),
        (
            "commit",
            suite.across("Commit"),
            commit(vec![
                suite.creation(kind, &format!("{}/{}", kind.collection, suite.id()), least()),
                suite.mutation("delete", [("name", string(text(&live[5], "name")))]),
            ]),
        ),
        (
            "commit what is refused",
            suite.across("Commit"),
            commit(vec![
                suite.creation(kind, &format!("{}/{}", kind.collection, suite.id()), least()),
                suite.mutation("update", [("resource", envelope(kind, renamed(&deleted[0], "x")))]),
            ]),
        ),
        ("commit nothing", suite.across("Commit"), commit(Vec::new())),
    ];
    writes.extend(verbs);
    writes
}

/// What must be the same of an answer that wrote and of one that did not: all but what only a commit can give.
fn outline(kind: &Kind, what: &str, answer: &DynamicMessage) -> (String, Option<DynamicMessage>) {
    if what.starts_with("commit") {
        let results = messages(answer, "results");
        let outline = |one: &DynamicMessage| format!("{} {:?};", text(one, "name"), one.get_field_by_name("action"));
        return (results.iter().map(outline).collect(), None);
    }
    if answer.descriptor() != kind.message {
        return (text(answer, "name"), None);
    }
    let name = if what == "create without an id" { String::new() } else { text(answer, "name") };
    let deleted = answer.has_field_by_name("delete_time");
    (format!("{name} {deleted} {}", text(answer, "creator")), Some(without_times(body(kind, answer))))
}

/// What is recorded or voided has the time of its commit.
fn without_times(mut body: DynamicMessage) -> DynamicMessage {
    let events = body.get_field_by_name_mut("events").and_then(Value::as_list_mut);
    for event in events.into_iter().flatten().filter_map(Value::as_message_mut) {
        event.clear_field_by_name("record_time");
        if let Some(voided) = event.get_field_by_name_mut("voided").and_then(Value::as_message_mut) {
            voided.clear_field_by_name("void_time");
        }
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_fails_exactly_when_the_real_call_would_and_writes_nothing() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let (mut good, mut bad) = (0, 0);
        for (what, method, fields) in writes(&suite, kind).await {
            let what_all = format!("{}: {what}", kind.name());
            let call = |dry: bool| {
                let fields = fields.iter().map(|(field, value)| (field.as_str(), value.clone()));
                suite.call(&method, fields.chain([("validate_only", Value::Bool(dry))]).collect::<Vec<_>>())
            };
            let before = suite.head().await;
            let (dry, again) = (call(true).await, call(true).await);
            let after = suite.head().await;
            assert!(suite.server.is_none() || before == after, "{what_all}: a dry run writes nothing");
            let real = call(false).await;
            match (dry, again, real) {
                (Ok(dry), Ok(again), Ok(real)) => {
                    good += 1;
                    for dry in [dry, again] {
                        assert_eq!(outline(kind, what, &dry), outline(kind, what, &real), "{what_all}");
                    }
                }
                (Err(dry), Err(again), Err(real)) => {
                    bad += 1;
                    let told = |status| {
                        let told = refusal(&status);
                        (told.code, told.reason, told.message, told.fields, told.preconditions)
                    };
                    let real = told(real);
                    assert_eq!((told(dry), told(again)), (real.clone(), real), "{what_all}");
                }
                (dry, _, real) => panic!("{what_all}: dry: {dry:?}, real: {real:?}"),
            }
        }
        assert!(good >= 11 && bad >= 17, "{}: {good} good and {bad} bad", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_takes_no_request_id_and_knows_those_that_are_taken() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let id = format!("{:08x}-0000-4000-8000-{:012x}", rand::random::<u32>(), rand::random::<u64>() >> 16);
        let resource = suite.sampler.resource(kind, Fill::Least, 0);
        let call = |dry: bool, id: &str, resource: &DynamicMessage| {
            suite.call(
                &kind.create,
                [
                    (kind.singular.as_str(), Value::Message(resource.clone())),
                    ("request_id", string(id)),
                    ("validate_only", Value::Bool(dry)),
                ],
            )
        };
        call(true, &id, &resource).await.unwrap();
        let made = call(false, &id, &resource).await.unwrap();
        assert_eq!(suite.get(kind, &text(&made, "name")).await.unwrap(), made, "{}: it was not taken", kind.name());
        // The real call would be answered as before; and with another request it would be refused.
        assert_eq!(call(true, &id, &resource).await.unwrap(), made, "{}", kind.name());
        let other = suite.sampler.resource(kind, Fill::Least, 1);
        let told = crate::harness::refused(call(true, &id, &other).await);
        assert_eq!(told.reason, "REQUEST_ID_REUSED", "{}", kind.name());
    }
}
