//! The witness: a small file beside the journal that says how far it had come. It is overwritten after each group and not
//! synced: it survives the end of the process, and may be old or torn after a power cut. So what it says is believed
//! only if it is whole, and only against the journal: an end that was cut off after a kill does not pass for a crash.
//!
//! `magic 8 | store_id 16 | epoch u64 | revision u64 | hash 32 | crc32 u32`, little endian.

use std::fs::File;
use std::path::{Path, PathBuf};

use bytes::{Buf as _, BufMut as _};
use uuid::Uuid;

use super::frame::take;
use crate::store::disk::{self, DiskError, failed};
use crate::store::record::{Hash, Head, Revision};

/// Its name in the data directory; not in the journal's, so that a copy of that alone is a journal.
const WITNESS_FILE: &str = "HEAD";
const MAGIC: [u8; 8] = *b"PRTNHEAD";
const WITNESS_BYTES: usize = 76;
const CRC_BYTES: usize = 4;

/// What the witness says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Testimony {
    pub(super) store_id: Uuid,
    pub(super) epoch: u64,
    pub(super) head: Head,
}

impl Testimony {
    fn encode(&self) -> [u8; WITNESS_BYTES] {
        let mut bytes = [0; WITNESS_BYTES];
        let mut rest = bytes.as_mut_slice();
        rest.put_slice(&MAGIC);
        rest.put_slice(self.store_id.as_bytes());
        rest.put_u64_le(self.epoch);
        rest.put_u64_le(self.head.revision);
        rest.put_slice(&self.head.hash);
        let (covered, mut crc) = bytes.split_at_mut(WITNESS_BYTES - CRC_BYTES);
        crc.put_u32_le(crc32fast::hash(covered));
        bytes
    }

    fn decode(bytes: &[u8; WITNESS_BYTES]) -> Option<Testimony> {
        let (mut rest, mut crc) = bytes.split_at(WITNESS_BYTES - CRC_BYTES);
        if crc.get_u32_le() != crc32fast::hash(rest) || take(&mut rest) != MAGIC {
            return None;
        }
        Some(Testimony {
            store_id: Uuid::from_bytes(take(&mut rest)),
            epoch: rest.get_u64_le(),
            head: Head { revision: rest.get_u64_le(), hash: take(&mut rest) },
        })
    }
}

/// The file of the witness.
pub(super) fn path_in(data_dir: &Path) -> PathBuf {
    data_dir.join(WITNESS_FILE)
}

/// What the witness in a data directory says; `None` if there is none, or none that is whole.
pub(super) fn read(data_dir: &Path) -> Option<Testimony> {
    let bytes = std::fs::read(path_in(data_dir)).ok()?;
    let bytes: &[u8; WITNESS_BYTES] = bytes.as_slice().try_into().ok()?;
    Testimony::decode(bytes)
}

/// The witness, in use.
pub(super) struct Witness {
    /// `None`: it could not be opened or made.
    file: Option<File>,
    path: PathBuf,
    store_id: Uuid,
    epoch: u64,
    /// Its file could not be written. Said once, not with every group.
    failing: bool,
}

impl Witness {
    /// Takes the witness of a data directory into use, and makes it if there is none. Without room for it, there is none
    /// until the next start, which is harmless.
    pub(super) fn open(data_dir: &Path, store_id: Uuid, epoch: u64) -> Witness {
        let mut witness = Witness::none(data_dir, store_id, epoch);
        match open(&witness.path) {
            Ok(file) => witness.file = Some(file),
            Err(error) => {
                tracing::warn!(%error, cause = %error.source, "how far the journal has come is not noted beside it");
            }
        }
        witness
    }

    /// One that is left as it is.
    pub(super) fn none(data_dir: &Path, store_id: Uuid, epoch: u64) -> Witness {
        Witness { file: None, path: path_in(data_dir), store_id, epoch, failing: false }
    }

    /// Notes the head. One that cannot be noted leaves the witness behind the journal, which is harmless.
    pub(super) fn note(&mut self, head: Head) {
        let Some(file) = &self.file else { return };
        let testimony = Testimony { store_id: self.store_id, epoch: self.epoch, head };
        match disk::write_at(file, &self.path, &testimony.encode(), 0) {
            Ok(()) => self.failing = false,
            Err(error) if !self.failing => {
                self.failing = true;
                tracing::warn!(%error, cause = %error.source, "how far the journal has come could not be noted beside it");
            }
            Err(_) => {}
        }
    }

