//! The data dictionary of sled: every key and every value layout, and what of each goes into the
//! fingerprint of the whole. Pure bytes: sled is not known here. Integers in keys are big endian,
//! so that their order is the numbers'; in values they are little endian.
//!
//! | key                  | value                                                   | what it is                |
//! | -------------------- | ------------------------------------------------------- | ------------------------- |
//! | `s` name             | crc32 u32, revision u64, envelope                       | a resource as it is       |
//! | `h` name 0 revision  | nothing                                                 | a version before that one |
//! | `m`                  | format u32, store id 16, revision u64, hash 32, fingerprint u64, crc32 u32 | how far this goes |
//!
//! A change of any layout takes a new `FORMAT_VERSION`: the state is then rebuilt from the journal.

use bytes::{Buf, BufMut};
use uuid::Uuid;

use crate::store::{Hash, Head, Revision};

/// The version of the layouts in this file.
const FORMAT_VERSION: u32 = 3;

const CURRENT: u8 = b's';
const REPLACED: u8 = b'h';
/// The key of the mark.
pub(super) const MARK: &[u8] = b"m";

const REVISION_BYTES: usize = 8;
const CRC_BYTES: usize = 4;

/// The key of a resource as it is.
pub(super) fn current(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + name.len());
    key.put_u8(CURRENT);
    key.put_slice(name.as_bytes());
    key
}

/// The name in the key of a current resource.
fn name_of(current_key: &[u8]) -> Option<&str> {
    let name = current_key.strip_prefix(&[CURRENT])?;
    std::str::from_utf8(name).ok()
}

/// The value of a resource as it is, to be stored under this key.
pub(super) fn current_value(key: &[u8], revision: Revision, envelope: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(CRC_BYTES + REVISION_BYTES + envelope.len());
    value.put_u32_le(0);
    value.put_u64_le(revision);
    value.put_slice(envelope);
    let crc = crc_of(key, value.get(CRC_BYTES..).unwrap_or_default());
    if let Some(place) = value.first_chunk_mut() {
        *place = crc.to_le_bytes();
    }
    value
}

/// The revision and the envelope; `None` if the value is not as it was written under this key.
pub(super) fn read_current<'a>(key: &[u8], value: &'a [u8]) -> Option<(Revision, &'a [u8])> {
    let mut rest = value;
    let crc = rest.try_get_u32_le().ok()?;
    if crc != crc_of(key, rest) {
        return None;
    }
    let revision = rest.try_get_u64_le().ok()?;
    Some((revision, rest))
}

/// Over the key as well: a whole value under a wrong key is wrong.
fn crc_of(key: &[u8], rest: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key);
    crc.update(rest);
    crc.finalize()
}

/// The key of a version that another has replaced.
pub(super) fn replaced(name: &str, revision: Revision) -> Vec<u8> {
    let mut key = Vec::with_capacity(2 + name.len() + REVISION_BYTES);
    key.put_u8(REPLACED);
    key.put_slice(name.as_bytes());
    key.put_u8(0);
    key.put_u64(revision);
    key
}

/// The revision in the key of a replaced version; `None` for any other key.
pub(super) fn replaced_revision(key: &[u8]) -> Option<Revision> {
    let (rest, revision) = key.strip_prefix(&[REPLACED])?.split_last_chunk()?;
    rest.ends_with(&[0]).then_some(Revision::from_be_bytes(*revision))
}

/// How far the state has come, of which journal, and what it must add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Mark {
    pub(in crate::store) store_id: Uuid,
    pub(in crate::store) head: Head,
    pub(super) fingerprint: u64,
}

