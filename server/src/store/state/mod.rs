//! The state: what the journal adds up to, kept in sled so that it can be looked up. The only `use
//! sled`. Nothing here is the truth: whatever is lost or damaged is derived again from the journal.
//! Invariant: sled holds the commits up to its mark, all of them and nothing else, and the mark's
//! fingerprint proves it. No panic of sled gets past this file.

mod changes;
pub(in crate::store) mod key;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use sled::{Batch, Db};
use uuid::Uuid;

use crate::store::disk::{self, DirLock, DiskError};
use crate::store::record::{Head, Record, Revision};
use crate::store::state::changes::Changes;
use crate::store::state::key::Mark;

/// sled moves any node over a quarter of this into a file of its own. No node comes so far: see
/// `changes::ENVELOPE_BYTES_MAX`.
pub(in crate::store) const SEGMENT_BYTES: usize = 8 << 20;

/// Why the state did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The operating system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// sled refused.
    #[error(
        "The state could not {doing}. Restart the server: the state is checked then, and rebuilt from the journal if need be."
    )]
    Sled {
        /// What was tried.
        doing: &'static str,
        /// What sled said.
        source: sled::Error,
    },
    /// sled panicked.
    #[error(
        "The state could not {doing}: its engine panicked ({message}). Restart the server: the state is checked then, and rebuilt from the journal if need be."
    )]
    Panicked {
        /// What was tried.
        doing: &'static str,
        /// What the panic said.
        message: String,
    },
    /// Stored bytes are not what was written.
    #[error("The state is damaged: {what}. Restart the server: the state is then rebuilt from the journal.")]
    Damaged {
        /// What is wrong.
        what: String,
    },
    /// The commits do not follow the last one applied.
    #[error("The state stands at revision {applied} and was given revision {given}.")]
    OutOfOrder {
        /// Where the state stands.
        applied: Revision,
        /// What it was given.
        given: Revision,
    },
    /// An earlier write failed, so nobody knows what sled holds.
    #[error(
        "The state takes no more commits since a write to it failed. Restart the server: the state is then checked against the journal."
    )]
    Stopped,
}

