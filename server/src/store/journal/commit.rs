//! A commit as bytes: its frame is a header, then the *head* (who, when, why, and of each change its name, its action and
//! the digest of its document), then the documents. Pure layout: no file is touched here.
//!
//! A document is stored as `crc32 u32 | salt 16 | document`; the checksum covers the revision too, so that a document can
//! be read and verified by itself. The chain of hashes holds the heads, and of the documents only the digests: it stays
//! provable if a document is erased one day.

use std::sync::Arc;

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::error::JournalError;
use super::frame::{COMMIT_BYTES_MAX, FRAME_END, FRAME_HEADER_BYTES, FrameHeader, FrameKind, take};
use crate::store::record::{Action, Change, Hash, Place, Record, RequestMark, Revision, Salt};
use crate::time::Day;

const CRC_BYTES: usize = 4;
const SALT_BYTES: usize = 16;
/// What is stored of a document besides the document.
pub(super) const BLOCK_HEADER_BYTES: usize = CRC_BYTES + SALT_BYTES;

/// The hash of a commit: SHA-256 over the hash of the commit before it, then its head.
pub(super) fn chain(parent_hash: &Hash, head: &[u8]) -> Hash {
    Sha256::new().chain_update(parent_hash).chain_update(head).finalize().into()
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The file ends within it.
    Short,
    /// Its header is none, or does not match its checksum.
    Header,
    /// Its head does not match its checksum.
    Head,
    /// A document does not match its checksum.
    Document,
    /// It does not end as a frame does.
    End,
    /// It is as it was written, and means nothing to this version.
    Unreadable,
}

