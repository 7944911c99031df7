//! The socket of a connection, which follows the frames of HTTP/2 as they pass (RFC 9113), to tell what a caller must not
//! do: begin and not go on, send frames that ask for nothing without end, and take nothing of what is owed to it.
//!
//! It looks at the nine bytes before each frame and copies nothing. It decides when a connection is to be closed, and
//! leaves all else to the HTTP/2 library.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::config::{CONTROL_FRAMES_MAX, CONTROL_FRAMES_PER_SECOND, SLOW_MAX};

/// What a client says first, before its first frame.
const PREFACE_BYTES: u8 = 24;
/// The bytes before the payload of a frame.
const FRAME_HEADER_BYTES: usize = 9;
/// So many bytes sent to a caller allow it one frame more that asks for nothing: it has something to acknowledge. What the
/// server has to answer to such a frame (17 bytes to a PING) is less.
const BYTES_PER_CONTROL_FRAME: usize = 32;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// A socket, and what passes through it.
pub(super) struct Wire<S> {
    socket: S,
    traffic: Arc<Mutex<Traffic>>,
}

impl<S> Wire<S> {
    /// A socket that was opened just now, and the view of its traffic.
    pub(super) fn new(socket: S) -> (Self, Arc<Mutex<Traffic>>) {
        let traffic = Arc::new(Mutex::new(Traffic::new(Instant::now())));
        (Self { socket, traffic: traffic.clone() }, traffic)
    }
}

/// Why a connection is closed on account of what passes through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Abuse {
    /// The caller has begun something and does not go on.
    #[error("no whole preface, SETTINGS, frame or block of headers within {} s", SLOW_MAX.as_secs())]
    Slow,
    /// The caller sends frames that ask for nothing.
    #[error("more SETTINGS, PING, PRIORITY, WINDOW_UPDATE, RST_STREAM and empty frames than any use has")]
    Flood,
    /// The caller takes nothing of what was answered.
    #[error("nothing is taken of what was answered")]
    TakesNothing,
}

/// What has passed, and what is expected to.
pub(super) struct Traffic {
    at: At,
    /// Whether the client has sent its SETTINGS.
    greeted: bool,
    /// Whether a block of headers has begun and not ended.
    in_headers: bool,
    /// Since when something has begun that has not ended.
    unfinished_since: Option<Instant>,
    /// Since when nothing can be written.
    blocked_since: Option<Instant>,
    /// How many frames that ask for nothing may still come.
    allowance: usize,
    /// When the allowance was last raised.
    raised: Instant,
    /// What was sent and has not raised it yet.
    sent: usize,
}

/// Where in what the client sends the next byte belongs.
enum At {
    /// So many bytes of the preface are missing.
    Preface(u8),
    /// In the header of a frame, of which so many bytes are there.
    Header([u8; FRAME_HEADER_BYTES], usize),
    /// In the payload of a frame, of which so many bytes are missing.
    Payload { missing: usize, is_data: bool },
}

impl Traffic {
    fn new(now: Instant) -> Self {
        Self {
            at: At::Preface(PREFACE_BYTES),
            greeted: false,
            in_headers: false,
            unfinished_since: Some(now),
            blocked_since: None,
            allowance: CONTROL_FRAMES_MAX,
            raised: now,
            sent: 0,
        }
    }

    /// What is wrong by `now` with a caller who may leave what is owed to it for `patience`.
    pub(super) fn abuse(&self, now: Instant, patience: Duration) -> Option<Abuse> {
        let lasts = |since: Option<Instant>, max| since.is_some_and(|since| now.duration_since(since) >= max);
        if lasts(self.unfinished_since, SLOW_MAX) {
            Some(Abuse::Slow)
        } else if lasts(self.blocked_since, patience) {
            Some(Abuse::TakesNothing)
        } else {
            None
        }
    }

