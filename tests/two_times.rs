//! Two times: how an agreement stood on a day, as it was known at a revision; and the settled day, which is meant where no
//! day is asked for.

use partnership_registry::v1::agreement_service_client::AgreementServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::watch_request::Start;
use partnership_registry::v1::watch_response::Event;
use partnership_registry::v1::*;
use prost_types::FieldMask;
use tonic::Code;
use tonic::transport::Channel;

use crate::harness::process::Process;
use crate::harness::{Server, TestClock, refused, within};
use crate::service::{commit, commits_after, country, create, update};

type Agreements = AgreementServiceClient<Channel>;

const NAME: &str = "agreements/x";
const DAY: i64 = 86_400;
/// 2000-01-01T12:00:00Z.
const NOON: i64 = 946_728_000;

fn day(text: &str) -> Option<PartialDate> {
    Some(text.parse().unwrap())
}

fn event(r#type: AgreementEventType, date: &str) -> AgreementEvent {
    let ground = match r#type {
        AgreementEventType::Termination => AgreementTerminationGround::NotRecorded,
        _ => AgreementTerminationGround::Unspecified,
    };
    AgreementEvent { r#type: r#type.into(), act_date: day(date), ground: ground.into(), ..AgreementEvent::default() }
}

/// In force from the second day of the year 2000 on, for twenty days.
fn agreement() -> Agreement {
    let party = |id: &str| AgreementParty {
        party_id: id.into(),
        country: format!("countries/{id}"),
        ..AgreementParty::default()
    };
    Agreement {
        name: NAME.into(),
        display_name: "X".into(),
        parties: vec![party("kr"), party("ir")],
        events: vec![
            event(AgreementEventType::Signature, "1999-06-01"),
            event(AgreementEventType::EntryIntoForce, "2000-01-02"),
            event(AgreementEventType::Termination, "2000-01-22"),
        ],
        ..Agreement::default()
    }
}

fn with_parties() -> Vec<Mutation> {
    vec![create(country("kr")), create(country("ir")), create(agreement())]
}

fn get() -> GetAgreementRequest {
    GetAgreementRequest { name: NAME.into(), ..GetAgreementRequest::default() }
}

async fn read(agreements: &mut Agreements, request: GetAgreementRequest) -> Agreement {
    within(agreements.get_agreement(request)).await.unwrap().into_inner()
}

/// The state on the settled day, the state on the day that was asked for, and that day.
fn told(agreement: &Agreement) -> (AgreementState, AgreementState, String) {
    let status = agreement.status.as_ref().unwrap();
    (agreement.state(), status.state(), status.valid_date.as_ref().unwrap().to_string())
}

