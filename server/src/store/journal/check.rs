//! Reads a whole journal and verifies all of it: names, headers, lengths, checksums, revisions, digests, hashes, and what
//! the witness beside it says. Nothing is written here, so that a refusal can say that nothing was changed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::commit::Fault;
use super::end::{Torn, has_unwritten_sector, later_group_exists, written_end};
use super::error::JournalError;
use super::frame::{FRAME_HEADER_BYTES, FrameHeader, FrameKind, SEAL_BYTES};
use super::segment::{
    FORMAT_VERSION, FRAMES_AT, Listing, NotAHeader, SEGMENT_HEADER_BYTES, Segment, SegmentHeader, is_of_version_1,
    path_of,
};
use super::shared::{Indexed, Known};
use super::walk::{Step, Walk};
use super::witness::{self, Testimony};
use crate::store::disk::{self, Obstacle, failed};
use crate::store::record::{Change, Hash, Head, Record, Revision, digest};

/// What the check came to next.
pub(super) enum Next {
    Found(Found),
    /// All has been read.
    End(End),
}

/// What the check found.
pub(super) enum Found {
    /// A segment begins.
    Segment(SegmentHeader, Segment),
    /// A commit, whole and in its place.
    Commit { offset: u64, end: u64, base: Revision, record: Record },
}

impl Found {
    /// The length of all documents.
    pub(super) fn document_bytes(&self) -> usize {
        match self {
            Found::Segment(..) => 0,
            Found::Commit { record, .. } => record.document_bytes(),
        }
    }
}

/// How the journal ends.
pub(super) struct End {
    /// What a crash left behind the last commit.
    pub(super) torn: Option<Torn>,
    /// A segment that was made ahead of time, and holds nothing.
    pub(super) standby: Option<(Segment, u64)>,
}

/// Whether the files are only read, perhaps while a server writes them, or are to be written later.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// Walks the segments of one journal.
pub(super) struct Check {
    dir: PathBuf,
    data_dir: PathBuf,
    access: Access,
    /// The last ordinal in the directory.
    last_ordinal: u32,
    testimony: Option<Testimony>,
    /// The hash of the commit that the witness names.
    hash_then: Option<Hash>,
    /// The segment being read.
    current: Option<Walk>,
    next_ordinal: u32,
    /// The last commit read.
    head: Head,
    /// The header of the last segment that was begun.
    before: Option<SegmentHeader>,
    /// The last segment that was passed over, and where its seal should be.
    sealed_at: Option<(Segment, u64)>,
}

impl Check {
    /// Begins with the first segment, which must be there.
    pub(super) fn new(
        dir: &Path,
        data_dir: &Path,
        listing: &Listing,
        testimony: Option<Testimony>,
        access: Access,
    ) -> Result<Check, JournalError> {
        if let Some(path) = listing.older.first()
            && is_of_version_1(path)?
        {
            return Err(JournalError::OlderFormat { path: path.clone() });
        }
        if let Some(path) = listing.older.first().or(listing.strange.first()) {
            return Err(damaged(path, 0, "its name is not that of a segment (ten digits and .seg)".to_owned()));
        }
        Ok(Check {
            dir: dir.to_path_buf(),
            data_dir: data_dir.to_path_buf(),
            access,
            last_ordinal: listing.segments.last().map_or(0, |(ordinal, _)| *ordinal),
            testimony,
            hash_then: None,
            current: None,
            next_ordinal: 0,
            head: Head::NONE,
            before: None,
            sealed_at: None,
        })
    }