    /// Follows what the client has sent.
    fn received(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Abuse> {
        let mut completed = false;
        while !bytes.is_empty() {
            match &mut self.at {
                At::Preface(missing) => {
                    let taken = bytes.len().min(usize::from(*missing));
                    *missing -= u8::try_from(taken).unwrap_or(*missing);
                    bytes = bytes.get(taken..).unwrap_or_default();
                    if *missing == 0 {
                        self.at = At::Header([0; FRAME_HEADER_BYTES], 0);
                    }
                }
                At::Header(header, have) => {
                    let taken = bytes.len().min(FRAME_HEADER_BYTES - *have);
                    let (new, rest) = bytes.split_at(taken);
                    if let Some(place) = header.get_mut(*have..*have + taken) {
                        place.copy_from_slice(new);
                    }
                    (*have, bytes) = (*have + taken, rest);
                    if *have == FRAME_HEADER_BYTES {
                        let header = *header;
                        self.begun(header, now)?;
                        completed |= matches!(self.at, At::Header(..));
                    }
                }
                At::Payload { missing, .. } => {
                    let taken = bytes.len().min(*missing);
                    (*missing, bytes) = (*missing - taken, bytes.get(taken..).unwrap_or_default());
                    if *missing == 0 {
                        self.at = At::Header([0; FRAME_HEADER_BYTES], 0);
                        completed = true;
                    }
                }
            }
        }
        let unfinished = match &self.at {
            At::Preface(_) => true,
            At::Header(_, have) => *have > 0 || self.in_headers || !self.greeted,
            // How slowly a body may come is seen to where the body is read.
            At::Payload { is_data, .. } => !is_data,
        };
        if !unfinished {
            self.unfinished_since = None;
        } else if self.unfinished_since.is_none() || (completed && self.greeted && !self.in_headers) {
            self.unfinished_since = Some(now);
        }
        Ok(())
    }

    /// Takes in the header of a frame.
    fn begun(&mut self, header: [u8; FRAME_HEADER_BYTES], now: Instant) -> Result<(), Abuse> {
        let [high, middle, low, kind, flags, ..] = header;
        let len = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.greeted |= kind == SETTINGS;
        self.at = match len {
            0 => At::Header([0; FRAME_HEADER_BYTES], 0),
            missing => At::Payload { missing, is_data: kind == DATA },
        };
        match kind {
            HEADERS | CONTINUATION => self.in_headers = flags & END_HEADERS == 0,
            DATA if len > 0 => {}
            _ => return self.spend(now),
        }
        Ok(())
    }

    /// Counts a frame that asks for nothing.
    fn spend(&mut self, now: Instant) -> Result<(), Abuse> {
        if self.allowance == 0 {
            let seconds = usize::try_from(now.duration_since(self.raised).as_secs()).unwrap_or(usize::MAX);
            let raise = seconds.saturating_mul(CONTROL_FRAMES_PER_SECOND) + self.sent / BYTES_PER_CONTROL_FRAME;
            (self.allowance, self.raised, self.sent) = (raise.min(CONTROL_FRAMES_MAX), now, 0);
        }
        self.allowance = self.allowance.checked_sub(1).ok_or(Abuse::Flood)?;
        Ok(())
    }

    /// Follows what became of a write.
    fn wrote(&mut self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.blocked_since = None;
                self.sent = self.sent.saturating_add(*bytes);
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                self.blocked_since.get_or_insert_with(Instant::now);
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buf);
        let new = buf.filled().get(before..).unwrap_or_default();
        if !new.is_empty() {
            self.traffic.lock().received(new, Instant::now()).map_err(io::Error::other)?;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, buf);
        self.traffic.lock().wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, bufs);
        self.traffic.lock().wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use super::*;

    const LATER: Duration = Duration::from_secs(60);

