//! The end of a journal: tells an orderly end and a torn one, which a crash leaves and which nobody was promised, from
//! damage. A segment's file is zeros before it is written, so what was never written can be seen. Nothing is written here.

use super::frame::{FRAME_HEADER_BYTES, FrameHeader};
use super::segment::{Segment, ZEROS, usize_of};
use crate::store::disk::{self, DiskError};
use crate::store::record::Revision;

/// The unit in which a disk writes: after a power cut a piece of this size is there or is not.
const SECTOR_BYTES: u64 = 512;
/// So much is read at once.
const CHUNK_BYTES: u64 = ZEROS.len() as u64;

/// Bytes that a crash left behind the last commit.
#[derive(Clone)]
pub(super) struct Torn {
    pub(super) segment: Segment,
    /// Where the first frame begins that is not whole.
    pub(super) offset: u64,
    /// Behind the last byte that is not zero.
    pub(super) end: u64,
}

/// Behind the last byte of a range that is not zero; `None` if all are zero.
pub(super) fn written_end(segment: &Segment, from: u64, to: u64) -> Result<Option<u64>, DiskError> {
    let mut end = to;
    while end > from {
        let start = end.saturating_sub(CHUNK_BYTES).max(from);
        let chunk = read(segment, start, end)?;
        if !is_zero(&chunk) {
            let last = chunk.iter().rposition(|byte| *byte != 0);
            return Ok(last.map(|last| start + last as u64 + 1));
        }
        end = start;
    }
    Ok(None)
}

/// Whether any frame header from `from` to `to` says that revision `expected` was durable when it was written. Every
/// offset is tried: where frames begin is not known behind a bad one.
pub(super) fn later_group_exists(segment: &Segment, from: u64, to: u64, expected: Revision) -> Result<bool, DiskError> {
    let window = FRAME_HEADER_BYTES as u64;
    let mut at = from;
    while at + window <= to {
        let chunk = read(segment, at, (at + CHUNK_BYTES + window - 1).min(to))?;
        let vouches =
            |bytes: &[u8; FRAME_HEADER_BYTES]| FrameHeader::decode(bytes).is_some_and(|header| header.base >= expected);
        if chunk.windows(FRAME_HEADER_BYTES).filter_map(|bytes| bytes.first_chunk()).any(vouches) {
            return Ok(true);
        }
        at += CHUNK_BYTES;
    }
    Ok(false)
}

/// Whether one of the sectors in which the bytes from `from` to `to` lie was never written: it holds nothing but zeros,
/// from `from` on.
pub(super) fn has_unwritten_sector(segment: &Segment, from: u64, to: u64, limit: u64) -> Result<bool, DiskError> {
    let mut at = from;
    while at < to {
        let end = to.min(at - at % CHUNK_BYTES + CHUNK_BYTES).next_multiple_of(SECTOR_BYTES).min(limit);
        let chunk = read(segment, at, end)?;
        let first = usize_of(SECTOR_BYTES - at % SECTOR_BYTES).min(chunk.len());
        let (first, rest) = chunk.split_at(first);
        if is_zero(first) || rest.chunks(usize_of(SECTOR_BYTES)).any(is_zero) {
            return Ok(true);
        }
        at = end;
    }
    Ok(false)
}

/// Whether these bytes, at most [`CHUNK_BYTES`], are all zero.
fn is_zero(bytes: &[u8]) -> bool {
    ZEROS.get(..bytes.len()).is_some_and(|zeros| zeros == bytes)
}

fn read(segment: &Segment, from: u64, to: u64) -> Result<Vec<u8>, DiskError> {
    let mut bytes = vec![0; usize_of(to - from)];
    disk::read_at(&segment.file, &segment.path, &mut bytes, from)?;
    Ok(bytes)
}
