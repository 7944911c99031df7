//! The body of a request: it is counted as it comes, and has to come.
//!
//! A body that has begun a message and does not go on closes its connection: what came of it is held meanwhile. Between
//! messages a caller may be silent, as those who stream requests are.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::budget::{Account, Reservation};
use crate::config::{BODY_PART_BYTES_MIN, BODY_PART_MAX};
use crate::faults;
use crate::registry::Error;

/// A byte that tells whether a message is compressed, and its length in four.
pub(super) const MESSAGE_HEADER_BYTES: usize = 5;

/// What was received of a request; given back when neither the body nor the call needs it any more.
pub(super) type Received = Arc<Mutex<Reservation>>;

/// The body of a request.
pub(super) struct RequestBody {
    body: Incoming,
    received: Received,
    messages: Messages,
    pace: Option<Pace>,
    /// Closes the connection.
    closer: CancellationToken,
}

/// How much has come since when.
struct Pace {
    bytes: usize,
    until: Pin<Box<Sleep>>,
}

impl RequestBody {
    /// Takes a body in. Answers what is to be kept for as long as the call needs what it received.
    pub(super) fn new(body: Incoming, account: &Account, closer: CancellationToken) -> (Self, Received) {
        let received: Received = Arc::new(Mutex::new(account.charge(0)));
        let kept = received.clone();
        (Self { body, received, messages: Messages::default(), pace: None, closer }, kept)
    }

    /// Whether the caller has taken too long for what it has begun.
    fn is_too_slow(&mut self, context: &mut Context<'_>) -> bool {
        if !self.messages.is_unfinished() {
            self.pace = None;
            return false;
        }
        loop {
            let pace =
                self.pace.get_or_insert_with(|| Pace { bytes: 0, until: Box::pin(tokio::time::sleep(BODY_PART_MAX)) });
            if pace.until.as_mut().poll(context).is_pending() {
                return false;
            }
            if pace.bytes < BODY_PART_BYTES_MIN {
                return true;
            }
            pace.bytes = 0;
            pace.until.as_mut().reset(Instant::now() + BODY_PART_MAX);
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => {
                return Poll::Ready(Some(Err(Status::cancelled(format!(
                    "the request did not come to its end: {error}"
                )))));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                if self.is_too_slow(context) && faults::planted("slow-bodies").is_none() {
                    self.closer.cancel();
                    return Poll::Ready(Some(Err(Status::cancelled("the request came too slowly"))));
                }
                return Poll::Pending;
            }
        };
        if let Some(data) = frame.data_ref() {
            if self.received.lock().try_grow(data.len()).is_err() {
                return Poll::Ready(Some(Err(Error::Busy.into())));
            }
            if let Some(pace) = &mut self.pace {
                pace.bytes += data.len();
            }
            let data = data.clone();
            self.messages.pass(data);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The messages of a body, as they pass.
#[derive(Default)]
struct Messages {
    /// What has come of the next header.
    header: [u8; MESSAGE_HEADER_BYTES],
    header_bytes: usize,
    /// What is missing of the present message.
    missing: usize,
    /// Whether a message has passed.
    any: bool,
}

impl Messages {
    fn pass(&mut self, mut data: Bytes) {
        while data.has_remaining() {
            if self.missing > 0 {
                let taken = self.missing.min(data.remaining());
                data.advance(taken);
                self.missing -= taken;
                continue;
            }
            if let Some(byte) = self.header.get_mut(self.header_bytes) {
                *byte = data.get_u8();
                self.header_bytes += 1;
            }
            if self.header_bytes == MESSAGE_HEADER_BYTES {
                let [_, length @ ..] = self.header;
                self.missing = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                (self.header_bytes, self.any) = (0, true);
            }
        }
    }

    /// Whether a message has begun and not ended, or none has come yet.
    fn is_unfinished(&self) -> bool {
        !self.any || self.missing > 0 || self.header_bytes > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_finished_when_all_of_it_has_come() {
        let two = [&[0, 0, 0, 0, 3][..], b"abc", &[0, 0, 0, 0, 0], &[0, 0, 0, 0, 1], b"d"].concat();
        let ends = [8, 13, 19];
        for size in 1..two.len() {
            let mut messages = Messages::default();
            let mut passed = 0;
            assert!(messages.is_unfinished(), "none has come");
            for piece in two.chunks(size) {
                messages.pass(Bytes::copy_from_slice(piece));
                passed += piece.len();
                assert_eq!(messages.is_unfinished(), !ends.contains(&passed), "{passed} in pieces of {size}");
            }
        }
    }
}