    fn frame(len: usize, kind: u8, flags: u8) -> Vec<u8> {
        let length = u32::try_from(len).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags, 0, 0, 0, 1];
        frame.resize(FRAME_HEADER_BYTES + len, 0);
        frame
    }

    fn greeting() -> Vec<u8> {
        [vec![b'P'; usize::from(PREFACE_BYTES)], frame(0, SETTINGS, 0)].concat()
    }

    /// What is wrong a while after so much has come, in pieces of any size.
    fn after(bytes: &[u8]) -> Vec<Option<Abuse>> {
        let began = Instant::now();
        let sizes = [1, 2, 7, bytes.len().max(1)];
        let ends = sizes.map(|size| {
            let mut traffic = Traffic::new(began);
            bytes.chunks(size).for_each(|chunk| traffic.received(chunk, began).unwrap());
            assert_eq!(traffic.abuse(began + SLOW_MAX / 2, LATER), None);
            traffic.abuse(began + SLOW_MAX, LATER)
        });
        ends.to_vec()
    }

    #[test]
    fn what_has_begun_has_to_go_on() {
        let greeted = greeting();
        let with = |more: &[u8]| [greeted.clone(), more.to_vec()].concat();
        let table = [
            ("nothing", Vec::new(), true),
            ("half a preface", greeted[..12].to_vec(), true),
            ("no SETTINGS", greeted[..24].to_vec(), true),
            ("a greeting", greeted.clone(), false),
            ("half a frame's header", with(&frame(8, 6, 0)[..5]), true),
            ("half a PING", with(&frame(8, 6, 0)[..12]), true),
            ("a PING", with(&frame(8, 6, 0)), false),
            ("half of HEADERS", with(&frame(100, HEADERS, END_HEADERS)[..50]), true),
            ("HEADERS", with(&frame(100, HEADERS, END_HEADERS)), false),
            ("HEADERS that go on", with(&frame(100, HEADERS, 0)), true),
            ("a CONTINUATION that goes on", with(&[frame(9, HEADERS, 0), frame(9, CONTINUATION, 0)].concat()), true),
            ("the last", with(&[frame(9, HEADERS, 0), frame(9, CONTINUATION, END_HEADERS)].concat()), false),
            ("half of DATA", with(&frame(100, DATA, 0)[..50]), false),
        ];
        for (what, bytes, slow) in table {
            let expected = slow.then_some(Abuse::Slow);
            assert_eq!(after(&bytes), vec![expected; 4], "{what}");
        }
    }

    #[test]
    fn frames_that_come_one_after_the_other_are_not_slow() {
        let began = Instant::now();
        let mut traffic = Traffic::new(began);
        traffic.received(&greeting(), began).unwrap();
        // Each piece ends in the middle of a frame.
        let stream = frame(8, 6, 0).repeat(100);
        for (second, piece) in (0..).zip(stream.chunks(18)) {
            let now = began + Duration::from_secs(second);
            traffic.received(piece, now).unwrap();
            assert_eq!(traffic.abuse(now, LATER), None, "{second}");
        }
    }

    #[test]
    fn frames_that_ask_for_nothing_are_allowed_by_time_and_by_what_was_sent() {
        let began = Instant::now();
        // How many of a frame are taken: the one that is too many ends a connection.
        let taken = |traffic: &mut Traffic, flood: &[u8], now| {
            (0..).find(|_| traffic.received(flood, now) == Err(Abuse::Flood)).unwrap()
        };
        let greeted = || {
            let mut traffic = Traffic::new(began);
            traffic.received(&greeting(), began).unwrap();
            traffic
        };
        for (kind, len) in [(SETTINGS, 0), (6, 8), (2, 5), (8, 4), (3, 4), (DATA, 0), (99, 1)] {
            // The SETTINGS of the greeting is one.
            assert_eq!(taken(&mut greeted(), &frame(len, kind, 0), began), CONTROL_FRAMES_MAX - 1, "{kind}");
        }
        let (mut traffic, flood) = (greeted(), frame(0, SETTINGS, 0));
        taken(&mut traffic, &flood, began);
        let later = began + Duration::from_secs(3);
        assert_eq!(taken(&mut traffic, &flood, later), 3 * CONTROL_FRAMES_PER_SECOND);
        traffic.wrote(&Poll::Ready(Ok(50 * BYTES_PER_CONTROL_FRAME)));
        assert_eq!(taken(&mut traffic, &flood, later), 50);
        let useful = [frame(9, HEADERS, END_HEADERS), frame(9, DATA, 1)].concat();
        let mut traffic = greeted();
        (0..CONTROL_FRAMES_MAX * 2).for_each(|_| traffic.received(&useful, began).unwrap());
    }

    #[test]
    fn who_takes_nothing_is_told_from_who_takes_little() {
        let began = Instant::now();
        let mut traffic = Traffic::new(began);
        traffic.received(&greeting(), began).unwrap();
        traffic.wrote(&Poll::Pending);
        assert_eq!(traffic.abuse(began + LATER / 2, LATER), None);
        assert_eq!(traffic.abuse(Instant::now() + LATER, LATER), Some(Abuse::TakesNothing));
        traffic.wrote(&Poll::Ready(Ok(1)));
        assert_eq!(traffic.abuse(Instant::now() + LATER, LATER), None);
    }
}
