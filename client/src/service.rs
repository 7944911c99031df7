//! [`Service`]: the seven standard methods of a kind, as the generated stubs have them, in one shape for all kinds.
//!
//! The requests here are those of every kind with the kind's name taken off. Nothing is decided here.

use std::future::Future;

use partnership_registry::Kind;
use prost_types::{FieldMask, Timestamp};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::connection::ANSWER_BYTES_MAX;

pub(crate) type Answer<A> = Result<Response<A>, Status>;

#[derive(Debug, Clone, Default)]
pub struct Get {
    pub name: String,
    pub read_revision: u64,
    pub read_time: Option<Timestamp>,
    pub if_none_match: String,
}

#[derive(Debug, Clone, Default)]
pub struct List {
    pub page_size: i32,
    pub page_token: String,
    pub filter: String,
    pub order_by: String,
    pub show_deleted: bool,
    pub read_revision: u64,
    pub read_time: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub struct Listed<K> {
    pub resources: Vec<K>,
    pub next_page_token: String,
    pub revision: u64,
    pub total_size: i32,
}

#[derive(Debug, Clone, Default)]
pub struct Create<K> {
    pub id: String,
    pub resource: K,
    pub request_id: String,
    pub validate_only: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Update<K> {
    pub resource: K,
    pub update_mask: Option<FieldMask>,
    pub allow_missing: bool,
    pub request_id: String,
    pub validate_only: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Delete {
    pub name: String,
    pub etag: String,
    pub allow_missing: bool,
    pub request_id: String,
    pub validate_only: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Undelete {
    pub name: String,
    pub etag: String,
    pub request_id: String,
    pub validate_only: bool,
}

#[derive(Debug, Clone, Default)]
pub struct BatchGet {
    pub names: Vec<String>,
    pub read_revision: u64,
    pub read_time: Option<Timestamp>,
}

/// A kind with its standard methods. Every kind of the registry has them; nobody else can.
pub trait Service: Kind + sealed::Calls {}

/// Holds the methods of [`Service`], out of reach of other crates.
pub(crate) mod sealed {
    use super::*;

    #[allow(unreachable_pub, missing_docs, reason = "public for the bound of a public trait, and not nameable")]
    pub trait Calls: Sized + Send + Sync {
        fn get(channel: Channel, request: Request<Get>) -> impl Future<Output = Answer<Self>> + Send;
        fn list(channel: Channel, request: Request<List>) -> impl Future<Output = Answer<Listed<Self>>> + Send;
        fn create(channel: Channel, request: Request<Create<Self>>) -> impl Future<Output = Answer<Self>> + Send;
        fn update(channel: Channel, request: Request<Update<Self>>) -> impl Future<Output = Answer<Self>> + Send;
        fn delete(channel: Channel, request: Request<Delete>) -> impl Future<Output = Answer<Self>> + Send;
        fn undelete(channel: Channel, request: Request<Undelete>) -> impl Future<Output = Answer<Self>> + Send;
        fn batch_get(channel: Channel, request: Request<BatchGet>) -> impl Future<Output = Answer<Vec<Self>>> + Send;
    }
}

macro_rules! services {
    ($({
        $Kind:ident $singular:ident $singular_id:ident $plural:ident
        service $Service:ident $server:ident $Server:ident
        client $client:ident $Client:ident
        get $get:ident $Get:ident
        list $list:ident $List:ident $Listed:ident
        create $create:ident $Create:ident
        update $update:ident $Update:ident
        delete $delete:ident $Delete:ident
        undelete $undelete:ident $Undelete:ident
        batch_get $batch_get:ident $BatchGet:ident $BatchGot:ident
    })*) => {
        $(
            impl Service for partnership_registry::v1::$Kind {}

            impl sealed::Calls for partnership_registry::v1::$Kind {
                async fn get(channel: Channel, request: Request<Get>) -> Answer<Self> {
                    let request = request.map(|Get { name, read_revision, read_time, if_none_match }| {
                        partnership_registry::v1::$Get { name, read_revision, read_time, if_none_match }
                    });
                    $client(channel).$get(request).await
                }

                async fn list(channel: Channel, request: Request<List>) -> Answer<Listed<Self>> {
                    let request = request.map(|list| partnership_registry::v1::$List {
                        page_size: list.page_size,
                        page_token: list.page_token,
                        filter: list.filter,
                        order_by: list.order_by,
                        show_deleted: list.show_deleted,
                        read_revision: list.read_revision,
                        read_time: list.read_time,
                    });
                    let page = $client(channel).$list(request).await?;
                    Ok(page.map(|page| Listed {
                        resources: page.$plural,
                        next_page_token: page.next_page_token,
                        revision: page.revision,
                        total_size: page.total_size,
                    }))
                }

                async fn create(channel: Channel, request: Request<Create<Self>>) -> Answer<Self> {
                    let request = request.map(|create| partnership_registry::v1::$Create {
                        $singular_id: create.id,
                        $singular: Some(create.resource),
                        request_id: create.request_id,
                        validate_only: create.validate_only,
                    });
                    $client(channel).$create(request).await
                }

                async fn update(channel: Channel, request: Request<Update<Self>>) -> Answer<Self> {
                    let request = request.map(|update| partnership_registry::v1::$Update {
                        $singular: Some(update.resource),
                        update_mask: update.update_mask,
                        allow_missing: update.allow_missing,
                        request_id: update.request_id,
                        validate_only: update.validate_only,
                    });
                    $client(channel).$update(request).await
                }

                async fn delete(channel: Channel, request: Request<Delete>) -> Answer<Self> {
                    let request = request.map(|delete| partnership_registry::v1::$Delete {
                        name: delete.name,
                        etag: delete.etag,
                        allow_missing: delete.allow_missing,
                        request_id: delete.request_id,
                        validate_only: delete.validate_only,
                    });
                    $client(channel).$delete(request).await
                }

                async fn undelete(channel: Channel, request: Request<Undelete>) -> Answer<Self> {
                    let request = request.map(|undelete| partnership_registry::v1::$Undelete {
                        name: undelete.name,
                        etag: undelete.etag,
                        request_id: undelete.request_id,
                        validate_only: undelete.validate_only,
                    });
                    $client(channel).$undelete(request).await
                }

                async fn batch_get(channel: Channel, request: Request<BatchGet>) -> Answer<Vec<Self>> {
                    let request = request.map(|BatchGet { names, read_revision, read_time }| {
                        partnership_registry::v1::$BatchGet { names, read_revision, read_time }
                    });
                    Ok($client(channel).$batch_get(request).await?.map(|answer| answer.$plural))
                }
            }

            fn $client(channel: Channel) -> partnership_registry::v1::$client::$Client<Channel> {
                partnership_registry::v1::$client::$Client::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX)
            }
        )*
    };
}

partnership_registry::for_each_service!(services);
