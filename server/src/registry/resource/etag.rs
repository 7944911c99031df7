//! Etags: what distinguishes a version of a resource from all others (AIP-154).
//!
//! A resource changes at most once in a revision, so its etag is that revision and a mark of the store: nothing is hashed.

use uuid::Uuid;

use crate::store::Revision;

/// Makes the etags of one store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Etags {
    /// Tells the etags of one store, and of one epoch of it, from those of others.
    mark: u32,
}

impl Etags {
    /// The etags of a store in an epoch.
    pub(crate) fn new(store_id: Uuid, epoch: u64) -> Self {
        let mut mark = crc32fast::Hasher::new();
        mark.update(store_id.as_bytes());
        mark.update(&epoch.to_le_bytes());
        Self { mark: mark.finalize() }
    }

    /// The etag of any resource that last changed in `revision`.
    pub(crate) fn of(self, revision: Revision) -> String {
        format!("{revision:x}-{:08x}", self.mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_of_one_revision_one_store_and_one_epoch() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let etag = Etags::new(one, 1).of(7);
        assert_eq!(etag, Etags::new(one, 1).of(7));
        for another in [Etags::new(one, 1).of(8), Etags::new(other, 1).of(7), Etags::new(one, 2).of(7)] {
            assert_ne!(etag, another);
        }
    }
}
