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
    /// In the groups in which they came.
    groups: VecDeque<Arc<[Record]>>,
    commits: usize,
    bytes: usize,
}

impl Recent {
    /// Remembers commits, which come behind all others.
    pub(super) fn add(&self, records: Vec<Record>) {
        let mut remembered = self.0.write();
        remembered.commits += records.len();
        remembered.bytes += bytes(&records);
        remembered.groups.push_back(records.into());
        while (remembered.bytes > BYTES_MAX || remembered.commits > COMMITS_MAX)
            && let Some(oldest) = remembered.groups.pop_front()
        {
            remembered.commits -= oldest.len();
            remembered.bytes -= bytes(&oldest);
        }
    }

    /// The commits of the group in which a revision came, from that one on. None if it is not remembered.
    pub(super) fn from(&self, revision: Revision) -> Option<RecentCommits> {
        let remembered = self.0.read();
        let at = remembered.groups.partition_point(|group| first(group) <= revision).checked_sub(1)?;
        let group = remembered.groups.get(at)?;
        let passed = usize::try_from(revision - first(group)).ok().filter(|passed| *passed < group.len())?;
        Some(RecentCommits { group: group.clone(), passed })
    }
}

fn first(group: &[Record]) -> Revision {
    group.first().map_or(Revision::MAX, |record| record.revision)
}

fn bytes(group: &[Record]) -> usize {
    group.iter().map(Record::document_bytes).sum()
}

/// Commits that are remembered. Whoever holds them holds their memory: not for long.
pub(crate) struct RecentCommits {
    group: Arc<[Record]>,
    passed: usize,
}

impl RecentCommits {
    /// The commits, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.group.iter().skip(self.passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::index::tests::{country, record};

    fn revisions(recent: &Recent, from: Revision) -> Vec<Revision> {
        recent.from(from).iter().flat_map(RecentCommits::iter).map(|record| record.revision).collect()
    }

    fn commits(revisions: std::ops::RangeInclusive<Revision>, name: &str) -> Vec<Record> {
        revisions.map(|revision| record(revision, vec![country("countries/kr", name)])).collect()
    }

    #[test]
    fn the_newest_commits_are_there_from_a_revision_on() {
        let recent = Recent::default();
        assert_eq!(revisions(&recent, 1), [0; 0]);
        recent.add(commits(7..=9, "K"));
        recent.add(commits(10..=10, "K"));
        assert_eq!(revisions(&recent, 7), [7, 8, 9]);
        assert_eq!(revisions(&recent, 9), [9]);
        assert_eq!(revisions(&recent, 10), [10], "another group");
        assert_eq!(revisions(&recent, 6), [0; 0], "it has to be read");
        assert_eq!(revisions(&recent, 11), [0; 0], "it is not there yet");
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let recent = Recent::default();
        recent.add(commits(1..=1_000, "K"));
        recent.add(commits(1_001..=5_000, "K"));
        assert_eq!(revisions(&recent, 1_000), [0; 0], "they are too many");
        assert_eq!(revisions(&recent, 1_001).len(), 4_000);
        let large = "K".repeat(BYTES_MAX / 2);
        for revision in 5_001..=5_003 {
            recent.add(commits(revision..=revision, &large));
        }
        assert_eq!(revisions(&recent, 5_003), [5_003]);
        assert_eq!(revisions(&recent, 5_002), [0; 0], "two are too large");
    }
}
