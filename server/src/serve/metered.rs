//! The service of one connection: the routes, and how many calls are open on it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::{Request, Response};
use tokio_util::sync::CancellationToken;
use tower::Service;

/// What one connection holds. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Account(Arc<AtomicUsize>);

impl Account {
    /// How many calls are open: begun, and their answers not handed over to the HTTP/2 library.
    pub(super) fn calls(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn begin(&self) -> Call {
        self.0.fetch_add(1, Ordering::Relaxed);
        Call(self.0.clone())
    }
}

/// An open call.
struct Call(Arc<AtomicUsize>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The routes, for one connection.
#[derive(Clone)]
pub(super) struct Metered<S> {
    routes: S,
    account: Account,
}

impl<S> Metered<S> {
    pub(super) fn new(routes: S, account: Account, _closer: CancellationToken) -> Self {
        Self { routes, account }
    }
}

impl<S> Service<Request<Incoming>> for Metered<S>
where
    S: Service<Request<tonic::body::Body>, Response = Response<tonic::body::Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Counted>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Counted>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.routes.poll_ready(context)
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let call = self.account.begin();
        let answering = self.routes.call(request.map(tonic::body::Body::new));
        Box::pin(async move { Ok(answering.await?.map(|body| Counted { body, _call: call })) })
    }
}

/// The body of an answer. Its call is open until it is dropped.
pub(super) struct Counted {
    body: tonic::body::Body,
    _call: Call,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
