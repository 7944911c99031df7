//! Read calls: each is a builder, and is sent when it is awaited.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;

use partnership_registry::v1::PartialDate;

use crate::connection::Connection;
use crate::error::Error;
use crate::point::{Mask, Point};
use crate::service::{BatchGet, Get, Service, check_dated};

macro_rules! read_call {
    ($(#[$doc:meta])* $Call:ident, $Request:ty, $method:ident -> $Answer:ty) => {
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

            /// As of a point in the past: a revision, or a time.
            pub fn at(mut self, point: impl Into<Point>) -> Self {
                (self.request.read_revision, self.request.read_time) = point.into().split();
                self
            }

            /// How it stands on this day, as far as what was recorded says so: `status` of agreements. A whole day.
            pub fn on(mut self, day: impl Into<Option<PartialDate>>) -> Self {
                self.request.valid_date = day.into();
                self
            }

            /// Only these fields, as paths such as `display_name` or `labels.programme`. All others are as if not set.
            pub fn fields(mut self, fields: impl Into<Mask>) -> Self {
                self.request.read_mask = fields.into().into();
                self
            }
        }

        impl<K: Service> IntoFuture for $Call<K> {
            type Output = Result<$Answer, Error>;
            type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(async move {
                    let Self { connection, request, .. } = self;
                    check_dated::<K>(request.valid_date.as_ref())?;
                    connection.unary(request, |request| K::$method(connection.channel(), request)).await
                })
            }
        }
    };
}

read_call! {
    /// A call that reads a resource. Await it for the resource.
    ///
    /// # Errors
    /// When it is awaited. `NOT_FOUND`: there is, or was then, no such resource. `OUT_OF_RANGE`: a revision that does not
    /// exist yet, or a time before the first commit. `INVALID_ARGUMENT`: a field that the kind does not have.
    GetCall, Get, get -> K
}

read_call! {
    /// A call that reads many resources at one revision. Await it for the resources, in the order of the names: all or
    /// none.
    ///
    /// # Errors
    /// As [`GetCall`], for any of them. `INVALID_ARGUMENT`: more than 1,000 names.
    BatchGetCall, BatchGet, batch_get -> Vec<K>
}
