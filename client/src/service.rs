//! [`Service`]: the standard methods of a kind in one shape for all kinds. Nothing is decided here.
//!
//! The requests are those of every kind with the kind's name taken off, as the contract's own crate has them.

use std::future::Future;

use partnership_registry::v1::PartialDate;
use partnership_registry::{Method, Standard};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::connection::ANSWER_BYTES_MAX;
use crate::error::Error;

pub(crate) use partnership_registry::{BatchGet, Create, Delete, Get, List, Listed, Rollback, Undelete, Update};

pub(crate) type Answer<A> = Result<Response<A>, Status>;

/// A kind with its standard methods. Every kind of the registry has them; nobody else can.
pub trait Service: Standard + sealed::Calls {}

impl<K: Standard> Service for K {}

/// Holds the methods of [`Service`], out of reach of other crates.
pub(crate) mod sealed {
    use super::*;

    #[allow(unreachable_pub, missing_docs, reason = "public for the bound of a public trait, and not nameable")]
    pub trait Calls: Standard {
        fn get(channel: Channel, request: Request<Get>) -> impl Future<Output = Answer<Self>> + Send {
            send::<Self::Get>(channel, request)
        }
        fn list(channel: Channel, request: Request<List>) -> impl Future<Output = Answer<Listed<Self>>> + Send {
            async { Ok(send::<Self::List>(channel, request).await?.map(Into::into)) }
        }
        fn create(channel: Channel, request: Request<Create<Self>>) -> impl Future<Output = Answer<Self>> + Send {
            send::<Self::Create>(channel, request)
        }
        fn update(channel: Channel, request: Request<Update<Self>>) -> impl Future<Output = Answer<Self>> + Send {
            send::<Self::Update>(channel, request)
        }
        fn delete(channel: Channel, request: Request<Delete>) -> impl Future<Output = Answer<Self>> + Send {
            send::<Self::Delete>(channel, request)
        }
        fn undelete(channel: Channel, request: Request<Undelete>) -> impl Future<Output = Answer<Self>> + Send {
            send::<Self::Undelete>(channel, request)
        }
        fn rollback(channel: Channel, request: Request<Rollback>) -> impl Future<Output = Answer<Self>> + Send {
            send::<Self::Rollback>(channel, request)
        }
        fn batch_get(channel: Channel, request: Request<BatchGet>) -> impl Future<Output = Answer<Vec<Self>>> + Send {
            async { Ok(send::<Self::BatchGet>(channel, request).await?.map(|read| read.into().resources)) }
        }
    }

    impl<K: Standard> Calls for K {}
}

/// Refuses to ask how resources of a kind stand on a day, where they stand alike on all: the request would not say so.
pub(crate) fn check_dated<K: Standard>(valid_date: Option<&PartialDate>) -> Result<(), Error> {
    if K::DATED || valid_date.is_none() {
        return Ok(());
    }
    Err(Error::invalid(format!("{} stand alike on all days, and are read on none", K::COLLECTION)))
}

async fn send<M: Method>(channel: Channel, request: Request<impl Into<M>>) -> Answer<M::Response> {
    partnership_registry::call(channel, request.map(Into::into), ANSWER_BYTES_MAX).await
}
