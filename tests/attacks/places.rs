//! Connections are limited in all and for each peer; one more is closed at once, and its place comes free with another's.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::raw::{connect_from, greeting};
use super::{alone, start};
use crate::harness::process::Process;
use crate::harness::{until, within};

/// The defaults.
const PLACES: usize = 512;
const PLACES_OF_PEER: usize = 256;

/// A connection that the server has greeted; `None` if it closed it.
async fn try_connect(host: u8, server: SocketAddr) -> Option<TcpStream> {
    let mut connection = connect_from(host, server).await.unwrap();
    // It may be closed already.
    connection.write_all(&greeting(&[])).await.ok()?;
    within(connection.read_exact(&mut [0; 9])).await.ok()?;
    Some(connection)
}

/// So many connections from a peer.
async fn connect_many(host: u8, server: &Process, count: usize) -> Vec<TcpStream> {
    let mut connections = Vec::new();
    for number in 0..count {
        let connection = try_connect(host, server.address).await;
        connections.push(connection.unwrap_or_else(|| panic!("connection {number} is closed:\n{}", server.log())));
    }
    connections
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_limited_in_all_and_for_each_peer() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), "", &[]);
    let mut first = connect_many(1, &server, PLACES_OF_PEER).await;
    for _ in 0..20 {
        assert!(try_connect(1, server.address).await.is_none(), "a peer has one too many");
    }
    let second = connect_many(2, &server, PLACES - PLACES_OF_PEER).await;
    assert!(try_connect(3, server.address).await.is_none(), "there is one too many");
    for told in ["its peer has as many as one may have", "there are as many as there may be"] {
        until("it to be told", async || server.log().contains(told).then_some(())).await;
        assert_eq!(server.log().matches(told).count(), 1, "told once a minute:\n{}", server.log());
    }
    first.pop();
    let again = until("a place to come free", async || try_connect(3, server.address).await).await;
    drop((first, second, again));
    let other = until("all to come free", async || try_connect(1, server.address).await).await;
    drop(other);
    assert!(server.stop().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_without_a_limit_are_noticed() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let flags = ["--connections-max", "8", "--connections-per-peer-max", "5"];
    let server = start(data.path(), "", &flags);
    let _first = connect_many(1, &server, 5).await;
    assert!(try_connect(1, server.address).await.is_none() && try_connect(2, server.address).await.is_some());
    let data = tempfile::tempdir().unwrap();
    let faulty = start(data.path(), "connections-without-limit", &flags);
    let _first = connect_many(1, &faulty, 5).await;
    tokio::time::timeout(Duration::from_secs(5), connect_many(1, &faulty, 5)).await.expect("the fault is not noticed");
}
