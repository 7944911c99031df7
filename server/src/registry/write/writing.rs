//! How writing does, told to whoever watches.

use crate::registry::error::Error;
use crate::store::Obstacle;

/// How writing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// Writes are taken.
    Taken,
    /// Writes are refused, or all but small ones; they are taken again once what is in the way is gone, without a restart
    /// but for a journal that could only be read at the start.
    Refused(Obstacle),
    /// No write is taken until a restart, for this reason.
    Stopped(&'static str),
}

impl Writing {
    /// What a write is told that is refused for this.
    pub(crate) fn refusal(self) -> Option<Error> {
        match self {
            Writing::Taken => None,
            Writing::Stopped(why) => Some(Error::Stopped(why)),
            Writing::Refused(obstacle) => Some(match obstacle {
                Obstacle::Full => Error::NoRoom,
                Obstacle::NoDescriptors => Error::NoDescriptors,
                Obstacle::ReadOnly => Error::ReadOnly,
                Obstacle::Failing => Error::NoNextFile,
            }),
        }
    }
}
