//! Bodies that trickle: a request that is begun and does not come closes its connection; one that comes slowly does not.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::calls::Connection;
use super::{alone, start};
use crate::harness::process::Process;
use crate::harness::steady::Steady;

const PATH: &str = "/partnership.registry.v1.RegistryService/Commit";
/// What is promised, and what a busy machine adds.
const CLOSED_MAX: Duration = Duration::from_secs(10 + 3);
const EVERY: Duration = Duration::from_millis(250);

/// Begins a request of three megabytes and sends so much of it at a time. Answers how long it took to be closed. `None`:
/// longer than is promised.
async fn trickle(server: &Process, piece: usize) -> Option<Duration> {
    let mut connection = Connection::open(server.address, 65_535).await;
    let (_answer, mut sending) = connection.begin(PATH, &[]).await;
    let mut head = vec![0];
    head.extend((3_u32 << 20).to_be_bytes());
    sending.send_data(head.into(), false).unwrap();
    let began = Instant::now();
    while began.elapsed() < CLOSED_MAX {
        tokio::time::sleep(EVERY).await;
        if connection.ended.is_finished() || sending.send_data(Bytes::from(vec![0; piece]), false).is_err() {
            return Some(began.elapsed());
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_closes_its_connection_and_one_that_is_slow_does_not() {
    let _alone = alone().await;
    let (data, faulty_data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (server, faulty) = (start(data.path(), "", &[]), start(faulty_data.path(), "slow-bodies", &[]));
    let quiet = Steady::quiet(server.channel().await, "quiet").await;
    let steady = Steady::begin(server.channel().await, "steady");
    let (nothing, trickled, slow, waited_for) =
        tokio::join!(trickle(&server, 0), trickle(&server, 100), trickle(&server, 4_096), trickle(&faulty, 100));
    for closed in [nothing, trickled] {
        let closed = closed.unwrap_or_else(|| panic!("not closed:\n{}", server.log()));
        println!("closed after {closed:?}");
        assert!(closed > Duration::from_secs(9), "{closed:?}");
    }
    assert_eq!(slow, None, "16 kilobytes a second are enough:\n{}", server.log());
    assert_eq!(waited_for, None, "the fault is not noticed");
    steady.end().await.assert_like(&quiet, "bodies that trickle");
}
