//! Watches: commits as they happen, from any revision on, across lost connections.
//!
//! Each commit is delivered once, in order, without a gap: after a lost connection a watch resumes behind the last
//! revision that it saw, in a commit or in a heartbeat. The initial state cannot be resumed; if it is interrupted, it
//! starts again, and says so.

mod call;
mod event;
mod place;
mod resume;
mod stream;
mod typed;

pub use call::WatchCall;
pub use event::WatchEvent;
pub use stream::Watch;
pub use typed::{TypedChange, TypedCommit, TypedWatch, TypedWatchEvent};
