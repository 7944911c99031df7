//! What all kinds have in common, as a trait: their names, the fields that every resource has, and the envelope.

use prost_types::Timestamp;

use crate::v1::{self, Resource, resource};

/// A kind of resource: a message of the `Resource` envelope.
pub trait Kind: prost::Message + Default + Clone + PartialEq + Into<Resource> + 'static {
    /// The kind, such as `FocusArea`.
    const KIND: &'static str;
    /// The field of the envelope and of requests, such as `focus_area`.
    const SINGULAR: &'static str;
    /// The first part of names, such as `focusAreas`.
    const COLLECTION: &'static str;
    /// The number of the field in the envelope.
    const TAG: u32;

    /// `{collection}/{id}`.
    fn name(&self) -> &str;
    /// Sets the name.
    fn set_name(&mut self, name: String);
    /// What people call it.
    fn display_name(&self) -> &str;
    /// Changes with every revision.
    fn etag(&self) -> &str;
    /// Sets the etag.
    fn set_etag(&mut self, etag: String);
    /// The revision in which it last changed.
    fn revision(&self) -> u64;
    /// Sets the revision.
    fn set_revision(&mut self, revision: u64);
    /// When it was created.
    fn create_time(&self) -> Option<Timestamp>;
    /// When it last changed.
    fn update_time(&self) -> Option<Timestamp>;
    /// When it was deleted; `None` if it is live.
    fn delete_time(&self) -> Option<Timestamp>;

    /// Takes this kind out of an envelope, or gives the envelope back if it holds another.
    fn from_resource(resource: Resource) -> Result<Self, Resource>;
}

macro_rules! kinds {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        $(
            impl Kind for v1::$Kind {
                const KIND: &'static str = stringify!($Kind);
                const SINGULAR: &'static str = stringify!($singular);
                const COLLECTION: &'static str = $collection;
                const TAG: u32 = $tag;

                fn name(&self) -> &str {
                    &self.name
                }
                fn set_name(&mut self, name: String) {
                    self.name = name;
                }
                fn display_name(&self) -> &str {
                    &self.display_name
                }
                fn etag(&self) -> &str {
                    &self.etag
                }
                fn set_etag(&mut self, etag: String) {
                    self.etag = etag;
                }
                fn revision(&self) -> u64 {
                    self.revision
                }
                fn set_revision(&mut self, revision: u64) {
                    self.revision = revision;
                }
                fn create_time(&self) -> Option<Timestamp> {
                    self.create_time
                }
                fn update_time(&self) -> Option<Timestamp> {
                    self.update_time
                }
                fn delete_time(&self) -> Option<Timestamp> {
                    self.delete_time
                }

                fn from_resource(resource: Resource) -> Result<Self, Resource> {
                    match resource.kind {
                        Some(resource::Kind::$Kind(kind)) => Ok(kind),
                        kind => Err(Resource { kind }),
                    }
                }
            }

            impl From<v1::$Kind> for Resource {
                fn from(kind: v1::$Kind) -> Self {
                    Resource { kind: Some(resource::Kind::$Kind(kind)) }
                }
            }
        )*

        impl Resource {
            /// The name of the resource in the envelope; empty if it is empty.
            pub fn name(&self) -> &str {
                match &self.kind {
                    $(Some(resource::Kind::$Kind(kind)) => &kind.name,)*
                    None => "",
                }
            }

            /// Sets the name of the resource in the envelope. An empty envelope takes none.
            pub fn set_name(&mut self, name: String) {
                match &mut self.kind {
                    $(Some(resource::Kind::$Kind(kind)) => kind.name = name,)*
                    None => {}
                }
            }

            /// What is strange about the resource in the envelope, and was accepted.
            pub fn findings(&self) -> &[v1::Finding] {
                match &self.kind {
                    $(Some(resource::Kind::$Kind(kind)) => &kind.findings,)*
                    None => &[],
                }
            }

            /// The number of the kind's field in the envelope; `None` if it is empty.
            pub fn tag(&self) -> Option<u32> {
                match &self.kind {
                    $(Some(resource::Kind::$Kind(_)) => Some($tag),)*
                    None => None,
                }
            }

            /// The name of the kind's field in the envelope; `None` if it is empty.
            pub fn singular(&self) -> Option<&'static str> {
                match &self.kind {
                    $(Some(resource::Kind::$Kind(_)) => Some(stringify!($singular)),)*
                    None => None,
                }
            }

            /// The collection of the kind in the envelope; `None` if it is empty.
            pub fn collection(&self) -> Option<&'static str> {
                match &self.kind {
                    $(Some(resource::Kind::$Kind(_)) => Some($collection),)*
                    None => None,
                }
            }
        }
    };
}

for_each_kind!(kinds);
