//! Write calls: each is a builder, and is sent when it is awaited.
//!
//! Each has a request id from the beginning, so that a call that is retried takes effect once. A caller that retries by
//! itself, even after a crash, sets an id of its own.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;

use crate::connection::Connection;
use crate::error::Error;
use crate::service::{Create, Delete, Rollback, Service, Undelete, Update};

macro_rules! write_call {
    ($(#[$doc:meta])* $Call:ident, $Request:ty, $method:ident { $($own:item)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        #[must_use = "nothing is sent before it is awaited"]
        pub struct $Call<K> {
            connection: Connection,
            request: $Request,
            kind: PhantomData<fn() -> K>,
        }

        impl<K: Service> $Call<K> {
            pub(crate) fn new(connection: Connection, request: $Request) -> Self {
                Self { connection, request, kind: PhantomData }
            }

            $($own)*

            /// A UUID chosen by the caller, instead of the one that was generated.
            pub fn request_id(mut self, id: impl Into<String>) -> Self {
                self.request.request_id = id.into();
                self
            }

            /// Checks everything and writes nothing: it fails exactly when the real call would.
            pub fn validate_only(mut self, validate_only: bool) -> Self {
                self.request.validate_only = validate_only;
                self
            }
        }

        impl<K: Service> IntoFuture for $Call<K> {
            type Output = Result<K, Error>;
            type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(async move {
                    let Self { connection, request, .. } = self;
                    connection.unary(request, |request| K::$method(connection.channel(), request)).await
                })
            }
        }
    };
}

write_call! {
    /// A call that creates a resource. Await it for the resource as it was created.
    CreateCall, Create<K>, create {
        /// The last part of its name. If it is not set, the server generates one that sorts by time.
        pub fn id(mut self, id: impl Into<String>) -> Self {
            self.request.id = id.into();
            self
        }
    }
}

write_call! {
    /// A call that updates a resource. Await it for the updated resource.
    UpdateCall, Update<K>, update {
        /// Creates it if it does not exist.
        pub fn allow_missing(mut self, allow: bool) -> Self {
            self.request.allow_missing = allow;
            self
        }
    }
}

write_call! {
    /// A call that deletes a resource. Await it for the deleted resource, with its `delete_time`.
    DeleteCall, Delete, delete {
        /// Only if this is the current etag.
        pub fn etag(mut self, etag: impl Into<String>) -> Self {
            self.request.etag = etag.into();
            self
        }

        /// Does nothing, and succeeds, if it does not exist or is already deleted.
        pub fn allow_missing(mut self, allow: bool) -> Self {
            self.request.allow_missing = allow;
            self
        }
    }
}

write_call! {
    /// A call that undeletes a resource. Await it for the restored resource.
    UndeleteCall, Undelete, undelete {
        /// Only if this is the current etag.
        pub fn etag(mut self, etag: impl Into<String>) -> Self {
            self.request.etag = etag.into();
            self
        }
    }
}

write_call! {
    /// A call that makes a resource what it was. Await it for the resource as it is now.
    RollbackCall, Rollback, rollback {
        /// Only if this is the current etag.
        pub fn etag(mut self, etag: impl Into<String>) -> Self {
            self.request.etag = etag.into();
            self
        }
    }
}
