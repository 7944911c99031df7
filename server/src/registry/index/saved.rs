//! The tables as they are saved in a checkpoint, and loaded from it.
//!
//! They are saved piece by piece while commits go on: a row is as of the moment when it was saved. Whoever loads them
//! applies the commits again from the one on at which the saving began; what a row has already is skipped. Orders of the
//! past are not saved.

use std::collections::BTreeSet;

use prost::Message;

use super::order::OrderKey;
use super::row::{Row, RowId};
use super::tables::{Became, CREATED_BYTES, Entry, KindTable, RequestId, Tables, index};
use crate::registry::schema::Schemas;
use crate::store::Place;

/// The version of what is saved. To be raised with whatever is derived from a document in another way than before:
/// tables that another version has saved are not loaded.
const VERSION: u32 = 1;

#[derive(Clone, PartialEq, Message)]
struct SavedPiece {
    #[prost(message, repeated, tag = "1")]
    rows: Vec<SavedRow>,
    #[prost(message, repeated, tag = "2")]
    requests: Vec<SavedRequest>,
}

/// A row. Its number is its place among all.
#[derive(Clone, PartialEq, Message)]
struct SavedRow {
    #[prost(string, tag = "1")]
    name: String,
    /// The number of the kind in the envelope.
    #[prost(uint32, tag = "2")]
    kind: u32,
    #[prost(uint64, tag = "3")]
    revision: u64,
    #[prost(bool, tag = "4")]
    deleted: bool,
    #[prost(uint32, tag = "5")]
    segment: u32,
    #[prost(uint32, tag = "6")]
    offset: u32,
    #[prost(uint32, tag = "7")]
    len: u32,
    #[prost(string, tag = "8")]
    display_name: String,
    /// What it is ordered by in the order of creation.
    #[prost(bytes = "vec", tag = "9")]
    created: Vec<u8>,
    #[prost(uint32, repeated, tag = "10")]
    targets: Vec<u32>,
    #[prost(uint32, optional, tag = "11")]
    parent: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct SavedRequest {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(uint64, tag = "2")]
    revision: u64,
    #[prost(bytes = "vec", tag = "3")]
    hash: Vec<u8>,
}

/// What stands in a checkpoint beside the tables, and must be the same when it is loaded.
pub(super) fn version() -> String {
    let contract = crc32fast::hash(partnership_registry::FILE_DESCRIPTOR_SET);
    format!("{} index {VERSION} contract {contract:08x}", env!("CARGO_PKG_VERSION"))
}

/// How far the saving of tables has come.
pub(super) enum Saving {
    /// To the row of this number.
    Rows(usize),
    /// All rows are saved, and the requests up to this one.
    Requests(Option<RequestId>),
}

impl Tables {
    /// The next piece to be saved, of so many rows or requests; `None` if that was all.
    pub(super) fn save(&self, schemas: &Schemas, saving: &mut Saving, piece_rows: usize) -> Option<Vec<u8>> {
        let mut piece = SavedPiece::default();
        match saving {
            Saving::Rows(from) => {
                let entries = self.entries.iter().enumerate().skip(*from).take(piece_rows);
                piece.rows.extend(entries.map(|(at, entry)| self.saved_row(schemas, at, entry)));
                *from += piece.rows.len();
                if *from == self.entries.len() {
                    *saving = Saving::Requests(None);
                }
            }
            Saving::Requests(after) => {
                let requests = self.requests_after(*after, piece_rows);
                let (last, _) = requests.last()?;
                *after = Some(*last);
                let saved = |(id, (revision, hash)): (RequestId, Became)| SavedRequest {
                    id: id.to_vec(),
                    revision,
                    hash: hash.to_vec(),
                };
                piece.requests.extend(requests.into_iter().map(saved));
            }
        }
        Some(piece.encode_to_vec())
    }

    fn saved_row(&self, schemas: &Schemas, at: usize, entry: &Entry) -> SavedRow {
        let Row { revision, deleted, place: Place { segment, offset, len } } = entry.row;
        let id = RowId(u32::try_from(at).unwrap_or(u32::MAX));
        SavedRow {
            name: entry.name.as_ref().into(),
            kind: schemas.kind(entry.kind).tag,
            revision,
            deleted,
            segment,
            offset,
            len,
            display_name: entry.display_name.as_ref().into(),
            created: entry.created.to_vec(),
            targets: entry.targets.iter().map(|target| target.0).collect(),
            parent: self.trees.parent(id).map(|parent| parent.0),
        }
    }
}

