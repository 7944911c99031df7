//! The values that the resources of a kind have at one path, each once, and which resources have it.
//!
//! A *fact* is such a value. Facts have numbers, by which columns and lists name them.

use std::cmp::Ordering;
use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::key::prefix;
use super::rows::{RowNumber, Rows};
use super::sorted::{Cut, Sorted};

/// The number of a fact among those of its path. It is given again when no resource has the fact any more.
pub(crate) type FactNumber = u32;

#[derive(Default)]
struct Fact {
    key: Box<[u8]>,
    rows: Rows,
}

/// All facts of a path.
#[derive(Default)]
pub(crate) struct Dictionary {
    facts: Vec<Fact>,
    /// The beginnings of the keys, by the numbers of the facts: most comparisons need no more, and stay in the cache.
    prefixes: Vec<u64>,
    by_key: HashTable<FactNumber>,
    hasher: DefaultHashBuilder,
    /// In the order of their keys. Empty while they are built.
    ordered: Sorted,
    /// Whether all facts are to be put in order at once, later.
    is_building: bool,
    /// Numbers to be given again.
    free: Vec<FactNumber>,
    key_bytes: usize,
}

impl Dictionary {
    /// Without facts, which many are about to come: their order is known only after [`Dictionary::order`].
    pub(super) fn building() -> Self {
        Self { is_building: true, ..Self::default() }
    }

    /// Puts the facts in their order: at once, that takes a tenth of the time of one after the other.
    pub(super) fn order(&mut self) {
        let Self { facts, prefixes, ordered, is_building, .. } = self;
        let there = facts.iter().zip(0..).filter(|(fact, _)| !fact.rows.is_empty());
        let mut numbers: Vec<FactNumber> = there.map(|(_, number)| number).collect();
        let beginning = |number: FactNumber| prefixes.get(index(number)).copied().unwrap_or_default();
        numbers.sort_unstable_by(|one, other| {
            beginning(*one).cmp(&beginning(*other)).then_with(|| key_of(facts, *one).cmp(key_of(facts, *other)))
        });
        (*ordered, *is_building) = (Sorted::of(&numbers), false);
    }

    /// The fact of this key.
    pub(crate) fn find(&self, key: &[u8]) -> Option<FactNumber> {
        self.by_key.find(self.hasher.hash_one(key), |fact| self.key(*fact) == key).copied()
    }

    /// The number of a fact, which some resource is about to have.
    pub(super) fn number(&mut self, key: &[u8]) -> FactNumber {
        if let Some(fact) = self.find(key) {
            return fact;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.facts.push(Fact::default());
            self.prefixes.push(0);
            // More than 2^32 facts do not fit into any memory.
            FactNumber::try_from(self.facts.len() - 1).unwrap_or(FactNumber::MAX)
        });
        if let (Some(fact), Some(beginning)) = (self.facts.get_mut(index(number)), self.prefixes.get_mut(index(number)))
        {
            (fact.key, *beginning) = (key.into(), prefix(key));
        }
        self.key_bytes += key.len();
        let Self { facts, by_key, hasher, ordered, prefixes, is_building, .. } = self;
        by_key.insert_unique(hasher.hash_one(key), number, |fact| hasher.hash_one(key_of(facts, *fact)));
        if !*is_building {
            ordered.insert(number, |other| compare(facts, prefixes, other, prefix(key), key));
        }
        number
    }

    /// A resource has a fact from now on.
    pub(super) fn add(&mut self, fact: FactNumber, row: RowNumber) {
        if let Some(fact) = self.facts.get_mut(index(fact)) {
            fact.rows.insert(row);
        }
    }

    /// A resource does not have a fact any more.
    pub(super) fn remove(&mut self, number: FactNumber, row: RowNumber) {
        let Some(fact) = self.facts.get_mut(index(number)) else { return };
        fact.rows.remove(row);
        if !fact.rows.is_empty() {
            return;
        }
        let key = std::mem::take(&mut fact.key);
        self.key_bytes -= key.len();
        let Self { facts, by_key, hasher, ordered, prefixes, free, .. } = self;
        if let Ok(found) = by_key.find_entry(hasher.hash_one(&*key), |fact| *fact == number) {
            found.remove();
        }
        ordered.remove(|other| match other == number {
            // Its key is not in its place any more.
            true => Ordering::Equal,
            false => compare(facts, prefixes, other, prefix(&key), &key),
        });
        free.push(number);
    }

    /// The resources that have a fact.
    pub(crate) fn rows(&self, fact: FactNumber) -> Option<&Rows> {
        self.facts.get(index(fact)).map(|fact| &fact.rows)
    }

    /// The key of a fact.
    pub(crate) fn key(&self, fact: FactNumber) -> &[u8] {
        key_of(&self.facts, fact)
    }

    /// The beginning of the key of a fact, as a number: it is nearer at hand than the key.
    pub(crate) fn beginning(&self, fact: FactNumber) -> u64 {
        self.prefixes.get(index(fact)).copied().unwrap_or_default()
    }

    /// How two facts stand to each other.
    pub(crate) fn compare(&self, one: FactNumber, other: FactNumber) -> Ordering {
        let beginning = self.prefixes.get(index(other)).copied().unwrap_or_default();
        compare(&self.facts, &self.prefixes, one, beginning, self.key(other))
    }

    /// The facts in the order of their keys.
    pub(crate) fn ordered(&self) -> &Sorted {
        &self.ordered
    }

    /// The place of a key among the facts.
    pub(crate) fn cut(&self, key: &[u8]) -> Cut {
        let beginning = prefix(key);
        self.ordered.cut(|fact| compare(&self.facts, &self.prefixes, fact, beginning, key))
    }

    /// The place behind a key.
    pub(crate) fn cut_behind(&self, key: &[u8]) -> Cut {
        self.ordered.cut(|fact| if self.key(fact) <= key { Ordering::Less } else { Ordering::Greater })
    }

    /// All numbers that were given are below this.
    pub(crate) fn numbers_end(&self) -> usize {
        self.facts.len()
    }

    /// How many facts there are.
    pub(crate) fn len(&self) -> usize {
        self.facts.len() - self.free.len()
    }

    /// About how many bytes of memory it takes.
    pub(super) fn heap_bytes(&self) -> usize {
        let rows: usize = self.facts.iter().map(|fact| fact.rows.heap_bytes()).sum();
        // An allocation takes eight bytes more than asked for, on average.
        self.facts.capacity() * size_of::<Fact>()
            + self.prefixes.capacity() * size_of::<u64>()
            + self.by_key.allocation_size()
            + self.ordered.heap_bytes()
            + self.key_bytes
            + 8 * self.facts.len()
            + rows
    }
}

fn index(fact: FactNumber) -> usize {
    fact as usize
}

fn key_of(facts: &[Fact], fact: FactNumber) -> &[u8] {
    facts.get(index(fact)).map_or(&[], |fact| &fact.key)
}

/// How a fact stands to a key, which begins so.
fn compare(facts: &[Fact], prefixes: &[u64], fact: FactNumber, beginning: u64, key: &[u8]) -> Ordering {
    let by_beginning = prefixes.get(index(fact)).map_or(Ordering::Equal, |own| own.cmp(&beginning));
    by_beginning.then_with(|| key_of(facts, fact).cmp(key))
}
