//! Numbers that stand in an order which only their owner knows, such as rows by their names: four bytes for each, where
//! a tree of names would take thirty.
//!
//! They lie in chunks, so that one in between moves no more than a chunk.

use std::cmp::Ordering;

/// The most numbers of a chunk. To move half of them costs less than to find the place.
const CHUNK_MAX: usize = 512;

/// Numbers in an order.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    /// None of them is empty.
    chunks: Vec<Vec<u32>>,
}

/// A place between two numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cut {
    chunk: usize,
    at: usize,
}

impl Sorted {
    /// All of them, which come in their order.
    pub(super) fn of(numbers: &[u32]) -> Self {
        // With room for those that come between.
        Self { chunks: numbers.chunks(CHUNK_MAX / 2).map(<[u32]>::to_vec).collect() }
    }

    /// The place before the first number that is not less than what is searched. `compare` tells how a number stands to
    /// that.
    pub(crate) fn cut(&self, compare: impl Fn(u32) -> Ordering) -> Cut {
        let less = |number: Option<&u32>| number.is_some_and(|number| compare(*number) == Ordering::Less);
        let chunk = self.chunks.partition_point(|chunk| less(chunk.last()));
        let at = self.chunks.get(chunk).map_or(0, |chunk| chunk.partition_point(|number| less(Some(number))));
        Cut { chunk, at }
    }

    /// Takes a number in. `compare` tells how another stands to it.
    pub(super) fn insert(&mut self, number: u32, compare: impl Fn(u32) -> Ordering) {
        let Cut { mut chunk, mut at } = self.cut(compare);
        if chunk == self.chunks.len() {
            // Behind all others.
            match self.chunks.last() {
                None => self.chunks.push(Vec::new()),
                Some(last) => at = last.len(),
            }
            chunk = self.chunks.len() - 1;
        }
        let Some(numbers) = self.chunks.get_mut(chunk) else { return };
        numbers.insert(at, number);
        if numbers.len() > CHUNK_MAX {
            // What grows at its end, as what is created in the order of names does, leaves full chunks behind.
            let half = if at + 1 == numbers.len() { CHUNK_MAX } else { CHUNK_MAX / 2 };
            let rest = numbers.split_off(half);
            numbers.shrink_to_fit();
            self.chunks.insert(chunk + 1, rest);
        }
    }

    /// Takes out the number to which `compare` says `Equal`.
    pub(super) fn remove(&mut self, compare: impl Fn(u32) -> Ordering) {
        let Cut { chunk, at } = self.cut(&compare);
        let Some(numbers) = self.chunks.get_mut(chunk) else { return };
        if numbers.get(at).is_some_and(|number| compare(*number) == Ordering::Equal) {
            numbers.remove(at);
            if numbers.is_empty() {
                self.chunks.remove(chunk);
            }
        }
    }

    /// The numbers behind a place, in their order.
    pub(crate) fn after(&self, cut: Cut) -> impl Iterator<Item = u32> {
        let first = self.chunks.get(cut.chunk).and_then(|chunk| chunk.get(cut.at..)).unwrap_or_default();
        let rest = self.chunks.get(cut.chunk + 1..).unwrap_or_default();
        first.iter().chain(rest.iter().flatten()).copied()
    }

    /// The numbers before a place, from there backwards.
    pub(crate) fn before(&self, cut: Cut) -> impl Iterator<Item = u32> {
        let last = self.chunks.get(cut.chunk).and_then(|chunk| chunk.get(..cut.at)).unwrap_or_default();
        let rest = self.chunks.get(..cut.chunk.min(self.chunks.len())).unwrap_or_default();
        last.iter().rev().chain(rest.iter().rev().flat_map(|chunk| chunk.iter().rev())).copied()
    }

    /// The numbers from one place to another, in their order.
    pub(crate) fn between(&self, from: Cut, to: Cut) -> impl Iterator<Item = u32> {
        let chunks = self.chunks.get(from.chunk..).unwrap_or_default().iter().zip(from.chunk..);
        let chunks = chunks.take_while(move |(_, at)| *at <= to.chunk);
        chunks.flat_map(move |(chunk, at)| {
            let begin = if at == from.chunk { from.at } else { 0 };
            let end = if at == to.chunk { to.at } else { chunk.len() };
            chunk.get(begin..end.max(begin)).unwrap_or_default().iter().copied()
        })
    }

    /// The place behind all.
    pub(crate) fn end(&self) -> Cut {
        Cut { chunk: self.chunks.len(), at: 0 }
    }

    /// About how many bytes of memory they take.
    pub(super) fn heap_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| size_of::<Vec<u32>>() + chunk.capacity() * size_of::<u32>()).sum()
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::*;

    /// An order that is not that of the numbers.
    fn key(number: u32) -> u32 {
        number.wrapping_mul(2_654_435_761)
    }

    fn by(number: u32) -> impl Fn(u32) -> Ordering {
        move |other| key(other).cmp(&key(number))
    }

    #[test]
    fn numbers_stand_in_the_order_of_their_keys() {
        let mut sorted = Sorted::default();
        let mut plain: Vec<u32> = (0..5_000).collect();
        for number in &plain {
            sorted.insert(*number, by(*number));
        }
        plain.sort_by_key(|number| key(*number));
        assert_eq!(sorted.after(Cut::default()).collect::<Vec<_>>(), plain);
        for number in (0..5_000).filter(|number| number % 3 == 0) {
            sorted.remove(by(number));
            sorted.remove(by(number));
        }
        plain.retain(|number| number % 3 != 0);
        assert_eq!(sorted.after(Cut::default()).collect::<Vec<_>>(), plain);
        let at_once = Sorted::of(&plain);
        assert_eq!(at_once.after(Cut::default()).collect::<Vec<_>>(), plain);
        let backwards: Vec<u32> = plain.iter().rev().copied().collect();
        assert_eq!(sorted.before(sorted.end()).collect::<Vec<_>>(), backwards);
        let middle = sorted.cut(by(plain[1_000]));
        assert_eq!(sorted.after(middle).collect::<Vec<_>>(), plain[1_000..]);
        assert_eq!(sorted.between(middle, sorted.end()).collect::<Vec<_>>(), plain[1_000..]);
        let later = sorted.cut(by(plain[2_500]));
        assert_eq!(sorted.between(middle, later).collect::<Vec<_>>(), plain[1_000..2_500]);
        assert_eq!(sorted.between(later, middle).count(), 0);
        assert_eq!(sorted.before(middle).collect::<Vec<_>>(), backwards[backwards.len() - 1_000..]);
        assert!(sorted.chunks.iter().all(|chunk| !chunk.is_empty() && chunk.len() <= CHUNK_MAX));
    }

    #[test]
    fn without_numbers_there_is_nothing_to_find() {
        let mut sorted = Sorted::default();
        assert_eq!((sorted.after(sorted.end()).count(), sorted.before(sorted.end()).count()), (0, 0));
        sorted.remove(by(1));
        sorted.insert(1, by(1));
        sorted.remove(by(1));
        assert!(sorted.chunks.is_empty());
    }
}
