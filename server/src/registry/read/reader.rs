//! Reading: one resource as of any revision, one commit, the revision of a time.
//!
//! A reader sees the durable commits up to the head and nothing else. It asks the index first, then sled, and where sled
//! fails or has moved on, the journal, which has everything.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;

use crate::registry::error::Error;
use crate::registry::index::Index;
use crate::registry::resource::document;
use crate::registry::resource::name::Name;
use crate::registry::schema::{KindId, Schemas};
use crate::store::{Change, JournalError, JournalReader, Record, Revision, StateReader};
use crate::time::Time;

/// As of when to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Point {
    /// The head.
    #[default]
    Head,
    /// A revision.
    Revision(Revision),
    /// The last revision that was made not after a time.
    Time(Time),
}

/// Reads. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) index: Arc<RwLock<Index>>,
    pub(crate) journal: JournalReader,
    pub(crate) state: StateReader,
    /// Tells the etags of one store from those of another.
    pub(crate) etag_salt: u32,
}

impl Reader {
    /// The last durable revision.
    pub(crate) fn head(&self) -> Revision {
        self.index.read().head
    }

    /// The etag of any resource that last changed in `revision`.
    pub(crate) fn etag(&self, revision: Revision) -> String {
        format!("{revision:x}-{:08x}", self.etag_salt)
    }

    /// A name as it stands in stored data.
    pub(crate) fn name(&self, text: &str) -> Result<Name, Error> {
        Name::parse(&self.schemas, text).map_err(|_| Error::NotFound(text.to_owned()))
    }

    /// The revision to read at.
    pub(crate) fn resolve(&self, point: Point) -> Result<Revision, Error> {
        let head = self.head();
        match point {
            Point::Head => Ok(head),
            Point::Revision(asked) if asked > head => Err(Error::RevisionInFuture { asked, head }),
            Point::Revision(revision) => Ok(revision),
            Point::Time(time) => {
                // The first commit after `time`, by halves: times grow with revisions.
                let (mut low, mut high) = (1, head + 1);
                while low < high {
                    let middle = low + (high - low) / 2;
                    let at = self.record(middle)?.commit_time;
                    if at <= time { low = middle + 1 } else { high = middle }
                }
                if low == 1 { Err(Error::TimeBeforeFirst) } else { Ok(low - 1) }
            }
        }
    }

    /// The document of `name` as of `at`, deleted or not, with the revision it had, from the journal. `None`: there was
    /// none.
    pub(crate) fn get(&self, name: &Name, at: Revision) -> Result<Option<(Revision, Bytes)>, Error> {
        let Some(row) = self.index.read().row(name.kind(), name.as_str()) else { return Ok(None) };
        let mut revision = row.revision;
        while revision > at {
            let record = self.record(revision)?;
            revision = change_of(&record, name.as_str()).ok_or(Error::Damaged { revision })?.previous_revision;
        }
        if revision == 0 {
            return Ok(None);
        }
        Ok(Some((revision, self.version(name, revision)?)))
    }

    /// As [`Reader::get`], from sled where it answers.
    pub(crate) async fn look_up(&self, name: &Name, at: Revision) -> Result<Option<(Revision, Bytes)>, Error> {
        let Some(row) = self.index.read().row(name.kind(), name.as_str()) else { return Ok(None) };
        if row.revision > at {
            return match self.state.version_at(&name.shared(), at).await {
                None => self.get(name, at),
                Some(None) => Ok(None),
                Some(Some(revision)) => Ok(Some((revision, self.version(name, revision)?))),
            };
        }
        if self.state.applied() >= row.revision
            && let Some(found) = self.state.get(&[name.shared()]).await
            && let Some(Some((revision, envelope))) = found.first()
            && *revision == row.revision
        {
            return Ok(Some((*revision, self.open(envelope, *revision)?.1)));
        }
        Ok(Some((row.revision, self.version(name, row.revision)?)))
    }

    /// As [`Reader::get`] for many names, from sled where it answers. Blocks; never to be called in a task.
    pub(crate) fn get_many(
        &self,
        kind: KindId,
        names: &[Arc<str>],
        at: Revision,
    ) -> Result<Vec<Option<(Revision, Bytes)>>, Error> {
        let runtime = tokio::runtime::Handle::try_current().ok();
        let found = runtime.and_then(|runtime| runtime.block_on(self.state.get(names))).unwrap_or_default();
        let mut found = found.into_iter();
        names
            .iter()
            .map(|name| {
                let name = Name::stored(kind, name.clone());
                let row = self.index.read().row(kind, name.as_str());
                match (row, found.next().flatten()) {
                    (Some(row), Some((revision, envelope))) if revision == row.revision && revision <= at => {
                        Ok(Some((revision, self.open(&envelope, revision)?.1)))
                    }
                    _ => self.get(&name, at),
                }
            })
            .collect()
    }

    /// The document that the commit of `revision` made of `name`.
    pub(crate) fn version(&self, name: &Name, revision: Revision) -> Result<Bytes, Error> {
        let record = self.record(revision)?;
        let change = change_of(&record, name.as_str()).ok_or(Error::Damaged { revision })?;
        Ok(self.open(&change.document, revision)?.1)
    }

    /// Versions of `name`, newest first, at most `limit`; with `before`, which is one of them, those before it.
    pub(crate) fn versions(&self, name: &Name, before: Option<Revision>, limit: usize) -> Result<Vec<Revision>, Error> {
        let Some(row) = self.index.read().row(name.kind(), name.as_str()) else {
            return Err(Error::NotFound(name.to_string()));
        };
        // By the chain of previous revisions: it is in the journal, which is never behind.
        let previous = |revision| {
            let record = self.record(revision)?;
            let change = change_of(&record, name.as_str()).ok_or(Error::Damaged { revision })?;
            Ok(change.previous_revision)
        };
        let mut found = Vec::new();
        let mut revision = match before {
            None => row.revision,
            Some(before) => previous(before)?,
        };
        while revision > 0 && found.len() < limit {
            found.push(revision);
            revision = previous(revision)?;
        }
        Ok(found)
    }

    /// The kind and the document of a stored envelope.
    pub(crate) fn open(&self, envelope: &Bytes, revision: Revision) -> Result<(KindId, Bytes), Error> {
        let (kind, document) = document::open_envelope(&self.schemas, envelope).ok_or(Error::Damaged { revision })?;
        Ok((kind, envelope.slice_ref(document)))
    }

    /// The commit of a revision.
    pub(crate) fn record(&self, revision: Revision) -> Result<Record, Error> {
        self.journal.read(revision).map_err(|error| damaged(&error, revision))
    }
}

pub(crate) fn damaged(error: &JournalError, revision: Revision) -> Error {
    tracing::error!(%error, revision, "the journal could not be read");
    Error::Damaged { revision }
}

/// What a commit did to `name`.
pub(crate) fn change_of<'a>(record: &'a Record, name: &str) -> Option<&'a Change> {
    record.changes.iter().find(|change| &*change.name == name)
}
