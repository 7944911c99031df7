//! sled itself: the only `use sled`. What it is asked comes back, comes back as an error, or does not come back at all;
//! a panic of sled does not get past this file.
//!
//! Invariant: sled holds the commits up to its mark, all of them and nothing else, and the mark's fingerprint proves it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bytes::Bytes;
use sled::{Batch, Db};
use uuid::Uuid;

use crate::store::disk::{self, DiskError, Obstacle};
use crate::store::state::changes::Changes;
use crate::store::state::key::{self, Mark};
use crate::store::{Head, Record, Revision};

/// sled moves any node over a quarter of this into a file of its own. No node comes so far: see
/// `changes::ENVELOPE_BYTES_MAX`.
pub(super) const SEGMENT_BYTES: usize = 8 << 20;

/// Why the state did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateError {
    /// The operating system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// sled refused.
    #[error("sled could not {doing}")]
    Sled {
        /// What was tried.
        doing: &'static str,
        /// What sled said.
        source: sled::Error,
    },
    /// sled panicked.
    #[error("sled could not {doing}: it panicked ({message})")]
    Panicked {
        /// What was tried.
        doing: &'static str,
        /// What the panic said.
        message: String,
    },
    /// Stored bytes are not what was written.
    #[error("{what}")]
    Damaged {
        /// What is wrong.
        what: String,
    },
    /// The commits do not follow the last one applied.
    #[error("sled stands at revision {applied} and was given revision {given}")]
    OutOfOrder {
        /// Where it stands.
        applied: Revision,
        /// What it was given.
        given: Revision,
    },
    /// The store is being closed.
    #[error("the store is being closed")]
    Closing,
}

impl StateError {
    /// Whether what is in the way may go away by itself: no room, no descriptor, or no leave to write.
    pub(super) fn may_pass(&self) -> bool {
        let obstacle = match self {
            StateError::Disk(error) => error.obstacle(),
            // What sled says of its own files keeps the kind of an error and loses its number.
            StateError::Sled { source: sled::Error::Io(error), .. } => Obstacle::of(error),
            StateError::Sled { .. }
            | StateError::Panicked { .. }
            | StateError::Damaged { .. }
            | StateError::OutOfOrder { .. }
            | StateError::Closing => Obstacle::Failing,
        };
        obstacle != Obstacle::Failing
    }
}

/// sled, open. Read by many threads, changed by one.
pub(super) struct Engine {
    db: Db,
    store_id: Uuid,
    head: Head,
    /// What its entries must add up to.
    pub(super) fingerprint: u64,
}

/// Calls sled, and makes an error of a panic.
fn guarded<T>(doing: &'static str, call: impl FnOnce() -> sled::Result<T>) -> Result<T, StateError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(StateError::Sled { doing, source }),
        Err(panic) => Err(StateError::Panicked { doing, message: message_of(panic.as_ref()) }),
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a message").to_owned()
}

fn damaged(what: impl Into<String>) -> StateError {
    StateError::Damaged { what: what.into() }
}

impl Engine {
    /// Opens what lies in `dir`, or begins anew there. What it holds is not known before [`Engine::read_mark`] or
    /// [`Engine::begin`].
    pub(super) fn open(dir: &Path, cache_bytes_max: u64) -> Result<Engine, StateError> {
        remove_unfinished_snapshots(dir)?;
        let config = sled::Config::new()
            .path(dir)
            .segment_size(SEGMENT_BYTES)
            .cache_capacity(cache_bytes_max)
            // Two flushes at once can lock each other out for ever, and with them every read and write.
            .flush_every_ms(None);
        let db = guarded("open", || config.open())?;
        Ok(Engine { db, store_id: Uuid::nil(), head: Head::NONE, fingerprint: 0 })
    }

    /// Reads how far it goes, and of which journal. Nothing is verified by that.
    pub(super) fn read_mark(&mut self) -> Result<Mark, StateError> {
        let bytes = guarded("read its mark", || self.db.get(key::MARK))?;
        let mark = bytes.and_then(|bytes| Mark::decode(&bytes)).ok_or_else(|| damaged("it has no mark"))?;
        (self.store_id, self.head, self.fingerprint) = (mark.store_id, mark.head, mark.fingerprint);
        Ok(mark)
    }

