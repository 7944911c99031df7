//! List: orders and pages, one snapshot whatever is written meanwhile, filters, tokens.

use std::sync::atomic::{AtomicBool, Ordering};

use prost_reflect::{DynamicMessage, Kind as Type, Value};
use tonic::Code;

use super::kind::Kind;
use super::sample::Fill;
use super::suite::{Arguments, Suite, labelled, names, time};
use crate::harness::dynamic::{get, messages, number, string, text};
use crate::harness::refused;

/// The orders that every listing has.
const ORDERS: &[&str] = &["name", "display_name", "create_time", "update_time"];

/// The arguments that narrow a listing to the resources with a label.
fn only(label: &str) -> Vec<(&'static str, Value)> {
    vec![("filter", string(format!("labels.set = \"{label}\"")))]
}

fn with(arguments: Arguments<'_>, more: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<(&'static str, Value)> {
    arguments.iter().cloned().chain(more).collect()
}

/// Creates `count` resources with a label, some with equal display names, some in one commit; changes some, and deletes
/// every fifth.
async fn seed(suite: &Suite, kind: &Kind, label: &str, count: usize) -> Vec<DynamicMessage> {
    let resource = |n: usize| {
        let mut resource = labelled(suite.sampler.resource(kind, Fill::Least, n), "set", label);
        resource.set_field_by_name(
            "display_name",
            string(["Beta", "alpha", "ünder", "Alpha", ""][n % 4].to_owned() + &"x".repeat(n % 3)),
        );
        resource
    };
    let together = count / 3;
    let prefix = |n: usize| {
        format!("{}/{}", kind.collection, if n.is_multiple_of(2) { format!("z{}", suite.id()) } else { suite.id() })
    };
    let mutations = (0..together).map(|n| suite.creation(kind, &prefix(n), resource(n))).collect();
    suite.commit(mutations).await.unwrap();
    for n in together..count {
        let name = prefix(n);
        suite.create(kind, name.split('/').next_back().unwrap(), resource(n)).await.unwrap();
    }
    let made = suite.list(kind, &only(label), 1_000).await;
    for (n, one) in made.iter().enumerate() {
        let name = text(one, "name");
        if n % 3 == 0 {
            suite.rename(kind, &name, &format!("renamed {}", n % 2)).await;
        }
        if n % 5 == 0 {
            suite.delete(kind, &name).await.unwrap();
        }
    }
    suite.list(kind, &with(&only(label), [("show_deleted", Value::Bool(true))]), 1_000).await
}

