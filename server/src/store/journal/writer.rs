//! Writing the journal: groups of commits, each durable before anybody hears of it. Invariant: a head that `append` has
//! returned is on the disk, with all before it, and nothing that was ever on the disk under a revision is changed
//! afterwards.

use std::path::Path;
use std::sync::Arc;

use super::commit;
use super::error::JournalError;
use super::frame::{FrameHeader, FrameKind, SEAL_BYTES};
use super::segment::{FRAMES_AT, SEGMENT_BYTES_LIMIT, Segment, SegmentHeader, usize_of};
use super::shared::{Indexed, Shared};
use super::standby::{Blank, Standby};
use super::witness::Witness;
use crate::store::disk::{self, DirLock, DiskError, Identity, Obstacle};
use crate::store::record::{Head, Record, Revision};

/// The buffer for a group is kept for the next one unless an unusually large group has made it longer.
const BUFFER_KEPT_BYTES: usize = 8 << 20;
/// Room for so much is more than that for a single write: writing does not stop again at once.
const ROOM_BYTES: u64 = 1 << 20;
/// The largest group: with it a segment is as large as one may be.
const GROUP_BYTES_MAX: u64 = SEGMENT_BYTES_LIMIT - FRAMES_AT - SEAL_BYTES;

/// Writes the journal. There is one for each journal.
pub struct JournalWriter {
    pub(super) lock: Arc<DirLock>,
    /// `false` leaves out the sync of each group, and with it every promise.
    pub(super) sync: bool,
    pub(super) shared: Arc<Shared>,
    pub(super) standby: Standby,
    pub(super) witness: Witness,
    pub(super) current: Current,
    pub(super) head: Head,
    /// Kept from group to group.
    pub(super) buffer: Vec<u8>,
    pub(super) stopped: bool,
    /// Why nothing can be written before the next start, which puts right what this one could not.
    pub(super) read_only: Option<DiskError>,
    /// What the last group that was not written had no room for.
    pub(super) lack: Option<Lack>,
}

/// What there was no room for.
pub(super) enum Lack {
    /// The next segment.
    Segment,
    /// So many bytes in the present one: only a file system that copies what is written over has no room for these.
    Bytes(u64),
}

/// The segment that is being written.
pub(super) struct Current {
    pub(super) segment: Segment,
    identity: Identity,
    /// Where the next frame goes.
    pub(super) end: u64,
    /// The length of its file.
    file_bytes: u64,
}

impl Current {
    pub(super) fn new(segment: Segment, end: u64, file_bytes: u64) -> Result<Current, DiskError> {
        let identity = Identity::of(&segment.file, &segment.path)?;
        Ok(Current { segment, identity, end, file_bytes })
    }
}

