//! How messages are read: as prost does, but for requests that would take many times the memory of their bytes.
//!
//! An empty message in a list takes two bytes on the way and up to a kilobyte as a value: a request of the largest size
//! could become gigabytes. So the parts of a request are counted before it is decoded.
//!
//! Nor does a message get more memory than it takes: by itself, tonic begins each with 8 KiB and lets it grow step by step.

use std::marker::PhantomData;

use bytes::Buf as _;
use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic_prost::{ProstCodec, ProstDecoder};

/// The most parts of a request, which are its messages, texts and lists: 256 for each mutation of a full commit, of which most
/// have some dozens.
pub const REQUEST_PARTS_MAX: usize = 256 << 10;

/// The most of them that a request has itself: twice what the lists of any request may have, which is 1,000 items each.
pub const REQUEST_OWN_PARTS_MAX: usize = 4_000;

/// Messages within messages are looked for so deep: twice as deep as the contract goes.
const DEPTH_MAX: u32 = 16;

/// The first buffer of a message, which is as long as most requests, and enough for the header of an answer.
const BUFFER_BYTES: usize = 1 << 10;
/// The messages of a stream are sent together up to so many bytes: as tonic does by itself.
const SENT_TOGETHER_BYTES: usize = 32 << 10;

fn buffers() -> BufferSettings {
    BufferSettings::new(BUFFER_BYTES, SENT_TOGETHER_BYTES)
}

/// Reads and writes messages.
#[derive(Debug, Clone)]
pub struct BoundedCodec<T, U>(PhantomData<fn(T) -> U>);

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for BoundedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ExactEncoder<T>;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ExactEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(ProstCodec::<T, U>::raw_decoder(buffers()))
    }
}

/// Writes messages, each with as much memory as it takes.
#[derive(Debug)]
pub struct ExactEncoder<T>(PhantomData<fn(T)>);

impl<T: Message> Encoder for ExactEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.reserve(item.encoded_len());
        item.encode_raw(buf);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        buffers()
    }
}

/// Reads messages.
#[derive(Debug)]
pub struct BoundedDecoder<U>(ProstDecoder<U>);

impl<U: Message + Default> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // What is asked for is a request, whatever it is called, and only that is not trusted (AIP-131 and following).
        let is_request = std::any::type_name::<U>().ends_with("Request");
        if is_request && has_too_many_parts(buf.chunk()) {
            return Err(Status::resource_exhausted("the request has too many parts"));
        }
        self.0.decode(buf)
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.0.buffer_settings()
    }
}

fn has_too_many_parts(request: &[u8]) -> bool {
    // Nothing shorter has so many.
    if request.len() < 2 * REQUEST_OWN_PARTS_MAX {
        return false;
    }
    let mut own = 0;
    let mut rest = request;
    while let Some((part, after)) = next_part(rest) {
        own += usize::from(part.is_some());
        rest = after;
    }
    let mut left = REQUEST_PARTS_MAX;
    own > REQUEST_OWN_PARTS_MAX || !count(request, 0, &mut left)
}

/// Takes the parts of what may be a message from those that are left. `false`: there are too many. A text may look like a
/// message; it has few parts then, since none is shorter than ten bytes without control characters.
fn count(mut bytes: &[u8], depth: u32, left: &mut usize) -> bool {
    while let Some((part, rest)) = next_part(bytes) {
        if let Some(part) = part {
            match left.checked_sub(1) {
                Some(one_less) => *left = one_less,
                None => return false,
            }
            if depth < DEPTH_MAX && !count(part, depth + 1, left) {
                return false;
            }
        }
        bytes = rest;
    }
    true
}

/// The next field, if it has a length, and what comes after it. `None`: there is none, or it is none.
fn next_part(mut bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let key = varint(&mut bytes)?;
    match key & 7 {
        0 => varint(&mut bytes).map(|_| (None, bytes)),
        1 => bytes.get(8..).map(|rest| (None, rest)),
        2 => {
            let length = usize::try_from(varint(&mut bytes)?).ok()?;
            bytes.split_at_checked(length).map(|(part, rest)| (Some(part), rest))
        }
        5 => bytes.get(4..).map(|rest| (None, rest)),
        _ => None,
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{CommitRequest, Country, CreateMutation, Mutation, Resource, mutation, resource};

    fn commit(count: usize, labels: usize) -> Vec<u8> {
        let labels = (0..labels).map(|number| (format!("k{number}"), "v".to_owned())).collect();
        let country = Country { labels, ..Country::default() };
        let resource = Some(Resource { kind: Some(resource::Kind::Country(country)) });
        let operation = Some(mutation::Operation::Create(CreateMutation { resource }));
        let mutations = vec![Mutation { operation }; count];
        CommitRequest { mutations, ..CommitRequest::default() }.encode_to_vec()
    }

    #[test]
    fn requests_of_too_many_parts_are_known_without_decoding_them() {
        assert!(!has_too_many_parts(&commit(1_000, 64)), "a full commit, of some 200 parts each");
        assert!(has_too_many_parts(&commit(1_000, 100)), "more than 300 each");
        let nothings = |count: usize| [0x0a, 0].repeat(count);
        assert!(!has_too_many_parts(&nothings(REQUEST_OWN_PARTS_MAX)));
        assert!(has_too_many_parts(&nothings(REQUEST_OWN_PARTS_MAX + 1)));
    }

    #[test]
    fn a_text_has_few_parts_whatever_it_looks_like() {
        for text in ["\n", "\n\n", "b", "abc \n\t", "ünder", "\u{1f30d}"] {
            // No text has more characters.
            let text = text.repeat(20_000 / text.chars().count());
            let mut left = REQUEST_PARTS_MAX;
            assert!(count(text.as_bytes(), 0, &mut left));
            assert!(REQUEST_PARTS_MAX - left < 4_000, "{text:.8}");
        }
    }
}
