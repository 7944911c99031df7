//! The mask of a reading: which fields of a document are answered (AIP-157).

use bytes::Bytes;

use crate::registry::error::Error;
use crate::registry::resource::mask::{Mask, Purpose};
use crate::registry::schema::{KindId, Schemas};
use crate::violations::Violations;

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

    /// What is answered of a document.
    pub(crate) fn apply(&self, schemas: &Schemas, document: Bytes) -> Bytes {
        match &self.0 {
            None => document,
            Some((kind, mask)) => mask.select(schemas, *kind, &document).into(),
        }
    }
}
