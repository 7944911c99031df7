//! Slow and silent: whoever does not begin to speak HTTP/2, or begins a frame or headers and does not end them, is closed
//! within ten seconds.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::raw::{CONTINUATION, END_STREAM, HEADERS, PREFACE, connect, frame, greeting, headers_of_call};
use super::{alone, start};
use crate::harness::steady::Steady;

/// What is promised.
const CLOSED_MAX: Duration = Duration::from_secs(10);
/// What a busy machine adds.
const MARGIN: Duration = Duration::from_secs(2);

const ONE: (usize, u64) = (1, 500);

/// What one is called; what it says at once; and what then, a piece of so many bytes each so many milliseconds.
type Manner = (&'static str, Vec<u8>, Vec<u8>, (usize, u64));

fn manners() -> Vec<Manner> {
    let headers = frame(HEADERS, END_STREAM, 1, &headers_of_call("/partnership.registry.v1.CountryService/GetCountry"));
    let mut begun = greeting(&[]);
    begun.extend(&headers);
    // The library refuses more than a few of them, however fast they come.
    let crumbs: Vec<u8> = std::iter::repeat_n(frame(CONTINUATION, 0, 1, &[0x20]), 100).flatten().collect();
    vec![
        ("nothing", vec![], vec![], ONE),
        ("half a preface", PREFACE[..12].to_vec(), vec![], ONE),
        ("a preface that trickles", vec![], PREFACE.to_vec(), ONE),
        ("a preface without settings", PREFACE.to_vec(), vec![], ONE),
        ("half of the settings", greeting(&[])[..PREFACE.len() + 5].to_vec(), vec![], ONE),
        ("headers that trickle", greeting(&[]), headers, ONE),
        ("headers without an end", begun.clone(), vec![], ONE),
        ("continuations that trickle", begun, crumbs, (10, 2_500)),
    ]
}

/// Says it, and answers how long it took to be closed. `None`: longer than is promised.
async fn say(server: SocketAddr, at_once: Vec<u8>, then: Vec<u8>, (piece, every): (usize, u64)) -> Option<Duration> {
    let mut connection = connect(server).await;
    let began = Instant::now();
    let (mut read, mut write) = connection.split();
    let say = async {
        let _ = write.write_all(&at_once).await;
        for piece in then.chunks(piece) {
            tokio::time::sleep(Duration::from_millis(every)).await;
            if write.write_all(piece).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let mut buffer = [0; 1_024];
    let closed = async { while read.read(&mut buffer).await.is_ok_and(|count| count > 0) {} };
    tokio::select! {
        () = say => None,
        () = closed => Some(began.elapsed()),
        () = tokio::time::sleep(CLOSED_MAX + MARGIN) => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_or_silent_is_closed_within_ten_seconds() {
    let _alone = alone().await;
    let (data, faulty_data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (server, faulty) = (start(data.path(), "", &[]), start(faulty_data.path(), "slow-frames-wait", &[]));
    let quiet = Steady::quiet(server.channel().await, "quiet").await;
    let steady = Steady::begin(server.channel().await, "steady");
    let mut said = JoinSet::new();
    for (manner, at_once, then, piece) in manners() {
        for (address, is_faulty) in [(server.address, false), (faulty.address, true)] {
            let saying = say(address, at_once.clone(), then.clone(), piece);
            said.spawn(async move { (manner, is_faulty, saying.await) });
        }
    }
    for (manner, is_faulty, closed) in said.join_all().await {
        if is_faulty {
            assert_eq!(closed, None, "{manner}: the fault is not noticed");
        } else {
            let closed = closed.unwrap_or_else(|| panic!("{manner}: not closed:\n{}", server.log()));
            println!("{manner}: closed after {closed:?}");
            assert!(closed > CLOSED_MAX / 2 && closed < CLOSED_MAX + MARGIN, "{manner}: closed after {closed:?}");
        }
    }
    steady.end().await.assert_like(&quiet, "slow and silent connections");
    let log = server.stop().log;
    for cause in ["it did not begin to speak HTTP/2", "it did not end a frame that it had begun"] {
        assert_eq!(log.matches(cause).count(), 1, "told once a minute: {cause}\n{log}");
    }
}
