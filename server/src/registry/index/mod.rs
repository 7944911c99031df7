//! What is known of every resource without reading it: in memory, derived from the journal alone.
//!
//! There is one derivation, [`Index::apply`], and it is used alike when the journal is read at the start and when a
//! commit has just become durable. Invariant: the index holds exactly the durable commits up to its head, each whole.

mod derive;
mod recent;
pub(crate) mod requests;
mod row;
mod saved;
pub(crate) mod secondary;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod trees;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{RwLock, RwLockReadGuard};

pub(crate) use derive::Unreadable;
pub(crate) use row::Row;
pub(crate) use tables::Tables;

use crate::registry::schema::Schemas;
use crate::store::{Derivation, Record, Revision};
use recent::{Recent, RecentCommits};
use saved::{Loading, Saving};
use secondary::Secondary;

/// The index. Read by many threads; only the writer applies to it.
pub(crate) struct Index {
    schemas: Arc<Schemas>,
    request_id_retention: Duration,
    tables: RwLock<Tables>,
    recent: Recent,
    secondary: Secondary,
    /// About how many bytes of memory all of it takes, as it was measured last.
    bytes: AtomicUsize,
    bytes_max: usize,
}

/// The index needs more memory than it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the index needs {} MiB of memory at least, and may take {} MiB; give it more (--index-mib)",
    .bytes.div_ceil(1 << 20), .max >> 20
)]
pub struct Outgrown {
    /// The bytes that it needs, at least.
    pub bytes: usize,
    /// The bytes that it may take.
    pub max: usize,
}

/// So much the secondary indexes take for each resource at least: one with nothing in it but a name.
const SECONDARY_BYTES_MIN: usize = 100;

impl Index {
    /// The index of a journal without commits. Request ids are remembered for so long, at least. It may take so much memory.
    pub(crate) fn new(schemas: Arc<Schemas>, request_id_retention: Duration, bytes_max: usize) -> Self {
        let tables = RwLock::new(Tables::new(request_id_retention));
        let secondary = Secondary::new(schemas.clone());
        let bytes = AtomicUsize::new(0);
        Self { schemas, request_id_retention, tables, recent: Recent::default(), secondary, bytes, bytes_max }
    }

    /// Takes durable commits in, in their order, and with them the head. Readers see all of them or none. After an error
    /// the index is as it was.
    pub(crate) fn apply(&self, records: &[Record]) -> Result<(), Unreadable> {
        // Reading the documents needs no lock; readers wait for the tables only.
        let derived =
            records.iter().map(|record| derive::derive(&self.schemas, record)).collect::<Result<Vec<_>, _>>()?;
        let mut tables = self.tables.write();
        for (record, changes) in records.iter().zip(derived) {
            tables.apply(record, changes);
        }
        Ok(())
    }

    /// Remembers commits that it has just taken in, for those who follow closely.
    pub(crate) fn remember(&self, records: Vec<Record>) {
        self.recent.add(records);
    }

    /// Commits from a revision on, if that one is remembered.
    pub(crate) fn recent(&self, from: Revision) -> Option<RecentCommits> {
        self.recent.from(from)
    }

    /// The tables. While they are held, no commit becomes visible: hold them for a short time only.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read()
    }

    /// What is to be saved in a checkpoint, in pieces of so many rows or requests: none of it older than the head is now.
    /// Commits go on between the pieces.
    pub(crate) fn pieces(&self, piece_rows: usize) -> impl Iterator<Item = Vec<u8>> {
        let mut saving = Saving::Rows(0);
        std::iter::from_fn(move || self.read().save(&self.schemas, &mut saving, piece_rows))
    }

    /// What filters, orders and counts are answered from.
    pub(crate) fn secondary(&self) -> &Secondary {
        &self.secondary
    }

    /// Measures how much memory it takes.
    fn measure(&self) {
        let (rows, secondary) = (self.read().heap_bytes(), self.secondary.heap_bytes());
        self.bytes.store(rows + secondary, Ordering::Relaxed);
    }

    /// Says in the log how much memory it takes.
    fn tell_memory(&self) {
        let (rows, secondary) = (self.read().heap_bytes(), self.secondary.heap_bytes());
        tracing::info!(
            rows = self.read().count_of_all(),
            mib = (rows + secondary) >> 20,
            rows_mib = rows >> 20,
            secondary_mib = secondary >> 20,
            "memory of the index"
        );
    }

    /// Whether it takes no more memory than it may, as it was measured last. Before it was, by what it will need at least.
    pub(crate) fn fits(&self) -> Result<(), Outgrown> {
        let bytes = match self.bytes.load(Ordering::Relaxed) {
            0 => {
                let rows = self.read();
                rows.heap_bytes() + rows.count_of_all() * SECONDARY_BYTES_MIN
            }
            bytes => bytes,
        };
        let max = self.bytes_max;
        if bytes > max { Err(Outgrown { bytes, max }) } else { Ok(()) }
    }

    /// How much more memory it may take, as it was measured last.
    fn bytes_left(&self) -> usize {
        self.bytes_max.saturating_sub(self.bytes.load(Ordering::Relaxed))
    }

    /// The last durable revision.
    pub(crate) fn head(&self) -> Revision {
        self.read().head()
    }
}

/// The index as the journal is read at the start, perhaps from a checkpoint on.
pub(crate) struct Opening<'a> {
    index: &'a Index,
    loading: Loading,
    /// The first commit that cannot be read; none is taken behind it.
    pub(crate) unreadable: Option<Unreadable>,
}

impl<'a> Opening<'a> {
    /// Of an index that holds nothing.
    pub(crate) fn new(index: &'a Index) -> Opening<'a> {
        Opening { index, loading: Loading::default(), unreadable: None }
    }
}

impl Derivation for Opening<'_> {
    fn apply(&mut self, record: Record) {
        if self.unreadable.is_none() {
            self.unreadable = self.index.apply(std::slice::from_ref(&record)).err();
        }
    }

    fn version(&self) -> String {
        saved::version(self.index.request_id_retention)
    }

    fn load(&mut self, block: &[u8]) -> Result<(), String> {
        self.loading.take(&self.index.schemas, block)
    }

    fn loaded(&mut self) -> Result<(), String> {
        let loaded = std::mem::take(&mut self.loading).end(self.index.request_id_retention)?;
        *self.index.tables.write() = loaded;
        Ok(())
    }

    fn reset(&mut self) {
        self.loading = Loading::default();
        self.unreadable = None;
        *self.index.tables.write() = Tables::new(self.index.request_id_retention);
    }
}
