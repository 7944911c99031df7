//! The mask of a reading: which fields of a document are answered (AIP-157).

use bytes::Bytes;

use crate::kinds::timeline::Asked;
use crate::registry::error::Error;
use crate::registry::resource::mask::{Mask, Part, Purpose};
use crate::registry::resource::standing;
use crate::registry::schema::{KindId, Schemas};
use crate::time::Day;
use crate::violations::Violations;

/// The days that a reading is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    /// The settled day of the revision that is read.
    pub(crate) settled: Day,
    /// The day that was asked for, or else the settled one.
    pub(crate) valid: Day,
}

/// Which fields of documents of a kind are answered. `None` is all: then nothing is copied.
pub(crate) struct ReadMask(Option<(KindId, Mask)>);

impl ReadMask {
    /// Reads the paths of a mask. No paths, or `*`: all fields. Fails with `Invalid` on a path that leads nowhere.
    pub(crate) fn parse(schemas: &Schemas, kind: KindId, paths: &[String]) -> Result<Self, Error> {
        let mut violations = Violations::new();
        let mask = Mask::parse(schemas, kind, Purpose::Read, paths, &mut violations);
        if violations.is_empty() { Ok(Self(mask.map(|mask| (kind, mask)))) } else { Err(Error::Invalid(violations)) }
    }

    /// Whether all fields are answered.
    pub(crate) fn is_of_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether anything is answered of one of these fields.
    pub(crate) fn has_any(&self, fields: &[u32]) -> bool {
        self.0.as_ref().is_none_or(|(_, mask)| fields.iter().any(|number| mask.part(*number).is_some()))
    }

    /// Whether the mask itself names a field in a single message, or that message; not if it is of all fields.
    pub(crate) fn names(&self, [outer, inner]: [u32; 2]) -> bool {
        match self.0.as_ref().and_then(|(_, mask)| mask.part(outer)) {
            Some(Part::All) => true,
            Some(Part::Message(mask)) => mask.part(inner).is_some(),
            Some(Part::Entries(_)) | None => false,
        }
    }

    /// What is answered of a document that stands so on a day: see [`standing`]. How the parties stand is told by name only
    /// in a list, where there are many resources, and many parties of each.
    pub(crate) fn answer(&self, schemas: &Schemas, kind: KindId, document: Bytes, days: Days, in_list: bool) -> Bytes {
        let Some(dated) = schemas.kind(kind).rules.dated.filter(|dated| self.has_any(dated.computed_fields)) else {
            return self.apply(schemas, document);
        };
        let parties = self.names(dated.parties_field) || (self.is_of_all() && !in_list);
        let asked = Asked { settled: days.settled, valid: days.valid, parties };
        self.apply(schemas, standing::answered(schemas, kind, document, asked))
    }

    /// What is answered of a document.
    pub(crate) fn apply(&self, schemas: &Schemas, document: Bytes) -> Bytes {
        match &self.0 {
            None => document,
            Some((kind, mask)) => mask.select(schemas, *kind, &document).into(),
        }
    }
}
