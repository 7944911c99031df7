//! Watches of the client crate: they resume by themselves, and those of a kind tell of it without envelopes.

use partnership_registry_client::v1::{ChangeAction, Country, FilterEffect, FocusArea};
use partnership_registry_client::{Code, Registry, TypedCommit, TypedWatch, TypedWatchEvent, WatchEvent};
use tempfile::TempDir;
use tokio::time::timeout;

use super::line::Line;
use super::{area, connect, start};
use crate::harness::process::{DEADLINE, Process};

#[tokio::test]
async fn a_watch_resumes_by_itself_and_delivers_each_commit_once() {
    let data = TempDir::new().unwrap();
    let mut process = Process::start(data.path());
    let line = Line::to(process.address).await;
    let watcher = Registry::builder(line.url()).connect().await.unwrap();
    let mut watch = watcher.watch().after(0).resume_for(DEADLINE).await.unwrap();
    let mut seen = Vec::new();
    let mut written = 0;
    for round in 0..4 {
        let writer = connect(&process).await;
        for number in 0..5 {
            writer.focus_areas().create(area("", &format!("{round} {number}"))).await.unwrap();
            written += 1;
        }
        match round {
            0 => line.cut(),
            1 => {
                process.kill();
                process = Process::start(data.path());
                line.server.send_replace(process.address);
            }
            2 => {
                process.stop();
                process = Process::start(data.path());
                line.server.send_replace(process.address);
            }
            _ => {}
        }
        while seen.len() < written {
            match timeout(DEADLINE, watch.next()).await.expect("it resumes").unwrap().unwrap() {
                WatchEvent::Commit { commit, .. } => seen.push(commit.revision),
                WatchEvent::Heartbeat { .. } | WatchEvent::Lost { .. } | WatchEvent::Resumed => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(seen, (1..=written as u64).collect::<Vec<_>>());
}

/// The next event that is no heartbeat, and not of the connection.
async fn next(watch: &mut TypedWatch<FocusArea>) -> TypedWatchEvent<FocusArea> {
    loop {
        match timeout(DEADLINE, watch.next()).await.expect("there is an event").unwrap().unwrap() {
            TypedWatchEvent::Heartbeat { .. } | TypedWatchEvent::Lost { .. } | TypedWatchEvent::Resumed => {}
            event => return event,
        }
    }
}

async fn next_commit(watch: &mut TypedWatch<FocusArea>) -> TypedCommit<FocusArea> {
    match next(watch).await {
        TypedWatchEvent::Commit(commit) => commit,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_watch_of_a_kind_tells_who_changed_what_and_how_that_stands_to_the_filter() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    let labelled = |area: FocusArea, value: &str| FocusArea { labels: [("a".into(), value.into())].into(), ..area };
    let before = registry.focus_areas().create(labelled(area("", "Before"), "1")).id("before").await.unwrap();
    let mut watch = registry.focus_areas().watch().filter("labels.a = \"1\"").await.unwrap();

    let commit = registry.commit().reason("two of one kind, one of another");
    let korea = Country { name: "countries/kr".into(), display_name: "Korea".into(), ..Country::default() };
    let commit = commit.create(labelled(area("one", "One"), "1")).create(korea).create(area("other", "Other"));
    let made = commit.update(labelled(before.clone(), "2"), ["labels"]).await.unwrap();
    let told = next_commit(&mut watch).await;
    assert_eq!((told.revision, told.commit_time), (made.revision, made.commit_time));
    assert_eq!((told.actor.as_str(), told.reason.as_str()), ("tests", "two of one kind, one of another"));
    let [one, left] = &told.changes[..] else { panic!("{told:?}") };
    assert_eq!((one.action, one.effect), (ChangeAction::Create, FilterEffect::Entered));
    assert_eq!((one.name.as_str(), &one.before), ("focusAreas/one", &None));
    let area = registry.focus_areas().get("one").await.unwrap();
    assert_eq!(one.after, Some(area.clone()));
    assert_eq!((left.action, left.effect), (ChangeAction::Update, FilterEffect::Left));
    assert_eq!(left.before, Some(before));
    assert_eq!(left.after.as_ref().unwrap().labels["a"], "2");

    registry.focus_areas().delete("one").await.unwrap();
    let told = next_commit(&mut watch).await;
    let [deleted] = &told.changes[..] else { panic!("{told:?}") };
    assert_eq!((deleted.action, &deleted.before), (ChangeAction::Delete, &Some(area)));
    assert!(deleted.after.as_ref().unwrap().delete_time.is_some());
}

#[tokio::test]
async fn a_watch_of_a_kind_starts_with_what_there_is_and_resumes_behind_it() {
    let (process, _data) = start();
    let line = Line::to(process.address).await;
    let watcher = Registry::builder(line.url()).connect().await.unwrap();
    let writer = connect(&process).await;
    let made = writer.focus_areas().create(area("", "One")).id("one").await.unwrap();
    let korea = Country { display_name: "Korea".into(), ..Country::default() };
    let other = writer.countries().create(korea).await.unwrap();

    let mut watch = watcher.focus_areas().watch().initial_state().resume_for(DEADLINE).await.unwrap();
    assert_eq!(next(&mut watch).await, TypedWatchEvent::Resource(made));
    assert_eq!(next(&mut watch).await, TypedWatchEvent::Synced { revision: other.revision });
    for round in 1..=3 {
        line.cut();
        let two = writer.commit().create(area("", "Two")).create(area("", "Three")).await.unwrap();
        let told = next_commit(&mut watch).await;
        assert_eq!((told.revision, told.changes.len()), (two.revision, 2), "round {round}");
        // Whoever starts behind this commit gets the next one and not this one.
        let next = writer.focus_areas().create(area("", "Four")).await.unwrap();
        let mut behind = watcher.focus_areas().watch().after(told.revision).await.unwrap();
        assert_eq!(next_commit(&mut behind).await.changes[0].after, Some(next.clone()));
        assert_eq!(next_commit(&mut watch).await.changes[0].after, Some(next));
    }
}

#[tokio::test]
async fn a_watch_that_cannot_start_says_why() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    let refused = registry.focus_areas().watch().filter("colour = red").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    let refused = registry.focus_areas().watch().after(7).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused:?}");
}
