//! The newest commits, as they were written: those who follow closely do not read them again, each for itself.
//!
//! A memory, and no buffer: whoever comes too late for it reads the journal.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::store::{Record, Revision};

/// The most bytes of documents that are remembered. The ledger holds most of them too, and they are the same bytes.
const BYTES_MAX: usize = 4 << 20;

/// The most commits, however small: several times what can come while a follower is not at work.
const COMMITS_MAX: usize = 4_096;

/// The newest commits, without a gap.
#[derive(Default)]
pub(super) struct Recent(RwLock<Remembered>);

#[derive(Default)]
struct Remembered {
    commits: VecDeque<Arc<Record>>,
    bytes: usize,
}

impl Recent {
    /// Remembers commits, which come behind all others.
    pub(super) fn add(&self, records: Vec<Record>) {
        let mut remembered = self.0.write();
        for record in records {
            remembered.bytes += record.document_bytes();
            remembered.commits.push_back(Arc::new(record));
        }
        while (remembered.bytes > BYTES_MAX || remembered.commits.len() > COMMITS_MAX)
            && let Some(oldest) = remembered.commits.pop_front()
        {
            remembered.bytes -= oldest.document_bytes();
        }
    }

    /// The commits from a revision on, at most so many. None if that one is not remembered.
    pub(super) fn from(&self, revision: Revision, count: usize) -> Vec<Arc<Record>> {
        let remembered = self.0.read();
        let first = remembered.commits.front().map_or(Revision::MAX, |record| record.revision);
        let skipped = revision.checked_sub(first).and_then(|skipped| usize::try_from(skipped).ok());
        skipped.map_or_else(Vec::new, |skipped| remembered.commits.iter().skip(skipped).take(count).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::index::tests::{country, record};

    fn revisions(recent: &Recent, from: Revision, count: usize) -> Vec<Revision> {
        recent.from(from, count).iter().map(|record| record.revision).collect()
    }

    #[test]
    fn the_newest_commits_are_there_from_a_revision_on() {
        let recent = Recent::default();
        assert_eq!(revisions(&recent, 1, 10), [0; 0]);
        recent.add((7..=9).map(|revision| record(revision, vec![country("countries/kr", "K")])).collect());
        assert_eq!(revisions(&recent, 7, 10), [7, 8, 9]);
        assert_eq!(revisions(&recent, 8, 1), [8]);
        assert_eq!(revisions(&recent, 6, 10), [0; 0], "it has to be read");
        assert_eq!(revisions(&recent, 10, 10), [0; 0], "it is not there yet");
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let recent = Recent::default();
        recent.add((1..=5_000).map(|revision| record(revision, vec![country("countries/kr", "K")])).collect());
        assert_eq!(revisions(&recent, 5_000 - 4_096 + 1, 5_000).len(), COMMITS_MAX);
        let large = country("countries/kr", &"K".repeat(BYTES_MAX / 2));
        recent.add((5_001..=5_003).map(|revision| record(revision, vec![large.clone()])).collect());
        assert_eq!(revisions(&recent, 5_003, 10), [5_003]);
        assert_eq!(revisions(&recent, 5_002, 10), [0; 0], "two are too many");
    }
}
