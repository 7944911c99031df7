//! The thread that tells those who watch of new commits: at once, and then not again for a moment. A single commit is told
//! without delay; when there are hundreds in a second, a watcher is not woken for each of them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::watch;

use super::index::Index;
use crate::store::Revision;

/// A watcher is woken so often at most. To wake one and let it look costs as much as to pass over a dozen commits.
const PAUSE: Duration = Duration::from_millis(5);

/// The cord of the bell, and what rings.
pub(super) fn hang() -> (SyncSender<()>, Receiver<()>) {
    // One pull that nobody has heard yet is enough: it will tell of all that is there by then.
    sync_channel(1)
}

/// Rings whenever the cord was pulled, until there is none any more.
pub(super) fn run(pulled: &Receiver<()>, index: &Arc<Index>, bell: &watch::Sender<Revision>) {
    while pulled.recv().is_ok() {
        bell.send_replace(index.head());
        std::thread::sleep(PAUSE);
    }
}
