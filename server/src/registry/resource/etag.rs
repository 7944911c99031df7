//! Etags: what distinguishes a version of a resource from all others (AIP-154).
//!
//! A resource changes at most once in a revision, so its etag is that revision and a mark of the store: nothing is hashed.
//! Etags are strong, and their double quotes belong to them, here as everywhere.

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
        format!("\"{revision:x}-{:08x}\"", self.mark)
    }
}

/// The rule that a text breaks which is no single strong etag (RFC 9110): what a caller sends must be one, whether or not
/// it is the current one.
pub(crate) fn check(text: &str) -> Option<&'static str> {
    let tag = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let good = tag.is_some_and(|tag| tag.bytes().all(|byte| byte > b' ' && byte != b'"' && byte != 0x7f));
    (!good).then_some("must be one etag in its double quotes, as it was answered: no W/, no * and no list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_one_quoted_tag_and_nothing_else() {
        let etag = Etags::new(Uuid::from_u128(1), 1).of(7);
        assert!(etag.starts_with("\"7-") && etag.ends_with('"'), "{etag}");
        for good in [etag.as_str(), "\"\"", "\"a\"", "\"!#~\"", "\"한\""] {
            assert_eq!(check(good), None, "{good}");
        }
        let bad = [
            "",
            "a",
            "*",
            "\"",
            "\"a",
            "a\"",
            "W/\"a\"",
            "w/\"a\"",
            "\"*\",\"a\"",
            "\"a\", \"b\"",
            "\"a b\"",
            " \"a\"",
            "\"a\" ",
            "\"a\"b\"",
            "\"\u{7f}\"",
            "'a'",
        ];
        for bad in bad {
            assert!(check(bad).is_some(), "{bad}");
        }
    }

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
