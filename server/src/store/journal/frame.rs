//! The bytes of a journal segment: its header, and the header before each commit. Little endian,
//! each with a checksum of its own. Pure layouts: no file is touched here. What is written here is
//! read by every later version, so a change of layout takes a new `FORMAT_VERSION`.
//!
//! Segment: `magic 8 | version u32 | 0 u32 | store_id 16 | seed 32 | first_revision u64 |
//! created_millis u64 | parent_hash 32 | 0.. | crc32 u32`, 128 bytes, then frames.
//! Frame: `header_crc u32 | len u32 | revision u64 | base u64 | payload_crc u32 | 0 u32 |
//! parent_hash 32`, 64 bytes, then the payload.

use bytes::{Buf, BufMut};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::store::{Hash, Revision};

/// The version of the layouts in this file.
pub(in crate::store) const FORMAT_VERSION: u32 = 1;
/// Length of a segment's header.
pub(in crate::store) const SEGMENT_HEADER_BYTES: usize = 128;
/// Length of a frame's header.
pub(in crate::store) const FRAME_HEADER_BYTES: usize = 64;
/// Largest payload of one commit. Far above what a request may carry, and small enough that a
/// reader can hold one in memory whatever a damaged length says.
pub const PAYLOAD_BYTES_MAX: u32 = 64 << 20;

const MAGIC: [u8; 8] = *b"PRTNJRNL";
const CRC_BYTES: usize = 4;

/// The hash of a commit: SHA-256 over the hash of the commit before it, then its payload.
pub(in crate::store) fn chain(parent_hash: &Hash, payload: &[u8]) -> Hash {
    Sha256::new().chain_update(parent_hash).chain_update(payload).finalize().into()
}

/// What a segment says of itself. No `Debug`: the seed is a secret.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::store) struct SegmentHeader {
    pub(in crate::store) store_id: Uuid,
    pub(in crate::store) seed: [u8; 32],
    pub(in crate::store) first_revision: Revision,
    pub(in crate::store) created_millis: u64,
    pub(in crate::store) parent_hash: Hash,
}

/// Why the bytes are no segment header of this version.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) enum NotAHeader {
    /// They do not begin as a segment does.
    Magic,
    /// A newer server wrote them, in this version of the format.
    Newer(u32),
    /// Their checksum does not match.
    Checksum,
}

impl SegmentHeader {
    pub(in crate::store) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        bytes.put_slice(&MAGIC);
        bytes.put_u32_le(FORMAT_VERSION);
        bytes.put_u32_le(0);
        bytes.put_slice(self.store_id.as_bytes());
        bytes.put_slice(&self.seed);
        bytes.put_u64_le(self.first_revision);
        bytes.put_u64_le(self.created_millis);
        bytes.put_slice(&self.parent_hash);
        bytes.resize(SEGMENT_HEADER_BYTES - CRC_BYTES, 0);
        let crc = crc32fast::hash(&bytes);
        bytes.put_u32_le(crc);
        bytes
    }

    pub(in crate::store) fn decode(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Result<SegmentHeader, NotAHeader> {
        let (covered, crc) = bytes.split_at(SEGMENT_HEADER_BYTES - CRC_BYTES);
        let (mut rest, mut crc) = (covered, crc);
        if take(&mut rest) != MAGIC {
            return Err(NotAHeader::Magic);
        }
        // The version comes before the checksum: a newer format may well place it elsewhere.
        let version = rest.get_u32_le();
        if version > FORMAT_VERSION {
            return Err(NotAHeader::Newer(version));
        }
        if crc.get_u32_le() != crc32fast::hash(covered) || version != FORMAT_VERSION {
            return Err(NotAHeader::Checksum);
        }
        rest.advance(4);
        Ok(SegmentHeader {
            store_id: Uuid::from_bytes(take(&mut rest)),
            seed: take(&mut rest),
            first_revision: rest.get_u64_le(),
            created_millis: rest.get_u64_le(),
            parent_hash: take(&mut rest),
        })
    }
}

/// What stands before each commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct FrameHeader {
    /// Length of the payload.
    pub(in crate::store) len: u32,
    pub(in crate::store) revision: Revision,
    /// The head that was durable when this frame's group was written; one for the whole group.
    pub(in crate::store) base: Revision,
    pub(in crate::store) payload_crc: u32,
    pub(in crate::store) parent_hash: Hash,
}

