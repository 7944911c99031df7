//! What one commit did to one resource, and how the resource was before.

use bytes::Bytes;

use crate::registry::error::Error;
use crate::registry::read::reader::{Reader, change_of};
use crate::registry::resource::name::Name;
use crate::registry::resource::{body, difference, envelope, standing};
use crate::store::{Action, Record, Revision};

/// One revision of a resource.
#[derive(Debug)]
pub struct Version {
    /// The resource.
    pub name: Name,
    /// The commit that made it, without the documents of its changes.
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

impl Reader {
    /// What the commit of `revision` did to `name`.
    pub(crate) fn change(&self, name: Name, revision: Revision) -> Result<Version, Error> {
        // A commit can have a hundred times the documents that are asked for.
        let record = self.head_of(revision)?;
        let change = change_of(&record, name.as_str()).cloned();
        let Some(change) = change else {
            return Err(Error::NoSuchRevision { name: name.to_string(), revision });
        };
        let after = self.reads.outcome(revision, self.journal.document(revision, change.place))?;
        let before = self.before(&change.name, change.previous_revision)?;
        let kind = name.kind();
        let body = |envelope: &Bytes| match envelope.is_empty() {
            true => Ok(Vec::new()),
            false => self.open(envelope, revision).map(|(_, document)| body::body(&self.schemas, kind, &document)),
        };
        let changed = difference::difference(&self.schemas, kind, &body(&before)?, &body(&after)?);
        let (before, after) = (self.answered(before, revision - 1), self.answered(after, revision));
        Ok(Version { name, record, action: change.action, before, after, changed })
    }

    /// A stored envelope as a reading at a revision answers it.
    pub(crate) fn answered(&self, sealed: Bytes, at: Revision) -> Bytes {
        let settled = self.index.read().settled_day_at(at);
        standing::answered_envelope(&self.schemas, sealed, standing::on_settled_day(settled))
    }

    /// The envelope that a resource had in an earlier revision of its own. Empty for revision 0.
    pub(crate) fn before(&self, name: &str, previous_revision: Revision) -> Result<Bytes, Error> {
        if previous_revision == 0 {
            return Ok(Bytes::new());
        }
        let name = self.name(name)?;
        let document = self.version(&name, previous_revision)?;
        Ok(envelope::envelope(self.schemas.kind(name.kind()), &document).into())
    }
}
