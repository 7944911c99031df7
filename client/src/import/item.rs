//! [`Item`]: a row that can be sent, and [`Deletion`]: what is left of a row whose resource is to be deleted.

use partnership_registry::v1::{DeleteMutation, Finding, Mutation, Resource, mutation::Operation, resource::Kind};
use prost::Message as _;

use super::existing::Meant;
use super::options::RowOptions;
use super::row::{Content, Malformed, Origin, RefusedRow, Row};

/// An upper bound for the bytes of a mutation besides its resource and its mask.
const OVERHEAD: usize = 32;

/// A row that can be sent: its resource has a name, so that a second import finds it again, and no etag unless that is heeded:
/// it would be of another registry or of another time.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) origin: Origin,
    /// How many rows were read with this one.
    pub(super) position: u64,
    pub(super) resource: Resource,
    /// The row says that its resource is deleted.
    pub(super) deleted: bool,
    meant: Meant,
}

impl Item {
    /// Checks a row.
    pub(super) fn new(row: Row, position: u64, options: RowOptions) -> Result<Self, Box<RefusedRow>> {
        let Row { origin, resource } = row;
        let refused = |origin, reason, content| {
            Err(Box::new(RefusedRow { origin, name: String::new(), reasons: vec![reason], content }))
        };
        let mut resource = match resource {
            Ok(resource) => resource,
            Err(Malformed { reason, text }) => return refused(origin, reason, Content::Text(text)),
        };
        if resource.name().is_empty() {
            let reason = "name: is required; a second import finds the resource by it".to_owned();
            return refused(origin, reason, Content::Resource(Box::new(resource)));
        }
        let deleted = take_deletion(&mut resource, options.etags);
        match options.existing.meant(&resource, options.void_gone) {
            Ok(meant) => Ok(Self { origin, position, resource, deleted, meant }),
            Err(error) => refused(origin, error.message().to_owned(), Content::Resource(Box::new(resource))),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.resource.name()
    }

    /// The change that the row makes.
    pub(super) fn mutation(&self) -> Mutation {
        self.meant.mutation(self.resource.clone())
    }

    /// The deletion of its resource.
    pub(super) fn deletion(&self) -> Mutation {
        deletion(self.name(), etag(&self.resource))
    }

    /// The same change with everything named that the row has, if the change leaves something of it out.
    pub(super) fn whole_mutation(&self) -> Option<Mutation> {
        self.meant.leaves_out().then(|| self.meant.whole().mutation(self.resource.clone()))
    }

    /// The bytes of the change, at most.
    pub(super) fn size(&self) -> usize {
        self.resource.encoded_len() + self.meant.size() + OVERHEAD
    }

    pub(super) fn refused(self, reasons: Vec<String>) -> RefusedRow {
        let Self { origin, mut resource, deleted, .. } = self;
        if deleted {
            put_deletion(&mut resource);
        }
        let name = resource.name().to_owned();
        RefusedRow { origin, name, reasons, content: Content::Resource(Box::new(resource)) }
    }
}

/// What is to be deleted once all rows are written.
#[derive(Debug, Clone)]
pub(super) struct Deletion {
    pub(super) origin: Origin,
    pub(super) position: u64,
    pub(super) name: String,
    etag: String,
    /// What was found when it was created.
    pub(super) findings: Vec<Finding>,
    /// It is there: this import need not create it first.
    pub(super) exists: bool,
}

impl Deletion {
    pub(super) fn of(item: Item, findings: Vec<Finding>, exists: bool) -> Self {
        // What was created here has an etag of its own.
        let etag = if exists { etag(&item.resource).to_owned() } else { String::new() };
        let Item { origin, position, resource, .. } = item;
        Self { origin, position, name: resource.name().to_owned(), etag, findings, exists }
    }

    pub(super) fn mutation(&self) -> Mutation {
        deletion(&self.name, &self.etag)
    }

    pub(super) fn refused(self, reason: String) -> RefusedRow {
        let Self { origin, name, .. } = self;
        RefusedRow { origin, name, reasons: vec![reason], content: Content::NotKept }
    }
}

/// The deletion of a resource that may be deleted already, or not exist.
fn deletion(name: &str, etag: &str) -> Mutation {
    let delete = DeleteMutation { name: name.to_owned(), etag: etag.to_owned(), allow_missing: true };
    Mutation { operation: Some(Operation::Delete(delete)) }
}

/// A row among all that were read.
pub(super) type Place = (u64, Origin);

/// The first of some rows.
pub(super) fn first(items: &[Item]) -> Option<Place> {
    items.iter().map(|item| (item.position, item.origin.clone())).min_by_key(|(position, _)| *position)
}

macro_rules! table {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        /// Takes the time of its deletion from a resource, and the etag unless that is heeded; whether it had the former.
        fn take_deletion(resource: &mut Resource, etags: bool) -> bool {
            match &mut resource.kind {
                $(Some(Kind::$Kind(kind)) => {
                    if !etags {
                        kind.etag.clear();
                    }
                    kind.delete_time.take().is_some()
                })*
                None => false,
            }
        }

        fn etag(resource: &Resource) -> &str {
            match &resource.kind {
                $(Some(Kind::$Kind(kind)) => &kind.etag,)*
                None => "",
            }
        }

        /// Gives a resource a time of deletion, which says no more than that it is deleted.
        fn put_deletion(resource: &mut Resource) {
            match &mut resource.kind {
                $(Some(Kind::$Kind(kind)) => kind.delete_time = Some(prost_types::Timestamp::default()),)*
                None => {}
            }
        }
    };
}

partnership_registry::for_each_kind!(table);