/// Tables that are being loaded.
#[derive(Default)]
pub(super) struct Loading {
    entries: Vec<Entry>,
    parents: Vec<(RowId, RowId)>,
    requests: Vec<(RequestId, Became)>,
}

impl Loading {
    /// Takes the next piece. An error says why nothing can be loaded.
    pub(super) fn take(&mut self, schemas: &Schemas, piece: &[u8]) -> Result<(), String> {
        let piece = SavedPiece::decode(piece).map_err(|_| "a part of it cannot be read".to_owned())?;
        for row in piece.rows {
            let id = RowId(u32::try_from(self.entries.len()).map_err(|_| "it has too many rows".to_owned())?);
            let kind = schemas.by_tag(row.kind).ok_or_else(|| format!("it has a kind of number {}", row.kind))?;
            let created: [u8; CREATED_BYTES] = row.created.try_into().map_err(|_| "a time in it is none".to_owned())?;
            let place = Place { segment: row.segment, offset: row.offset, len: row.len };
            self.parents.extend(row.parent.map(|parent| (id, RowId(parent))));
            self.entries.push(Entry {
                name: row.name.into(),
                kind,
                row: Row { revision: row.revision, deleted: row.deleted, place },
                created,
                display_name: row.display_name.into(),
                targets: row.targets.into_iter().map(RowId).collect(),
                referrers: BTreeSet::new(),
            });
        }
        for SavedRequest { id, revision, hash } in piece.requests {
            let (Ok(id), Ok(hash)) = (id.try_into(), hash.try_into()) else {
                return Err("a request in it is none".to_owned());
            };
            self.requests.push((id, (revision, hash)));
        }
        Ok(())
    }

    /// The tables, once all has been taken. An error says why they cannot be loaded.
    pub(super) fn end(self, kinds: usize) -> Result<Tables, String> {
        let Loading { mut entries, parents, requests } = self;
        let count = entries.len();
        let is_row = |id: &RowId| index(*id) < count;
        let lost = !entries.iter().flat_map(|entry| &entry.targets).all(is_row)
            || !parents.iter().all(|(_, parent)| is_row(parent));
        if lost {
            return Err("a reference in it leads nowhere".to_owned());
        }
        let mut tables = Tables::new(kinds);
        // Each of these is sorted and built at once, which takes a fraction of the time of one insertion after another;
        // and the two processors share them.
        std::thread::scope(|scope| {
            let entries = &entries;
            let orders: Vec<_> = tables
                .kinds
                .iter_mut()
                .enumerate()
                .map(|(kind, table)| scope.spawn(move || table.load(entries, kind)))
                .collect();
            tables.by_name = entries.iter().zip(0..).map(|(entry, at)| (entry.name.clone(), RowId(at))).collect();
            tables.requests = requests.into_iter().collect();
            orders.into_iter().try_for_each(|order| order.join().map_err(|_| "its orders could not be made".to_owned()))
        })?;
        if tables.by_name.len() != count {
            return Err("a name is in it twice".to_owned());
        }
        let references: Vec<(RowId, Box<[RowId]>)> =
            entries.iter().zip(0..).map(|(entry, at)| (RowId(at), entry.targets.clone())).collect();
        for (id, targets) in references {
            for target in &targets {
                if let Some(target) = entries.get_mut(index(*target)) {
                    target.referrers.insert(id);
                }
            }
        }
        for (child, parent) in parents {
            tables.trees.set(child, Some(parent));
        }
        // Before the last of them, rows were other ones than those that are known now.
        tables.orders_complete_from = entries.iter().map(|entry| entry.row.revision).max().unwrap_or(0);
        tables.entries = entries;
        Ok(tables)
    }
}

impl KindTable {
    fn load(&mut self, entries: &[Entry], kind: usize) {
        let own = || entries.iter().filter(|entry| entry.kind.index() == kind);
        let span = |value: &[u8], entry: &Entry| (OrderKey::new(value, &entry.name), entry.row.revision);
        self.live = own().filter(|entry| !entry.row.deleted).count();
        self.names = own().map(|entry| entry.name.clone()).collect();
        self.by_create.open_all(own().map(|entry| span(&entry.created, entry)));
        self.by_update.open_all(own().map(|entry| span(&entry.row.revision.to_be_bytes(), entry)));
        self.by_display_name.open_all(own().map(|entry| span(entry.display_name.as_bytes(), entry)));
    }
}

#[cfg(test)]
mod tests;