    /// Makes what was noted durable.
    pub(super) fn sync(&self) -> Result<(), DiskError> {
        self.file.as_ref().map_or(Ok(()), |file| disk::sync_all(file, &self.path))
    }
}

fn open(path: &Path) -> Result<File, DiskError> {
    let file = File::options().write(true).create(true).truncate(false).open(path).map_err(failed("open", path))?;
    if disk::len_of(&file, path)? != WITNESS_BYTES as u64 {
        file.set_len(WITNESS_BYTES as u64).map_err(failed("write", path))?;
    }
    Ok(file)
}

/// What a witness holds against a journal that it belongs to.
pub(super) enum Objection {
    /// It knows of more than there is.
    Ahead(Revision),
    /// It knows another commit of this revision.
    Other(Revision),
    /// It knows of a later epoch.
    LaterEpoch(u64),
}

impl Objection {
    /// What the witness knows of, after the words "knows of".
    pub(super) fn known(&self) -> String {
        match self {
            Objection::Ahead(revision) => format!("commits up to revision {revision}"),
            Objection::Other(revision) => format!("another commit as revision {revision}"),
            Objection::LaterEpoch(epoch) => format!("epoch {epoch} of this store, which the journal does not have"),
        }
    }
}

impl Testimony {
    /// Holds what the witness says against a journal that ends with `head` in `epoch`; `same_then` is the hash that the
    /// journal has at the revision of the witness, if it goes so far. A witness of another store or of an earlier epoch
    /// says nothing.
    pub(super) fn objection(
        &self,
        store_id: Uuid,
        epoch: u64,
        head: Revision,
        hash_then: Option<Hash>,
    ) -> Option<Objection> {
        if self.store_id != store_id || self.epoch < epoch {
            return None;
        }
        if self.epoch > epoch {
            return Some(Objection::LaterEpoch(self.epoch));
        }
        if self.head.revision > head {
            return Some(Objection::Ahead(self.head.revision));
        }
        (hash_then != Some(self.head.hash)).then_some(Objection::Other(self.head.revision))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn testimony() -> Testimony {
        let head = Head { revision: 7, hash: [9; 32] };
        Testimony { store_id: Uuid::from_u128(5), epoch: 3, head }
    }

    #[test]
    fn what_was_noted_reads_back_and_every_flipped_bit_is_noticed() {
        let bytes = testimony().encode();
        assert_eq!(Testimony::decode(&bytes), Some(testimony()));
        for bit in 0..WITNESS_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Testimony::decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn a_witness_that_is_torn_cut_or_garbage_says_nothing() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(read(data.path()), None);
        let mut witness = Witness::open(data.path(), testimony().store_id, 3);
        assert_eq!(read(data.path()), None, "nothing was noted yet");
        witness.note(testimony().head);
        assert_eq!(read(data.path()), Some(testimony()));
        let whole = std::fs::read(path_in(data.path())).unwrap();
        for len in 0..whole.len() {
            std::fs::write(path_in(data.path()), &whole[..len]).unwrap();
            assert_eq!(read(data.path()), None, "cut at {len}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        std::fs::write(path_in(data.path()), &longer).unwrap();
        assert_eq!(read(data.path()), None);
        Witness::open(data.path(), testimony().store_id, 3);
        assert_eq!(read(data.path()), Some(testimony()), "a byte too many is taken away");
    }

    #[test]
    fn a_witness_objects_to_a_shorter_and_to_another_journal_of_its_store_and_epoch() {
        let told = testimony();
        let (store, hash) = (told.store_id, Some(told.head.hash));
        let objects = |objection: Option<Objection>| objection.map(|objection| objection.known());
        assert_eq!(objects(told.objection(store, 3, 7, hash)), None);
        assert_eq!(objects(told.objection(store, 3, 9, hash)), None);
        assert_eq!(objects(told.objection(store, 3, 6, None)).unwrap(), "commits up to revision 7");
        assert_eq!(objects(told.objection(store, 3, 9, Some([1; 32]))).unwrap(), "another commit as revision 7");
        assert!(objects(told.objection(store, 2, 9, hash)).unwrap().contains("epoch 3"));
        assert_eq!(objects(told.objection(store, 4, 1, None)), None, "of an earlier epoch");
        assert_eq!(objects(told.objection(Uuid::nil(), 3, 1, None)), None, "of another store");
    }
}
