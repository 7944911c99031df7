//! A selection across kinds: some collections, and for one of them a filter. Watches and exports select by it.

use crate::registry::error::Error;
use crate::registry::query::filter::{Ancestry, Filter};
use crate::registry::resource::name::short;
use crate::registry::resource::{envelope, stamp};
use crate::registry::schema::{KindId, Schemas};
use crate::violations::Violations;

/// Which resources are meant.
#[derive(Debug, Clone)]
pub struct Selection {
    /// In the order of the envelope.
    kinds: Vec<KindId>,
    filter: Filter,
}

impl Selection {
    /// Reads a selection. No collections: all of them. A filter needs exactly one.
    pub(crate) fn parse(schemas: &Schemas, collections: &[String], filter: &str) -> Result<Self, Error> {
        let mut violations = Violations::new();
        let mut kinds = Vec::new();
        for (index, collection) in collections.iter().enumerate() {
            match schemas.by_collection(collection) {
                Some(kind) => kinds.push(kind),
                None => violations.add(
                    format!("collections[{index}]"),
                    format!("must be one of {}, and {:?} is not", schemas.collections(), short(collection)),
                ),
            }
        }
        let mut parsed = Filter::default();
        if !filter.is_empty() {
            match kinds.as_slice() {
                [kind] => match Filter::parse(schemas, *kind, filter) {
                    Ok(filter) => parsed = filter,
                    Err(rule) => violations.add("filter", rule),
                },
                _ => violations.add("filter", "needs exactly one collection, whose fields it tests"),
            }
        }
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        if kinds.is_empty() {
            kinds = schemas.kind_ids().collect();
        }
        kinds.sort_unstable();
        kinds.dedup();
        Ok(Self { kinds, filter: parsed })
    }

    /// The kinds, in the order of the envelope.
    pub(crate) fn kinds(&self) -> &[KindId] {
        &self.kinds
    }

    /// Which resources of the one kind, if it is not all.
    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether a stored envelope holds a resource of a kind that is selected.
    pub(crate) fn has_kind(&self, schemas: &Schemas, envelope: &[u8]) -> bool {
        envelope::open_envelope(schemas, envelope).is_some_and(|(kind, _)| self.kinds.contains(&kind))
    }

    /// Whether a stored envelope holds a live resource that is selected.
    pub(crate) fn selects(&self, schemas: &Schemas, envelope: &[u8], ancestry: &dyn Ancestry) -> bool {
        envelope::open_envelope(schemas, envelope).is_some_and(|(kind, document)| {
            self.kinds.contains(&kind)
                && !stamp::is_deleted(document)
                && self.filter.selects(schemas, document, ancestry)
        })
    }
}
