//! Streams that nobody reads: exports and watches, as many as connections take, at a window of nothing. They hold no
//! thread, nobody else waits for them, and they do not keep the server from ending.

use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::watch_request::Start;
use partnership_registry::v1::{ExportRequest, ListCountriesRequest, WatchRequest};
use prost::Message;
use tokio::net::TcpStream;
use tonic::codegen::http::Request;

use super::{alone, fill, start};
use crate::harness::process::Process;
use crate::harness::steady::Steady;
use crate::harness::within;

/// As many as the server takes on one connection.
const STREAMS: usize = 256;
/// Together more streams than the runtime has threads to block, which are 512.
const CONNECTIONS: usize = 4;
/// What is promised from the signal to the end of the process with a grace of a second, and what a busy machine adds.
const END_MAX: Duration = Duration::from_secs(1 + 2 + 1);

/// Calls whose answers nobody reads, for as long as this is kept.
struct Unread(
    #[allow(dead_code, reason = "they end when it is dropped")] Vec<(SendRequest<Bytes>, Vec<ResponseFuture>)>,
);

/// A connection at a window of nothing, with as many such calls as it takes.
async fn unread(server: &Process, path: &str, request: &impl Message) -> (SendRequest<Bytes>, Vec<ResponseFuture>) {
    let socket = TcpStream::connect(server.address).await.unwrap();
    let (mut client, connection) =
        h2::client::Builder::new().initial_window_size(0).handshake::<_, Bytes>(socket).await.unwrap();
    tokio::spawn(connection);
    let mut body = vec![0];
    body.extend(u32::try_from(request.encoded_len()).unwrap().to_be_bytes());
    request.encode(&mut body).unwrap();
    let mut answers = Vec::new();
    for _ in 0..STREAMS {
        client = within(client.ready()).await.unwrap();
        let uri = format!("http://{}{path}", server.address);
        let head = Request::post(uri).header("content-type", "application/grpc").header("te", "trailers");
        let (answer, mut sending) = client.send_request(head.body(()).unwrap(), false).unwrap();
        sending.send_data(body.clone().into(), true).unwrap();
        answers.push(answer);
    }
    // All of them have begun.
    for answer in &mut answers {
        assert!(within(answer).await.unwrap().status().is_success());
    }
    (client, answers)
}

/// Exports on all connections but one, and watches there.
async fn attack(server: &Process) -> Unread {
    let mut all = Vec::new();
    for _ in 1..CONNECTIONS {
        all.push(unread(server, "/partnership.registry.v1.RegistryService/Export", &ExportRequest::default()).await);
    }
    let watch = WatchRequest { start: Some(Start::InitialState(true)), ..WatchRequest::default() };
    all.push(unread(server, "/partnership.registry.v1.RegistryService/Watch", &watch).await);
    Unread(all)
}

/// What becomes of a list while the attack goes on. `None`: nothing.
async fn list(server: &Process) -> Option<Result<(), tonic::Status>> {
    let mut countries = CountryServiceClient::new(server.channel().await);
    let listed = countries.list_countries(ListCountriesRequest::default());
    tokio::time::timeout(Duration::from_secs(4), listed).await.ok().map(|listed| listed.map(|_| ()))
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_streams_hold_up_neither_others_nor_the_end() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), "", &["--drain-grace", "1"]);
    fill(&server, 10).await;
    let quiet = Steady::quiet(server.channel().await, "quiet").await;
    let unread = attack(&server).await;
    let listed = list(&server).await;
    assert!(matches!(listed, Some(Ok(()))), "{listed:?}:\n{}", server.log());
    let steady = Steady::begin(server.channel().await, "steady");
    tokio::time::sleep(Duration::from_secs(2)).await;
    steady.end().await.assert_like(&quiet, "1,024 unread streams");
    let began = Instant::now();
    server.ask_to_stop();
    let ended = tokio::task::spawn_blocking(|| server.ended_within(END_MAX)).await.unwrap();
    let ended = ended.unwrap_or_else(|server| panic!("it does not end:\n{}", server.log()));
    println!("with 1,024 unread streams it ended after {:?}", began.elapsed());
    assert!(ended.status.success(), "{}:\n{}", ended.status, ended.log);
    drop(unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_that_hold_a_thread_are_noticed() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let faults = "export-holds-a-thread;drain-without-deadline;drain-waits-for-the-silent;end-without-deadline";
    let server = start(data.path(), faults, &["--drain-grace", "1"]);
    fill(&server, 10).await;
    assert!(matches!(list(&server).await, Some(Ok(()))), "it works as long as nobody attacks");
    let unread = attack(&server).await;
    assert!(list(&server).await.is_none(), "the fault is not noticed");
    server.ask_to_stop();
    let ended = tokio::task::spawn_blocking(|| server.ended_within(END_MAX)).await.unwrap();
    assert!(ended.is_err(), "the fault is not noticed at the end");
    drop(unread);
}
