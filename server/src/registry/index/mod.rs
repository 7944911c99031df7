//! What is known of every resource without reading it: in memory, derived from the journal alone.
//!
//! There is one derivation, [`Index::apply`], and it is used alike when the journal is read at the start and when a
//! commit has just become durable. Invariant: the index holds exactly the durable commits up to its head, each whole.

mod derive;
mod order;
pub(crate) mod requests;
mod row;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod trees;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{RwLock, RwLockReadGuard};

pub(crate) use derive::Unreadable;
pub(crate) use order::{Order, OrderKey};
pub(crate) use row::Row;
pub(crate) use tables::Tables;

use crate::registry::schema::Schemas;
use crate::store::{Record, Revision};

/// The index. Read by many threads; only the writer applies to it.
pub(crate) struct Index {
    schemas: Arc<Schemas>,
    tables: RwLock<Tables>,
}

impl Index {
    /// The index of a journal without commits. Request ids are remembered for so long, at least.
    pub(crate) fn new(schemas: Arc<Schemas>, request_id_retention: Duration) -> Self {
        let tables = RwLock::new(Tables::new(schemas.kinds.len(), request_id_retention));
        Self { schemas, tables }
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

    /// The tables. While they are held, no commit becomes visible: hold them for a short time only.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read()
    }

    /// The last durable revision.
    pub(crate) fn head(&self) -> Revision {
        self.read().head()
    }
}
