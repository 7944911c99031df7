//! One segment file, read front to back: its name, its header, its frames in buffered chunks.
//! Checksums are verified here; what follows what (revisions, hashes) is for `check.rs`, and so is
//! the verdict on a frame that is not whole. Nothing is written here.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::store::Revision;
use crate::store::disk::{self, DiskError, failed};
use crate::store::journal::frame::{FRAME_HEADER_BYTES, FrameHeader};

/// Enough to make system calls rare, little enough for many watchers at once.
const CHUNK_BYTES: u64 = 256 << 10;

const SUFFIX: &str = ".seg";
const PROVISIONAL_SUFFIX: &str = ".seg.new";
const DIGITS: usize = 20;

/// The file of the segment that begins with `first`.
pub(in crate::store) fn path_of(dir: &Path, first: Revision) -> PathBuf {
    dir.join(format!("{first:020}{SUFFIX}"))
}

/// The name that a segment has until it is durable.
pub(in crate::store) fn provisional_path_of(dir: &Path, first: Revision) -> PathBuf {
    dir.join(format!("{first:020}{PROVISIONAL_SUFFIX}"))
}

/// What lies in a journal's directory.
#[derive(Debug, Default)]
pub(in crate::store) struct Listing {
    /// The segments, by their first revision.
    pub(in crate::store) segments: Vec<(Revision, PathBuf)>,
    /// Segments that never got their name: left by a crash.
    pub(in crate::store) provisional: Vec<PathBuf>,
    /// Files that end like a segment and are named like none.
    pub(in crate::store) strange: Vec<PathBuf>,
}

/// Lists a journal's directory. Files of other names are left alone.
pub(in crate::store) fn list(dir: &Path) -> Result<Listing, DiskError> {
    let mut listing = Listing::default();
    for path in disk::list(dir)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if name.ends_with(PROVISIONAL_SUFFIX) {
            listing.provisional.push(path);
        } else if let Some(digits) = name.strip_suffix(SUFFIX) {
            match digits.parse() {
                Ok(first) if digits.len() == DIGITS => listing.segments.push((first, path)),
                Ok(_) | Err(_) => listing.strange.push(path),
            }
        }
    }
    listing.segments.sort();
    Ok(listing)
}

/// What is wrong with the bytes where a frame should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Fault {
    /// The file ends within the header.
    ShortHeader,
    /// The header does not match its checksum.
    Header,
    /// The header is whole, and the file ends within the payload.
    ShortPayload,
    /// The payload does not match its checksum.
    Payload,
}

/// One whole frame.
pub(in crate::store) struct Frame {
    /// Where it begins in its file.
    pub(in crate::store) offset: u64,
    pub(in crate::store) header: FrameHeader,
    pub(in crate::store) payload: Bytes,
}

/// What stands at the next place of a segment.
pub(in crate::store) enum Step {
    Frame(Frame),
    /// The end, exactly behind a frame.
    End,
    /// No whole frame, at this offset.
    Bad {
        offset: u64,
        fault: Fault,
    },
}

/// Reads the frames of one file, from an offset up to a limit.
pub(in crate::store) struct Walk {
    pub(in crate::store) file: Arc<File>,
    pub(in crate::store) path: Arc<Path>,
    /// Where the next frame begins.
    offset: u64,
    /// Nothing is read from here on.
    pub(in crate::store) limit: u64,
    buffer: Vec<u8>,
    buffer_offset: u64,
}

impl Walk {
    pub(in crate::store) fn new(file: Arc<File>, path: Arc<Path>, offset: u64, limit: u64) -> Walk {
        Walk { file, path, offset, limit, buffer: Vec::new(), buffer_offset: offset }
    }

    /// The next frame. After anything but a frame, the same answer again.
    pub(in crate::store) fn step(&mut self) -> Result<Step, DiskError> {
        let offset = self.offset;
        if offset >= self.limit {
            return Ok(Step::End);
        }
        let bad = |fault| Ok(Step::Bad { offset, fault });
        let header = match self.bytes_at(offset, FRAME_HEADER_BYTES as u64)? {
            None => return bad(Fault::ShortHeader),
            Some(bytes) => bytes.first_chunk().and_then(FrameHeader::decode),
        };
        let Some(header) = header else {
            return bad(Fault::Header);
        };
        let payload_offset = offset + FRAME_HEADER_BYTES as u64;
        let payload = match self.bytes_at(payload_offset, u64::from(header.len))? {
            None => return bad(Fault::ShortPayload),
            Some(bytes) if crc32fast::hash(bytes) != header.payload_crc => return bad(Fault::Payload),
            Some(bytes) => Bytes::copy_from_slice(bytes),
        };
        self.offset = offset + header.frame_bytes();
        Ok(Step::Frame(Frame { offset, header, payload }))
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
            self.file
                .read_exact_at(&mut self.buffer, offset)
                .inspect_err(|_| self.buffer.clear())
                .map_err(failed("read", &self.path))?;
        }
        let from = usize_of(offset - self.buffer_offset);
        Ok(self.buffer.get(from..from + usize_of(len)))
    }
}

/// A length in memory. Lengths here are bounded by a frame or a segment, far below the largest.
pub(in crate::store) fn usize_of(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
