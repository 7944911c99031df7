//! [`Watch`]: the events of resources of any kinds, in their envelopes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::event::WatchEvent;
use crate::error::Error;
use crate::items::Items;

/// A watch. It ends only with an error that a retry cannot help.
///
/// ```no_run
/// # use partnership_registry_client::{Error, Registry, WatchEvent};
/// # async fn example(registry: Registry) -> Result<(), Error> {
/// let mut watch = registry.watch().collections(["agreements", "projects"]).await?;
/// while let Some(event) = watch.next().await {
///     if let WatchEvent::Commit { commit, .. } = event? {
///         println!("{} changed {} agreements and projects", commit.actor, commit.changes.len());
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
    pub(super) fn new(events: Items<WatchEvent>) -> Self {
        Self { events }
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
