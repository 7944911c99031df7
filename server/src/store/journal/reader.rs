//! Reading the journal: one commit or one document by where it lies, or many commits in order, while the writer goes on.
//! Checksums are verified at every read. Readers see durable commits only, and never wait for the disk on account of the
//! writer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use super::commit::{BLOCK_HEADER_BYTES, decode_document, decode_head};
use super::error::JournalError;
use super::frame::{COMMIT_BYTES_MAX, FRAME_HEADER_BYTES, FrameHeader, FrameKind};
use super::segment::{FRAMES_AT, Segment, usize_of};
use super::shared::{FramePlace, KnownSegment, Shared};
use super::walk::{Step, Walk};
use crate::store::disk;
use crate::store::record::{Head, Place, Record, Revision};

/// As much of a commit is read at first where only its head is wanted. Most heads are shorter.
const HEAD_GUESS_BYTES: u64 = 2 << 10;

/// Reads the journal. Cheap to clone, and used by many threads at once.
#[derive(Clone)]
pub struct JournalReader {
    shared: Arc<Shared>,
}

impl JournalReader {
    pub(super) fn new(shared: Arc<Shared>) -> JournalReader {
        JournalReader { shared }
    }

    /// The last durable revision; 0 while there is none.
    #[must_use]
    pub fn head(&self) -> Revision {
        self.shared.head()
    }

    /// The last durable revision, with the hash of its commit.
    #[must_use]
    pub fn head_with_hash(&self) -> Head {
        self.shared.head_with_hash()
    }

    /// The identity of this journal: made at random with it, and never changed.
    #[must_use]
    pub fn store_id(&self) -> Uuid {
        self.shared.store_id
    }

    /// The secret of this journal: random bytes from which keys are derived. Never to be shown.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.shared.seed
    }

    /// The epoch of this journal: a restored one begins a new one.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.shared.epoch
    }

    /// What is known of the segments up to a revision, in their order: they are told apart, so that nobody waits for all.
    pub(in crate::store) fn known_up_to(&self, revision: Revision) -> impl Iterator<Item = KnownSegment> {
        (0..).map_while(move |ordinal| self.shared.known_up_to(ordinal, revision))
    }

    /// How many bytes the commits up to a revision have.
    pub(in crate::store) fn commit_bytes_up_to(&self, revision: Revision) -> u64 {
        self.known_up_to(revision).map(|segment| segment.end - FRAMES_AT).sum()
    }

    /// How many bytes of commits there are.
    pub(in crate::store) fn commit_bytes(&self) -> u64 {
        self.shared.commit_bytes()
    }

    /// Waits until the head is beyond `revision`, at most so long. Answers whether it is. For plain threads: it blocks.
    #[must_use]
    pub fn wait_beyond(&self, revision: Revision, timeout: Duration) -> bool {
        self.shared.wait_beyond(revision, timeout)
    }

    /// The commit of a revision.
    pub fn read(&self, revision: Revision) -> Result<Record, JournalError> {
        let place = self.place(revision)?;
        let mut walk = Walk::new(place.segment.clone(), place.offset, place.frame_end);
        match walk.step()? {
            Step::Commit { record, .. } if record.revision == revision => Ok(record),
            Step::Commit { .. } | Step::Seal { .. } | Step::End | Step::Bad { .. } => {
                Err(unreadable(&place.segment, place.offset, revision))
            }
        }
    }

    /// How many bytes the commit of a revision has, with its documents. Reads nothing.
    pub fn record_bytes(&self, revision: Revision) -> Result<usize, JournalError> {
        let place = self.place(revision)?;
        Ok(usize_of(place.frame_end - place.offset))
    }

    /// The commit of a revision, its documents left empty. Costs little, however large they are.
    pub fn read_head(&self, revision: Revision) -> Result<Record, JournalError> {
        let FramePlace { segment, offset, frame_end, .. } = self.place(revision)?;
        let damaged = || unreadable(&segment, offset, revision);
        let mut bytes = vec![0; usize_of((frame_end - offset).min(HEAD_GUESS_BYTES))];
        disk::read_at(&segment.file, &segment.path, &mut bytes, offset)?;
        let header = bytes.first_chunk::<FRAME_HEADER_BYTES>().and_then(FrameHeader::decode).ok_or_else(damaged)?;
        if header.kind != FrameKind::Commit || header.revision != revision || header.frame_bytes() != frame_end - offset
        {
            return Err(damaged());
        }
        let end = FRAME_HEADER_BYTES + header.head_len as usize;
        let read = bytes.len();
        bytes.resize(end, 0);
        if let Some(rest) = bytes.get_mut(read..) {
            disk::read_at(&segment.file, &segment.path, rest, offset + read as u64)?;
        }
        let head = Bytes::from(bytes).slice(FRAME_HEADER_BYTES..);
        let narrow = u32::try_from(offset).map_err(|_| damaged())?;
        decode_head(&header, &head, segment.ordinal, narrow).map_err(|_| damaged())
    }

    /// A document by its place, as the commit of `revision` told it.
    pub fn document(&self, revision: Revision, place: Place) -> Result<Bytes, JournalError> {
        let not_found = || JournalError::NotFound { revision, head: self.head() };
        let (segment, end) = self.shared.segment(place.segment).ok_or_else(not_found)?;
        let len = BLOCK_HEADER_BYTES as u64 + u64::from(place.len);
        if place.len > COMMIT_BYTES_MAX || u64::from(place.offset) + len > end {
            return Err(not_found());
        }
        let mut block = vec![0; usize_of(len)];
        disk::read_at(&segment.file, &segment.path, &mut block, place.offset.into())?;
        let document = decode_document(revision, block.into()).map(|(_, document)| document);
        document.ok_or_else(|| unreadable(&segment, place.offset.into(), revision))
    }

    /// The commits from `from` on, in order, up to what is the head now. Reads in large pieces.
    /// Ends after the first error.
    pub fn scan(&self, from: Revision) -> JournalScan {
        JournalScan { reader: self.clone(), next: from.max(1), until: self.head(), walk: None }
    }

    fn place(&self, revision: Revision) -> Result<FramePlace, JournalError> {
        self.shared.place_of(revision).ok_or_else(|| JournalError::NotFound { revision, head: self.head() })
    }
}

fn unreadable(segment: &Segment, offset: u64, revision: Revision) -> JournalError {
    JournalError::Damaged {
        path: segment.path.to_path_buf(),
        offset,
        what: format!("revision {revision} is not as it was written"),
    }
}

/// Commits in order; see [`JournalReader::scan`].
pub struct JournalScan {
    reader: JournalReader,
    next: Revision,
    until: Revision,
    walk: Option<Walk>,
}

impl JournalScan {
    fn step(&mut self) -> Result<Record, JournalError> {
        let revision = self.next;
        loop {
            let walk = match &mut self.walk {
                Some(walk) => walk,
                none => {
                    let place = self.reader.place(revision)?;
                    none.insert(Walk::new(place.segment, place.offset, place.segment_end))
                }
            };
            match walk.step()? {
                Step::Commit { record, .. } if record.revision == revision => return Ok(record),
                Step::Commit { offset, .. } | Step::Seal { offset, .. } | Step::Bad { offset, .. } => {
                    return Err(unreadable(&walk.segment, offset, revision));
                }
                Step::End => self.walk = None,
            }
        }
    }
}

impl Iterator for JournalScan {
    type Item = Result<Record, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.until {
            return None;
        }
        let record = self.step();
        self.next = match record {
            Ok(_) => self.next + 1,
            Err(_) => Revision::MAX,
        };
        Some(record)
    }
}
