//! A segment: the names of the files, and the header with which each begins. Pure layout, little endian, but for the
//! listing of the directory. What is written here is read by every later version.
//!
//! `magic 8 | version u32 | ordinal u32 | store_id 16 | seed 32 | epoch u64 | first_revision u64 | created_millis u64 |
//! parent_hash 32 | file_bytes u64 | 0.. | crc32 u32`, one sector of 512 bytes; then frames, then zeros up to
//! `file_bytes`. A file whose header is not there yet is a segment made ahead of time, and holds nothing.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf as _, BufMut as _};
use uuid::Uuid;

use super::frame::{SEAL_BYTES, take};
use crate::store::disk::{self, DiskError, failed};
use crate::store::record::{Hash, Revision};

/// The version of the layouts of the journal.
pub(super) const FORMAT_VERSION: u32 = 2;
/// Length of a segment's header: the unit in which a disk writes.
pub(super) const SEGMENT_HEADER_BYTES: usize = 512;
/// Where the first frame of a segment begins.
pub(super) const FRAMES_AT: u64 = SEGMENT_HEADER_BYTES as u64;
/// The smallest segment: it has room for its seal.
pub(super) const SEGMENT_BYTES_MIN: u64 = FRAMES_AT + SEAL_BYTES;
/// Zeros, as a segment holds them before it is written: the piece in which they are written and compared.
pub(super) static ZEROS: [u8; 1 << 20] = [0; 1 << 20];
/// Offsets in a segment are kept as `u32`, so no segment may be larger.
pub(super) const SEGMENT_BYTES_LIMIT: u64 = u32::MAX as u64;

const MAGIC: [u8; 8] = *b"PRTNJRNL";
const CRC_BYTES: usize = 4;
const SUFFIX: &str = ".seg";
const PROVISIONAL_SUFFIX: &str = ".seg.new";
const DIGITS: usize = 10;
/// Files of format version 1 are named by a revision.
const DIGITS_OF_VERSION_1: usize = 20;

/// The file of a segment.
pub(super) fn path_of(dir: &Path, ordinal: u32) -> PathBuf {
    dir.join(format!("{ordinal:010}{SUFFIX}"))
}

/// The name that the first segment has until its header is durable. Later ones need none: until the segment before is
/// sealed they hold nothing.
pub(super) fn provisional_path_of(dir: &Path) -> PathBuf {
    dir.join(format!("{:010}{PROVISIONAL_SUFFIX}", 0))
}

/// Whether a file is a segment of format version 1.
pub(super) fn is_of_version_1(path: &Path) -> Result<bool, DiskError> {
    let mut start = Vec::new();
    let file = File::open(path).map_err(failed("open", path))?;
    file.take((MAGIC.len() + 4) as u64).read_to_end(&mut start).map_err(failed("read", path))?;
    let version = start.strip_prefix(&MAGIC);
    Ok(version == Some(&1_u32.to_le_bytes()))
}

/// An open segment. Readers and the writer use the same descriptor.
#[derive(Clone)]
pub(super) struct Segment {
    pub(super) ordinal: u32,
    pub(super) path: Arc<Path>,
    pub(super) file: Arc<File>,
}

/// What lies in a journal's directory.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The segments, by their ordinals.
    pub(super) segments: Vec<(u32, PathBuf)>,
    /// Segments of format version 1.
    pub(super) older: Vec<PathBuf>,
    /// A first segment that never got its name: left by a crash.
    pub(super) provisional: Vec<PathBuf>,
    /// Files that end like a segment and are named like none.
    pub(super) strange: Vec<PathBuf>,
}

impl Listing {
    /// Lists a journal's directory. Files of other names are left alone.
    pub(super) fn of(dir: &Path) -> Result<Listing, DiskError> {
        let mut listing = Listing::default();
        for path in disk::list(dir)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if name.ends_with(PROVISIONAL_SUFFIX) {
                listing.provisional.push(path);
            } else if let Some(digits) = name.strip_suffix(SUFFIX) {
                let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
                match (digits.len(), digits.parse()) {
                    (DIGITS, Ok(ordinal)) if is_number => listing.segments.push((ordinal, path)),
                    (DIGITS_OF_VERSION_1, _) if is_number => listing.older.push(path),
                    _ => listing.strange.push(path),
                }
            }
        }
        listing.segments.sort();
        listing.older.sort();
        Ok(listing)
    }

    /// Whether no journal was ever begun here.
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.older.is_empty() && self.strange.is_empty()
    }
}

/// What a segment says of itself. No `Debug`: the seed is a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    /// Its place in the order of all segments: 0 for the first.
    pub(super) ordinal: u32,
    pub(super) store_id: Uuid,
    pub(super) seed: [u8; 32],
    pub(super) epoch: u64,
    pub(super) first_revision: Revision,
    pub(super) created_millis: u64,
    /// The hash of the last commit before the segment.
    pub(super) parent_hash: Hash,
    /// The length of the whole file: one that was cut off is told by it.
    pub(super) file_bytes: u64,
}

