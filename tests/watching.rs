//! Watch: every commit, whole, once and in order, from wherever the watcher wants; and nobody is harmed by one who is
//! slow.

#![allow(clippy::wildcard_enum_match_arm, reason = "what a test did not expect fails it")]

use std::collections::BTreeMap;
use std::time::Duration;

use partnership_registry::Kind as _;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::watch_request::Start;
use partnership_registry::v1::watch_response::Event;
use partnership_registry::v1::*;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tonic::transport::Channel;
use tonic::{Code, Streaming};

use crate::harness::{Server, Settings, refused, within};
use crate::service::{commit, commits_after, country, create, delete, undelete, update};

type Registry = RegistryServiceClient<Channel>;

async fn watch(registry: &mut Registry, start: Start, collections: &[&str], filter: &str) -> Streaming<WatchResponse> {
    let collections = collections.iter().map(|one| (*one).to_owned()).collect();
    let request = WatchRequest { start: Some(start), collections, filter: filter.to_owned() };
    registry.watch(request).await.unwrap().into_inner()
}

async fn next(stream: &mut Streaming<WatchResponse>) -> Event {
    within(stream.message()).await.unwrap().expect("a watch does not end by itself").event.unwrap()
}

/// The next commit: heartbeats are passed over.
async fn next_commit(stream: &mut Streaming<WatchResponse>) -> WatchedCommit {
    loop {
        match next(stream).await {
            Event::Commit(commit) => return commit,
            Event::Heartbeat(_) => {}
            other => panic!("not a commit: {other:?}"),
        }
    }
}

fn effects(commit: &WatchedCommit) -> Vec<(String, FilterEffect)> {
    let names = commit.commit.as_ref().unwrap().changes.iter().map(|change| change.name.clone());
    names.zip(commit.effects.iter().map(|effect| FilterEffect::try_from(*effect).unwrap())).collect()
}

/// A server with fast heartbeats.
async fn lively() -> Server {
    let mut settings = Settings::default();
    settings.config.serving.heartbeat_every = Duration::from_millis(50);
    Server::start_with(settings).await
}

