//! Create: ids given and made, what is ignored, and what is refused.

use tonic::Code;

use super::kind::rules;
use super::sample::Fill;
use super::suite::{Suite, body, id_field, named};
use crate::harness::dynamic::{set, string, text};
use crate::harness::refused;

/// Ids that no resource can have.
const BAD_IDS: &[&str] = &[
    "-a",
    "a-",
    "-",
    "A",
    "aB",
    "a_b",
    "a.b",
    "a/b",
    "a b",
    " a",
    "é",
    "a\n",
    "..",
    "%61",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_id_is_the_one_that_was_given() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let longest = format!("{:a<63}", format!("{}-{}", suite.sampler.run, suite.id()));
        for id in [suite.id(), longest, format!("0{}", suite.id())] {
            let resource = suite.sampler.resource(kind, Fill::Least, 0);
            // The name in the resource means nothing to a creation.
            let made = suite.create(kind, &id, named(resource, "anything/else")).await.unwrap();
            assert_eq!(text(&made, "name"), format!("{}/{id}", kind.collection));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_the_server_makes_sorts_by_time() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let mut names = Vec::new();
        for _ in 0..20 {
            names.push(text(
                &suite.create(kind, "", suite.sampler.resource(kind, Fill::Least, 0)).await.unwrap(),
                "name",
            ));
        }
        assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]), "{}: {names:?}", kind.name());
        assert!(names[0].starts_with(&format!("{}/", kind.collection)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_breaks_the_rule_is_refused() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        for id in BAD_IDS {
            let told = refused(suite.create(kind, id, suite.sampler.resource(kind, Fill::Least, 0)).await);
            assert_eq!(
                (told.code, told.reason.as_str()),
                (Code::InvalidArgument, "INVALID_FIELDS"),
                "{} {id:?}",
                kind.name()
            );
            assert!(told.names(&id_field(kind)), "{} {id:?}: {told:?}", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_used_once_and_never_again() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let id = suite.id();
        let name = format!("{}/{id}", kind.collection);
        suite.create(kind, &id, suite.sampler.resource(kind, Fill::Least, 0)).await.unwrap();
        for deleted in [false, true] {
            if deleted {
                suite.delete(kind, &name).await.unwrap();
            }
            let told = refused(suite.create(kind, &id, suite.sampler.resource(kind, Fill::Least, 1)).await);
            assert_eq!((told.code, told.reason.as_str()), (Code::AlreadyExists, "ALREADY_EXISTS"), "{}", kind.name());
            assert_eq!(told.resource.as_deref(), Some(name.as_str()), "{}", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_server_writes_is_ignored() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let sent = suite.sampler.resource(kind, Fill::All, 0);
        let mut loud = sent.clone();
        for field in kind.output_only() {
            loud.set_field(&field, suite.sampler.item(&field, Fill::All, 7));
        }
        set(&mut loud, "etag", string("mine"));
        let made = suite.create(kind, &suite.id(), loud.clone()).await.unwrap();
        assert_eq!(body(kind, &made), sent, "{}", kind.name());
        for field in kind.output_only() {
            assert_ne!(
                made.get_field(&field),
                loud.get_field(&field),
                "{}.{} is the server's",
                kind.name(),
                field.name()
            );
        }
        assert_ne!(text(&made, "etag"), "mine");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_created_of_nothing() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let told = refused(suite.call(&kind.create, [(id_field(kind).as_str(), string(suite.id()))]).await);
        assert!(told.code == Code::InvalidArgument && told.names(&kind.singular), "{}: {told:?}", kind.name());

        let empty = prost_reflect::DynamicMessage::new(kind.message.clone());
        let told = refused(suite.create(kind, &suite.id(), empty).await);
        let required: Vec<String> = kind
            .settable()
            .iter()
            .filter(|field| rules(field).required)
            .map(|field| format!("{}.{}", kind.singular, field.name()))
            .collect();
        let fields: Vec<String> = told.fields.iter().map(|(field, _)| field.clone()).collect();
        assert_eq!(fields, required, "{}: every field that is required, and no other", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_set_at_creation_stays_as_it_was_set() {
    let suite = Suite::start().await;
    let mut seen = 0;
    for kind in &suite.kinds {
        for field in kind.settable().into_iter().filter(|field| rules(field).set_at_creation) {
            seen += 1;
            let made = suite.create_all(kind, 0).await;
            let name = text(&made, "name");
            let mut change = named(body(kind, &made), &name);
            change.set_field(&field, suite.sampler.field(&field, Fill::All, 1));
            set(&mut change, "display_name", string("changed"));
            for paths in [&["*"][..], &[]] {
                let changed = suite.update(kind, change.clone(), paths).await.unwrap();
                assert_eq!(changed.get_field(&field), made.get_field(&field), "{} {paths:?}", field.full_name());
            }
            assert_eq!(text(&suite.get(kind, &name).await.unwrap(), "display_name"), "changed");
            assert_ne!(change.get_field(&field), made.get_field(&field), "{}", field.full_name());
        }
    }
    assert!(seen > 0, "no field of any kind may be set at creation alone");
}
