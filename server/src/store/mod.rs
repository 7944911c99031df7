//! The store. It keeps commits as bytes, in order and durably (the journal), and what they add up to (the state, in sled),
//! and knows neither kinds nor rules. The journal is the truth, the state follows it: whatever is wrong with the state is
//! healed from the journal, and whatever is wrong with the journal is refused.

mod checkpoint;
mod checkpoints;
mod derivation;
#[cfg(test)]
pub(crate) mod dice;
mod disk;
mod journal;
mod open;
mod record;
mod scrub;
mod state;

use std::path::{Path, PathBuf};

pub use checkpoint::CheckpointError;
pub use checkpoints::Checkpoints;
pub use derivation::Derivation;
pub use disk::{DiskError, Obstacle};
pub use journal::{JournalError, JournalReader, JournalScan, JournalWriter};
pub use open::{Opened, open};
pub use record::{Action, Change, Hash, Head, Place, Record, RequestMark, Revision, Salt, digest};
pub use scrub::{JournalHealth, Scrub};
pub use state::{PlantedStall, READS_MAX, StateFollower, StateHealth, StateReader};

const JOURNAL_DIR: &str = "journal";

/// How a store is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// The size of a journal segment; a single group that is larger gets a larger one. Twice as much is taken from the
    /// disk at once. 64 MiB by default: quick to copy, and few files.
    pub segment_bytes_max: u64,
    /// After so many bytes of commits a checkpoint is due. 64 MiB by default: a start reads so much in a second or two.
    pub checkpoint_bytes: u64,
    /// `false` leaves out the `fdatasync` of each group, and with it every promise. Only for the
    /// test which shows that the power-cut test would notice.
    pub sync: bool,
    /// Memory for sled's cache of pages. 256 MiB by default.
    pub cache_bytes_max: u64,
    /// A call into sled that does not come back. Only for the tests which show that nobody waits for it.
    pub stall: Option<PlantedStall>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_bytes_max: 64 << 20,
            checkpoint_bytes: 64 << 20,
            sync: true,
            cache_bytes_max: 256 << 20,
            stall: None,
        }
    }
}

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The journal is not sound.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The operating system gives no thread.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
    /// Another server has the directory.
    #[error("the data directory {} is in use by another server; stop that one, or name another directory", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
}

/// Reads and verifies the journal under a data directory from its first commit on, without changing or locking anything:
/// beside a running server too. Ends quietly before an unfinished last commit, and after the first error.
pub fn scan_read_only(
    data_dir: &Path,
) -> Result<impl Iterator<Item = Result<Record, JournalError>> + use<>, JournalError> {
    journal::scan_read_only(&data_dir.join(JOURNAL_DIR), data_dir)
}
