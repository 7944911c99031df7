//! The thread that owns sled: it opens it, makes it sound (`opening`), and then follows the journal from the position that
//! sled itself holds (`following`), until the store is closed or sled is not to be used any more.
//!
//! The writer of the journal knows nothing of it: however far behind it is, no write fails or waits.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use super::Shared;
use crate::store::disk::DiskError;
use crate::store::state::calls::Call;
use crate::store::state::engine::{Engine, StateError};
use crate::store::state::health::StateHealth;
use crate::store::state::key::Mark;
use crate::store::{JournalError, JournalReader, Revision};

/// How long it is waited for what is in the way of sled to pass, and then for twice as long, and so on: on a full disk a
/// rebuild is not begun again and again, and the journal finds room first.
const WAIT_FIRST: Duration = Duration::from_secs(2);
const WAIT_MAX: Duration = Duration::from_secs(60);
/// How long it may take to notice that the store is being closed.
const NOTICE_EVERY: Duration = Duration::from_millis(50);

/// Where sled lies, and how it is to be opened.
pub(in crate::store) struct Places {
    pub(in crate::store) sled_dir: PathBuf,
    /// Where a sled that cannot be trusted is kept until its successor is complete.
    pub(in crate::store) aside_dir: PathBuf,
    pub(in crate::store) cache_bytes_max: u64,
}

/// The journal, once it is in use.
pub(super) struct Given {
    pub(super) journal: JournalReader,
    /// Where it ended when it was opened.
    pub(super) head: Revision,
}

/// Why the follower follows no longer.
pub(super) enum Stop {
    /// The store is being closed.
    Closing,
    /// sled knows of commits that the journal does not have.
    BehindWitness(Revision),
    /// Something is in the way that may go away: no room, or a disk that does not answer.
    Waiting(String),
    /// sled failed, or the journal.
    Failed(String),
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Stop {
        if error.may_pass() {
            return Stop::Waiting(told(&error));
        }
        match error {
            StateError::Closing => Stop::Closing,
            error @ (StateError::Disk(_)
            | StateError::Sled { .. }
            | StateError::Panicked { .. }
            | StateError::Damaged { .. }
            | StateError::OutOfOrder { .. }) => Stop::Failed(told(&error)),
        }
    }
}

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Stop {
        let why = told(&error);
        if let JournalError::Disk(cause) = error
            && !cause.is_cut_off()
        {
            return Stop::Waiting(why);
        }
        Stop::Failed(why)
    }
}

impl From<DiskError> for Stop {
    fn from(error: DiskError) -> Stop {
        StateError::from(error).into()
    }
}

/// An error with its causes, for a log line that is not followed by the error itself.
pub(in crate::store) fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// What was found where sled should be.
pub(super) enum Found {
    /// Nothing.
    Absent,
    /// What cannot be opened now, for this reason. Nothing is known against it.
    Unopened(String),
    /// What cannot be used, for this reason.
    Doubtful(String),
    /// A sled that is open, and how far it says it goes.
    Open(Engine, Mark),
}

/// What the thread owns.
pub(super) struct Follower {
    pub(super) places: Places,
    pub(super) shared: Arc<Shared>,
}

impl Follower {
    /// Opens sled, tells how far it goes, waits for the journal and follows it until it has to stop. Closes sled at the
    /// end.
    pub(super) fn run(self, tell_mark: &Sender<Option<Mark>>, given: &Receiver<Given>) {
        let mut found = self.open();
        // Whoever has opened the store may not have waited.
        let _ = tell_mark.send(match &found {
            Found::Open(_, mark) => Some(*mark),
            Found::Absent | Found::Unopened(_) | Found::Doubtful(_) => None,
        });
        let stop = match given.recv() {
            Ok(given) => self.keep_up_with(&mut found, given),
            Err(_) => Stop::Closing,
        };
        match stop {
            Stop::Closing => self.shared.health.set_phase(StateHealth::Closed),
            Stop::BehindWitness(applied) => {
                tracing::error!(
                    applied,
                    "the journal has lost its end: sled knows of commits up to revision {applied} that the journal does \
                     not have; sled is not used, and was not changed; restore the journal from a backup or from another \
                     copy"
                );
                self.shared.health.set_phase(StateHealth::BehindWitness { applied });
            }
            // It is waited for above.
            Stop::Failed(why) | Stop::Waiting(why) => {
                tracing::error!(
                    why,
                    "sled is not used until a restart; no data is lost, the journal answers, and the next start checks \
                     sled and rebuilds it if need be"
                );
                self.shared.health.set_phase(StateHealth::Failed(why));
            }
        }
        self.close_all(found);
    }

    fn close_all(&self, found: Found) {
        let unused = match found {
            Found::Open(engine, _) => Some(engine),
            Found::Absent | Found::Unopened(_) | Found::Doubtful(_) => None,
        };
        let used = self.shared.gate.write().take();
        for engine in [used, unused].into_iter().flatten() {
            self.close(engine);
        }
    }

    /// Makes a sound state of what was found, and follows the journal until it has to stop. If that is for something that
    /// may pass, closes sled, waits a while, and begins again.
    fn keep_up_with(&self, found: &mut Found, mut given: Given) -> Stop {
        let mut wait = WAIT_FIRST;
        loop {
            let stop = self.keep_up(found, &given);
            let Stop::Waiting(why) = stop else { return stop };
            if self.shared.health.is_well() {
                wait = WAIT_FIRST;
            }
            tracing::warn!(
                why,
                seconds = wait.as_secs(),
                "sled is not used for now, and is opened again later; no data is lost, and the journal answers"
            );
            self.shared.health.set_phase(StateHealth::Waiting(why));
            self.close_all(std::mem::replace(found, Found::Absent));
            let until = Instant::now() + wait;
            while Instant::now() < until {
                if self.shared.is_closing() {
                    return Stop::Closing;
                }
                std::thread::sleep(NOTICE_EVERY);
            }
            wait = (wait * 2).min(WAIT_MAX);
            // sled may have been told of all that has been written since the start.
            given.head = given.journal.head();
            self.shared.doubt.lock().take();
            self.shared.doubted.store(false, Ordering::Release);
            self.shared.health.set_phase(StateHealth::Opening);
            *found = self.open();
        }
    }

    /// Makes a sound state of what was found, and follows the journal until it has to stop.
    fn keep_up(&self, found: &mut Found, Given { journal, head }: &Given) -> Stop {
        let done = self.sound(found, journal, *head).and_then(|engine| self.follow(engine, journal));
        done.err().unwrap_or(Stop::Closing)
    }

    /// Closes sled; a failure is told in the log.
    pub(super) fn close(&self, engine: Engine) {
        let _close = self.shared.calls.enter(Call::Close);
        if let Err(error) = engine.close() {
            tracing::warn!(error = told(&error), "sled did not close cleanly; the next start checks it");
        }
    }
}
