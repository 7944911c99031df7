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

/// The tree of a filter, with all its parentheses.
pub(super) fn canonical(text: &str) -> Result<String, String> {
    let read = || parse::parse(&lex::lex(text)?, text.len());
    let node = read().map_err(|error: Error| error.describe(text))?;
    Ok(node.map(|node| node.to_string()).unwrap_or_default())
}
