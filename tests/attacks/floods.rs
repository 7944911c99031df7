//! Floods of frames that carry nothing are closed, and a client that is busy is not, however many of them it needs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{GetCountryRequest, ListCountriesRequest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tonic::transport::Endpoint;

use super::raw::{
    ACK, DATA, END_HEADERS, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, greeted,
    headers_of_call, length,
};
use super::{alone, fill, start};
use crate::harness::steady::Steady;
use crate::harness::within;

/// A flood is closed before so many frames were taken.
const FRAMES_MAX: usize = 50_000;
/// So many frames go at once, and then it is waited until they were taken.
const BATCH: usize = 1_000;
/// How many calls go at once that are reset afterwards.
const CALLS: usize = 100;
/// What the last ping of a batch says.
const TAKEN: [u8; 8] = *b"taken so";

/// Sends batches, each with a ping behind it that is answered when the batch was taken, until it is closed or has sent as
/// many frames as none may. Answers how many were taken, and whether it was closed.
async fn flood(server: SocketAddr, mut batch: impl FnMut(usize) -> (Vec<u8>, usize)) -> (usize, bool) {
    let (read, mut write) = greeted(server).await.into_split();
    let mut read = BufReader::with_capacity(64 << 10, read);
    let mut taken = 0;
    while taken < FRAMES_MAX {
        let (mut bytes, frames) = batch(taken);
        bytes.extend(frame(PING, 0, 0, &TAKEN));
        if !within(is_taken(&mut read, &mut write, &bytes)).await {
            return (taken, true);
        }
        taken += frames;
    }
    (taken, false)
}

/// Sends a batch, and reads until its last ping is answered; `false` if the connection is closed before.
async fn is_taken(read: &mut BufReader<OwnedReadHalf>, write: &mut OwnedWriteHalf, batch: &[u8]) -> bool {
    let answered = async {
        loop {
            let mut head = [0; 9];
            read.read_exact(&mut head).await?;
            let mut payload = vec![0; length(&head)];
            read.read_exact(&mut payload).await?;
            if head[3] == PING && head[4] == ACK && payload == TAKEN {
                return Ok::<_, std::io::Error>(());
            }
        }
    };
    let (sent, answered) = tokio::join!(write.write_all(batch), answered);
    sent.is_ok() && answered.is_ok()
}

/// Calls that are begun, and with the next batch reset.
fn resets(taken: usize) -> (Vec<u8>, usize) {
    let block = headers_of_call("/partnership.registry.v1.CountryService/GetCountry");
    let (round, reset) = (taken / (CALLS * 2), !taken.is_multiple_of(CALLS * 2));
    let mut bytes = Vec::new();
    for call in round * CALLS..(round + 1) * CALLS {
        let stream = u32::try_from(call * 2 + 1).unwrap();
        bytes.extend(match reset {
            false => frame(HEADERS, END_HEADERS, stream, &block),
            true => frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()),
        });
    }
    (bytes, CALLS)
}

/// Runs every flood. Answers how many frames of each were taken, and whether it was closed.
async fn floods(server: SocketAddr) -> Vec<(&'static str, usize, bool)> {
    let begun = frame(HEADERS, END_HEADERS, 1, &headers_of_call("/partnership.registry.v1.CountryService/GetCountry"));
    let same = |name, first: &[u8], one: Vec<u8>| (name, first.to_vec(), one);
    let mut results = Vec::new();
    for (name, first, one) in [
        same("SETTINGS", &[], frame(SETTINGS, 0, 0, &[])),
        same("PING", &[], frame(PING, 0, 0, b"flooding")),
        same("PRIORITY", &[], frame(PRIORITY, 0, 3, &[0, 0, 0, 0, 1])),
        same("WINDOW_UPDATE", &[], frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes())),
        same("empty DATA", &begun, frame(DATA, 0, 1, &[])),
        same("unknown frames", &[], frame(0xfb, 0, 0, &[1, 2, 3])),
    ] {
        let repeated: Vec<u8> = std::iter::repeat_n(one, BATCH).flatten().collect();
        let batch =
            |taken| (if taken == 0 { [first.clone(), repeated.clone()].concat() } else { repeated.clone() }, BATCH);
        let (taken, closed) = flood(server, batch).await;
        results.push((name, taken, closed));
    }
    let (taken, closed) = flood(server, resets).await;
    results.push(("RST_STREAM", taken, closed));
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_are_closed_and_nobody_else_notices() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), "", &[]);
    let quiet = Steady::quiet(server.channel().await, "quiet").await;
    let steady = Steady::begin(server.channel().await, "steady");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        for (name, taken, closed) in floods(server.address).await {
            println!("{name}: closed after {taken} frames");
            assert!(closed, "{name}: {taken} frames were taken:\n{}", server.log());
        }
    }
    steady.end().await.assert_like(&quiet, "floods");
    let log = server.stop().log;
    assert_eq!(log.matches("it sent too many frames that carry nothing").count(), 1, "told once a minute:\n{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_that_are_let_through_are_noticed() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), "control-frames-free", &[]);
    for (name, taken, closed) in floods(server.address).await {
        // These the HTTP/2 library closes by itself when they come so fast. That slower ones are closed is held by the tests
        // of the server's `traffic`.
        let by_the_library = matches!(name, "empty DATA" | "RST_STREAM");
        assert!(!closed || by_the_library, "{name}: closed after {taken} frames");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_client_is_no_flood() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), "", &[]);
    fill(&server, 50).await;
    // It measures the line by pings, asks for a sign of life all the time, and tells of every small piece that it has read.
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    let endpoint = endpoint.http2_keep_alive_interval(Duration::from_millis(5)).keep_alive_while_idle(true);
    let adaptive = endpoint.clone().http2_adaptive_window(true).connect().await.unwrap();
    let small = endpoint.initial_stream_window_size(16 << 10).initial_connection_window_size(64 << 10);
    let small = small.connect().await.unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..64 {
        let channel = if caller % 2 == 0 { adaptive.clone() } else { small.clone() };
        let mut countries = CountryServiceClient::new(channel);
        callers.spawn(async move {
            for call in 0..350 {
                let name = format!("countries/filler-{}", call % 50);
                within(countries.get_country(GetCountryRequest { name, ..Default::default() })).await.unwrap();
                if call % 50 == 0 {
                    let request = ListCountriesRequest { page_size: 50, ..Default::default() };
                    within(countries.list_countries(request)).await.unwrap();
                }
            }
        });
    }
    callers.join_all().await;
    let log = server.stop().log;
    assert!(!log.contains("a connection was closed"), "{log}");
}
