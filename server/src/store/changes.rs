//! What a group of records does to the state: the entries to write, and what becomes of the
//! fingerprint. Pure: what is stored already is asked of the caller.

use std::collections::HashMap;

use uuid::Uuid;

use super::state::StateError;
use super::{Record, Revision, key};

/// Keys and values.
pub(super) type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// Gathers the changes of records, in their order. `S` gives the stored value of a key.
pub(super) struct Changes<S> {
    stored: S,
    entries: Entries,
    fingerprint: u64,
    /// The requests of this group, which are not stored yet.
    requests: HashMap<[u8; 16], Vec<u8>>,
}

impl<S> Changes<S>
where
    S: Fn(&[u8]) -> Result<Option<Vec<u8>>, StateError>,
{
    /// Nothing yet, on a state of this fingerprint.
    pub(super) fn new(fingerprint: u64, stored: S) -> Changes<S> {
        Changes { stored, entries: Vec::new(), fingerprint, requests: HashMap::new() }
    }

    /// The keys and values to write, of which a later one overrides an earlier, and the fingerprint
    /// of the state once they are written.
    pub(super) fn finish(self) -> (Entries, u64) {
        (self.entries, self.fingerprint)
    }

    pub(super) fn add(&mut self, record: &Record) -> Result<(), StateError> {
        let revision = record.revision;
        for change in &record.changes {
            let key = key::current(&change.name);
            if change.previous_revision != 0 {
                self.remove_share(&key, &change.previous_revision.to_le_bytes());
            }
            self.add_share(&key, &revision.to_le_bytes());
            let value = key::current_value(&key, revision, &change.after);
            self.entries.push((key, value));

            let key = key::history(&change.name, revision);
            let value = key::history_value(change.previous_revision);
            self.add_share(&key, &value);
            self.entries.push((key, value.to_vec()));
        }
        // The journal cannot be corrected, so an id that is none is passed over: nobody can ask for it.
        if let Ok(id) = Uuid::try_parse(&record.request_id) {
            self.add_request(*id.as_bytes(), revision, &record.request_hash)?;
        }
        Ok(())
    }

    fn add_request(&mut self, id: [u8; 16], revision: Revision, hash: &[u8]) -> Result<(), StateError> {
        let key = key::request(&id);
        let hash = hash.first_chunk().copied().unwrap_or_default();
        let value = key::request_value(revision, &hash);
        // The last commit of an id counts; the share of an earlier one must go with it.
        let earlier = match self.requests.insert(id, value.clone()) {
            Some(earlier) => Some(earlier),
            None => (self.stored)(&key)?,
        };
        if let Some(earlier) = earlier {
            self.remove_share(&key, &earlier);
        }
        self.add_share(&key, &value);
        self.entries.push((key, value));
        Ok(())
    }

    fn add_share(&mut self, key: &[u8], told: &[u8]) {
        self.fingerprint = self.fingerprint.wrapping_add(key::share(key, told));
    }

    fn remove_share(&mut self, key: &[u8], told: &[u8]) {
        self.fingerprint = self.fingerprint.wrapping_sub(key::share(key, told));
    }
}
