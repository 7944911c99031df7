//! A source that is read again refreshes the registry: by updates in a commit, which say what becomes of events that differ.

use tempfile::TempDir;

use super::*;
use crate::harness::process::Process;

fn again(agreement: Agreement, paths: &[&str], reconciliation: Reconciliation) -> CommitRequest {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let update = UpdateMutation {
        resource: Some(agreement.into()),
        update_mask: Some(prost_types::FieldMask { paths }),
        allow_missing: true,
        reconciliation: reconciliation.into(),
    };
    let mutations = vec![Mutation { operation: Some(mutation::Operation::Update(update)) }];
    CommitRequest { mutations, ..CommitRequest::default() }
}

fn source(id: &str, event: AgreementEvent) -> AgreementEvent {
    AgreementEvent { source_id: id.to_owned(), ..event }
}

impl Office {
    async fn reread(&mut self, request: CommitRequest) -> MutationResult {
        let answer = within(self.registry.commit(request)).await.unwrap().into_inner();
        answer.results.into_iter().next().unwrap()
    }
}

/// What a result says of events that are gone.
fn gone(result: &MutationResult) -> Vec<&str> {
    let gone = result.findings.iter().filter(|finding| finding.code() == FindingCode::EventGone);
    gone.map(|finding| finding.field.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_read_again_refreshes_the_registry() {
    let first = vec![source("1", event(Signature, 1990)), source("2", event(EntryIntoForce, 1991))];
    let mut office = Office::with(first.clone()).await;
    // The same, in whatever way it is meant: nothing.
    for paths in [&["*"][..], &[], &["events"], &["display_name", "events"]] {
        let result = office.reread(again(agreement(first.clone()), paths, Reconciliation::Record)).await;
        assert_eq!(
            (result.action(), result.revision, gone(&result)),
            (ChangeAction::Unchanged, 1, vec![]),
            "{paths:?}"
        );
    }
    // One changed, one is new, and one is gone; a field changed besides.
    let second = vec![source("2", event(EntryIntoForce, 1992)), source("3", of("kr", event(Ratification, 1991)))];
    let read = Agreement { note: "read in May".into(), ..agreement(second.clone()) };
    let request =
        CommitRequest { reason: "the edition of May".into(), ..again(read.clone(), &["*"], Reconciliation::Record) };
    let tried = office.reread(CommitRequest { validate_only: true, ..request.clone() }).await;
    let result = office.reread(request).await;
    assert_eq!((tried.action(), gone(&tried)), (result.action(), gone(&result)), "a dry run tells the same");
    assert_eq!((result.action(), gone(&result)), (ChangeAction::Update, vec!["events[0]"]));
    let now = office.get().await;
    assert_eq!((ids(&now), now.note.as_str()), (vec!["e1", "e2", "e3", "e4"], "read in May"));
    let voided: Vec<_> =
        now.events.iter().map(|event| event.voided.as_ref().map(|voided| voided.reason.as_str())).collect();
    assert_eq!(voided, [None, Some("the edition of May"), None, None]);
    assert_eq!((now.events[2].act_date.clone(), now.events[2].record_time), (Some(date(1992, 0, 0)), now.update_time));
    // A second run has nothing left to do, and still tells what is gone, until that is voided too.
    let result = office.reread(again(read.clone(), &["*"], Reconciliation::Record)).await;
    assert_eq!((result.action(), gone(&result)), (ChangeAction::Unchanged, vec!["events[0]"]));
    let result = office.reread(again(read.clone(), &["*"], Reconciliation::Replace)).await;
    assert_eq!((result.action(), gone(&result)), (ChangeAction::Update, vec!["events[0]"]));
    assert!(office.get().await.events[0].voided.is_some());
    let result = office.reread(again(read, &["*"], Reconciliation::Replace)).await;
    assert_eq!((result.action(), gone(&result)), (ChangeAction::Unchanged, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_staff_voided_stays_so_and_what_it_recorded_stays_too() {
    let read = agreement(vec![event(Signature, 1990), event(EntryIntoForce, 1991)]);
    let mut office = Office::with(read.events.clone()).await;
    let right = RecordAgreementEventsRequest {
        voided_event_ids: vec!["e2".into()],
        reason: "it is another day".into(),
        ..recording(vec![AgreementEvent { effect_date: Some(date(1991, 5, 1)), ..event(EntryIntoForce, 1991) }])
    };
    let corrected = office.record(right).await.unwrap();
    for reconciliation in [Reconciliation::Record, Reconciliation::Replace] {
        let result = office.reread(again(read.clone(), &["*"], reconciliation)).await;
        assert_eq!((result.action(), gone(&result)), (ChangeAction::Unchanged, vec![]));
    }
    assert_eq!(office.get().await, corrected);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_stay_as_they_are_unless_it_is_said_what_becomes_of_them() {
    let mut office = Office::with(vec![event(Signature, 1990)]).await;
    let before = office.get().await;
    let other = agreement(vec![event(Signature, 1999)]);
    let result = office.reread(again(other.clone(), &["*"], Reconciliation::Unspecified)).await;
    assert_eq!(result.action(), ChangeAction::Unchanged);
    assert!(result.findings.iter().any(|finding| finding.field == "events"), "it is told: {result:?}");
    // Nor does a mask mean them that does not name them, or a request that has none.
    let result = office.reread(again(other.clone(), &["display_name"], Reconciliation::Replace)).await;
    assert_eq!(result.action(), ChangeAction::Unchanged);
    let result = office.reread(again(agreement(vec![]), &[], Reconciliation::Replace)).await;
    assert_eq!((result.action(), gone(&result)), (ChangeAction::Unchanged, vec![]));
    assert_eq!(office.get().await, before);
    // Of all fields they are, and none is left.
    let result = office.reread(again(agreement(vec![]), &["*"], Reconciliation::Record)).await;
    assert_eq!((result.action(), gone(&result)), (ChangeAction::Unchanged, vec!["events[0]"]));

    let mut request = again(other, &["*"], Reconciliation::Record);
    if let Some(mutation::Operation::Update(update)) = &mut request.mutations[0].operation {
        update.reconciliation = 7;
    }
    let refusal = refused(within(office.registry.commit(request)).await);
    assert!(refusal.names("mutations[0].update.reconciliation"), "{refusal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_again_is_held_to_the_rules_and_answered_again() {
    let mut office = Office::with(vec![event(Signature, 1990)]).await;
    let wrong = agreement(vec![event(Signature, 1990), of("de", event(Ratification, 1991))]);
    for validate_only in [true, false] {
        let request = CommitRequest { validate_only, ..again(wrong.clone(), &["*"], Reconciliation::Record) };
        let refusal = refused(within(office.registry.commit(request)).await);
        let field = "mutations[0].update.resource.agreement.events[1].party_ids[0]";
        assert!(refusal.code == Code::InvalidArgument && refusal.names(field), "{refusal:?}");
    }
    // A repeated request tells what was gone then.
    let request_id = "123e4567-e89b-42d3-a456-426614174000".to_owned();
    let read = agreement(vec![event(EntryIntoForce, 1992)]);
    let request = CommitRequest { request_id, ..again(read, &["*"], Reconciliation::Replace) };
    let first = office.reread(request.clone()).await;
    assert_eq!(gone(&first), ["events[0]"]);
    assert_eq!(office.reread(request).await, first);
    assert_eq!(office.get().await.events.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_created_with_the_events_that_it_has() {
    let mut office = Office::with(vec![]).await;
    let read = Agreement { name: "agreements/new".into(), ..agreement(vec![event(Signature, 1990)]) };
    for action in [ChangeAction::Create, ChangeAction::Unchanged] {
        let result = office.reread(again(read.clone(), &["*"], Reconciliation::Record)).await;
        assert_eq!((result.action(), gone(&result)), (action, vec![]));
    }
}

/// How many events an agreement has whose one event was voided, and whose source was then read again.
async fn read_again_after_a_voiding(fault: &str) -> usize {
    let data = TempDir::new().unwrap();
    let server = Process::start_with(data.path(), |command| {
        command.env("PARTNERSHIP_TEST_FAULTS", fault);
    });
    let channel = server.channel().await;
    let (mut agreements, mut registry) =
        (AgreementServiceClient::new(channel.clone()), RegistryServiceClient::new(channel));
    let read = agreement(vec![event(Signature, 1990)]);
    commit(&mut registry, vec![create(read.clone())]).await.unwrap();
    within(agreements.void_agreement_event(voiding("e1"))).await.unwrap();
    within(registry.commit(again(read, &["*"], Reconciliation::Record))).await.unwrap();
    let request = GetAgreementRequest { name: NAME.to_owned(), ..GetAgreementRequest::default() };
    within(agreements.get_agreement(request)).await.unwrap().into_inner().events.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_voided_and_is_recorded_again_would_be_seen() {
    assert_eq!(read_again_after_a_voiding("").await, 1);
    assert_eq!(read_again_after_a_voiding("voided-recorded-again").await, 2);
}
