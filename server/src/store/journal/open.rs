//! Opening the journal: it is read and verified to the last byte, then taken into use. Nothing is changed before all
//! checks have passed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::ahead::read_ahead;
use super::check::{Access, Check, End, Found};
use super::end::Torn;
use super::error::JournalError;
use super::frame::SEAL_BYTES;
use super::reader::JournalReader;
use super::segment::{
    FRAMES_AT, Listing, SEGMENT_BYTES_LIMIT, SEGMENT_BYTES_MIN, Segment, SegmentHeader, path_of, provisional_path_of,
};
use super::shared::{Indexed, Known, Shared};
use super::standby::{Blank, Standby, fill};
use super::witness::{self, Witness};
use super::writer::{Current, JournalWriter, rewrite};
use crate::store::disk::{self, DirLock, DiskError, Obstacle, failed};
use crate::store::record::{Head, Record};

/// The epoch of a new store.
const FIRST_EPOCH: u64 = 1;

/// A journal that was read and found sound, and that nobody has changed yet.
pub(in crate::store) struct Inspected {
    lock: Arc<DirLock>,
    data_dir: PathBuf,
    shared: Arc<Shared>,
    end: End,
    provisional: Vec<PathBuf>,
    /// The length of the last segment's file.
    file_bytes: u64,
    /// The segment of the last commit, and where in it its group begins.
    last_group: (u32, u64),
}

/// Reads and verifies the journal that is locked, hands each commit to `visit`, and holds the journal against its witness
/// in `data_dir`. What is `known` of it is passed over, but for the last commit, with which the visits then begin. `None`
/// if none was ever begun there.
pub(in crate::store) fn inspect(
    lock: &Arc<DirLock>,
    data_dir: &Path,
    known: Option<Known>,
    visit: &mut dyn FnMut(Record),
) -> Result<Option<Inspected>, JournalError> {
    let listing = Listing::of(lock.path())?;
    let testimony = witness::read(data_dir);
    if listing.is_empty() {
        return match testimony {
            Some(_) => {
                Err(JournalError::Missing { journal: lock.path().to_path_buf(), witness: witness::path_in(data_dir) })
            }
            None => Ok(None),
        };
    }
    let mut check = Check::new(lock.path(), data_dir, &listing, testimony, Access::Write)?;
    let passed = known.map(|known| check.pass_over(known)).transpose()?;
    let mut last = check.last_header();
    let mut segments = passed.unwrap_or_default();
    let mut last_group: Option<(u32, u64)> = None;
    let (end, head) = read_ahead(check, &mut |found| match found {
        Found::Segment(header, segment) => {
            segments.push(Indexed::empty(header.first_revision, segment));
            last = Some(header);
        }
        Found::Commit { offset, end, base, record } => {
            let Some(indexed) = segments.last_mut() else { return };
            indexed.push(u32::try_from(offset).unwrap_or(u32::MAX), end);
            // A group is never split between segments.
            let begins = indexed.offset_of(base + 1).map_or(offset, u64::from);
            last_group = Some((indexed.ordinal(), begins));
            visit(record);
        }
    })?;
    let (Some(last), Some(segment)) = (last, segments.last()) else {
        return Ok(None);
    };
    Ok(Some(Inspected {
        lock: lock.clone(),
        data_dir: data_dir.to_path_buf(),
        last_group: last_group.unwrap_or((segment.ordinal(), FRAMES_AT)),
        shared: Arc::new(Shared::new(last.store_id, last.seed, last.epoch, head, segments)),
        end,
        provisional: listing.provisional,
        file_bytes: last.file_bytes,
    }))
}

impl Inspected {
    /// The last commit: what the head will be when the journal is taken into use.
    pub(in crate::store) fn head(&self) -> Head {
        self.shared.head_with_hash()
    }

    /// Reads the journal as it was found.
    pub(in crate::store) fn reader(&self) -> JournalReader {
        JournalReader::new(self.shared.clone())
    }

    /// Takes the journal into use: makes zeros of a torn end, clears away what a crash left, and makes sure that all that
    /// was read is also on the disk. Later segments get `segment_bytes` each; `sync` is `false` for a planted fault.
    pub(in crate::store) fn settle(
        self,
        segment_bytes: u64,
        sync: bool,
    ) -> Result<(JournalWriter, JournalReader), JournalError> {
        if let Some(error) = self.read_only() {
            return self.only_to_be_read(error);
        }
        for path in &self.provisional {
            disk::remove(path)?;
        }
        let head = self.head();
        if let Some(Torn { segment, offset, end }) = &self.end.torn {
            tracing::warn!(
                file = %segment.path.display(), offset, bytes = end - offset, head = head.revision,
                "the unfinished end of the journal, which a crash left and nobody was promised, was made zeros"
            );
            fill(segment, *offset, *end, &AtomicBool::new(false))?;
        }
        let (last, end) = self.rewrite_last_group()?;
        self.lock.sync()?;
        let mut witness = Witness::open(&self.data_dir, self.shared.store_id, self.shared.epoch);
        witness.note(head);
        let next = last.ordinal.saturating_add(1);
        let begun = self.end.standby.map(|(segment, len)| Blank { segment, len });
        let writer = JournalWriter {
            sync,
            shared: self.shared.clone(),
            standby: Standby::start(self.lock.clone(), clamped(segment_bytes), next, begun)?,
            witness,
            current: Current::new(last, end, self.file_bytes)?,
            head,
            buffer: Vec::new(),
            stopped: false,
            read_only: None,
            lack: None,
            lock: self.lock,
        };
        Ok((writer, JournalReader::new(self.shared)))
    }

