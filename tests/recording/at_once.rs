//! Many record at once, without etags: each event is recorded, once.

use std::collections::BTreeSet;

use tempfile::TempDir;

use super::*;
use crate::harness::process::Process;

const TASKS: usize = 8;
const OF_EACH: usize = 25;

/// Lets eight tasks record, each some events. Answers what of them the agreement has in the end.
async fn recorded_at_once(fault: &str) -> Vec<String> {
    let data = TempDir::new().unwrap();
    let server = Process::start_with(data.path(), |command| {
        command.env("PARTNERSHIP_TEST_FAULTS", fault);
    });
    let channel = server.channel().await;
    let mut agreements = AgreementServiceClient::new(channel.clone());
    let (agreement, agreement_id) = (Some(agreement(vec![event(Signature, 1990)])), "y".to_owned());
    let request = CreateAgreementRequest { agreement, agreement_id, ..CreateAgreementRequest::default() };
    within(agreements.create_agreement(request)).await.unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let mut agreements = AgreementServiceClient::new(channel.clone());
            tokio::spawn(async move {
                for number in 0..OF_EACH {
                    let note = format!("{task} {number}");
                    let one = AgreementEvent { note, ..event(Registration, 1991) };
                    let answer =
                        within(agreements.record_agreement_events(recording(vec![one.clone()]))).await.unwrap();
                    let last = answer.into_inner().events.pop().unwrap();
                    assert_eq!(last.note, one.note, "the answer is of the own recording");
                }
            })
        })
        .collect();
    for task in tasks {
        within(task).await.unwrap();
    }
    let request = GetAgreementRequest { name: NAME.to_owned(), ..GetAgreementRequest::default() };
    let agreement = within(agreements.get_agreement(request)).await.unwrap().into_inner();
    let ids: BTreeSet<_> = agreement.events.iter().map(|event| event.event_id.clone()).collect();
    assert_eq!(ids.len(), agreement.events.len(), "no id is given twice");
    agreement.events.into_iter().skip(1).map(|event| event.note).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_eight_record_at_once_is_all_recorded() {
    let mut notes = recorded_at_once("").await;
    notes.sort();
    let mut expected: Vec<_> =
        (0..TASKS).flat_map(|task| (0..OF_EACH).map(move |number| format!("{task} {number}"))).collect();
    expected.sort();
    assert_eq!(notes, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_on_a_copy_is_seen_to_be_lost() {
    let notes = recorded_at_once("events-recorded-on-a-copy").await;
    assert!(notes.len() < TASKS * OF_EACH, "{} of {} were recorded", notes.len(), TASKS * OF_EACH);
}