impl FrameHeader {
    /// Appends the header to `out`.
    pub(in crate::store) fn encode(&self, out: &mut Vec<u8>) {
        let mut covered = [0; FRAME_HEADER_BYTES - CRC_BYTES];
        let mut rest = covered.as_mut_slice();
        rest.put_u32_le(self.len);
        rest.put_u64_le(self.revision);
        rest.put_u64_le(self.base);
        rest.put_u32_le(self.payload_crc);
        rest.put_u32_le(0);
        rest.put_slice(&self.parent_hash);
        out.put_u32_le(crc32fast::hash(&covered));
        out.put_slice(&covered);
    }

    /// The header in these bytes; `None` if the checksum says that there is none.
    pub(in crate::store) fn decode(bytes: &[u8; FRAME_HEADER_BYTES]) -> Option<FrameHeader> {
        let (mut crc, covered) = bytes.split_at(CRC_BYTES);
        if crc.get_u32_le() != crc32fast::hash(covered) {
            return None;
        }
        let mut rest = covered;
        let len = rest.get_u32_le();
        let revision = rest.get_u64_le();
        let base = rest.get_u64_le();
        let payload_crc = rest.get_u32_le();
        let reserved = rest.get_u32_le();
        let parent_hash = take(&mut rest);
        (reserved == 0 && len <= PAYLOAD_BYTES_MAX).then_some(FrameHeader {
            len,
            revision,
            base,
            payload_crc,
            parent_hash,
        })
    }

    /// The revision that these bytes would be of, were they a header: a cheap look before `decode`.
    pub(in crate::store) fn revision_at(bytes: &[u8; FRAME_HEADER_BYTES]) -> Revision {
        let (_, mut rest) = bytes.split_at(8);
        rest.get_u64_le()
    }

    /// Length of the frame: header and payload.
    pub(in crate::store) fn frame_bytes(&self) -> u64 {
        FRAME_HEADER_BYTES as u64 + u64::from(self.len)
    }
}

/// Takes the next `N` bytes. The callers' arrays are long enough by their types.
fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    bytes.copy_to_slice(&mut taken);
    taken
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at what it did not expect")]
mod tests {
    use super::*;

    fn segment() -> SegmentHeader {
        SegmentHeader {
            store_id: Uuid::from_u128(0x1122),
            seed: [7; 32],
            first_revision: 42,
            created_millis: 1_700_000_000_000,
            parent_hash: [9; 32],
        }
    }

    fn frame() -> FrameHeader {
        FrameHeader { len: 650, revision: 7, base: 5, payload_crc: 0xdead_beef, parent_hash: [3; 32] }
    }

    #[test]
    fn a_segment_header_reads_back_and_every_flipped_bit_is_noticed() {
        let bytes: [u8; SEGMENT_HEADER_BYTES] = segment().encode().try_into().unwrap();
        assert!(SegmentHeader::decode(&bytes) == Ok(segment()));
        for bit in 0..SEGMENT_HEADER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentHeader::decode(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_newer_version_is_told_apart_from_damage() {
        let mut bytes: [u8; SEGMENT_HEADER_BYTES] = segment().encode().try_into().unwrap();
        bytes[8] = 2;
        assert!(SegmentHeader::decode(&bytes) == Err(NotAHeader::Newer(2)));
    }

    #[test]
    fn a_frame_header_reads_back_and_every_flipped_bit_is_noticed() {
        let mut bytes = Vec::new();
        frame().encode(&mut bytes);
        let bytes: [u8; FRAME_HEADER_BYTES] = bytes.try_into().unwrap();
        assert_eq!(FrameHeader::decode(&bytes), Some(frame()));
        assert_eq!(FrameHeader::revision_at(&bytes), 7);
        for bit in 0..FRAME_HEADER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn the_layout_is_the_one_that_older_journals_have() {
        let mut bytes = Vec::new();
        frame().encode(&mut bytes);
        assert_eq!(bytes[4..8], 650_u32.to_le_bytes());
        assert_eq!(bytes[8..16], 7_u64.to_le_bytes());
        assert_eq!(bytes[16..24], 5_u64.to_le_bytes());
        assert_eq!(bytes[24..28], 0xdead_beef_u32.to_le_bytes());
        assert_eq!(bytes[32..64], [3; 32]);
        let bytes = segment().encode();
        assert_eq!(bytes[..8], *b"PRTNJRNL");
        assert_eq!(bytes[16..32], 0x1122_u128.to_be_bytes());
        assert_eq!(bytes[64..72], 42_u64.to_le_bytes());
        assert_eq!(bytes[80..112], [9; 32]);
    }
}
