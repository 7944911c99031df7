//! [`WatchEvent`]: what a watch tells.

use partnership_registry::v1::{Commit, FilterEffect, Resource};

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
