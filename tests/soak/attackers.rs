//! Clients that mean harm, or are broken: they take nothing of what they ask for, do not finish what they send, say
//! nothing, or say too much. They come again when they are cut off.

use std::net::SocketAddr;
use std::time::Duration;

use partnership_registry::v1::ExportRequest;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::codegen::Bytes;
use tonic::codegen::http::Request;

/// The unread streams of a connection.
const UNREAD_STREAMS: usize = 60;
/// The unfinished uploads of a connection.
const UPLOADS: usize = 20;
/// What an upload says that it will have: just below what is taken.
const UPLOAD_BYTES: u32 = 3_900_000;
/// The silent connections, and those that do not finish their first words.
const SILENT: usize = 30;
/// The frames of a flood, before it looks whether it is cut off.
const FLOOD_FRAMES: usize = 2_000;
/// How long an attacker that nobody cuts off stays, before it comes again.
const STAY: Duration = Duration::from_secs(90);
/// How long it waits before it comes again.
const PAUSE: Duration = Duration::from_millis(500);

/// The first words of a client of HTTP/2, and a first SETTINGS frame, empty.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
/// A PING, an empty SETTINGS and a PRIORITY frame: what costs its sender nothing, and may cost its receiver an answer.
const FLOODS: [&[u8]; 3] = [
    b"\x00\x00\x08\x06\x00\x00\x00\x00\x00pingpong",
    b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    b"\x00\x00\x05\x02\x00\x00\x00\x00\x03\x00\x00\x00\x00\x10",
];

/// Begins all of them. They are at it until this is dropped.
pub(crate) fn begin(address: SocketAddr) -> JoinSet<()> {
    let mut attackers = JoinSet::new();
    attackers.spawn(again(move || unread(address)));
    attackers.spawn(again(move || unfinished(address)));
    for said in [0, 10] {
        for _ in 0..SILENT / 2 {
            attackers.spawn(again(move || silent(address, said)));
        }
    }
    for frame in FLOODS {
        attackers.spawn(again(move || flood(address, frame)));
    }
    attackers
}

/// Attacks again and again: that a connection fails is what the server should do to it.
async fn again<F: Future<Output = std::io::Result<()>> + Send>(attack: impl Fn() -> F + Send) {
    loop {
        let _ = tokio::time::timeout(STAY, attack()).await;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks for everything on many streams, and opens no window for any of it.
async fn unread(address: SocketAddr) -> std::io::Result<()> {
    let stream = TcpStream::connect(address).await?;
    let mut builder = h2::client::Builder::new();
    let handshake = builder.initial_window_size(0).handshake::<_, Bytes>(stream);
    let (client, connection) = handshake.await.map_err(std::io::Error::other)?;
    let asking = async {
        let mut client = client.ready().await?;
        let mut answers = Vec::new();
        for _ in 0..UNREAD_STREAMS {
            let (answer, mut body) = client.send_request(request(address, "Export"), false)?;
            body.send_data(framed(&ExportRequest::default().encode_to_vec()), true)?;
            answers.push(answer);
            client = client.ready().await?;
        }
        std::future::pending::<()>().await;
        drop(answers);
        Ok::<(), h2::Error>(())
    };
    tokio::select! {
        ended = connection => ended.map_err(std::io::Error::other),
        failed = asking => failed.map_err(std::io::Error::other),
    }
}

/// Begins many uploads, sends as much of each as is taken, and never the end.
async fn unfinished(address: SocketAddr) -> std::io::Result<()> {
    let stream = TcpStream::connect(address).await?;
    let (client, connection) = h2::client::handshake(stream).await.map_err(std::io::Error::other)?;
    let uploading = async {
        let mut client = client.ready().await?;
        let mut bodies = Vec::new();
        for _ in 0..UPLOADS {
            let (answer, mut body) = client.send_request(request(address, "Commit"), false)?;
            let mut message = vec![0];
            message.extend(UPLOAD_BYTES.to_be_bytes());
            message.resize(UPLOAD_BYTES as usize, 0);
            body.send_data(message.into(), false)?;
            bodies.push((answer, body));
            client = client.ready().await?;
        }
        std::future::pending::<()>().await;
        Ok::<(), h2::Error>(())
    };
    tokio::select! {
        ended = connection => ended.map_err(std::io::Error::other),
        failed = uploading => failed.map_err(std::io::Error::other),
    }
}

/// Says the beginning of the first words, or nothing, and waits to be cut off.
async fn silent(address: SocketAddr, said: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&PREFACE[..said]).await?;
    let mut answer = [0; 1_024];
    while stream.read(&mut answer).await? > 0 {}
    Ok(())
}

/// Sends a frame over and over, and takes what comes back.
async fn flood(address: SocketAddr, frame: &[u8]) -> std::io::Result<()> {
    let (mut answers, mut stream) = TcpStream::connect(address).await?.into_split();
    stream.write_all(PREFACE).await?;
    let frames = frame.repeat(FLOOD_FRAMES);
    let flooding = async {
        loop {
            stream.write_all(&frames).await?;
            // Not all of the machine is for this one.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let taking = async {
        let mut answer = vec![0; 65_536];
        while answers.read(&mut answer).await? > 0 {}
        Ok(())
    };
    tokio::select! {
        ended = flooding => ended,
        ended = taking => ended,
    }
}

fn request(address: SocketAddr, method: &str) -> Request<()> {
    Request::builder()
        .method("POST")
        .uri(format!("http://{address}/partnership.registry.v1.RegistryService/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .expect("a good request")
}

/// A message as gRPC frames it.
fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).expect("a small message");
    let mut framed = vec![0];
    framed.extend(length.to_be_bytes());
    framed.extend_from_slice(message);
    framed.into()
}
