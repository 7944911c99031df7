//! The thread that saves the index in a checkpoint now and then, so that a start need not read the whole journal. No
//! write waits for it, and none fails if it does.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use super::index::Index;
use crate::faults;
use crate::store::Checkpoints;

/// How often it is looked whether a checkpoint is due.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// So many rows, or requests, are read under one lock: a commit waits for it about a millisecond.
const PIECE_ROWS: usize = 2_048;
/// After a checkpoint, none is saved for so many times as long as it took: an import of days, in which one is always due,
/// costs a fifth more.
const REST: u32 = 4;
/// After a failure it is tried again after so long: a full disk is not filled and emptied again and again.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Saves whenever it is due, until the sender of `closing` is dropped.
pub(super) fn run(mut checkpoints: Checkpoints, index: &Arc<Index>, closing: &Receiver<()>) {
    // Where tests want many small ones, one is saved after the other.
    let look_every = faults::planted("checkpoint-bytes").map_or(LOOK_EVERY, |_| Duration::from_millis(5));
    let mut wait = look_every;
    while closing.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        wait = look_every;
        if !checkpoints.is_due() {
            continue;
        }
        let began = Instant::now();
        let from = index.head();
        let goes_on = || closing.try_recv() == Err(TryRecvError::Empty);
        match checkpoints.save(from, &mut index.pieces(PIECE_ROWS).map(|piece| goes_on().then_some(piece))) {
            Ok(Some(bytes)) => {
                tracing::info!(from, bytes, seconds = began.elapsed().as_secs_f64(), "saved a checkpoint");
                wait = wait.max(began.elapsed() * REST);
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(
                    error = std::error::Error::source(&error).map(tracing::field::display),
                    "a checkpoint could not be saved, {error}; the next start takes longer, and nothing else is wrong by that"
                );
                wait = RETRY_AFTER;
            }
        }
    }
}