    /// Passes over all before the commit of `known.head`, and begins with that: of the segments only the headers are
    /// read, and the seals. Returns what was passed over. Whatever is wrong with the journal or with what is known of it
    /// is an error, and the two are not told apart.
    pub(super) fn pass_over(&mut self, known: Known) -> Result<Vec<Indexed>, JournalError> {
        let count = known.segments.len();
        let mut passed = Vec::with_capacity(count);
        for (at, mut segment_known) in known.segments.into_iter().enumerate() {
            if at > 0 {
                self.head = self.seal_before(segment_known.first)?;
            }
            let Found::Segment(header, segment) = self.open_segment()? else { return Err(JournalError::Stopped) };
            let unlike = |what: &str| Err(damaged(&segment.path, 0, format!("{what} is not what was noted of it")));
            if header.store_id != known.store_id {
                return unlike("the journal to which it belongs");
            }
            if header.first_revision != segment_known.first {
                return unlike("the revision with which it begins");
            }
            if at + 1 == count {
                // This commit is read once more: it tells whether all that is known is of this journal.
                let offset = segment_known.offsets.pop().map(u64::from);
                let (Some(offset), Some(walk)) = (offset, &mut self.current) else {
                    return unlike("where its commits begin");
                };
                walk.offset = offset.max(FRAMES_AT);
                segment_known.end = offset;
                self.head = Head { revision: known.head.revision - 1, hash: known.parent_hash };
            } else {
                self.current = None;
                self.sealed_at = Some((segment.clone(), segment_known.end));
            }
            passed.push(Indexed::of(segment_known, segment));
        }
        self.hash_then = self.hash_passed_over(&passed)?;
        Ok(passed)
    }

    /// The hash of the commit that the witness names, if it was passed over.
    fn hash_passed_over(&self, passed: &[Indexed]) -> Result<Option<Hash>, JournalError> {
        let Some(told) = self.testimony.map(|told| told.head.revision) else { return Ok(None) };
        let Some((segment, offset)) = passed.iter().find_map(|segment| segment.place_of(told)) else { return Ok(None) };
        let limit = disk::len_of(&segment.file, &segment.path)?;
        match Walk::new(segment.clone(), offset, limit).step()? {
            Step::Commit { record, .. } if record.revision == told => Ok(Some(record.hash)),
            Step::Commit { .. } | Step::Seal { .. } | Step::Bad { .. } | Step::End => {
                Err(damaged(&segment.path, offset, format!("revision {told} should be here")))
            }
        }
    }

    /// The last commit of the segment that was passed over, by its seal; `first` is the revision behind it.
    fn seal_before(&self, first: Revision) -> Result<Head, JournalError> {
        let Some((segment, end)) = &self.sealed_at else { return Err(JournalError::Stopped) };
        let mut bytes = [0; FRAME_HEADER_BYTES];
        disk::read_at(&segment.file, &segment.path, &mut bytes, *end)?;
        let seal =
            FrameHeader::decode(&bytes).filter(|seal| seal.kind == FrameKind::Seal && seal.revision + 1 == first);
        let seal =
            seal.ok_or_else(|| damaged(&segment.path, *end, format!("no seal before revision {first} is here")))?;
        Ok(Head { revision: seal.revision, hash: seal.parent_hash })
    }

    /// The directory of the journal.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The header of the last segment that was begun.
    pub(super) fn last_header(&self) -> Option<SegmentHeader> {
        self.before.clone()
    }

    /// The last commit that was found whole.
    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// The next thing in the journal. Not to be called again after the end or an error.
    pub(super) fn next(&mut self) -> Result<Next, JournalError> {
        let mut refused = None;
        loop {
            let Some(walk) = &mut self.current else {
                return self.open_segment().map(Next::Found);
            };
            let (offset, frame_end, fault) = match walk.step()? {
                Step::Commit { offset, end, base, record } => {
                    return self.accept(offset, end, base, record).map(Next::Found);
                }
                Step::Seal { offset, header } => {
                    self.accept_seal(offset, &header)?;
                    continue;
                }
                Step::Bad { fault: Fault::Unreadable, .. } => {
                    return Err(JournalError::Unreadable { revision: self.head.revision + 1 });
                }
                Step::Bad { offset, end, fault } => (offset, end, fault),
                Step::End => (walk.offset, walk.limit, Fault::Short),
            };
            if let Some(refused) = refused {
                return Err(refused);
            }
            match self.end(offset, frame_end, fault) {
                // Beside a server that writes, what looked wrong may have been half of what is whole by now.
                Err(error @ JournalError::Damaged { .. }) => refused = Some(error),
                end => return end.map(Next::End),
            }
            if let Some(walk) = &mut self.current {
                walk.look_again();
            }
        }
    }

