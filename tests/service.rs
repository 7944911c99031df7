//! What goes across kinds, and the server as a whole: atomic commits, the chain of commits, export, health, and the
//! end.

use std::time::Duration;

use partnership_registry::Kind as _;
use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::*;
use partnership_registry_server::registry::{Error, ListRequest, Point};
use partnership_registry_server::store;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::harness::commit_of;
use crate::harness::{PATIENCE, Server, Settings, TestClock, connect, refusal, refused, until, within};

type Registry = RegistryServiceClient<Channel>;

pub(crate) fn country(id: &str) -> Country {
    Country { name: format!("countries/{id}"), display_name: id.to_owned(), ..Country::default() }
}

fn organization(id: &str) -> Organization {
    Organization { name: format!("organizations/{id}"), display_name: id.to_owned(), ..Organization::default() }
}

pub(crate) fn create(resource: impl Into<Resource>) -> Mutation {
    let create = CreateMutation { resource: Some(resource.into()) };
    Mutation { operation: Some(mutation::Operation::Create(create)) }
}

pub(crate) fn update(resource: impl Into<Resource>, paths: &[&str]) -> Mutation {
    let update_mask = prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
    let update = UpdateMutation {
        resource: Some(resource.into()),
        update_mask: Some(update_mask),
        allow_missing: false,
        ..UpdateMutation::default()
    };
    Mutation { operation: Some(mutation::Operation::Update(update)) }
}

pub(crate) fn delete(name: &str) -> Mutation {
    let delete = DeleteMutation { name: name.to_owned(), ..DeleteMutation::default() };
    Mutation { operation: Some(mutation::Operation::Delete(delete)) }
}

pub(crate) fn undelete(name: &str) -> Mutation {
    let undelete = UndeleteMutation { name: name.to_owned(), ..UndeleteMutation::default() };
    Mutation { operation: Some(mutation::Operation::Undelete(undelete)) }
}

pub(crate) async fn commit(registry: &mut Registry, mutations: Vec<Mutation>) -> Result<CommitResponse, Status> {
    let request = CommitRequest { mutations, ..CommitRequest::default() };
    registry.commit(request).await.map(tonic::Response::into_inner)
}

/// All commits after a revision.
pub(crate) async fn commits_after(registry: &mut Registry, after_revision: u64) -> Vec<Commit> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListCommitsRequest { page_size: 1_000, page_token, after_revision, ..Default::default() };
        let page = registry.list_commits(request).await.unwrap().into_inner();
        all.extend(page.commits);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

/// The whole export, with its revision.
async fn export(registry: &mut Registry, request: ExportRequest) -> Result<(u64, Vec<Resource>), Status> {
    let mut stream = registry.export(request).await?.into_inner();
    let (mut revision, mut resources) = (None, Vec::new());
    while let Some(message) = stream.message().await? {
        assert_eq!(*revision.get_or_insert(message.revision), message.revision, "one revision in every message");
        resources.extend(message.resources);
    }
    Ok((revision.expect("the first message has the revision"), resources))
}

