//! [`Export`]: every resource, as of one revision.

use std::vec;

use futures_util::stream;
use partnership_registry::v1::{ExportRequest, ExportResponse, Resource};
use tokio::time::sleep;
use tonic::Streaming;

use crate::connection::Connection;
use crate::error::Error;
use crate::items::Items;
use crate::point::Point;
use crate::registry::Registry;

/// What an export selects.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ExportOptions {
    request: ExportRequest,
}

impl ExportOptions {
    /// All live resources of all kinds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only these kinds, as collections such as `agreements`.
    pub fn collections<C: Into<String>>(mut self, collections: impl IntoIterator<Item = C>) -> Self {
        self.request.collections = collections.into_iter().map(Into::into).collect();
        self
    }

    /// Only resources that the filter selects. It needs exactly one collection.
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.request.filter = filter.into();
        self
    }

    /// Includes deleted resources.
    pub fn show_deleted(mut self, show: bool) -> Self {
        self.request.show_deleted = show;
        self
    }

    /// As of a point in the past.
    pub fn at(mut self, point: impl Into<Point>) -> Self {
        (self.request.read_revision, self.request.read_time) = point.into().split();
        self
    }
}

/// An export that has started.
#[derive(Debug)]
pub struct Export {
    /// The revision that it shows.
    pub revision: u64,
    /// The resources, kind by kind and by name. After a lost connection it continues where it was.
    pub resources: Items<Resource>,
}

impl Registry {
    /// Exports every resource, as of one revision.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: an unknown collection or a bad filter. `OUT_OF_RANGE`: a revision that does not exist yet, or a
    /// time before the first commit.
    pub async fn export(&self, options: ExportOptions) -> Result<Export, Error> {
        let mut exporting = Exporting {
            connection: self.connection().clone(),
            request: options.request,
            responses: None,
            ready: Vec::new().into_iter(),
            given: 0,
            to_skip: 0,
            failures: 0,
        };
        exporting.fetch().await?;
        let revision = exporting.request.read_revision;
        Ok(Export { revision, resources: Items::new(stream::try_unfold(exporting, Exporting::step)) })
    }
}

struct Exporting {
    connection: Connection,
    /// After the first response it asks for the revision of that.
    request: ExportRequest,
    responses: Option<Streaming<ExportResponse>>,
    ready: vec::IntoIter<Resource>,
    /// How many resources the caller has.
    given: usize,
    /// How many of the current stream are still to be skipped, since an earlier stream delivered them.
    to_skip: usize,
    failures: u32,
}

impl Exporting {
    async fn step(mut self) -> Result<Option<(Resource, Self)>, Error> {
        loop {
            if let Some(resource) = self.ready.next() {
                if self.to_skip > 0 {
                    self.to_skip -= 1;
                    continue;
                }
                self.given += 1;
                return Ok(Some((resource, self)));
            }
            if !self.fetch().await? {
                return Ok(None);
            }
        }
    }

    /// Fetches some more resources; `false` at the end.
    async fn fetch(&mut self) -> Result<bool, Error> {
        loop {
            let error = match self.receive().await {
                Ok(Some(response)) => {
                    self.failures = 0;
                    self.request.read_revision = response.revision;
                    self.request.read_time = None;
                    self.ready = response.resources.into_iter();
                    return Ok(true);
                }
                Ok(None) => return Ok(false),
                Err(error) => error,
            };
            self.responses = None;
            self.failures += 1;
            let Some(wait) = self.connection.settings().retry.wait(self.failures, &error) else { return Err(error) };
            sleep(wait).await;
        }
    }

    async fn receive(&mut self) -> Result<Option<ExportResponse>, Error> {
        if let Some(responses) = &mut self.responses {
            return Ok(responses.message().await?);
        }
        let send = |request| {
            let mut service = self.connection.registry_service();
            async move { service.export(request).await }
        };
        let responses = self.responses.insert(self.connection.streaming(self.request.clone(), send).await?);
        // An export at one revision always has the same order: what was delivered comes first.
        self.to_skip = self.given;
        Ok(responses.message().await?)
    }
}
