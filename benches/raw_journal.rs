//! The bare journal that the server's is measured by: append and `fdatasync`, and nothing else. Also what the server's
//! own journal tells: the size of its commits, and how many shared one `fdatasync`.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::load;

/// The layout of a segment, as far as it is needed: its header, then commits with a header and an end each.
const SEGMENT_HEADER_BYTES: usize = 512;
const FRAME_HEADER_BYTES: usize = 72;
const FRAME_END_BYTES: usize = 4;

/// The size of the bare file.
const RAW_MIB: usize = 64;

/// What a journal holds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Journal {
    pub(crate) commits: u64,
    pub(crate) groups: u64,
    /// With headers.
    pub(crate) bytes: u64,
}

impl Journal {
    /// Reads the journal of a server's data directory.
    pub(crate) fn read(data: &Path) -> Journal {
        let mut journal = Journal::default();
        let mut paths: Vec<_> =
            std::fs::read_dir(data.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "seg")) {
            let bytes = std::fs::read(path).unwrap();
            let mut rest = bytes.get(SEGMENT_HEADER_BYTES..).unwrap_or_default();
            let mut group = None;
            while let Some(header) = rest.get(..FRAME_HEADER_BYTES).filter(|header| header.starts_with(b"COMM")) {
                let number = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap()) as usize;
                let length = FRAME_HEADER_BYTES + number(8) + number(16) + FRAME_END_BYTES;
                // The head before the group, which is one for the whole group.
                let base = u64::from_le_bytes(header[28..36].try_into().unwrap());
                let Some(after) = rest.get(length..) else { break };
                rest = after;
                journal.commits += 1;
                journal.bytes += length as u64;
                if group.replace(base) != Some(base) {
                    journal.groups += 1;
                }
            }
        }
        journal
    }

    /// What was added since `earlier`.
    pub(crate) fn since(self, earlier: Journal) -> Journal {
        Journal {
            commits: self.commits - earlier.commits,
            groups: self.groups - earlier.groups,
            bytes: self.bytes - earlier.bytes,
        }
    }

    pub(crate) fn add(&mut self, made: Journal) {
        self.commits += made.commits;
        self.groups += made.groups;
        self.bytes += made.bytes;
    }

    pub(crate) fn commit_bytes(self) -> u64 {
        self.bytes / self.commits.max(1)
    }

    pub(crate) fn group_size(self) -> f64 {
        self.commits as f64 / self.groups as f64
    }
}

/// Writes groups of so many commits of so many bytes for `time`, each group with one `fdatasync`. Answers the commits in
/// a second, and the time that half of the groups took at most, in µs. The file is full of zeros before, as a segment of
/// the journal is: an `fdatasync` writes no metadata then.
pub(crate) fn append(dir: &Path, group: usize, commit_bytes: u64, time: Duration) -> (f64, f64) {
    let path = dir.join("raw");
    let mut file = File::create(&path).unwrap();
    // Not zeros: a file system may store those more cheaply.
    let bytes: Vec<u8> =
        (0..group as u64 * commit_bytes).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    for _ in 0..RAW_MIB {
        file.write_all(&[0; 1 << 20]).unwrap();
    }
    file.sync_all().unwrap();
    let groups_in_file = (RAW_MIB << 20) / bytes.len().max(1);
    let began = Instant::now();
    let mut times = Vec::new();
    while began.elapsed() < time {
        if times.len() % groups_in_file == 0 {
            file.rewind().unwrap();
        }
        let group_began = Instant::now();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        times.push(group_began.elapsed().as_secs_f64() * 1e6);
    }
    let rate = (times.len() * group) as f64 / began.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    std::fs::remove_file(path).unwrap();
    (rate, load::percentile(&times, 0.5))
}
