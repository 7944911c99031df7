//! Sets of rows: most hold one row or a few, some hold most of a kind.

use std::mem::size_of;

use roaring::RoaringBitmap;
use smallvec::SmallVec;

/// The number of a resource among those of its kind: dense, in the order of creation, and never given again.
pub(crate) type RowNumber = u32;

/// Up to so many rows are a list, which has a place for four in itself; more are a bitmap.
const FEW_MAX: usize = 32;

/// A set of rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rows {
    /// In their order.
    Few(SmallVec<[RowNumber; 4]>),
    Many(Box<RoaringBitmap>),
}

impl Default for Rows {
    fn default() -> Self {
        Self::Few(SmallVec::new())
    }
}

impl Rows {
    /// Takes a row in.
    pub(super) fn insert(&mut self, row: RowNumber) {
        match self {
            Self::Few(few) => {
                let Err(at) = few.binary_search(&row) else { return };
                if few.len() < FEW_MAX {
                    few.insert(at, row);
                } else {
                    let mut many: RoaringBitmap = few.iter().copied().collect();
                    many.insert(row);
                    *self = Self::Many(Box::new(many));
                }
            }
            Self::Many(many) => {
                many.insert(row);
            }
        }
    }

    /// Takes a row out. A set that has become small stays a bitmap until it is empty: it may grow again.
    pub(super) fn remove(&mut self, row: RowNumber) {
        match self {
            Self::Few(few) => {
                if let Ok(at) = few.binary_search(&row) {
                    few.remove(at);
                }
            }
            Self::Many(many) => {
                many.remove(row);
                if many.is_empty() {
                    *self = Self::default();
                }
            }
        }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Few(few) => few.len() as u64,
            Self::Many(many) => many.len(),
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows that are in `others` too.
    pub(crate) fn within(&self, others: &RoaringBitmap) -> RoaringBitmap {
        match self {
            Self::Few(few) => few.iter().copied().filter(|row| others.contains(*row)).collect(),
            Self::Many(many) => &**many & others,
        }
    }

    /// Whether some row is in `others` too.
    pub(crate) fn meets(&self, others: &RoaringBitmap) -> bool {
        match self {
            Self::Few(few) => few.iter().any(|row| others.contains(*row)),
            Self::Many(many) => !many.is_disjoint(others),
        }
    }

    /// Adds the rows to `others`.
    pub(crate) fn add_to(&self, others: &mut RoaringBitmap) {
        match self {
            Self::Few(few) => others.extend(few.iter().copied()),
            Self::Many(many) => *others |= &**many,
        }
    }

    /// About how many bytes of memory they take, but for those of the value itself.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Few(few) if few.spilled() => few.capacity() * size_of::<RowNumber>(),
            Self::Few(_) => 0,
            Self::Many(many) => {
                let statistics = many.statistics();
                let bytes = statistics.n_bytes_array_containers
                    + statistics.n_bytes_run_containers
                    + statistics.n_bytes_bitset_containers;
                size_of::<RoaringBitmap>()
                    + usize::try_from(bytes).unwrap_or(usize::MAX)
                    + 40 * statistics.n_containers as usize
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_the_same_set_whether_it_is_small_or_large() {
        let mut rows = Rows::default();
        let numbers: Vec<RowNumber> = (0..100).map(|number| (number * 37) % 101).collect();
        for number in &numbers {
            rows.insert(*number);
            rows.insert(*number);
        }
        assert_eq!(rows.len(), 100);
        let even: RoaringBitmap = (0..200).filter(|number| number % 2 == 0).collect();
        assert!(rows.meets(&even) && !rows.meets(&RoaringBitmap::new()));
        assert!(rows.within(&even).iter().all(|row| row % 2 == 0 && numbers.contains(&row)));
        for number in &numbers {
            rows.remove(*number);
        }
        assert_eq!(rows, Rows::default(), "an empty one is small again");
        assert!(rows.is_empty());
        let mut all = RoaringBitmap::new();
        rows.insert(7);
        rows.add_to(&mut all);
        assert_eq!(all.iter().collect::<Vec<_>>(), [7]);
    }
}
