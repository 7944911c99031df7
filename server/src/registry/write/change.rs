//! What a mutation says of its resource, kept until the state is known that it is compared with.

use partnership_registry::v1::Finding;

use crate::registry::resource::check::Checked;
use crate::registry::resource::output_only::Unchangeable;
use crate::registry::resource::update_mask::UpdateMask;
use crate::registry::schema::{KindId, Schemas};

/// A resource as it was sent.
#[derive(Debug)]
pub(crate) struct Said {
    /// Without its name and without what the server writes.
    pub(crate) body: Vec<u8>,
    /// The whole, if some of it is what only the server writes. `None`: the body is all there is.
    pub(crate) all: Option<Vec<u8>>,
}

/// What an update means of a resource that was sent.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) said: Said,
    pub(crate) mask: UpdateMask,
    /// If the mask is of all fields: what came of the check, which has been made then.
    pub(crate) whole: Option<Checked>,
}

impl Said {
    /// What is said for fields that only the server writes, by a request that creates the resource.
    pub(crate) fn ignored(&self, schemas: &Schemas, kind: KindId) -> Vec<Finding> {
        match &self.all {
            Some(all) => Unchangeable::of(schemas, kind, None, all, None).ignored,
            None => Vec::new(),
        }
    }
}

impl Change {
    /// What is said for fields that an update cannot change, beside the document that it changes. `None`: it creates one.
    pub(crate) fn unchangeable(&self, schemas: &Schemas, kind: KindId, document: Option<&[u8]>) -> Unchangeable {
        let sent = self.said.all.as_deref().unwrap_or(&self.said.body);
        Unchangeable::of(schemas, kind, self.mask.named(), sent, document)
    }
}
