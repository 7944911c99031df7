//! [`Seen`]: the names of all rows that were read, so that none is written twice.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;
use std::sync::Arc;

use super::row::Origin;

/// The names of the rows, and where each stood first. A name is kept as 128 bits of a keyed hash, so that a million rows take
/// some 50 MB; the registry itself takes more than that for them.
#[derive(Debug, Default)]
pub(super) struct Seen {
    hashers: [RandomState; 2],
    places: HashMap<u128, (u32, u64)>,
    sources: Vec<Arc<str>>,
}

impl Seen {
    /// Notes a name. If it was seen before: where.
    pub(super) fn note(&mut self, name: &str, origin: &Origin) -> Option<Origin> {
        let source = self.source(&origin.source);
        match self.places.entry(hash(&self.hashers, name)) {
            Entry::Vacant(free) => {
                free.insert((source, origin.line));
                None
            }
            Entry::Occupied(known) => {
                let (source, line) = *known.get();
                let source = self.sources.get(source as usize).unwrap_or(&origin.source);
                Some(Origin { source: Arc::clone(source), line })
            }
        }
    }

    /// Whether a row had this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(&hash(&self.hashers, name))
    }

    /// The number of a source. Rows of the same one come together.
    fn source(&mut self, source: &Arc<str>) -> u32 {
        if self.sources.last() != Some(source) {
            self.sources.push(Arc::clone(source));
        }
        u32::try_from(self.sources.len() - 1).unwrap_or(u32::MAX)
    }
}

fn hash(hashers: &[RandomState; 2], name: &str) -> u128 {
    let [high, low] = hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(name)));
    high << 64 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_seen_is_found_where_it_stood_first() {
        let at = |source: &str, line| Origin { source: source.into(), line };
        let mut seen = Seen::default();
        for line in 1..=1_000 {
            assert_eq!(seen.note(&format!("countries/{line}"), &at("a", line)), None);
        }
        assert_eq!(seen.note("countries/x", &at("b", 1)), None);
        assert_eq!(seen.note("countries/7", &at("b", 2)), Some(at("a", 7)));
        assert_eq!(seen.note("countries/x", &at("b", 3)), Some(at("b", 1)));
        assert!(seen.has("countries/x") && !seen.has("countries/y"));
    }
}