/// How the agreement stands on some days, which is not as it should be.
async fn wrong_on_days(agreements: &mut Agreements) -> Vec<String> {
    use AgreementState::{Draft, InForce, Signed, Terminated};
    let table = [
        ("1999-05-31", Draft),
        ("1999-06-01", Signed),
        ("2000-01-01", Signed),
        ("2000-01-02", InForce),
        ("2000-01-21", InForce),
        ("2000-01-22", Terminated),
        ("9999-12-31", Terminated),
        ("0001-01-01", Draft),
    ];
    let mut wrong = Vec::new();
    for (date, state) in table {
        let read = read(agreements, GetAgreementRequest { valid_date: day(date), ..get() }).await;
        let status = read.status.unwrap_or_default();
        let in_force = if state == InForce { Truth::True } else { Truth::False };
        let parties: Vec<_> = status.parties.iter().map(|party| (party.party_id.as_str(), party.in_force())).collect();
        if (status.state(), status.in_force(), status.valid_date.clone()) != (state, in_force, day(date))
            || parties != [("kr", in_force), ("ir", in_force)]
        {
            wrong.push(format!("{date}: {status:?}"));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_is_read_as_it_stood_on_any_day() {
    let server = Server::start().await;
    commit(&mut server.registry().await, with_parties()).await.unwrap();
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    assert_eq!(wrong_on_days(&mut agreements).await, [""; 0]);

    let names = vec![NAME.to_owned()];
    let batch = BatchGetAgreementsRequest { names, valid_date: day("2000-01-02"), ..Default::default() };
    let batch = within(agreements.batch_get_agreements(batch)).await.unwrap().into_inner();
    assert_eq!(told(&batch.agreements[0]).1, AgreementState::InForce);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_every_day_for_the_settled_one_is_caught() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), |command| {
        command.env("PARTNERSHIP_TEST_FAULTS", "valid-date-ignored");
    });
    commit(&mut RegistryServiceClient::new(server.channel().await), with_parties()).await.unwrap();
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    assert!(!wrong_on_days(&mut agreements).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_day_the_settled_day_of_the_revision_is_meant() {
    use AgreementState::{InForce, Signed, Terminated};
    let clock = TestClock::at(NOON);
    let server = Server::start_at(clock.clone()).await;
    let mut registry = server.registry().await;
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    let made = commit(&mut registry, with_parties()).await.unwrap().revision;
    let at = |read_revision| GetAgreementRequest { read_revision, ..get() };
    let first = (Signed, Signed, "2000-01-01".to_owned());
    assert_eq!(told(&read(&mut agreements, get()).await), first);

    clock.set(NOON + DAY);
    assert_eq!(told(&read(&mut agreements, get()).await), first, "the clock alone lets no time pass");
    let next = commit(&mut registry, vec![create(country("fr"))]).await.unwrap().revision;
    let second = (InForce, InForce, "2000-01-02".to_owned());
    assert_eq!(told(&read(&mut agreements, get()).await), second);
    assert_eq!(told(&read(&mut agreements, at(made)).await), first, "as it was then");
    assert_eq!(told(&read(&mut agreements, at(next)).await), second);
    let on_a_day = GetAgreementRequest { valid_date: day("2000-01-22"), ..at(made) };
    let expected = (Signed, Terminated, "2000-01-22".to_owned());
    assert_eq!(told(&read(&mut agreements, on_a_day).await), expected, "two times at once");

    // A clock that goes back lets no day come again.
    clock.set(NOON - 5 * DAY);
    commit(&mut registry, vec![create(country("de"))]).await.unwrap();
    assert_eq!(told(&read(&mut agreements, get()).await), second);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_now_does_not_change_what_was_known_then() {
    use AgreementState::{InForce, Terminated};
    let server = Server::start().await;
    let mut registry = server.registry().await;
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    let then = commit(&mut registry, with_parties()).await.unwrap().revision;
    let void = VoidEventMutation {
        name: NAME.into(),
        event_id: "e3".into(),
        reason: "it was another agreement".into(),
        ..VoidEventMutation::default()
    };
    let void = Mutation { operation: Some(mutation::Operation::VoidEvent(void)) };
    let voided = commit(&mut registry, vec![void]).await.unwrap();
    let asked = |read_revision| GetAgreementRequest { read_revision, valid_date: day("2000-01-22"), ..get() };
    assert_eq!(told(&read(&mut agreements, asked(0)).await).1, InForce);
    assert_eq!(told(&read(&mut agreements, asked(then)).await).1, Terminated);
    let read_time = voided.commit_time;
    let at_time = GetAgreementRequest { read_time, valid_date: day("2000-01-22"), ..get() };
    assert_eq!(told(&read(&mut agreements, at_time).await).1, InForce);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_watches_and_history_tell_how_it_stands_and_exports_do_not() {
    use AgreementState::{InForce, Signed};
    let clock = TestClock::at(NOON);
    let server = Server::start_at(clock.clone()).await;
    let mut registry = server.registry().await;
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    commit(&mut registry, vec![create(country("kr")), create(country("ir"))]).await.unwrap();
    let request = |validate_only| CreateAgreementRequest {
        agreement_id: "x".into(),
        agreement: Some(agreement()),
        validate_only,
        ..CreateAgreementRequest::default()
    };
    let tried = within(agreements.create_agreement(request(true))).await.unwrap().into_inner();
    let made = within(agreements.create_agreement(request(false))).await.unwrap().into_inner();
    assert_eq!(told(&tried), (Signed, Signed, "2000-01-01".to_owned()));
    assert_eq!(told(&made), told(&tried));
    assert_eq!(made, read(&mut agreements, get()).await);

    clock.set(NOON + DAY);
    let renamed = Agreement { display_name: "Y".into(), ..agreement() };
    let written = commit(&mut registry, vec![update(renamed, &["display_name"])]).await.unwrap().revision;

    let start = WatchRequest { start: Some(Start::AfterRevision(written - 1)), ..WatchRequest::default() };
    let mut watch = within(registry.watch(start)).await.unwrap().into_inner();
    let watched = within(watch.message()).await.unwrap().unwrap();
    let Some(Event::Commit(WatchedCommit { commit: Some(watched), .. })) = watched.event else { panic!("{watched:?}") };
    let state = |resource: &Option<Resource>| match resource.clone().unwrap().kind.unwrap() {
        resource::Kind::Agreement(agreement) => told(&agreement),
        other => panic!("{other:?}"),
    };
    let (before, after) = ((Signed, Signed, "2000-01-01".to_owned()), (InForce, InForce, "2000-01-02".to_owned()));
    assert_eq!((state(&watched.changes[0].before), state(&watched.changes[0].after)), (before.clone(), after.clone()));
    let listed = commits_after(&mut registry, written - 1).await;
    assert_eq!(state(&listed[0].changes[0].after), after);
    let name = format!("{NAME}/revisions/{written}");
    let revision = within(registry.get_revision(GetRevisionRequest { name })).await.unwrap().into_inner();
    assert_eq!((state(&revision.previous_snapshot), state(&revision.snapshot)), (before, after.clone()));
    assert_eq!(revision.changed_fields.unwrap().paths, ["display_name"], "what follows from days is no change of it");

    let initial = WatchRequest {
        start: Some(Start::InitialState(true)),
        collections: vec!["agreements".into()],
        ..WatchRequest::default()
    };
    let mut watch = within(registry.watch(initial)).await.unwrap().into_inner();
    let first = within(watch.message()).await.unwrap().unwrap();
    let Some(Event::Resource(WatchedResource { resource })) = first.event else { panic!("{first:?}") };
    assert_eq!(state(&resource), after);

    let export = ExportRequest { collections: vec!["agreements".into()], ..ExportRequest::default() };
    let mut export = within(registry.export(export)).await.unwrap().into_inner();
    let mut exported = Vec::new();
    while let Some(chunk) = within(export.message()).await.unwrap() {
        exported.extend(chunk.resources);
    }
    let Some(resource::Kind::Agreement(exported)) = exported[0].kind.clone() else { panic!("{exported:?}") };
    assert_eq!((exported.state, exported.status), (0, None), "an export is the same on any day");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_computed_can_be_read_in_parts_and_sent_back_but_not_changed() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    commit(&mut registry, with_parties()).await.unwrap();
    let mask = |paths: &[&str]| Some(FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() });

    let part = read(&mut agreements, GetAgreementRequest { read_mask: mask(&["status.in_force"]), ..get() }).await;
    let in_force = AgreementStatus { in_force: Truth::False.into(), ..AgreementStatus::default() };
    assert_eq!(part, Agreement { status: Some(in_force), ..Agreement::default() });
    let part = read(&mut agreements, GetAgreementRequest { read_mask: mask(&["display_name"]), ..get() }).await;
    assert_eq!(part, Agreement { display_name: "X".into(), ..Agreement::default() });

    let list = ListAgreementsRequest::default();
    let listed = within(agreements.list_agreements(list.clone())).await.unwrap().into_inner();
    let status = listed.agreements[0].status.clone().unwrap();
    assert_eq!(
        (status.state(), status.parties.len()),
        (AgreementState::Terminated, 0),
        "a list leaves the parties out"
    );
    let list = ListAgreementsRequest { read_mask: mask(&["name", "status.parties"]), ..list };
    let listed = within(agreements.list_agreements(list)).await.unwrap().into_inner();
    assert_eq!(listed.agreements[0].status.clone().unwrap().parties.len(), 2, "unless its mask asks for them");

    let whole = read(&mut agreements, get()).await;
    for paths in [&[][..], &["*"], &["state", "status", "display_name"]] {
        let update = update(whole.clone(), paths);
        let result = commit(&mut registry, vec![update]).await.unwrap().results.remove(0);
        assert_eq!((result.action(), result.findings.len()), (ChangeAction::Unchanged, 0), "{paths:?}: {result:?}");
    }
    let mut other = whole.clone();
    other.set_state(AgreementState::InForce);
    let refusal = refused(commit(&mut registry, vec![update(other.clone(), &["state"])]).await);
    assert_eq!(refusal.code, Code::InvalidArgument, "{refusal:?}");
    assert!(refusal.message.contains("state: is output only"), "{refusal:?}");
    let result = commit(&mut registry, vec![update(other, &["*"])]).await.unwrap().results.remove(0);
    assert_eq!(result.action(), ChangeAction::Unchanged);
    let ignored: Vec<_> = result.findings.iter().map(|finding| (finding.code(), finding.field.as_str())).collect();
    assert_eq!(ignored, [(FindingCode::OutputOnlyIgnored, "state")], "and it is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_day_to_ask_about_is_refused() {
    let server = Server::start().await;
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    let made = commit(&mut server.registry().await, with_parties()).await.unwrap();
    for date in ["1990", "1990-01", "1990-01-01~", "1990-01-01?", "unknown", "\"1990\""] {
        let request = GetAgreementRequest { valid_date: day(date), ..get() };
        let refusal = refused(within(agreements.get_agreement(request)).await);
        assert_eq!((refusal.code, refusal.fields[0].0.as_str()), (Code::InvalidArgument, "valid_date"), "{date}");
    }
    let if_none_match = made.results[2].etag.clone();
    let request = GetAgreementRequest { valid_date: day("1990-01-01"), if_none_match, ..get() };
    let refusal = refused(within(agreements.get_agreement(request)).await);
    assert_eq!((refusal.code, refusal.fields[0].0.as_str()), (Code::InvalidArgument, "valid_date"), "{refusal:?}");
}