/// The state. Cheap to clone, and read by many threads; one thread applies and flushes. sled is closed when the last
/// clone goes.
#[derive(Clone)]
pub struct State {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None` only while it is being dropped.
    db: Option<Db>,
    store_id: Uuid,
    applied: AtomicU64,
    progress: Mutex<Progress>,
    _lock: Arc<DirLock>,
}

/// What the applier has done.
#[derive(Clone, Copy)]
struct Progress {
    head: Head,
    fingerprint: u64,
    stopped: bool,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let db = self.db.take();
        let close = || {
            drop(db);
            Ok(())
        };
        if let Err(error) = guarded("close", close) {
            tracing::warn!(%error, "the state did not close cleanly; the next start checks it");
        }
    }
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

impl Inner {
    fn call<T>(&self, doing: &'static str, call: impl FnOnce(&Db) -> sled::Result<T>) -> Result<T, StateError> {
        let db = self.db.as_ref().ok_or(StateError::Stopped)?;
        guarded(doing, || call(db))
    }
}

impl State {
    /// Opens what lies in `dir`, or begins a new state there. Returns its mark too, if it has one
    /// that can be read; without one, `begin` comes first. Nothing has been verified yet.
    pub(in crate::store) fn open(
        dir: &Path,
        cache_bytes_max: u64,
        store_id: Uuid,
        lock: Arc<DirLock>,
    ) -> Result<(State, Option<Mark>), StateError> {
        remove_unfinished_snapshots(dir)?;
        let config = sled::Config::new()
            .path(dir)
            .segment_size(SEGMENT_BYTES)
            .cache_capacity(cache_bytes_max)
            // Two flushes at once can lock each other out for ever, and with them every read and write.
            .flush_every_ms(None);
        let db = guarded("open", || config.open())?;
        let mut inner = Inner {
            db: Some(db),
            store_id,
            applied: AtomicU64::new(0),
            progress: Mutex::new(Progress { head: Head::NONE, fingerprint: 0, stopped: false }),
            _lock: lock,
        };
        let mark = inner.call("read its mark", |db| db.get(key::MARK))?;
        let mark = mark.and_then(|bytes| Mark::decode(&bytes));
        if let Some(Mark { head, fingerprint, .. }) = mark {
            inner.applied = AtomicU64::new(head.revision);
            let progress = inner.progress.get_mut();
            progress.head = head;
            progress.fingerprint = fingerprint;
        }
        Ok((State { inner: Arc::new(inner) }, mark))
    }

    /// Marks a new state as one of no commits, so that it is told from one that lost its own.
    pub(in crate::store) fn begin(&self) -> Result<(), StateError> {
        let mark = Mark { store_id: self.inner.store_id, head: Head::NONE, fingerprint: 0 };
        self.call("write its mark", |db| db.insert(key::MARK, mark.encode()))?;
        self.flush()
    }

    /// Reads every entry and checks that they are those of the mark: none lost, none mixed with
    /// those of another time, none changed.
    pub(in crate::store) fn verify(&self) -> Result<(), StateError> {
        let mut fingerprint = 0_u64;
        for entry in self.entries(&[]) {
            let (key, value) = entry?;
            let share = key::share_of_stored(&key, &value);
            let share = share.ok_or_else(|| damaged("an entry does not match its checksum"))?;
            fingerprint = fingerprint.wrapping_add(share);
        }
        match fingerprint == self.inner.progress.lock().fingerprint {
            true => Ok(()),
            false => Err(damaged("its entries are not those that were written")),
        }
    }

    /// The last revision that the state contains.
    pub fn applied(&self) -> Revision {
        self.inner.applied.load(Ordering::Acquire)
    }

    /// Brings the state up to `head` by the records from the first that it lacks to that of `head`,
    /// all at once or not at all. They must be durable in the journal. After an error the state can
    /// still be read, and takes no more records.
    pub fn apply<'a>(&self, head: &Head, records: impl IntoIterator<Item = &'a Record>) -> Result<(), StateError> {
        let inner = &self.inner;
        let mut progress = inner.progress.lock();
        if progress.stopped {
            return Err(StateError::Stopped);
        }
        let mut changes = Changes::new(progress.fingerprint);
        let mut applied = progress.head.revision;
        for record in records {
            if record.revision != applied + 1 {
                return Err(StateError::OutOfOrder { applied, given: record.revision });
            }
            applied = record.revision;
            changes.add(record);
        }
        if applied != head.revision {
            return Err(StateError::OutOfOrder { applied, given: head.revision });
        }
        let Changes { entries, fingerprint } = changes;
        let mut batch = Batch::default();
        for (key, value) in entries {
            batch.insert(key, value);
        }
        let mark = Mark { store_id: inner.store_id, head: *head, fingerprint };
        batch.insert(key::MARK, mark.encode());
        progress.stopped = true;
        inner.call("take commits", |db| db.apply_batch(batch))?;
        *progress = Progress { head: *head, fingerprint, stopped: false };
        inner.applied.store(head.revision, Ordering::Release);
        Ok(())
    }

    /// A resource as it is: the revision of its last change, and its envelope. That is empty if it is
    /// large: then only the journal has it.
    pub fn get(&self, name: &str) -> Result<Option<(Revision, Bytes)>, StateError> {
        let key = key::current(name);
        let Some(value) = self.call("be read", |db| db.get(&key))? else {
            return Ok(None);
        };
        let (revision, envelope) = key::read_current(&key, &value).ok_or_else(|| unsound(name))?;
        Ok(Some((revision, Bytes::copy_from_slice(envelope))))
    }

    /// The last change of a resource at or before a revision; `None` if it was not there yet.
    pub fn version_at(&self, name: &str, at: Revision) -> Result<Option<Revision>, StateError> {
        // In this order: a version is never in neither place, whatever is applied meanwhile.
        match self.get(name)? {
            None => return Ok(None),
            Some((revision, _)) if revision <= at => return Ok(Some(revision)),
            Some(_) => {}
        }
        let range = key::replaced(name, 0)..=key::replaced(name, at);
        let last = self.call("be read", |db| db.range(range).next_back().transpose())?;
        Ok(last.and_then(|(key, _)| key::replaced_revision(&key)))
    }

    /// The requests that became commits, in their order: the revision, the request's id and its
    /// fingerprint. Ends after the first error.
    pub fn requests(&self) -> impl Iterator<Item = Result<(Revision, [u8; 16], [u8; 16]), StateError>> + Send + use<> {
        self.entries(key::REQUEST_PREFIX).map(|entry| {
            let (key, value) = entry?;
            key::read_request(&key, &value).ok_or_else(|| damaged("the entry of a request is cut short"))
        })
    }

    /// All resources as `get` gives them, by name. Commits that are applied meanwhile may be seen or not.
    /// Ends after the first error.
    pub fn scan(&self) -> impl Iterator<Item = Result<(String, Revision, Bytes), StateError>> + Send + use<> {
        self.entries(key::CURRENT_PREFIX).map(|entry| {
            let (key, value) = entry?;
            let resource = key::name_of(&key).zip(key::read_current(&key, &value));
            let (name, (revision, envelope)) =
                resource.ok_or_else(|| damaged("an entry does not match its checksum"))?;
            Ok((name.to_owned(), revision, Bytes::copy_from_slice(envelope)))
        })
    }

    fn entries(&self, prefix: &[u8]) -> Entries {
        let entries = self.call("be read", |db| Ok(db.scan_prefix(prefix)));
        Entries { entries: Some(entries), _state: self.clone() }
    }

    /// Writes to sled's files what is not there yet, so that the next start has less to do. Only the
    /// thread that applies may call it.
    pub fn flush(&self) -> Result<(), StateError> {
        self.call("be flushed", |db| db.flush())?;
        Ok(())
    }

    fn call<T>(&self, doing: &'static str, call: impl FnOnce(&Db) -> sled::Result<T>) -> Result<T, StateError> {
        self.inner.call(doing, call)
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

/// What sled holds under a prefix. Ends after the first error.
struct Entries {
    /// `None` behind the end and behind an error.
    entries: Option<Result<sled::Iter, StateError>>,
    /// Keeps sled open for the iterator.
    _state: State,
}

impl Iterator for Entries {
    type Item = Result<(sled::IVec, sled::IVec), StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut entries = match self.entries.take()? {
            Ok(entries) => entries,
            Err(error) => return Some(Err(error)),
        };
        let entry = guarded("be read", || entries.next().transpose()).transpose()?;
        if entry.is_ok() {
            self.entries = Some(Ok(entries));
        }
        Some(entry)
    }
}
