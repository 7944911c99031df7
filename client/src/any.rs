//! [`AnyResources`]: the handle of a kind that is known only when the program runs. Resources are envelopes.
//!
//! It is [`Resources`] behind a table of kinds; nothing is done here that is not done there.

use std::fmt;
use std::marker::PhantomData;

use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use partnership_registry::Kind;
use partnership_registry::v1::{PartialDate, QueryPlan, Resource};

use crate::connection::Connection;
use crate::count::CountCall;
use crate::error::Error;
use crate::items::Items;
use crate::list::{ListOptions, ListPage};
use crate::paging;
use crate::point::{Mask, Point};
use crate::resources::Resources;
use crate::service::Service;

/// The options of a read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// As of when.
    pub at: Point,
    /// How it stands on this day. `None`: on the settled day of what is read.
    pub on: Option<PartialDate>,
    /// The fields to answer. Empty: all.
    pub fields: Mask,
}

/// The options of a write.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// If not empty, it must be the current etag. Updates have it in the resource.
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
    /// As [`GetCall`](crate::GetCall).
    pub async fn get(&self, name: &str, options: ReadOptions) -> Result<Resource, Error> {
        self.calls.get(self.connection.clone(), name.to_owned(), options).await
    }

    /// Reads many at one revision, in the order of the names: all or none.
    ///
    /// # Errors
    /// As [`BatchGetCall`](crate::BatchGetCall).
    pub async fn batch_get(&self, names: &[String], options: ReadOptions) -> Result<Vec<Resource>, Error> {
        self.calls.batch_get(self.connection.clone(), names.to_vec(), options).await
    }

    /// Lists resources, fetching pages on demand.
    pub fn list(&self, options: ListOptions) -> Items<Resource> {
        paging::items(self.pages(options))
    }

    /// Lists resources page by page.
    pub fn pages(&self, options: ListOptions) -> Items<ListPage<Resource>> {
        self.calls.pages(self.connection.clone(), options)
    }

    /// How a listing would be found, and what that costs; nothing is listed.
    ///
    /// # Errors
    /// As [`Resources::explain`].
    pub async fn explain(&self, options: ListOptions) -> Result<QueryPlan, Error> {
        self.calls.explain(self.connection.clone(), options).await
    }

    /// Counts resources: set what to count by on the returned call, then await it.
    pub fn count(&self) -> CountCall {
        self.calls.count(self.connection.clone())
    }

    /// Creates one; with an empty `id` the server generates one.
    ///
    /// # Errors
    /// Whatever the server refuses. `INVALID_ARGUMENT`: the envelope holds another kind.
    pub async fn create(&self, id: &str, resource: Resource, options: WriteOptions) -> Result<Resource, Error> {
        self.calls.create(self.connection.clone(), id.to_owned(), resource, options).await
    }

    /// Updates the fields of one that the mask names.
    ///
    /// # Errors
    /// Whatever the server refuses. `INVALID_ARGUMENT`: the envelope holds another kind.
    pub async fn update(&self, resource: Resource, mask: Mask, options: WriteOptions) -> Result<Resource, Error> {
        self.calls.update(self.connection.clone(), resource, mask, options).await
    }

    /// Marks one as deleted.
    ///
    /// # Errors
    /// Whatever the server refuses.
    pub async fn delete(&self, name: &str, options: WriteOptions) -> Result<Resource, Error> {
        self.calls.delete(self.connection.clone(), name.to_owned(), options).await
    }

    /// Undeletes one.
    ///
    /// # Errors
    /// Whatever the server refuses.
    pub async fn undelete(&self, name: &str, options: WriteOptions) -> Result<Resource, Error> {
        self.calls.undelete(self.connection.clone(), name.to_owned(), options).await
    }

    /// Makes one what it was in an earlier revision, in which it changed.
    ///
    /// # Errors
    /// Whatever the server refuses.
    pub async fn rollback(&self, name: &str, revision: u64, options: WriteOptions) -> Result<Resource, Error> {
        self.calls.rollback(self.connection.clone(), name.to_owned(), revision, options).await
    }
}

impl fmt::Debug for AnyResources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyResources").field("connection", &self.connection).finish_non_exhaustive()
    }
}

type Call<A> = BoxFuture<'static, Result<A, Error>>;

