//! The accept loop: takes connections as long as there are places, and goes on whatever the system says. It never spins.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::connection::Connections;
use super::places::{NoPlace, Places};
use super::seldom::Seldom;
use crate::config::{ACCEPT_PAUSE_MAX, ACCEPT_PAUSE_MIN};
use crate::faults;

/// Accepts connections until this is dropped.
pub(super) async fn accept(listener: TcpListener, places: Places, connections: &Connections) -> Infallible {
    let (full, full_for_peer) = (Seldom::default(), Seldom::default());
    let mut refusals = Refusals::default();
    loop {
        let accepted = match listener.accept().now_or_never() {
            Some(accepted) => accepted,
            None => {
                refusals.end();
                listener.accept().await
            }
        };
        match accepted {
            Err(error) => refusals.wait(&error).await,
            Ok((socket, peer)) => match places.take(peer.ip()) {
                Ok(place) => connections.begin(prepared(socket), peer, place),
                // Closed at once: whoever it is hears it sooner than by waiting.
                Err(no) => tell(no, peer, if no == NoPlace::Full { &full } else { &full_for_peer }),
            },
        }
    }
}

/// Refusals of the system to accept connections.
#[derive(Default)]
struct Refusals {
    line: Seldom,
    /// Those of now: from the first until nobody waits to be accepted any more.
    now: Option<Episode>,
}

struct Episode {
    since: Instant,
    count: u64,
    pause: Duration,
    told: bool,
}

impl Refusals {
    /// Waits after a refusal, each time longer: what was refused still waits to be accepted, so the next try would be
    /// refused as well.
    async fn wait(&mut self, error: &std::io::Error) {
        if faults::planted("accept-without-pause").is_some() {
            return tokio::task::yield_now().await;
        }
        let now = self.now.get_or_insert_with(|| {
            let since = Instant::now();
            let told = self.line.due(since).is_some();
            if told {
                tracing::warn!(%error, "no connection can be accepted for now; those that are open are served");
            }
            Episode { since, count: 0, pause: ACCEPT_PAUSE_MIN, told }
        });
        now.count += 1;
        tokio::time::sleep(now.pause).await;
        now.pause = (now.pause * 2).min(ACCEPT_PAUSE_MAX);
    }

    /// Nobody waits to be accepted.
    fn end(&mut self) {
        if let Some(Episode { since, count, told: true, .. }) = self.now.take() {
            tracing::info!(seconds = since.elapsed().as_secs(), refusals = count, "connections are accepted again");
        }
    }
}

/// A socket as connections are served on it.
fn prepared(socket: TcpStream) -> TcpStream {
    // What fails here fails because the peer has gone, which is noticed soon.
    let _ = socket.set_nodelay(true);
    let _ = socket2::SockRef::from(&socket).set_send_buffer_size(crate::config::SOCKET_SEND_BUFFER_BYTES);
    socket
}

fn tell(no: NoPlace, peer: SocketAddr, line: &Seldom) {
    let Some(left_out) = line.due(Instant::now()) else { return };
    match no {
        NoPlace::Full => tracing::warn!(%peer, left_out, "a connection was refused: there are as many as there may be"),
        NoPlace::FullForPeer => {
            tracing::warn!(%peer, left_out, "a connection was refused: its peer has as many as one may have");
        }
    }
}
