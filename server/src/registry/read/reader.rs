//! Reading: one resource as of any revision, one commit, the revision of a time.
//!
//! A reader sees the durable commits up to the head and nothing else. The index says where a document lies in the
//! journal; what is asked for one by one is taken from sled, unless that has moved on, is busy or has failed.

use std::sync::Arc;

use bytes::Bytes;

use crate::faults;
use crate::registry::error::Error;
use crate::registry::index::{Index, Row};
use crate::registry::read::read_mask::Days;
use crate::registry::read::reads::Reads;
use crate::registry::resource::envelope;
use crate::registry::resource::name::Name;
use crate::registry::resource::stamp;
use crate::registry::schema::{KindId, Schemas};
use crate::store::{Change, JournalReader, Record, Revision, StateReader};
use crate::time::{Day, Time};

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
    pub(crate) index: Arc<Index>,
    pub(crate) journal: JournalReader,
    pub(crate) state: StateReader,
    pub(crate) reads: Arc<Reads>,
}

impl Reader {
    /// The last durable revision.
    pub(crate) fn head(&self) -> Revision {
        self.index.head()
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
                    if self.head_of(middle)?.commit_time <= time { low = middle + 1 } else { high = middle }
                }
                if low == 1 { Err(Error::TimeBeforeFirst) } else { Ok(low - 1) }
            }
        }
    }

    /// The days that a reading at a revision is about, of which `valid` was asked for.
    pub(crate) fn days(&self, at: Revision, valid: Option<Day>) -> Days {
        let settled = self.index.read().settled_day_at(at);
        let valid = valid.filter(|_| faults::planted("valid-date-ignored").is_none());
        Days { settled, valid: valid.unwrap_or(settled) }
    }

    /// The document of `name` as of `at`, deleted or not, with the revision it had. `None`: there was none. From sled, if
    /// that has it and is free.
    pub(crate) async fn find(&self, name: &Name, at: Revision) -> Result<Option<(Revision, Bytes)>, Error> {
        let Some(row) = self.row(name) else { return Ok(None) };
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
            return Ok(Some((row.revision, self.open(envelope, row.revision)?.1)));
        }
        Ok(Some((row.revision, self.stored(name, row)?)))
    }

    /// As [`Reader::find`], from the journal alone: for walks over many resources, which must not keep sled from its work.
    pub(crate) fn get(&self, name: &Name, at: Revision) -> Result<Option<(Revision, Bytes)>, Error> {
        let Some(row) = self.row(name) else { return Ok(None) };
        if row.revision <= at {
            return Ok(Some((row.revision, self.stored(name, row)?)));
        }
        match self.revision_at(name, row, at)? {
            None => Ok(None),
            Some(revision) => Ok(Some((revision, self.version(name, revision)?))),
        }
    }

    /// What is known of `name` at the head.
    pub(crate) fn row(&self, name: &Name) -> Option<Row> {
        self.index.read().row(name.as_str())
    }

    /// The document of a row, from the journal. The place of one may come from a checkpoint: that it is the document of
    /// `name`, and of this revision, is seen here.
    pub(crate) fn stored(&self, name: &Name, row: Row) -> Result<Bytes, Error> {
        let Row { revision, place, .. } = row;
        let envelope = self.reads.outcome(revision, self.journal.document(revision, place))?;
        let document = self.open(&envelope, revision)?.1;
        if stamp::name(&document) != name.as_str() {
            tracing::error!(revision, %name, "what is noted as the place of a document holds another one; the next start notes the places anew if the checkpoint is removed");
            return Err(Error::Damaged { revision });
        }
        Ok(document)
    }

    /// The revision that `name` had at `at`, which is before that of its row: by the chain of its revisions.
    fn revision_at(&self, name: &Name, row: Row, at: Revision) -> Result<Option<Revision>, Error> {
        let mut revision = row.revision;
        while revision > at {
            revision = self.previous(name, revision)?;
        }
        Ok((revision > 0).then_some(revision))
    }

    /// The revision of `name` before the one that the commit of `revision` made; 0 if there was none.
    fn previous(&self, name: &Name, revision: Revision) -> Result<Revision, Error> {
        let record = self.head_of(revision)?;
        Ok(change_of(&record, name.as_str()).ok_or(Error::Damaged { revision })?.previous_revision)
    }

    /// The document that the commit of `revision` made of `name`.
    pub(crate) fn version(&self, name: &Name, revision: Revision) -> Result<Bytes, Error> {
        let record = self.head_of(revision)?;
        let place = change_of(&record, name.as_str()).ok_or(Error::Damaged { revision })?.place;
        let envelope = self.reads.outcome(revision, self.journal.document(revision, place))?;
        Ok(self.open(&envelope, revision)?.1)
    }

    /// The document that the commit of `revision` made of `name`. `None`: it did not change it, or does not exist yet.
    pub(crate) fn snapshot(&self, name: &Name, revision: Revision) -> Result<Option<Bytes>, Error> {
        if revision == 0 || revision > self.head() {
            return Ok(None);
        }
        let record = self.head_of(revision)?;
        let Some(change) = change_of(&record, name.as_str()) else { return Ok(None) };
        let envelope = self.reads.outcome(revision, self.journal.document(revision, change.place))?;
        Ok(Some(self.open(&envelope, revision)?.1))
    }

    /// How many bytes the document has that [`Reader::snapshot`] answers. 0: none.
    pub(crate) fn snapshot_bytes(&self, name: &Name, revision: Revision) -> Result<usize, Error> {
        if revision == 0 || revision > self.head() {
            return Ok(0);
        }
        let record = self.head_of(revision)?;
        let change = change_of(&record, name.as_str());
        Ok(change.map_or(0, |change| usize::try_from(change.place.len).unwrap_or(usize::MAX)))
    }

    /// Versions of `name`, newest first, at most `limit`; with `before`, which is one of them, those before it.
    pub(crate) fn versions(&self, name: &Name, before: Option<Revision>, limit: usize) -> Result<Vec<Revision>, Error> {
        let row = self.row(name).ok_or_else(|| Error::NotFound(name.to_string()))?;
        let mut found = Vec::new();
        let mut revision = match before {
            None => row.revision,
            Some(before) => self.previous(name, before)?,
        };
        while revision > 0 && found.len() < limit {
            found.push(revision);
            revision = self.previous(name, revision)?;
        }
        Ok(found)
    }

    /// The kind and the document of a stored envelope.
    pub(crate) fn open(&self, envelope: &Bytes, revision: Revision) -> Result<(KindId, Bytes), Error> {
        let (kind, document) = envelope::open_envelope(&self.schemas, envelope).ok_or(Error::Damaged { revision })?;
        Ok((kind, envelope.slice_ref(document)))
    }

    /// The commit of a revision.
    pub(crate) fn record(&self, revision: Revision) -> Result<Record, Error> {
        self.reads.outcome(revision, self.journal.read(revision))
    }

    /// How many bytes the commit of a revision has.
    pub(crate) fn record_bytes(&self, revision: Revision) -> Result<usize, Error> {
        self.reads.outcome(revision, self.journal.record_bytes(revision))
    }

    /// How many bytes the document of `name` has at the head, about. 0: there is none.
    pub(crate) fn document_bytes(&self, name: &str) -> usize {
        self.index.read().row(name).map_or(0, |row| usize::try_from(row.place.len).unwrap_or(usize::MAX))
    }

    /// Reads some commit; what came of it is noted by [`Reads`]. Without any commit, nothing can fail.
    pub(crate) fn try_read(&self) {
        let dice = getrandom::u64().unwrap_or_default();
        match dice.checked_rem(self.head()) {
            None => self.reads.succeeded(),
            // Noted, and of use to nobody else.
            Some(before) => drop(self.record(before + 1)),
        }
    }

    /// The commit of a revision without its documents.
    pub(crate) fn head_of(&self, revision: Revision) -> Result<Record, Error> {
        self.reads.outcome(revision, self.journal.read_head(revision))
    }
}

/// What a commit did to `name`.
pub(crate) fn change_of<'a>(record: &'a Record, name: &str) -> Option<&'a Change> {
    record.changes.iter().find(|change| &*change.name == name)
}
