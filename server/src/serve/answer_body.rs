//! The body of an answer: its bytes are charged when they are there, and given back when they are freed.
//!
//! The HTTP/2 library keeps what it is handed until the caller takes it, also when the body has gone. So each piece carries
//! its charge with it. It is handed small pieces, so that it can be seen whether the caller takes any.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http_body::{Body as _, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use crate::budget::{Account, Aged, OpenCall, Reservation};

/// The most bytes that are handed over at once: what the transport keeps for a caller.
const PIECE_BYTES_MAX: usize = 64 << 10;
/// What tonic made and is at most so long is copied: the buffer in which it was made is longer.
const COPIED_BYTES_MAX: usize = 4 << 10;

/// What was polled of a body. `Pending`: nothing.
pub(super) type Polled<T = Bytes> = Poll<Option<Result<Frame<T>, Status>>>;

/// The body of an answer.
pub(super) struct AnswerBody {
    body: Body,
    /// What was polled of the body before it was handed over, in its order.
    polled: [Polled<Charged>; 2],
    /// What is left of what was too large to be handed over at once.
    rest: Bytes,
    /// `None` for a refusal, which has no body.
    metering: Option<(Account, OpenCall)>,
}

impl AnswerBody {
    /// An answer, and what was polled of it already.
    pub(super) fn new(body: Body, polled: [Polled; 2], account: Account, call: OpenCall) -> Self {
        let charged = |frame: Frame<Bytes>| frame.map_data(|bytes| Charged::new(bytes, &account));
        let polled = polled.map(|polled| polled.map(|frame| frame.map(|frame| frame.map(charged))));
        Self { body, polled, rest: Bytes::new(), metering: Some((account, call)) }
    }

    /// An answer of headers alone.
    pub(super) fn refusal(body: Body) -> Self {
        Self { body, polled: [Poll::Pending, Poll::Pending], rest: Bytes::new(), metering: None }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Polled<Charged> {
        if let Some(polled) = self.polled.iter_mut().find(|polled| polled.is_ready()) {
            return std::mem::replace(polled, Poll::Pending);
        }
        let next = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(match (next, &self.metering) {
            (Some(Ok(frame)), Some((account, _))) => {
                Some(Ok(trimmed(frame).map_data(|bytes| Charged::new(bytes, account))))
            }
            (Some(Err(status)), _) => Some(Err(status)),
            // A refusal has no body.
            (Some(Ok(_)), None) | (None, _) => None,
        })
    }

    /// Whether nothing is left of what was polled before.
    fn is_handed_over(&self) -> bool {
        self.rest.is_empty() && self.polled.iter().all(Poll::is_pending)
    }

    /// What is handed over now of what was charged.
    fn piece(&mut self, whole: Charged) -> Bytes {
        if whole.bytes.len() > PIECE_BYTES_MAX {
            self.rest = Bytes::from_owner(whole);
            return self.piece_of_rest();
        }
        let _aged = whole.charge.account().aged();
        Bytes::from_owner(Piece { bytes: whole.bytes, _charge: Some(whole.charge), _aged })
    }

    /// The next piece of what was too large.
    fn piece_of_rest(&mut self) -> Bytes {
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES_MAX));
        match &self.metering {
            Some((account, _)) => Bytes::from_owner(Piece { bytes: piece, _charge: None, _aged: account.aged() }),
            None => piece,
        }
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        if self.rest.has_remaining() {
            return Poll::Ready(Some(Ok(Frame::data(self.piece_of_rest()))));
        }
        let next = ready!(self.next(context));
        Poll::Ready(next.map(|frame| frame.map(|frame| frame.map_data(|whole| self.piece(whole)))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_handed_over() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_handed_over() { self.body.size_hint() } else { SizeHint::default() }
    }
}

/// A frame that tonic made, without the room in its buffer that it does not need.
pub(super) fn trimmed(frame: Frame<Bytes>) -> Frame<Bytes> {
    frame.map_data(|data| if data.len() <= COPIED_BYTES_MAX { Bytes::copy_from_slice(&data) } else { data })
}

/// Bytes that are charged until they are freed.
struct Charged {
    bytes: Bytes,
    charge: Reservation,
}

impl Charged {
    fn new(bytes: Bytes, account: &Account) -> Self {
        let charge = account.charge(bytes.len());
        Self { bytes, charge }
    }
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Bytes that were handed over, and are owed until they are freed.
struct Piece {
    bytes: Bytes,
    /// Theirs alone; `None` for a part of what was charged as a whole.
    _charge: Option<Reservation>,
    _aged: Aged,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
