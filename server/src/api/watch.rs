//! Watch: a stream of commits, from wherever the caller wants, then live.
//!
//! The task of a stream follows the journal at the pace of its caller: HTTP/2 flow control holds it back, and nobody
//! else. It ends with the caller, or with UNAVAILABLE when the server drains.

use std::pin::Pin;
use std::task::{Context, Poll};

use partnership_registry::v1::{
    ChangeAction, FilterEffect, Heartbeat, Synced, WatchRequest, WatchResponse, WatchedCommit, WatchedResource,
    watch_request, watch_response,
};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::{Response, Status};

use super::Api;
use super::registry_service::{commit, envelope};
use super::standard::decode;
use crate::registry::{Error, Registry, Selection, Tail};
use crate::store::{Record, Revision};

/// How many messages wait for a slow caller: streams fed by a channel are sent in batches of up to its size.
const QUEUE_MAX: usize = 4;

/// A stream of commits.
pub(crate) struct WatchStream(mpsc::Receiver<Result<WatchResponse, Status>>);

impl futures_core::Stream for WatchStream {
    type Item = Result<WatchResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

impl Api {
    /// Starts a stream. What is wrong with the request is answered at once, not in the stream.
    pub(crate) fn watch_from(&self, request: WatchRequest) -> Result<Response<WatchStream>, Status> {
        let selection = self.registry.select(&request.collections, &request.filter)?;
        let (after, initial) = match request.start {
            None => return Err(Error::invalid("start", "is required: now, after_revision or initial_state").into()),
            Some(watch_request::Start::Now(true)) => (None, false),
            Some(watch_request::Start::InitialState(true)) => (None, true),
            Some(watch_request::Start::AfterRevision(revision)) => (Some(revision), false),
            Some(watch_request::Start::Now(false)) => return Err(Error::invalid("now", "is true, or not given").into()),
            Some(watch_request::Start::InitialState(false)) => {
                return Err(Error::invalid("initial_state", "is true, or not given").into());
            }
        };
        let tail = self.registry.follow(after)?;
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let watch = Watch { api: self.clone(), selection, sender };
        tokio::spawn(watch.run(tail, initial));
        Ok(Response::new(WatchStream(receiver)))
    }
}

struct Watch {
    api: Api,
    selection: Selection,
    sender: mpsc::Sender<Result<WatchResponse, Status>>,
}

/// Why a stream ends without an error to tell.
struct Gone;

impl Watch {
    async fn run(self, mut tail: Tail, initial: bool) {
        let mut draining = self.api.draining.clone();
        let sender = self.sender.clone();
        tokio::select! {
            // Streams do not end by themselves, and a drain must not wait for them.
            () = super::drained(&mut draining) => {
                let _ = sender.send(Err(Error::Draining.into())).await;
            }
            ended = self.follow(&mut tail, initial) => match ended {
                Ok(Gone) => {}
                Err(status) => {
                    let _ = sender.send(Err(status)).await;
                }
            },
        }
    }

    async fn follow(&self, tail: &mut Tail, initial: bool) -> Result<Gone, Status> {
        if initial && self.initial_state(tail.position()).await?.is_err() {
            return Ok(Gone);
        }
        // Commits that are not selected are no sign of life: the time runs from the last message.
        let mut heartbeat_at = Instant::now() + self.api.heartbeat_every;
        loop {
            // Commits that are not selected are passed over without a wait: others get their turn all the same.
            tokio::task::consume_budget().await;
            let next = tokio::time::timeout_at(heartbeat_at, tail.next());
            let event = tokio::select! {
                () = self.sender.closed() => return Ok(Gone),
                next = next => match next {
                    Err(_) => watch_response::Event::Heartbeat(Heartbeat { revision: tail.position() }),
                    Ok(None) => return Err(Error::Draining.into()),
                    Ok(Some(entry)) => match watched(&self.api.registry, &self.selection, entry?)? {
                        Some(commit) => watch_response::Event::Commit(commit),
                        // However many there are to pass over, the caller hears that the stream lives.
                        None if Instant::now() >= heartbeat_at => {
                            watch_response::Event::Heartbeat(Heartbeat { revision: tail.position() })
                        }
                        None => continue,
                    },
                },
            };
            if self.send(event).await.is_err() {
                return Ok(Gone);
            }
            heartbeat_at = Instant::now() + self.api.heartbeat_every;
        }
    }

    async fn initial_state(&self, at: Revision) -> Result<Result<(), Gone>, Status> {
        let (registry, selection, sender) = (self.api.registry.clone(), self.selection.clone(), self.sender.clone());
        // The walk blocks: on the disk, and on a caller that is slow.
        let walk = tokio::task::spawn_blocking(move || {
            let mut broken = Ok(true);
            let walked = registry.walk(&selection, at, false, &mut |bytes| {
                broken = decode(bytes).map(|resource| {
                    let event = watch_response::Event::Resource(WatchedResource { resource: Some(resource) });
                    sender.blocking_send(Ok(WatchResponse { event: Some(event) })).is_ok()
                });
                matches!(broken, Ok(true))
            });
            walked.map_err(Status::from).and(broken)
        });
        match walk.await.map_err(|_| Status::internal("the walk over the initial state failed"))?? {
            true => Ok(self.send(watch_response::Event::Synced(Synced { revision: at })).await),
            false => Ok(Err(Gone)),
        }
    }

    async fn send(&self, event: watch_response::Event) -> Result<(), Gone> {
        self.sender.send(Ok(WatchResponse { event: Some(event) })).await.map_err(|_| Gone)
    }
}

/// The commit as a watcher sees it. `None`: nothing of it is selected.
fn watched(registry: &Registry, selection: &Selection, record: Record) -> Result<Option<WatchedCommit>, Status> {
    let mut kept = Vec::new();
    for (index, change) in record.changes.iter().enumerate() {
        let before = registry.before(&change.name, change.previous_revision)?;
        let effect = match (registry.selects(selection, &before), registry.selects(selection, &change.document)) {
            (false, false) => continue,
            (false, true) => FilterEffect::Entered,
            (true, true) => FilterEffect::Stayed,
            (true, false) => FilterEffect::Left,
        };
        kept.push((index, before, effect));
    }
    if kept.is_empty() {
        return Ok(None);
    }
    let mut commit = commit(record)?;
    let mut changes: Vec<_> = std::mem::take(&mut commit.changes).into_iter().map(Some).collect();
    let mut effects = Vec::with_capacity(kept.len());
    for (index, before, effect) in kept {
        let Some(mut change) = changes.get_mut(index).and_then(Option::take) else { continue };
        change.before = envelope(before)?;
        debug_assert!(change.before.is_none() == (change.action() == ChangeAction::Create));
        commit.changes.push(change);
        effects.push(effect.into());
    }
    Ok(Some(WatchedCommit { commit: Some(commit), effects }))
}
