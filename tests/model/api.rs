//! The standard methods by the name of a resource, whatever its kind.

use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::{self, Resource, resource};
use partnership_registry::{
    BatchGet, BatchRead, Create, Delete, Get, List, Listed, Method, Rollback, Standard, Undelete, Update, for_each_kind,
};
use prost_types::FieldMask;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::crash::events::without_computed;

/// One connection to a registry.
#[derive(Clone)]
pub(crate) struct Api {
    channel: Channel,
}

/// A listing, or the next page of one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub(crate) collection: &'static str,
    pub(crate) page_size: i32,
    pub(crate) page_token: String,
    pub(crate) filter: String,
    pub(crate) order_by: String,
    pub(crate) show_deleted: bool,
    pub(crate) read_revision: u64,
}

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) resources: Vec<Resource>,
    pub(crate) next_page_token: String,
    pub(crate) revision: u64,
    pub(crate) total_size: i32,
}

fn collection(name: &str) -> &str {
    name.split('/').next().unwrap()
}

impl Api {
    pub(crate) fn new(channel: Channel) -> Api {
        Api { channel }
    }

    async fn call<M: Method>(&self, request: impl Into<M>) -> Result<M::Response, Status> {
        let request = Request::new(request.into());
        Ok(partnership_registry::call(self.channel.clone(), request, 64 << 20).await?.into_inner())
    }

    async fn list_of<K: Standard>(&self, request: List) -> Result<Page, Status> {
        let listed: Listed<K> = self.call::<K::List>(request).await?.into();
        Ok(Page {
            resources: listed.resources.into_iter().map(|one| plain(one.into())).collect(),
            next_page_token: listed.next_page_token,
            revision: listed.revision,
            total_size: listed.total_size,
        })
    }

    async fn batch_get_of<K: Standard>(&self, request: BatchGet) -> Result<(Vec<Resource>, u64), Status> {
        let read: BatchRead<K> = self.call::<K::BatchGet>(request).await?.into();
        Ok((read.resources.into_iter().map(|one| plain(one.into())).collect(), read.revision))
    }

    pub(crate) fn registry(&self) -> RegistryServiceClient<Channel> {
        RegistryServiceClient::new(self.channel.clone()).max_decoding_message_size(64 << 20)
    }
}

macro_rules! methods {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        impl Api {
            pub(crate) async fn get(&self, name: &str, read_revision: u64, if_none_match: &str) -> Result<Resource, Status> {
                let (name, if_none_match) = (name.to_owned(), if_none_match.to_owned());
                let request = Get { name, read_revision, if_none_match, ..Get::default() };
                match collection(&request.name) {
                    $($collection => Ok(plain(self.call::<<v1::$Kind as Standard>::Get>(request).await?.into())),)*
                    other => panic!("no kind of {other}"),
                }
            }

            pub(crate) async fn batch_get(&self, names: Vec<String>, read_revision: u64) -> Result<(Vec<Resource>, u64), Status> {
                let request = BatchGet { names, read_revision, ..BatchGet::default() };
                match collection(&request.names[0]) {
                    $($collection => self.batch_get_of::<v1::$Kind>(request).await,)*
                    other => panic!("no kind of {other}"),
                }
            }

            pub(crate) async fn list(&self, listing: Listing) -> Result<Page, Status> {
                let Listing { collection, page_size, page_token, filter, order_by, show_deleted, read_revision } = listing;
                let request =
                    List { page_size, page_token, filter, order_by, show_deleted, read_revision, ..List::default() };
                match collection {
                    $($collection => self.list_of::<v1::$Kind>(request).await,)*
                    other => panic!("no kind of {other}"),
                }
            }

            /// `resource` has the name that it is to get.
            pub(crate) async fn create(&self, resource: Resource, request_id: String, validate_only: bool) -> Result<Resource, Status> {
                let (_, id) = resource.name().split_once('/').unwrap();
                let id = id.to_owned();
                match resource.kind.unwrap() {
                    $(resource::Kind::$Kind(kind) => {
                        let request = Create { id, resource: Some(kind), request_id, validate_only };
                        Ok(plain(self.call::<<v1::$Kind as Standard>::Create>(request).await?.into()))
                    })*
                }
            }

            pub(crate) async fn update(
                &self,
                resource: Resource,
                mask: Vec<String>,
                allow_missing: bool,
                request_id: String,
                validate_only: bool,
            ) -> Result<Resource, Status> {
                let update_mask = Some(FieldMask { paths: mask });
                match resource.kind.unwrap() {
                    $(resource::Kind::$Kind(kind) => {
                        let request =
                            Update { resource: Some(kind), update_mask, allow_missing, request_id, validate_only };
                        Ok(plain(self.call::<<v1::$Kind as Standard>::Update>(request).await?.into()))
                    })*
                }
            }

            pub(crate) async fn delete(
                &self,
                name: String,
                etag: String,
                allow_missing: bool,
                request_id: String,
                validate_only: bool,
            ) -> Result<Resource, Status> {
                let request = Delete { name, etag, allow_missing, request_id, validate_only };
                match collection(&request.name) {
                    $($collection => Ok(plain(self.call::<<v1::$Kind as Standard>::Delete>(request).await?.into())),)*
                    other => panic!("no kind of {other}"),
                }
            }

            /// `name` is that of a revision.
            pub(crate) async fn rollback(
                &self,
                name: String,
                etag: String,
                request_id: String,
                validate_only: bool,
            ) -> Result<Resource, Status> {
                let request = Rollback { name, etag, request_id, validate_only };
                match collection(&request.name) {
                    $($collection => Ok(plain(self.call::<<v1::$Kind as Standard>::Rollback>(request).await?.into())),)*
                    other => panic!("no kind of {other}"),
                }
            }

            pub(crate) async fn undelete(
                &self,
                name: String,
                etag: String,
                request_id: String,
                validate_only: bool,
            ) -> Result<Resource, Status> {
                let request = Undelete { name, etag, request_id, validate_only };
                match collection(&request.name) {
                    $($collection => Ok(plain(self.call::<<v1::$Kind as Standard>::Undelete>(request).await?.into())),)*
                    other => panic!("no kind of {other}"),
                }
            }
        }
    };
}

for_each_kind!(methods);

impl Api {
    pub(crate) async fn record(&self, request: v1::RecordAgreementEventsRequest) -> Result<Resource, Status> {
        Ok(plain(self.call::<v1::RecordAgreementEventsRequest>(request).await?.into()))
    }

    pub(crate) async fn void(&self, request: v1::VoidAgreementEventRequest) -> Result<Resource, Status> {
        Ok(plain(self.call::<v1::VoidAgreementEventRequest>(request).await?.into()))
    }
}

/// Without what follows from the events: of that others know.
fn plain(resource: Resource) -> Resource {
    without_computed(resource)
}
