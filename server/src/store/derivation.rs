//! What is derived from the journal by those above the store: it takes the commits in their order, and may be saved in a
//! checkpoint and loaded from it.

use crate::store::Record;

/// What is derived from the journal. A closure that takes commits is one that is never saved.
pub trait Derivation {
    /// Takes the next commit. Behind a checkpoint, the first commits may be among what was loaded.
    fn apply(&mut self, record: Record);

    /// The version of what is saved: what another version has saved is not loaded.
    fn version(&self) -> String {
        String::new()
    }

    /// Takes the next block of what was saved. An error says why it is not used.
    fn load(&mut self, _block: &[u8]) -> Result<(), String> {
        Err("nothing can be loaded".to_owned())
    }

    /// All that was saved has been loaded, and the commits follow. An error says why it is not used.
    fn loaded(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// Forgets everything: the journal is read from its first commit on.
    fn reset(&mut self) {}
}

impl<F: FnMut(Record)> Derivation for F {
    fn apply(&mut self, record: Record) {
        self(record);
    }
}