    /// Marks a new state as one of no commits, so that it is told from one that lost its own.
    pub(super) fn begin(&mut self, store_id: Uuid) -> Result<(), StateError> {
        self.store_id = store_id;
        let mark = Mark { store_id, head: Head::NONE, fingerprint: 0 };
        guarded("write its mark", || self.db.insert(key::MARK, mark.encode()))?;
        self.flush()
    }

    /// Reads every entry and checks that they are those of the mark: none lost, none mixed with those of another time,
    /// none changed. Ends with `Closing` when `go_on`, asked after each, says no.
    pub(super) fn verify(&self, mut go_on: impl FnMut() -> bool) -> Result<(), StateError> {
        let mut entries = guarded("be read", || Ok(self.db.iter()))?;
        let mut fingerprint = 0_u64;
        while let Some((key, value)) = guarded("be read", || entries.next().transpose())? {
            let share = key::share_of_stored(&key, &value);
            let share = share.ok_or_else(|| damaged("an entry does not match its checksum"))?;
            fingerprint = fingerprint.wrapping_add(share);
            if !go_on() {
                return Err(StateError::Closing);
            }
        }
        match fingerprint == self.fingerprint {
            true => Ok(()),
            false => Err(damaged("its entries are not those that were written")),
        }
    }

    /// The last revision that it holds.
    pub(super) fn applied(&self) -> Revision {
        self.head.revision
    }

    /// Takes records, from the first that it lacks on, all at once or not at all. They must be durable in the journal.
    /// After an error of sled nobody knows what it holds.
    pub(super) fn apply(&mut self, records: &[Record]) -> Result<(), StateError> {
        let mut changes = Changes::new(self.fingerprint);
        let mut head = self.head;
        for record in records {
            if record.revision != head.revision + 1 {
                return Err(StateError::OutOfOrder { applied: head.revision, given: record.revision });
            }
            head = record.head();
            changes.add(record);
        }
        let Changes { entries, fingerprint } = changes;
        let mut batch = Batch::default();
        for (key, value) in entries {
            batch.insert(key, value);
        }
        let mark = Mark { store_id: self.store_id, head, fingerprint };
        batch.insert(key::MARK, mark.encode());
        guarded("take commits", || self.db.apply_batch(batch))?;
        (self.head, self.fingerprint) = (head, fingerprint);
        Ok(())
    }

    /// A resource as it is: the revision of its last change, and its envelope. `None` if it is not there, or so large that
    /// only the journal has it.
    pub(super) fn get(&self, name: &str) -> Result<Option<(Revision, Bytes)>, StateError> {
        let key = key::current(name);
        let Some(value) = guarded("be read", || self.db.get(&key))? else { return Ok(None) };
        let (revision, envelope) = key::read_current(&key, &value).ok_or_else(|| unsound(name))?;
        Ok((!envelope.is_empty()).then(|| (revision, Bytes::copy_from_slice(envelope))))
    }

    /// The last change of a resource at or before a revision that it holds; `None` if there was none.
    pub(super) fn version_at(&self, name: &str, at: Revision) -> Result<Option<Revision>, StateError> {
        let key = key::current(name);
        let Some(value) = guarded("be read", || self.db.get(&key))? else { return Ok(None) };
        let (revision, _) = key::read_current(&key, &value).ok_or_else(|| unsound(name))?;
        if revision <= at {
            return Ok(Some(revision));
        }
        let range = key::replaced(name, 0)..=key::replaced(name, at);
        let last = guarded("be read", || self.db.range(range).next_back().transpose())?;
        Ok(last.and_then(|(key, _)| key::replaced_revision(&key)))
    }

    /// Writes to sled's files what is not there yet, so that the next start has less to do.
    pub(super) fn flush(&self) -> Result<(), StateError> {
        guarded("be flushed", || self.db.flush()).map(drop)
    }

    /// Closes it.
    pub(super) fn close(self) -> Result<(), StateError> {
        guarded("close", || {
            drop(self.db);
            Ok(())
        })
    }
}

fn unsound(name: &str) -> StateError {
    damaged(format!("the entry of {name} is not as it was written"))
}

/// A snapshot that a crash left half-written makes sled refuse to open.
fn remove_unfinished_snapshots(dir: &Path) -> Result<(), DiskError> {
    for path in disk::list(dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            disk::remove(&path)?;
        }
    }
    Ok(())
}
