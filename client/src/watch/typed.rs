//! [`TypedWatch`]: a watch of one kind, whose resources come without their envelopes.
//!
//! It is a [`Watch`] whose events are unpacked; nothing is decided here.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use partnership_registry::Kind;
use partnership_registry::v1::{Change, ChangeAction, Commit, FilterEffect, Resource};
use prost_types::Timestamp;

use super::event::WatchEvent;
use super::stream::Watch;
use crate::error::{Code, Error};

/// An event of a watch of one kind.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TypedWatchEvent<K> {
    /// A resource of the initial state.
    Resource(K),
    /// The initial state is complete.
    Synced {
        /// Its revision: what follows are the commits after it.
        revision: u64,
    },
    /// A commit.
    Commit(TypedCommit<K>),
    /// There has been no commit for some time.
    Heartbeat {
        /// All commits up to this revision have been delivered.
        revision: u64,
    },
    /// The connection was lost; the watch tries to resume. Told once, until it has.
    Lost {
        /// Why, for people to read.
        reason: String,
    },
    /// The connection is back: the watch goes on behind the last revision that it saw.
    Resumed,
    /// The connection was lost before the initial state was complete: discard what came of it, it starts again.
    Restarted,
}

/// A commit, as far as it changed resources of one kind that the filter selects.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TypedCommit<K> {
    /// The revision that it made: to continue behind this commit, watch [`after`](crate::WatchCall::after) it.
    pub revision: u64,
    /// When.
    pub commit_time: Option<Timestamp>,
    /// Who made it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// The changes. No resource changes twice in a commit.
    pub changes: Vec<TypedChange<K>>,
}

/// How a resource was changed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TypedChange<K> {
    /// Its name.
    pub name: String,
    /// What was done.
    pub action: ChangeAction,
    /// How the change stands to the filter.
    pub effect: FilterEffect,
    /// The resource before; `None` if it was created.
    pub before: Option<K>,
    /// The resource after. A deleted one is there, with its `delete_time`.
    pub after: Option<K>,
}

/// A watch of one kind. It ends only with an error that a retry cannot help.
///
/// ```no_run
/// # use partnership_registry_client::{Error, Registry, TypedWatchEvent};
/// # async fn example(registry: Registry) -> Result<(), Error> {
/// let mut watch = registry.agreements().watch().filter("labels.programme = \"spring\"").await?;
/// while let Some(event) = watch.next().await {
///     if let TypedWatchEvent::Commit(commit) = event? {
///         for agreement in commit.changes.into_iter().filter_map(|change| change.after) {
///             println!("{} is {:?} since revision {}", agreement.name, agreement.state(), commit.revision);
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a watch does nothing unless it is read"]
pub struct TypedWatch<K> {
    watch: Watch,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> TypedWatch<K> {
    /// The next event, as soon as there is one. It is safe to drop the future.
    pub async fn next(&mut self) -> Option<Result<TypedWatchEvent<K>, Error>> {
        self.watch.next().await.map(|event| event.and_then(typed))
    }
}

impl<K> From<Watch> for TypedWatch<K> {
    fn from(watch: Watch) -> Self {
        Self { watch, kind: PhantomData }
    }
}

impl<K: Kind> Stream for TypedWatch<K> {
    type Item = Result<TypedWatchEvent<K>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.watch).poll_next(context).map(|event| event.map(|event| event.and_then(typed)))
    }
}

impl<K> fmt::Debug for TypedWatch<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedWatch")
    }
}

fn typed<K: Kind>(event: WatchEvent) -> Result<TypedWatchEvent<K>, Error> {
    Ok(match event {
        WatchEvent::Resource(resource) => TypedWatchEvent::Resource(unpacked(resource)?),
        WatchEvent::Synced { revision } => TypedWatchEvent::Synced { revision },
        WatchEvent::Commit { commit, effects } => TypedWatchEvent::Commit(typed_commit(commit, effects)?),
        WatchEvent::Heartbeat { revision } => TypedWatchEvent::Heartbeat { revision },
        WatchEvent::Lost { reason } => TypedWatchEvent::Lost { reason },
        WatchEvent::Resumed => TypedWatchEvent::Resumed,
        WatchEvent::Restarted => TypedWatchEvent::Restarted,
    })
}

fn typed_commit<K: Kind>(commit: Commit, effects: Vec<FilterEffect>) -> Result<TypedCommit<K>, Error> {
    let Commit { revision, commit_time, actor, reason, changes, .. } = commit;
    let effects = effects.into_iter().chain(std::iter::repeat(FilterEffect::Unspecified));
    let changes = changes.into_iter().zip(effects).map(|(change, effect)| typed_change(change, effect));
    Ok(TypedCommit { revision, commit_time, actor, reason, changes: changes.collect::<Result<_, _>>()? })
}

fn typed_change<K: Kind>(change: Change, effect: FilterEffect) -> Result<TypedChange<K>, Error> {
    let action = change.action();
    let Change { name, before, after, .. } = change;
    let (before, after) = (before.map(unpacked).transpose()?, after.map(unpacked).transpose()?);
    Ok(TypedChange { name, action, effect, before, after })
}

/// The resource without its envelope. The server was asked for one kind.
fn unpacked<K: Kind>(resource: Resource) -> Result<K, Error> {
    K::from_resource(resource).map_err(|other| {
        let sent = other.collection().unwrap_or("nothing");
        Error::local(Code::Internal, format!("the server was asked for {}, and sent {sent}", K::COLLECTION))
    })
}
