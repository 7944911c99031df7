//! A connection between client and server that can be cut, muted, and led to another server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A line between client and server. It stays at one address while servers come and go.
pub(super) struct Line {
    address: SocketAddr,
    pub(super) server: watch::Sender<SocketAddr>,
    /// Each change cuts all connections.
    cut: watch::Sender<u64>,
    /// While set, nothing that the server sends gets through.
    pub(super) mute: Arc<AtomicBool>,
}

impl Line {
    pub(super) async fn to(server: SocketAddr) -> Line {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (server, servers) = watch::channel(server);
        let (cut, cuts) = watch::channel(0);
        let mute = Arc::new(AtomicBool::new(false));
        let muted = mute.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, mut cuts, muted) = (*servers.borrow(), cuts.clone(), muted.clone());
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        () = carry(client, server, &muted) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Line { address, server, cut, mute }
    }

    pub(super) fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn carry(client: TcpStream, server: SocketAddr, muted: &AtomicBool) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = tokio::io::copy(&mut from_client, &mut to_server);
    let back = async {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            if !muted.load(Ordering::Relaxed) && to_client.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        _ = there => {}
        () = back => {}
    }
}
