//! Calls by a client that does with HTTP/2 as it likes: it takes what it wants of an answer, and sends what it wants of a
//! request.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use prost::Message;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::codegen::http::Request;

use crate::harness::within;

/// A connection.
pub(crate) struct Connection {
    address: SocketAddr,
    client: SendRequest<Bytes>,
    /// Done when the connection has ended.
    pub(crate) ended: JoinHandle<()>,
}

impl Connection {
    /// Connects, and says that so many bytes of each answer are taken before it is asked for more.
    pub(crate) async fn open(address: SocketAddr, window: u32) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(window).initial_connection_window_size(1 << 30).max_send_buffer_size(64 << 10);
        let (client, connection) = builder.handshake::<_, Bytes>(socket).await.unwrap();
        // How it ends is seen by its calls.
        let ended = tokio::spawn(async move { drop(connection.await) });
        Self { address, client, ended }
    }

    /// Begins a call, with further headers, and sends nothing of its body. `None`: the connection has ended.
    async fn try_begin_with(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Option<(ResponseFuture, SendStream<Bytes>)> {
        let mut head = Request::post(format!("http://{}{path}", self.address));
        for (name, value) in [("content-type", "application/grpc"), ("te", "trailers")].iter().chain(headers) {
            head = head.header(*name, *value);
        }
        self.client = self.client.clone().ready().await.ok()?;
        self.client.send_request(head.body(()).unwrap(), false).ok()
    }

    /// Begins a call, and sends nothing of its body. `None`: the connection has ended.
    pub(crate) async fn try_begin(&mut self, path: &str) -> Option<(ResponseFuture, SendStream<Bytes>)> {
        self.try_begin_with(path, &[]).await
    }

    /// Makes a call with these bytes as its body. `None`: the connection has ended.
    pub(crate) async fn try_send(&mut self, path: &str, body: Bytes) -> Option<ResponseFuture> {
        let (answer, mut sending) = self.try_begin(path).await?;
        // The server may have refused it by now.
        let _ = sending.send_data(body, true);
        Some(answer)
    }

    /// Begins a call, with further headers, and sends nothing of its body.
    pub(crate) async fn begin(&mut self, path: &str, headers: &[(&str, &str)]) -> (ResponseFuture, SendStream<Bytes>) {
        within(self.try_begin_with(path, headers)).await.expect("the connection has not ended")
    }

    /// Makes a call with these bytes as its body.
    pub(crate) async fn send(&mut self, path: &str, headers: &[(&str, &str)], body: Bytes) -> ResponseFuture {
        let (answer, mut sending) = self.begin(path, headers).await;
        // The server may have refused it by now.
        let _ = sending.send_data(body, true);
        answer
    }

    /// Makes a call.
    pub(crate) async fn call(&mut self, path: &str, request: &impl Message) -> ResponseFuture {
        self.send(path, &[], body(request)).await
    }
}

/// The body of a call.
pub(crate) fn body(request: &impl Message) -> Bytes {
    let mut body = vec![0];
    body.extend(u32::try_from(request.encoded_len()).unwrap().to_be_bytes());
    request.encode(&mut body).unwrap();
    body.into()
}

/// How a call ended, all of whose answer is taken, and how many bytes that had. `None`: by an end of its stream or of its
/// connection.
pub(crate) async fn taken(answer: ResponseFuture) -> Option<(Status, usize)> {
    let mut answer = answer.await.ok()?;
    if let Some(status) = Status::from_header_map(answer.headers()) {
        return Some((status, 0));
    }
    let body = answer.body_mut();
    let mut bytes = 0;
    while let Some(piece) = body.data().await {
        let piece = piece.ok()?;
        bytes += piece.len();
        body.flow_control().release_capacity(piece.len()).ok()?;
    }
    let trailers = body.trailers().await.ok()??;
    Some((Status::from_header_map(&trailers)?, bytes))
}
