//! The trees of resources, as filters ask them: by the index, as of its head.

use crate::registry::index::{Index, Tables};
use crate::registry::query::filter::Ancestry;

impl Ancestry for Tables {
    fn is_under(&self, name: &str, root: &str) -> bool {
        // The writer keeps trees free of circles.
        let mut at = name;
        loop {
            if at == root {
                return true;
            }
            match self.parent(at) {
                Some(parent) => at = parent,
                None => return false,
            }
        }
    }
}

impl Ancestry for Index {
    /// Takes the tables for this question alone, so that commits go on between the documents that are asked.
    fn is_under(&self, name: &str, root: &str) -> bool {
        self.read().is_under(name, root)
    }
}
