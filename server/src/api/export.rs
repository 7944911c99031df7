//! `Export`: a stream of resources.
//!
//! It reads on when its caller has taken what was read, and not before; so a slow caller holds nothing of the server but
//! its place in the walk, and one that has gone ends the walk by dropping it.

use futures_util::StreamExt as _;
use futures_util::stream;
use partnership_registry::v1::{ExportRequest, ExportResponse, Resource};
use tonic::Status;

use super::blocking::blocking;
use super::call::{Answers, Api, HandleStream};
use super::caller::Caller;
use super::convert::{decode, point};
use super::drain::unless_drained;
use crate::registry::Export;

impl HandleStream<ExportRequest> for Api {
    type Answer = ExportResponse;

    async fn handle_stream(&self, _: &Caller, request: ExportRequest) -> Result<Answers<ExportResponse>, Status> {
        let selection = self.registry.select(&request.collections, &request.filter)?;
        let revision = self.registry.resolve(point(request.read_revision, request.read_time)?)?;
        let export = self.registry.export(selection, revision, request.show_deleted);
        // The revision is told at once: resources may be long in coming.
        let first = ExportResponse { revision, resources: Vec::new() };
        let rest = stream::try_unfold((export, self.draining.clone()), move |(export, mut draining)| async move {
            let next = unless_drained(&mut draining, next_resources(export)).await?;
            Ok(next.map(|(resources, export)| (ExportResponse { revision, resources }, (export, draining))))
        });
        Ok(Box::pin(stream::iter([Ok(first)]).chain(rest)))
    }
}

/// The next resources, at least one, and the walk after them. `None`: there are no more.
pub(crate) async fn next_resources(mut export: Export) -> Result<Option<(Vec<Resource>, Export)>, Status> {
    loop {
        let chunk;
        (chunk, export) = blocking(move |_| Ok((export.next_chunk()?, export))).await?;
        match chunk {
            None => return Ok(None),
            Some(chunk) if chunk.is_empty() => {}
            Some(chunk) => {
                let resources = chunk.into_iter().map(decode).collect::<Result<_, _>>()?;
                return Ok(Some((resources, export)));
            }
        }
    }
}
