//! The tables as they are saved in a checkpoint, and loaded from it.
//!
//! They are saved piece by piece while commits go on: a row is as of the moment when it was saved. Whoever loads them
//! applies the commits again from the one on at which the saving began; what a row has already is skipped.

use std::collections::BTreeSet;
use std::time::Duration;

use prost::Message;
use prost_types::Timestamp;

use super::requests::Request;
use super::row::{Row, RowId};
use super::tables::{Entry, Tables, index};
use crate::registry::schema::Schemas;
use crate::store::{Place, RequestMark, Revision};
use crate::time::Day;

/// The version of what is saved. To be raised with whatever is derived from a document in another way than before:
/// tables that another version has saved are not loaded.
const VERSION: u32 = 3;

#[derive(Clone, PartialEq, Message)]
struct SavedPiece {
    #[prost(message, repeated, tag = "1")]
    rows: Vec<SavedRow>,
    #[prost(message, repeated, tag = "2")]
    requests: Vec<SavedRequest>,
    /// The settled days, all of them in the first piece.
    #[prost(message, repeated, tag = "3")]
    days: Vec<SavedDay>,
}

/// A settled day, and the first revision that has it.
#[derive(Clone, PartialEq, Message)]
struct SavedDay {
    #[prost(uint64, tag = "1")]
    revision: u64,
    #[prost(sint32, tag = "2")]
    day: i32,
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
    /// The revision in which it was created.
    #[prost(uint64, tag = "8")]
    created: u64,
    #[prost(uint32, repeated, tag = "9")]
    targets: Vec<u32>,
    #[prost(uint32, optional, tag = "10")]
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
    #[prost(message, required, tag = "4")]
    time: Timestamp,
}

impl SavedRequest {
    fn new(request: &Request) -> Self {
        let Request { mark: RequestMark { id, hash }, revision, time } = *request;
        Self { id: id.to_vec(), revision, hash: hash.to_vec(), time: time.into() }
    }

    fn request(self) -> Option<Request> {
        let mark = RequestMark { id: self.id.try_into().ok()?, hash: self.hash.try_into().ok()? };
        Some(Request { mark, revision: self.revision, time: self.time.into() })
    }
}

/// What stands in a checkpoint beside the tables, and must be the same when it is loaded.
pub(super) fn version(request_id_retention: Duration) -> String {
    let contract = crc32fast::hash(partnership_registry::FILE_DESCRIPTOR_SET);
    let (version, retention) = (env!("CARGO_PKG_VERSION"), request_id_retention.as_secs());
    format!("{version} index {VERSION} contract {contract:08x} request ids {retention} s")
}

/// How far the saving of tables has come.
pub(super) enum Saving {
    /// To the row of this number.
    Rows(usize),
    /// All rows are saved, and the requests up to the one at this place.
    Requests(u64),
}

impl Tables {
    /// The next piece to be saved, of so many rows or requests; `None` if that was all.
    pub(super) fn save(&self, schemas: &Schemas, saving: &mut Saving, piece_rows: usize) -> Option<Vec<u8>> {
        let mut piece = SavedPiece::default();
        match saving {
            Saving::Rows(from) => {
                if *from == 0 {
                    let saved = |(revision, day): &(u64, Day)| SavedDay { revision: *revision, day: day.0 };
                    piece.days.extend(self.days.iter().map(saved));
                }
                let entries = self.entries.iter().enumerate().skip(*from).take(piece_rows);
                piece.rows.extend(entries.map(|(at, entry)| self.saved_row(schemas, at, entry)));
                *from += piece.rows.len();
                if *from == self.entries.len() {
                    *saving = Saving::Requests(0);
                }
            }
            Saving::Requests(place) => {
                let (requests, end) = self.requests.from(*place, piece_rows);
                if requests.len() == 0 {
                    return None;
                }
                piece.requests.extend(requests.map(SavedRequest::new));
                *place = end;
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
            created: entry.created,
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
    requests: Vec<Request>,
    days: Vec<(Revision, Day)>,
}

impl Loading {
    /// Takes the next piece. An error says why nothing can be loaded.
    pub(super) fn take(&mut self, schemas: &Schemas, piece: &[u8]) -> Result<(), String> {
        let piece = SavedPiece::decode(piece).map_err(|_| "a part of it cannot be read".to_owned())?;
        self.days.extend(piece.days.iter().map(|saved| (saved.revision, Day(saved.day))));
        for row in piece.rows {
            let id = RowId(u32::try_from(self.entries.len()).map_err(|_| "it has too many rows".to_owned())?);
            let kind = schemas.by_tag(row.kind).ok_or_else(|| format!("it has a kind of number {}", row.kind))?;
            let place = Place { segment: row.segment, offset: row.offset, len: row.len };
            self.parents.extend(row.parent.map(|parent| (id, RowId(parent))));
            self.entries.push(Entry {
                name: row.name.into(),
                kind,
                row: Row { revision: row.revision, deleted: row.deleted, place },
                created: row.created,
                targets: row.targets.into_iter().map(RowId).collect(),
                referrers: BTreeSet::new(),
            });
        }
        for request in piece.requests {
            self.requests.push(request.request().ok_or_else(|| "a request in it is none".to_owned())?);
        }
        Ok(())
    }

    /// The tables, once all has been taken. An error says why they cannot be loaded.
    pub(super) fn end(self, request_id_retention: Duration) -> Result<Tables, String> {
        let Loading { entries, parents, requests, days } = self;
        let count = entries.len();
        let is_row = |id: &RowId| index(*id) < count;
        let lost = !entries.iter().flat_map(|entry| &entry.targets).all(is_row)
            || !parents.iter().all(|(_, parent)| is_row(parent));
        if lost {
            return Err("a reference in it leads nowhere".to_owned());
        }
        if !days.is_sorted_by(|(revision, day), (next, later)| revision < next && day < later) {
            return Err("its settled days do not follow each other".to_owned());
        }
        let mut tables = Tables::new(request_id_retention);
        tables.days = days;
        for entry in entries {
            if tables.row(&entry.name).is_some() {
                return Err("a name is in it twice".to_owned());
            }
            tables.push(entry);
        }
        tables.refer();
        for (child, parent) in parents {
            tables.trees.set(child, Some(parent));
        }
        requests.into_iter().for_each(|request| tables.requests.push(request));
        Ok(tables)
    }
}

#[cfg(test)]
mod tests;
