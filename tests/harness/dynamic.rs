//! Calls by descriptor: any method of the contract with messages whose type is known only when the test runs.

use std::str::FromStr as _;

use bytes::Buf as _;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor, ReflectMessage as _, Value};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Encodes dynamic messages, and decodes those of one type.
struct DynamicCodec(MessageDescriptor);

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = DynamicEncoder;
    type Decoder = DynamicDecoder;

    fn encoder(&mut self) -> DynamicEncoder {
        DynamicEncoder
    }

    fn decoder(&mut self) -> DynamicDecoder {
        DynamicDecoder(self.0.clone())
    }
}

struct DynamicEncoder;

impl Encoder for DynamicEncoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

struct DynamicDecoder(MessageDescriptor);

impl Decoder for DynamicDecoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let message = DynamicMessage::decode(self.0.clone(), bytes);
        message.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}

/// Calls methods by their descriptors.
#[derive(Clone)]
pub(crate) struct Caller(Channel);

impl Caller {
    pub(crate) fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// Calls a method that answers once.
    pub(crate) async fn call(
        &self,
        method: &MethodDescriptor,
        request: DynamicMessage,
    ) -> Result<DynamicMessage, Status> {
        self.call_with(method, request, MetadataMap::new()).await
    }

    /// Calls a method that answers once, with metadata.
    pub(crate) async fn call_with(
        &self,
        method: &MethodDescriptor,
        request: DynamicMessage,
        metadata: MetadataMap,
    ) -> Result<DynamicMessage, Status> {
        let mut grpc = Grpc::new(self.0.clone());
        grpc.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
        let request = Request::from_parts(metadata, Default::default(), request);
        Ok(grpc.unary(request, path(method), DynamicCodec(method.output())).await?.into_inner())
    }

    /// Calls a method that answers with a stream, and answers its first message.
    pub(crate) async fn first_of_stream(
        &self,
        method: &MethodDescriptor,
        request: DynamicMessage,
    ) -> Result<Option<DynamicMessage>, Status> {
        self.first_of_stream_with(method, request, MetadataMap::new()).await
    }

    /// Calls a method that answers with a stream, with metadata, and answers its first message.
    pub(crate) async fn first_of_stream_with(
        &self,
        method: &MethodDescriptor,
        request: DynamicMessage,
        metadata: MetadataMap,
    ) -> Result<Option<DynamicMessage>, Status> {
        let mut grpc = Grpc::new(self.0.clone());
        grpc.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
        let request = Request::from_parts(metadata, Default::default(), request);
        let answer = grpc.server_streaming(request, path(method), DynamicCodec(method.output())).await?;
        answer.into_inner().message().await
    }
}

fn path(method: &MethodDescriptor) -> PathAndQuery {
    PathAndQuery::from_str(&format!("/{}/{}", method.parent_service().full_name(), method.name())).unwrap()
}

/// A message with some of its fields set.
pub(crate) fn message<'a>(
    descriptor: &MessageDescriptor,
    fields: impl IntoIterator<Item = (&'a str, Value)>,
) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for (name, value) in fields {
        set(&mut message, name, value);
    }
    message
}

/// Sets a field, which must be there.
#[track_caller]
pub(crate) fn set(message: &mut DynamicMessage, field: &str, value: Value) {
    if let Err(error) = message.try_set_field_by_name(field, value) {
        panic!("{}.{field}: {error}", message.descriptor().name());
    }
}

/// The value of a field, which must be there.
#[track_caller]
pub(crate) fn get(message: &DynamicMessage, field: &str) -> Value {
    match message.get_field_by_name(field) {
        Some(value) => value.into_owned(),
        None => panic!("{} has no field {field}", message.descriptor().name()),
    }
}

/// The text of a field.
#[track_caller]
pub(crate) fn text(message: &DynamicMessage, field: &str) -> String {
    get(message, field).as_str().unwrap().to_owned()
}

/// The number in an unsigned field.
#[track_caller]
pub(crate) fn number(message: &DynamicMessage, field: &str) -> u64 {
    get(message, field).as_u64().unwrap()
}

/// The messages of a list.
#[track_caller]
pub(crate) fn messages(message: &DynamicMessage, field: &str) -> Vec<DynamicMessage> {
    get(message, field).as_list().unwrap().iter().map(|item| item.as_message().unwrap().clone()).collect()
}

/// A text as a value.
pub(crate) fn string(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

/// A list of texts as a value.
pub(crate) fn strings<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Value {
    Value::List(texts.into_iter().map(|text| Value::String(text.into())).collect())
}
