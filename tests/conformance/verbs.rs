//! The methods that only one kind has: what they are asked for here, and that they are held to what holds for all that write.
//!
//! What a verb needs besides a name is known by the table alone: a new verb needs a line in it.

use partnership_registry::descriptors;
use prost_reflect::{Kind as Type, MethodDescriptor, Value};

use super::coverage::Coverage;
use super::kind::{Kind, kinds};
use super::sample::Fill;
use super::suite::Suite;
use crate::harness::dynamic::{get, messages, number, set, string, text};
use crate::harness::{refusal, refused};

/// What is asked of a verb besides the name of the resource. With another `n`, it is another request.
pub(crate) fn fields(suite: &Suite, verb: &MethodDescriptor, n: usize) -> Vec<(String, Value)> {
    let input = verb.input();
    match verb.name() {
        "RecordAgreementEvents" => {
            let Type::Message(event) = input.get_field_by_name("events").unwrap().kind() else { panic!("no messages") };
            let mut event = suite.sampler.message(&event, Fill::Least, n);
            let mut date = event.get_field_by_name("act_date").unwrap().into_owned();
            set(date.as_message_mut().unwrap(), "year", Value::I32(1_990 + n as i32));
            set(&mut event, "act_date", date);
            set(&mut event, "note", string(format!("note {n}")));
            set(&mut event, "ground", Value::EnumNumber(1));
            vec![("events".to_owned(), Value::List(vec![Value::Message(event)]))]
        }
        // Of a resource with everything set there is an event.
        "VoidAgreementEvent" => {
            vec![("event_id".to_owned(), string("e1")), ("reason".to_owned(), string(format!("reason {n}")))]
        }
        other => panic!("say what {other} is asked for here"),
    }
}

/// The request of a verb, of a resource and with an etag.
pub(crate) fn request(
    suite: &Suite,
    verb: &MethodDescriptor,
    name: &str,
    etag: &str,
    n: usize,
) -> Vec<(String, Value)> {
    let named = [("name".to_owned(), string(name)), ("etag".to_owned(), string(etag))];
    named.into_iter().chain(fields(suite, verb, n)).collect()
}

/// The field that a mutation of a commit has for a verb, such as `record_events`.
fn mutation_of(suite: &Suite, kind: &Kind, verb: &MethodDescriptor) -> String {
    let plain = verb.name().replace(kind.name(), "");
    let mutation = suite.across("Commit").input().get_field_by_name("mutations").unwrap().kind();
    let fields = mutation.as_message().unwrap().fields();
    let found =
        fields.map(|field| field.name().to_owned()).find(|field| field.replace('_', "") == plain.to_lowercase());
    found.unwrap_or_else(|| panic!("a commit has no mutation for {}", verb.name()))
}

fn with(fields: &[(String, Value)]) -> Vec<(&str, Value)> {
    fields.iter().map(|(field, value)| (field.as_str(), value.clone())).collect()
}

/// A resource of which each verb of its kind can be done after the one before.
pub(crate) async fn ready(suite: &Suite, kind: &Kind) -> (String, String) {
    let made = suite.create_least(kind, 0).await;
    (text(&made, "name"), text(&made, "etag"))
}

#[test]
fn some_kind_has_verbs() {
    assert!(kinds().iter().any(|kind| !kind.verbs.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verb_makes_a_revision_that_says_what_was_done() {
    let suite = Suite::start().await;
    let wanted = suite.kinds.iter().flat_map(|kind| &kind.verbs).map(|verb| verb.full_name().to_owned());
    let mut coverage = Coverage::of("162 revisions of verbs", "methods", wanted);
    for kind in &suite.kinds {
        let (name, mut etag) = ready(&suite, kind).await;
        for verb in &kind.verbs {
            let fields = request(&suite, verb, &name, &etag, 0);
            let done = suite.call(verb, with(&fields)).await.unwrap();
            assert_eq!(suite.get(kind, &name).await.unwrap(), done, "{}", verb.name());
            let newest = &suite.revisions(&name).await[0];
            assert_eq!(number(newest, "revision"), number(&done, "revision"), "{}", verb.name());
            let actions = descriptors().get_enum_by_name("partnership.registry.v1.ChangeAction").unwrap();
            let action = actions.get_value(get(newest, "action").as_enum_number().unwrap()).unwrap();
            let expected = format!("CHANGE_ACTION_{}", mutation_of(&suite, kind, verb).to_uppercase());
            assert_eq!(action.name(), expected, "{}", verb.name());
            // The one that it was is not the current etag any more.
            let told = refused(suite.call(verb, with(&fields)).await);
            assert_eq!(told.reason, "ETAG_MISMATCH", "{}: {told:?}", verb.name());
            etag = text(&done, "etag");
            coverage.held(verb.full_name());
        }
    }
    coverage.complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_of_a_commit_does_what_the_verb_does_and_is_refused_as_it_is() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let (one, _) = ready(&suite, kind).await;
        let (other, _) = ready(&suite, kind).await;
        for verb in &kind.verbs {
            let field = mutation_of(&suite, kind, verb);
            let Type::Message(mutation) = suite.across("Commit").input().get_field_by_name("mutations").unwrap().kind()
            else {
                panic!("no messages")
            };
            let Type::Message(inner) = mutation.get_field_by_name(&field).unwrap().kind() else { panic!("no message") };
            for (etag, good) in [("\"stale\"", false), ("", true)] {
                let fields = request(&suite, verb, &one, etag, 0);
                let of_verb = suite.call(verb, with(&fields)).await;
                let fields = request(&suite, verb, &other, etag, 0);
                let fields = with(&fields).into_iter().filter(|(field, _)| inner.get_field_by_name(field).is_some());
                let in_commit = suite.commit(vec![suite.mutation(&field, fields.collect::<Vec<_>>())]).await;
                match (of_verb, in_commit) {
                    (Ok(_), Ok(_)) => assert!(good, "{}", verb.name()),
                    (Err(one), Err(other)) => {
                        assert!(!good, "{}: {one:?}", verb.name());
                        assert_eq!(refusal(&one).reason, refusal(&other).reason, "{}", verb.name());
                    }
                    (one, other) => panic!("{}: {one:?} {other:?}", verb.name()),
                }
            }
            let [one, other] = [&one, &other].map(|name| suite.get(kind, name));
            let (one, other) = (one.await.unwrap(), other.await.unwrap());
            let size = |one: &prost_reflect::DynamicMessage| messages(one, "events").len();
            assert_eq!(size(&one), size(&other), "{}", verb.name());
        }
    }
}
