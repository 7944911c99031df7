//! The methods of the contract as types: each is known by its request, which belongs to no other method.
//!
//! A standard method (AIP-131 to 135, 162, 164, 231) asks every kind for the same. Its *uniform* request is what is left
//! when the kind's name is taken off: [`Get`], [`List`] and so on. Any other method is its own uniform request. `build.rs`
//! recognises the standard methods in the descriptors and writes all implementations of the traits here.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use prost_types::{FieldMask, Timestamp};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::tokio_stream::Stream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::Kind;
use crate::v1::PartialDate;

/// A method of the contract, as its request.
pub trait Method: prost::Message + Default + 'static {
    /// What is answered, once or in a stream.
    type Response: prost::Message + Default + 'static;
    /// What is asked for: [`Of`] a kind, or the request itself.
    type Uniform: Send + 'static;

    /// The full name, such as `partnership.registry.v1.ProjectService/GetProject`.
    const NAME: &'static str;
    /// The path of an HTTP/2 request: the name after a slash.
    const PATH: &'static str;

    /// Takes the kind's name off.
    fn uniform(self) -> Self::Uniform;

    /// The names of the fields that are REQUIRED in the request and that it lacks (AIP-203).
    fn missing(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The id by which a repeated request is known again, where the method has one (AIP-155).
    fn request_id_mut(&mut self) -> Option<&mut String> {
        None
    }

    /// Whether nothing is to be written, where the method has such a field (AIP-163).
    fn validate_only_mut(&mut self) -> Option<&mut bool> {
        None
    }
}

/// What a method of a service gives.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Answers a method that answers once. Whoever does so for all methods of a service implements the service.
pub trait Unary<M: Method> {
    /// Answers a call.
    fn unary(&self, request: Request<M>) -> impl Future<Output = Result<Response<M::Response>, Status>> + Send;
}

/// Answers a method that answers with a stream. Whoever does so for all methods of a service implements the service.
pub trait Streaming<M: Method> {
    /// The answers.
    type Answers: Stream<Item = Result<M::Response, Status>> + Send + 'static;

    /// Begins to answer a call.
    fn streaming(&self, request: Request<M>) -> impl Future<Output = Result<Response<Self::Answers>, Status>> + Send;
}

/// Calls a method that answers once. An answer of more than `answer_bytes_max` is refused.
///
/// # Errors
/// The status that was answered, or UNAVAILABLE if none was.
pub async fn call<M: Method>(
    channel: Channel,
    request: Request<M>,
    answer_bytes_max: usize,
) -> Result<Response<M::Response>, Status> {
    let mut grpc = Grpc::new(channel).max_decoding_message_size(answer_bytes_max);
    grpc.ready().await.map_err(|error| Status::unavailable(format!("the channel is not ready: {error}")))?;
    grpc.unary(request, PathAndQuery::from_static(M::PATH), ProstCodec::default()).await
}

/// The standard methods of a kind, as their requests.
pub trait Standard: Kind {
    /// Whether resources of the kind stand differently from day to day, so that they are read, listed and counted at a
    /// `valid_date`. The requests of other kinds have no such field, and theirs is lost on the way to the server.
    const DATED: bool;
    /// Reads one.
    type Get: Method<Response = Self> + From<Get>;
    /// Lists.
    type List: Method<Response: Into<Listed<Self>>> + From<List>;
    /// Creates one.
    type Create: Method<Response = Self> + From<Create<Self>>;
    /// Changes one.
    type Update: Method<Response = Self> + From<Update<Self>>;
    /// Marks one as deleted.
    type Delete: Method<Response = Self> + From<Delete>;
    /// Brings one back.
    type Undelete: Method<Response = Self> + From<Undelete>;
    /// Makes one what it was.
    type Rollback: Method<Response = Self> + From<Rollback>;
    /// Reads many.
    type BatchGet: Method<Response: Into<BatchRead<Self>>> + From<BatchGet>;
}

/// A uniform request of the kind `K`.
#[derive(Debug)]
pub struct Of<K, R> {
    /// The request.
    pub request: R,
    kind: PhantomData<fn() -> K>,
}

impl<K, R> Of<K, R> {
    pub(crate) fn new(request: impl Into<R>) -> Self {
        Self { request: request.into(), kind: PhantomData }
    }
}

