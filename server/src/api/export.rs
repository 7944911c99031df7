//! `Export`: a stream of resources.
//!
//! It reads on when its caller has taken what was read, and not before, and when there is room for more; so a slow caller
//! holds nothing of the server but its place in the walk, and one that has gone ends the walk by dropping it.

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use partnership_registry::v1::{ExportRequest, ExportResponse, Resource};
use tonic::Status;

use super::blocking::blocking;
use super::call::{Answers, Api, HandleStream};
use super::caller::Caller;
use super::convert::{decode, point};
use super::drain::unless_drained;
use super::room::Room;
use crate::faults;
use crate::registry::{Chunk, Export, Revision};

/// How many bytes are read at first. Most callers that take nothing are known by then.
const CHUNK_BYTES_FIRST: usize = 16 << 10;
/// How many are read at most: a small part of what a client takes, and a short read. Each chunk may be twice the one
/// before.
const CHUNK_BYTES_MAX: usize = 256 << 10;

impl HandleStream<ExportRequest> for Api {
    type Answer = ExportResponse;

    async fn handle_stream(&self, caller: &Caller, request: ExportRequest) -> Result<Answers<ExportResponse>, Status> {
        let selection = self.registry.select(&request.collections, &request.filter)?;
        let at = self.registry.indexed_at(point(request.read_revision, request.read_time)?).await?;
        let export = self.registry.export(selection, at, request.show_deleted);
        let revision = at.revision();
        if faults::planted("export-holds-a-thread").is_some() {
            return Ok(on_a_thread(export, revision));
        }
        let chunks = Chunks::new(export, caller.room.clone());
        // The revision is told at once: resources may be long in coming.
        let first = ExportResponse { revision, resources: Vec::new() };
        let rest = stream::try_unfold((chunks, self.draining.clone()), move |(chunks, mut draining)| async move {
            let next = unless_drained(&mut draining, chunks.next()).await?;
            Ok(next.map(|(resources, chunks)| (ExportResponse { revision, resources }, (chunks, draining))))
        });
        Ok(Box::pin(stream::iter([Ok(first)]).chain(rest)))
    }
}

/// What a planted fault brings back: the walk holds a thread as long as its caller does not take what was read.
fn on_a_thread(mut export: Export, revision: Revision) -> Answers<ExportResponse> {
    let (send, taken) = tokio::sync::mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        while let Ok(Chunk::Read(chunk)) = export.next_chunk(CHUNK_BYTES_MAX, &mut |_| true) {
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

/// A walk that is read in chunks, each in the room of its caller.
pub(crate) struct Chunks {
    export: Export,
    room: Room,
    chunk_bytes: usize,
}

impl Chunks {
    pub(crate) fn new(export: Export, room: Room) -> Self {
        Self { export, room, chunk_bytes: CHUNK_BYTES_FIRST }
    }

    /// The next resources, at least one, and what comes after them. `None`: there are no more.
    pub(crate) async fn next(self) -> Result<Option<(Vec<Resource>, Self)>, Status> {
        let Self { mut export, room, chunk_bytes } = self;
        room.take(chunk_bytes).await?;
        loop {
            let chunk;
            let mut has_room = room.growing();
            (chunk, export) =
                blocking(&room, move |_| Ok((export.next_chunk(chunk_bytes, &mut has_room)?, export))).await?;
            match chunk {
                Chunk::End => {
                    room.set(0);
                    return Ok(None);
                }
                Chunk::Needs(bytes) => room.take(bytes).await?,
                Chunk::Read(chunk) if chunk.is_empty() => {}
                Chunk::Read(chunk) => {
                    room.set(chunk.iter().map(Bytes::len).sum());
                    let resources = chunk.into_iter().map(decode).collect::<Result<_, _>>()?;
                    let chunk_bytes = CHUNK_BYTES_MAX.min(2 * chunk_bytes);
                    return Ok(Some((resources, Self { export, room, chunk_bytes })));
                }
            }
        }
    }
}
