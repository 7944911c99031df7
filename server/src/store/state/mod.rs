//! The state: what the journal adds up to, kept in sled so that it can be looked up. Nothing here is the truth: whatever
//! is lost or damaged is derived again from the journal, and whatever sled does not answer the journal does.
//!
//! One thread, the `follower`, owns sled and follows the journal from the position that sled itself holds; others read by
//! a `reader`. sled 0.34 can keep a caller for ever, so each call into it can be given up on (`calls`, `watchdog`).
//! Invariant: nobody but the follower and at most `READS_MAX` tasks of readers ever waits for sled.

mod calls;
mod changes;
mod engine;
mod follower;
mod following;
mod health;
mod key;
mod opening;
mod reader;
mod thread;
mod watchdog;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

pub use calls::{PlantedStall, READS_MAX};
pub use follower::StateFollower;
pub(in crate::store) use follower::Witness;
pub use health::StateHealth;
pub(in crate::store) use opening::{Standing, standing};
pub use reader::StateReader;
pub(in crate::store) use thread::{Places, told};

use crate::store::Revision;
use calls::Calls;
use engine::{Engine, StateError};
use health::Health;

/// What the follower, the readers and the watchdog share.
struct Shared {
    /// sled, once it is sound. The follower holds this alone while it applies or flushes; readers only try it.
    gate: RwLock<Option<Engine>>,
    applied: AtomicU64,
    calls: Arc<Calls>,
    health: Health,
    /// What a reader found wrong; nobody reads after that.
    doubt: Mutex<Option<StateError>>,
    doubted: AtomicBool,
    closing: AtomicBool,
    /// The follower has ended, or was left behind.
    ended: AtomicBool,
}

impl Shared {
    fn new(planted: Option<PlantedStall>) -> Shared {
        Shared {
            gate: RwLock::new(None),
            applied: AtomicU64::new(0),
            calls: Arc::new(Calls::new(planted)),
            health: Health::new(),
            doubt: Mutex::new(None),
            doubted: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    fn applied(&self) -> Revision {
        self.applied.load(Ordering::Acquire)
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether a read would find sled there and free now.
    fn can_be_read(&self) -> bool {
        !self.doubted.load(Ordering::Acquire) && self.gate.try_read().is_some_and(|engine| engine.is_some())
    }

    /// Reads sled, if it is there and free. What is wrong with it stops all reading: the follower will say why.
    fn read<T>(&self, read: impl FnOnce(&Engine) -> Result<T, StateError>) -> Option<T> {
        let gate = self.gate.try_read()?;
        match read(gate.as_ref()?) {
            Ok(found) => Some(found),
            Err(error) => {
                self.doubt.lock().get_or_insert(error);
                self.doubted.store(true, Ordering::Release);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
