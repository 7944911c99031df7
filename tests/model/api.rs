//! The standard methods by the name of a resource, whatever its kind.

use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::{self, Resource, resource};
use partnership_registry::{Kind, for_each_service};
use prost_types::FieldMask;
use tonic::Status;
use tonic::transport::Channel;

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

    pub(crate) fn registry(&self) -> RegistryServiceClient<Channel> {
        RegistryServiceClient::new(self.channel.clone()).max_decoding_message_size(64 << 20)
    }
}

macro_rules! methods {
    ($({
        $Kind:ident $singular:ident $id:ident $plural:ident
        service $Service:ident $service_server:ident $Server:ident
        client $service_client:ident $Client:ident
        get $get:ident $GetRequest:ident
        list $list:ident $ListRequest:ident $ListResponse:ident
        create $create:ident $CreateRequest:ident
        update $update:ident $UpdateRequest:ident
        delete $delete:ident $DeleteRequest:ident
        undelete $undelete:ident $UndeleteRequest:ident
        batch_get $batch_get:ident $BatchGetRequest:ident $BatchGetResponse:ident
    })*) => {
        impl Api {
            pub(crate) async fn get(&self, name: &str, read_revision: u64, if_none_match: &str) -> Result<Resource, Status> {
                let (name, if_none_match) = (name.to_owned(), if_none_match.to_owned());
                match collection(&name) {
                    $(<v1::$Kind as Kind>::COLLECTION => {
                        let mut client = v1::$service_client::$Client::new(self.channel.clone());
                        let request = v1::$GetRequest { name, read_revision, if_none_match, ..Default::default() };
                        client.$get(request).await.map(|found| found.into_inner().into())
                    })*
                    other => panic!("no kind of {other}"),
                }
            }

            pub(crate) async fn batch_get(&self, names: Vec<String>, read_revision: u64) -> Result<(Vec<Resource>, u64), Status> {
                match collection(&names[0]) {
                    $(<v1::$Kind as Kind>::COLLECTION => {
                        let mut client = v1::$service_client::$Client::new(self.channel.clone());
                        let request = v1::$BatchGetRequest { names, read_revision, ..Default::default() };
                        let found = client.$batch_get(request).await?.into_inner();
                        Ok((found.$plural.into_iter().map(Resource::from).collect(), found.revision))
                    })*
                    other => panic!("no kind of {other}"),
                }
            }

            pub(crate) async fn list(&self, listing: Listing) -> Result<Page, Status> {
                let Listing { collection, page_size, page_token, filter, order_by, show_deleted, read_revision } = listing;
                match collection {
                    $(<v1::$Kind as Kind>::COLLECTION => {
                        let mut client = v1::$service_client::$Client::new(self.channel.clone());
                        let request = v1::$ListRequest {
                            page_size, page_token, filter, order_by, show_deleted, read_revision, read_time: None,
                        };
                        let page = client.$list(request).await?.into_inner();
                        Ok(Page {
                            resources: page.$plural.into_iter().map(Resource::from).collect(),
                            next_page_token: page.next_page_token,
                            revision: page.revision,
                            total_size: page.total_size,
                        })
                    })*
                    other => panic!("no kind of {other}"),
                }
            }

            /// `resource` has the name that it is to get.
            pub(crate) async fn create(&self, resource: Resource, request_id: String, validate_only: bool) -> Result<Resource, Status> {
                let (_, id) = resource.name().split_once('/').unwrap();
                let id = id.to_owned();
                match resource.kind.unwrap() {
                    $(resource::Kind::$Kind(kind) => {
                        let mut client = v1::$service_client::$Client::new(self.channel.clone());
                        let request = v1::$CreateRequest { $id: id, $singular: Some(kind), request_id, validate_only };
                        client.$create(request).await.map(|made| made.into_inner().into())
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
                        let mut client = v1::$service_client::$Client::new(self.channel.clone());
                        let request =
                            v1::$UpdateRequest { $singular: Some(kind), update_mask, allow_missing, request_id, validate_only };
                        client.$update(request).await.map(|made| made.into_inner().into())
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
                match collection(&name) {
                    $(<v1::$Kind as Kind>::COLLECTION => {
                        let mut client = v1::$service_client::$Client::new(self.channel.clone());
                        let request = v1::$DeleteRequest { name, etag, allow_missing, request_id, validate_only };
                        client.$delete(request).await.map(|made| made.into_inner().into())
                    })*
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
                match collection(&name) {
                    $(<v1::$Kind as Kind>::COLLECTION => {
                        let mut client = v1::$service_client::$Client::new(self.channel.clone());
                        let request = v1::$UndeleteRequest { name, etag, request_id, validate_only };
                        client.$undelete(request).await.map(|made| made.into_inner().into())
                    })*
                    other => panic!("no kind of {other}"),
                }
            }
        }
    };
}

for_each_service!(methods);
