//! Out of descriptors: the server waits, says so once, serves those who are there, and takes others when it can.

use std::fs;
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::raw::{connect, greeting};
use super::{alone, start};
use crate::harness::process::Process;
use crate::harness::steady::Steady;
use crate::harness::{until, within};

const TOLD: &str = "no connection can be accepted for now";
/// How many connections are opened: more than there are descriptors for.
const CONNECTIONS: usize = 100;
/// How many descriptors there are for them.
const SPARE: usize = 10;

/// A server with few descriptors to spare, and more connections than those.
async fn exhausted(server: &Process) -> Vec<TcpStream> {
    let open = fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count();
    let limit = format!("--nofile={}", open + SPARE);
    let limited = Command::new("prlimit").args(["--pid", &server.id().to_string(), &limit]).status().unwrap();
    assert!(limited.success());
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(connect(server.address).await);
    }
    connections
}

/// The time of the processor that a server has used so far.
fn processor_time(server: &Process) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
    // Behind the name, which is in brackets: the times in the process and in the system are the 12th and 13th.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: u64 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// How much time of the processor a server uses in two seconds.
async fn processor_time_of_two_seconds(server: &Process) -> Duration {
    let before = processor_time(server);
    tokio::time::sleep(Duration::from_secs(2)).await;
    processor_time(server) - before
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_descriptors_it_serves_those_who_are_there_and_waits() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), "", &[]);
    let channel = server.channel().await;
    let quiet = Steady::quiet(channel.clone(), "quiet").await;
    let connections = exhausted(&server).await;
    until("it to be told", async || server.log().contains(TOLD).then_some(())).await;
    let used = processor_time_of_two_seconds(&server).await;
    println!("out of descriptors it uses {used:?} in two seconds");
    assert!(used < Duration::from_millis(300), "it spins: {used:?}");
    let steady = Steady::begin(channel, "steady");
    tokio::time::sleep(Duration::from_secs(2)).await;
    steady.end().await.assert_like(&quiet, "want of descriptors");
    assert_eq!(server.log().matches(TOLD).count(), 1, "told once:\n{}", server.log());
    drop(connections);
    // Whoever comes then is greeted.
    let mut late = connect(server.address).await;
    late.write_all(&greeting(&[])).await.unwrap();
    within(late.read_exact(&mut [0; 9])).await.unwrap();
    until("that to be told", async || server.log().contains("connections are accepted again").then_some(())).await;
    assert_eq!(server.log().matches(TOLD).count(), 1, "told once:\n{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_without_a_pause_is_noticed() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), "accept-without-pause", &[]);
    let connections = exhausted(&server).await;
    let used = processor_time_of_two_seconds(&server).await;
    assert!(used > Duration::from_millis(300), "the fault is not noticed: {used:?}");
    assert!(!server.log().contains(TOLD));
    drop(connections);
}
