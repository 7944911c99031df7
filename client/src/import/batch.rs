//! [`Batch`]: the rows of one commit.

use super::item::{Item, Place, first};

/// A batch ends here, so that it stays below the 4 MiB that a message may have.
const BYTES_MAX: usize = 3 * 1024 * 1024;

/// The rows of one commit.
#[derive(Debug, Default)]
pub(super) struct Batch {
    items: Vec<Item>,
    bytes: usize,
}

impl Batch {
    pub(super) fn has_room_for(&self, item: &Item, items_max: usize) -> bool {
        self.items.is_empty() || (self.items.len() < items_max && self.bytes + item.size() <= BYTES_MAX)
    }

    pub(super) fn push(&mut self, item: Item) {
        self.bytes += item.size();
        self.items.push(item);
    }

    /// The place of its first row.
    pub(super) fn first(&self) -> Option<Place> {
        first(&self.items)
    }

    /// Returns the rows, and leaves an empty batch.
    pub(super) fn take(&mut self) -> Vec<Item> {
        std::mem::take(self).items
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use partnership_registry::v1::Country;

    use super::super::options::RowOptions;
    use super::super::row::{Origin, Row};
    use super::*;

    fn item(name: &str, description: usize) -> Item {
        let country = Country { name: name.into(), description: "x".repeat(description), ..Country::default() };
        let row = Row { origin: Origin { source: "f".into(), line: 1 }, resource: Ok(country.into()) };
        Item::new(row, 1, RowOptions::default()).unwrap()
    }

    #[test]
    fn a_batch_is_limited_in_number_and_bytes() {
        let mut batch = Batch::default();
        assert!(batch.has_room_for(&item("countries/a", BYTES_MAX), 1), "the first always has room");
        batch.push(item("countries/a", 1_000));
        assert!(!batch.has_room_for(&item("countries/b", 0), 1));
        assert!(batch.has_room_for(&item("countries/b", 0), 2));
        assert!(!batch.has_room_for(&item("countries/b", BYTES_MAX - 500), 2));
        assert_eq!(batch.take().len(), 1);
        assert!(batch.has_room_for(&item("countries/b", BYTES_MAX), 2));
    }
}
