//! [`WatchCall`]: a watch that is being built; it starts when it is awaited.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use futures_util::stream;

use super::place::Place;
use super::resume::{Resuming, Selection};
use super::stream::Watch;
use super::typed::TypedWatch;
use crate::connection::Connection;
use crate::error::Error;
use crate::history;
use crate::items::Items;
use crate::registry::Registry;
use crate::resources::Resources;
use crate::service::Service;

/// A call that starts a watch: a [`Watch`], or a [`TypedWatch`]. When it has been awaited, the watch has started.
///
/// # Errors
/// When it is awaited. `INVALID_ARGUMENT`: an unknown collection or a bad filter. `OUT_OF_RANGE`: a revision that does not
/// exist yet.
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before it is awaited"]
pub struct WatchCall<W> {
    connection: Connection,
    start: Start,
    selection: Selection,
    resume_for: Option<Duration>,
    watch: PhantomData<fn() -> W>,
}

#[derive(Debug, Clone, Copy)]
enum Start {
    Now,
    After(u64),
    InitialState,
}

impl<W> WatchCall<W> {
    fn new(connection: &Connection, selection: Selection) -> Self {
        let connection = connection.clone();
        Self { connection, start: Start::Now, selection, resume_for: None, watch: PhantomData }
    }

    /// Starts with the first commit after this revision, instead of the next one. A program that was stopped continues
    /// with the last revision that it has processed.
    pub fn after(mut self, revision: u64) -> Self {
        self.start = Start::After(revision);
        self
    }

    /// Starts with every live resource as it is, then tells that these are complete, then every commit after that.
    pub fn initial_state(mut self) -> Self {
        self.start = Start::InitialState;
        self
    }

    /// Only resources that the filter selects; of a watch of several kinds it is refused.
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.selection.filter = filter.into();
        self
    }

    /// Gives up when a lost connection has not come back after this time. By default it never does.
    pub fn resume_for(mut self, time: Duration) -> Self {
        self.resume_for = Some(time);
        self
    }
}

impl WatchCall<Watch> {
    /// Only these kinds, as collections such as `agreements`.
    pub fn collections<C: Into<String>>(mut self, collections: impl IntoIterator<Item = C>) -> Self {
        self.selection.collections = collections.into_iter().map(Into::into).collect();
        self
    }
}

impl<W: From<Watch> + 'static> IntoFuture for WatchCall<W> {
    type Output = Result<W, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { connection, start, selection, resume_for, .. } = self;
            // `now` differs from attempt to attempt, so it is turned into a revision once.
            let place = match start {
                Start::Now => Place::After(history::head(&connection).await?),
                Start::After(revision) => Place::After(revision),
                Start::InitialState => Place::InitialState { started: false },
            };
            let mut resuming = Resuming::new(connection, selection, place, resume_for);
            resuming.open().await?;
            Ok(Watch::new(Items::new(stream::try_unfold(resuming, Resuming::step))).into())
        })
    }
}

impl Registry {
    /// Watches commits of all kinds, beginning with the next one, unless the call is told otherwise.
    pub fn watch(&self) -> WatchCall<Watch> {
        WatchCall::new(self.connection(), Selection::default())
    }
}

impl<K: Service> Resources<K> {
    /// Watches commits that change resources of this kind, beginning with the next one, unless the call is told otherwise.
    pub fn watch(&self) -> WatchCall<TypedWatch<K>> {
        let collections = vec![K::COLLECTION.to_owned()];
        WatchCall::new(self.connection(), Selection { collections, ..Selection::default() })
    }
}
