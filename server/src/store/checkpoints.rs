//! The checkpoints of a store in use: when one is due, and how it is saved.

use std::path::PathBuf;

use tokio::sync::watch;

use super::checkpoint::{self, CheckpointError};
use super::journal::JournalReader;
use super::record::{Head, Revision};
use super::scrub::JournalHealth;

/// The checkpoints of a store in use.
pub struct Checkpoints {
    data_dir: PathBuf,
    journal: JournalReader,
    version: String,
    due_after_bytes: u64,
    /// How long the journal was, in bytes of commits, when the last checkpoint began; 0 if there is none.
    saved_at: u64,
    health: watch::Receiver<JournalHealth>,
}

impl Checkpoints {
    /// Those of a store that was opened from the checkpoint of the commit `from`, or from none.
    pub(super) fn new(
        data_dir: PathBuf,
        journal: JournalReader,
        version: String,
        from: Option<Head>,
        due_after_bytes: u64,
        health: watch::Receiver<JournalHealth>,
    ) -> Checkpoints {
        let saved_at = from.map_or(0, |from| journal.commit_bytes_up_to(from.revision));
        Checkpoints { data_dir, journal, version, due_after_bytes, saved_at, health }
    }

    /// Whether so much was committed since the last checkpoint that it is time for another. A damaged journal has none: the
    /// next start is to read it.
    #[must_use]
    pub fn is_due(&self) -> bool {
        !self.is_damaged() && self.journal.commit_bytes() >= self.saved_at + self.due_after_bytes
    }

    /// Saves what is derived, in blocks, none of it older than the commit `from`; a block that is `None` ends it in vain.
    /// Answers how many bytes the checkpoint has. A failure leaves the last one in its place, and is no harm but to the
    /// time of a start.
    pub fn save(
        &mut self,
        from: Revision,
        derived: &mut dyn Iterator<Item = Option<Vec<u8>>>,
    ) -> Result<Option<u64>, CheckpointError> {
        let saved = checkpoint::save(&self.data_dir, &self.journal, self.version.clone(), from, derived)?;
        if saved.is_some() {
            self.saved_at = self.journal.commit_bytes_up_to(from);
        }
        if self.is_damaged() {
            // This was found meanwhile.
            checkpoint::remove(&self.data_dir)?;
        }
        Ok(saved)
    }

    fn is_damaged(&self) -> bool {
        matches!(*self.health.borrow(), JournalHealth::Damaged(_))
    }
}
