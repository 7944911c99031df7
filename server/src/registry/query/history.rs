//! History in pages: the revisions of one resource, and the commits of all.

use crate::registry::error::Error;
use crate::registry::query::page::{HasRoom, PAGE_BYTES_MAX, page_size};
use crate::registry::query::page_token::{PageTokens, Position};
use crate::registry::read::history::Version;
use crate::registry::read::reader::Reader;
use crate::registry::resource::ANSWER_BYTES_MAX;
use crate::registry::resource::name::Name;
use crate::store::{Record, Revision};

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

/// A page of the revisions of a resource, newest first.
pub(crate) fn revisions(
    reader: &Reader,
    tokens: &PageTokens,
    parent: &str,
    size: i32,
    token: &str,
    has_room: HasRoom<'_>,
) -> Result<RevisionsPage, Error> {
    let name = Name::parse(&reader.schemas, parent).map_err(|rule| Error::invalid("parent", rule))?;
    let size = page_size(size)?;
    let arguments: [&[u8]; 2] = [b"revisions", name.as_str().as_bytes()];
    let before = match token {
        "" => None,
        token => Some(tokens.open(token, &arguments)?.revision),
    };
    let mut revisions = reader.versions(&name, before, size + 1)?;
    let mut more = revisions.len() > size;
    revisions.truncate(size);
    let mut versions: Vec<Version> = Vec::with_capacity(revisions.len());
    let mut bytes = 0;
    for revision in revisions {
        let version = reader.change(name.clone(), revision)?;
        let version_bytes = version.before.len() + version.after.len();
        bytes += version_bytes;
        let has_room = has_room(version_bytes);
        if !versions.is_empty() && (bytes > ANSWER_BYTES_MAX || !has_room) {
            more = true;
            break;
        } else if !has_room {
            return Err(Error::Busy);
        }
        versions.push(version);
    }
    let next_page_token = match versions.last() {
        Some(last) if more => {
            let position = Position { revision: last.record.revision, ..Position::default() };
            tokens.seal(&position, &arguments)?
        }
        _ => String::new(),
    };
    Ok(RevisionsPage { versions, next_page_token })
}

/// One revision of a resource: `{resource}/revisions/{revision}`.
pub(crate) fn revision(reader: &Reader, name: &str) -> Result<Version, Error> {
    let parsed = Name::parse_revision(&reader.schemas, None, name);
    let (resource, revision) = parsed.map_err(|rule| Error::invalid("name", rule))?;
    if reader.get(&resource, reader.head())?.is_none() {
        return Err(Error::NotFound(resource.to_string()));
    }
    if revision == 0 || revision > reader.head() {
        return Err(Error::NoSuchRevision { name: resource.to_string(), revision });
    }
    reader.change(resource, revision)
}

/// A page of commits after `after`, oldest or newest first.
pub(crate) fn commits(
    reader: &Reader,
    tokens: &PageTokens,
    after: Revision,
    size: i32,
    token: &str,
    order_by: &str,
    has_room: HasRoom<'_>,
) -> Result<CommitsPage, Error> {
    let size = page_size(size)?;
    let descending = match order_by.split_whitespace().collect::<Vec<_>>().as_slice() {
        [] | ["revision"] | ["revision", "asc"] => false,
        ["revision", "desc"] => true,
        _ => return Err(Error::invalid("order_by", "must be 'revision' or 'revision desc'")),
    };
    let arguments: [&[u8]; 3] = [b"commits", &after.to_be_bytes(), order_by.as_bytes()];
    let position = match token {
        "" => None,
        token => Some(tokens.open(token, &arguments)?),
    };
    let head = position.as_ref().map_or_else(|| reader.head(), |position| position.revision);
    if after > head {
        return Err(Error::RevisionInFuture { asked: after, head });
    }
    // `total` is the revision that was answered last: a position needs no more.
    let (low, high) = match (position, descending) {
        (None, _) => (after + 1, head),
        (Some(position), false) => (position.total + 1, head),
        (Some(position), true) => (after + 1, position.total - 1),
    };
    let left: Box<dyn Iterator<Item = Revision>> =
        if descending { Box::new((low..=high).rev()) } else { Box::new(low..=high) };
    let mut left = left.peekable();
    let mut entries: Vec<Record> = Vec::new();
    let mut bytes = 0;
    while entries.len() < size && bytes < PAGE_BYTES_MAX {
        let Some(&revision) = left.peek() else { break };
        if !has_room(reader.record_bytes(revision)?) {
            if entries.is_empty() {
                return Err(Error::Busy);
            }
            break;
        }
        left.next();
        let mut entry = reader.record(revision)?;
        for change in &mut entry.changes {
            change.document = reader.answered(std::mem::take(&mut change.document), revision);
        }
        bytes += entry.changes.iter().map(|change| change.document.len()).sum::<usize>();
        entries.push(entry);
    }
    let next_page_token = match (entries.last(), left.next()) {
        (Some(last), Some(_)) => {
            let position = Position { revision: head, total: last.revision, ..Position::default() };
            tokens.seal(&position, &arguments)?
        }
        _ => String::new(),
    };
    Ok(CommitsPage { records: entries, next_page_token, revision: head })
}