trait AnyCalls: Sync {
    fn get(&self, connection: Connection, name: String, options: ReadOptions) -> Call<Resource>;
    fn batch_get(&self, connection: Connection, names: Vec<String>, options: ReadOptions) -> Call<Vec<Resource>>;
    fn pages(&self, connection: Connection, options: ListOptions) -> Items<ListPage<Resource>>;
    fn explain(&self, connection: Connection, options: ListOptions) -> Call<QueryPlan>;
    fn count(&self, connection: Connection) -> CountCall;
    fn create(&self, connection: Connection, id: String, resource: Resource, options: WriteOptions) -> Call<Resource>;
    fn update(&self, connection: Connection, resource: Resource, mask: Mask, options: WriteOptions) -> Call<Resource>;
    fn delete(&self, connection: Connection, name: String, options: WriteOptions) -> Call<Resource>;
    fn undelete(&self, connection: Connection, name: String, options: WriteOptions) -> Call<Resource>;
    fn rollback(&self, connection: Connection, name: String, revision: u64, options: WriteOptions) -> Call<Resource>;
}

struct CallsOf<K>(PhantomData<fn() -> K>);

impl<K: Service> AnyCalls for CallsOf<K> {
    fn get(&self, connection: Connection, name: String, options: ReadOptions) -> Call<Resource> {
        Box::pin(async move {
            let get = Resources::<K>::new(connection).get(&name).at(options.at);
            let get = get.on(options.on).fields(options.fields);
            get.await.map(Into::into)
        })
    }

    fn batch_get(&self, connection: Connection, names: Vec<String>, options: ReadOptions) -> Call<Vec<Resource>> {
        Box::pin(async move {
            let found = Resources::<K>::new(connection).batch_get(names).at(options.at);
            let found = found.on(options.on).fields(options.fields).await?;
            Ok(found.into_iter().map(Into::into).collect())
        })
    }

    fn pages(&self, connection: Connection, options: ListOptions) -> Items<ListPage<Resource>> {
        Items::new(Resources::<K>::new(connection).pages(options).map_ok(|page| page.map(Into::into)))
    }

    fn explain(&self, connection: Connection, options: ListOptions) -> Call<QueryPlan> {
        Box::pin(async move { Resources::<K>::new(connection).explain(options).await })
    }

    fn count(&self, connection: Connection) -> CountCall {
        Resources::<K>::new(connection).count()
    }

    fn create(&self, connection: Connection, id: String, resource: Resource, options: WriteOptions) -> Call<Resource> {
        Box::pin(async move {
            let create =
                Resources::<K>::new(connection).create(open(resource)?).id(id).validate_only(options.validate_only);
            create.await.map(Into::into)
        })
    }

    fn update(&self, connection: Connection, resource: Resource, mask: Mask, options: WriteOptions) -> Call<Resource> {
        Box::pin(async move {
            let update = Resources::<K>::new(connection).update(open(resource)?, mask);
            let update = update.allow_missing(options.allow_missing).validate_only(options.validate_only);
            update.await.map(Into::into)
        })
    }

    fn delete(&self, connection: Connection, name: String, options: WriteOptions) -> Call<Resource> {
        Box::pin(async move {
            let delete = Resources::<K>::new(connection).delete(&name).etag(options.etag);
            let delete = delete.allow_missing(options.allow_missing).validate_only(options.validate_only);
            delete.await.map(Into::into)
        })
    }

    fn undelete(&self, connection: Connection, name: String, options: WriteOptions) -> Call<Resource> {
        Box::pin(async move {
            let undelete = Resources::<K>::new(connection).undelete(&name).etag(options.etag);
            undelete.validate_only(options.validate_only).await.map(Into::into)
        })
    }

    fn rollback(&self, connection: Connection, name: String, revision: u64, options: WriteOptions) -> Call<Resource> {
        Box::pin(async move {
            let rollback = Resources::<K>::new(connection).rollback(&name, revision).etag(options.etag);
            rollback.validate_only(options.validate_only).await.map(Into::into)
        })
    }
}

/// Takes a resource out of its envelope.
fn open<K: Kind>(resource: Resource) -> Result<K, Error> {
    K::from_resource(resource).map_err(|other| {
        let held = other.collection().unwrap_or("nothing");
        Error::invalid(format!("expected a resource of {}, not of {held}", K::COLLECTION))
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
