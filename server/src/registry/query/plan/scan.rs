//! The two ways to put a set of resources together from what an index knows.

use roaring::RoaringBitmap;

use crate::registry::index::secondary::{FactNumber, Rows};
use crate::values::truth::Truth;

/// The resources of all these sets.
pub(super) fn union<'a>(sets: impl Iterator<Item = &'a Rows>) -> RoaringBitmap {
    let mut union = RoaringBitmap::new();
    let mut few = Vec::new();
    for rows in sets {
        match rows {
            Rows::Few(rows) => few.extend_from_slice(rows),
            Rows::Many(_) => rows.add_to(&mut union),
        }
    }
    // In their order, each goes to the end of what there is.
    few.sort_unstable();
    few.dedup();
    union | few.into_iter().collect::<RoaringBitmap>()
}

/// The resources whose fact in a column is as wanted; `truths` says of each fact how it is, and what is absent is FALSE.
pub(super) fn column(column: &[FactNumber], truths: &[Truth], wanted: Truth) -> RoaringBitmap {
    let is_wanted = |fact: &FactNumber| truths.get(*fact as usize).copied().unwrap_or(Truth::False) == wanted;
    // Eight resources a byte, which is how a bitmap takes them in at once.
    let bytes: Vec<u8> = column
        .chunks(8)
        .map(|facts| facts.iter().enumerate().fold(0, |byte, (bit, fact)| byte | u8::from(is_wanted(fact)) << bit))
        .collect();
    RoaringBitmap::from_lsb0_bytes(0, &bytes)
}
