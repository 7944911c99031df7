//! The header of a frame: what stands before each commit, and the seal that ends a full segment. Pure layout, little
//! endian: no file is touched here. What is written here is read by every later version, so a change of layout takes a
//! new version of the segment header.
//!
//! `kind 4 | crc32 u32 | head_len u32 | head_crc32 u32 | documents_len u32 | revision u64 | base u64 | parent_hash 32 |
//! "HEAD"`, 72 bytes; then the head, the documents and `"DONE"`. A seal has neither head nor documents.
//!
//! A header and a frame begin and end with bytes that are never zero, so that one whose last or first sector was never
//! written is told from one that was.

use bytes::{Buf as _, BufMut as _};

use crate::store::record::{Hash, Revision};

/// Length of a frame's header.
pub(super) const FRAME_HEADER_BYTES: usize = 72;
/// What ends a frame.
pub(super) const FRAME_END: [u8; 4] = *b"DONE";
/// Length of a seal. So much of each segment is left for it.
pub(super) const SEAL_BYTES: u64 = (FRAME_HEADER_BYTES + FRAME_END.len()) as u64;
/// Largest head and documents of one commit. Far above what a request may carry, and small enough that a reader can hold
/// one in memory whatever a damaged length says.
pub(super) const COMMIT_BYTES_MAX: u32 = 64 << 20;

const HEADER_END: [u8; 4] = *b"HEAD";
/// The checksum stands behind the kind, and covers all but itself.
const CRC_AT: usize = 4;
const COVERED_AT: usize = 8;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// A commit.
    Commit,
    /// Nothing: it says that the segment is full, and that the next one is there.
    Seal,
}

impl FrameKind {
    const ALL: [FrameKind; 2] = [FrameKind::Commit, FrameKind::Seal];

    fn mark(self) -> [u8; 4] {
        match self {
            FrameKind::Commit => *b"COMM",
            FrameKind::Seal => *b"SEAL",
        }
    }
}

/// What stands before a commit, or is a seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) kind: FrameKind,
    pub(super) head_len: u32,
    pub(super) head_crc: u32,
    pub(super) documents_len: u32,
    /// Of a commit its revision, of a seal that of the last commit before it.
    pub(super) revision: Revision,
    /// The head that was durable when this frame's group was written; one for the whole group.
    pub(super) base: Revision,
    /// The hash of the last commit before the frame.
    pub(super) parent_hash: Hash,
}

impl FrameHeader {
    pub(super) fn encode(&self) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        let mut rest = bytes.as_mut_slice();
        rest.put_slice(&self.kind.mark());
        rest.put_u32_le(0);
        rest.put_u32_le(self.head_len);
        rest.put_u32_le(self.head_crc);
        rest.put_u32_le(self.documents_len);
        rest.put_u64_le(self.revision);
        rest.put_u64_le(self.base);
        rest.put_slice(&self.parent_hash);
        rest.put_slice(&HEADER_END);
        let crc = checksum(&bytes);
        let (_, mut rest) = bytes.split_at_mut(CRC_AT);
        rest.put_u32_le(crc);
        bytes
    }

    /// The whole frame of a header without head and documents: a seal.
    pub(super) fn encode_frame(&self) -> [u8; FRAME_HEADER_BYTES + FRAME_END.len()] {
        let mut frame = [0; FRAME_HEADER_BYTES + FRAME_END.len()];
        let mut rest = frame.as_mut_slice();
        rest.put_slice(&self.encode());
        rest.put_slice(&FRAME_END);
        frame
    }

    /// The header in these bytes; `None` if they are none, or not as they were written.
    pub(super) fn decode(bytes: &[u8; FRAME_HEADER_BYTES]) -> Option<FrameHeader> {
        let mut rest = bytes.as_slice();
        let mark: [u8; 4] = take(&mut rest);
        let kind = FrameKind::ALL.into_iter().find(|kind| kind.mark() == mark)?;
        if rest.get_u32_le() != checksum(bytes) {
            return None;
        }
        let header = FrameHeader {
            kind,
            head_len: rest.get_u32_le(),
            head_crc: rest.get_u32_le(),
            documents_len: rest.get_u32_le(),
            revision: rest.get_u64_le(),
            base: rest.get_u64_le(),
            parent_hash: take(&mut rest),
        };
        let len_is_possible =
            header.head_len.checked_add(header.documents_len).is_some_and(|len| len <= COMMIT_BYTES_MAX);
        (take(&mut rest) == HEADER_END && len_is_possible).then_some(header)
    }

    /// Length of the head and the documents.
    pub(super) fn content_bytes(&self) -> u64 {
        u64::from(self.head_len) + u64::from(self.documents_len)
    }

    /// Length of the frame: header, head, documents and end.
    pub(super) fn frame_bytes(&self) -> u64 {
        SEAL_BYTES + self.content_bytes()
    }
}

fn checksum(header: &[u8; FRAME_HEADER_BYTES]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    let (kind, _) = header.split_at(CRC_AT);
    let (_, covered) = header.split_at(COVERED_AT);
    hasher.update(kind);
    hasher.update(covered);
    hasher.finalize()
}

/// Takes the next `N` bytes. The callers' arrays are long enough by their types.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    bytes.copy_to_slice(&mut taken);
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> FrameHeader {
        FrameHeader {
            kind: FrameKind::Commit,
            head_len: 650,
            head_crc: 0xdead_beef,
            documents_len: 2,
            revision: 7,
            base: 5,
            parent_hash: [3; 32],
        }
    }

    #[test]
    fn a_header_reads_back_and_every_flipped_bit_is_noticed() {
        for header in [frame(), FrameHeader { kind: FrameKind::Seal, head_len: 0, documents_len: 0, ..frame() }] {
            let bytes = header.encode();
            assert_eq!(FrameHeader::decode(&bytes), Some(header));
            for bit in 0..FRAME_HEADER_BYTES * 8 {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(FrameHeader::decode(&flipped), None, "bit {bit}");
            }
        }
    }

    #[test]
    fn the_layout_is_the_one_that_older_journals_have() {
        let bytes = frame().encode();
        assert_eq!(bytes[..4], *b"COMM");
        assert_eq!(bytes[8..12], 650_u32.to_le_bytes());
        assert_eq!(bytes[12..16], 0xdead_beef_u32.to_le_bytes());
        assert_eq!(bytes[16..20], 2_u32.to_le_bytes());
        assert_eq!(bytes[20..28], 7_u64.to_le_bytes());
        assert_eq!(bytes[28..36], 5_u64.to_le_bytes());
        assert_eq!(bytes[36..68], [3; 32]);
        assert_eq!(bytes[68..], *b"HEAD");
        assert_eq!(crc32fast::hash(&[&bytes[..4], &bytes[8..]].concat()).to_le_bytes(), bytes[4..8]);
    }

    #[test]
    fn lengths_that_no_commit_has_are_refused_whatever_the_checksum_says() {
        for (head_len, documents_len) in [(COMMIT_BYTES_MAX, 1), (u32::MAX, 1), (0, u32::MAX)] {
            let header = FrameHeader { head_len, documents_len, ..frame() };
            assert_eq!(FrameHeader::decode(&header.encode()), None);
        }
    }
}
