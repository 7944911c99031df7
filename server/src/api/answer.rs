//! What a method answers: a message, or the bytes of one. A document is answered as the bytes that are stored: nothing is
//! decoded to be encoded again.

use std::marker::PhantomData;

use bytes::Bytes;
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

/// The answer of all kinds to a method, which becomes the message of one.
pub(crate) struct Uniform<T>(pub(crate) T);

impl<T: Into<M>, M> Answer<M> for Uniform<T> {
    fn into_response(self) -> Response<M> {
        Response::new(self.0.into())
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