    /// Why the journal may only be read, if so.
    fn read_only(&self) -> Option<DiskError> {
        let (segment, _) = self.shared.segment(self.last_group.0)?;
        let opened = File::options().write(true).open(&segment.path);
        let error = opened.map_err(failed("open for writing", &segment.path)).err()?;
        (error.obstacle() == Obstacle::ReadOnly).then_some(error)
    }

    /// Takes the journal into use as it is, for reading. Nothing can be written before the next start: that has to put
    /// right first what was not put right now.
    fn only_to_be_read(self, error: DiskError) -> Result<(JournalWriter, JournalReader), JournalError> {
        tracing::warn!(
            %error, cause = %error.source,
            "the journal may only be read: reads are served, every write is refused; restart the server once it may be written"
        );
        let head = self.head();
        let (mut ordinal, _) = self.last_group;
        while self.shared.segment(ordinal.saturating_add(1)).is_some() {
            ordinal += 1;
        }
        let missing =
            || JournalError::MissingSegment { path: path_of(self.lock.path(), ordinal), expected: head.revision + 1 };
        let (last, end) = self.shared.segment(ordinal).ok_or_else(missing)?;
        let writer = JournalWriter {
            sync: true,
            shared: self.shared.clone(),
            standby: Standby::none(self.lock.clone(), ordinal.saturating_add(1), error.again()),
            witness: Witness::none(&self.data_dir, self.shared.store_id, self.shared.epoch),
            current: Current::new(last, end, self.file_bytes)?,
            head,
            buffer: Vec::new(),
            stopped: false,
            read_only: Some(error),
            lack: None,
            lock: self.lock,
        };
        Ok((writer, JournalReader::new(self.shared)))
    }

    /// Writes the last group once more, and all that stands behind it: the seal of its segment, and the headers of those
    /// that were begun since. Returns the last segment and where its last commit ends.
    fn rewrite_last_group(&self) -> Result<(Segment, u64), JournalError> {
        let (mut ordinal, mut from) = self.last_group;
        loop {
            let missing = || JournalError::MissingSegment {
                path: path_of(self.lock.path(), ordinal),
                expected: self.shared.head() + 1,
            };
            let (segment, end) = self.shared.segment(ordinal).ok_or_else(missing)?;
            let is_last = self.shared.segment(ordinal + 1).is_none();
            rewrite(&segment, 0, FRAMES_AT)?;
            rewrite(&segment, from, if is_last { end } else { end + SEAL_BYTES })?;
            disk::sync_all(&segment.file, &segment.path)?;
            if is_last {
                return Ok((segment, end));
            }
            (ordinal, from) = (ordinal + 1, FRAMES_AT);
        }
    }
}

/// Begins a journal in the directory that is locked, where there is none.
pub(in crate::store) fn create(lock: &DirLock, segment_bytes: u64) -> Result<(), JournalError> {
    let (path, provisional) = (path_of(lock.path(), 0), provisional_path_of(lock.path()));
    let mut random = [0; 48];
    let filled = getrandom::fill(&mut random).map_err(std::io::Error::from);
    filled.map_err(failed("get random bytes for", &path))?;
    let (store_id, seed) = random.split_at(16);
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&provisional);
    let file = Arc::new(file.map_err(failed("create", &provisional))?);
    let segment = Segment { ordinal: 0, path: provisional.clone().into(), file };
    let file_bytes = clamped(segment_bytes);
    let header = SegmentHeader {
        ordinal: 0,
        store_id: uuid::Builder::from_random_bytes(store_id.try_into().unwrap_or_default()).into_uuid(),
        seed: seed.try_into().unwrap_or_default(),
        epoch: FIRST_EPOCH,
        first_revision: 1,
        created_millis: disk::written_millis(&segment.file),
        parent_hash: Head::NONE.hash,
        file_bytes,
    };
    fill(&segment, 0, file_bytes, &AtomicBool::new(false))?;
    disk::write_at(&segment.file, &provisional, &header.encode(), 0)?;
    disk::sync_all(&segment.file, &provisional)?;
    Ok(disk::publish(&provisional, &path)?)
}

fn clamped(segment_bytes: u64) -> u64 {
    segment_bytes.clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_LIMIT)
}
