//! The journal: the one totally ordered record of all commits, in append-only segment files. This
//! is the writer, and how a journal is opened; reading is `reader.rs`, verifying is `check.rs`.
//! Invariant: a head that `append` has returned is on the disk, with all before it, and nothing
//! that was ever on the disk under a revision is changed afterwards.

mod check;
pub(crate) mod frame;
pub(crate) mod reader;
mod segment;
mod stored;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use crate::store::disk::{self, DirLock, DiskError, failed};
use crate::store::journal::check::{Check, Found, Torn};
use crate::store::journal::frame::{FrameHeader, PAYLOAD_BYTES_MAX, SEGMENT_HEADER_BYTES, SegmentHeader, chain};
use crate::store::journal::reader::{Indexed, JournalReader, Shared};
use crate::store::journal::segment::{path_of, provisional_path_of, usize_of};
use crate::store::{Hash, Head, Options, Record, Revision};

/// The offsets of commits are kept as `u32`, so no segment may be larger.
const SEGMENT_BYTES_LIMIT: u64 = u32::MAX as u64;
/// The buffer for a group is kept for the next one unless an unusual group has swollen it.
const BUFFER_KEPT_BYTES: usize = 8 << 20;

/// One commit as the journal holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the order of all commits.
    pub revision: Revision,
    /// The hash of the commit before it; zeros for the first.
    pub parent_hash: Hash,
    /// SHA-256 over `parent_hash` and the payload.
    pub hash: Hash,
    /// An encoded [`Record`](super::Record).
    pub payload: Bytes,
}

impl Entry {
    /// The head of a journal that ends with this commit.
    pub fn head(&self) -> Head {
        Head { revision: self.revision, hash: self.hash }
    }
}

