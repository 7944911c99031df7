//! [`Watch`]: commits as they happen, from any revision on, across lost connections.
//!
//! Each commit is delivered once, in order, without a gap: after a lost connection the watch resumes behind the last
//! revision that it saw, in a commit or in a heartbeat. The initial state cannot be resumed; if it is interrupted, it
//! starts again, and [`WatchEvent::Restarted`] says so.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream;
use partnership_registry::v1::{
    Commit, FilterEffect, Resource, WatchRequest, WatchResponse, watch_request::Start, watch_response::Event,
};
use tokio::time::{Instant, sleep};
use tonic::Streaming;

use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::history;
use crate::items::Items;
use crate::registry::Registry;
use crate::resources::Resources;
use crate::retry;
use crate::service::Service;

/// Where a watch begins, and what it selects.
#[derive(Debug, Clone)]
#[must_use]
pub struct WatchOptions {
    begin: Begin,
    collections: Vec<String>,
    filter: String,
    resume_for: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Begin {
    Now,
    After(u64),
    InitialState,
}

impl WatchOptions {
    fn beginning(begin: Begin) -> Self {
        Self { begin, collections: Vec::new(), filter: String::new(), resume_for: None }
    }

    /// Every commit that is made after [`Registry::watch`] has returned.
    pub fn from_now() -> Self {
        Self::beginning(Begin::Now)
    }

    /// Every commit after this revision. A program that was stopped continues with the last revision it has processed.
    pub fn after(revision: u64) -> Self {
        Self::beginning(Begin::After(revision))
    }

    /// Every live resource as it is, then [`WatchEvent::Synced`], then every commit after that.
    pub fn initial_state() -> Self {
        Self::beginning(Begin::InitialState)
    }

    /// Only these kinds, as collections such as `agreements`.
    pub fn collections<C: Into<String>>(mut self, collections: impl IntoIterator<Item = C>) -> Self {
        self.collections = collections.into_iter().map(Into::into).collect();
        self
    }

    /// Only resources that the filter selects. It needs exactly one collection.
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.filter = filter.into();
        self
    }

    /// Gives up when a lost connection has not come back after this time. By default it never does.
    pub fn resume_for(mut self, time: Duration) -> Self {
        self.resume_for = Some(time);
        self
    }
}

/// An event of a watch.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "an event is taken apart where it is received, and never stored in numbers"
)]
pub enum WatchEvent {
    /// A resource of the initial state.
    Resource(Resource),
    /// The initial state is complete.
    Synced {
        /// Its revision: what follows are the commits after it.
        revision: u64,
    },
    /// A commit, with the selected changes, each with the resource before and after.
    Commit {
        /// The commit.
        commit: Commit,
        /// For each of its changes, its effect on what the filter selects.
        effects: Vec<FilterEffect>,
    },
    /// There has been no commit for some time.
    Heartbeat {
        /// All commits up to this revision have been delivered.
        revision: u64,
    },
    /// The connection was lost before the initial state was complete: discard what came of it, it starts again.
    Restarted,
}

/// A watch. It ends only with an error that a retry cannot help.
///
/// ```no_run
/// # use partnership_registry_client::{Error, Registry, WatchEvent, WatchOptions};
/// # async fn example(registry: Registry) -> Result<(), Error> {
/// let mut watch = registry.watch(WatchOptions::from_now().collections(["agreements"])).await?;
/// while let Some(event) = watch.next().await {
///     if let WatchEvent::Commit { commit, .. } = event? {
///         println!("{} changed {} agreements", commit.actor, commit.changes.len());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a watch does nothing unless it is read"]
pub struct Watch {
    events: Items<WatchEvent>,
}

impl Watch {
    async fn begin(connection: &Connection, options: WatchOptions) -> Result<Self, Error> {
        // `now` differs from attempt to attempt, so it is turned into a revision once.
        let place = match options.begin {
            Begin::Now => Place::After(history::head(connection).await?),
            Begin::After(revision) => Place::After(revision),
            Begin::InitialState => Place::InitialState { started: false },
        };
        let connection = connection.clone();
        let mut watching = Watching { connection, options, place, responses: None, failures: 0, lost_since: None };
        watching.open().await?;
        Ok(Self { events: Items::new(stream::try_unfold(watching, Watching::step)) })
    }

    /// The next event, as soon as there is one. It is safe to drop the future.
    pub async fn next(&mut self) -> Option<Result<WatchEvent, Error>> {
        self.events.next().await
    }
}

impl Stream for Watch {
    type Item = Result<WatchEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.events).poll_next(context)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

impl Registry {
    /// Watches commits. When this returns, the watch has started.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: an unknown collection or a bad filter. `OUT_OF_RANGE`: a revision that does not exist yet, or
    /// whose history is gone.
    pub async fn watch(&self, options: WatchOptions) -> Result<Watch, Error> {
        Watch::begin(self.connection(), options).await
    }
}

impl<K: Service> Resources<K> {
    /// Watches commits that change resources of this kind. When this returns, the watch has started.
    ///
    /// # Errors
    /// As [`Registry::watch`].
    pub async fn watch(&self, options: WatchOptions) -> Result<Watch, Error> {
        Watch::begin(self.connection(), options.collections([K::COLLECTION])).await
    }
}