impl Mark {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.put_u32_le(FORMAT_VERSION);
        bytes.put_slice(self.store_id.as_bytes());
        bytes.put_u64_le(self.head.revision);
        bytes.put_slice(&self.head.hash);
        bytes.put_u64_le(self.fingerprint);
        let crc = crc32fast::hash(&bytes);
        bytes.put_u32_le(crc);
        bytes
    }

    /// `None` if the bytes are no mark of this format.
    pub(super) fn decode(bytes: &[u8]) -> Option<Mark> {
        let (covered, crc) = bytes.split_last_chunk()?;
        if u32::from_le_bytes(*crc) != crc32fast::hash(covered) {
            return None;
        }
        let mut rest = covered;
        if rest.try_get_u32_le().ok()? != FORMAT_VERSION {
            return None;
        }
        let mut store_id = [0; 16];
        let mut hash: Hash = [0; 32];
        rest.try_copy_to_slice(&mut store_id).ok()?;
        let revision = rest.try_get_u64_le().ok()?;
        rest.try_copy_to_slice(&mut hash).ok()?;
        let fingerprint = rest.try_get_u64_le().ok()?;
        rest.is_empty().then_some(Mark {
            store_id: Uuid::from_bytes(store_id),
            head: Head { revision, hash },
            fingerprint,
        })
    }
}

/// What one entry adds to the fingerprint, the wrapping sum over all entries but the mark. Of a
/// current resource it is the revision (its value has a checksum of its own, so the sum can follow
/// a change without the old value), of the others the value.
pub(super) fn share(key: &[u8], told: &[u8]) -> u64 {
    // FNV-1a: fixed by its definition, a few lines, quick on short keys. Its low bits are weak, and
    // a sum shows that, so the last step of MurmurHash3 spreads them.
    let fnv = key
        .iter()
        .chain(told)
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

/// What the entry `key`, `value` adds to the fingerprint; `None` if it is not a sound entry.
pub(super) fn share_of_stored(key: &[u8], value: &[u8]) -> Option<u64> {
    match *key.first()? {
        CURRENT => {
            let (revision, _) = read_current(key, value)?;
            name_of(key)?;
            Some(share(key, &revision.to_le_bytes()))
        }
        REPLACED => replaced_revision(key).filter(|_| value.is_empty()).map(|_| share(key, value)),
        _ if key == MARK => Some(0),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at what it did not expect")]
mod tests {
    use super::*;

    #[test]
    fn a_current_resource_reads_back_and_every_flipped_bit_is_noticed() {
        let key = current("countries/fr");
        assert_eq!(key, b"scountries/fr");
        assert_eq!(name_of(&key), Some("countries/fr"));
        let value = current_value(&key, 5, b"envelope");
        assert_eq!(value[4..12], 5_u64.to_le_bytes());
        assert_eq!(read_current(&key, &value), Some((5, b"envelope".as_slice())));
        assert_eq!(read_current(b"scountries/de", &value), None);
        for bit in 0..value.len() * 8 {
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_current(&key, &flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn a_replaced_version_reads_back_and_is_ordered_by_revision() {
        let key = replaced("a/b", 258);
        assert_eq!(key, b"ha/b\0\0\0\0\0\0\0\x01\x02");
        assert_eq!(replaced_revision(&key), Some(258));
        assert_eq!(replaced_revision(&key[1..]), None);
        assert_eq!(replaced_revision(b"h"), None);
        assert_eq!(replaced_revision(b"ha/b\x01\0\0\0\0\0\0\x01\x02"), None);
        assert!(replaced("a/b", 255) < replaced("a/b", 256));
    }

    #[test]
    fn a_mark_reads_back_and_every_flipped_bit_is_noticed() {
        let mark = Mark { store_id: Uuid::from_u128(77), head: Head { revision: 3, hash: [4; 32] }, fingerprint: 5 };
        let bytes = mark.encode();
        assert_eq!(bytes.len(), 72);
        assert_eq!(Mark::decode(&bytes), Some(mark));
        assert_eq!(Mark::decode(&[]), None);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Mark::decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn the_fingerprint_is_the_one_that_older_states_have() {
        assert_eq!(share(b"", b""), 0xefd0_1f60_ba99_2926);
        assert_eq!(share(b"ab", b"c"), share(b"a", b"bc"));
        let key = current("n");
        let value = current_value(&key, 4, b"e");
        assert_eq!(share_of_stored(&key, &value), Some(share(&key, &4_u64.to_le_bytes())));
        let key = replaced("n", 4);
        assert_eq!(share_of_stored(&key, b""), Some(share(&key, b"")));
        assert_eq!(share_of_stored(&key, b"?"), None);
        assert_eq!(share_of_stored(MARK, b"anything"), Some(0));
        assert_eq!(share_of_stored(b"mm", b""), None);
        assert_eq!(share_of_stored(b"", b""), None);
    }
}
