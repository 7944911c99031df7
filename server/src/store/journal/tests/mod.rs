//! The promises of the journal, tested through what the store uses of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod appending;
mod damage;
mod ends;
mod files;
mod no_room;
mod stopping;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::{JournalError, JournalReader, JournalWriter, create, inspect};
use crate::store::dice::Dice;
use crate::store::disk::{self, DirLock};
use crate::store::record::{Action, Change, Head, Record, RequestMark};
use crate::time::Day;

/// What the journal in `data` holds, and the two ends of it.
struct Opened {
    writer: JournalWriter,
    reader: JournalReader,
    /// What opening it has handed out.
    visited: Vec<Record>,
}

fn open_in(data: &Path, segment_bytes: u64) -> Result<Opened, JournalError> {
    let dir = data.join("journal");
    disk::ensure_dir(&dir)?;
    let lock = Arc::new(DirLock::take(&dir)?.unwrap());
    let mut visited = Vec::new();
    let inspected = match inspect(&lock, data, None, &mut |record| visited.push(record))? {
        Some(inspected) => inspected,
        None => {
            create(&lock, segment_bytes)?;
            inspect(&lock, data, None, &mut |_| {})?.unwrap()
        }
    };
    let (writer, reader) = inspected.settle(segment_bytes, true)?;
    Ok(Opened { writer, reader, visited })
}

/// A commit of `revision` with changes whose documents have these lengths.
fn record(revision: u64, lengths: &[usize]) -> Record {
    let change = |(at, len): (usize, &usize)| {
        let name = format!("countries/{revision}-{at}").into();
        Change::new(Action::Create, name, 0, document(revision + at as u64, *len), [at as u8 + 1; 16])
    };
    Record {
        revision,
        commit_time: prost_types::Timestamp { seconds: revision as i64, nanos: 0 }.into(),
        actor: "someone".into(),
        reason: String::new(),
        request: revision.is_multiple_of(2).then_some(RequestMark { id: [revision as u8; 16], hash: [7; 16] }),
        epoch: 1,
        settled_day: Day(3),
        changes: lengths.iter().enumerate().map(change).collect(),
        parent_hash: [0; 32],
        hash: [0; 32],
    }
}

/// Without zeros: whether a sector is empty must depend on the test, not on luck.
fn document(seed: u64, len: usize) -> Bytes {
    let mut dice = Dice(seed);
    (0..len).map(|_| u8::try_from(dice.roll() % 255).unwrap() + 1).collect()
}

impl Opened {
    /// Appends a group, a commit for each list of lengths.
    fn append(&mut self, group: &[&[usize]]) -> Result<Head, JournalError> {
        let head = self.writer.head().revision;
        let mut records: Vec<Record> =
            group.iter().enumerate().map(|(at, lengths)| record(head + 1 + at as u64, lengths)).collect();
        self.writer.append(head, &mut records)
    }

    /// Groups of 1, 2, 3, 1, 2, 3 commits.
    fn fill(&mut self, groups: usize, len: usize) {
        for group in 0..groups {
            let lengths: &[&[usize]] = &[&[len], &[len + 1, 3], &[len, 0]];
            self.append(&lengths[..=group % 3]).unwrap();
        }
    }

    fn records(&self) -> Vec<Record> {
        self.reader.scan(1).map(Result::unwrap).collect()
    }
}

/// The files of the journal, in their order.
fn segment_files(data: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(data.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