/// The head of a commit as it is stored. Names are text; they are taken as bytes so that they need not be copied twice.
#[derive(Clone, PartialEq, prost::Message)]
struct StoredHead {
    #[prost(uint64, tag = "1")]
    revision: u64,
    #[prost(message, optional, tag = "2")]
    commit_time: Option<prost_types::Timestamp>,
    #[prost(string, tag = "3")]
    actor: String,
    #[prost(string, tag = "4")]
    reason: String,
    /// 16 bytes, or none.
    #[prost(bytes = "bytes", tag = "5")]
    request_id: Bytes,
    /// 16 bytes, or none.
    #[prost(bytes = "bytes", tag = "6")]
    request_hash: Bytes,
    #[prost(uint64, tag = "7")]
    epoch: u64,
    #[prost(sint32, tag = "8")]
    settled_day: i32,
    #[prost(message, repeated, tag = "9")]
    changes: Vec<StoredChange>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredChange {
    #[prost(int32, tag = "1")]
    action: i32,
    #[prost(bytes = "bytes", tag = "2")]
    name: Bytes,
    #[prost(uint64, tag = "3")]
    previous_revision: u64,
    /// 32 bytes.
    #[prost(bytes = "bytes", tag = "4")]
    digest: Bytes,
    #[prost(uint32, tag = "5")]
    document_len: u32,
}

/// Appends the frame of a commit to `out`, and fills in its hashes and, counted from the beginning of `out`, its places.
/// After an error `out` holds what is of no use.
pub(super) fn encode(
    record: &mut Record,
    base: Revision,
    parent_hash: Hash,
    out: &mut Vec<u8>,
) -> Result<(), JournalError> {
    let frame_at = out.len();
    let head = stored_head(record)?;
    let head_len = head.encoded_len();
    let documents_len: usize = record.changes.iter().map(|change| BLOCK_HEADER_BYTES + change.document.len()).sum();
    let len = head_len.saturating_add(documents_len);
    let (Ok(head_len), Ok(documents_len)) = (u32::try_from(head_len), u32::try_from(documents_len)) else {
        return Err(too_large(len));
    };
    if len > COMMIT_BYTES_MAX as usize {
        return Err(too_large(len));
    }
    out.reserve(FRAME_HEADER_BYTES + len + FRAME_END.len());
    out.resize(frame_at + FRAME_HEADER_BYTES, 0);
    let head_at = out.len();
    head.encode_raw(out);
    let head = out.get(head_at..).unwrap_or_default();
    let head_crc = crc32fast::hash(head);
    record.parent_hash = parent_hash;
    record.hash = chain(&parent_hash, head);
    for change in &mut record.changes {
        let offset = u32::try_from(out.len()).map_err(|_| too_large(out.len()))?;
        let len = u32::try_from(change.document.len()).map_err(|_| too_large(len))?;
        change.place = Place { segment: 0, offset, len };
        out.put_u32_le(document_crc(record.revision, &change.salt, &change.document));
        out.put_slice(&change.salt);
        out.put_slice(&change.document);
    }
    out.put_slice(&FRAME_END);
    let revision = record.revision;
    let header =
        FrameHeader { kind: FrameKind::Commit, head_len, head_crc, documents_len, revision, base, parent_hash };
    if let Some(at) = out.get_mut(frame_at..frame_at + FRAME_HEADER_BYTES) {
        at.copy_from_slice(&header.encode());
    }
    Ok(())
}

fn too_large(bytes: usize) -> JournalError {
    JournalError::TooLarge { bytes: bytes as u64, bytes_max: u64::from(COMMIT_BYTES_MAX) }
}

fn stored_head(record: &Record) -> Result<StoredHead, JournalError> {
    let mut changes = Vec::with_capacity(record.changes.len());
    for change in &record.changes {
        changes.push(StoredChange {
            action: change.action.number(),
            name: Bytes::copy_from_slice(change.name.as_bytes()),
            previous_revision: change.previous_revision,
            digest: Bytes::copy_from_slice(&change.digest),
            document_len: u32::try_from(change.document.len()).map_err(|_| too_large(change.document.len()))?,
        });
    }
    let request = record.request;
    Ok(StoredHead {
        revision: record.revision,
        commit_time: Some(record.commit_time.into()),
        actor: record.actor.clone(),
        reason: record.reason.clone(),
        request_id: request.map(|mark| Bytes::copy_from_slice(&mark.id)).unwrap_or_default(),
        request_hash: request.map(|mark| Bytes::copy_from_slice(&mark.hash)).unwrap_or_default(),
        epoch: record.epoch,
        settled_day: record.settled_day.0,
        changes,
    })
}

/// The commit of a frame that lies at `offset` in a segment, its documents left empty and its salts zero.
pub(super) fn decode_head(header: &FrameHeader, head: &Bytes, segment: u32, offset: u32) -> Result<Record, Fault> {
    if crc32fast::hash(head) != header.head_crc {
        return Err(Fault::Head);
    }
    let hash = chain(&header.parent_hash, head);
    let stored = StoredHead::decode(head.clone()).map_err(|_| Fault::Unreadable)?;
    let mut at = u64::from(offset) + FRAME_HEADER_BYTES as u64 + u64::from(header.head_len);
    let end = at + u64::from(header.documents_len);
    let mut changes = Vec::with_capacity(stored.changes.len());
    for change in stored.changes {
        let block_at = u32::try_from(at).map_err(|_| Fault::Unreadable)?;
        let len = change.document_len;
        at += BLOCK_HEADER_BYTES as u64 + u64::from(len);
        changes.push(Change {
            action: Action::from_number(change.action).ok_or(Fault::Unreadable)?,
            name: Arc::from(std::str::from_utf8(&change.name).map_err(|_| Fault::Unreadable)?),
            previous_revision: change.previous_revision,
            document: Bytes::new(),
            salt: Salt::default(),
            digest: Hash::try_from(change.digest.as_ref()).map_err(|_| Fault::Unreadable)?,
            place: Place { segment, offset: block_at, len },
        });
    }
    let request = match (stored.request_id.as_ref(), stored.request_hash.as_ref()) {
        ([], []) => None,
        (id, hash) => Some(RequestMark {
            id: id.try_into().map_err(|_| Fault::Unreadable)?,
            hash: hash.try_into().map_err(|_| Fault::Unreadable)?,
        }),
    };
    if at != end || stored.revision != header.revision {
        return Err(Fault::Unreadable);
    }
    Ok(Record {
        revision: stored.revision,
        commit_time: stored.commit_time.ok_or(Fault::Unreadable)?.into(),
        actor: stored.actor,
        reason: stored.reason,
        request,
        epoch: stored.epoch,
        settled_day: Day(stored.settled_day),
        changes,
        parent_hash: header.parent_hash,
        hash,
    })
}

/// Gives the changes of a commit their documents, from the bytes behind its head.
pub(super) fn fill_documents(record: &mut Record, documents: &Bytes) -> Result<(), Fault> {
    let mut rest = documents.clone();
    for change in &mut record.changes {
        let len = BLOCK_HEADER_BYTES + change.place.len as usize;
        if len > rest.len() {
            return Err(Fault::Unreadable);
        }
        let block = rest.split_to(len);
        (change.salt, change.document) = decode_document(record.revision, block).ok_or(Fault::Document)?;
    }
    Ok(())
}

/// The salt and the document that are stored as these bytes; `None` if they are not as they were written in this revision.
pub(super) fn decode_document(revision: Revision, mut block: Bytes) -> Option<(Salt, Bytes)> {
    let mut header: &[u8] = block.get(..BLOCK_HEADER_BYTES)?;
    let crc = header.get_u32_le();
    let salt: Salt = take(&mut header);
    block.advance(BLOCK_HEADER_BYTES);
    (crc == document_crc(revision, &salt, &block)).then_some((salt, block))
}

fn document_crc(revision: Revision, salt: &Salt, document: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&revision.to_le_bytes());
    hasher.update(salt);
    hasher.update(document);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::digest;

