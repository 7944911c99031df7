//! Reading the journal: one commit by its revision, or many in order, while the writer goes on.
//! Every checksum is verified at every read. Readers see durable commits only, and never wait for
//! the disk on account of the writer.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::RwLock;
use uuid::Uuid;

use crate::store::disk::failed;
use crate::store::journal::check::{Check, Found};
use crate::store::journal::frame::{FRAME_HEADER_BYTES, FrameHeader, SEGMENT_HEADER_BYTES, chain};
use crate::store::journal::segment::{self, Step, Walk, usize_of};
use crate::store::journal::{Entry, JournalError, stored};
use crate::store::{JOURNAL_DIR, Record, Revision};

/// One segment, and where in it each commit begins.
pub(in crate::store) struct Indexed {
    first: Revision,
    path: Arc<Path>,
    file: Arc<File>,
    offsets: Vec<u32>,
    /// Behind its last durable commit.
    end: u64,
}

impl Indexed {
    pub(in crate::store) fn empty(first: Revision, path: Arc<Path>, file: Arc<File>) -> Indexed {
        Indexed { first, path, file, offsets: Vec::new(), end: SEGMENT_HEADER_BYTES as u64 }
    }

    /// Notes a commit that begins at `offset`.
    pub(in crate::store) fn push(&mut self, offset: u64, payload_bytes: usize) -> Result<(), JournalError> {
        let narrow = u32::try_from(offset).map_err(|_| JournalError::Damaged {
            path: self.path.to_path_buf(),
            offset,
            what: "the segment is larger than any that this server writes".to_owned(),
        })?;
        self.offsets.push(narrow);
        self.end = offset + FRAME_HEADER_BYTES as u64 + payload_bytes as u64;
        Ok(())
    }
}

/// Where a commit lies.
struct Place {
    path: Arc<Path>,
    file: Arc<File>,
    offset: u64,
    /// Where the next commit begins, or the segment ends.
    frame_end: u64,
    segment_end: u64,
}

/// What the writer and all readers know of the journal.
pub(in crate::store) struct Shared {
    pub(in crate::store) store_id: Uuid,
    pub(in crate::store) seed: [u8; 32],
    head: AtomicU64,
    segments: RwLock<Vec<Indexed>>,
}

impl Shared {
    pub(in crate::store) fn new(store_id: Uuid, seed: [u8; 32], head: Revision, segments: Vec<Indexed>) -> Shared {
        Shared { store_id, seed, head: AtomicU64::new(head), segments: RwLock::new(segments) }
    }

    /// The path of the last segment, and where its last commit ends.
    pub(in crate::store) fn last_segment(&self) -> Option<(Arc<Path>, u64)> {
        self.segments.read().last().map(|last| (last.path.clone(), last.end))
    }

    /// Whether the last segment has no commit yet.
    pub(in crate::store) fn last_is_empty(&self) -> bool {
        self.segments.read().last().is_none_or(|last| last.offsets.is_empty())
    }

    /// A new last segment.
    pub(in crate::store) fn begin(&self, segment: Indexed) {
        self.segments.write().push(segment);
    }

    /// Shows a durable group to the readers: its commits begin at `offsets` behind `start`.
    pub(in crate::store) fn extend(&self, start: u64, offsets: &[u32], group_bytes: u64, head: Revision) {
        if let Some(last) = self.segments.write().last_mut() {
            // The writer has seen to it that the group ends within 32 bits.
            let start = u32::try_from(start).unwrap_or(u32::MAX);
            last.offsets.extend(offsets.iter().map(|offset| start.saturating_add(*offset)));
            last.end = u64::from(start) + group_bytes;
        }
        self.head.store(head, Ordering::Release);
    }

    fn place_of(&self, revision: Revision) -> Option<Place> {
        let segments = self.segments.read();
        let at = segments.partition_point(|segment| segment.first <= revision);
        let segment = segments.get(at.checked_sub(1)?)?;
        let at = usize_of(revision - segment.first);
        let offset = u64::from(*segment.offsets.get(at)?);
        Some(Place {
            path: segment.path.clone(),
            file: segment.file.clone(),
            offset,
            frame_end: segment.offsets.get(at + 1).map_or(segment.end, |next| u64::from(*next)),
            segment_end: segment.end,
        })
    }
}

/// Reads the journal. Cheap to clone, and used by many threads at once.
#[derive(Clone)]
pub struct JournalReader {
    shared: Arc<Shared>,
}

impl JournalReader {
    pub(in crate::store) fn new(shared: Arc<Shared>) -> JournalReader {
        JournalReader { shared }
    }

    /// The last durable revision; 0 while there is none.
    pub fn head(&self) -> Revision {
        self.shared.head.load(Ordering::Acquire)
    }

    /// The identity of this journal: made at random with it, and never changed.
    pub fn store_id(&self) -> Uuid {
        self.shared.store_id
    }

    /// The secret of this journal: random bytes from which keys are derived. Never to be shown.
    pub fn seed(&self) -> &[u8; 32] {
        &self.shared.seed
    }

    /// The commit of a revision. `NotFound` beyond the head; `Damaged` if the stored bytes are not
    /// what was written.
    pub fn read(&self, revision: Revision) -> Result<Record, JournalError> {
        let Entry { parent_hash, hash, payload, .. } = self.entry(revision)?;
        let Place { path, offset, .. } = self.place(revision)?;
        stored::decode(revision, parent_hash, hash, payload).ok_or_else(|| unreadable(&path, offset, revision))
    }

