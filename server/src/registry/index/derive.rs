//! What a commit says of each resource that it changes: all that the tables keep of it, read from the documents.

use std::sync::Arc;

use super::row::Row;
use crate::registry::resource::{envelope, stamp, targets, wire};
use crate::registry::schema::{KindId, Schemas};
use crate::store::{Change, Record, Revision};

/// A commit holds what this version cannot read: another one wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// The revision of the commit.
    pub(crate) revision: Revision,
}

/// A resource after a change.
pub(super) struct Derived {
    pub(super) kind: KindId,
    pub(super) name: Arc<str>,
    pub(super) row: Row,
    /// The names that it refers to, each once. A deleted resource refers to nothing.
    pub(super) targets: Vec<Arc<str>>,
    /// The parent among them, in a kind of trees.
    pub(super) parent: Option<Arc<str>>,
}

/// Reads the documents of a commit.
pub(super) fn derive(schemas: &Schemas, record: &Record) -> Result<Vec<Derived>, Unreadable> {
    let revision = record.revision;
    record.changes.iter().map(|change| derive_change(schemas, record, change).ok_or(Unreadable { revision })).collect()
}

fn derive_change(schemas: &Schemas, record: &Record, change: &Change) -> Option<Derived> {
    let (kind, document) = envelope::open_envelope(schemas, &change.document)?;
    let deleted = stamp::is_deleted(document);
    let mut names: Vec<Arc<str>> = Vec::new();
    if !deleted {
        targets::targets(schemas, schemas.kind(kind).shape, document, &mut |name| {
            if !names.iter().any(|known| &**known == name) {
                names.push(name.into());
            }
        });
    }
    let parent = schemas.kind(kind).parent.as_ref().and_then(|field| wire::field(document, field.number));
    let parent = parent.and_then(|field| names.iter().find(|name| ***name == *field.text()).cloned());
    Some(Derived {
        kind,
        name: change.name.clone(),
        row: Row { revision: record.revision, deleted, place: change.place },
        targets: names,
        parent,
    })
}
