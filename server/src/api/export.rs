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
use crate::faults;
use crate::registry::{Export, Revision};

impl HandleStream<ExportRequest> for Api {
    type Answer = ExportResponse;

    async fn handle_stream(&self, _: &Caller, request: ExportRequest) -> Result<Answers<ExportResponse>, Status> {
        let selection = self.registry.select(&request.collections, &request.filter)?;
        let revision = self.registry.resolve(point(request.read_revision, request.read_time)?)?;
        let export = self.registry.export(selection, revision, request.show_deleted);
        if faults::planted("export-holds-a-thread").is_some() {
            return Ok(on_a_thread(export, revision));
        }
        // The revision is told at once: resources may be long in coming.
        let first = ExportResponse { revision, resources: Vec::new() };
        let rest = stream::try_unfold((export, self.draining.clone()), move |(export, mut draining)| async move {
            let next = unless_drained(&mut draining, next_resources(export)).await?;
            Ok(next.map(|(resources, export)| (ExportResponse { revision, resources }, (export, draining))))
        });
        Ok(Box::pin(stream::iter([Ok(first)]).chain(rest)))
    }
}

/// What a planted fault brings back: the walk holds a thread as long as its caller does not take what was read.
fn on_a_thread(mut export: Export, revision: Revision) -> Answers<ExportResponse> {
    let (send, taken) = tokio::sync::mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        while let Ok(Some(chunk)) = export.next_chunk() {
            for resource in chunk.into_iter().map(decode) {
                let answer = resource.map(|resource| ExportResponse { revision, resources: vec![resource] });
                if send.blocking_send(answer).is_err() {
                    return;
                }
            }
        }
    });
    Box::pin(tokio_stream::wrappers::ReceiverStream::new(taken))
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
