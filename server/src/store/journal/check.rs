//! Reads a whole journal and believes nothing: names, headers, checksums, revisions, hashes. It
//! tells a torn end, which a crash leaves and which nobody was promised, from damage, which is
//! refused. Nothing is written here, so that a refusal can say that nothing was changed.

use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use crate::store::disk::{DiskError, failed};
use crate::store::journal::frame::{
    FORMAT_VERSION, FRAME_HEADER_BYTES, FrameHeader, NotAHeader, SEGMENT_HEADER_BYTES, SegmentHeader, chain,
};
use crate::store::journal::segment::{Fault, Frame, Listing, Step, Walk, path_of, usize_of};
use crate::store::journal::{Entry, JournalError};
use crate::store::{Head, Revision};

/// The unit in which a disk writes: after a power cut a piece of this size is there or is not.
const SECTOR_BYTES: u64 = 512;
const CHUNK_BYTES: u64 = 1 << 20;

/// The end of the last segment that a crash left unfinished.
#[derive(Clone, Debug)]
pub(in crate::store) struct Torn {
    pub(in crate::store) path: Arc<Path>,
    /// Where the first frame begins that is not whole.
    pub(in crate::store) offset: u64,
    /// How much follows from there.
    pub(in crate::store) bytes: u64,
}

/// What the check came to next.
pub(in crate::store) enum Found {
    /// A segment begins.
    Segment { header: SegmentHeader, path: Arc<Path>, file: Arc<File> },
    /// A commit, whole and in its place.
    Entry { offset: u64, base: Revision, entry: Entry },
    /// The unfinished end. Only `End` follows.
    Torn(Torn),
    /// All has been read.
    End,
}

/// Walks the segments of one journal.
pub(in crate::store) struct Check {
    dir: PathBuf,
    waiting: VecDeque<(Revision, PathBuf)>,
    walk: Option<Walk>,
    /// The last commit read.
    head: Head,
    identity: Option<(Uuid, [u8; 32])>,
}

impl Check {
    /// Begins with the first segment. There must be one, and it must begin with revision 1.
    pub(in crate::store) fn new(dir: &Path, listing: &Listing) -> Result<Check, JournalError> {
        if let Some(path) = listing.strange.first() {
            return Err(damaged(path, 0, "its name is not that of a segment (twenty digits and .seg)".to_owned()));
        }
        Ok(Check {
            dir: dir.to_path_buf(),
            waiting: listing.segments.iter().cloned().collect(),
            walk: None,
            head: Head::NONE,
            identity: None,
        })
    }

    /// The last commit that was found whole.
    pub(in crate::store) fn head(&self) -> Head {
        self.head
    }

    /// The next thing in the journal. Not to be called again after an error.
    pub(in crate::store) fn next(&mut self) -> Result<Found, JournalError> {
        let Some(walk) = &mut self.walk else {
            return match self.waiting.pop_front() {
                Some((first, path)) => self.open_segment(first, path.into()),
                None => Ok(Found::End),
            };
        };
        match walk.step()? {
            Step::Frame(frame) => self.accept(frame),
            Step::Bad { offset, fault } => {
                let torn = self.judge(offset, fault)?;
                self.walk = None;
                Ok(Found::Torn(torn))
            }
            Step::End => {
                self.walk = None;
                self.next()
            }
        }
    }

    fn open_segment(&mut self, first: Revision, path: Arc<Path>) -> Result<Found, JournalError> {
        let expected = self.head.revision + 1;
        if first > expected {
            let path = path_of(&self.dir, expected);
            return Err(JournalError::MissingSegment { path, expected });
        }
        if first < expected {
            let what =
                format!("by its name it begins with revision {first}, which the segment before it holds already");
            return Err(damaged(&path, 0, what));
        }
        let file = File::open(&path).map_err(failed("open", &path))?;
        let len = file.metadata().map_err(failed("open", &path))?.len();
        if len < SEGMENT_HEADER_BYTES as u64 {
            // Segments get their name after their header is durable: no crash leaves this.
            return Err(damaged(&path, len, "the file ends within the segment's header".to_owned()));
        }
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        file.read_exact_at(&mut bytes, 0).map_err(failed("read", &path))?;
        let header = SegmentHeader::decode(&bytes).map_err(|fault| match fault {
            NotAHeader::Magic => damaged(&path, 0, "this is not a journal segment".to_owned()),
            NotAHeader::Checksum => damaged(&path, 0, "the segment's header does not match its checksum".to_owned()),
            NotAHeader::Newer(version) => {
                JournalError::NewerFormat { path: path.to_path_buf(), version, known: FORMAT_VERSION }
            }
        })?;
        let identity = (header.store_id, header.seed);
        let wrong = if *self.identity.get_or_insert(identity) != identity {
            Some("this segment belongs to another journal".to_owned())
        } else if header.first_revision != first {
            Some(format!("the segment's header says that it begins with revision {}", header.first_revision))
        } else if header.parent_hash != self.head.hash {
            Some("the hash of the commit before it is not that of the last commit of the segment before".to_owned())
        } else {
            None
        };
        if let Some(what) = wrong {
            return Err(damaged(&path, 0, what));
        }
        let file = Arc::new(file);
        let after_header = SEGMENT_HEADER_BYTES as u64;
        self.walk = Some(Walk::new(file.clone(), path.clone(), after_header, len));
        Ok(Found::Segment { header, path, file })
    }