/// The resources in an order, as the contract defines it.
fn ordered(resources: &[DynamicMessage], order: &str, descending: bool) -> Vec<DynamicMessage> {
    let mut ordered = resources.to_vec();
    ordered.sort_by_cached_key(|one| {
        let name = text(one, "name");
        match order {
            "name" => (String::new(), (0, 0), name),
            "display_name" => (text(one, order), (0, 0), name),
            _ => (String::new(), time(one, order).unwrap(), name),
        }
    });
    if descending {
        ordered.reverse();
    }
    ordered
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_has_its_order_and_all_its_items_whatever_the_page_size() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let label = suite.id();
        let all = seed(&suite, kind, &label, 24).await;
        assert_eq!(all.len(), 24, "{}", kind.name());
        for show_deleted in [false, true] {
            let shown: Vec<_> =
                all.iter().filter(|one| show_deleted || time(one, "delete_time").is_none()).cloned().collect();
            assert_eq!(shown.len() < all.len(), !show_deleted);
            for order in ORDERS {
                for (words, descending) in [(format!("{order} desc"), true), ((*order).to_owned(), false)] {
                    let expected = ordered(&shown, order, descending);
                    for size in [1, 2, 7, 24, 1_000] {
                        let arguments = with(
                            &only(&label),
                            [("order_by", string(&words)), ("show_deleted", Value::Bool(show_deleted))],
                        );
                        let listed = suite.list(kind, &arguments, size).await;
                        assert_eq!(names(&listed), names(&expected), "{} by {words}, {size} a page", kind.name());
                        assert_eq!(listed, expected, "{} by {words}, {size} a page", kind.name());
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_without_arguments_is_of_live_ones_by_name() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let page = suite.page(kind, &[], 0, "").await.unwrap();
        let listed = names(&page.resources);
        assert!(listed.is_sorted() && listed.len() <= 50, "{}", kind.name());
        assert!(page.resources.iter().all(|one| time(one, "delete_time").is_none()), "{}", kind.name());
        if suite.server.is_some() {
            assert_eq!(page.total as usize, suite.list(kind, &[], 2).await.len(), "{}", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_a_listing_are_one_snapshot_whatever_is_written_between_them() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        for (order, show_deleted) in
            [("name", false), ("display_name desc", true), ("create_time", true), ("update_time", false)]
        {
            let label = suite.id();
            seed(&suite, kind, &label, 15).await;
            let arguments =
                with(&only(&label), [("order_by", string(order)), ("show_deleted", Value::Bool(show_deleted))]);
            let expected = suite.list(kind, &arguments, 1_000).await;
            let (mut listed, mut token) = (Vec::new(), String::new());
            loop {
                let page = suite.page(kind, &arguments, 2, &token).await.unwrap();
                assert_eq!(page.total as usize, expected.len(), "{} by {order}", kind.name());
                listed.extend(page.resources);
                assert!(listed.len() <= expected.len(), "{} by {order}: it goes on", kind.name());
                token = page.next;
                if token.is_empty() {
                    break;
                }
                // Something before, among and after what is listed, and changes of what is still to come.
                let mut extra = labelled(suite.sampler.resource(kind, Fill::Least, 0), "set", &label);
                extra.set_field_by_name("display_name", string(format!("{}", listed.len())));
                suite.create(kind, &suite.id(), extra).await.unwrap();
                let coming = expected.iter().skip(listed.len()).find(|one| time(one, "delete_time").is_none());
                if let Some(coming) = coming {
                    let name = text(coming, "name");
                    // It may be gone already, by the hand of an earlier page.
                    if time(&suite.get(kind, &name).await.unwrap(), "delete_time").is_none() {
                        suite.rename(kind, &name, "zz moved").await;
                        suite.delete(kind, &name).await.unwrap();
                    }
                }
            }
            assert_eq!(names(&listed), names(&expected), "{} by {order}", kind.name());
            assert_eq!(listed, expected, "{} by {order}", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_beside_writers_skips_nothing_and_repeats_nothing() {
    let suite = Suite::start().await;
    let kind = &suite.kinds[rand::random_range(0..suite.kinds.len())];
    println!("kind: {}", kind.name());
    let label = suite.id();
    let live = names(&seed(&suite, kind, &label, 40).await);
    let stop = AtomicBool::new(false);
    let writing = async {
        let mut n = 0;
        while !stop.load(Ordering::Relaxed) {
            n += 1;
            let name = &live[n % live.len()];
            match n % 3 {
                0 => {
                    let resource = labelled(suite.sampler.resource(kind, Fill::Least, n), "set", &label);
                    suite.create(kind, &suite.id(), resource).await.unwrap();
                }
                // Either may be refused, as the resource is deleted or not; each makes the next one possible.
                1 => drop(suite.delete(kind, name).await.or(suite.undelete(kind, name).await)),
                _ => {
                    let change = crate::harness::dynamic::message(
                        &kind.message,
                        [("name", string(name)), ("display_name", string(format!("written {n}")))],
                    );
                    let _ = suite.update(kind, change, &["display_name"]).await;
                }
            }
        }
        n
    };
    let reading = async {
        for round in 0..24 {
            let order = format!("{}{}", ORDERS[round % 4], if round % 8 < 4 { "" } else { " desc" });
            let arguments =
                with(&only(&label), [("order_by", string(&order)), ("show_deleted", Value::Bool(round % 3 == 0))]);
            let first = suite.page(kind, &arguments, 5, "").await.unwrap();
            let (mut listed, mut token) = (first.resources, first.next);
            while !token.is_empty() {
                let page = suite.page(kind, &arguments, 5, &token).await.unwrap();
                assert_eq!((page.revision, page.total), (first.revision, first.total), "by {order}");
                listed.extend(page.resources);
                assert!(listed.len() <= first.total as usize, "by {order}: it goes on");
                token = page.next;
            }
            assert_eq!(listed.len(), first.total as usize, "by {order}");
            let again = with(&arguments, [("read_revision", Value::U64(first.revision))]);
            let again = suite.list(kind, &again, 1_000).await;
            assert_eq!(names(&listed), names(&again), "by {order}: the snapshot read again, later and at once");
            assert_eq!(listed, again, "by {order}");
            let at_once = suite.page(kind, &arguments, 1_000, "").await.unwrap();
            let words = order.trim_end_matches(" desc");
            assert_eq!(names(&at_once.resources), names(&ordered(&at_once.resources, words, order.ends_with("desc"))));
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (written, ()) = tokio::join!(writing, reading);
    assert!(written > 24, "the writer wrote: {written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_listed_as_it_was() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let label = suite.id();
        seed(&suite, kind, &label, 9).await;
        let mut past = Vec::new();
        for order in ORDERS {
            let arguments = with(&only(&label), [("order_by", string(*order)), ("show_deleted", Value::Bool(true))]);
            let page = suite.page(kind, &arguments, 1_000, "").await.unwrap();
            for name in names(&page.resources) {
                let one = suite.get(kind, &name).await.unwrap();
                match time(&one, "delete_time") {
                    Some(_) => drop(suite.undelete(kind, &name).await.unwrap()),
                    None => {
                        drop(suite.rename(kind, &name, &format!("after {order} {}", &name[name.len() - 2..])).await)
                    }
                }
            }
            past.push((arguments, page));
        }
        for (arguments, page) in past {
            let then = with(&arguments, [("read_revision", Value::U64(page.revision))]);
            assert_eq!(suite.list(kind, &then, 4).await, page.resources, "{} at {}", kind.name(), page.revision);
            let commit = [("after_revision", Value::U64(page.revision - 1)), ("page_size", Value::I32(1))];
            let commits = suite.call(&suite.across("ListCommits"), commit).await.unwrap();
            let commit_time = get(&messages(&commits, "commits")[0], "commit_time");
            let then = with(&arguments, [("read_time", commit_time)]);
            assert_eq!(suite.list(kind, &then, 4).await, page.resources, "{} at the time", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_the_listing_it_was_made_for_and_no_other() {
    let mut suite = Suite::start().await;
    for kind in suite.kinds.clone() {
        let label = suite.id();
        seed(&suite, &kind, &label, 9).await;
        let arguments = with(&only(&label), [("order_by", string("display_name"))]);
        let page = suite.page(&kind, &arguments, 2, "").await.unwrap();
        let token = page.next;
        let next = suite.page(&kind, &arguments, 3, &token).await.unwrap();
        assert_eq!(
            (next.resources.len(), next.revision),
            (3, page.revision),
            "{}: another page size is fine",
            kind.name()
        );
        assert_eq!(next.resources[..2], suite.page(&kind, &arguments, 2, &token).await.unwrap().resources, "again");

        let order = |words: &str| vec![only(&label)[0].clone(), ("order_by", string(words))];
        let others: [(&str, Vec<(&'static str, Value)>); 6] = [
            ("another order", order("name")),
            ("another direction", order("display_name desc")),
            ("another filter", with(&only("other"), [("order_by", string("display_name"))])),
            ("no filter", vec![("order_by", string("display_name"))]),
            ("deleted ones too", with(&arguments, [("show_deleted", Value::Bool(true))])),
            ("a revision", with(&arguments, [("read_revision", Value::U64(page.revision))])),
        ];
        let other_kind = suite.other(&kind).clone();
        let told = suite.page(&other_kind, &arguments, 2, &token).await;
        let mut refusals = vec![("another kind".to_owned(), told)];
        for (what, other) in others {
            refusals.push((what.into(), suite.page(&kind, &other, 2, &token).await));
        }
        for cut in [1, token.len() / 2, token.len() - 1] {
            refusals.push((format!("cut to {cut}"), suite.page(&kind, &arguments, 2, &token[..cut]).await));
        }
        for at in (0..token.len()).step_by(11) {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            refusals.push((format!("forged at {at}"), suite.page(&kind, &arguments, 2, &forged).await));
        }
        for nonsense in ["x", "0", "!!!!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            refusals.push((nonsense.into(), suite.page(&kind, &arguments, 2, nonsense).await));
        }
        for (what, answer) in refusals {
            let told = refused(answer);
            assert_eq!((told.code, told.reason.as_str()), (Code::InvalidArgument, "PAGE_TOKEN_INVALID"), "{what}");
            assert!(told.names("page_token"), "{} {what}: {told:?}", kind.name());
        }
    }
    // A token outlives a restart.
    let kind = suite.kinds[0].clone();
    let page = suite.page(&kind, &[], 1, "").await.unwrap();
    if suite.restart().await {
        let next = suite.page(&kind, &[], 1, &page.next).await.unwrap();
        assert_eq!((next.revision, next.resources.len()), (page.revision, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_selects_by_labels_and_by_fields() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let label = suite.id();
        let set = format!("labels.set = \"{label}\"");
        let mut made = Vec::new();
        for n in 0..4 {
            let fill = if n < 2 { Fill::All } else { Fill::Least };
            let mut resource = labelled(suite.sampler.resource(kind, fill, n), "set", &label);
            resource.set_field_by_name("display_name", string(format!("name \"{n}\" \\ AND x = y")));
            if n % 2 == 0 {
                resource = labelled(resource, "unit/sub.unit", "a b");
            }
            made.push(suite.create(kind, &suite.id(), resource).await.unwrap());
        }
        let mut tests: Vec<(String, Vec<usize>)> = vec![
            (set.clone(), vec![0, 1, 2, 3]),
            (format!("  {set}  "), vec![0, 1, 2, 3]),
            (format!("{set} AND labels:unit/sub.unit"), vec![0, 2]),
            (format!("{set} AND labels.unit/sub.unit = \"a b\""), vec![0, 2]),
            (format!("{set} AND labels.unit/sub.unit != \"a b\""), vec![]),
            (format!("{set} AND NOT labels.unit/sub.unit = \"a b\""), vec![1, 3]),
            (format!("{set} (labels:unit/sub.unit OR display_name = \"name*1*\")"), vec![0, 1, 2]),
            (format!("{set} -labels:unit/sub.unit"), vec![1, 3]),
            (format!("{set} AND labels.unit/sub.unit = \"a\""), vec![]),
            (format!("{set} AND labels:nothing"), vec![]),
            (format!("{set} AND display_name = \"name \\\"1\\\" \\\\ AND x = y\""), vec![1]),
            (format!("{set} AND display_name != \"name \\\"1\\\" \\\\ AND x = y\""), vec![0, 2, 3]),
            (format!("{set} AND display_name > 'name \"1\"' AND display_name < 'name \"3\"'"), vec![1, 2]),
            (format!("{set} AND revision = {}", number(&made[2], "revision")), vec![2]),
            (format!("{set} AND revision >= {}", number(&made[2], "revision")), vec![2, 3]),
            (format!("{set} AND create_time >= 2000 AND NOT create_time < 2000-01-01T00:00:00Z"), vec![0, 1, 2, 3]),
            (format!("{set} AND delete_time:*"), vec![]),
            (format!("{set} AND uid = \"{}\"", text(&made[3], "uid")), vec![3]),
            (format!("name = \"{}\"", text(&made[1], "name")), vec![1]),
        ];
        for field in kind.settable().into_iter().filter(|field| !field.is_list()) {
            let Type::Enum(values) = field.kind() else { continue };
            let value = |n: usize| {
                let number = made[n].get_field(&field).as_enum_number().unwrap();
                values.get_value(number).unwrap().name().to_owned()
            };
            let wanted = value(0);
            let equal: Vec<usize> = (0..4).filter(|n| value(*n) == wanted).collect();
            let unequal: Vec<usize> = (0..4).filter(|n| value(*n) != wanted).collect();
            tests.push((format!("{set} AND {} = {wanted}", field.name()), equal));
            tests.push((format!("{set} AND {} != \"{wanted}\"", field.name()), unequal));
        }
        for field in kind.settable().into_iter().filter(|field| !field.is_list() && !field.is_map()) {
            // Inside of a message: the first text that has a value.
            let Type::Message(inner) = field.kind() else { continue };
            let Some(part) = inner.fields().find(|part| matches!(part.kind(), Type::String) && !part.is_list()) else {
                continue;
            };
            let value = |n: usize| {
                get(made[n].get_field(&field).as_message().unwrap(), part.name()).as_str().unwrap().to_owned()
            };
            let equal: Vec<usize> = (0..4).filter(|n| value(*n) == value(0)).collect();
            tests.push((format!("{set} AND {}.{} = \"{}\"", field.name(), part.name(), value(0)), equal));
        }
        for (filter, expected) in tests {
            let listed = suite.list(kind, &[("filter", string(&filter)), ("order_by", string("create_time"))], 3).await;
            let expected: Vec<String> = expected.into_iter().map(|n| text(&made[n], "name")).collect();
            assert_eq!(names(&listed), expected, "{}: {filter}", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_filter_or_an_order_does_not_mean_is_refused() {
    let suite = Suite::start().await;
    let long = format!("display_name = \"{}\"", "x".repeat(4_096));
    let many = vec!["uid != x"; 201].join(" AND ");
    let filters = [
        "nonsense",
        "= \"x\"",
        "display_name",
        "display_name =",
        "display_name = = \"x\"",
        "display_name > \"x*\"",
        "no_such_field = \"x\"",
        "displayName = \"x\"",
        "labels = \"x\"",
        "documents = \"x\"",
        "documents.title != \"x\"",
        "documents : \"x\"",
        "create_time = \"2020-01-01T00:00:00\"",
        "display_name.x = \"x\"",
        "revision = \"many\"",
        "display_name = \"x\" OR",
        "OR display_name = \"x\"",
        "NOT NOT display_name = \"x\"",
        "- display_name = \"x\"",
        "(display_name = \"x\"",
        "display_name = \"x\")",
        "display_name = \"x\" display_name",
        "display_name = AND",
        "nothing(\"x\")",
        "display_name = \"x\" AND",
        "AND",
        "AND display_name = \"x\"",
        "display_name = \"not closed",
        "display_name = \"a bad \\n escape\"",
        "display_name = \"x\"; drop",
        "\"display_name\" = \"x\"",
        "display_name = \"x\"\0",
        &long,
        &many,
    ];
    for kind in &suite.kinds {
        for filter in filters {
            let told = refused(suite.page(kind, &[("filter", string(filter))], 1, "").await);
            assert_eq!((told.code, told.reason.as_str()), (Code::InvalidArgument, "INVALID_FIELDS"), "{filter:?}");
            assert!(told.names("filter"), "{} {filter:?}: {told:?}", kind.name());
        }
        for order in [
            "nothing",
            "name up",
            "name desc desc",
            "name, name desc",
            "-name",
            "NAME",
            "labels",
            "documents",
            "name,",
            "name DESC",
        ] {
            let told = refused(suite.page(kind, &[("order_by", string(order))], 1, "").await);
            assert!(
                told.code == Code::InvalidArgument && told.names("order_by"),
                "{} {order:?}: {told:?}",
                kind.name()
            );
        }
        let told = refused(suite.page(kind, &[], -1, "").await);
        assert!(told.code == Code::InvalidArgument && told.names("page_size"), "{}: {told:?}", kind.name());
    }
}