/// Why the journal did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Stored bytes are not what was written.
    #[error("The journal is damaged in {} at byte {offset}: {what}. Nothing was changed. Restore that file from a backup or from another copy of this journal.", path.display())]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// A segment file is not there, though there must be one.
    #[error("The journal breaks off before revision {expected}: {} is not there, or the file before it was cut short. Nothing was changed. Restore that file from a backup or from another copy of this journal.", path.display())]
    MissingSegment {
        /// The file that should be there.
        path: PathBuf,
        /// The revision that it begins with.
        expected: Revision,
    },
    /// A newer server wrote this journal.
    #[error("The journal file {} was written by a newer version of this server, in format {version}; this one knows format {known}. Nothing was changed. Start the newer version.", path.display())]
    NewerFormat {
        /// The file that says so.
        path: PathBuf,
        /// The format of the file.
        version: u32,
        /// The newest format that this server knows.
        known: u32,
    },
    /// The directory holds no journal.
    #[error("There is no journal in {}. Name the data directory of a server.", dir.display())]
    Absent {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// The journal has no such commit.
    #[error("There is no revision {revision}: the journal goes from 1 to {head}.")]
    NotFound {
        /// What was asked for.
        revision: Revision,
        /// The last revision there is.
        head: Revision,
    },
    /// The commits are too large to be written. Nothing was, and the journal goes on.
    #[error("A commit or group of {bytes} bytes is more than the journal takes, {bytes_max}.")]
    TooLarge {
        /// Their size.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// An earlier write failed, so nobody knows what the disk holds behind the last head.
    #[error("The journal takes no more commits since a write to it failed. Restart the server once the disk is well.")]
    Stopped,
}

/// A journal that was read and found sound, and that nobody has changed yet.
pub(in crate::store) struct Inspected {
    shared: Arc<Shared>,
    head: Head,
    torn: Option<Torn>,
    provisional: Vec<PathBuf>,
    /// Where the group of the last commit begins, in the last segment.
    group_offset: u64,
}

/// Reads and verifies the journal in `dir`; `None` if none was ever begun there.
pub(in crate::store) fn inspect(dir: &Path) -> Result<Option<Inspected>, JournalError> {
    let listing = segment::list(dir)?;
    if listing.segments.is_empty() && listing.strange.is_empty() {
        let begun = provisional_path_of(dir, 1);
        return match listing.provisional.iter().any(|path| *path != begun) {
            true => Err(missing(dir, 1)),
            false => Ok(None),
        };
    }
    let mut check = Check::new(dir, &listing)?;
    let mut identity = (Uuid::nil(), [0; 32]);
    let mut segments: Vec<Indexed> = Vec::new();
    let mut torn = None;
    let mut group = (0, SEGMENT_HEADER_BYTES as u64);
    loop {
        match check.next()? {
            Found::Segment { header, path, file } => {
                identity = (header.store_id, header.seed);
                group = (header.first_revision.saturating_sub(1), SEGMENT_HEADER_BYTES as u64);
                segments.push(Indexed::empty(header.first_revision, path, file));
            }
            Found::Entry { offset, base, entry } => {
                if base != group.0 {
                    group = (base, offset);
                }
                if let Some(last) = segments.last_mut() {
                    last.push(offset, entry.payload.len())?;
                }
            }
            Found::Torn(found) => torn = Some(found),
            Found::End => break,
        }
    }
    let head = check.head();
    Ok(Some(Inspected {
        shared: Arc::new(Shared::new(identity.0, identity.1, head.revision, segments)),
        head,
        torn,
        provisional: listing.provisional,
        group_offset: group.1,
    }))
}

/// Begins a journal in `dir`, where there is none.
pub(in crate::store) fn create(dir: &Path) -> Result<(), JournalError> {
    disk::ensure_dir(dir)?;
    let mut seed_source = Vec::new();
    for _ in 0..4 {
        seed_source.extend_from_slice(Uuid::new_v4().as_bytes());
    }
    let seed = chain(&[0; 32], &seed_source);
    create_segment(dir, Uuid::new_v4(), seed, Head::NONE)?;
    Ok(())
}

fn create_segment(dir: &Path, store_id: Uuid, seed: [u8; 32], after: Head) -> Result<File, DiskError> {
    let first_revision = after.revision + 1;
    let provisional = provisional_path_of(dir, first_revision);
    disk::publish(&provisional, &path_of(dir, first_revision), |created_millis| {
        SegmentHeader { store_id, seed, first_revision, created_millis, parent_hash: after.hash }.encode()
    })
}

fn missing(dir: &Path, expected: Revision) -> JournalError {
    JournalError::MissingSegment { path: path_of(dir, expected), expected }
}

impl Inspected {
    /// The last commit: what the head will be when the journal is taken into use.
    pub(in crate::store) fn head(&self) -> Head {
        self.head
    }

    pub(in crate::store) fn reader(&self) -> JournalReader {
        JournalReader::new(self.shared.clone())
    }

    /// Takes the journal into use: cuts off a torn end, clears away what a crash left, and makes
    /// sure that all that was read is also on the disk.
    pub(in crate::store) fn settle(
        self,
        dir: &Path,
        options: &Options,
        lock: Arc<DirLock>,
    ) -> Result<(JournalWriter, JournalReader), JournalError> {
        for path in &self.provisional {
            disk::remove(path)?;
        }
        let Some((path, end)) = self.shared.last_segment() else {
            return Err(missing(dir, 1));
        };
        let mut file = File::options().read(true).write(true).open(&path).map_err(failed("open", &path))?;
        if let Some(Torn { path, offset, bytes }) = &self.torn {
            tracing::warn!(
                file = %path.display(), offset, bytes, head = self.head.revision,
                "cut off the unfinished end of the journal, which a crash left and nobody was promised"
            );
            file.set_len(*offset).map_err(failed("cut", path))?;
        }
        rewrite(&file, self.group_offset, end)
            .and_then(|()| file.sync_all())
            .and_then(|()| file.seek(SeekFrom::Start(end)))
            .map_err(failed("write", &path))?;
        disk::sync_dir(dir)?;
        let writer = JournalWriter {
            dir: dir.to_path_buf(),
            segment_bytes_max: options.segment_bytes_max.min(SEGMENT_BYTES_LIMIT),
            sync: options.sync,
            shared: self.shared.clone(),
            file,
            path,
            len: end,
            head: self.head,
            buffer: Vec::new(),
            stopped: false,
            _lock: lock,
        };
        Ok((writer, JournalReader::new(self.shared)))
    }
}

/// Writes the last group once more, as it is. Its `fdatasync` may never have been called, or have
/// failed: then the system may hold these bytes in memory, call them clean, and never write them.
fn rewrite(file: &File, from: u64, end: u64) -> std::io::Result<()> {
    let mut at = from;
    while at < end {
        let mut bytes = vec![0; usize_of((end - at).min(1 << 20))];
        file.read_exact_at(&mut bytes, at)?;
        file.write_all_at(&bytes, at)?;
        at += bytes.len() as u64;
    }
    Ok(())
}

/// The only hand that writes the journal; it belongs to the committer.
pub struct JournalWriter {
    dir: PathBuf,
    segment_bytes_max: u64,
    sync: bool,
    shared: Arc<Shared>,
    /// The last segment, its cursor at the end.
    file: File,
    path: Arc<Path>,
    len: u64,
    head: Head,
    buffer: Vec<u8>,
    stopped: bool,
    _lock: Arc<DirLock>,
}

impl JournalWriter {
    /// The last durable commit.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Writes the commits in one go, as the next revisions in their order, and returns the new
    /// head once they are durable; only then do readers see them. A group that is too large is
    /// refused whole. After any other error the writer has stopped for good.
    pub fn append(&mut self, expected_head: Revision, records: &mut [Record]) -> Result<Head, JournalError> {
        if self.stopped || expected_head != self.head.revision {
            return Err(JournalError::Stopped);
        }
        if records.is_empty() {
            return Ok(self.head);
        }
        let payloads: Vec<Bytes> = records.iter().map(stored::encode).collect();
        let payloads = payloads.as_slice();
        let mut parent_hash = self.head.hash;
        for (record, payload) in records.iter_mut().zip(payloads) {
            record.parent_hash = parent_hash;
            record.hash = chain(&parent_hash, payload);
            parent_hash = record.hash;
            for (at, change) in record.changes.iter_mut().enumerate() {
                let len = u32::try_from(change.document.len()).unwrap_or(0);
                change.place = crate::store::Place { segment: 0, offset: u32::try_from(at).unwrap_or(0), len };
            }
        }
        let (head, offsets) = self.encode(payloads)?;
        // Stopped until proven otherwise: an early return below leaves it so.
        self.stopped = true;
        let group_bytes = self.buffer.len() as u64;
        let full = self.len >= self.segment_bytes_max || self.len + group_bytes > SEGMENT_BYTES_LIMIT;
        if full && !self.shared.last_is_empty() {
            self.rotate()?;
        }
        self.file.write_all(&self.buffer).map_err(failed("write", &self.path))?;
        if self.sync {
            self.file.sync_data().map_err(failed("sync", &self.path))?;
        }
        self.shared.extend(self.len, &offsets, group_bytes, head.revision);
        self.len += group_bytes;
        self.head = head;
        self.stopped = false;
        Ok(head)
    }

    /// Lays the group out in the buffer. Returns the head that it makes, and where in the buffer
    /// each commit begins.
    fn encode(&mut self, payloads: &[Bytes]) -> Result<(Head, Vec<u32>), JournalError> {
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_KEPT_BYTES);
        let too_large = |bytes: usize, bytes_max| JournalError::TooLarge { bytes: bytes as u64, bytes_max };
        let group_bytes_max = SEGMENT_BYTES_LIMIT - SEGMENT_HEADER_BYTES as u64;
        let mut offsets = Vec::with_capacity(payloads.len());
        let mut head = self.head;
        for payload in payloads {
            let len = match u32::try_from(payload.len()) {
                Ok(len) if len <= PAYLOAD_BYTES_MAX => len,
                Ok(_) | Err(_) => return Err(too_large(payload.len(), u64::from(PAYLOAD_BYTES_MAX))),
            };
            let offset = u32::try_from(self.buffer.len());
            offsets.push(offset.map_err(|_| too_large(self.buffer.len(), group_bytes_max))?);
            let header = FrameHeader {
                len,
                revision: head.revision + 1,
                base: self.head.revision,
                payload_crc: crc32fast::hash(payload),
                parent_hash: head.hash,
            };
            header.encode(&mut self.buffer);
            self.buffer.extend_from_slice(payload);
            head = Head { revision: header.revision, hash: chain(&head.hash, payload) };
        }
        if self.buffer.len() as u64 > group_bytes_max {
            return Err(too_large(self.buffer.len(), group_bytes_max));
        }
        Ok((head, offsets))
    }

    /// Begins the next segment. All commits before it are durable: a group is never split.
    fn rotate(&mut self) -> Result<(), JournalError> {
        let (store_id, seed) = (self.shared.store_id, self.shared.seed);
        let writing = create_segment(&self.dir, store_id, seed, self.head)?;
        let first = self.head.revision + 1;
        let path: Arc<Path> = path_of(&self.dir, first).into();
        let reading = File::open(&path).map_err(failed("open", &path))?;
        self.shared.begin(Indexed::empty(first, path.clone(), Arc::new(reading)));
        self.file = writing;
        self.path = path;
        self.len = SEGMENT_HEADER_BYTES as u64;
        Ok(())
    }
}