    fn accept(&mut self, frame: Frame) -> Result<Found, JournalError> {
        let Frame { offset, header, payload } = frame;
        let expected = self.head.revision + 1;
        let wrong = if header.revision != expected {
            Some(format!("revision {expected} should be here, and revision {} is", header.revision))
        } else if header.parent_hash != self.head.hash {
            Some(format!("revision {expected} does not continue the commit before it: the chain of hashes is broken"))
        } else if header.base >= header.revision {
            Some(format!("revision {expected} claims to follow revision {}", header.base))
        } else {
            None
        };
        if let Some(what) = wrong {
            let path = self.walk.as_ref().map_or(Path::new(""), |walk| &walk.path);
            return Err(damaged(path, offset, what));
        }
        let entry =
            Entry { revision: expected, parent_hash: self.head.hash, hash: chain(&self.head.hash, &payload), payload };
        self.head = entry.head();
        Ok(Found::Entry { offset, base: header.base, entry })
    }

    /// Whether the bytes from `offset` on are the unfinished end of the journal, or damage.
    fn judge(&self, offset: u64, fault: Fault) -> Result<Torn, JournalError> {
        let expected = self.head.revision + 1;
        let Some(walk) = &self.walk else {
            return Err(JournalError::Stopped);
        };
        let what = match fault {
            Fault::ShortHeader => "the file ends within the header of a commit",
            Fault::Header => "the header of a commit does not match its checksum",
            Fault::ShortPayload => "the file ends within a commit",
            Fault::Payload => "a commit does not match its checksum",
        };
        let refuse = |why: &str| {
            Err(damaged(&walk.path, offset, format!("revision {expected} should be here, but {what}; {why}")))
        };
        if !self.waiting.is_empty() {
            return refuse("a later segment shows that it had been written in full");
        }
        if later_group_exists(walk, offset, expected)? {
            return refuse("later commits show that it had been written in full");
        }
        let unfinished = match fault {
            Fault::ShortHeader | Fault::ShortPayload => true,
            Fault::Header | Fault::Payload => has_unwritten_sector(walk, offset)?,
        };
        if !unfinished {
            return refuse("nothing is missing from it, so no crash did this");
        }
        Ok(Torn { path: walk.path.clone(), offset, bytes: walk.limit - offset })
    }
}

/// Whether any frame header behind `from` says that revision `expected` was durable when it was
/// written. Every offset is tried: where frames begin is not known behind a bad one.
fn later_group_exists(walk: &Walk, from: u64, expected: Revision) -> Result<bool, DiskError> {
    let window = FRAME_HEADER_BYTES as u64;
    let mut at = from;
    while at + window <= walk.limit {
        let chunk = read(walk, at, (at + CHUNK_BYTES + window - 1).min(walk.limit))?;
        let proof = |bytes: &[u8; FRAME_HEADER_BYTES]| {
            FrameHeader::revision_at(bytes) > expected
                && FrameHeader::decode(bytes).is_some_and(|header| header.base >= expected)
        };
        if chunk.windows(FRAME_HEADER_BYTES).filter_map(|bytes| bytes.first_chunk()).any(proof) {
            return Ok(true);
        }
        at += CHUNK_BYTES;
    }
    Ok(false)
}

/// Whether one of the sectors from `from` to the end holds nothing but zeros (the part of it that
/// lies there): the file had grown, but that sector's bytes never came.
fn has_unwritten_sector(walk: &Walk, from: u64) -> Result<bool, DiskError> {
    let mut at = from;
    while at < walk.limit {
        let end = (at - at % SECTOR_BYTES + CHUNK_BYTES).min(walk.limit);
        let chunk = read(walk, at, end)?;
        let (head, tail) = chunk.split_at(usize_of(SECTOR_BYTES - at % SECTOR_BYTES).min(chunk.len()));
        let mut sectors = std::iter::once(head).chain(tail.chunks(usize_of(SECTOR_BYTES)));
        if sectors.any(|sector| sector.iter().all(|byte| *byte == 0)) {
            return Ok(true);
        }
        at = end;
    }
    Ok(false)
}

fn read(walk: &Walk, from: u64, to: u64) -> Result<Vec<u8>, DiskError> {
    let mut bytes = vec![0; usize_of(to - from)];
    walk.file.read_exact_at(&mut bytes, from).map_err(failed("read", &walk.path))?;
    Ok(bytes)
}

fn damaged(path: &Path, offset: u64, what: String) -> JournalError {
    JournalError::Damaged { path: path.to_path_buf(), offset, what }
}
