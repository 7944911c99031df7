//! Text is compared and ordered in Unicode's normal form C, and stored as it came (AIP-210), for every kind.

use prost_reflect::{MapKey, Value};

use super::sample::Fill;
use super::suite::{Suite, named, names};
use crate::harness::dynamic::{message, number, set, string, text};

/// Two encodings of one text each: composed, and in its parts.
const PAIRS: [[&str; 2]; 2] = [
    ["\u{d55c}\u{ad6d}", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"],
    ["C\u{f4}te d'Ivoire", "Co\u{302}te d'Ivoire"],
];

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_look_the_same_are_found_together_and_stored_as_they_came() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        for pair in PAIRS {
            let mut made = Vec::new();
            for form in pair {
                let mut resource = suite.sampler.resource(kind, Fill::Least, 0);
                set(&mut resource, "display_name", string(form));
                let labels = [("run", suite.sampler.run.as_str()), ("form", form)];
                let labels = labels.map(|(key, value)| (MapKey::String(key.into()), string(value)));
                set(&mut resource, "labels", Value::Map(labels.into()));
                let resource = suite.create(kind, &suite.id(), resource).await.unwrap();
                assert_eq!(text(&resource, "display_name"), form, "stored as it came");
                made.push(text(&resource, "name"));
            }
            for asked in pair {
                for filter in [format!("display_name = \"{asked}\""), format!("labels.form = \"{asked}\"")] {
                    let filter = format!("{filter} AND labels.run = {}", suite.sampler.run);
                    let found = names(&suite.list(kind, &[("filter", string(&filter))], 10).await);
                    assert_eq!(found, made, "{} {filter}", kind.name());
                }
                let filter =
                    format!("display_name != \"{asked}\" AND labels:form AND labels.run = {}", suite.sampler.run);
                let others = names(&suite.list(kind, &[("filter", string(filter))], 10).await);
                assert!(others.iter().all(|other| !made.contains(other)), "{}", kind.name());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn display_names_are_ordered_in_their_normal_form_over_all_pages_now_and_in_the_past() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        // In bytes, the decomposed ones would come before what is between them.
        let ordered =
            ["Cote", "C\u{f4}te a", "Co\u{302}te b", "C\u{f4}te c", "\u{1112}\u{1161}\u{11ab}", "\u{d55c}\u{ad6d}"];
        let mut expected = Vec::new();
        for display_name in ordered {
            let mut resource = suite.sampler.resource(kind, Fill::Least, 0);
            set(&mut resource, "display_name", string(display_name));
            let labels = [("run", suite.sampler.run.as_str()), ("order", "yes")];
            let labels = labels.map(|(key, value)| (MapKey::String(key.into()), string(value)));
            set(&mut resource, "labels", Value::Map(labels.into()));
            let made = suite.create(kind, &suite.id(), resource).await.unwrap();
            expected.push((text(&made, "name"), number(&made, "revision")));
        }
        let at = expected.last().unwrap().1;
        let expected: Vec<String> = expected.into_iter().map(|(name, _)| name).collect();
        let filter = format!("labels.order = yes AND labels.run = {}", suite.sampler.run);
        for (order, wanted) in
            [("display_name", expected.clone()), ("display_name desc", expected.iter().rev().cloned().collect())]
        {
            let arguments =
                [("filter", string(&filter)), ("order_by", string(order)), ("read_revision", Value::U64(at))];
            for size in [1, 2, 100] {
                assert_eq!(names(&suite.list(kind, &arguments, size).await), wanted, "{} {order} {size}", kind.name());
            }
            // The first becomes the last, and the past does not.
            suite.rename(kind, &expected[0], "\u{d7a3}").await;
            assert_eq!(names(&suite.list(kind, &arguments, 1).await), wanted, "{} {order}", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_encoding_of_the_same_text_is_a_change() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_least(kind, 0).await;
        let name = text(&made, "name");
        for form in PAIRS[0] {
            let before = number(&suite.get(kind, &name).await.unwrap(), "revision");
            let change = named(message(&kind.message, [("display_name", string(form))]), &name);
            let updated = suite.update(kind, change, &["display_name"]).await.unwrap();
            assert!(number(&updated, "revision") > before, "{}", kind.name());
            assert_eq!(text(&suite.get(kind, &name).await.unwrap(), "display_name"), form);
        }
    }
}
