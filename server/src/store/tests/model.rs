//! What a store must hold, in plain memory, and stores to hold against it.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use prost::Message as _;
use tempfile::TempDir;
use uuid::Uuid;

use super::super::*;
use super::{Dice, copy_dir};

/// What a store must hold: a plain memory of all that was written.
#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) records: Vec<Record>,
    current: BTreeMap<String, (Revision, Bytes)>,
    pub(super) history: BTreeMap<String, Vec<Revision>>,
    requests: BTreeMap<[u8; 16], (Revision, [u8; 16])>,
}

impl Model {
    /// A commit of a few changes, as the dice will have it.
    pub(super) fn next(&mut self, dice: &mut Dice) -> Record {
        let revision = self.records.len() as u64 + 1;
        let mut changes: Vec<RecordChange> = Vec::new();
        for _ in 0..=dice.below(3) {
            let name = format!("kinds/{}", dice.below(150));
            if changes.iter().any(|change| change.name == name) {
                continue;
            }
            let len = dice.below(900);
            changes.push(RecordChange {
                action: 1,
                previous_revision: self.current.get(&name).map_or(0, |(revision, _)| *revision),
                after: (0..len).map(|_| dice.roll().to_le_bytes()[0]).collect(),
                name,
            });
        }
        let (request_id, request_hash) = match dice.below(3) {
            0 => (String::new(), Bytes::new()),
            1 if revision > 1 => {
                (self.records[dice.below(self.records.len())].request_id.clone(), Bytes::from(vec![1; 16]))
            }
            _ => (Uuid::from_u64_pair(dice.roll(), dice.roll()).to_string(), Bytes::from(vec![2; 16])),
        };
        let record = Record { revision, request_id, request_hash, changes, ..Record::default() };
        self.take(record.clone());
        record
    }

    fn take(&mut self, record: Record) {
        for change in &record.changes {
            self.history.entry(change.name.clone()).or_default().push(record.revision);
            self.current.insert(change.name.clone(), (record.revision, change.after.clone()));
        }
        if let Ok(id) = Uuid::parse_str(&record.request_id) {
            let hash = record.request_hash.as_ref().try_into().unwrap();
            self.requests.insert(*id.as_bytes(), (record.revision, hash));
        }
        self.records.push(record);
    }

    /// As it was at a revision.
    pub(super) fn at(&self, revision: usize) -> Model {
        let mut model = Model::default();
        for record in &self.records[..revision] {
            model.take(record.clone());
        }
        model
    }

    /// Everything, by every way of reading.
    pub(super) fn assert_is(&self, opened: &Opened) {
        let Opened { reader, state, .. } = opened;
        let head = self.records.len() as u64;
        assert_eq!((reader.head(), state.applied()), (head, head));
        let records: Vec<Record> =
            reader.scan(1).map(|entry| Record::decode(entry.unwrap().payload).unwrap()).collect();
        assert_eq!(records, self.records);
        let current: BTreeMap<_, _> =
            state.scan().map(Result::unwrap).map(|(name, revision, envelope)| (name, (revision, envelope))).collect();
        assert_eq!(current, self.current);
        for (name, versions) in &self.history {
            assert_eq!(state.get(name).unwrap().as_ref(), self.current.get(name));
            for (at, version) in versions.iter().enumerate() {
                let before = at.checked_sub(1).map(|before| versions[before]);
                assert_eq!(state.version_at(name, version - 1).unwrap(), before);
                assert_eq!(state.version_at(name, *version).unwrap(), Some(*version));
            }
            assert_eq!(state.version_at(name, Revision::MAX).unwrap(), versions.last().copied());
        }
        let requests: BTreeMap<_, _> =
            state.requests().map(Result::unwrap).map(|(revision, id, hash)| (id, (revision, hash))).collect();
        assert_eq!(requests, self.requests);
        state.verify().unwrap();
    }
}

fn options() -> Options {
    Options { segment_bytes_max: 20_000, cache_bytes_max: 16 << 20, ..Options::default() }
}

pub(super) fn open_in(dir: &Path) -> Result<Opened, StoreError> {
    open(dir, &options())
}

/// Commits in groups of one to four.
pub(super) fn commit(opened: &mut Opened, model: &mut Model, dice: &mut Dice, groups: usize) {
    for _ in 0..groups {
        let records: Vec<Record> = (0..=dice.below(4)).map(|_| model.next(dice)).collect();
        let head = append(opened, &records);
        opened.state.apply(&head, &records).unwrap();
    }
}

pub(super) fn append(opened: &mut Opened, records: &[Record]) -> Head {
    let payloads: Vec<Bytes> = records.iter().map(|record| record.encode_to_vec().into()).collect();
    opened.writer.append(&payloads).unwrap()
}

/// A data directory as a kill leaves it, and what was in it.
pub(super) fn killed(groups: usize) -> (TempDir, Model) {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path()).unwrap();
    let (mut model, mut dice) = (Model::default(), Dice(groups as u64));
    commit(&mut opened, &mut model, &mut dice, groups);
    opened.state.flush().unwrap();
    (copy_of(data.path()), model)
}

pub(super) fn copy_of(dir: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    copy_dir(dir, copy.path());
    copy
}

/// A data directory with a past, as a kill leaves it: snapshots, and a log behind them.
pub(super) fn killed_after_restarts(dice: &mut Dice, restarts: usize, groups: usize) -> (TempDir, Model) {
    let data = TempDir::new().unwrap();
    let mut model = Model::default();
    for _ in 0..restarts {
        let mut opened = open_in(data.path()).unwrap();
        commit(&mut opened, &mut model, dice, groups);
    }
    let mut opened = open_in(data.path()).unwrap();
    commit(&mut opened, &mut model, dice, groups);
    opened.state.flush().unwrap();
    commit(&mut opened, &mut model, dice, 3);
    (copy_of(data.path()), model)
}
