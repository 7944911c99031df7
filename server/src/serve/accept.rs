//! The accept loop: takes new connections as long as there is room for them, and goes on whatever the system says.
//!
//! A connection beyond a cap is closed at once, since its caller can try again elsewhere; what the system cannot give now
//! (descriptors, memory) is asked for again after a pause. Either is told once, not for each connection.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};

use crate::config::LimitsConfig;

/// The first pause after a failure of the system, and the longest: each is twice the one before.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Takes connections and hands them to `serve`, for ever.
pub(super) async fn accept(listener: &TcpListener, caps: &Caps, serve: impl Fn(TcpStream, Place)) {
    let mut pause = None;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if pause.take().is_some() {
                    tracing::info!("connections are accepted again");
                }
                // Answers are small and waited for.
                let _ = stream.set_nodelay(true);
                if let Some(place) = caps.enter(peer.ip()) {
                    serve(stream, place);
                }
            }
            // The caller has gone before it was its turn.
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if pause.is_none() {
                    tracing::warn!(%error, "no connection can be accepted; it is tried again and again");
                }
                let next = pause.map_or(PAUSE_MIN, |last: Duration| PAUSE_MAX.min(last * 2));
                tokio::time::sleep(next).await;
                pause = Some(next);
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionRefused];
    kinds.contains(&error.kind())
}

/// How many connections there may be, in all and from one address. Cheap to clone.
#[derive(Clone)]
pub(super) struct Caps {
    connections_max: usize,
    of_one_peer_max: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    in_all: usize,
    by_peer: HashMap<IpAddr, usize>,
    /// Whether it has been told that connections are refused, since there last were none of them to refuse.
    told: bool,
}

impl Caps {
    pub(super) fn new(limits: &LimitsConfig) -> Self {
        Self {
            connections_max: limits.connections_max,
            of_one_peer_max: limits.connections_per_peer_max,
            open: Arc::default(),
        }
    }

    /// A place for one more connection. `None`: there are enough.
    fn enter(&self, peer: IpAddr) -> Option<Place> {
        // The same host may come by either version of the protocol.
        let peer = peer.to_canonical();
        let mut open = self.open.lock();
        let of_peer = open.by_peer.get(&peer).copied().unwrap_or_default();
        if open.in_all >= self.connections_max || of_peer >= self.of_one_peer_max {
            if !std::mem::replace(&mut open.told, true) {
                tracing::warn!(%peer, of_this_peer = of_peer, in_all = open.in_all, "too many connections; further ones are closed at once");
            }
            return None;
        }
        open.in_all += 1;
        *open.by_peer.entry(peer).or_default() += 1;
        drop(open);
        Some(Place { peer, caps: self.clone() })
    }
}

/// The place of a connection among those that are open; free again when it is dropped.
pub(super) struct Place {
    pub(super) peer: IpAddr,
    caps: Caps,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.caps.open.lock();
        open.in_all = open.in_all.saturating_sub(1);
        // Told anew when it happens again, once half of them have gone: not at each one that comes and goes.
        open.told &= open.in_all > self.caps.of_one_peer_max / 2;
        if let Some(count) = open.by_peer.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                open.by_peer.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_connection_has_gone() {
        let caps = Caps { connections_max: 3, of_one_peer_max: 2, open: Arc::default() };
        let [one, two]: [IpAddr; 2] = [[127, 0, 0, 1].into(), [127, 0, 0, 2].into()];
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        let places = [caps.enter(one), caps.enter(mapped)];
        assert!(places.iter().all(Option::is_some));
        assert!(caps.enter(one).is_none() && caps.enter(mapped).is_none());
        let other = caps.enter(two);
        assert!(other.is_some() && caps.enter(two).is_none(), "three in all");
        drop(other);
        assert!(caps.enter(two).is_some());
        drop(places);
        assert!(caps.enter(one).is_some());
        assert!(caps.open.lock().by_peer.is_empty());
    }
}