/// The seed of this run; set `PARTNERSHIP_TEST_SEED` to run with it again.
fn seeded() -> StdRng {
    let seed = std::env::var("PARTNERSHIP_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("PARTNERSHIP_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// Writers that make random commits, some of several resources, until they are dropped.
struct Writers(Vec<tokio::task::JoinHandle<()>>);

impl Writers {
    async fn start(server: &Server, count: usize, dice: &mut StdRng) -> Self {
        let mut writers = Vec::new();
        for writer in 0..count {
            let mut registry = server.registry().await;
            let mut dice = StdRng::seed_from_u64(dice.random());
            writers.push(tokio::spawn(async move {
                loop {
                    let mut mutations = Vec::new();
                    for n in 0..dice.random_range(1..4) {
                        let id = format!("w{writer}-{n}-{}", dice.random_range(0..6));
                        let labels = [("colour".to_owned(), ["red", "blue"][dice.random_range(0..2)].to_owned())];
                        let resource = Country {
                            labels: labels.into(),
                            capital: dice.random::<u32>().to_string(),
                            ..country(&id)
                        };
                        mutations.push(match dice.random_range(0..5) {
                            0 => delete(&resource.name),
                            1 => undelete(&resource.name),
                            2 | 3 => update(resource, &["capital", "labels"]),
                            _ => create(resource),
                        });
                    }
                    // Many are refused, such as of what is not there: only whole commits are to be seen.
                    let _ = commit(&mut registry, mutations).await;
                }
            }));
        }
        Self(writers)
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// Commits without what came before: as `ListCommits` tells them.
fn without_before(commit: Commit) -> Commit {
    let changes = commit.changes.into_iter().map(|change| Change { before: None, ..change }).collect();
    Commit { changes, ..commit }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_from_now_tells_of_what_comes_and_of_nothing_before() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    commit(&mut registry, vec![create(country("before"))]).await.unwrap();
    let mut stream = watch(&mut registry.clone(), Start::Now(true), &[], "").await;
    for n in 0..20 {
        let mut request = tonic::Request::new(CommitRequest {
            mutations: vec![create(country(&format!("c{n}")))],
            reason: format!("reason {n}"),
            ..CommitRequest::default()
        });
        request.metadata_mut().insert("partnership-actor", "clerk".parse().unwrap());
        let made = registry.commit(request).await.unwrap().into_inner();
        let told = next_commit(&mut stream).await.commit.unwrap();
        assert_eq!((told.revision, told.commit_time), (made.revision, made.commit_time));
        assert_eq!((told.actor.as_str(), told.reason), ("clerk", format!("reason {n}")));
        assert_eq!(told.changes[0].name, format!("countries/c{n}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_after_a_revision_tells_whole_commits_with_before_and_after() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    commit(&mut registry, vec![create(country("a")), create(country("b"))]).await.unwrap();
    commit(
        &mut registry,
        vec![update(Country { capital: "A".into(), ..country("a") }, &["capital"]), delete("countries/b")],
    )
    .await
    .unwrap();
    commit(&mut registry, vec![undelete("countries/b")]).await.unwrap();
    let listed = commits_after(&mut registry, 0).await;
    for after in 0..=3 {
        let mut stream = watch(&mut registry, Start::AfterRevision(after), &[], "").await;
        for revision in after + 1..=3 {
            let told = next_commit(&mut stream).await.commit.unwrap();
            assert_eq!(without_before(told.clone()), listed[revision as usize - 1], "with its hashes and all");
            for change in &told.changes {
                assert_eq!(change.before.is_none(), change.action() == ChangeAction::Create, "{change:?}");
                let revision = |resource: &Option<Resource>| {
                    resource.clone().map_or(0, |one| Country::from_resource(one).unwrap().revision)
                };
                assert_eq!(revision(&change.before), change.previous_revision);
                assert_eq!(revision(&change.after), told.revision);
            }
        }
    }
    let mut stream = watch(&mut registry, Start::AfterRevision(1), &[], "").await;
    let changes = next_commit(&mut stream).await.commit.unwrap().changes;
    let capital = |resource: &Option<Resource>| Country::from_resource(resource.clone().unwrap()).unwrap().capital;
    assert_eq!((capital(&changes[0].before), capital(&changes[0].after)), (String::new(), "A".into()));
    let deleted = Country::from_resource(changes[1].after.clone().unwrap()).unwrap();
    assert!(deleted.delete_time.is_some(), "a deleted resource is there, with its time");
}

#[tokio::test(flavor = "multi_thread")]
async fn initial_state_and_what_follows_add_up_to_the_state() {
    let server = Server::start().await;
    let mut dice = seeded();
    let mut registry = server.registry().await;
    let seeds = (0..300).map(|n| create(country(&format!("c{n:03}")))).collect();
    commit(&mut registry, seeds).await.unwrap();
    commit(&mut registry, vec![delete("countries/c007")]).await.unwrap();
    let writers = Writers::start(&server, 3, &mut dice).await;
    let mut folds = Vec::new();
    for _ in 0..4 {
        let mut stream = watch(&mut registry, Start::InitialState(true), &[], "").await;
        let (mut state, mut synced) = (BTreeMap::new(), None);
        let until_revision = loop {
            match next(&mut stream).await {
                Event::Resource(told) => {
                    assert_eq!(synced, None, "resources come before the mark");
                    let resource = told.resource.unwrap();
                    assert_eq!(state.insert(resource.name().to_owned(), resource), None, "each resource once");
                }
                Event::Synced(mark) => {
                    assert_eq!(synced.replace(mark.revision), None, "the mark comes once");
                    assert!(state.len() >= 299 && !state.contains_key("countries/c007"), "live ones only");
                }
                Event::Commit(told) => {
                    let told = told.commit.unwrap();
                    assert!(synced.is_some_and(|mark| told.revision > mark), "commits come after the mark");
                    for change in told.changes {
                        match change.action() {
                            ChangeAction::Delete => drop(state.remove(&change.name)),
                            _ => drop(state.insert(change.name, change.after.unwrap())),
                        }
                    }
                    if told.revision > synced.unwrap() + 40 {
                        break told.revision;
                    }
                }
                Event::Heartbeat(_) => {}
            }
        };
        folds.push((until_revision, state));
    }
    drop(writers);
    for (read_revision, state) in folds {
        let request = ExportRequest { read_revision, ..ExportRequest::default() };
        let mut stream = registry.export(request).await.unwrap().into_inner();
        let mut exported = BTreeMap::new();
        while let Some(message) = stream.message().await.unwrap() {
            exported.extend(message.resources.into_iter().map(|one| (one.name().to_owned(), one)));
        }
        assert_eq!(state, exported, "at revision {read_revision}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_tells_what_entered_stayed_and_left() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    let coloured = |id: &str, colour: &str| {
        let labels = [("colour".to_owned(), colour.to_owned())];
        Country { labels: labels.into(), ..country(id) }
    };
    let paint = |id: &str, colour: &str| update(coloured(id, colour), &["labels"]);
    let rename = |id: &str| update(Country { display_name: "renamed".into(), ..country(id) }, &["display_name"]);
    let settle = |id: &str| update(Country { capital: "x".into(), ..country(id) }, &["capital"]);
    let area = FocusArea { name: "focusAreas/a".into(), display_name: "A".into(), ..FocusArea::default() };
    use FilterEffect::{Entered, Left, Stayed};
    type Line<'a> = (&'a str, Vec<Mutation>, Vec<(&'a str, FilterEffect)>);
    let table: Vec<Line<'_>> = vec![
        ("created red", vec![create(coloured("a", "red"))], vec![("a", Entered)]),
        ("created blue", vec![create(coloured("b", "blue"))], vec![]),
        ("both renamed", vec![rename("a"), rename("b")], vec![("a", Stayed)]),
        ("a change of colours", vec![paint("a", "blue"), paint("b", "red")], vec![("a", Left), ("b", Entered)]),
        ("the blue one changed", vec![settle("a")], vec![]),
        ("the red one deleted", vec![delete("countries/b")], vec![("b", Left)]),
        ("the blue one deleted", vec![delete("countries/a")], vec![]),
        ("the red one back", vec![undelete("countries/b")], vec![("b", Entered)]),
        ("another kind", vec![create(area)], vec![]),
        (
            "a mixed commit",
            vec![create(coloured("c", "blue")), settle("b"), create(coloured("d", "red"))],
            vec![("b", Stayed), ("d", Entered)],
        ),
    ];
    let mut stream = watch(&mut registry, Start::Now(true), &["countries"], "labels.colour = \"red\"").await;
    let mut expected = Vec::new();
    for (what, mutations, effects) in table {
        let made = commit(&mut registry, mutations).await.unwrap();
        assert!(made.commit_time.is_some(), "{what}: something changes");
        if !effects.is_empty() {
            let effects: Vec<_> = effects.into_iter().map(|(id, effect)| (format!("countries/{id}"), effect)).collect();
            expected.push((what, made.revision, effects));
        }
    }
    for (what, revision, wanted) in &expected {
        let told = next_commit(&mut stream).await;
        assert_eq!((told.commit.as_ref().unwrap().revision, &effects(&told)), (*revision, wanted), "{what}");
    }
    // The past is told by the same rule as the present.
    let mut again = watch(&mut registry, Start::AfterRevision(0), &["countries"], "labels.colour = \"red\"").await;
    for (what, revision, wanted) in &expected {
        let told = next_commit(&mut again).await;
        assert_eq!((told.commit.as_ref().unwrap().revision, &effects(&told)), (*revision, wanted), "{what}, again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_by_a_tree_takes_the_tree_as_it_is_when_a_commit_is_told() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    let area = |id: &str, parent: &str| FocusArea {
        name: format!("focusAreas/{id}"),
        display_name: id.into(),
        parent: parent.into(),
        ..FocusArea::default()
    };
    let concerned = || Country { focus_areas: vec!["focusAreas/ai".into()], ..country("kr") };
    let settle = |capital: &str| update(Country { capital: capital.into(), ..concerned() }, &["capital"]);
    let root = "focusAreas/science";
    let mut stream = watch(&mut registry, Start::Now(true), &["countries"], &format!("under(\"{root}\")")).await;
    commit(&mut registry, vec![create(area("science", "")), create(area("ai", root))]).await.unwrap();
    commit(&mut registry, vec![create(concerned()), create(country("jp"))]).await.unwrap();
    let told = next_commit(&mut stream).await;
    assert_eq!(effects(&told), [("countries/kr".to_owned(), FilterEffect::Entered)]);

    commit(&mut registry, vec![update(area("ai", ""), &["parent"])]).await.unwrap();
    commit(&mut registry, vec![settle("Seoul")]).await.unwrap();
    commit(&mut registry, vec![create(Country { focus_areas: vec![root.into()], ..country("ir") })]).await.unwrap();
    let told = next_commit(&mut stream).await;
    let entered = [("countries/ir".to_owned(), FilterEffect::Entered)];
    assert_eq!(effects(&told), entered, "what is in the tree no more is not told of");

    commit(&mut registry, vec![update(area("ai", root), &["parent"])]).await.unwrap();
    commit(&mut registry, vec![settle("Busan")]).await.unwrap();
    let told = next_commit(&mut stream).await;
    assert_eq!(effects(&told), [("countries/kr".to_owned(), FilterEffect::Stayed)], "it was in the tree as it is now");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_kinds_that_are_wanted_are_told() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    let area =
        |id: &str| FocusArea { name: format!("focusAreas/{id}"), display_name: id.into(), ..FocusArea::default() };
    let organization = |id: &str| Organization {
        name: format!("organizations/{id}"),
        display_name: id.into(),
        ..Organization::default()
    };
    commit(&mut registry, vec![create(country("a")), create(area("a")), create(organization("a"))]).await.unwrap();
    commit(&mut registry, vec![create(country("b"))]).await.unwrap();
    commit(&mut registry, vec![create(organization("b")), create(area("b"))]).await.unwrap();
    let mut stream = watch(&mut registry, Start::AfterRevision(0), &["focusAreas", "organizations"], "").await;
    let mut told = Vec::new();
    for _ in 0..2 {
        let commit = next_commit(&mut stream).await;
        assert!(commit.effects.iter().all(|effect| *effect == i32::from(FilterEffect::Entered)));
        let commit = commit.commit.unwrap();
        told.push((commit.revision, commit.changes.into_iter().map(|change| change.name).collect::<Vec<_>>()));
    }
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    assert_eq!(told[0], (1, names(["focusAreas/a", "organizations/a"])));
    assert_eq!(told[1], (3, names(["organizations/b", "focusAreas/b"])));
    let mut stream = watch(&mut registry, Start::InitialState(true), &["focusAreas"], "").await;
    for name in ["focusAreas/a", "focusAreas/b"] {
        let Event::Resource(told) = next(&mut stream).await else { panic!("not a resource") };
        assert_eq!(told.resource.unwrap().name(), name);
    }
    assert!(matches!(next(&mut stream).await, Event::Synced(Synced { revision: 3 })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_carries_a_revision_to_resume_from() {
    let server = lively().await;
    let mut registry = server.registry().await;
    commit(&mut registry, vec![create(country("a"))]).await.unwrap();
    let mut stream = watch(&mut registry, Start::Now(true), &["focusAreas"], "").await;
    assert!(matches!(next(&mut stream).await, Event::Heartbeat(Heartbeat { revision: 1 })));
    // What is not selected is passed all the same: nobody has to read it again.
    let made = commit(&mut registry, vec![create(country("b"))]).await.unwrap();
    let passed = loop {
        match next(&mut stream).await {
            Event::Heartbeat(Heartbeat { revision }) if revision < made.revision => {}
            Event::Heartbeat(Heartbeat { revision }) => break revision,
            other => panic!("not a heartbeat: {other:?}"),
        }
    };
    assert_eq!(passed, made.revision);
    let mut resumed = watch(&mut registry, Start::AfterRevision(passed), &[], "").await;
    let later = commit(&mut registry, vec![create(country("c"))]).await.unwrap();
    assert_eq!(next_commit(&mut resumed).await.commit.unwrap().revision, later.revision);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_selects_nothing_hears_heartbeats_while_others_write() {
    let server = lively().await;
    let mut registry = server.registry().await;
    let mut stream = watch(&mut registry, Start::Now(true), &["focusAreas"], "").await;
    let writers = Writers::start(&server, 4, &mut seeded()).await;
    let mut revisions = Vec::new();
    for _ in 0..10 {
        match next(&mut stream).await {
            Event::Heartbeat(Heartbeat { revision }) => revisions.push(revision),
            other => panic!("not a heartbeat: {other:?}"),
        }
    }
    drop(writers);
    assert!(revisions.is_sorted() && revisions[9] > revisions[0], "{revisions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_resumed_from_a_revision_misses_nothing_and_repeats_nothing() {
    let server = lively().await;
    let mut dice = seeded();
    let writers = Writers::start(&server, 4, &mut dice).await;
    let mut registry = server.registry().await;
    let mut seen: Vec<Commit> = Vec::new();
    let mut last = 0;
    let mut resumed = 0;
    while seen.len() < 400 {
        // Sometimes on a new connection, always from the last revision that was heard of.
        if dice.random_bool(0.3) {
            registry = server.registry().await;
        }
        let mut stream = watch(&mut registry, Start::AfterRevision(last), &[], "").await;
        resumed += 1;
        for _ in 0..dice.random_range(1..20) {
            match next(&mut stream).await {
                Event::Commit(told) => {
                    let told = told.commit.unwrap();
                    assert_eq!(told.revision, last + 1, "the next one, and no other");
                    last = told.revision;
                    seen.push(told);
                }
                Event::Heartbeat(Heartbeat { revision }) => assert_eq!(revision, last, "there is nothing in between"),
                other => panic!("not a commit: {other:?}"),
            }
        }
    }
    drop(writers);
    assert!(resumed > 10);
    let seen: Vec<Commit> = seen.into_iter().map(without_before).collect();
    let listed = commits_after(&mut registry, 0).await;
    assert_eq!(seen[..], listed[..seen.len()]);
    // A checker that could not see a loss would be worth nothing.
    let mut cut = seen.clone();
    cut.remove(7);
    assert_ne!(cut[..], listed[..cut.len()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_watchers_are_told_the_same_whenever_they_came() {
    let server = Server::start().await;
    let mut dice = seeded();
    let writers = Writers::start(&server, 3, &mut dice).await;
    let mut watchers = Vec::new();
    for n in 0..20 {
        let mut registry = server.registry().await;
        watchers.push(tokio::spawn(async move {
            let mut stream = watch(&mut registry, Start::AfterRevision(0), &[], "").await;
            let mut seen = Vec::new();
            while seen.len() < 150 + n {
                seen.push(next_commit(&mut stream).await);
            }
            seen
        }));
    }
    let mut all = Vec::new();
    for watcher in watchers {
        all.push(within(watcher).await.unwrap());
    }
    drop(writers);
    for seen in &all {
        assert_eq!(seen[..150], all[0][..150]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_watcher_harms_nobody_and_loses_nothing() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    // Far more than all windows and queues between a writer and a watcher hold.
    let text = "x".repeat(19_000);
    let large = |n: usize| Country { description: text.clone(), ..country(&format!("c{n}")) };
    let mut slow_registry = server.registry().await;
    let mut slow = watch(&mut slow_registry, Start::AfterRevision(0), &[], "").await;
    let mut quick = watch(&mut registry, Start::AfterRevision(0), &[], "").await;
    for n in 0..60 {
        let mutations = (0..20).map(|m| create(large(n * 20 + m))).collect();
        let made = within(commit(&mut registry, mutations)).await.unwrap();
        assert_eq!(
            next_commit(&mut quick).await.commit.unwrap().revision,
            made.revision,
            "the quick one is up to date"
        );
    }
    for revision in 1..=60 {
        let told = next_commit(&mut slow).await.commit.unwrap();
        assert_eq!((told.revision, told.changes.len()), (revision, 20), "the slow one misses nothing");
    }
}

#[test]
fn watchers_that_read_nothing_hold_no_thread_that_others_need() {
    let threads = 4;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().max_blocking_threads(threads).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut server = Server::start().await;
        let mut registry = server.registry().await;
        // More than is sent to one who reads nothing, for each of more watchers than there are threads for what blocks.
        let large = |n: usize| Country { description: "x".repeat(19_000), ..country(&format!("c{n}")) };
        for first in [0, 150] {
            commit(&mut registry, (first..first + 150).map(|n| create(large(n))).collect()).await.unwrap();
        }
        let mut unread = Vec::new();
        for _ in 0..2 * threads {
            let mut slow = server.registry().await;
            unread.push(watch(&mut slow, Start::InitialState(true), &[], "").await);
        }
        // A page of commits is read on one of those threads.
        let listed = within(registry.list_commits(ListCommitsRequest::default())).await.unwrap().into_inner();
        assert!(!listed.commits.is_empty());
        server.stop().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_cannot_begin_is_refused_at_once() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    commit(&mut registry, vec![create(country("a"))]).await.unwrap();
    let request = |start, collections: &[&str], filter: &str| WatchRequest {
        start,
        collections: collections.iter().map(|one| (*one).to_owned()).collect(),
        filter: filter.into(),
    };
    let now = Some(Start::Now(true));
    let table = [
        ("no start", request(None, &[], ""), Code::InvalidArgument, "start"),
        ("not now", request(Some(Start::Now(false)), &[], ""), Code::InvalidArgument, "now"),
        ("no state", request(Some(Start::InitialState(false)), &[], ""), Code::InvalidArgument, "initial_state"),
        ("an unknown kind", request(now, &["countries", "ships"], ""), Code::InvalidArgument, "collections[1]"),
        ("a filter of all", request(now, &[], "labels:x"), Code::InvalidArgument, "filter"),
        ("a filter of two", request(now, &["countries", "projects"], "labels:x"), Code::InvalidArgument, "filter"),
        ("a bad filter", request(now, &["countries"], "x >"), Code::InvalidArgument, "filter"),
        ("the future", request(Some(Start::AfterRevision(2)), &[], ""), Code::OutOfRange, ""),
        ("the end of time", request(Some(Start::AfterRevision(u64::MAX)), &[], ""), Code::OutOfRange, ""),
    ];
    for (what, request, code, field) in table {
        let told = refused(registry.watch(request).await);
        assert_eq!(told.code, code, "{what}: {told:?}");
        assert!(field.is_empty() || told.names(field), "{what}: {told:?}");
        if code == Code::OutOfRange {
            assert_eq!((told.reason.as_str(), told.metadata["head"].as_str()), ("REVISION_IN_FUTURE", "1"), "{what}");
        }
    }
}