/// Why the bytes are no segment header of this version.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotAHeader {
    /// They do not begin as a segment does.
    Magic,
    /// An older server wrote them, in version 1 of the format.
    Older,
    /// A newer server wrote them, in this version of the format.
    Newer(u32),
    /// Their checksum does not match.
    Checksum,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        let mut rest = bytes.as_mut_slice();
        rest.put_slice(&MAGIC);
        rest.put_u32_le(FORMAT_VERSION);
        rest.put_u32_le(self.ordinal);
        rest.put_slice(self.store_id.as_bytes());
        rest.put_slice(&self.seed);
        rest.put_u64_le(self.epoch);
        rest.put_u64_le(self.first_revision);
        rest.put_u64_le(self.created_millis);
        rest.put_slice(&self.parent_hash);
        rest.put_u64_le(self.file_bytes);
        let (covered, mut crc) = bytes.split_at_mut(SEGMENT_HEADER_BYTES - CRC_BYTES);
        crc.put_u32_le(crc32fast::hash(covered));
        bytes
    }

    pub(super) fn decode(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Result<SegmentHeader, NotAHeader> {
        let (covered, mut crc) = bytes.split_at(SEGMENT_HEADER_BYTES - CRC_BYTES);
        let mut rest = covered;
        if take(&mut rest) != MAGIC {
            return Err(NotAHeader::Magic);
        }
        match rest.get_u32_le() {
            FORMAT_VERSION => {}
            1 => return Err(NotAHeader::Older),
            newer if newer > FORMAT_VERSION => return Err(NotAHeader::Newer(newer)),
            _ => return Err(NotAHeader::Checksum),
        }
        if crc.get_u32_le() != crc32fast::hash(covered) {
            return Err(NotAHeader::Checksum);
        }
        Ok(SegmentHeader {
            ordinal: rest.get_u32_le(),
            store_id: Uuid::from_bytes(take(&mut rest)),
            seed: take(&mut rest),
            epoch: rest.get_u64_le(),
            first_revision: rest.get_u64_le(),
            created_millis: rest.get_u64_le(),
            parent_hash: take(&mut rest),
            file_bytes: rest.get_u64_le(),
        })
    }
}

/// A length in memory. Lengths here are bounded by a frame or a segment, far below the largest.
pub(super) fn usize_of(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> SegmentHeader {
        SegmentHeader {
            ordinal: 3,
            store_id: Uuid::from_u128(0x1122),
            seed: [7; 32],
            epoch: 5,
            first_revision: 42,
            created_millis: 1_700_000_000_000,
            parent_hash: [9; 32],
            file_bytes: 64 << 20,
        }
    }

    #[test]
    fn a_header_reads_back_and_every_flipped_bit_is_noticed() {
        let bytes = header().encode();
        assert!(SegmentHeader::decode(&bytes) == Ok(header()));
        for bit in 0..SEGMENT_HEADER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentHeader::decode(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn other_versions_are_told_apart_from_damage() {
        let mut bytes = header().encode();
        bytes[8] = 3;
        assert!(SegmentHeader::decode(&bytes) == Err(NotAHeader::Newer(3)));
        bytes[8] = 1;
        assert!(SegmentHeader::decode(&bytes) == Err(NotAHeader::Older));
        bytes[8] = 0;
        assert!(SegmentHeader::decode(&bytes) == Err(NotAHeader::Checksum));
    }

    #[test]
    fn the_layout_is_the_one_that_older_journals_have() {
        let bytes = header().encode();
        assert_eq!(bytes[..8], *b"PRTNJRNL");
        assert_eq!(bytes[8..12], 2_u32.to_le_bytes());
        assert_eq!(bytes[12..16], 3_u32.to_le_bytes());
        assert_eq!(bytes[16..32], 0x1122_u128.to_be_bytes());
        assert_eq!(bytes[32..64], [7; 32]);
        assert_eq!(bytes[64..72], 5_u64.to_le_bytes());
        assert_eq!(bytes[72..80], 42_u64.to_le_bytes());
        assert_eq!(bytes[88..120], [9; 32]);
        assert_eq!(bytes[120..128], (64_u64 << 20).to_le_bytes());
    }

    #[test]
    fn names_that_are_nearly_those_of_segments_are_strange() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["0000000001.seg", "00000000000000000001.seg", "+000000001.seg", "9999999999.seg", "x.seg", "notes"]
        {
            std::fs::write(dir.path().join(name), b"").unwrap();
        }
        let listing = Listing::of(dir.path()).unwrap();
        assert_eq!(listing.segments, [(1, path_of(dir.path(), 1))]);
        assert_eq!((listing.older.len(), listing.strange.len()), (1, 3));
    }
}
