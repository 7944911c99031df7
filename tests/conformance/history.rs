//! ListRevisions and GetRevision: how each resource came to be what it is, who did it, and why.

use prost_reflect::{DynamicMessage, Value};
use tonic::Code;

use super::suite::{Suite, envelope, mask, named, opened};
use crate::harness::dynamic::{get, message, messages, number, set, string, text};
use crate::harness::refused;

fn actions(revisions: &[DynamicMessage]) -> Vec<i32> {
    revisions.iter().map(|one| get(one, "action").as_enum_number().unwrap()).collect()
}

fn changed(revision: &DynamicMessage) -> Vec<String> {
    let mask = get(revision, "changed_fields");
    let paths = get(mask.as_message().unwrap(), "paths");
    paths.as_list().unwrap().iter().map(|path| path.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn history_tells_who_when_why_and_what() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let made = suite.create_all(kind, 0).await;
        let name = text(&made, "name");
        let mut change = message(&kind.message, [("name", string(&name))]);
        set(&mut change, "display_name", string("changed"));
        let fields = [
            (kind.singular.as_str(), Value::Message(change)),
            ("update_mask", mask(kind, &["display_name", "annotations"])),
        ];
        let updated = suite.call_as(&kind.update, fields, "officers/ali", "because of a note: ünïcode").await.unwrap();
        assert_eq!((text(&updated, "creator"), text(&updated, "updater")), ("anonymous".into(), "officers/ali".into()));
        let deleted = suite.call_as(&kind.delete, [("name", string(&name))], "clerk", "tidied up").await.unwrap();
        let back = suite.call_as(&kind.undelete, [("name", string(&name))], "clerk", "too tidy").await.unwrap();
        let versions = [&made, &updated, &deleted, &back];

        let mut revisions = suite.revisions(&name).await;
        revisions.reverse();
        assert_eq!(actions(&revisions), [1, 2, 3, 4], "{}", kind.name());
        let told = [
            ("anonymous", ""),
            ("officers/ali", "because of a note: ünïcode"),
            ("clerk", "tidied up"),
            ("clerk", "too tidy"),
        ];
        for (index, revision) in revisions.iter().enumerate() {
            let what = format!("{} {index}", kind.name());
            assert_eq!(
                (text(revision, "actor"), text(revision, "reason")),
                (told[index].0.into(), told[index].1.into()),
                "{what}"
            );
            assert_eq!(number(revision, "revision"), number(versions[index], "revision"), "{what}");
            assert_eq!(text(revision, "name"), format!("{name}/revisions/{}", number(revision, "revision")), "{what}");
            assert_eq!(get(revision, "create_time"), get(versions[index], "update_time"), "{what}");
            assert_eq!(&opened(kind, &get(revision, "snapshot")), versions[index], "{what}");
            assert_eq!(revision.has_field_by_name("previous_snapshot"), index > 0, "{what}");
            if index > 0 {
                assert_eq!(&opened(kind, &get(revision, "previous_snapshot")), versions[index - 1], "{what}");
            }
            let one =
                suite.call(&suite.across("GetRevision"), [("name", string(text(revision, "name")))]).await.unwrap();
            assert_eq!(&one, revision, "{what}: one by one as in the list");
        }
        let settable: Vec<String> = kind.settable().iter().map(|field| field.name().to_owned()).collect();
        let mut whole = changed(&revisions[0]);
        whole.sort();
        let mut all = settable.clone();
        all.sort();
        assert_eq!(whole, all, "{}: a creation changes all that it sets", kind.name());
        assert_eq!(changed(&revisions[1]), ["display_name", "annotations"], "{}", kind.name());
        assert_eq!(changed(&revisions[2]), [""; 0], "{}: a deletion changes what the server writes", kind.name());
        assert_eq!(changed(&revisions[3]), [""; 0], "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_paged_without_gaps() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let name = text(&suite.create_least(kind, 0).await, "name");
        // The registry may still be busy with the last of them when their history is read.
        for n in 0..11 {
            suite.rename(kind, &name, &format!("name {n}")).await;
        }
        let method = suite.across("ListRevisions");
        for size in [1, 5, 12] {
            let (mut seen, mut token) = (Vec::new(), String::new());
            loop {
                let fields =
                    [("parent", string(&name)), ("page_size", Value::I32(size)), ("page_token", string(&token))];
                let page = suite.call(&method, fields).await.unwrap();
                seen.extend(messages(&page, "revisions"));
                assert!(seen.len() < 100, "{} {size}: it goes on", kind.name());
                token = text(&page, "next_page_token");
                if token.is_empty() {
                    break;
                }
                // What comes later is newer than the first page, and does not move the others.
                suite.rename(kind, &name, &format!("size {size}, page {}", seen.len())).await;
            }
            let revisions: Vec<u64> = seen.iter().map(|one| number(one, "revision")).collect();
            assert!(revisions.is_sorted_by(|newer, older| newer > older), "{} {size}: {revisions:?}", kind.name());
            for pair in seen.windows(2) {
                assert_eq!(
                    get(&pair[0], "previous_snapshot"),
                    get(&pair[1], "snapshot"),
                    "{} {size}: no version is skipped",
                    kind.name()
                );
            }
            assert_eq!(actions(&seen).last(), Some(&1), "{}: down to the creation", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_history_is_not_found() {
    let suite = Suite::start().await;
    let (list, one) = (suite.across("ListRevisions"), suite.across("GetRevision"));
    for kind in &suite.kinds {
        let made = suite.create_least(kind, 0).await;
        let (name, revision) = (text(&made, "name"), number(&made, "revision"));
        let missing = format!("{}/{}", kind.collection, suite.id());
        assert_eq!(refused(suite.call(&list, [("parent", string(&missing))]).await).code, Code::NotFound);
        for bad in ["", "x", &format!("{name}/revisions/1")] {
            let told = refused(suite.call(&list, [("parent", string(bad))]).await);
            assert!(told.code == Code::InvalidArgument && told.names("parent"), "{bad}: {told:?}");
        }
        let ask = |name: String| suite.call(&one, [("name", string(name))]);
        for (name, reason) in [
            (format!("{missing}/revisions/{revision}"), "NOT_FOUND"),
            (format!("{name}/revisions/{}", revision - 1), "REVISION_NOT_FOUND"),
            (format!("{name}/revisions/0"), "REVISION_NOT_FOUND"),
            (format!("{name}/revisions/{}", u64::MAX), "REVISION_NOT_FOUND"),
        ] {
            let told = refused(ask(name.clone()).await);
            assert_eq!((told.code, told.reason.as_str()), (Code::NotFound, reason), "{name}");
        }
        let bad = [
            "",
            "/revisions/",
            "/revisions/x",
            "/revisions/-1",
            "/revisions/1/2",
            "/revisions/18446744073709551616",
            "/revisions/+1",
            "/revisions/01",
        ];
        for name in bad.map(|tail| format!("{name}{tail}")) {
            let told = refused(ask(name.clone()).await);
            assert!(told.code == Code::InvalidArgument && told.names("name"), "{name}: {told:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_writes_the_history_of_every_resource_in_it() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let other = suite.other(kind);
        let (kept, gone) = (suite.create_least(kind, 0).await, suite.create_least(other, 0).await);
        let name = format!("{}/{}", kind.collection, suite.id());
        let resource = suite.sampler.resource(kind, super::sample::Fill::All, 0);
        let mut renamed = kept.clone();
        set(&mut renamed, "display_name", string("renamed"));
        let answer = suite
            .call(
                &suite.across("Commit"),
                [
                    ("reason", string("all at once")),
                    (
                        "mutations",
                        Value::List(vec![
                            suite.creation(kind, &name, resource.clone()),
                            suite.mutation("update", [("resource", envelope(kind, renamed))]),
                            suite.mutation(
                                "delete",
                                [("name", string(text(&gone, "name"))), ("etag", string(text(&gone, "etag")))],
                            ),
                        ]),
                    ),
                ],
            )
            .await
            .unwrap();
        let revision = number(&answer, "revision");
        let results = messages(&answer, "results");
        for ((kind, name), result) in
            [(kind, name.clone()), (kind, text(&kept, "name")), (other, text(&gone, "name"))].into_iter().zip(&results)
        {
            let now = suite.get(kind, &name).await.unwrap();
            assert_eq!((text(result, "name"), text(result, "etag")), (name.clone(), text(&now, "etag")));
            assert_eq!((number(result, "revision"), number(&now, "revision")), (revision, revision));
            let newest = suite.revisions(&name).await.swap_remove(0);
            assert_eq!((number(&newest, "revision"), text(&newest, "reason")), (revision, "all at once".into()));
            assert_eq!(get(&newest, "action"), get(result, "action"));
        }
        let made = suite.get(kind, &name).await.unwrap();
        assert_eq!(super::suite::body(kind, &made), resource);
        assert_eq!(text(&made, "name"), text(&named(resource, &name), "name"));
    }
}
