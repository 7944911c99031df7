//! The one door: every call of every method of every service comes in here, and its answer goes out here.
//!
//! The services are implemented by `build.rs` for whoever is [`Unary`] and [`Streaming`], and [`Api`] is so in this file
//! alone. So a method has nowhere else to come in, and one that nobody handles does not compile. What concerns every call
//! stands here: who calls, what is refused before the request is looked at, and the line of the log.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream;
use partnership_registry::{Method, Streaming, Unary};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep_until, timeout_at};
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request, Response, Status};

use super::answer::Answer;
use super::caller::Caller;
use super::request_log::RequestLog;
use super::status::internal;
use crate::budget::Account;
use crate::faults;
use crate::registry::{Error, Registry, request_hash};
use crate::violations::Violations;

/// What the services share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) registry: Registry,
    /// Becomes `true` when the server drains: streams end then.
    pub(crate) draining: watch::Receiver<bool>,
    /// How long a watch may be silent.
    pub(crate) heartbeat_every: Duration,
}

/// Handles a method that answers once. `R` is its uniform request: `Of<K, Get>` for all kinds, `CommitRequest` for one.
#[diagnostic::on_unimplemented(
    message = "no method of the api handles `{R}`",
    note = "each method of the contract needs a handler: `impl Handle<{R}> for Api`"
)]
pub(crate) trait Handle<R> {
    /// What is answered.
    type Answer;

    /// For how many bytes of its answer a call waits until there is room for them, before anything is read. What may be
    /// answered beyond that, the handler asks for itself.
    fn room(&self, _request: &R) -> usize {
        0
    }

    /// Handles a call that has come through the door.
    fn handle(&self, caller: &Caller, request: R) -> impl Future<Output = Result<Self::Answer, Status>> + Send;
}

/// Handles a method that answers with a stream.
#[diagnostic::on_unimplemented(
    message = "no method of the api handles `{R}`",
    note = "each streaming method of the contract needs a handler: `impl HandleStream<{R}> for Api`"
)]
pub(crate) trait HandleStream<R> {
    /// What is answered, again and again.
    type Answer;

    /// Begins to handle a call that has come through the door. The stream does its work when it is polled, in the room of
    /// its caller, and ends with the caller: it is dropped then.
    fn handle_stream(
        &self,
        caller: &Caller,
        request: R,
    ) -> impl Future<Output = Result<Answers<Self::Answer>, Status>> + Send;
}

/// The answers of a streaming method.
pub(crate) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl<M> Unary<M> for Api
where
    M: Method,
    Api: Handle<M::Uniform, Answer: Answer<M::Response>>,
{
    fn unary(&self, request: Request<M>) -> impl Future<Output = Result<Response<M::Response>, Status>> + Send {
        // Not within the future: one that is async from its beginning keeps room for the request at each step of its way, and
        // is as long as ten of them, which are copied when it is boxed.
        let (metadata, extensions, mut message) = request.into_parts();
        let begun = Call::new(self, M::NAME, &extensions).map(|mut call| {
            let entered = call.enter(&metadata, &mut message).map(|()| Box::new(message.uniform()));
            (call, entered)
        });
        async move {
            let (mut call, entered) = begun?;
            let answer = match entered {
                Ok(request) => call.in_time(self.answer(&call.caller, request)).await,
                Err(status) => Err(status),
            };
            call.log.end(&call.caller, answer.as_ref().err());
            answer.map(|answer| {
                let mut response = answer.into_response();
                // Kept until the answer itself is counted.
                if call.caller.room.is_taken() {
                    response.extensions_mut().insert(call.caller.room.clone());
                }
                response
            })
        }
    }
}

impl Api {
    /// What is answered, once there is room for it.
    async fn answer<R>(&self, caller: &Caller, request: Box<R>) -> Result<<Self as Handle<R>>::Answer, Status>
    where
        Self: Handle<R>,
    {
        caller.room.take(self.room(&request)).await?;
        self.handle(caller, *request).await
    }
}

