//! How the state does, told to whoever watches. Two speak: the follower says what it is at, the watchdog whether a call
//! into sled is overdue; while one is, that is what is told.

use std::fmt;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::store::Revision;
use crate::store::state::calls::Call;

/// How the state does. Whatever it is, nothing is lost or wrong by it: what sled does not answer the journal does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateHealth {
    /// It is being opened and checked.
    Opening,
    /// It is being built anew from the journal.
    Rebuilding,
    /// It is sound, and behind the journal.
    CatchingUp,
    /// It is sound, and goes with the journal.
    Following,
    /// A call into sled does not come back.
    Stalled {
        /// Which one.
        call: Call,
        /// Since when.
        since: Instant,
    },
    /// It is not used for now, for this reason, and is opened again before long.
    Waiting(String),
    /// It is not used until a restart, for this reason.
    Failed(String),
    /// It knows of commits that the journal does not have. It is neither used nor touched.
    BehindWitness {
        /// The last commit that the state knows of.
        applied: Revision,
    },
    /// The store is closed.
    Closed,
}

impl StateHealth {
    /// Whether sled answers reads as it should.
    #[must_use]
    pub fn is_well(&self) -> bool {
        *self == StateHealth::Following
    }
}

impl fmt::Display for StateHealth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateHealth::Opening => formatter.write_str("being opened and checked"),
            StateHealth::Rebuilding => formatter.write_str("being rebuilt from the journal"),
            StateHealth::CatchingUp => formatter.write_str("catching up with the journal"),
            StateHealth::Following => formatter.write_str("following the journal"),
            StateHealth::Stalled { call, since } => {
                write!(formatter, "stalled in {call} for {:.1} s", since.elapsed().as_secs_f64())
            }
            StateHealth::Waiting(why) => write!(formatter, "not used for now: {why}"),
            StateHealth::Failed(why) => write!(formatter, "failed: {why}"),
            StateHealth::BehindWitness { applied } => {
                write!(formatter, "not used: it knows of revision {applied}, which the journal has lost")
            }
            StateHealth::Closed => formatter.write_str("closed"),
        }
    }
}

/// What is told, and by whom.
pub(super) struct Health {
    said: Mutex<Said>,
    told: watch::Sender<StateHealth>,
}

struct Said {
    /// By the follower.
    phase: StateHealth,
    /// By the watchdog.
    stalled: Option<(Call, Instant)>,
}

impl Health {
    pub(super) fn new() -> Health {
        let said = Said { phase: StateHealth::Opening, stalled: None };
        Health { said: Mutex::new(said), told: watch::Sender::new(StateHealth::Opening) }
    }

    pub(super) fn watch(&self) -> watch::Receiver<StateHealth> {
        self.told.subscribe()
    }

    /// Whether it is well by the follower's word.
    pub(super) fn is_well(&self) -> bool {
        self.said.lock().phase.is_well()
    }

    /// The follower's word.
    pub(super) fn set_phase(&self, phase: StateHealth) {
        let mut said = self.said.lock();
        said.phase = phase;
        self.tell(&said);
    }

    /// The watchdog's word. Answers what it was before.
    pub(super) fn set_stalled(&self, stalled: Option<(Call, Instant)>) -> Option<(Call, Instant)> {
        let mut said = self.said.lock();
        let before = std::mem::replace(&mut said.stalled, stalled);
        if before != stalled {
            self.tell(&said);
        }
        before
    }

    fn tell(&self, said: &Said) {
        let health = match said.stalled {
            Some((call, since)) => StateHealth::Stalled { call, since },
            None => said.phase.clone(),
        };
        self.told.send_if_modified(|told| {
            let changed = *told != health;
            *told = health;
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_hides_what_the_follower_says_until_it_is_over() {
        let health = Health::new();
        let mut watch = health.watch();
        assert_eq!(*watch.borrow_and_update(), StateHealth::Opening);
        let stall = (Call::Flush, Instant::now());
        assert_eq!(health.set_stalled(Some(stall)), None);
        health.set_phase(StateHealth::Following);
        assert!(matches!(*watch.borrow_and_update(), StateHealth::Stalled { call: Call::Flush, .. }));
        assert_eq!(health.set_stalled(None), Some(stall));
        assert!(watch.borrow_and_update().is_well());
        health.set_phase(StateHealth::Following);
        assert!(!watch.has_changed().unwrap_or(true), "what has not changed is not told again");
    }
}
