//! The thread that tells those who watch of new commits: at once, and if there were many, not again for a moment. A single
//! commit is told without delay; when they come by the thousand, a watcher is not woken for each group of them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::watch;

use super::index::Index;
use crate::store::Revision;

/// When so many commits are told at once, more are on their way.
const MANY: Revision = 4;
/// A watcher is then woken so often at most. To wake one costs as much as to pass over a dozen commits.
const PAUSE: Duration = Duration::from_millis(5);

/// The cord of the bell, and what rings.
pub(super) fn hang() -> (SyncSender<()>, Receiver<()>) {
    // One pull that nobody has heard yet is enough: it will tell of all that is there by then.
    sync_channel(1)
}

/// Rings whenever the cord was pulled, until there is none any more.
pub(super) fn run(pulled: &Receiver<()>, index: &Arc<Index>, bell: &watch::Sender<Revision>) {
    while pulled.recv().is_ok() {
        let head = index.head();
        let told_before = bell.send_replace(head);
        if head - told_before >= MANY {
            std::thread::sleep(PAUSE);
        }
    }
}