    fn open_file(&self, ordinal: u32) -> Result<Option<(Segment, u64)>, JournalError> {
        let path = path_of(&self.dir, ordinal);
        let open = |write| File::options().read(true).write(write).open(&path);
        let opened = match open(self.access == Access::Write) {
            // What may only be read is served all the same.
            Err(error) if self.access == Access::Write && Obstacle::of(&error) == Obstacle::ReadOnly => open(false),
            opened => opened,
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open", &path)(error).into()),
        };
        let len = disk::len_of(&file, &path)?;
        Ok(Some((Segment { ordinal, path: path.into(), file: Arc::new(file) }, len)))
    }

    /// Opens the next segment, which must be there: it is the first, or the one before is sealed.
    fn open_segment(&mut self) -> Result<Found, JournalError> {
        let ordinal = self.next_ordinal;
        let expected = self.head.revision + 1;
        let Some((segment, len)) = self.open_file(ordinal)? else {
            return Err(JournalError::MissingSegment { path: path_of(&self.dir, ordinal), expected });
        };
        let path = &segment.path;
        if len < FRAMES_AT {
            return Err(damaged(path, len, "the file ends within the segment's header".to_owned()));
        }
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        disk::read_at(&segment.file, path, &mut bytes, 0)?;
        let header = SegmentHeader::decode(&bytes).map_err(|fault| match fault {
            NotAHeader::Magic => damaged(path, 0, "this is not a journal segment that was begun".to_owned()),
            NotAHeader::Checksum => damaged(path, 0, "the segment's header does not match its checksum".to_owned()),
            NotAHeader::Older => JournalError::OlderFormat { path: path.to_path_buf() },
            NotAHeader::Newer(version) => {
                JournalError::NewerFormat { path: path.to_path_buf(), version, known: FORMAT_VERSION }
            }
        })?;
        let before = self.before.as_ref().unwrap_or(&header);
        let wrong = if (header.store_id, header.seed) != (before.store_id, before.seed) {
            Some("this segment belongs to another journal".to_owned())
        } else if header.ordinal != ordinal {
            Some(format!("the segment's header says that it is number {}", header.ordinal))
        } else if header.first_revision != expected {
            Some(format!("the segment begins with revision {}, and {expected} should follow", header.first_revision))
        } else if header.parent_hash != self.head.hash {
            Some("the hash of the commit before it is not that of the last commit of the segment before".to_owned())
        } else if header.epoch < before.epoch {
            Some(format!("the segment is of epoch {}, and the one before of epoch {}", header.epoch, before.epoch))
        } else {
            None
        };
        if let Some(what) = wrong {
            return Err(damaged(path, 0, what));
        }
        if header.file_bytes != len {
            let what = format!("the file has {len} bytes, and by the segment's header {}", header.file_bytes);
            return Err(damaged(path, len.min(header.file_bytes), what));
        }
        self.next_ordinal += 1;
        self.before = Some(header.clone());
        self.current = Some(Walk::new(segment.clone(), FRAMES_AT, len));
        Ok(Found::Segment(header, segment))
    }

    fn accept(&mut self, offset: u64, end: u64, base: Revision, record: Record) -> Result<Found, JournalError> {
        let expected = self.head.revision + 1;
        let foreign = |change: &&Change| digest(&change.salt, &change.document) != change.digest;
        let wrong = if record.revision != expected {
            Some(format!("revision {expected} should be here, and revision {} is", record.revision))
        } else if record.parent_hash != self.head.hash {
            Some(format!("revision {expected} does not continue the commit before it: the chain of hashes is broken"))
        } else if base >= record.revision {
            Some(format!("revision {expected} claims to follow revision {base}"))
        } else {
            let foreign = record.changes.iter().find(foreign);
            foreign.map(|change| {
                format!(
                    "the document of {} in revision {expected} is not the one that its commit was made with",
                    change.name
                )
            })
        };
        if let Some(what) = wrong {
            return Err(self.damaged_here(offset, what));
        }
        self.head = record.head();
        if self.testimony.is_some_and(|told| told.head.revision == expected) {
            self.hash_then = Some(record.hash);
        }
        Ok(Found::Commit { offset, end, base, record })
    }

