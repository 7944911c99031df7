//! A call whose time is over is answered DEADLINE_EXCEEDED, whether it answers once or with a stream.

use std::time::{Duration, Instant};

use partnership_registry::v1::watch_request::Start;
use partnership_registry::v1::{ListCountriesRequest, WatchRequest};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::attacks::calls::{Connection, body, taken};
use crate::harness::process::Process;
use crate::harness::within;

/// The codes and reasons, if they have one, of a call that has no time at all, and of a watch that has a while; and how long that took.
async fn ends(faults: &str) -> ([(Code, String); 2], Duration) {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), |command| {
        command.env("PARTNERSHIP_TEST_FAULTS", faults);
    });
    let mut connection = Connection::open(server.address, 65_535).await;
    let (list, watch) =
        (ListCountriesRequest::default(), WatchRequest { start: Some(Start::Now(true)), ..WatchRequest::default() });
    let path = "/partnership.registry.v1.CountryService/ListCountries";
    let late = connection.send(path, &[("grpc-timeout", "1n")], body(&list)).await;
    let (late, _) = within(taken(late)).await.unwrap();
    let began = Instant::now();
    let path = "/partnership.registry.v1.RegistryService/Watch";
    let watched = connection.send(path, &[("grpc-timeout", "300m")], body(&watch)).await;
    let (watched, _) = within(taken(watched)).await.unwrap();
    (
        [late, watched].map(|status| {
            let reason = status.get_details_error_info().map(|info| info.reason);
            (status.code(), reason.unwrap_or_default())
        }),
        began.elapsed(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_time_is_over_is_told_so() {
    let (answers, took) = ends("").await;
    let late = (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".to_owned());
    assert_eq!(answers, [late.clone(), late]);
    assert!(took >= Duration::from_millis(300), "the watch ended after {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_is_told_as_a_cancellation_is_noticed() {
    let (answers, _) = ends("deadline-cancelled").await;
    assert!(answers.iter().all(|(code, _)| *code == Code::Cancelled), "{answers:?}");
}
