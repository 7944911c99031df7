//! The frames of one segment, read front to back in large pieces. Checksums are verified here; what follows what
//! (revisions, hashes) is for `check.rs`, and so is the verdict on what is no frame. Nothing is written here.

use bytes::Bytes;

use super::commit::{Fault, decode_head, fill_documents};
use super::frame::{FRAME_END, FRAME_HEADER_BYTES, FrameHeader, FrameKind, SEAL_BYTES};
use super::segment::{Segment, usize_of};
use crate::store::disk::{self, DiskError};
use crate::store::record::{Record, Revision};

/// Enough to make system calls rare, little enough for many watchers at once.
const CHUNK_BYTES: u64 = 256 << 10;

/// What stands at the next place of a segment.
pub(super) enum Step {
    /// A commit.
    Commit { offset: u64, end: u64, base: Revision, record: Record },
    /// The seal.
    Seal { offset: u64, header: FrameHeader },
    /// The limit, exactly behind a frame.
    End,
    /// No whole frame, at this offset. If its header is whole, `end` is where the frame should end; if not, where the
    /// header should.
    Bad { offset: u64, end: u64, fault: Fault },
}

/// Reads the frames of one segment, from an offset up to a limit.
pub(super) struct Walk {
    pub(super) segment: Segment,
    /// Where the next frame begins.
    pub(super) offset: u64,
    /// Nothing is read from here on.
    pub(super) limit: u64,
    buffer: Vec<u8>,
    buffer_offset: u64,
}

impl Walk {
    pub(super) fn new(segment: Segment, offset: u64, limit: u64) -> Walk {
        Walk { segment, offset, limit, buffer: Vec::new(), buffer_offset: offset }
    }

    /// The next frame. After anything but a frame, the same place again.
    pub(super) fn step(&mut self) -> Result<Step, DiskError> {
        let offset = self.offset;
        if offset >= self.limit {
            return Ok(Step::End);
        }
        let header_end = offset + FRAME_HEADER_BYTES as u64;
        let header = match self.bytes_at(offset, FRAME_HEADER_BYTES as u64)? {
            None => return Ok(Step::Bad { offset, end: header_end, fault: Fault::Short }),
            Some(bytes) => bytes.first_chunk().and_then(FrameHeader::decode),
        };
        let Some(header) = header else {
            return Ok(Step::Bad { offset, end: header_end, fault: Fault::Header });
        };
        let end = offset + header.frame_bytes();
        let bad = |fault| Ok(Step::Bad { offset, end, fault });
        let mut content = match self.bytes_at(header_end, end - header_end)? {
            None => return bad(Fault::Short),
            Some(bytes) if !bytes.ends_with(&FRAME_END) => return bad(Fault::End),
            Some(bytes) => Bytes::copy_from_slice(bytes),
        };
        let step = match header.kind {
            FrameKind::Seal if end - offset == SEAL_BYTES => Step::Seal { offset, header },
            FrameKind::Seal => return bad(Fault::Unreadable),
            FrameKind::Commit => {
                let Ok(narrow) = u32::try_from(offset) else { return bad(Fault::Unreadable) };
                let head = content.split_to(header.head_len as usize);
                let documents = content.split_to(header.documents_len as usize);
                let decoded = decode_head(&header, &head, self.segment.ordinal, narrow).and_then(|mut record| {
                    fill_documents(&mut record, &documents)?;
                    Ok(record)
                });
                match decoded {
                    Ok(record) => Step::Commit { offset, end, base: header.base, record },
                    Err(fault) => return bad(fault),
                }
            }
        };
        self.offset = end;
        Ok(step)
    }

    /// Forgets what was read ahead: another process may have written since.
    pub(super) fn look_again(&mut self) {
        self.buffer.clear();
    }

    /// The `len` bytes at `offset`, or `None` if the limit comes before their end.
    fn bytes_at(&mut self, offset: u64, len: u64) -> Result<Option<&[u8]>, DiskError> {
        if offset + len > self.limit {
            return Ok(None);
        }
        let buffered = self.buffer_offset + self.buffer.len() as u64;
        if offset < self.buffer_offset || offset + len > buffered {
            let fill = len.max(CHUNK_BYTES).min(self.limit - offset);
            self.buffer.resize(usize_of(fill), 0);
            self.buffer_offset = offset;
            let read = disk::read_at(&self.segment.file, &self.segment.path, &mut self.buffer, offset);
            if read.is_err() {
                self.buffer.clear();
            }
            read?;
        }
        let from = usize_of(offset - self.buffer_offset);
        Ok(self.buffer.get(from..from + usize_of(len)))
    }
}