impl JournalWriter {
    /// The last durable commit.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Writes the commits in one go, as the revisions behind `expected_head` in their order, and returns the new head once
    /// they are durable; only then do readers see them. Fills in their hashes and the places of their documents. Refused
    /// whole, with the journal as it was, are a group that is too large, follows another head, or finds no room. After any
    /// other error the writer has stopped for good.
    pub fn append(&mut self, expected_head: Revision, records: &mut [Record]) -> Result<Head, JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped);
        }
        if let Some(error) = &self.read_only {
            return Err(JournalError::unwritten(error.again()));
        }
        if expected_head != self.head.revision {
            return Err(JournalError::WrongHead { expected: expected_head, head: self.head.revision });
        }
        let (head, offsets) = self.encode(records)?;
        if records.is_empty() {
            return Ok(self.head);
        }
        let group_bytes = self.buffer.len() as u64;
        if self.current.end + group_bytes + SEAL_BYTES > self.current.file_bytes {
            self.go_over(group_bytes)?;
        }
        let Current { segment, end, .. } = &self.current;
        let (ordinal, start) = (segment.ordinal, *end);
        // Stopped until proven otherwise: an early return below leaves it so.
        self.stopped = true;
        if let Err(error) = overwrite(segment, &self.buffer, start) {
            self.stopped = !matches!(error, JournalError::Unwritten { .. });
            if !self.stopped {
                self.lack = Some(Lack::Bytes(group_bytes));
            }
            return Err(error);
        }
        if self.sync {
            disk::sync_data(&segment.file, &segment.path)?;
        }
        self.check_in_place()?;
        self.stopped = false;
        self.witness.note(head);
        let base = u32::try_from(start).unwrap_or(u32::MAX);
        // No segment is so large that an offset in it needs more than 32 bits.
        let shift = |offset: u32| base.saturating_add(offset);
        for change in records.iter_mut().flat_map(|record| &mut record.changes) {
            change.place.segment = ordinal;
            change.place.offset = shift(change.place.offset);
        }
        self.current.end = start + group_bytes;
        self.head = head;
        let offsets: Vec<u32> = offsets.into_iter().map(shift).collect();
        self.shared.extend(&offsets, self.current.end, head);
        Ok(head)
    }

    /// What keeps it from writing before the next start, if anything does.
    #[must_use]
    pub fn obstacle(&self) -> Option<Obstacle> {
        self.read_only.as_ref().map(DiskError::obstacle)
    }

    /// Whether what the last refused group lacked is there now: the next segment whole, or, where even what is written
    /// over takes room, as much as that group or [`ROOM_BYTES`]. Tries it out. Smaller groups may have been written all
    /// the time, and still may.
    pub fn has_room(&mut self) -> bool {
        if self.stopped || self.read_only.is_some() {
            return false;
        }
        let there = match self.lack {
            None => true,
            Some(Lack::Segment) => self.standby.is_ready(),
            Some(Lack::Bytes(bytes)) => {
                let Current { segment, end, file_bytes, .. } = &self.current;
                let bytes = bytes.max(ROOM_BYTES).min(file_bytes.saturating_sub(*end));
                overwrite(segment, &vec![0; usize_of(bytes)], *end).is_ok()
            }
        };
        if there {
            self.lack = None;
        }
        there
    }

    /// Lays the group out in the buffer. Returns the head that it makes, and where in the buffer each commit begins.
    fn encode(&mut self, records: &mut [Record]) -> Result<(Head, Vec<u32>), JournalError> {
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_KEPT_BYTES);
        let mut offsets = Vec::with_capacity(records.len());
        let mut head = self.head;
        for record in records {
            let expected = head.revision + 1;
            if record.revision != expected {
                return Err(JournalError::WrongHead {
                    expected: record.revision.saturating_sub(1),
                    head: head.revision,
                });
            }
            let bytes = self.buffer.len() as u64;
            let too_large = JournalError::TooLarge { bytes, bytes_max: GROUP_BYTES_MAX };
            offsets.push(u32::try_from(bytes).map_err(|_| too_large)?);
            commit::encode(record, self.head.revision, head.hash, &mut self.buffer)?;
            head = record.head();
        }
        match self.buffer.len() as u64 {
            bytes if bytes > GROUP_BYTES_MAX => Err(JournalError::TooLarge { bytes, bytes_max: GROUP_BYTES_MAX }),
            _ => Ok((head, offsets)),
        }
    }

    /// Goes over to the next segment, which must have room for so many bytes. All commits before it are durable: a group
    /// is never split. Its header is durable before the seal is written, and the seal before any commit behind it: a seal
    /// proves that the next segment is there, and commits in that one that the seal is.
    fn go_over(&mut self, group_bytes: u64) -> Result<(), JournalError> {
        self.lack = Some(Lack::Segment);
        let mut blank = self.standby.take().map_err(JournalError::unwritten)?;
        if let Err(error) = blank.grow(FRAMES_AT + group_bytes + SEAL_BYTES) {
            self.standby.put_back(blank);
            return Err(JournalError::unwritten(error));
        }
        self.stopped = true;
        if let Err(error) = self.begin(&blank).and_then(|()| self.seal()) {
            if let JournalError::Unwritten { .. } = error {
                self.standby.put_back(blank);
                self.lack = Some(Lack::Bytes(SEAL_BYTES));
                self.stopped = false;
            }
            return Err(error);
        }
        self.lack = None;
        let Blank { segment, len } = blank;
        let next = segment.ordinal.saturating_add(1);
        self.shared.begin(Indexed::empty(self.head.revision + 1, segment.clone()));
        self.current = Current::new(segment, FRAMES_AT, len)?;
        self.standby.want(next);
        self.stopped = false;
        Ok(())
    }

    /// Writes the header of the next segment.
    fn begin(&self, blank: &Blank) -> Result<(), JournalError> {
        let Blank { segment, len } = blank;
        let header = SegmentHeader {
            ordinal: segment.ordinal,
            store_id: self.shared.store_id,
            seed: self.shared.seed,
            epoch: self.shared.epoch,
            first_revision: self.head.revision + 1,
            created_millis: disk::written_millis(&segment.file),
            parent_hash: self.head.hash,
            file_bytes: *len,
        };
        overwrite(segment, &header.encode(), 0)?;
        Ok(disk::sync_data(&segment.file, &segment.path)?)
    }

    /// Seals the segment that is being written.
    fn seal(&self) -> Result<(), JournalError> {
        let Head { revision, hash } = self.head;
        let header = FrameHeader {
            kind: FrameKind::Seal,
            head_len: 0,
            head_crc: 0,
            documents_len: 0,
            revision,
            base: revision,
            parent_hash: hash,
        };
        let Current { segment, end, .. } = &self.current;
        overwrite(segment, &header.encode_frame(), *end)?;
        Ok(disk::sync_data(&segment.file, &segment.path)?)
    }

    /// Whether what is written still is the journal that the next start will find. If not, another server may have begun
    /// to write what is there now, and only one of the two may answer.
    fn check_in_place(&self) -> Result<(), JournalError> {
        let moved = |path: &Path| Err(JournalError::Moved { path: path.to_path_buf() });
        let Current { segment, identity, .. } = &self.current;
        if !self.lock.is_in_place() {
            return moved(self.lock.path());
        }
        if !identity.is_at(&segment.path) {
            return moved(&segment.path);
        }
        Ok(())
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        if let Err(error) = self.witness.sync() {
            tracing::warn!(%error, cause = %error.source, "how far the journal has come was not made durable beside it");
        }
    }
}