fn names(resources: &[Resource]) -> Vec<&str> {
    resources.iter().map(Resource::name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_made_whole_whatever_order_its_references_have() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    // Each refers to the other, and to what comes later still.
    let iran = Country {
        lead_organization: "organizations/ministry".into(),
        focus_areas: vec!["focusAreas/governance".into()],
        ..country("ir")
    };
    let ministry = Organization { country: "countries/ir".into(), ..organization("ministry") };
    let area = FocusArea {
        name: "focusAreas/governance".into(),
        display_name: "Governance".into(),
        parent: "focusAreas/policy".into(),
        ..FocusArea::default()
    };
    let parent = FocusArea { name: "focusAreas/policy".into(), display_name: "Policy".into(), ..FocusArea::default() };
    let made = commit(&mut registry, vec![create(iran), create(ministry), create(area), create(parent)]).await.unwrap();
    assert_eq!((made.revision, made.results.len()), (1, 4));
    assert!(
        made.results
            .iter()
            .all(|one| one.revision == 1 && one.action() == ChangeAction::Create && !one.etag.is_empty())
    );
    let all = commits_after(&mut registry, 0).await;
    assert_eq!((all.len(), all[0].changes.len(), all[0].commit_time), (1, 4, made.commit_time));

    // What refers to each other is deleted together; alone, neither can be.
    for name in ["countries/ir", "organizations/ministry"] {
        assert_eq!(refused(commit(&mut registry, vec![delete(name)]).await).reason, "STILL_REFERENCED");
    }
    commit(&mut registry, vec![delete("countries/ir"), delete("organizations/ministry")]).await.unwrap();
    // And comes back together only.
    let error = refused(commit(&mut registry, vec![undelete("countries/ir")]).await);
    assert_eq!((error.code, error.reason.as_str()), (Code::FailedPrecondition, "REFERENCE_NOT_FOUND"));
    commit(&mut registry, vec![undelete("countries/ir"), undelete("organizations/ministry")]).await.unwrap();
    // A deletion and the change that makes it possible go together, in either order.
    let free = Organization { name: "organizations/ministry".into(), ..Organization::default() };
    let freed = update(Country { name: "countries/ir".into(), ..Country::default() }, &["lead_organization"]);
    commit(&mut registry, vec![delete("organizations/ministry"), freed]).await.unwrap();
    assert_eq!(refused(commit(&mut registry, vec![update(free, &["country"])]).await).reason, "DELETED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_with_refused_mutations_writes_nothing_and_reports_them_all() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    commit(&mut registry, vec![create(country("kr")), create(country("de"))]).await.unwrap();
    commit(&mut registry, vec![delete("countries/de")]).await.unwrap();
    let mutations = vec![
        create(country("good")),
        create(Country { display_name: String::new(), region_code: "x".into(), ..country("bad") }),
        create(Organization { country: "countries/nowhere".into(), ..organization("dangling") }),
        delete("countries/missing"),
        create(Country { name: "countries/Bad-Id".into(), ..country("x") }),
        update(Country { capital: "Berlin".into(), ..country("de") }, &["capital"]),
        Mutation { operation: None },
    ];
    // What can be refused without looking at the state comes first, for all mutations.
    let error = refused(commit(&mut registry, mutations.clone()).await);
    assert_eq!((error.code, error.fields.len()), (Code::InvalidArgument, 1), "{error:?}");
    assert!(error.names("mutations[6]"), "{error:?}");

    let error = refused(commit(&mut registry, mutations[..6].to_vec()).await);
    assert_eq!((error.code, error.metadata["mutations"].as_str()), (Code::InvalidArgument, "1,4"), "{error:?}");
    for path in ["display_name", "region_code"] {
        assert!(error.names(&format!("mutations[1].create.resource.country.{path}")), "{path}: {error:?}");
    }
    assert!(error.names("mutations[4].create.resource.country.name"), "{error:?}");

    let by_state = vec![mutations[0].clone(), mutations[2].clone(), mutations[3].clone(), mutations[5].clone()];
    let error = refused(commit(&mut registry, by_state).await);
    assert_eq!(
        (error.code, error.reason.as_str()),
        (Code::FailedPrecondition, "REFERENCE_NOT_FOUND"),
        "the first one's"
    );
    assert_eq!(error.metadata["mutations"], "1,2,3");
    assert!(error.names("mutations[1].create.resource.organization.country"), "{error:?}");
    assert!(error.names("countries/de"), "{error:?}");
    assert_eq!(commits_after(&mut registry, 2).await, [], "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_changes_a_resource_once() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    commit(&mut registry, vec![create(country("kr"))]).await.unwrap();
    let renamed = || update(Country { display_name: "Korea".into(), ..country("kr") }, &["display_name"]);
    for twice in [
        vec![create(country("ir")), create(country("ir"))],
        vec![renamed(), delete("countries/kr")],
        vec![delete("countries/kr"), undelete("countries/kr")],
        vec![renamed(), renamed()],
    ] {
        let error = refused(commit(&mut registry, twice).await);
        assert!(error.code == Code::InvalidArgument && error.names("mutations[1]"), "{error:?}");
    }
    assert_eq!(commits_after(&mut registry, 1).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_made_only_if_its_preconditions_hold() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    let made = commit(&mut registry, vec![create(country("kr")), create(country("de"))]).await.unwrap();
    let gone = commit(&mut registry, vec![delete("countries/de")]).await.unwrap();
    let etag = |of: &CommitResponse, n: usize| precondition::Condition::Etag(of.results[n].etag.clone());
    use precondition::Condition::{Etag, Exists, UnchangedSince};
    let table = [
        ("its etag", "countries/kr", etag(&made, 0), true),
        ("the etag of a deleted one", "countries/de", etag(&gone, 0), true),
        ("an etag of before", "countries/de", etag(&made, 1), false),
        ("any etag of none", "countries/xx", Etag("\"x\"".into()), false),
        ("it exists", "countries/kr", Exists(true), true),
        ("a deleted one exists", "countries/de", Exists(true), false),
        ("none exists", "countries/xx", Exists(true), false),
        ("it does not exist", "countries/kr", Exists(false), false),
        ("a deleted one does not", "countries/de", Exists(false), true),
        ("none does not", "countries/xx", Exists(false), true),
        ("unchanged since it was made", "countries/kr", UnchangedSince(made.revision), true),
        ("unchanged since before", "countries/kr", UnchangedSince(made.revision - 1), false),
        ("unchanged since its deletion", "countries/de", UnchangedSince(gone.revision), true),
        ("unchanged since before its deletion", "countries/de", UnchangedSince(made.revision), false),
        ("unchanged, and never there", "countries/xx", UnchangedSince(0), true),
    ];
    let mut revision = gone.revision;
    for (index, (what, name, condition, holds)) in table.into_iter().enumerate() {
        let good = Precondition { name: "countries/kr".into(), condition: Some(Exists(true)) };
        let tested = Precondition { name: name.into(), condition: Some(condition) };
        for validate_only in [true, false] {
            let answer = registry
                .commit(CommitRequest {
                    mutations: vec![create(country(&format!("c{index}")))],
                    preconditions: vec![good.clone(), tested.clone()],
                    validate_only,
                    ..CommitRequest::default()
                })
                .await;
            if holds {
                revision = answer.unwrap().into_inner().revision.max(revision);
            } else {
                let error = refused(answer);
                assert_eq!((error.code, error.reason.as_str()), (Code::Aborted, "PRECONDITION_FAILED"), "{what}");
                assert!(error.names("preconditions[1]") && error.metadata["name"] == name, "{what}: {error:?}");
            }
        }
    }
    let after = commits_after(&mut registry, gone.revision).await;
    assert_eq!((after.len(), after.last().unwrap().revision), (8, revision), "those that held, once each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_changes_nothing_makes_no_revision() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    commit(&mut registry, vec![create(country("kr")), create(country("de"))]).await.unwrap();
    let same = || update(country("kr"), &["display_name"]);
    let missing = DeleteMutation { name: "countries/xx".into(), allow_missing: true, ..Default::default() };
    let missing = Mutation { operation: Some(mutation::Operation::Delete(missing)) };
    let answer = commit(&mut registry, vec![same(), missing.clone()]).await.unwrap();
    assert_eq!((answer.revision, answer.commit_time), (1, None));
    assert!(answer.results.iter().all(|one| one.action() == ChangeAction::Unchanged));
    assert_eq!((answer.results[0].revision, answer.results[1].revision), (1, 0));
    // Beside a change, what changes nothing stays as it is.
    let answer = commit(&mut registry, vec![same(), delete("countries/de"), missing]).await.unwrap();
    assert_eq!(answer.results.iter().map(|one| one.revision).collect::<Vec<_>>(), [1, 2, 0]);
    assert_eq!(commits_after(&mut registry, 1).await[0].changes.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_are_numbered_without_a_gap_and_chained_by_their_hashes() {
    let mut server = Server::start().await;
    let mut registry = server.registry().await;
    for n in 0..40 {
        let request = CommitRequest {
            mutations: (0..=n % 3).map(|m| create(country(&format!("c{n}-{m}")))).collect(),
            reason: format!("reason {n}"),
            ..CommitRequest::default()
        };
        registry.commit(request).await.unwrap();
    }
    let commits = commits_after(&mut registry, 0).await;
    assert_eq!(commits.iter().map(|one| one.revision).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    let mut parent = vec![0; 32];
    for commit in &commits {
        assert_eq!(commit.parent_hash, parent, "{}", commit.revision);
        parent = commit.hash.clone();
    }
    server.stop().await;
    let records = store::scan_read_only(server.dir()).unwrap().map(Result::unwrap);
    let stored: Vec<_> = records.map(|record| commit_of(&record)).collect();
    assert_eq!(stored, commits);
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_are_listed_both_ways_and_pinned_to_the_head_of_the_first_page() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    for n in 0..23 {
        commit(&mut registry, vec![create(country(&format!("c{n}")))]).await.unwrap();
    }
    for (order_by, after_revision, size) in
        [("", 0, 5), ("revision", 7, 1), ("revision desc", 0, 4), ("revision desc", 20, 50)]
    {
        let head = commits_after(&mut registry, 0).await.len() as u64;
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListCommitsRequest { page_size: size, page_token, after_revision, order_by: order_by.into() };
            let page = registry.list_commits(request).await.unwrap().into_inner();
            assert_eq!(page.revision, head, "{order_by}");
            assert!(page.commits.iter().all(|one| one.changes.iter().all(|change| change.before.is_none())));
            listed.extend(page.commits.iter().map(|one| one.revision));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
            commit(&mut registry, vec![create(country(&format!("{}-{}", head, listed.len())))]).await.unwrap();
        }
        let mut expected: Vec<u64> = (after_revision + 1..=head).collect();
        if order_by.ends_with("desc") {
            expected.reverse();
        }
        assert_eq!(listed, expected, "{order_by:?} after {after_revision}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_grow_even_when_the_clock_stands_still_or_goes_back() {
    let clock = TestClock::at(1_000_000);
    let mut server = Server::start_at(clock.clone()).await;
    let mut registry = server.registry().await;
    let mut n = 0;
    let mut write = async |registry: &mut Registry| {
        for _ in 0..3 {
            n += 1;
            commit(registry, vec![create(country(&format!("c{n}")))]).await.unwrap();
        }
    };
    write(&mut registry).await;
    for seconds in [1_000_000, 999_000, 0, 1_000_001, 1_000_000] {
        clock.set(seconds);
        write(&mut registry).await;
    }
    // Nor does it matter what the clock shows after a restart.
    server.stop().await;
    clock.set(5);
    server.restart_stopped().await;
    let mut registry = server.registry().await;
    write(&mut registry).await;
    clock.set(2_000_000);
    write(&mut registry).await;
    let commits = commits_after(&mut registry, 0).await;
    let times: Vec<_> =
        commits.iter().map(|one| one.commit_time.unwrap()).map(|time| (time.seconds, time.nanos)).collect();
    assert_eq!(times.len(), 24);
    assert!(times.is_sorted_by(|earlier, later| earlier < later), "{times:?}");
    assert_eq!(
        (times[0], times[12], times[21]),
        ((1_000_000, 0), (1_000_001, 0), (2_000_000, 0)),
        "as the clock says, if it can be"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_everything_at_one_revision_kind_by_kind() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    let mut mutations: Vec<Mutation> = (0..300).map(|n| create(country(&format!("c{n:03}")))).collect();
    let long = "x".repeat(9_000);
    mutations.extend(
        (0..60).map(|n| create(Organization { description: long.clone(), ..organization(&format!("o{n:02}")) })),
    );
    mutations.push(create(FocusArea { name: "focusAreas/a".into(), display_name: "A".into(), ..FocusArea::default() }));
    commit(&mut registry, mutations).await.unwrap();
    let gone = commit(&mut registry, vec![delete("countries/c007")]).await.unwrap();

    let (revision, all) = export(&mut registry, ExportRequest::default()).await.unwrap();
    assert_eq!((revision, all.len()), (gone.revision, 360));
    let place = |resource: &Resource| {
        let kinds = ["countries", "focusAreas", "organizations"];
        (kinds.iter().position(|kind| Some(*kind) == resource.collection()), resource.name().to_owned())
    };
    assert!(all.is_sorted_by_key(place), "{:?}", names(&all));

    let with = |request: ExportRequest| request;
    let table = [
        ("deleted ones too", with(ExportRequest { show_deleted: true, ..Default::default() }), 361),
        ("one kind", with(ExportRequest { collections: vec!["organizations".into()], ..Default::default() }), 60),
        (
            "two kinds, one twice",
            with(ExportRequest {
                collections: ["organizations", "focusAreas", "organizations"].map(String::from).into(),
                ..Default::default()
            }),
            61,
        ),
        (
            "a filter",
            with(ExportRequest {
                collections: vec!["countries".into()],
                filter: "display_name = \"c100\"".into(),
                ..Default::default()
            }),
            1,
        ),
        ("before the deletion", with(ExportRequest { read_revision: 1, ..Default::default() }), 361),
        (
            "at the time before the deletion",
            with(ExportRequest {
                read_time: commits_after(&mut registry, 0).await[0].commit_time,
                ..Default::default()
            }),
            361,
        ),
    ];
    for (what, request, count) in table {
        let (_, resources) = export(&mut registry, request).await.unwrap();
        assert_eq!(resources.len(), count, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_beside_writers_is_one_snapshot() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    let mutations = (0..400).map(|n| create(country(&format!("c{n:03}")))).collect();
    commit(&mut registry, mutations).await.unwrap();
    let mut writer = server.registry().await;
    let writing = tokio::spawn(async move {
        for n in 0_u64.. {
            // Two resources that are equal in every revision.
            let text = format!("version {n}");
            let change = |id: &str| update(Country { capital: text.clone(), ..country(id) }, &["capital"]);
            if commit(&mut writer, vec![change("c000"), change("c399")]).await.is_err() {
                return n;
            }
        }
        0
    });
    for _ in 0..12 {
        let (revision, all) = export(&mut registry, ExportRequest::default()).await.unwrap();
        let ends = [&all[0], &all[399]].map(|one| Country::from_resource(one.clone()).unwrap());
        assert_eq!((all.len(), &ends[0].capital), (400, &ends[1].capital));
        assert!(all.iter().all(|one| Country::from_resource(one.clone()).unwrap().revision <= revision));
        let request = ExportRequest { read_revision: revision, ..Default::default() };
        assert_eq!(export(&mut registry, request).await.unwrap().1, all, "the same again");
    }
    writing.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_reported_for_every_service_and_updated() {
    use tonic_health::pb::health_check_response::ServingStatus::{NotServing, Serving};
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let mut settings = Settings::default();
    settings.config.serving.drain_grace = 2 * PATIENCE;
    let mut server = Server::start_with(settings).await;
    let mut health = HealthClient::new(server.channel().await);
    let services: Vec<String> = partnership_registry::descriptors()
        .services()
        .filter(|service| service.parent_file().package_name() == "partnership.registry.v1")
        .map(|service| service.full_name().to_owned())
        .chain([String::new()])
        .collect();
    assert!(services.len() >= 13, "{services:?}");
    let mut watches = Vec::new();
    for service in &services {
        let request = HealthCheckRequest { service: service.clone() };
        assert_eq!(health.check(request.clone()).await.unwrap().into_inner().status(), Serving, "{service}");
        let mut watch = health.watch(request).await.unwrap().into_inner();
        assert_eq!(within(watch.message()).await.unwrap().unwrap().status(), Serving, "{service}");
        watches.push(watch);
    }
    let error = refused(health.check(HealthCheckRequest { service: "nothing".into() }).await);
    assert_eq!(error.code, Code::NotFound);
    let drained = server.drain();
    for watch in &mut watches {
        assert_eq!(within(watch.message()).await.unwrap().unwrap().status(), NotServing);
    }
    // It ends long before its grace period does, though the watches are still open.
    drained.await;
    drop(watches);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_ends_watches_at_once_with_its_reason() {
    let mut settings = Settings::default();
    settings.config.serving.drain_grace = 2 * PATIENCE;
    let mut server = Server::start_with(settings).await;
    let mut registry = server.registry().await;
    commit(&mut registry, (0..200).map(|n| create(country(&format!("c{n}")))).collect()).await.unwrap();
    let mut streams = Vec::new();
    for start in [
        watch_request::Start::Now(true),
        watch_request::Start::AfterRevision(0),
        watch_request::Start::InitialState(true),
    ] {
        let request = WatchRequest { start: Some(start), ..WatchRequest::default() };
        streams.push(server.registry().await.watch(request).await.unwrap().into_inner());
    }
    let drained = server.drain();
    for stream in &mut streams {
        let ended = loop {
            match within(stream.message()).await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("a watch does not end by itself"),
                Err(status) => break refusal(&status),
            }
        };
        assert_eq!((ended.code, ended.reason.as_str(), ended.retry), (Code::Unavailable, "DRAINING", true));
    }
    // It ends long before its grace period does.
    drained.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_ends_although_a_call_does_not() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    let mut settings = Settings::default();
    settings.config.serving.drain_grace = Duration::from_secs(1);
    let mut server = Server::start_with(settings).await;
    // The server waits for a question, and none ever comes.
    let mut reflection = ServerReflectionClient::new(server.channel().await);
    let answers = reflection.server_reflection_info(tokio_stream::pending()).await.unwrap();
    server.drain().await;
    drop(answers);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_the_end_is_there_after_it() {
    let mut server = Server::start().await;
    let registry = server.registry().await;
    let mut writers = Vec::new();
    for writer in 0..8 {
        let mut registry = registry.clone();
        writers.push(tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for n in 0.. {
                match commit(&mut registry, vec![create(country(&format!("w{writer}-{n}")))]).await {
                    Ok(made) => acknowledged.push((made.revision, made.results[0].name.clone())),
                    Err(status) => {
                        // A status with a source is made by the transport: the connection is closed.
                        let gone = std::error::Error::source(&status).is_some();
                        assert!(gone || status.code() == Code::Unavailable, "{status:?}");
                        return acknowledged;
                    }
                }
            }
            acknowledged
        }));
    }
    let mut reader = server.registry().await;
    until("some commits", async || {
        let page = reader.list_commits(ListCommitsRequest { page_size: 1, ..Default::default() }).await.unwrap();
        (page.into_inner().revision >= 100).then_some(())
    })
    .await;
    let address = server.address();
    server.stop().await;
    assert!(tonic::transport::Endpoint::from_shared(address).unwrap().connect().await.is_err(), "the port is closed");
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(within(writer).await.unwrap());
    }
    server.restart_stopped().await;
    let mut registry = RegistryServiceClient::new(connect(&server.address()).await);
    let commits = commits_after(&mut registry, 0).await;
    assert!(acknowledged.len() >= 100);
    for (revision, name) in acknowledged {
        assert_eq!(commits[revision as usize - 1].changes[0].name, name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_read_is_refused_like_any_other() {
    let server = Server::start().await;
    let channel = server.channel().await;
    let call = async |path: &'static str, bytes: &'static [u8]| -> Status {
        let mut grpc = tonic::client::Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let path = tonic::codegen::http::uri::PathAndQuery::from_static(path);
        grpc.unary(tonic::Request::new(bytes), path, Raw).await.unwrap_err()
    };
    let error = refusal(&call("/partnership.registry.v1.CountryService/GetCountry", &[0x0a, 0xff]).await);
    assert_eq!((error.code, error.reason.as_str()), (Code::InvalidArgument, "MESSAGE_MALFORMED"));
    for unknown in ["/partnership.registry.v1.CountryService/BurnCountry", "/partnership.registry.v9.X/Y", "/x"] {
        let error = refusal(&call(unknown, &[]).await);
        assert_eq!((error.code, error.reason.as_str()), (Code::Unimplemented, "UNIMPLEMENTED"), "{unknown}");
    }
}

/// Sends bytes as they are.
struct Raw;

impl tonic::codec::Codec for Raw {
    type Encode = &'static [u8];
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl tonic::codec::Encoder for Raw {
    type Item = &'static [u8];
    type Error = Status;

    fn encode(&mut self, bytes: &'static [u8], buffer: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, bytes);
        Ok(())
    }
}

impl tonic::codec::Decoder for Raw {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut tonic::codec::DecodeBuf<'_>) -> Result<Option<()>, Status> {
        bytes::Buf::advance(buffer, bytes::Buf::remaining(buffer));
        Ok(Some(()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_do_not_take_each_others_tokens_and_etags() {
    let (one, other) = (Server::start().await, Server::start_with(Settings::default()).await);
    let (mut here, mut there) = (one.registry().await, other.registry().await);
    let mut etags = Vec::new();
    for registry in [&mut here, &mut there] {
        let made = commit(registry, vec![create(country("kr"))]).await.unwrap();
        commit(registry, vec![create(country("ir"))]).await.unwrap();
        etags.push(made.results[0].etag.clone());
    }
    assert_ne!(etags[0], etags[1]);
    let stale = update(Country { etag: etags[0].clone(), ..country("kr") }, &["capital"]);
    assert_eq!(refused(commit(&mut there, vec![stale]).await).reason, "ETAG_MISMATCH");
    let request = ListCommitsRequest { page_size: 1, ..Default::default() };
    let page_token = here.list_commits(request.clone()).await.unwrap().into_inner().next_page_token;
    assert!(!page_token.is_empty());
    let error = refused(there.list_commits(ListCommitsRequest { page_token, ..request }).await);
    assert_eq!(error.reason, "PAGE_TOKEN_INVALID");
}

/// sled keeps no large documents: the journal answers for them, also after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn large_resources_are_there_after_a_restart() {
    let mut server = Server::start().await;
    let mut registry = server.registry().await;
    let large = |id: &str, bytes: usize| {
        let mut country = country(id);
        country.annotations = (0..bytes / 16_384).map(|n| (format!("text-{n}"), "𝄞".repeat(4_096 - 5))).collect();
        country
    };
    let sizes = [0, 1, 2, 60];
    let mut made = Vec::new();
    for n in sizes {
        let done = commit(&mut registry, vec![create(large(&format!("of-{n}"), n * 16_384))]).await.unwrap();
        made.push(done.results[0].clone());
    }
    server.restart().await;
    let mut registry = server.registry().await;
    for (before, n) in made.iter().zip(sizes) {
        let mut countries = CountryServiceClient::new(server.channel().await);
        let request = GetCountryRequest { name: before.name.clone(), ..GetCountryRequest::default() };
        let country = countries.get_country(request).await.unwrap().into_inner();
        assert_eq!(country.annotations, large("x", n * 16_384).annotations, "{n}");
        let again = commit(&mut registry, vec![create(large(&format!("of-{n}"), n * 16_384))]).await;
        assert_eq!(refused(again).code, Code::AlreadyExists);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_whose_caller_is_gone_reads_no_further() {
    let mut server = Server::start().await;
    let mut registry = server.registry().await;
    commit(&mut registry, (0..20).map(|n| create(country(&format!("c{n}")))).collect()).await.unwrap();
    server.stop().await;
    let opened = tokio::task::spawn_blocking({
        let dir = server.dir().to_owned();
        move || crate::damage::open(&dir).unwrap()
    });
    let opened = opened.await.unwrap();
    let request = ListRequest::all(opened.kind_by_tag(Country::TAG).unwrap());
    let cancelled = CancellationToken::new();
    let at = opened.indexed_at(Point::Head).await.unwrap();
    assert_eq!(opened.list(&request, at, &mut |_| true, &cancelled).unwrap().documents.len(), 20);
    cancelled.cancel();
    assert!(matches!(opened.list(&request, at, &mut |_| true, &cancelled), Err(Error::Cancelled)));
    opened.close();
}
