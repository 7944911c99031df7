//! [`AnyResources`]: the handle of a kind that is known only when the program runs. Resources are envelopes.
//!
//! It is [`Resources`] behind a table of kinds; nothing is done here that is not done there.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use futures_util::TryStreamExt as _;
use partnership_registry::Kind;
use partnership_registry::v1::Resource;

use crate::connection::Connection;
use crate::error::Error;
use crate::items::Items;
use crate::list::{ListOptions, ListPage};
use crate::paging;
use crate::point::{Mask, Point};
use crate::resources::Resources;
use crate::service::Service;

/// What a write may say besides what it writes.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// If not empty, it must be the current one. Updates have it in the resource.
    pub etag: String,
    /// Update: create it if it does not exist. Delete: it may be missing, or deleted already.
    pub allow_missing: bool,
    /// Check everything, and write nothing.
    pub validate_only: bool,
}

/// The resources of one kind, as envelopes.
#[derive(Clone)]
pub struct AnyResources {
    connection: Connection,
    calls: &'static dyn AnyCalls,
}

impl AnyResources {
    pub(crate) fn new(connection: Connection, collection: &str) -> Option<Self> {
        Some(Self { connection, calls: calls(collection)? })
    }

    /// Reads one, also if it is deleted.
    ///
    /// # Errors
    /// As [`Resources::get_at`](crate::Resources::get_at).
    pub async fn get(&self, name: &str, point: Point) -> Result<Resource, Error> {
        self.calls.get(self.connection.clone(), name.to_owned(), point).await
    }

    /// Reads many at one revision, in the order of the names: all or none.
    ///
    /// # Errors
    /// As [`Resources::batch_get_at`](crate::Resources::batch_get_at).
    pub async fn batch_get(&self, names: &[String], point: Point) -> Result<Vec<Resource>, Error> {
        self.calls.batch_get(self.connection.clone(), names.to_vec(), point).await
    }

    /// Lists resources, fetching page after page as they are wanted.
    pub fn list(&self, options: ListOptions) -> Items<Resource> {
        paging::items(self.pages(options))
    }

    /// Lists resources page by page.
    pub fn pages(&self, options: ListOptions) -> Items<ListPage<Resource>> {
        self.calls.pages(self.connection.clone(), options)
    }

    /// Creates one; with an empty `id` the server makes one.
    ///
    /// # Errors
    /// What the server refuses. `INVALID_ARGUMENT`: the envelope holds another kind.
    pub async fn create(&self, id: &str, resource: Resource, options: WriteOptions) -> Result<Resource, Error> {
        self.calls.create(self.connection.clone(), id.to_owned(), resource, options).await
    }

    /// Changes the fields of one that the mask names.
    ///
    /// # Errors
    /// What the server refuses. `INVALID_ARGUMENT`: the envelope holds another kind.
    pub async fn update(&self, resource: Resource, mask: Mask, options: WriteOptions) -> Result<Resource, Error> {
        self.calls.update(self.connection.clone(), resource, mask, options).await
    }

    /// Marks one as deleted.
    ///
    /// # Errors
    /// What the server refuses.
    pub async fn delete(&self, name: &str, options: WriteOptions) -> Result<Resource, Error> {
        self.calls.delete(self.connection.clone(), name.to_owned(), options).await
    }

    /// Brings a deleted one back.
    ///
    /// # Errors
    /// What the server refuses.
    pub async fn undelete(&self, name: &str, options: WriteOptions) -> Result<Resource, Error> {
        self.calls.undelete(self.connection.clone(), name.to_owned(), options).await
    }
}

impl fmt::Debug for AnyResources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyResources").field("connection", &self.connection).finish_non_exhaustive()
    }
}

type Answer<A> = Pin<Box<dyn Future<Output = Result<A, Error>> + Send>>;

trait AnyCalls: Sync {
    fn get(&self, connection: Connection, name: String, point: Point) -> Answer<Resource>;
    fn batch_get(&self, connection: Connection, names: Vec<String>, point: Point) -> Answer<Vec<Resource>>;
    fn pages(&self, connection: Connection, options: ListOptions) -> Items<ListPage<Resource>>;
    fn create(&self, connection: Connection, id: String, resource: Resource, options: WriteOptions)
    -> Answer<Resource>;
    fn update(&self, connection: Connection, resource: Resource, mask: Mask, options: WriteOptions)
    -> Answer<Resource>;
    fn delete(&self, connection: Connection, name: String, options: WriteOptions) -> Answer<Resource>;
    fn undelete(&self, connection: Connection, name: String, options: WriteOptions) -> Answer<Resource>;
}

struct CallsOf<K>(PhantomData<fn() -> K>);

impl<K: Service> AnyCalls for CallsOf<K> {
    fn get(&self, connection: Connection, name: String, point: Point) -> Answer<Resource> {
        Box::pin(async move { Resources::<K>::new(connection).get_at(&name, point).await.map(Into::into) })
    }

    fn batch_get(&self, connection: Connection, names: Vec<String>, point: Point) -> Answer<Vec<Resource>> {
        Box::pin(async move {
            let found = Resources::<K>::new(connection).batch_get_at(names, point).await?;
            Ok(found.into_iter().map(Into::into).collect())
        })
    }

    fn pages(&self, connection: Connection, options: ListOptions) -> Items<ListPage<Resource>> {
        Items::new(Resources::<K>::new(connection).pages(options).map_ok(|page| page.map(Into::into)))
    }

    fn create(
        &self,
        connection: Connection,
        id: String,
        resource: Resource,
        options: WriteOptions,
    ) -> Answer<Resource> {
        Box::pin(async move {
            let create =
                Resources::<K>::new(connection).create(open(resource)?).id(id).validate_only(options.validate_only);
            create.await.map(Into::into)
        })
    }

    fn update(
        &self,
        connection: Connection,
        resource: Resource,
        mask: Mask,
        options: WriteOptions,
    ) -> Answer<Resource> {
        Box::pin(async move {
            let update = Resources::<K>::new(connection).update(open(resource)?, mask);
            let update = update.allow_missing(options.allow_missing).validate_only(options.validate_only);
            update.await.map(Into::into)
        })
    }

    fn delete(&self, connection: Connection, name: String, options: WriteOptions) -> Answer<Resource> {
        Box::pin(async move {
            let delete = Resources::<K>::new(connection).delete(&name).etag(options.etag);
            let delete = delete.allow_missing(options.allow_missing).validate_only(options.validate_only);
            delete.await.map(Into::into)
        })
    }

    fn undelete(&self, connection: Connection, name: String, options: WriteOptions) -> Answer<Resource> {
        Box::pin(async move {
            let undelete = Resources::<K>::new(connection).undelete(&name).etag(options.etag);
            undelete.validate_only(options.validate_only).await.map(Into::into)
        })
    }
}

/// Takes a kind out of its envelope.
fn open<K: Kind>(resource: Resource) -> Result<K, Error> {
    K::from_resource(resource).map_err(|other| {
        let held = other.collection().unwrap_or("nothing");
        Error::invalid(format!("a resource of {} was expected, and this is one of {held}", K::COLLECTION))
    })
}

macro_rules! table {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        fn calls(collection: &str) -> Option<&'static dyn AnyCalls> {
            match collection {
                $($collection => Some(&CallsOf::<partnership_registry::v1::$Kind>(PhantomData)),)*
                _ => None,
            }
        }
    };
}

partnership_registry::for_each_kind!(table);
