//! Events of agreements are recorded and voided, and never rewritten: what the server gives to them, what is refused and how,
//! and that nothing else of the API moves them.

mod at_once;
mod refusals;
mod rereading;

use partnership_registry::v1::agreement_service_client::AgreementServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::*;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::harness::{Server, TestClock, refused, within};
use crate::service::{commit, create};

/// 2024-03-01T12:00:00Z.
pub(crate) const NOON: i64 = 1_709_294_400;
pub(crate) const DAY: i64 = 86_400;
pub(crate) const NAME: &str = "agreements/y";

pub(crate) type Agreements = AgreementServiceClient<Channel>;

pub(crate) fn date(year: i32, month: i32, day: i32) -> PartialDate {
    PartialDate { year, month, day, ..PartialDate::default() }
}

pub(crate) fn event(event_type: AgreementEventType, year: i32) -> AgreementEvent {
    AgreementEvent { r#type: event_type.into(), act_date: Some(date(year, 0, 0)), ..AgreementEvent::default() }
}

pub(crate) fn of(party: &str, event: AgreementEvent) -> AgreementEvent {
    AgreementEvent { party_ids: vec![party.to_owned()], ..event }
}

/// An agreement of two parties, `kr` and `ir`.
pub(crate) fn agreement(events: Vec<AgreementEvent>) -> Agreement {
    let party = |id: &str| AgreementParty {
        party_id: id.to_owned(),
        unresolved_name: id.to_owned(),
        ..AgreementParty::default()
    };
    Agreement {
        name: NAME.to_owned(),
        display_name: "On the exchange of notes".to_owned(),
        parties: vec![party("kr"), party("ir")],
        events,
        ..Agreement::default()
    }
}

pub(crate) struct Office {
    pub(crate) server: Server,
    pub(crate) clock: std::sync::Arc<TestClock>,
    pub(crate) agreements: Agreements,
    pub(crate) registry: RegistryServiceClient<Channel>,
}

impl Office {
    /// A registry with one agreement that has these events, at noon.
    pub(crate) async fn with(events: Vec<AgreementEvent>) -> Self {
        let clock = TestClock::at(NOON);
        let server = Server::start_at(clock.clone()).await;
        let agreements = AgreementServiceClient::new(server.channel().await);
        let mut registry = server.registry().await;
        commit(&mut registry, vec![create(agreement(events))]).await.unwrap();
        Self { server, clock, agreements, registry }
    }

    pub(crate) async fn get(&mut self) -> Agreement {
        let request = GetAgreementRequest { name: NAME.to_owned(), ..GetAgreementRequest::default() };
        within(self.agreements.get_agreement(request)).await.unwrap().into_inner()
    }

    pub(crate) async fn record(&mut self, request: RecordAgreementEventsRequest) -> Result<Agreement, Status> {
        let mut request = Request::new(request);
        request.metadata_mut().insert("partnership-actor", "jane".parse().unwrap());
        within(self.agreements.record_agreement_events(request)).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn void(&mut self, request: VoidAgreementEventRequest) -> Result<Agreement, Status> {
        let mut request = Request::new(request);
        request.metadata_mut().insert("partnership-actor", "jane".parse().unwrap());
        within(self.agreements.void_agreement_event(request)).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn revisions(&mut self) -> Vec<ResourceRevision> {
        let request = ListRevisionsRequest { parent: NAME.to_owned(), ..ListRevisionsRequest::default() };
        within(self.registry.list_revisions(request)).await.unwrap().into_inner().revisions
    }
}

pub(crate) fn recording(events: Vec<AgreementEvent>) -> RecordAgreementEventsRequest {
    RecordAgreementEventsRequest { name: NAME.to_owned(), events, ..RecordAgreementEventsRequest::default() }
}

pub(crate) fn voiding(event_id: &str) -> VoidAgreementEventRequest {
    VoidAgreementEventRequest {
        name: NAME.to_owned(),
        event_id: event_id.to_owned(),
        reason: "a slip of the pen".to_owned(),
        ..VoidAgreementEventRequest::default()
    }
}

pub(crate) fn ids(agreement: &Agreement) -> Vec<&str> {
    agreement.events.iter().map(|event| event.event_id.as_str()).collect()
}

use AgreementEventType::{Denunciation, EntryIntoForce, Ratification, Registration, Revocation, Signature};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_has_an_id_and_the_time_at_which_it_was() {
    let mut office = Office::with(vec![event(Signature, 1990)]).await;
    let created = office.get().await;
    assert_eq!(ids(&created), ["e1"]);
    let first = created.events[0].clone();
    assert_eq!((first.record_time, first.record_date.clone()), (created.create_time, Some(date(2024, 3, 1))));

    office.clock.set(NOON + 2 * DAY);
    let request = RecordAgreementEventsRequest {
        reason: "note 12 of the ministry".into(),
        ..recording(vec![of("kr", event(Ratification, 1991)), event(EntryIntoForce, 1992)])
    };
    let recorded = office.record(request).await.unwrap();
    assert_eq!(ids(&recorded), ["e1", "e2", "e3"]);
    assert_eq!(recorded.events[0], first, "what was there stays as it was");
    for event in &recorded.events[1..] {
        assert_eq!((event.record_time, event.record_date.clone()), (recorded.update_time, Some(date(2024, 3, 3))));
        assert_eq!(event.voided, None);
    }
    assert_eq!((recorded.updater.as_str(), recorded.revision), ("jane", 2));
    assert_eq!(office.get().await, recorded);

    let revisions = office.revisions().await;
    let newest = &revisions[0];
    assert_eq!(newest.action(), ChangeAction::RecordEvents);
    assert_eq!((newest.actor.as_str(), newest.reason.as_str()), ("jane", "note 12 of the ministry"));
    assert_eq!(newest.changed_fields.as_ref().unwrap().paths, ["events"]);

    // Without a reason too, and with an id of the caller's own, in whose way the server does not stand.
    let own = AgreementEvent { event_id: "e5".into(), ..event(Registration, 1993) };
    let recorded = office.record(recording(vec![own, event(Registration, 1994)])).await.unwrap();
    assert_eq!(ids(&recorded), ["e1", "e2", "e3", "e5", "e6"]);
    let recorded = office.record(recording(vec![event(Registration, 1995)])).await.unwrap();
    assert_eq!(ids(&recorded)[5], "e7");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voided_event_stays_with_who_why_and_when() {
    let mut office = Office::with(vec![event(Signature, 1990), event(EntryIntoForce, 1991)]).await;
    let before = office.get().await;
    let voided = office.void(voiding("e1")).await.unwrap();
    let voiding_of = voided.events[0].voided.clone().unwrap();
    assert_eq!((voiding_of.reason.as_str(), voiding_of.actor.as_str()), ("a slip of the pen", "jane"));
    assert_eq!(voiding_of.void_time, voided.update_time);
    let mut expected = before.events.clone();
    expected[0].voided = Some(voiding_of);
    assert_eq!(voided.events, expected, "and nothing else of any event changes");
    let newest = office.revisions().await.remove(0);
    assert_eq!((newest.action(), newest.reason.as_str()), (ChangeAction::VoidEvent, "a slip of the pen"));

    // In the same step, what is right.
    let right = RecordAgreementEventsRequest {
        voided_event_ids: vec!["e2".into()],
        reason: "the gazette says otherwise".into(),
        ..recording(vec![event(EntryIntoForce, 1992)])
    };
    let recorded = office.record(right).await.unwrap();
    assert_eq!(ids(&recorded), ["e1", "e2", "e3"]);
    let voided = recorded.events[1].voided.clone().unwrap();
    assert_eq!((voided.reason.as_str(), voided.void_time), ("the gazette says otherwise", recorded.update_time));
    assert!(recorded.events[2].voided.is_none());
    let newest = office.revisions().await.remove(0);
    assert_eq!((newest.action(), newest.revision), (ChangeAction::RecordEvents, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_records_and_voids_as_the_methods_do() {
    let mut office = Office::with(vec![event(Signature, 1990)]).await;
    let record = |events, voided: &[&str]| {
        let voided_event_ids = voided.iter().map(|id| (*id).to_owned()).collect();
        let record = RecordEventsMutation { name: NAME.into(), events, voided_event_ids, etag: String::new() };
        Mutation { operation: Some(mutation::Operation::RecordEvents(record)) }
    };
    let void = |event_id: &str, reason: &str| {
        let void = VoidEventMutation {
            name: NAME.into(),
            event_id: event_id.into(),
            reason: reason.into(),
            etag: String::new(),
        };
        Mutation { operation: Some(mutation::Operation::VoidEvent(void)) }
    };
    let request = |mutation: Mutation, reason: &str| CommitRequest {
        mutations: vec![mutation],
        reason: reason.into(),
        ..CommitRequest::default()
    };
    let mut registry = office.registry.clone();
    let mut committed = async |request: CommitRequest| registry.commit(request).await.map(tonic::Response::into_inner);

    let done = committed(request(record(vec![event(EntryIntoForce, 1991)], &[]), "")).await.unwrap();
    assert_eq!((done.results[0].action(), done.revision), (ChangeAction::RecordEvents, 2));
    let done = committed(request(record(vec![event(EntryIntoForce, 1992)], &["e2"]), "the gazette")).await.unwrap();
    assert_eq!(done.results[0].action(), ChangeAction::RecordEvents);
    let done = committed(request(void("e3", ""), "of the commit")).await.unwrap();
    assert_eq!(done.results[0].action(), ChangeAction::VoidEvent);
    committed(request(void("e1", "of its own"), "of the commit")).await.unwrap();
    let reasons = |agreement: &Agreement| -> Vec<String> {
        agreement.events.iter().map(|event| event.voided.clone().unwrap().reason).collect()
    };
    let agreement = office.get().await;
    assert_eq!(reasons(&agreement), ["of its own", "the gazette", "of the commit"]);

    // What needs a reason is refused without any, at its place.
    for (mutation, field) in [
        (void("e1", ""), "mutations[0].void_event.reason"),
        (record(vec![event(Signature, 1990)], &["e1"]), "mutations[0].record_events.voided_event_ids"),
        (record(vec![], &[]), "mutations[0].record_events.events"),
        (record(vec![AgreementEvent::default()], &[]), "mutations[0].record_events.events[0].type"),
    ] {
        let refusal = refused(committed(request(mutation, "")).await);
        assert!(refusal.code == Code::InvalidArgument && refusal.names(field), "{field}: {refusal:?}");
    }
    // One resource, one change.
    let both = CommitRequest {
        mutations: vec![record(vec![event(Signature, 1990)], &[]), void("e1", "x")],
        ..Default::default()
    };
    assert!(refused(committed(both).await).names("mutations[1]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_answered_as_it_was() {
    let mut office = Office::with(vec![event(Signature, 1990)]).await;
    let request_id = "123e4567-e89b-42d3-a456-426614174000".to_owned();
    let request = RecordAgreementEventsRequest { request_id, ..recording(vec![event(EntryIntoForce, 1991)]) };
    let tried = office.record(RecordAgreementEventsRequest { validate_only: true, ..request.clone() }).await.unwrap();
    assert_eq!((ids(&tried), tried.revision), (vec!["e1", "e2"], 0), "as it would be");
    assert_eq!(office.get().await.revision, 1, "and nothing is written");
    let first = office.record(request.clone()).await.unwrap();
    assert_eq!(office.record(request.clone()).await.unwrap(), first);
    assert_eq!(office.get().await.events.len(), 2, "it is recorded once");
    let other = RecordAgreementEventsRequest { events: vec![event(EntryIntoForce, 1999)], ..request };
    assert_eq!(refused(office.record(other).await).reason, "REQUEST_ID_REUSED");

    let request_id = "223e4567-e89b-42d3-a456-426614174000".to_owned();
    let request = VoidAgreementEventRequest { request_id, ..voiding("e2") };
    let first = office.void(request.clone()).await.unwrap();
    assert_eq!(office.void(request).await.unwrap(), first);
    office.server.restart().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_moves_no_event_and_says_what_does() {
    let mut office = Office::with(vec![event(Signature, 1990), event(EntryIntoForce, 1991)]).await;
    office.void(voiding("e1")).await.unwrap();
    let read = office.get().await;
    let update = |agreement: Agreement, paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        let update_mask = Some(prost_types::FieldMask { paths });
        UpdateAgreementRequest { agreement: Some(agreement), update_mask, ..UpdateAgreementRequest::default() }
    };
    let mut agreements = office.agreements.clone();
    let mut updated = async |request| within(agreements.update_agreement(request)).await.map(|it| it.into_inner());

    // Read, changed and written: with all that the server gave, and without.
    let changed = Agreement { note: "checked".into(), ..read.clone() };
    for paths in [&["*"][..], &["note", "events"], &[]] {
        let answer = updated(update(changed.clone(), paths)).await.unwrap();
        assert_eq!((answer.note.as_str(), &answer.events), ("checked", &read.events), "{paths:?}");
    }
    let without: Vec<_> = read
        .events
        .iter()
        .map(|event| AgreementEvent {
            event_id: String::new(),
            record_time: None,
            record_date: None,
            voided: None,
            ..event.clone()
        })
        .collect();
    let as_a_file = Agreement { etag: String::new(), events: without, ..changed };
    let head = office.get().await.revision;
    for paths in [&["*"][..], &["events"], &[]] {
        let answer = updated(update(as_a_file.clone(), paths)).await.unwrap();
        assert_eq!(answer.revision, head, "{paths:?}: nothing differs but what the server gave");
    }

    // What differs is refused if it is named, and else told, with the methods that change it.
    let mut other = as_a_file.clone();
    other.events[1].note = "changed".into();
    let mut fewer = as_a_file.clone();
    fewer.events.pop();
    let mut more = as_a_file.clone();
    more.events.push(event(Registration, 1992));
    let mut renamed = as_a_file.clone();
    renamed.events[0].event_id = "e9".into();
    for sent in [&other, &fewer, &more, &renamed, &Agreement { events: vec![], ..as_a_file.clone() }] {
        let refusal = refused(updated(update(sent.clone(), &["events"])).await);
        assert!(refusal.code == Code::InvalidArgument && refusal.names("agreement.events"), "{refusal:?}");
        assert!(refusal.message.ends_with("RecordAgreementEvents and VoidAgreementEvent change it"), "{refusal:?}");
    }
    let ignoring = UpdateMutation { resource: Some(other.into()), ..UpdateMutation::default() };
    let ignoring = Mutation { operation: Some(mutation::Operation::Update(ignoring)) };
    let answer = commit(&mut office.registry, vec![ignoring]).await.unwrap();
    let finding = &answer.results[0].findings[0];
    assert_eq!((finding.code(), finding.field.as_str()), (FindingCode::OutputOnlyIgnored, "events"));
    assert!(finding.text.ends_with("RecordAgreementEvents and VoidAgreementEvent change it"), "{}", finding.text);
    assert_eq!((office.get().await.revision, answer.results[0].action()), (head, ChangeAction::Unchanged));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_takes_no_event_back() {
    let mut office = Office::with(vec![event(Signature, 1990)]).await;
    office.record(recording(vec![event(EntryIntoForce, 1991)])).await.unwrap();
    let renamed = Agreement { name: NAME.into(), display_name: "Renamed".into(), ..Agreement::default() };
    commit(&mut office.registry, vec![crate::service::update(renamed, &["display_name"])]).await.unwrap();
    office.void(voiding("e1")).await.unwrap();
    let now = office.get().await;
    let request = RollbackAgreementRequest { name: format!("{NAME}/revisions/1"), ..Default::default() };
    let back = within(office.agreements.rollback_agreement(request)).await.unwrap().into_inner();
    assert_eq!(back.display_name, agreement(vec![]).display_name);
    assert_eq!(back.events, now.events, "history is not undone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_creation_brings_is_kept() {
    let mut office = Office::with(vec![]).await;
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let voided =
        Some(AgreementEventVoiding { reason: "a mistake".into(), actor: "joe".into(), void_time: time(NOON - DAY) });
    let brought = AgreementEvent {
        event_id: "signing".into(),
        record_time: time(NOON - 9 * DAY),
        record_date: Some(date(2024, 2, 20)),
        voided,
        ..event(Signature, 1990)
    };
    let half = AgreementEvent { record_time: time(NOON - 9 * DAY), ..event(EntryIntoForce, 1991) };
    let other = |events| Agreement { name: "agreements/z".into(), ..agreement(events) };
    commit(&mut office.registry, vec![create(other(vec![brought.clone(), half, event(Registration, 1992)]))])
        .await
        .unwrap();
    let request = GetAgreementRequest { name: "agreements/z".into(), ..GetAgreementRequest::default() };
    let kept = within(office.agreements.get_agreement(request)).await.unwrap().into_inner();
    assert_eq!(kept.events[0], brought);
    assert_eq!(ids(&kept), ["signing", "e2", "e3"]);
    assert_eq!(kept.events[1].record_date, Some(date(2024, 2, 21)), "the day of its time");
    assert_eq!(kept.events[2].record_date, Some(date(2024, 3, 1)), "today");

    // Nothing was recorded tomorrow. The same is told of what is only checked.
    for (event, field) in [
        (AgreementEvent { record_time: time(NOON + 1), ..event(Signature, 1990) }, "record_time"),
        (AgreementEvent { record_date: Some(date(2024, 3, 3)), ..event(Signature, 1990) }, "record_date"),
    ] {
        for validate_only in [true, false] {
            let (agreement, agreement_id) = (Some(other(vec![event.clone()])), "w".to_owned());
            let request = CreateAgreementRequest { agreement, agreement_id, validate_only, ..Default::default() };
            let refusal = refused(within(office.agreements.create_agreement(request)).await);
            assert!(refusal.names(&format!("agreement.events[0].{field}")), "{refusal:?}");
            assert!(refusal.message.contains("must not be in the future"), "{refusal:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_holds_what_it_revokes() {
    let mut office = Office::with(vec![of("kr", event(Denunciation, 2000))]).await;
    let revocation = AgreementEvent { revoked_event_id: "e1".into(), ..of("kr", event(Revocation, 2001)) };
    office.record(recording(vec![revocation.clone()])).await.unwrap();
    let refusal = refused(office.void(voiding("e1")).await);
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
    assert_eq!(refusal.message, "event_id: names e1, which e2 revokes; void e2 too, or first");
    // Both at once, or one after the other.
    let both = RecordAgreementEventsRequest {
        voided_event_ids: vec!["e1".into(), "e2".into()],
        reason: "neither was so".into(),
        validate_only: true,
        ..recording(vec![event(Registration, 2002)])
    };
    office.record(both).await.unwrap();
    office.void(voiding("e2")).await.unwrap();
    office.void(voiding("e1")).await.unwrap();
}
