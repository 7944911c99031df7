//! Answers that nobody takes: they are freed by closing their connection, and whoever finds no room meanwhile is told
//! when to come again, and does.

use std::time::{Duration, Instant};

use h2::RecvStream;
use partnership_registry::v1::{BatchGetCountriesRequest, Country};
use partnership_registry_client::{Registry, RetryPolicy};
use tonic::Code;
use tonic::codegen::http::Response;

use super::calls::{Connection, taken};
use super::{alone, fill, start};
use crate::harness::process::Process;
use crate::harness::steady::Steady;
use crate::harness::{refusal, until, within};

const PATH: &str = "/partnership.registry.v1.CountryService/BatchGetCountries";

/// As many of the countries as `fill` makes, of ten kilobytes each.
fn batch(count: usize) -> BatchGetCountriesRequest {
    let names = (0..count).map(|number| format!("countries/filler-{number}")).collect();
    BatchGetCountriesRequest { names, ..BatchGetCountriesRequest::default() }
}

/// Asks for two answers of three megabytes and takes nothing of them. Answers after which time it was closed; `None`: not
/// within so long.
async fn closed_after(server: &Process, wait: Duration) -> Option<Duration> {
    let mut connection = Connection::open(server.address, 0).await;
    let began = Instant::now();
    let answers = [connection.call(PATH, &batch(300)).await, connection.call(PATH, &batch(300)).await];
    let closed = tokio::time::timeout(wait, &mut connection.ended).await.is_ok();
    drop(answers);
    closed.then(|| began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_takes_close_their_connection() {
    let _alone = alone().await;
    let (data, faulty_data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (server, faulty) =
        (start(data.path(), "taking-max-ms=3000", &[]), start(faulty_data.path(), "taking-max-ms=3600000", &[]));
    for server in [&server, &faulty] {
        fill(server, 300).await;
    }
    let quiet = Steady::quiet(server.channel().await, "quiet").await;
    let steady = Steady::begin(server.channel().await, "steady");
    let wait = Duration::from_secs(3 + 2 + 2);
    let (closed, waited_for) = tokio::join!(closed_after(&server, wait), closed_after(&faulty, wait));
    let closed = closed.unwrap_or_else(|| panic!("not closed:\n{}", server.log()));
    println!("closed after {closed:?}");
    assert!(closed >= Duration::from_secs(3), "{closed:?}");
    assert_eq!(waited_for, None, "the fault is not noticed");
    // One that takes a little all the time is not closed.
    let mut connection = Connection::open(server.address, 16 << 10).await;
    let mut answer = within(connection.call(PATH, &batch(300)).await).await.unwrap();
    let began = Instant::now();
    while began.elapsed() < wait {
        let stream = answer.body_mut();
        let piece = within(stream.data()).await.unwrap().unwrap_or_else(|_| panic!("closed:\n{}", server.log()));
        stream.flow_control().release_capacity(piece.len()).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    steady.end().await.assert_like(&quiet, "answers that nobody takes");
}

/// A server whose budget is taken by answers that nobody takes, for some seconds.
async fn full(faults: &str) -> (Process, tempfile::TempDir, Connection, Vec<Response<RecvStream>>) {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), faults, &["--budget-mib", "16", "--connection-budget-mib", "16"]);
    fill(&server, 300).await;
    let mut connection = Connection::open(server.address, 0).await;
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(connection.call(PATH, &batch(300)).await);
    }
    let mut unread = Vec::new();
    for answer in answers {
        // It has been made, and is not taken. Dropped, it would be reset.
        unread.push(within(answer).await.unwrap());
        assert!(unread.iter().all(|answer| answer.status().is_success()));
    }
    (server, data, connection, unread)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_room_is_told_when_to_come_again_and_the_client_does() {
    let _alone = alone().await;
    let (server, _data, mut unread, _answers) = full("taking-max-ms=10000").await;
    let other = unread.call(PATH, &batch(300)).await;
    let at = format!("http://{}", server.address);
    let names = batch(300).names;
    let began = Instant::now();
    let once = Registry::builder(&at).retry(RetryPolicy::never()).connect().await.unwrap();
    let patient = Registry::connect(&at).await.unwrap();
    let (refused, answered, of_the_same) = tokio::join!(
        async { once.countries().batch_get(&names).await },
        async { patient.countries().batch_get(&names).await },
        taken(other),
    );
    let refused = refused.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::ResourceExhausted, Some("SERVER_BUSY")));
    assert_eq!(refused.retry_delay(), Some(Duration::from_secs(1)));
    let (of_the_same, _) = of_the_same.expect("a refusal is told to whom nothing else is");
    assert!(of_the_same.code() == Code::ResourceExhausted && refusal(&of_the_same).retry, "{of_the_same:?}");
    let answered: Vec<Country> = answered.unwrap();
    println!("{} countries after {:?}, at the second attempt", answered.len(), began.elapsed());
    assert_eq!(answered.len(), 300);
    assert!(began.elapsed() > Duration::from_secs(6), "it found no room at first");
    until("the connection to be closed", async || unread.ended.is_finished().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_not_counted_are_noticed() {
    let _alone = alone().await;
    let (server, _data, _unread, _answers) = full("no-budget;taking-max-ms=10000").await;
    let registry = Registry::connect(format!("http://{}", server.address)).await.unwrap();
    let began = Instant::now();
    registry.countries().batch_get(&batch(300).names).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "there was room at once, and the fault is not noticed");
}