    fn accept_seal(&mut self, offset: u64, seal: &FrameHeader) -> Result<(), JournalError> {
        let Head { revision, hash } = self.head;
        if seal.revision != revision || seal.parent_hash != hash || seal.base != revision {
            return Err(self.damaged_here(offset, format!("a seal that follows revision {} is here", seal.revision)));
        }
        let Some(walk) = self.current.take() else { return Ok(()) };
        match written_end(&walk.segment, offset + SEAL_BYTES, walk.limit)? {
            Some(end) => Err(damaged(&walk.segment.path, end - 1, "there is something behind the seal".to_owned())),
            None => Ok(()),
        }
    }

    /// Ends the journal where no whole frame follows, if it may end there.
    fn end(&self, offset: u64, frame_end: u64, fault: Fault) -> Result<End, JournalError> {
        let Some(walk) = &self.current else { return Err(JournalError::Stopped) };
        let (segment, limit) = (walk.segment.clone(), walk.limit);
        let expected = self.head.revision + 1;
        let what = match fault {
            Fault::Short => "the file ends before a commit or seal does",
            Fault::Header => "there is no header of a commit that matches its checksum",
            Fault::Head => "the head of a commit does not match its checksum",
            Fault::Document => "a document does not match its checksum",
            Fault::End | Fault::Unreadable => "the commit does not end as one does",
        };
        let refuse = |why: &str| {
            Err(damaged(&segment.path, offset, format!("revision {expected} should be here, but {what}; {why}")))
        };
        let standby = self.open_file(segment.ordinal + 1)?;
        let next_is_used = match &standby {
            Some((next, len)) => written_end(next, FRAMES_AT.min(*len), *len)?.is_some(),
            None => false,
        };
        if next_is_used || self.last_ordinal > segment.ordinal + 1 {
            return refuse("the segment after it shows that this one had been written in full");
        }
        let Some(written_end) = written_end(&segment, offset, limit)? else {
            return match offset + SEAL_BYTES <= limit {
                true => self.hold_against_witness(End { torn: None, standby }),
                false => refuse("there is no room for a seal either"),
            };
        };
        if later_group_exists(&segment, offset, written_end, expected)? {
            return refuse("later commits show that it had been written in full");
        }
        // The last byte of a frame is never zero.
        let torn = frame_end <= limit
            && (written_end < frame_end || has_unwritten_sector(&segment, offset, frame_end, limit)?);
        if fault == Fault::Short || !torn {
            return refuse("nothing is missing from it, so no crash did this");
        }
        self.hold_against_witness(End { torn: Some(Torn { segment, offset, end: written_end }), standby })
    }

    fn hold_against_witness(&self, end: End) -> Result<End, JournalError> {
        let (Some(told), Some(last)) = (&self.testimony, &self.before) else { return Ok(end) };
        let hash_then = if told.head.revision == 0 { Some(Head::NONE.hash) } else { self.hash_then };
        match told.objection(last.store_id, last.epoch, self.head.revision, hash_then) {
            None => Ok(end),
            Some(objection) => Err(JournalError::LostEnd {
                journal: self.dir.clone(),
                head: self.head.revision,
                witness: witness::path_in(&self.data_dir),
                known: objection.known(),
            }),
        }
    }

    fn damaged_here(&self, offset: u64, what: String) -> JournalError {
        damaged(self.current.as_ref().map_or(&self.dir, |walk| &walk.segment.path), offset, what)
    }
}

fn damaged(path: &Path, offset: u64, what: String) -> JournalError {
    JournalError::Damaged { path: path.to_path_buf(), offset, what }
}
