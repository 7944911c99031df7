//! What is refused of recording and voiding, and how it is told: by the request that was sent, and the same of a dry run.

use super::*;

fn with_ids(ids: &[&str], reason: &str) -> RecordAgreementEventsRequest {
    RecordAgreementEventsRequest {
        voided_event_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        reason: reason.to_owned(),
        ..recording(vec![event(Registration, 1999)])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_refused_for_what_is_wrong_with_it() {
    let mut office = Office::with(vec![event(Signature, 1990), event(EntryIntoForce, 1991)]).await;
    office.void(voiding("e2")).await.unwrap();
    let before = office.get().await;
    let time = Some(prost_types::Timestamp { seconds: NOON, nanos: 0 });
    let good = || event(Registration, 1999);
    let one = |event: AgreementEvent| recording(vec![good(), event]);
    let voided = Some(AgreementEventVoiding::default());
    let fields = (Code::InvalidArgument, "INVALID_FIELDS");
    let state = (Code::FailedPrecondition, "WRONG_STATE");
    let table = [
        ("no event", recording(vec![]), fields, "events"),
        ("no type", one(AgreementEvent { r#type: 0, ..good() }), fields, "events[1].type"),
        ("no date", one(AgreementEvent { act_date: None, ..good() }), fields, "events[1].act_date"),
        ("an unknown party", one(of("de", good())), fields, "events[1].party_ids[0]"),
        ("a denunciation by nobody", one(event(Denunciation, 2000)), fields, "events[1].party_ids"),
        ("a time", one(AgreementEvent { record_time: time, ..good() }), fields, "events[1].record_time"),
        (
            "a day",
            one(AgreementEvent { record_date: Some(date(2000, 1, 1)), ..good() }),
            fields,
            "events[1].record_date",
        ),
        ("a voiding", one(AgreementEvent { voided, ..good() }), fields, "events[1].voided"),
        ("an id of before", one(AgreementEvent { event_id: "e2".into(), ..good() }), fields, "events[1].event_id"),
        (
            "an id twice",
            recording(vec![
                AgreementEvent { event_id: "x".into(), ..good() },
                AgreementEvent { event_id: "x".into(), ..good() },
            ]),
            fields,
            "events[1].event_id",
        ),
        ("too many", recording(vec![good(); 1_001]), fields, "events"),
        ("no such event to void", with_ids(&["e1", "e7"], "x"), fields, "voided_event_ids[1]"),
        ("an empty id to void", with_ids(&[""], "x"), fields, "voided_event_ids[0]"),
        ("the same to void twice", with_ids(&["e1", "e1"], "x"), fields, "voided_event_ids[1]"),
        ("what is recorded here to void", with_ids(&["e3"], "x"), fields, "voided_event_ids[0]"),
        ("no reason to void", with_ids(&["e1"], ""), fields, "voided_event_ids"),
        ("too long a reason", with_ids(&["e1"], &"x".repeat(1_001)), fields, "reason"),
        ("voided already", with_ids(&["e1", "e2"], "x"), state, "voided_event_ids[1]"),
        (
            "another etag",
            RecordAgreementEventsRequest { etag: "\"1-1\"".into(), ..recording(vec![good()]) },
            (Code::Aborted, "ETAG_MISMATCH"),
            NAME,
        ),
        ("no etag", RecordAgreementEventsRequest { etag: "x".into(), ..recording(vec![good()]) }, fields, "etag"),
        (
            "no such agreement",
            RecordAgreementEventsRequest { name: "agreements/none".into(), ..recording(vec![good()]) },
            (Code::NotFound, "NOT_FOUND"),
            "",
        ),
        (
            "no agreement",
            RecordAgreementEventsRequest { name: "countries/kr".into(), ..recording(vec![good()]) },
            fields,
            "name",
        ),
        (
            "a reference to nothing",
            one(AgreementEvent { agreement: "agreements/none".into(), ..good() }),
            (Code::FailedPrecondition, "REFERENCE_NOT_FOUND"),
            "events[1].agreement",
        ),
    ];
    for (what, request, (code, reason), field) in table {
        for validate_only in [true, false] {
            let request = RecordAgreementEventsRequest { validate_only, ..request.clone() };
            let refusal = refused(office.record(request).await);
            assert_eq!((refusal.code, refusal.reason.as_str()), (code, reason), "{what}: {refusal:?}");
            assert!(field.is_empty() || refusal.names(field), "{what}: {refusal:?}");
        }
    }
    assert_eq!(office.get().await, before, "nothing of it was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voiding_is_refused_for_what_is_wrong_with_it() {
    let mut office = Office::with(vec![event(Signature, 1990), event(EntryIntoForce, 1991)]).await;
    office.void(voiding("e2")).await.unwrap();
    let fields = (Code::InvalidArgument, "INVALID_FIELDS");
    let long = "e".repeat(5_000);
    let table = [
        ("no reason", VoidAgreementEventRequest { reason: String::new(), ..voiding("e1") }, fields, "reason"),
        ("no event", voiding(""), fields, "event_id"),
        ("no such event", voiding("e3"), fields, "event_id"),
        ("a long id", voiding(&long), fields, "event_id"),
        ("voided already", voiding("e2"), (Code::FailedPrecondition, "WRONG_STATE"), "event_id"),
        (
            "another etag",
            VoidAgreementEventRequest { etag: "\"1-1\"".into(), ..voiding("e1") },
            (Code::Aborted, "ETAG_MISMATCH"),
            NAME,
        ),
        (
            "no such agreement",
            VoidAgreementEventRequest { name: "agreements/none".into(), ..voiding("e1") },
            (Code::NotFound, "NOT_FOUND"),
            "",
        ),
    ];
    for (what, request, (code, reason), field) in table {
        for validate_only in [true, false] {
            let request = VoidAgreementEventRequest { validate_only, ..request.clone() };
            let refusal = refused(office.void(request).await);
            assert_eq!((refusal.code, refusal.reason.as_str()), (code, reason), "{what}: {refusal:?}");
            assert!(field.is_empty() || refusal.names(field), "{what}: {refusal:?}");
        }
    }
    let etag = office.get().await.etag;
    office.void(VoidAgreementEventRequest { etag, ..voiding("e1") }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_agreement_takes_no_events() {
    let mut office = Office::with(vec![event(Signature, 1990)]).await;
    let request = DeleteAgreementRequest { name: NAME.into(), ..DeleteAgreementRequest::default() };
    office.agreements.delete_agreement(request).await.unwrap();
    let refusal = refused(office.record(recording(vec![event(EntryIntoForce, 1991)])).await);
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "DELETED"));
    let refusal = refused(office.void(voiding("e1")).await);
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "DELETED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_has_at_most_five_thousand_events() {
    let mut office = Office::with((0..4_999).map(|_| event(Registration, 1990)).collect()).await;
    let refusal = refused(office.record(recording(vec![event(Registration, 1991); 2])).await);
    assert_eq!(refusal.message, "events: would make 5001 events with those of the agreement, and it may have 5000");
    let full = office.record(recording(vec![event(Registration, 1991)])).await.unwrap();
    assert_eq!((full.events.len(), ids(&full)[4_999]), (5_000, "e5000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_event_refers_to_stays_while_it_does() {
    let mut office = Office::with(vec![event(Signature, 1990)]).await;
    let other = Agreement { name: "agreements/other".into(), ..agreement(vec![]) };
    commit(&mut office.registry, vec![create(other)]).await.unwrap();
    let amending =
        AgreementEvent { agreement: "agreements/other".into(), ..event(AgreementEventType::Amendment, 1999) };
    office.record(recording(vec![amending])).await.unwrap();
    let gone = crate::service::delete("agreements/other");
    assert_eq!(refused(commit(&mut office.registry, vec![gone]).await).reason, "STILL_REFERENCED");
}
