//! Lists of values in one array, one for each row: a list of its own for each would take more memory for itself than for
//! what is in it.

use crate::registry::index::secondary::rows::RowNumber;

/// What was replaced is given back when it is so many bytes, and half of all.
const WASTE_BYTES_MAX: usize = 1 << 20;

/// A list for each row.
#[derive(Debug)]
pub(super) struct Pieces<T> {
    /// For each row, where its list begins, and how long it is.
    spans: Vec<(u32, u32)>,
    values: Vec<T>,
    /// How many of the values belong to no row any more.
    waste: usize,
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self { spans: Vec::new(), values: Vec::new(), waste: 0 }
    }
}

impl<T: Copy> Pieces<T> {
    /// The list of a row.
    #[inline]
    pub(super) fn get(&self, row: RowNumber) -> &[T] {
        let Some((begin, len)) = self.spans.get(row as usize) else { return &[] };
        self.values.get(*begin as usize..*begin as usize + *len as usize).unwrap_or_default()
    }

    /// The lists of all rows, by the numbers of the rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RowNumber, &[T])> {
        let list = |(begin, len): &(u32, u32)| self.values.get(*begin as usize..*begin as usize + *len as usize);
        (0..).zip(&self.spans).map(move |(row, span)| (row, list(span).unwrap_or_default()))
    }

    /// Replaces the list of a row.
    pub(super) fn set(&mut self, row: RowNumber, list: &[T]) {
        if self.spans.len() <= row as usize {
            self.spans.resize(row as usize + 1, (0, 0));
        }
        let Some(span) = self.spans.get_mut(row as usize) else { return };
        let (begin, old) = (span.0 as usize, span.1 as usize);
        if let Some(place) = self.values.get_mut(begin..begin + list.len()).filter(|_| list.len() <= old) {
            place.copy_from_slice(list);
            self.waste += old - list.len();
        } else {
            self.waste += old;
            // More than 2^32 of them do not fit into the memory of an index.
            span.0 = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
            self.values.extend_from_slice(list);
        }
        span.1 = u32::try_from(list.len()).unwrap_or(u32::MAX);
        if self.waste > (WASTE_BYTES_MAX / size_of::<T>()).max(self.values.len() / 2) {
            self.compact();
        }
    }

    /// Leaves out what belongs to no row.
    pub(super) fn compact(&mut self) {
        let mut values = Vec::with_capacity(self.values.len() - self.waste);
        for (begin, len) in &mut self.spans {
            let list = self.values.get(*begin as usize..*begin as usize + *len as usize).unwrap_or_default();
            *begin = u32::try_from(values.len()).unwrap_or(u32::MAX);
            values.extend_from_slice(list);
        }
        (self.values, self.waste) = (values, 0);
    }

    /// About how many bytes of memory they take.
    pub(super) fn heap_bytes(&self) -> usize {
        self.spans.capacity() * size_of::<(u32, u32)>() + self.values.capacity() * size_of::<T>()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::store::dice::Dice;

    #[test]
    fn each_row_has_the_list_that_it_was_given_last() {
        let mut dice = Dice(3);
        let (mut pieces, mut plain) = (Pieces::default(), vec![Vec::new(); 50]);
        for turn in 0..5_000 {
            let row = usize::try_from(dice.roll() % 50).unwrap();
            let list: Vec<u64> = (0..dice.roll() % 7).map(|_| dice.roll()).collect();
            pieces.set(u32::try_from(row).unwrap(), &list);
            plain[row] = list;
            if turn % 1_000 == 999 {
                pieces.compact();
                assert_eq!(pieces.values.len(), plain.iter().map(Vec::len).sum::<usize>(), "nothing is left over");
            }
        }
        for (row, list) in pieces.iter() {
            assert_eq!(list, plain[row as usize]);
            assert_eq!(pieces.get(row), list);
        }
        assert_eq!(pieces.get(1_000), [0; 0]);
    }
}
