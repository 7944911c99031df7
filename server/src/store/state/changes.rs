//! What a group of records does to the state: the entries to write, and what becomes of the
//! fingerprint. Pure: nothing that is stored has to be known.

use crate::store::Record;
use crate::store::state::key;

/// The longest envelope that sled keeps; a longer one is read from the journal. sled writes a whole
/// node, of up to a hundred entries, for a few changes of it. Where a node is larger than a quarter of
/// a segment, sled 0.34 at times waits for ever in its next flush.
const ENVELOPE_BYTES_MAX: usize = 16 << 10;

/// Gathers the changes of records, in their order.
pub(super) struct Changes {
    /// Keys and values to write, of which a later one overrides an earlier.
    pub(super) entries: Vec<(Vec<u8>, Vec<u8>)>,
    /// That of the state once they are written.
    pub(super) fingerprint: u64,
}

impl Changes {
    /// Nothing yet, on a state of this fingerprint.
    pub(super) fn new(fingerprint: u64) -> Changes {
        Changes { entries: Vec::new(), fingerprint }
    }

    /// Adds what the next record changes.
    pub(super) fn add(&mut self, record: &Record) {
        let revision = record.revision;
        for change in &record.changes {
            let key = key::current(&change.name);
            if change.previous_revision != 0 {
                let share = key::share(&key, &change.previous_revision.to_le_bytes());
                self.fingerprint = self.fingerprint.wrapping_sub(share);
                let replaced = key::replaced(&change.name, change.previous_revision);
                self.add_share(&replaced, &[]);
                self.entries.push((replaced, Vec::new()));
            }
            self.add_share(&key, &revision.to_le_bytes());
            let kept: &[u8] = if change.document.len() > ENVELOPE_BYTES_MAX { &[] } else { &change.document };
            let value = key::current_value(&key, revision, kept);
            self.entries.push((key, value));
        }
    }

    fn add_share(&mut self, key: &[u8], told: &[u8]) {
        self.fingerprint = self.fingerprint.wrapping_add(key::share(key, told));
    }
}
