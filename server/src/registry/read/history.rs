//! History: the revisions of one resource, and the commits of all.

use bytes::Bytes;

use crate::registry::Registry;
use crate::registry::error::Error;
use crate::registry::query::page::{PAGE_BYTES_MAX, page_size};
use crate::registry::query::page_token::Position;
use crate::registry::resource::document;
use crate::registry::resource::mask;
use crate::registry::resource::name::Name;
use crate::store::{Action, Record, Revision};

/// One revision of a resource.
#[derive(Debug)]
pub struct Version {
    /// The resource.
    pub name: Name,
    /// The commit that made it, with all its changes.
    pub record: Record,
    /// What it did.
    pub action: Action,
    /// The envelope before. Empty: there was none.
    pub before: Bytes,
    /// The envelope after.
    pub after: Bytes,
    /// The fields that changed, without those the server writes each time.
    pub changed: Vec<String>,
}

/// A page of the revisions of a resource, newest first.
#[derive(Debug)]
pub struct RevisionsPage {
    /// The page.
    pub versions: Vec<Version>,
    /// Where to go on. Empty: nowhere.
    pub next_page_token: String,
}

/// A page of commits.
#[derive(Debug)]
pub struct CommitsPage {
    /// The page.
    pub records: Vec<Record>,
    /// Where to go on. Empty: nowhere.
    pub next_page_token: String,
    /// The head when the listing began.
    pub revision: Revision,
}

impl Registry {
    /// A page of the revisions of a resource, newest first.
    pub fn revisions(&self, name: &str, size: i32, token: &str) -> Result<RevisionsPage, Error> {
        let reader = &self.0.reader;
        let name = Name::parse(&reader.schemas, name).map_err(|rule| Error::invalid("name", rule))?;
        let size = page_size(size)?;
        let arguments: [&[u8]; 2] = [b"revisions", name.as_str().as_bytes()];
        let before = match token {
            "" => None,
            token => Some(self.0.tokens.open(token, &arguments)?.revision),
        };
        let mut revisions = reader.versions(&name, before, size + 1)?;
        let mut more = revisions.len() > size;
        revisions.truncate(size);
        let mut versions: Vec<Version> = Vec::with_capacity(revisions.len());
        let mut bytes = 0;
        for revision in revisions {
            let version = self.version(name.clone(), revision)?;
            bytes += version.before.len() + version.after.len();
            if bytes > document::ANSWER_BYTES_MAX && !versions.is_empty() {
                more = true;
                break;
            }
            versions.push(version);
        }
        let next_page_token = match versions.last() {
            Some(last) if more => {
                let position = Position { revision: last.record.revision, ..Position::default() };
                self.0.tokens.seal(&position, &arguments)?
            }
            _ => String::new(),
        };
        Ok(RevisionsPage { versions, next_page_token })
    }

    /// One revision of a resource: `{resource}/revisions/{revision}`.
    pub fn revision(&self, name: &str) -> Result<Version, Error> {
        let rule = || Error::invalid("name", "must be {collection}/{id}/revisions/{revision}");
        let (resource, revision) = name.split_once("/revisions/").ok_or_else(rule)?;
        let revision: Revision = revision.parse().map_err(|_| rule())?;
        let resource = Name::parse(&self.0.reader.schemas, resource).map_err(|rule| Error::invalid("name", rule))?;
        if self.0.reader.get(&resource, self.head())?.is_none() {
            return Err(Error::NotFound(resource.to_string()));
        }
        if revision == 0 || revision > self.head() {
            return Err(Error::NoSuchRevision { name: resource.to_string(), revision });
        }
        self.version(resource, revision)
    }

    fn version(&self, name: Name, revision: Revision) -> Result<Version, Error> {
        let reader = &self.0.reader;
        let mut record = reader.record(revision)?;
        let position = record.changes.iter().position(|change| &*change.name == name.as_str());
        let Some(position) = position else {
            return Err(Error::NoSuchRevision { name: name.to_string(), revision });
        };
        let change = record.changes.swap_remove(position);
        let before = self.before(&change.name, change.previous_revision)?;
        let kind = name.kind();
        let body = |envelope: &Bytes| match envelope.is_empty() {
            true => Ok(Vec::new()),
            false => {
                reader.open(envelope, revision).map(|(_, document)| document::body(&reader.schemas, kind, &document))
            }
        };
        let changed = mask::difference(&reader.schemas, kind, &body(&before)?, &body(&change.document)?);
        Ok(Version { name, record, action: change.action, before, after: change.document, changed })
    }

    /// The envelope that a resource had in an earlier revision of its own. Empty for revision 0.
    pub fn before(&self, name: &str, previous_revision: Revision) -> Result<Bytes, Error> {
        if previous_revision == 0 {
            return Ok(Bytes::new());
        }
        let reader = &self.0.reader;
        let name = reader.name(name)?;
        let document = reader.version(&name, previous_revision)?;
        Ok(document::envelope(reader.schemas.kind(name.kind()), &document).into())
    }

    /// A page of commits after `after`, oldest or newest first.
    pub fn commits(&self, after: Revision, size: i32, token: &str, order_by: &str) -> Result<CommitsPage, Error> {
        let size = page_size(size)?;
        let descending = match order_by.split_whitespace().collect::<Vec<_>>().as_slice() {
            [] | ["revision"] | ["revision", "asc"] => false,
            ["revision", "desc"] => true,
            _ => return Err(Error::invalid("order_by", "is revision or 'revision desc'")),
        };
        let arguments: [&[u8]; 3] = [b"commits", &after.to_be_bytes(), order_by.as_bytes()];
        let position = match token {
            "" => None,
            token => Some(self.0.tokens.open(token, &arguments)?),
        };
        let head = position.as_ref().map_or_else(|| self.head(), |position| position.revision);
        if after > head {
            return Err(Error::RevisionInFuture { asked: after, head });
        }
        // `total` is the revision that was answered last: a position needs no more.
        let (low, high) = match (position, descending) {
            (None, _) => (after + 1, head),
            (Some(position), false) => (position.total + 1, head),
            (Some(position), true) => (after + 1, position.total - 1),
        };
        let mut left: Box<dyn Iterator<Item = Revision>> =
            if descending { Box::new((low..=high).rev()) } else { Box::new(low..=high) };
        let mut entries: Vec<Record> = Vec::new();
        let mut bytes = 0;
        while entries.len() < size && bytes < PAGE_BYTES_MAX {
            let Some(revision) = left.next() else { break };
            let entry = self.0.reader.record(revision)?;
            bytes += entry.changes.iter().map(|change| change.document.len()).sum::<usize>();
            entries.push(entry);
        }
        let next_page_token = match (entries.last(), left.next()) {
            (Some(last), Some(_)) => {
                let position = Position { revision: head, total: last.revision, ..Position::default() };
                self.0.tokens.seal(&position, &arguments)?
            }
            _ => String::new(),
        };
        Ok(CommitsPage { records: entries, next_page_token, revision: head })
    }
}
