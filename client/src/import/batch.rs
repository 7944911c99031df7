//! [`Batch`]: the rows of one commit.

use std::collections::HashSet;

use prost::Message as _;

use super::row::Item;

/// A batch ends here, so that it stays below the 4 MiB that a message may have.
const BYTES_MAX: usize = 3 * 1024 * 1024;

/// An upper bound for the bytes of a mutation besides its resource.
const OVERHEAD: usize = 32;

/// The rows of one commit. No name is in it twice.
#[derive(Debug, Default)]
pub(super) struct Batch {
    items: Vec<Item>,
    names: HashSet<String>,
    bytes: usize,
}

impl Batch {
    pub(super) fn has_room_for(&self, item: &Item, items_max: usize) -> bool {
        self.items.is_empty()
            || (self.items.len() < items_max
                && self.bytes + size(item) <= BYTES_MAX
                && !self.names.contains(item.resource.name()))
    }

    pub(super) fn push(&mut self, item: Item) {
        self.bytes += size(&item);
        self.names.insert(item.resource.name().to_owned());
        self.items.push(item);
    }

    /// Returns the rows, and leaves an empty batch.
    pub(super) fn take(&mut self) -> Vec<Item> {
        std::mem::take(self).items
    }
}

fn size(item: &Item) -> usize {
    item.resource.encoded_len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::Country;

    use super::super::row::Origin;
    use super::*;

    fn item(name: &str, description: usize) -> Item {
        let country = Country { name: name.into(), description: "x".repeat(description), ..Country::default() };
        Item { origin: Origin { source: "f".into(), line: 1 }, resource: country.into() }
    }

    #[test]
    fn a_batch_is_limited_in_number_and_bytes_and_has_each_name_once() {
        let mut batch = Batch::default();
        assert!(batch.has_room_for(&item("countries/a", BYTES_MAX), 1), "the first always has room");
        batch.push(item("countries/a", 1_000));
        assert!(!batch.has_room_for(&item("countries/b", 0), 1));
        assert!(batch.has_room_for(&item("countries/b", 0), 2));
        assert!(!batch.has_room_for(&item("countries/a", 0), 2));
        assert!(!batch.has_room_for(&item("countries/b", BYTES_MAX - 500), 2));
        assert_eq!(batch.take().len(), 1);
        assert!(batch.has_room_for(&item("countries/a", 0), 2));
    }
}
