//! Follows HTTP/2 frames as their bytes pass, without keeping any: where one ends, of what type it is and how long.
//!
//! It checks nothing: bytes that are no frames are refused by the HTTP/2 library, which sees them too.

/// The length of what a client says first (RFC 9113, 3.4).
const PREFACE_BYTES: usize = 24;
/// The length of what stands before each frame (RFC 9113, 4.1).
const HEAD_BYTES: usize = 9;

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const SETTINGS: u8 = 0x4;
const CONTINUATION: u8 = 0x9;

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// What stands before a frame, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    length: u32,
    kind: u8,
    flags: u8,
}

impl Frame {
    fn read(head: [u8; HEAD_BYTES]) -> Self {
        let [high, middle, low, kind, flags, ..] = head;
        Self { length: u32::from_be_bytes([0, high, middle, low]), kind, flags }
    }

    /// The bytes behind its head.
    pub(super) fn length(self) -> u32 {
        self.length
    }

    pub(super) fn is_settings(self) -> bool {
        self.kind == SETTINGS && self.flags & ACK == 0
    }

    pub(super) fn is_data(self) -> bool {
        self.kind == DATA
    }

    pub(super) fn is_headers(self) -> bool {
        self.kind == HEADERS
    }

    /// Whether headers are complete with it, if they were not.
    pub(super) fn ends_headers(self) -> bool {
        matches!(self.kind, HEADERS | CONTINUATION) && self.flags & END_HEADERS != 0
    }

    /// Whether it carries nothing of a call: neither headers nor data nor the end of a request.
    pub(super) fn is_control(self) -> bool {
        match self.kind {
            DATA => self.length == 0 && self.flags & END_STREAM == 0,
            HEADERS => false,
            // Those that carry headers are few: the library takes no more than fit into its limit.
            CONTINUATION => self.length == 0,
            _ => true,
        }
    }
}

/// The frames of one direction.
#[derive(Debug)]
pub(super) struct Frames {
    preface_left: usize,
    /// What is known of the next head.
    head: [u8; HEAD_BYTES],
    head_known: usize,
    /// The frame that is passing, and how much of it is still to come.
    passing: Option<(Frame, usize)>,
}

impl Frames {
    /// What a client sends.
    pub(super) fn of_client() -> Self {
        Self { preface_left: PREFACE_BYTES, head: [0; HEAD_BYTES], head_known: 0, passing: None }
    }

    /// What a server sends.
    pub(super) fn of_server() -> Self {
        Self { preface_left: 0, ..Self::of_client() }
    }

    /// Whether a frame has begun to pass and not ended.
    pub(super) fn within_frame(&self) -> bool {
        self.head_known > 0 || self.passing.is_some()
    }

    /// Follows these bytes, and tells each frame that is complete with them.
    pub(super) fn pass(&mut self, bytes: &[u8], mut each: impl FnMut(Frame)) {
        let mut rest = bytes;
        skip(&mut rest, &mut self.preface_left);
        while !rest.is_empty() {
            match &mut self.passing {
                None => {
                    for (place, byte) in self.head.iter_mut().skip(self.head_known).zip(rest) {
                        *place = *byte;
                    }
                    let mut missing = HEAD_BYTES - self.head_known;
                    self.head_known += skip(&mut rest, &mut missing);
                    if missing > 0 {
                        return;
                    }
                    self.head_known = 0;
                    let frame = Frame::read(self.head);
                    self.passing = Some((frame, usize::try_from(frame.length).unwrap_or(usize::MAX)));
                }
                Some((_, left)) => {
                    skip(&mut rest, left);
                }
            }
            if let Some((frame, 0)) = self.passing {
                self.passing = None;
                each(frame);
            }
        }
    }
}

/// Leaves out up to `left` bytes, and answers how many.
fn skip(bytes: &mut &[u8], left: &mut usize) -> usize {
    let skipped = bytes.len().min(*left);
    *bytes = bytes.get(skipped..).unwrap_or_default();
    *left -= skipped;
    skipped
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    fn frame(kind: u8, flags: u8, length: u32) -> Vec<u8> {
        let [_, high, middle, low] = length.to_be_bytes();
        let mut bytes = vec![high, middle, low, kind, flags, 0, 0, 0, 1];
        bytes.extend(std::iter::repeat_n(7, length.try_into().unwrap_or_default()));
        bytes
    }

    #[test]
    fn frames_are_told_however_their_bytes_are_cut() {
        let sent =
            [(SETTINGS, 0, 0), (HEADERS, END_HEADERS, 40), (DATA, 0, 70_000), (DATA, END_STREAM, 0), (0x6, 0, 8)];
        let mut bytes = PREFACE.to_vec();
        bytes.extend(sent.iter().flat_map(|(kind, flags, length)| frame(*kind, *flags, *length)));
        for piece in [1, 2, 8, 9, 10, 23, 24, 25, 33, 1_000, bytes.len()] {
            let (mut frames, mut seen) = (Frames::of_client(), Vec::new());
            for piece in bytes.chunks(piece) {
                frames.pass(piece, |frame| seen.push((frame.kind, frame.flags, frame.length)));
            }
            assert_eq!(seen, sent, "in pieces of {piece}");
            assert!(!frames.within_frame());
        }
    }

    #[test]
    fn a_frame_that_is_not_complete_is_known() {
        let bytes = frame(0x6, 0, 8);
        for known in 1..bytes.len() {
            let mut frames = Frames::of_server();
            frames.pass(&bytes[..known], |frame| panic!("{frame:?} after {known} bytes"));
            assert!(frames.within_frame(), "after {known} bytes");
        }
        let mut frames = Frames::of_client();
        frames.pass(&PREFACE[..20], |_| panic!("no frame"));
        assert!(!frames.within_frame(), "what comes before all frames is none");
    }

    #[test]
    fn what_carries_nothing_is_told_from_what_does() {
        let control = |kind, flags, length| Frame { length, kind, flags }.is_control();
        for (kind, flags, length) in [(DATA, 0, 1), (DATA, END_STREAM, 0), (HEADERS, 0, 0), (CONTINUATION, 0, 1)] {
            assert!(!control(kind, flags, length), "{kind} {flags} {length}");
        }
        // Priority, reset, settings, push, ping, goaway, window update, and types that nobody knows.
        for kind in [0x2, 0x3, SETTINGS, 0x5, 0x6, 0x7, 0x8, 0xa, 0xff] {
            assert!(control(kind, 0, 8), "{kind}");
        }
        assert!(control(DATA, 0, 0) && control(CONTINUATION, END_HEADERS, 0));
    }
}
