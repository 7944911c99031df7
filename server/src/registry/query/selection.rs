//! A selection across kinds: some collections, and for one of them a filter. Watches and exports select by it.

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::registry::Registry;
use crate::registry::error::Error;
use crate::registry::index::Order;
use crate::registry::query::filter::Filter;
use crate::registry::query::listing::Listing;
use crate::registry::query::page::PAGE_SIZE_MAX;
use crate::registry::read::reader::Point;
use crate::registry::resource::document;
use crate::registry::schema::KindId;
use crate::store::Revision;
use crate::violations::Violations;

/// Which resources are meant.
#[derive(Debug, Clone)]
pub struct Selection {
    /// In the order of the envelope.
    kinds: Vec<KindId>,
    filter: Filter,
}

impl Registry {
    /// Reads a selection. No collections: all of them. A filter needs exactly one.
    pub fn select(&self, collections: &[String], filter: &str) -> Result<Selection, Error> {
        let schemas = &self.0.reader.schemas;
        let mut violations = Violations::new();
        let mut kinds = Vec::new();
        for (index, collection) in collections.iter().enumerate() {
            match schemas.by_collection(collection) {
                Some(kind) => kinds.push(kind),
                None => violations.add(
                    format!("collections[{index}]"),
                    format!(
                        "{:?} is none of {}",
                        crate::registry::resource::name::short(collection),
                        schemas.collections()
                    ),
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
        Ok(Selection { kinds, filter: parsed })
    }

    /// Whether a stored envelope holds a live resource that is selected.
    #[must_use]
    pub fn selects(&self, selection: &Selection, envelope: &[u8]) -> bool {
        document::open_envelope(&self.0.reader.schemas, envelope).is_some_and(|(kind, document)| {
            selection.kinds.contains(&kind) && !document::is_deleted(document) && selection.filter.selects(document)
        })
    }

    /// The revision that a point means now.
    pub fn resolve(&self, point: Point) -> Result<Revision, Error> {
        self.0.reader.resolve(point)
    }

    /// Hands the envelopes of all that is selected, as of `at`, to `each`, kind by kind and by name, until it says that
    /// it has enough. Blocks.
    pub fn walk(
        &self,
        selection: &Selection,
        at: Revision,
        show_deleted: bool,
        each: &mut dyn FnMut(Bytes) -> bool,
    ) -> Result<(), Error> {
        for kind in &selection.kinds {
            let listing = Listing {
                reader: &self.0.reader,
                kind: *kind,
                at,
                filter: selection.filter.clone(),
                show_deleted,
                order: Order::Name,
                descending: false,
                cancelled: &CancellationToken::new(),
            };
            let schema = self.0.reader.schemas.kind(*kind);
            let mut go_on = true;
            listing.walk(None, PAGE_SIZE_MAX, &mut |item| {
                go_on = each(document::envelope(schema, &item.document).into());
                go_on
            })?;
            if !go_on {
                break;
            }
        }
        Ok(())
    }
}
