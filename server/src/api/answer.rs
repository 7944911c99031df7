//! What a method answers: a message, or the bytes of one. A document is answered as the bytes that are stored: nothing is
//! decoded to be encoded again.

use std::marker::PhantomData;

use bytes::Bytes;
use partnership_registry::v1::QueryPlan;
use prost::Message;
use tonic::Response;

/// What can be answered where the contract says `M`.
pub(crate) trait Answer<M> {
    /// The response to give to tonic.
    fn into_response(self) -> Response<M>;
}

/// A message is its own answer.
impl<M: Message> Answer<M> for M {
    fn into_response(self) -> Response<M> {
        Response::new(self)
    }
}

/// A message `M` that is encoded already.
pub(crate) struct Encoded<M> {
    bytes: EncodedAnswer,
    message: PhantomData<fn() -> M>,
}

impl<M> Encoded<M> {
    /// These bytes, which must be those of an `M`.
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { bytes: EncodedAnswer(bytes), message: PhantomData }
    }
}

/// An answer of all kinds to a method, encoded already: it reads as the message of each.
pub(crate) struct EncodedUniform(EncodedAnswer);

impl EncodedUniform {
    /// The bytes of a message that has the fields of the answer by the same numbers, which build.rs sees to.
    pub(crate) fn new(answer: &impl Message) -> Self {
        Self(EncodedAnswer(answer.encode_to_vec().into()))
    }
}

impl<M: Default> Answer<M> for EncodedUniform {
    fn into_response(self) -> Response<M> {
        let mut response = Response::new(M::default());
        response.extensions_mut().insert(self.0);
        response
    }
}

/// A page of resources as their bytes: the answer to `List`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ListedDocuments {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(crate) resources: Vec<Bytes>,
    #[prost(string, tag = "2")]
    pub(crate) next_page_token: String,
    #[prost(uint64, tag = "3")]
    pub(crate) revision: u64,
    #[prost(int32, tag = "4")]
    pub(crate) total_size: i32,
    #[prost(message, optional, tag = "5")]
    pub(crate) plan: Option<QueryPlan>,
}

/// Resources as their bytes: the answer to `BatchGet`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadDocuments {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(crate) resources: Vec<Bytes>,
    #[prost(uint64, tag = "2")]
    pub(crate) revision: u64,
}

/// tonic encodes an empty message, in whose place the bytes are put when the answer leaves: see `serve/metered.rs`.
impl<M: Default> Answer<M> for Encoded<M> {
    fn into_response(self) -> Response<M> {
        let mut response = Response::new(M::default());
        response.extensions_mut().insert(self.bytes);
        response
    }
}

/// The bytes of the message that is answered, beside the empty one that stands for it.
#[derive(Clone)]
pub(crate) struct EncodedAnswer(pub(crate) Bytes);
