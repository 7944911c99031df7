//! Making a sound state: what lies there is opened and held against the journal; what cannot be trusted is set aside, and
//! a new one begun. A sled that knows of commits which the journal does not have is neither used nor touched: it may be
//! all that is left of them.

use std::path::Path;

use crate::store::disk::{self, failed};
use crate::store::state::calls::Call;
use crate::store::state::engine::{Engine, StateError};
use crate::store::state::health::StateHealth;
use crate::store::state::key::Mark;
use crate::store::state::thread::{Follower, Found, Stop, told};
use crate::store::{Head, JournalError, JournalReader, Revision};

/// Whether sled, held against the journal, bears out that the journal's end is there.
pub(in crate::store) enum Standing {
    /// It does.
    Sound,
    /// sled knows of later commits.
    Ahead,
    /// sled knows of another commit under a revision that the journal has.
    Forked,
}

/// Holds a mark of this store against the journal, which ended with `head` when it was opened.
pub(in crate::store) fn standing(
    mark: &Mark,
    journal: &JournalReader,
    head: Revision,
) -> Result<Standing, JournalError> {
    if mark.head.revision > head {
        return Ok(Standing::Ahead);
    }
    let then = match mark.head.revision {
        0 => Head::NONE,
        revision => journal.read(revision)?.head(),
    };
    Ok(if mark.head == then { Standing::Sound } else { Standing::Forked })
}

impl Follower {
    /// Opens what lies where sled should be. Nothing is verified by that.
    pub(super) fn open(&self) -> Found {
        match disk::list(&self.places.sled_dir) {
            Ok(files) if files.is_empty() => return Found::Absent,
            Ok(_) => {}
            Err(error) => return Found::Unopened(told(&error)),
        }
        let mut engine = match self.open_engine() {
            Ok(engine) => engine,
            Err(error) if error.may_pass() => return Found::Unopened(told(&error)),
            Err(error) => return Found::Doubtful(told(&error)),
        };
        let mark = {
            let _mark = self.shared.calls.enter(Call::Mark);
            engine.read_mark()
        };
        match mark {
            Ok(mark) => Found::Open(engine, mark),
            Err(error) => {
                self.close(engine);
                Found::Doubtful(told(&error))
            }
        }
    }

    fn open_engine(&self) -> Result<Engine, StateError> {
        let _open = self.shared.calls.enter(Call::Open);
        Engine::open(&self.places.sled_dir, self.places.cache_bytes_max)
    }

    /// A state of this journal: the one that was found, or a new one. Leaves in `found` what must not be used.
    pub(super) fn sound(&self, found: &mut Found, journal: &JournalReader, head: Revision) -> Result<Engine, Stop> {
        if let Found::Open(_, mark) = found
            && mark.store_id == journal.store_id()
        {
            // Before anything else is held against it: this may be all that is left of a lost end.
            match standing(mark, journal, head)? {
                Standing::Sound => {}
                Standing::Ahead | Standing::Forked => return Err(Stop::BehindWitness(mark.head.revision)),
            }
        }
        let why = match std::mem::replace(found, Found::Absent) {
            Found::Absent if head == 0 => return self.begin(journal),
            Found::Absent => {
                tracing::info!(head, "there is no state; building it from the journal");
                self.shared.health.set_phase(StateHealth::Rebuilding);
                return self.begin(journal);
            }
            Found::Unopened(why) => return Err(Stop::Waiting(why)),
            Found::Doubtful(why) => why,
            Found::Open(engine, mark) if mark.store_id != journal.store_id() => {
                self.close(engine);
                "it belongs to another journal".to_owned()
            }
            Found::Open(engine, _) => match self.verify(&engine) {
                Ok(()) => {
                    if engine.applied() < journal.head() {
                        self.shared.health.set_phase(StateHealth::CatchingUp);
                    }
                    return Ok(engine);
                }
                Err(error) => {
                    self.close(engine);
                    match Stop::from(error) {
                        Stop::Failed(why) => why,
                        stop @ (Stop::Closing | Stop::Waiting(_) | Stop::BehindWitness(_)) => return Err(stop),
                    }
                }
            },
        };
        tracing::warn!(why, head, "the state cannot be trusted; rebuilding it from the journal");
        self.shared.health.set_phase(StateHealth::Rebuilding);
        self.set_aside()?;
        self.begin(journal)
    }

    /// Puts what cannot be trusted aside, or away where that cannot be done: its place may be taken by what cannot be
    /// removed, or be a mount point.
    fn set_aside(&self) -> Result<(), Stop> {
        self.remove_aside();
        let sled_dir: &Path = &self.places.sled_dir;
        let Err(source) = std::fs::rename(sled_dir, &self.places.aside_dir) else { return Ok(()) };
        let error = failed("rename", sled_dir)(source);
        tracing::warn!(%error, cause = %error.source, "the state that cannot be trusted is not set aside, but removed");
        match disk::remove(sled_dir) {
            // It is as good as gone if nothing is left in it.
            Err(error) if !disk::list(sled_dir)?.is_empty() => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes what was set aside. What cannot be removed stays, and is in the way of nothing.
    pub(super) fn remove_aside(&self) {
        if let Err(error) = disk::remove(&self.places.aside_dir) {
            tracing::warn!(%error, cause = %error.source, "the remains of an earlier state stay; remove them");
        }
    }

    fn begin(&self, journal: &JournalReader) -> Result<Engine, Stop> {
        let mut engine = self.open_engine()?;
        match engine.begin(journal.store_id()) {
            Ok(()) => Ok(engine),
            Err(error) => {
                self.close(engine);
                Err(error.into())
            }
        }
    }

    fn verify(&self, engine: &Engine) -> Result<(), StateError> {
        let verify = self.shared.calls.enter(Call::Verify);
        engine.verify(|| {
            verify.renew();
            !self.shared.is_closing()
        })
    }
}