/// Writes over zeros. If there is no room for it, which some file systems say even of space that a file has, or if the file
/// system may only be read by now, what was written of it is zeros again, and the error is `Unwritten`.
fn overwrite(segment: &Segment, bytes: &[u8], offset: u64) -> Result<(), JournalError> {
    let (written, error) = disk::write_as_far(&segment.file, &segment.path, bytes, offset);
    match error {
        None => Ok(()),
        Some(error) if matches!(error.obstacle(), Obstacle::Full | Obstacle::ReadOnly) => {
            if written > 0 {
                disk::write_at(&segment.file, &segment.path, &vec![0; written], offset)?;
                disk::sync_data(&segment.file, &segment.path)?;
            }
            Err(JournalError::unwritten(error))
        }
        // Nobody knows what the disk did of it.
        Some(error) => Err(error.into()),
    }
}

/// Writes bytes of a segment once more, as they are. Their `fdatasync` may never have been called, or have failed: then
/// the system may hold them in memory, call them clean, and never write them.
pub(super) fn rewrite(segment: &Segment, from: u64, to: u64) -> Result<(), DiskError> {
    let mut at = from;
    while at < to {
        let mut bytes = vec![0; usize_of((to - at).min(1 << 20))];
        disk::read_at(&segment.file, &segment.path, &mut bytes, at)?;
        disk::write_at(&segment.file, &segment.path, &bytes, at)?;
        at += bytes.len() as u64;
    }
    Ok(())
}
