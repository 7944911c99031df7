//! `Watch`: a stream of commits, from wherever the caller wants, then live.
//!
//! It follows the journal at the pace of its caller: HTTP/2 flow control holds it back, and nobody else. It ends with the
//! caller, or with UNAVAILABLE when the server drains.

use std::time::Duration;

use futures_util::stream;
use partnership_registry::v1::watch_response::Event;
use partnership_registry::v1::{
    ChangeAction, FilterEffect, Heartbeat, Resource, Synced, WatchRequest, WatchResponse, WatchedCommit,
    WatchedResource, watch_request,
};
use tokio::time::Instant;
use tonic::Status;

use super::call::{Answers, Api, HandleStream};
use super::caller::Caller;
use super::convert::{commit, envelope};
use super::drain::unless_drained;
use super::export::Chunks;
use super::room::Room;
use crate::registry::{Effect, Error, Point, Revision, SelectedCommit, Watch};

impl HandleStream<WatchRequest> for Api {
    type Answer = WatchResponse;

    /// Begins a stream. What is wrong with the request is answered at once, not in the stream.
    async fn handle_stream(&self, caller: &Caller, request: WatchRequest) -> Result<Answers<WatchResponse>, Status> {
        let selection = self.registry.select(&request.collections, &request.filter)?;
        let (after, initial) = start(request.start)?;
        let watch = self.registry.watch(selection.clone(), after)?;
        let initial = match initial {
            true => {
                let at = self.registry.indexed_at(Point::Revision(watch.position())).await?;
                Some(Chunks::new(self.registry.export(selection, at, false).with_computed(), caller.room.clone()))
            }
            false => None,
        };
        let watching = Watching {
            initial,
            room: caller.room.clone(),
            resources: Vec::new().into_iter(),
            watch,
            heartbeat_every: self.heartbeat_every,
            heartbeat_at: Instant::now() + self.heartbeat_every,
        };
        let events = stream::try_unfold((watching, self.draining.clone()), |(mut watching, mut draining)| async move {
            let event = unless_drained(&mut draining, watching.next()).await?;
            Ok(Some((WatchResponse { event: Some(event) }, (watching, draining))))
        });
        Ok(Box::pin(events))
    }
}

/// After which revision a watch begins, `None` being the head, and whether with the state as it is there.
fn start(start: Option<watch_request::Start>) -> Result<(Option<Revision>, bool), Error> {
    match start {
        Some(watch_request::Start::Now(true)) => Ok((None, false)),
        Some(watch_request::Start::InitialState(true)) => Ok((None, true)),
        Some(watch_request::Start::AfterRevision(revision)) => Ok((Some(revision), false)),
        Some(watch_request::Start::Now(false)) => Err(Error::invalid("now", "is true, or not given")),
        Some(watch_request::Start::InitialState(false)) => {
            Err(Error::invalid("initial_state", "is true, or not given"))
        }
        None => Err(Error::invalid("start", "is required: now, after_revision or initial_state")),
    }
}

/// A watch on its way.
struct Watching {
    /// What of the initial state has not been read yet. `None`: all of it has been told.
    initial: Option<Chunks>,
    /// What of the initial state has been read, and not told yet.
    resources: std::vec::IntoIter<Resource>,
    watch: Watch,
    /// For what is read. A watch that waits holds none.
    room: Room,
    heartbeat_every: Duration,
    /// When the caller has to hear something.
    heartbeat_at: Instant,
}

impl Watching {
    /// The next event, however long it takes.
    async fn next(&mut self) -> Result<Event, Status> {
        let event = match self.next_initial().await? {
            Some(event) => event,
            None => self.next_live().await?,
        };
        self.heartbeat_at = Instant::now() + self.heartbeat_every;
        Ok(event)
    }

    /// The next event of the initial state. `None`: there is no more.
    async fn next_initial(&mut self) -> Result<Option<Event>, Status> {
        loop {
            if let Some(resource) = self.resources.next() {
                return Ok(Some(Event::Resource(WatchedResource { resource: Some(resource) })));
            }
            let Some(chunks) = self.initial.take() else { return Ok(None) };
            match chunks.next().await? {
                None => return Ok(Some(Event::Synced(Synced { revision: self.watch.position() }))),
                Some((resources, chunks)) => {
                    (self.resources, self.initial) = (resources.into_iter(), Some(chunks));
                }
            }
        }
    }

    async fn next_live(&mut self) -> Result<Event, Status> {
        loop {
            // Commits that are not selected are passed over without a wait: others get their turn all the same.
            tokio::task::consume_budget().await;
            self.watch.pass();
            self.room.set(0);
            let selected = match self.watch.next_bytes() {
                Some(bytes) => self.read(bytes?).await?,
                None => match tokio::time::timeout_at(self.heartbeat_at, self.watch.wait()).await {
                    Ok(Some(())) => None,
                    Ok(None) => return Err(Error::Draining.into()),
                    Err(_) => break,
                },
            };
            if let Some(selected) = selected {
                return Ok(Event::Commit(watched(selected)?));
            }
            // However many there are to pass over, the caller hears that the stream lives.
            if Instant::now() >= self.heartbeat_at {
                break;
            }
        }
        Ok(Event::Heartbeat(Heartbeat { revision: self.watch.position() }))
    }
}

impl Watching {
    /// Reads the next commit, of so many bytes. `None`: nothing of it is selected.
    async fn read(&mut self, bytes: usize) -> Result<Option<SelectedCommit>, Status> {
        self.room.take(bytes).await?;
        let selected = self.watch.read_next()?;
        // The documents before come to those of the commit itself.
        self.room.set(selected.as_ref().map_or(0, SelectedCommit::bytes));
        Ok(selected)
    }
}

fn watched(selected: SelectedCommit) -> Result<WatchedCommit, Status> {
    let mut commit = commit(selected.record)?;
    let mut effects = Vec::with_capacity(selected.before.len());
    for (change, (before, effect)) in commit.changes.iter_mut().zip(selected.before) {
        change.before = envelope(before)?;
        debug_assert!(change.before.is_none() == (change.action() == ChangeAction::Create));
        effects.push(i32::from(match effect {
            Effect::Entered => FilterEffect::Entered,
            Effect::Stayed => FilterEffect::Stayed,
            Effect::Left => FilterEffect::Left,
        }));
    }
    Ok(WatchedCommit { commit: Some(commit), effects })
}