    /// The document that the commit of `revision` made, by the place that its change has.
    pub fn document(&self, revision: Revision, place: crate::store::Place) -> Result<Bytes, JournalError> {
        let record = self.read(revision)?;
        let change = record.changes.get(usize_of(u64::from(place.offset)));
        change.map(|change| change.document.clone()).ok_or(JournalError::NotFound { revision, head: self.head() })
    }

    // TEMPORARY, until the journal's own bell is merged: this polls.
    /// Waits until there is a commit beyond `revision`, or the time is up; answers whether there is.
    pub fn wait_beyond(&self, revision: Revision, timeout: std::time::Duration) -> bool {
        let due = std::time::Instant::now() + timeout;
        while self.head() <= revision {
            let left = due.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(std::time::Duration::from_millis(2)));
        }
        true
    }

    /// The head, with the hash of its commit.
    pub fn head_with_hash(&self) -> Result<crate::store::Head, JournalError> {
        match self.head() {
            0 => Ok(crate::store::Head::NONE),
            revision => self.read(revision).map(|record| record.head()),
        }
    }

    fn entry(&self, revision: Revision) -> Result<Entry, JournalError> {
        let Place { path, file, offset, frame_end, .. } = self.place(revision)?;
        let mut bytes = vec![0; usize_of(frame_end - offset)];
        file.read_exact_at(&mut bytes, offset).map_err(failed("read", &path))?;
        let mut payload = Bytes::from(bytes);
        let header = payload.split_to(FRAME_HEADER_BYTES.min(payload.len()));
        match header.first_chunk().and_then(FrameHeader::decode) {
            Some(header)
                if header.revision == revision
                    && header.len as usize == payload.len()
                    && header.payload_crc == crc32fast::hash(&payload) =>
            {
                Ok(Entry {
                    revision,
                    parent_hash: header.parent_hash,
                    hash: chain(&header.parent_hash, &payload),
                    payload,
                })
            }
            Some(_) | None => Err(unreadable(&path, offset, revision)),
        }
    }

    /// The commits from `from` on, in order, up to what is the head now. Reads in large pieces.
    /// Ends after the first error.
    pub fn scan(&self, from: Revision) -> JournalScan {
        JournalScan { reader: self.clone(), next: from.max(1), until: self.head(), walk: None }
    }

    fn place(&self, revision: Revision) -> Result<Place, JournalError> {
        self.shared.place_of(revision).ok_or_else(|| JournalError::NotFound { revision, head: self.head() })
    }
}

fn unreadable(path: &Path, offset: u64, revision: Revision) -> JournalError {
    JournalError::Damaged {
        path: path.to_path_buf(),
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
    fn step(&mut self) -> Result<Entry, JournalError> {
        let revision = self.next;
        loop {
            let walk = match &mut self.walk {
                Some(walk) => walk,
                none => {
                    let place = self.reader.place(revision)?;
                    none.insert(Walk::new(place.file, place.path, place.offset, place.segment_end))
                }
            };
            match walk.step()? {
                Step::Frame(frame) if frame.header.revision == revision => {
                    return Ok(Entry {
                        revision,
                        parent_hash: frame.header.parent_hash,
                        hash: chain(&frame.header.parent_hash, &frame.payload),
                        payload: frame.payload,
                    });
                }
                Step::Frame(frame) => return Err(unreadable(&walk.path, frame.offset, revision)),
                Step::Bad { offset, .. } => return Err(unreadable(&walk.path, offset, revision)),
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
        let entry = self.step().and_then(|entry| {
            let revision = entry.revision;
            stored::decode(revision, entry.parent_hash, entry.hash, entry.payload)
                .ok_or(JournalError::NotFound { revision, head: self.until })
        });
        self.next = match entry {
            Ok(_) => self.next + 1,
            Err(_) => Revision::MAX,
        };
        Some(entry)
    }
}

/// Reads and verifies the journal under a data directory from its first commit on, without
/// changing or locking anything: beside a running server too. Ends quietly before an unfinished
/// last commit, and after the first error.
pub fn scan_read_only(data_dir: &Path) -> Result<impl Iterator<Item = Result<Record, JournalError>>, JournalError> {
    let dir = data_dir.join(JOURNAL_DIR);
    let listing = segment::list(&dir)?;
    if listing.segments.is_empty() && listing.strange.is_empty() {
        return Err(JournalError::Absent { dir: data_dir.to_path_buf() });
    }
    let mut check = Some(Check::new(&dir, &listing)?);
    Ok(std::iter::from_fn(move || {
        loop {
            match check.as_mut()?.next() {
                Ok(Found::Segment { .. }) => {}
                Ok(Found::Entry { entry, .. }) => {
                    let revision = entry.revision;
                    let record = stored::decode(revision, entry.parent_hash, entry.hash, entry.payload);
                    return Some(record.ok_or(JournalError::NotFound { revision, head: revision }));
                }
                Ok(Found::Torn(_) | Found::End) => check = None,
                Err(error) => {
                    check = None;
                    return Some(Err(error));
                }
            }
        }
    }))
}
