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
}

impl Index {
    /// The index of a journal without commits. Request ids are remembered for so long, at least.
    pub(crate) fn new(schemas: Arc<Schemas>, request_id_retention: Duration) -> Self {
        let tables = RwLock::new(Tables::new(request_id_retention));
        let secondary = Secondary::new(schemas.clone());
        let bytes = AtomicUsize::new(0);
        Self { schemas, request_id_retention, tables, recent: Recent::default(), secondary, bytes }
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
        tracing::info!(
            rows = self.read().count_of_all(),
            mib = (rows + secondary) >> 20,
            rows_mib = rows >> 20,
            secondary_mib = secondary >> 20,
            "memory of the index"
        );
    }

    /// About how many bytes of memory it takes, as it was measured last.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
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
