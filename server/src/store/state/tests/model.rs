//! What a state must hold, in plain memory, and states to hold against it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::{Dice, settle};
use crate::store::state::changes::Changes;
use crate::store::{Action, Change, Opened, Record, RequestMark, Revision};
use crate::time::{Day, Time};

/// A plain memory of all that was written.
#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) records: Vec<Record>,
    current: BTreeMap<Arc<str>, (Revision, Bytes)>,
    pub(super) history: BTreeMap<Arc<str>, Vec<Revision>>,
}

impl Model {
    /// A commit of a few changes, as the dice will have it.
    pub(super) fn next(&mut self, dice: &mut Dice) -> Record {
        let revision = self.records.len() as u64 + 1;
        let mut changes: Vec<Change> = Vec::new();
        for _ in 0..=dice.below(3) {
            let name: Arc<str> = format!("kinds/{}", dice.below(150)).into();
            if changes.iter().any(|change| change.name == name) {
                continue;
            }
            let previous = self.current.get(&name).map_or(0, |(revision, _)| *revision);
            // One in forty is large: only the journal has it.
            let len = if dice.below(40) == 0 { 20_000 } else { 1 + dice.below(900) };
            let document: Bytes = (0..len).map(|_| dice.roll().to_le_bytes()[0]).collect();
            changes.push(Change::new(Action::Update, name, previous, document, [7; 16]));
        }
        let record = Record {
            revision,
            commit_time: Time::default(),
            actor: String::new(),
            reason: String::new(),
            request: (dice.below(2) == 0).then_some(RequestMark { id: [1; 16], hash: [2; 16] }),
            epoch: 1,
            settled_day: Day(0),
            changes,
            parent_hash: [0; 32],
            hash: [0; 32],
        };
        self.take(record.clone());
        record
    }

    fn take(&mut self, record: Record) {
        for change in &record.changes {
            self.history.entry(change.name.clone()).or_default().push(record.revision);
            self.current.insert(change.name.clone(), (record.revision, change.document.clone()));
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

    /// All that sled holds, by every way of reading.
    pub(super) fn assert_is(&self, opened: &Opened) {
        settle(opened);
        let head = self.records.len() as u64;
        assert_eq!(opened.reader.head(), head);
        let gate = opened.follower.shared.gate.read();
        let engine = gate.as_ref().unwrap();
        assert_eq!(engine.applied(), head);
        for (name, versions) in &self.history {
            let current = self.current.get(name).filter(|(_, document)| document.len() < 16 << 10);
            assert_eq!(engine.get(name).unwrap().as_ref(), current, "{name}");
            for (at, version) in versions.iter().enumerate() {
                let before = at.checked_sub(1).map(|before| versions[before]);
                assert_eq!(engine.version_at(name, version - 1).unwrap(), before);
                assert_eq!(engine.version_at(name, *version).unwrap(), Some(*version));
            }
            assert_eq!(engine.version_at(name, Revision::MAX).unwrap(), versions.last().copied());
        }
        assert_eq!(engine.get("kinds/never").unwrap(), None);
        assert_eq!(engine.version_at("kinds/never", head).unwrap(), None);
        // Nothing else is there: the fingerprint is that of these records, and of what is stored.
        let mut changes = Changes::new(0);
        self.records.iter().for_each(|record| changes.add(record));
        assert_eq!(engine.fingerprint, changes.fingerprint);
        engine.verify(|| true).unwrap();
    }
}
