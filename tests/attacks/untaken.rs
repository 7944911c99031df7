//! A caller that asks for much and takes nothing of it, not even off the line, is cut off; one that takes it slowly is not.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::raw::{DATA, END_HEADERS, END_STREAM, HEADERS, WINDOW_UPDATE, connect, frame, greeting, headers_of_call};
use super::{alone, fill, start};
use crate::harness::process::Process;
use crate::harness::steady::Steady;
use crate::harness::until;

const CUT: &str = "it took nothing of what was owed to it";
/// How long these servers wait for a caller that takes nothing.
const TAKING_MAX: Duration = Duration::from_millis(1_500);

/// Asks for twenty exports of a megabyte each, at the largest window there is.
async fn ask(server: &Process) -> TcpStream {
    let mut connection = connect(server.address).await;
    let window = 0x7fff_ffff_u32;
    let mut asked = greeting(&[&[0, 4][..], &window.to_be_bytes()].concat());
    asked.extend(frame(WINDOW_UPDATE, 0, 0, &(window - 65_535).to_be_bytes()));
    let block = headers_of_call("/partnership.registry.v1.RegistryService/Export");
    for call in 0..20 {
        asked.extend(frame(HEADERS, END_HEADERS, call * 2 + 1, &block));
        asked.extend(frame(DATA, END_STREAM, call * 2 + 1, &[0; 5]));
    }
    connection.write_all(&asked).await.unwrap();
    connection
}

async fn filled(faults: &str) -> (Process, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), faults, &[]);
    fill(&server, 100).await;
    (server, data)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_is_cut_off_and_who_is_slow_is_not() {
    let _alone = alone().await;
    let (server, _data) = filled("taking-max-ms=1500").await;
    let quiet = Steady::quiet(server.channel().await, "quiet").await;
    let steady = Steady::begin(server.channel().await, "steady");
    let mut slow = ask(&server).await;
    let began = Instant::now();
    let mut buffer = vec![0; 64 << 10];
    while began.elapsed() < TAKING_MAX * 2 {
        assert!(slow.read(&mut buffer).await.unwrap() > 0, "it takes something:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!server.log().contains(CUT), "{}", server.log());
    drop(slow);
    let began = Instant::now();
    let unread = ask(&server).await;
    until("the caller to be cut off", async || server.log().contains(CUT).then_some(())).await;
    println!("cut off after {:?}", began.elapsed());
    assert!(began.elapsed() > TAKING_MAX);
    steady.end().await.assert_like(&quiet, "callers that take nothing");
    drop(unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_is_waited_for_without_end_is_noticed() {
    let _alone = alone().await;
    let (server, _data) = filled("taking-max-ms=600000").await;
    let unread = ask(&server).await;
    let began = Instant::now();
    while began.elapsed() < TAKING_MAX * 3 {
        assert!(!server.log().contains(CUT), "the fault is not noticed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(unread);
}
