//! The services as one connection sees them: what passes of its calls is counted, and held to the budget.
//!
//! A call begins with a charge for itself. What is received of its request is reserved as it comes, and given back once the
//! request is answered; a request that there is no room for is refused at once, since to wait would hold up the other
//! requests of the connection. What is answered is charged as soon as it is there, and given back when its bytes are
//! freed, wherever they are then.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tower::Service as _;
use tower::util::MapResponse;

use super::answer_body::{AnswerBody, Polled, trimmed};
use super::request_body::{MESSAGE_HEADER_BYTES, RequestBody};
use crate::api::{EncodedAnswer, Room};
use crate::budget::Account;
use crate::registry::Error;

/// The services of all connections.
pub(super) type Routes = MapResponse<tonic::service::Routes, fn(Response<Body>) -> Response<Body>>;

/// The services of one connection.
pub(super) struct Metered {
    routes: Routes,
    account: Account,
    /// Closes the connection.
    closer: CancellationToken,
}

impl Metered {
    pub(super) fn new(routes: Routes, account: Account, closer: CancellationToken) -> Self {
        Self { routes, account, closer }
    }
}

impl hyper::service::Service<Request<Incoming>> for Metered {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let account = self.account.clone();
        let Ok(call) = account.open_call() else {
            let busy = Status::from(Error::Busy).into_http::<Body>();
            return Box::pin(async { Ok(busy.map(AnswerBody::refusal)) });
        };
        request.extensions_mut().insert(account.clone());
        let (head, body) = request.into_parts();
        let (body, received) = RequestBody::new(body, &account, self.closer.clone());
        let answering = self.routes.clone().call(Request::from_parts(head, body));
        Box::pin(async move {
            let answer = answering.await?;
            drop(received);
            let (mut head, mut body) = answer.into_parts();
            // An answer that is ready is charged now, and not when its caller makes room for it.
            let mut first = poll_once(&mut body).await;
            if let Poll::Ready(None) = first {
                // Headers alone, which have to end their stream themselves: gRPC takes no empty frame behind a refusal.
                (first, body) = (Poll::Pending, Body::empty());
            }
            let (room, encoded) = (head.extensions.remove::<Room>(), head.extensions.remove::<EncodedAnswer>());
            let is_one_message = room.is_some() || encoded.is_some();
            let first = first.map(|frame| {
                let exact = |frame: Frame<Bytes>| match encoded {
                    // An empty message stands for it.
                    Some(EncodedAnswer(message)) => Frame::data(framed(&message)),
                    // The buffer in which it was made may be twice as long, and goes with the body.
                    None if is_one_message => frame.map_data(|data| Bytes::copy_from_slice(&data)),
                    None => trimmed(frame),
                };
                frame.map(|frame| frame.map(exact))
            });
            let last = if is_one_message { poll_once(&mut body).await } else { Poll::Pending };
            if last.is_ready() {
                body = Body::empty();
            }
            let body = AnswerBody::new(body, [first, last], account, call);
            drop(room);
            Ok(Response::from_parts(head, body))
        })
    }
}

/// A message as gRPC frames it: a byte that says that it is not compressed, then its length.
fn framed(message: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(message.len() + MESSAGE_HEADER_BYTES);
    frame.push(0);
    // No message comes near 4 GiB: a document has 1 MiB at most.
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend_from_slice(message);
    frame.into()
}

/// What a body has at hand.
async fn poll_once(body: &mut Body) -> Polled {
    poll_fn(|context| Poll::Ready(Pin::new(&mut *body).poll_frame(context))).await
}