    fn record() -> Record {
        let change = |name: &str, document: &[u8]| {
            Change::new(Action::Update, name.into(), 4, Bytes::copy_from_slice(document), [7; 16])
        };
        Record {
            revision: 9,
            commit_time: prost_types::Timestamp { seconds: 1_700_000_000, nanos: 5 }.into(),
            actor: "someone".into(),
            reason: "why".into(),
            request: Some(RequestMark { id: [1; 16], hash: [2; 16] }),
            epoch: 3,
            settled_day: Day(-7),
            changes: vec![change("countries/kr", b"a document"), change("countries/ir", b"")],
            parent_hash: [0; 32],
            hash: [0; 32],
        }
    }

    fn decode(bytes: &Bytes, segment: u32, offset: u32) -> Result<Record, Fault> {
        let mut rest = bytes.clone();
        let header = rest.split_to(FRAME_HEADER_BYTES);
        let header = header.first_chunk().and_then(FrameHeader::decode).ok_or(Fault::Header)?;
        assert_eq!(header.frame_bytes(), bytes.len() as u64);
        let head = rest.split_to(header.head_len as usize);
        let documents = rest.split_to(header.documents_len as usize);
        let mut record = decode_head(&header, &head, segment, offset)?;
        fill_documents(&mut record, &documents)?;
        if rest != FRAME_END.as_slice() { Err(Fault::End) } else { Ok(record) }
    }

    #[test]
    fn a_commit_reads_back_with_its_places_and_every_flipped_bit_is_noticed() {
        let mut record = record();
        let mut out = b"before".to_vec();
        encode(&mut record, 8, [5; 32], &mut out).unwrap();
        for change in &record.changes {
            let block = &out[change.place.offset as usize..][..BLOCK_HEADER_BYTES + change.place.len as usize];
            let found = decode_document(9, Bytes::copy_from_slice(block)).unwrap();
            assert_eq!(found, (change.salt, change.document.clone()));
            assert_eq!(decode_document(8, Bytes::copy_from_slice(block)), None, "of another revision");
        }
        let frame = Bytes::from(out.split_off(6));
        assert_eq!(decode(&frame, 0, 6).unwrap(), record);
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped.into(), 0, 6).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn the_hash_covers_the_digests_and_not_the_documents() {
        let mut record = record();
        let mut out = Vec::new();
        encode(&mut record, 8, [5; 32], &mut out).unwrap();
        let head_len = u32::from_le_bytes(out[8..12].try_into().unwrap()) as usize;
        let head = &out[FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + head_len];
        assert_eq!(record.hash, chain(&[5; 32], head));
        assert!(head.windows(32).any(|window| window == digest(&[7; 16], b"a document")));
        assert!(!head.windows(10).any(|window| window == b"a document"));
    }

    #[test]
    fn a_commit_without_request_or_changes_reads_back() {
        let mut record = Record { request: None, changes: Vec::new(), ..record() };
        let mut out = Vec::new();
        encode(&mut record, 8, [5; 32], &mut out).unwrap();
        assert_eq!(decode(&out.into(), 1, 512).unwrap(), record);
    }

    #[test]
    fn what_is_whole_and_means_nothing_is_told_from_damage() {
        let head = Bytes::from_static(b"\xff\xff");
        let header = FrameHeader {
            kind: FrameKind::Commit,
            head_len: 2,
            head_crc: crc32fast::hash(&head),
            documents_len: 0,
            revision: 1,
            base: 0,
            parent_hash: [0; 32],
        };
        assert_eq!(decode_head(&header, &head, 0, 512), Err(Fault::Unreadable));
    }
}
