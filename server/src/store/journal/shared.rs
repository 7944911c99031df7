//! What the writer and all readers know of the journal: its segments, where in them each commit begins, and how they
//! are told of a new head. Invariant: what stands here is durable.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, RwLock};
use uuid::Uuid;

use super::segment::{FRAMES_AT, Segment, usize_of};
use crate::store::record::{Hash, Head, Revision};

/// Nobody waits longer at once: a moment must not be further off than the clock can tell.
const WAIT_MAX: Duration = Duration::from_secs(86_400);

/// What is known of a segment: what a checkpoint keeps of it.
pub(in crate::store) struct KnownSegment {
    /// The revision with which it begins.
    pub(in crate::store) first: Revision,
    /// Where its last commit ends.
    pub(in crate::store) end: u64,
    /// Where each of its commits begins.
    pub(in crate::store) offsets: Vec<u32>,
}

/// A segment, and where in it each commit begins.
pub(super) struct Indexed {
    first: Revision,
    segment: Segment,
    offsets: Vec<u32>,
    /// Behind its last commit.
    end: u64,
}

impl Indexed {
    /// A segment without commits.
    pub(super) fn empty(first: Revision, segment: Segment) -> Indexed {
        Indexed { first, segment, offsets: Vec::new(), end: FRAMES_AT }
    }

    /// A segment of which this is known already.
    pub(super) fn of(known: KnownSegment, segment: Segment) -> Indexed {
        let KnownSegment { first, end, offsets } = known;
        Indexed { first, segment, offsets, end }
    }

    /// The ordinal of the segment.
    pub(super) fn ordinal(&self) -> u32 {
        self.segment.ordinal
    }

    /// Where the commit of a revision begins.
    pub(super) fn offset_of(&self, revision: Revision) -> Option<u32> {
        self.offsets.get(usize_of(revision.checked_sub(self.first)?)).copied()
    }

    /// The file in which the commit of a revision lies, and where it begins.
    pub(super) fn place_of(&self, revision: Revision) -> Option<(&Segment, u64)> {
        Some((&self.segment, u64::from(self.offset_of(revision)?)))
    }

    /// Notes a commit that lies from `offset` to `end`.
    pub(super) fn push(&mut self, offset: u32, end: u64) {
        self.offsets.push(offset);
        self.end = end;
    }
}

/// Where a commit lies.
pub(super) struct FramePlace {
    pub(super) segment: Segment,
    pub(super) offset: u64,
    /// Where the next commit begins, or the last one of the segment ends.
    pub(super) frame_end: u64,
    pub(super) segment_end: u64,
}

/// What is known of a journal up to a commit: what a checkpoint keeps of it.
pub(in crate::store) struct Known {
    pub(in crate::store) store_id: Uuid,
    /// The commit up to which it is known.
    pub(in crate::store) head: Head,
    /// The hash of the commit before that.
    pub(in crate::store) parent_hash: Hash,
    /// The segments up to the one of the commit, which is the last that is noted of it.
    pub(in crate::store) segments: Vec<KnownSegment>,
}

struct Durable {
    segments: Vec<Indexed>,
    head: Head,
}

/// What the writer and all readers know of the journal.
pub(super) struct Shared {
    pub(super) store_id: Uuid,
    pub(super) seed: [u8; 32],
    pub(super) epoch: u64,
    head: AtomicU64,
    known: RwLock<Durable>,
    new_head: Condvar,
    new_head_guard: Mutex<()>,
}

impl Shared {
    pub(super) fn new(store_id: Uuid, seed: [u8; 32], epoch: u64, head: Head, segments: Vec<Indexed>) -> Shared {
        Shared {
            store_id,
            seed,
            epoch,
            head: AtomicU64::new(head.revision),
            known: RwLock::new(Durable { segments, head }),
            new_head: Condvar::new(),
            new_head_guard: Mutex::new(()),
        }
    }

    pub(super) fn head(&self) -> Revision {
        self.head.load(Ordering::Acquire)
    }

    pub(super) fn head_with_hash(&self) -> Head {
        self.known.read().head
    }

    /// A new last segment.
    pub(super) fn begin(&self, segment: Indexed) {
        self.known.write().segments.push(segment);
    }

    /// Shows a durable group to the readers, and wakes those who wait for one: its commits begin at `offsets` in the last
    /// segment, and end at `end`.
    pub(super) fn extend(&self, offsets: &[u32], end: u64, head: Head) {
        {
            let mut known = self.known.write();
            if let Some(last) = known.segments.last_mut() {
                last.offsets.extend_from_slice(offsets);
                last.end = end;
            }
            known.head = head;
            self.head.store(head.revision, Ordering::Release);
        }
        // Whoever found the old head with the guard in hand waits by now.
        drop(self.new_head_guard.lock());
        self.new_head.notify_all();
    }

    /// Waits until the head is beyond `revision`, at most so long. Answers whether it is.
    pub(super) fn wait_beyond(&self, revision: Revision, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout.min(WAIT_MAX);
        let mut guard = self.new_head_guard.lock();
        while self.head() <= revision {
            if self.new_head.wait_until(&mut guard, deadline).timed_out() {
                return self.head() > revision;
            }
        }
        true
    }

    pub(super) fn place_of(&self, revision: Revision) -> Option<FramePlace> {
        let known = self.known.read();
        // A segment without commits has the first revision of the one behind it.
        let at = known.segments.partition_point(|segment| segment.first <= revision);
        let segment = known.segments.get(at.checked_sub(1)?)?;
        let at = usize_of(revision - segment.first);
        let offset = u64::from(segment.offset_of(revision)?);
        Some(FramePlace {
            segment: segment.segment.clone(),
            offset,
            frame_end: segment.offsets.get(at + 1).map_or(segment.end, |next| u64::from(*next)),
            segment_end: segment.end,
        })
    }

    /// What is known of a segment by its ordinal, up to a revision; `None` if it begins behind that.
    pub(super) fn known_up_to(&self, ordinal: usize, revision: Revision) -> Option<KnownSegment> {
        let known = self.known.read();
        let Indexed { first, offsets, end, .. } = known.segments.get(ordinal)?;
        let count = usize_of((revision + 1).saturating_sub(*first)).min(offsets.len());
        let end = offsets.get(count).map_or(*end, |next| u64::from(*next));
        (*first <= revision).then(|| KnownSegment {
            first: *first,
            end,
            offsets: offsets.iter().take(count).copied().collect(),
        })
    }

    /// How many bytes of commits there are.
    pub(super) fn commit_bytes(&self) -> u64 {
        self.known.read().segments.iter().map(|segment| segment.end - FRAMES_AT).sum()
    }

    /// A segment by its ordinal, and where its last commit ends.
    pub(super) fn segment(&self, ordinal: u32) -> Option<(Segment, u64)> {
        let known = self.known.read();
        let found = known.segments.get(usize::try_from(ordinal).ok()?)?;
        Some((found.segment.clone(), found.end))
    }
}
