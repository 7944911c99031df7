//! The accept loop: takes connections as long as there are places, and goes on whatever the system says. It never spins.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};

use super::connection::Connections;
use super::places::{NoPlace, Places};
use super::seldom::Seldom;
use crate::config::{ACCEPT_PAUSE_MAX, ACCEPT_PAUSE_MIN};
use crate::faults;

/// Accepts connections until this is dropped.
pub(super) async fn accept(listener: TcpListener, places: Places, connections: &Connections) -> Infallible {
    let (full, full_for_peer) = (Seldom::default(), Seldom::default());
    let mut refused: Option<Refused> = None;
    loop {
        let (socket, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                pause(&mut refused, &error).await;
                continue;
            }
        };
        if let Some(refused) = refused.take() {
            let seconds = refused.since.elapsed().as_secs();
            tracing::info!(seconds, refusals = refused.count, "connections are accepted again");
        }
        match places.take(peer.ip()) {
            Ok(place) => connections.begin(prepared(socket), peer, place),
            // Closed at once: whoever it is hears it sooner than by waiting.
            Err(no) => tell(no, peer, if no == NoPlace::Full { &full } else { &full_for_peer }),
        }
    }
}

/// Since when the system has refused to accept connections.
struct Refused {
    since: Instant,
    count: u64,
    pause: Duration,
}

/// Waits after a refusal, each time longer: what was refused still waits to be accepted, so the next try would be refused
/// as well. The first of several is told.
async fn pause(refused: &mut Option<Refused>, error: &std::io::Error) {
    if faults::planted("accept-without-pause").is_some() {
        return tokio::task::yield_now().await;
    }
    let refused = refused.get_or_insert_with(|| {
        tracing::warn!(%error, "no connection can be accepted for now; those that are open are served");
        Refused { since: Instant::now(), count: 0, pause: ACCEPT_PAUSE_MIN }
    });
    refused.count += 1;
    tokio::time::sleep(refused.pause).await;
    refused.pause = (refused.pause * 2).min(ACCEPT_PAUSE_MAX);
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