/// Reads one.
#[derive(Debug, Clone, Default)]
pub struct Get {
    /// Its name.
    pub name: String,
    /// As of this revision. 0: the head.
    pub read_revision: u64,
    /// As of this time.
    pub read_time: Option<Timestamp>,
    /// The etag that the caller has.
    pub if_none_match: String,
    /// The fields to answer. `None`: all.
    pub read_mask: Option<FieldMask>,
    /// How it stands on this day. `None`: on the settled day of the revision that is read.
    pub valid_date: Option<PartialDate>,
}

/// Reads a page of a listing.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// The most to answer.
    pub page_size: i32,
    /// Where to go on. Empty: at the beginning.
    pub page_token: String,
    /// Which ones.
    pub filter: String,
    /// In which order.
    pub order_by: String,
    /// Deleted ones too.
    pub show_deleted: bool,
    /// As of this revision. 0: the head.
    pub read_revision: u64,
    /// As of this time.
    pub read_time: Option<Timestamp>,
    /// The fields to answer. `None`: all.
    pub read_mask: Option<FieldMask>,
    /// Only how the listing would be found.
    pub explain: bool,
    /// How they stand on this day. `None`: on the settled day of the revision that is read.
    pub valid_date: Option<PartialDate>,
}

/// A page of a listing.
#[derive(Debug, Clone)]
pub struct Listed<K> {
    /// The page.
    pub resources: Vec<K>,
    /// For the next page. Empty: this was the last.
    pub next_page_token: String,
    /// The revision that all pages show.
    pub revision: u64,
    /// How many the whole listing has.
    pub total_size: i32,
    /// How the listing is found, if that was asked for.
    pub plan: Option<crate::v1::QueryPlan>,
}

/// Creates one.
#[derive(Debug, Clone, Default)]
pub struct Create<K> {
    /// The last part of its name. Empty: the server makes one.
    pub id: String,
    /// What to create.
    pub resource: Option<K>,
    /// The id of the request.
    pub request_id: String,
    /// Check everything, and write nothing.
    pub validate_only: bool,
}

/// Changes one.
#[derive(Debug, Clone, Default)]
pub struct Update<K> {
    /// The new values.
    pub resource: Option<K>,
    /// The fields to change.
    pub update_mask: Option<FieldMask>,
    /// Create it if it does not exist.
    pub allow_missing: bool,
    /// The id of the request.
    pub request_id: String,
    /// Check everything, and write nothing.
    pub validate_only: bool,
}

/// Marks one as deleted.
#[derive(Debug, Clone, Default)]
pub struct Delete {
    /// Its name.
    pub name: String,
    /// The etag it must have. Empty: any.
    pub etag: String,
    /// Succeed if there is none.
    pub allow_missing: bool,
    /// The id of the request.
    pub request_id: String,
    /// Check everything, and write nothing.
    pub validate_only: bool,
}

/// Brings one back.
#[derive(Debug, Clone, Default)]
pub struct Undelete {
    /// Its name.
    pub name: String,
    /// The etag it must have. Empty: any.
    pub etag: String,
    /// The id of the request.
    pub request_id: String,
    /// Check everything, and write nothing.
    pub validate_only: bool,
}

/// Makes one what it was in an earlier revision.
#[derive(Debug, Clone, Default)]
pub struct Rollback {
    /// The name of the revision to go back to: `{resource}/revisions/{revision}`.
    pub name: String,
    /// The etag that the resource must have. Empty: any.
    pub etag: String,
    /// The id of the request.
    pub request_id: String,
    /// Check everything, and write nothing.
    pub validate_only: bool,
}

/// Reads many at one revision.
#[derive(Debug, Clone, Default)]
pub struct BatchGet {
    /// Their names.
    pub names: Vec<String>,
    /// As of this revision. 0: the head.
    pub read_revision: u64,
    /// As of this time.
    pub read_time: Option<Timestamp>,
    /// The fields to answer. `None`: all.
    pub read_mask: Option<FieldMask>,
    /// How they stand on this day. `None`: on the settled day of the revision that is read.
    pub valid_date: Option<PartialDate>,
}

/// What a [`BatchGet`] answers.
#[derive(Debug, Clone)]
pub struct BatchRead<K> {
    /// In the order of the names.
    pub resources: Vec<K>,
    /// The revision that they were read at.
    pub revision: u64,
}
