//! Events of agreements: recorded and voided by a typed handle, and in a commit.

use partnership_registry_client::Code;
use partnership_registry_client::v1::{Agreement, AgreementEvent, AgreementEventType, ChangeAction};

use super::{connect, start};

fn event(event_type: AgreementEventType, date: &str) -> AgreementEvent {
    AgreementEvent { r#type: event_type.into(), act_date: Some(date.parse().unwrap()), ..AgreementEvent::default() }
}

#[tokio::test]
async fn events_are_recorded_and_voided_by_a_handle_and_in_a_commit() {
    let (process, _data) = start();
    let registry = connect(&process).await.with_reason("the gazette");
    let agreements = registry.agreements();
    let signed = vec![event(AgreementEventType::Signature, "1990")];
    let agreement = Agreement { display_name: "A".into(), events: signed, ..Agreement::default() };
    agreements.create(agreement).id("y").await.unwrap();

    let force = || event(AgreementEventType::EntryIntoForce, "1991-05");
    let checked = agreements.record("y", [force()]).validate_only(true).await.unwrap();
    assert_eq!((checked.events.len(), agreements.get("y").await.unwrap().events.len()), (2, 1), "nothing was written");
    let recorded = agreements.record("y", [force()]).await.unwrap();
    assert_eq!(recorded.events[1].event_id, "e2");
    let again = agreements.record("agreements/y", [force()]).instead_of(["e2"]).reason("another month").await.unwrap();
    assert_eq!(again.events[1].voided.as_ref().unwrap().reason, "another month");
    let stale = agreements.void("y", "e3").reason("x").etag(&recorded.etag).await.unwrap_err();
    assert!(stale.is_conflict(), "{stale:?}");
    let voided = agreements.void("y", "e3").reason("x").await.unwrap();
    assert!(voided.events[2].voided.is_some());
    let twice = agreements.void("y", "e3").reason("x").await.unwrap_err();
    assert_eq!(twice.code(), Code::FailedPrecondition, "{twice:?}");

    let commit = registry.commit().record_events("agreements/y", [force()], ["e1"]);
    assert_eq!(commit.await.unwrap().results[0].action(), ChangeAction::RecordEvents);
    let done = registry.commit().void_event("agreements/y", "e4").await.unwrap();
    assert_eq!(done.results[0].action(), ChangeAction::VoidEvent);
    let now = agreements.get("y").await.unwrap();
    let reasons: Vec<_> = now.events.iter().map(|event| event.voided.clone().unwrap().reason).collect();
    assert_eq!(reasons, ["the gazette", "another month", "x", "the gazette"]);
}