/// How far a watch has come.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// The initial state is not complete; `started` if some of it has been delivered.
    InitialState { started: bool },
    /// All commits up to this revision have been delivered.
    After(u64),
}

impl Place {
    /// The event in a response, if it is new, and moves on behind it.
    fn receive(&mut self, response: WatchResponse) -> Option<WatchEvent> {
        match response.event? {
            Event::Resource(watched) => {
                let Self::InitialState { started } = self else { return None };
                *started = true;
                watched.resource.map(WatchEvent::Resource)
            }
            Event::Synced(synced) => {
                *self = Self::After(synced.revision);
                Some(WatchEvent::Synced { revision: synced.revision })
            }
            Event::Commit(watched) => {
                let commit = watched.commit?;
                self.advance(commit.revision, false)?;
                let effect = |effect: i32| FilterEffect::try_from(effect).unwrap_or(FilterEffect::Unspecified);
                Some(WatchEvent::Commit { commit, effects: watched.effects.into_iter().map(effect).collect() })
            }
            Event::Heartbeat(heartbeat) => {
                self.advance(heartbeat.revision, true)?;
                Some(WatchEvent::Heartbeat { revision: heartbeat.revision })
            }
        }
    }

    /// Moves on to a revision; `None` if that is no move forward.
    fn advance(&mut self, revision: u64, or_stay: bool) -> Option<()> {
        let Self::After(last) = self else { return None };
        if revision > *last || (or_stay && revision == *last) {
            *last = revision;
            return Some(());
        }
        None
    }
}

struct Watching {
    connection: Connection,
    options: WatchOptions,
    place: Place,
    responses: Option<Streaming<WatchResponse>>,
    /// How many times in a row the connection was lost, or the watch could not be resumed.
    failures: u32,
    lost_since: Option<Instant>,
}

impl Watching {
    async fn step(mut self) -> Result<Option<(WatchEvent, Self)>, Error> {
        loop {
            let Some(responses) = &mut self.responses else {
                if let Err(error) = self.open().await {
                    self.lost(error).await?;
                } else if let Place::InitialState { started: true } = self.place {
                    self.place = Place::InitialState { started: false };
                    return Ok(Some((WatchEvent::Restarted, self)));
                }
                continue;
            };
            match responses.message().await {
                Ok(Some(response)) => {
                    (self.failures, self.lost_since) = (0, None);
                    if let Some(event) = self.place.receive(response) {
                        return Ok(Some((event, self)));
                    }
                }
                Ok(None) => self.lost(Error::local(Code::Unavailable, "the server ended the watch")).await?,
                Err(status) => self.lost(status.into()).await?,
            }
        }
    }

    async fn open(&mut self) -> Result<(), Error> {
        let request = WatchRequest {
            start: Some(match self.place {
                Place::InitialState { .. } => Start::InitialState(true),
                Place::After(revision) => Start::AfterRevision(revision),
            }),
            collections: self.options.collections.clone(),
            filter: self.options.filter.clone(),
        };
        let send = |request| {
            let mut service = self.connection.registry_service();
            async move { service.watch(request).await }
        };
        self.responses = Some(self.connection.streaming(request, send).await?);
        Ok(())
    }

    /// Waits before the watch is resumed, or gives up with the error.
    async fn lost(&mut self, error: Error) -> Result<(), Error> {
        self.responses = None;
        self.failures = self.failures.saturating_add(1);
        let since = *self.lost_since.get_or_insert_with(Instant::now);
        let in_time = self.options.resume_for.is_none_or(|limit| since.elapsed() < limit);
        // A busy server may miss the deadline for the start; a read can be retried.
        let temporary = retry::is_safe(&error) || (error.code() == Code::DeadlineExceeded && !error.is_from_server());
        if !(temporary && in_time) {
            return Err(error);
        }
        sleep(self.connection.settings().retry.pause(self.failures, &error)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Heartbeat, Synced, WatchedCommit, WatchedResource};

    use super::*;

    fn response(event: Event) -> WatchResponse {
        WatchResponse { event: Some(event) }
    }

    fn commit(revision: u64) -> WatchResponse {
        let commit = Some(Commit { revision, ..Commit::default() });
        response(Event::Commit(WatchedCommit { commit, effects: vec![] }))
    }

    #[test]
    fn a_commit_is_delivered_once_and_the_place_moves_on() {
        let mut place = Place::After(4);
        assert!(place.receive(commit(4)).is_none(), "it is old");
        assert!(matches!(place.receive(commit(5)), Some(WatchEvent::Commit { .. })));
        assert!(place.receive(commit(5)).is_none(), "it was delivered");
        assert!(place.receive(response(Event::Heartbeat(Heartbeat { revision: 9 }))).is_some());
        assert_eq!(place, Place::After(9));
        assert!(
            place.receive(response(Event::Heartbeat(Heartbeat { revision: 9 }))).is_some(),
            "a heartbeat may repeat its revision"
        );
    }

    #[test]
    fn the_initial_state_ends_with_its_revision() {
        let mut place = Place::InitialState { started: false };
        let resource = Some(Resource::default());
        assert!(place.receive(response(Event::Resource(WatchedResource { resource }))).is_some());
        assert_eq!(place, Place::InitialState { started: true });
        assert!(place.receive(response(Event::Synced(Synced { revision: 7 }))).is_some());
        assert_eq!(place, Place::After(7));
    }
}
