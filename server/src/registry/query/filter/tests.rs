//! Tests of filters as a whole, from their text to what they select.

mod cases;
mod refused;
mod selected;

use super::*;

/// The trees of these tests: each below the next.
pub(super) const TREE: &[&str] = &["focusAreas/deep", "focusAreas/learning", "focusAreas/ai", "focusAreas/science"];

/// [`TREE`], and nothing else.
pub(super) struct Trees;

impl Ancestry for Trees {
    fn is_under(&self, name: &str, root: &str) -> bool {
        let place = |name| TREE.iter().position(|known| *known == name);
        name == root || place(name).zip(place(root)).is_some_and(|(name, root)| name <= root)
    }
}
