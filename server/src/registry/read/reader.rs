//! Reading: one resource as of any revision, one commit, the revision of a time.
//!
//! A reader sees the durable commits up to the head and nothing else. It asks the index first, then sled, and where sled
//! fails or has moved on, the journal, which has everything.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;

use crate::registry::error::Error;
use crate::registry::index::{Index, Row};
use crate::registry::resource::document;
use crate::registry::resource::name::Name;
use crate::registry::schema::{KindId, Schemas};
use crate::store::{Change, JournalError, JournalReader, Record, Revision, State, StateError};
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
    pub(crate) state: State,
    /// Tells the etags of one store from those of another.
    pub(crate) etag_salt: u32,
}

impl Reader {
    /// The last durable revision.
    pub(crate) fn head(&self) -> Revision {
        self.index.read().head
    }

    /// The last revision that sled has.
    pub(crate) fn applied(&self) -> Revision {
        self.state.applied()
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

    /// The document of `name` as of `at`, deleted or not, with the revision it had. `None`: there was none.
    pub(crate) fn get(&self, name: &Name, at: Revision) -> Result<Option<(Revision, Bytes)>, Error> {
        let (row, recent) = {
            let index = self.index.read();
            (index.row(name.kind(), name.as_str()), index.recent(name.as_str(), at))
        };
        let Some(row) = row else { return Ok(None) };
        if let Some((revision, envelope)) = recent {
            return Ok(Some((revision, self.open(&envelope, revision)?.1)));
        }
        if row.revision <= at {
            return Ok(Some((row.revision, self.current(name, row)?)));
        }
        match self.version_at(name, row, at)? {
            None => Ok(None),
            Some(revision) => Ok(Some((revision, self.version(name, revision)?))),
        }
    }

    /// The document of `name` in its current row, which sled has or is about to leave behind.
    pub(crate) fn current(&self, name: &Name, row: Row) -> Result<Bytes, Error> {
        match self.state.get(name.as_str()) {
            Ok(Some((revision, envelope))) if revision == row.revision && !envelope.is_empty() => {
                Ok(self.open(&envelope, revision)?.1)
            }
            // sled has moved on, or leaves what is large to the journal.
            Ok(_) => self.version(name, row.revision),
            Err(error) => {
                self.fell_back(&error);
                self.version(name, row.revision)
            }
        }
    }

    /// The revision that `name` had at `at`, which is before that of its current row.
    fn version_at(&self, name: &Name, row: Row, at: Revision) -> Result<Option<Revision>, Error> {
        match self.state.version_at(name.as_str(), at) {
            Ok(revision) => Ok(revision),
            Err(error) => {
                self.fell_back(&error);
                let mut revision = row.revision;
                while revision > at {
                    let record = self.record(revision)?;
                    let change = record.changes.iter().find(|change| &*change.name == name.as_str());
                    revision = change.ok_or(Error::Damaged { revision })?.previous_revision;
                }
                Ok((revision > 0).then_some(revision))
            }
        }
    }

    /// The document that the commit of `revision` made of `name`.
    pub(crate) fn version(&self, name: &Name, revision: Revision) -> Result<Bytes, Error> {
        if let Some((found, envelope)) = self.index.read().recent(name.as_str(), revision)
            && found == revision
        {
            return Ok(self.open(&envelope, revision)?.1);
        }
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

    fn fell_back(&self, error: &StateError) {
        tracing::warn!(%error, "sled could not be read; the journal answers instead; restart to rebuild the state");
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
