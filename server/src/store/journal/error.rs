//! Why the journal did not do what it was asked.

use std::path::PathBuf;

use crate::store::disk::{DiskError, Obstacle};
use crate::store::record::Revision;

/// Why the journal did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Stored bytes are not what was written.
    #[error("the journal is damaged in {} at byte {offset}: {what}; nothing was changed; restore that file from a backup or from another copy of this journal", path.display())]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// A segment file is not there, though there must be one.
    #[error("the journal breaks off before revision {expected}: {} is not there; nothing was changed; restore that file from a backup or from another copy of this journal", path.display())]
    MissingSegment {
        /// The file that should be there.
        path: PathBuf,
        /// The revision that it begins with.
        expected: Revision,
    },
    /// There is no journal, and something shows that there was one.
    #[error("the journal is missing: {} has no segments, yet {} shows that it had commits; nothing was changed; restore the journal from a backup or from another copy; only if there is none, and knowing that every commit is lost, remove {}", journal.display(), witness.display(), witness.display())]
    Missing {
        /// Where the journal should be.
        journal: PathBuf,
        /// What shows that there was one.
        witness: PathBuf,
    },
    /// Commits that were durable are not there any more.
    #[error("the journal has lost its end: {} goes up to revision {head}, and {} knows of {known}; nothing was changed; restore {} from a backup or from another copy; only if that is impossible, and knowing that acknowledged commits are lost, remove {}", journal.display(), witness.display(), journal.display(), witness.display())]
    LostEnd {
        /// The journal.
        journal: PathBuf,
        /// Its last revision.
        head: Revision,
        /// What knows of more.
        witness: PathBuf,
        /// What it knows of: "commits up to revision 7".
        known: String,
    },
    /// An older server wrote this journal.
    #[error("the journal file {} was written by an older version of this server, in a format that this one does not read; nothing was changed; start the older version on this directory, write everything out with `partnerctl export`, start this version on a new directory, and read it in with `partnerctl import`", path.display())]
    OlderFormat {
        /// The file that says so.
        path: PathBuf,
    },
    /// A newer server wrote this journal.
    #[error("the journal file {} was written by a newer version of this server, in format {version}; this one knows format {known}; nothing was changed; start the newer version", path.display())]
    NewerFormat {
        /// The file that says so.
        path: PathBuf,
        /// The format of the file.
        version: u32,
        /// The newest format that this server knows.
        known: u32,
    },
    /// A commit is whole, and means nothing to this server.
    #[error(
        "revision {revision} of the journal is whole but is not a commit that this version can read; start the version of the server that wrote it"
    )]
    Unreadable {
        /// The revision.
        revision: Revision,
    },
    /// The directory holds no journal.
    #[error("there is no journal in {}; name the data directory of a server", dir.display())]
    Absent {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// The journal has no such commit.
    #[error("there is no revision {revision}: the journal goes from 1 to {head}")]
    NotFound {
        /// What was asked for.
        revision: Revision,
        /// The last revision there is.
        head: Revision,
    },
    /// The commits are too large to be written. Nothing was, and the journal goes on.
    #[error("a commit or group of {bytes} bytes is more than the journal takes, {bytes_max}")]
    TooLarge {
        /// Their size.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// The commits were made to follow another head. Nothing was written, and the journal goes on.
    #[error("the commits follow revision {expected}, and the journal ends with {head}")]
    WrongHead {
        /// What they follow.
        expected: Revision,
        /// The last revision there is.
        head: Revision,
    },
    /// Something was in the way. Nothing was written, and the journal goes on once it is gone.
    #[error("nothing was written to the journal: {}", told(*.obstacle))]
    Unwritten {
        /// What was in the way.
        obstacle: Obstacle,
        /// What could not be done.
        source: DiskError,
    },
    /// The directory or the file that is written is not what its path leads to any more.
    #[error("{} is not what this server writes to any more: it was removed, or something else took its place; restart the server once it is known which of the two is the journal", path.display())]
    Moved {
        /// The path.
        path: PathBuf,
    },
    /// An earlier write failed, so nobody knows what the disk holds behind the last head.
    #[error("the journal takes no more commits since a write to it failed; restart the server once the disk is well")]
    Stopped,
}

impl JournalError {
    /// Of what could not be done, where that has changed nothing.
    pub(super) fn unwritten(source: DiskError) -> JournalError {
        JournalError::Unwritten { obstacle: source.obstacle(), source }
    }
}

fn told(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Full => "there is no room; it goes on once there is",
        Obstacle::NoDescriptors => "there is no file descriptor left; it goes on once there is one",
        Obstacle::ReadOnly => "it may only be read",
        Obstacle::Failing => "its next file could not be made; it goes on once that can be",
    }
}
