//! What a payload of the journal holds.

use bytes::Bytes;
use prost::Message as _;

use crate::store::{Action, Change, Hash, Place, Record, RequestMark, Revision};
use crate::time::Day;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StoredRecord {
    #[prost(uint64, tag = "1")]
    pub(crate) revision: u64,
    #[prost(message, optional, tag = "2")]
    pub(crate) commit_time: Option<prost_types::Timestamp>,
    #[prost(string, tag = "3")]
    pub(crate) actor: String,
    #[prost(string, tag = "4")]
    pub(crate) reason: String,
    #[prost(bytes = "bytes", tag = "5")]
    pub(crate) request_id: Bytes,
    #[prost(bytes = "bytes", tag = "6")]
    pub(crate) request_hash: Bytes,
    #[prost(message, repeated, tag = "9")]
    pub(crate) changes: Vec<StoredChange>,
    #[prost(uint64, tag = "10")]
    pub(crate) epoch: u64,
    #[prost(sint32, tag = "11")]
    pub(crate) settled_day: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StoredChange {
    #[prost(int32, tag = "1")]
    pub(crate) action: i32,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(uint64, tag = "3")]
    pub(crate) previous_revision: u64,
    #[prost(bytes = "bytes", tag = "5")]
    pub(crate) after: Bytes,
    #[prost(bytes = "bytes", tag = "6")]
    pub(crate) salt: Bytes,
}

pub(crate) fn encode(record: &Record) -> Bytes {
    let request = record.request;
    StoredRecord {
        revision: record.revision,
        commit_time: Some(record.commit_time.into()),
        actor: record.actor.clone(),
        reason: record.reason.clone(),
        request_id: request.map(|mark| Bytes::copy_from_slice(&mark.id)).unwrap_or_default(),
        request_hash: request.map(|mark| Bytes::copy_from_slice(&mark.hash)).unwrap_or_default(),
        epoch: record.epoch,
        settled_day: record.settled_day.0,
        changes: record
            .changes
            .iter()
            .map(|change| StoredChange {
                action: change.action.number(),
                name: change.name.to_string(),
                previous_revision: change.previous_revision,
                after: change.document.clone(),
                salt: Bytes::copy_from_slice(&change.salt),
            })
            .collect(),
    }
    .encode_to_vec()
    .into()
}

pub(crate) fn decode(revision: Revision, parent_hash: Hash, hash: Hash, payload: Bytes) -> Option<Record> {
    let stored = StoredRecord::decode(payload).ok()?;
    let request = stored
        .request_id
        .first_chunk()
        .zip(stored.request_hash.first_chunk())
        .map(|(id, hash)| RequestMark { id: *id, hash: *hash });
    let mut changes = Vec::new();
    for (at, change) in stored.changes.into_iter().enumerate() {
        let salt = change.salt.first_chunk().copied()?;
        let mut made = Change::new(
            Action::from_number(change.action)?,
            change.name.into(),
            change.previous_revision,
            change.after,
            salt,
        );
        let len = u32::try_from(made.document.len()).ok()?;
        made.place = Place { segment: 0, offset: u32::try_from(at).ok()?, len };
        changes.push(made);
    }
    (stored.revision == revision).then_some(Record {
        revision,
        commit_time: stored.commit_time.unwrap_or_default().into(),
        actor: stored.actor,
        reason: stored.reason,
        request,
        epoch: stored.epoch,
        settled_day: Day(stored.settled_day),
        changes,
        parent_hash,
        hash,
    })
}