impl<M> Streaming<M> for Api
where
    M: Method,
    Api: HandleStream<M::Uniform, Answer = M::Response>,
{
    type Answers = Told<M::Response>;

    async fn streaming(&self, request: Request<M>) -> Result<Response<Told<M::Response>>, Status> {
        let (metadata, extensions, mut message) = request.into_parts();
        let mut call = Call::new(self, M::NAME, &extensions)?;
        let begun = match call.enter(&metadata, &mut message) {
            Ok(()) => call.in_time(self.handle_stream(&call.caller, message.uniform())).await,
            Err(status) => Err(status),
        };
        match begun {
            Ok(answers) => {
                let late = call.caller.deadline.map(|deadline| Box::pin(sleep_until(deadline)));
                Ok(Response::new(Told { answers, late, call }))
            }
            Err(status) => {
                call.log.end(&call.caller, Some(&status));
                Err(status)
            }
        }
    }
}

/// A call on its way through the door and back. Dropped before its end, its caller has gone.
struct Call {
    caller: Caller,
    log: RequestLog,
}

impl Call {
    /// A call that came by a connection.
    fn new(api: &Api, method: &'static str, extensions: &Extensions) -> Result<Self, Status> {
        let account = extensions.get::<Account>().ok_or_else(|| internal("the call came by no connection"))?;
        let caller = Caller::unknown(method, account.clone());
        Ok(Self { caller, log: RequestLog::begin(api.draining.clone()) })
    }

    /// What `work` gives, unless it takes longer than the caller waits.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        match self.caller.deadline {
            None => work.await,
            Some(_) if self.caller.is_late() => Err(too_late()),
            Some(deadline) => timeout_at(deadline, work).await.unwrap_or_else(|_| Err(too_late())),
        }
    }

    /// Lets the call in, or refuses it. Nothing of the request has been looked at before, and nothing is after a refusal.
    ///
    /// Whatever decides about calls as such stands here, in this order: who calls, whether he may (authorisation), whether
    /// there is room for it (limits), whether the request has what it must have. What is measured of all calls is measured
    /// where `RequestLog` begins and ends.
    fn enter<M: Method>(&mut self, metadata: &MetadataMap, message: &mut M) -> Result<(), Status> {
        let mark = mark(message);
        self.caller.identify(metadata, mark.id, mark.hash)?;
        Ok(complete(message)?)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.log.gone(&self.caller);
    }
}

/// How a call is answered whose caller does not wait any more.
fn too_late() -> Status {
    match faults::planted("deadline-cancelled") {
        Some(_) => Status::cancelled("timeout expired"),
        None => Error::DeadlineExceeded.into(),
    }
}

/// A stream of answers that ends with the time of its caller, and whose end is told to the log.
pub(crate) struct Told<T> {
    answers: Answers<T>,
    /// Done when the caller does not wait any more. `None`: it waits for ever, or has been told that it is too late.
    late: Option<Pin<Box<Sleep>>>,
    call: Call,
}

impl<T> Stream for Told<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let is_late = self.late.as_mut().is_some_and(|late| late.as_mut().poll(context).is_ready());
        let next = if is_late {
            self.late = None;
            self.answers = Box::pin(stream::poll_fn(|_| Poll::Ready(None)));
            Some(Err(too_late()))
        } else {
            ready!(self.answers.as_mut().poll_next(context))
        };
        let Call { caller, log } = &mut self.call;
        match &next {
            Some(Ok(_)) => {}
            Some(Err(status)) => log.end(caller, Some(status)),
            None => log.end(caller, None),
        }
        Poll::Ready(next)
    }
}

/// Refuses a request that lacks what it must have (AIP-203).
fn complete<M: Method>(message: &M) -> Result<(), Error> {
    let mut violations = Violations::new();
    for field in message.missing() {
        violations.add(field, "is required");
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

/// The id of a request, and the hash of all else that it asks for.
#[derive(Default)]
struct Mark {
    id: String,
    hash: [u8; 16],
}

/// Takes the id out of a request that has one.
fn mark<M: Method>(message: &mut M) -> Mark {
    let id = message.request_id_mut().map(std::mem::take).unwrap_or_default();
    if id.is_empty() {
        return Mark::default();
    }
    // Not a part of the hash: a dry run is answered as the real call would be.
    let validate_only = message.validate_only_mut().map(std::mem::take);
    let hash = request_hash(M::NAME, &message.encode_to_vec());
    if let (Some(field), Some(value)) = (message.validate_only_mut(), validate_only) {
        *field = value;
    }
    Mark { id, hash }
}
