//! What a count comes to: groups of resources, how many there are in each, and what they have together.

use std::collections::{BTreeMap, HashMap};

use partnership_registry::Money;

use crate::registry::error::Error;
use crate::registry::query::page::HasRoom;

/// The most groups that are held while a count goes on. It takes them all to know which are the largest.
pub(crate) const GROUPS_HELD_MAX: usize = 100_000;

/// What a group is charged besides its keys.
const GROUP_BYTES: usize = 160;

/// What an amount of one more currency is charged.
const SUM_BYTES: usize = 64;

/// How many nanos an amount of 1 has.
pub(crate) const NANOS_PER_UNIT: i128 = 1_000_000_000;

/// Amounts by currency, in billionths: exact, and of more than all resources can have.
pub(crate) type Amounts = BTreeMap<String, i128>;

/// How many there are, and what they have together.
#[derive(Debug, Default)]
struct Total {
    count: usize,
    amounts: Amounts,
}

impl Total {
    fn add(&mut self, amounts: &Amounts, count: usize, has_room: HasRoom<'_>) -> Result<(), Error> {
        self.count += count;
        for (currency, nanos) in amounts {
            match self.amounts.get_mut(currency) {
                Some(sum) => *sum += nanos,
                None if has_room(SUM_BYTES) => drop(self.amounts.insert(currency.clone(), *nanos)),
                None => return Err(Error::Busy),
            }
        }
        Ok(())
    }
}

/// A group that is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct CountedGroup {
    /// A key for each field that is counted by.
    pub keys: Vec<String>,
    /// How many resources there are.
    pub count: usize,
    /// What they have together, by currency.
    pub sums: Vec<Money>,
}

/// A count under way.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    groups: HashMap<Vec<String>, Total>,
    all: Total,
}

impl Tally {
    /// Counts a resource. `keys` has those that it belongs to, each once, for each field that is counted by. Fails with
    /// `Busy` if there is no room for another group.
    pub(crate) fn add(&mut self, keys: &[Vec<String>], amounts: &Amounts, has_room: HasRoom<'_>) -> Result<(), Error> {
        self.add_to_all(amounts, 1, has_room)?;
        if keys.is_empty() {
            return Ok(());
        }
        // Each key of one field with each of the other.
        let mut groups: Vec<Vec<String>> = vec![Vec::new()];
        for keys in keys {
            let with = |group: &Vec<String>| {
                let group = group.clone();
                keys.iter().map(move |key| [group.as_slice(), std::slice::from_ref(key)].concat())
            };
            groups = groups.iter().flat_map(with).collect();
        }
        groups.into_iter().try_for_each(|group| self.add_to_group(group, amounts, 1, has_room))
    }

    /// Counts so many resources, and what they have together, in all but not in any group.
    pub(crate) fn add_to_all(&mut self, amounts: &Amounts, count: usize, has_room: HasRoom<'_>) -> Result<(), Error> {
        self.all.add(amounts, count, has_room)
    }

    /// Counts so many resources, and what they have together, in a group.
    pub(crate) fn add_to_group(
        &mut self,
        keys: Vec<String>,
        amounts: &Amounts,
        count: usize,
        has_room: HasRoom<'_>,
    ) -> Result<(), Error> {
        self.group(keys, has_room)?.add(amounts, count, has_room)
    }

    fn group(&mut self, keys: Vec<String>, has_room: HasRoom<'_>) -> Result<&mut Total, Error> {
        if !self.groups.contains_key(&keys) {
            if self.groups.len() == GROUPS_HELD_MAX {
                return Err(Error::TooManyGroups { max: GROUPS_HELD_MAX });
            }
            if !has_room(GROUP_BYTES + keys.iter().map(String::len).sum::<usize>()) {
                return Err(Error::Busy);
            }
        }
        Ok(self.groups.entry(keys).or_default())
    }

    /// How many resources were counted.
    pub(crate) fn count(&self) -> usize {
        self.all.count
    }

    /// What all of them have together.
    pub(crate) fn sums(&self) -> Result<Vec<Money>, Error> {
        sums(&self.all.amounts)
    }

    /// The largest groups, and what the counts of the others come to.
    pub(crate) fn largest(self, groups_max: usize) -> Result<(Vec<CountedGroup>, usize), Error> {
        let mut groups: Vec<(Vec<String>, Total)> = self.groups.into_iter().collect();
        groups.sort_unstable_by(|(keys, one), (others, other)| {
            other.count.cmp(&one.count).then_with(|| keys.cmp(others))
        });
        let others = groups.iter().skip(groups_max).map(|(_, total)| total.count).sum();
        groups.truncate(groups_max);
        let counted = |(keys, total): (Vec<String>, Total)| {
            Ok(CountedGroup { keys, count: total.count, sums: sums(&total.amounts)? })
        };
        Ok((groups.into_iter().map(counted).collect::<Result<_, Error>>()?, others))
    }
}

fn sums(amounts: &Amounts) -> Result<Vec<Money>, Error> {
    let sum = |(currency, nanos): (&String, &i128)| {
        let units =
            i64::try_from(nanos / NANOS_PER_UNIT).map_err(|_| Error::SumTooLarge { currency: currency.clone() })?;
        // Less than a unit, with the sign of the whole.
        let nanos = i32::try_from(nanos % NANOS_PER_UNIT).unwrap_or(0);
        Ok(Money { currency_code: currency.clone(), units, nanos })
    };
    amounts.iter().map(sum).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn keys(keys: &[&[&str]]) -> Vec<Vec<String>> {
        keys.iter().map(|keys| keys.iter().map(|&key| key.to_owned()).collect()).collect()
    }

    fn euros(nanos: i128) -> Amounts {
        Amounts::from([("EUR".to_owned(), nanos)])
    }

    #[test]
    fn groups_come_largest_first_and_what_is_left_out_is_added_up() {
        let mut tally = Tally::default();
        for group in [&["b"][..], &["a", "b"], &["c"], &["b", "d"]] {
            tally.add(&keys(&[group]), &Amounts::new(), &mut |_| true).unwrap();
        }
        assert_eq!(tally.count(), 4);
        let (groups, others) = tally.largest(2).unwrap();
        let counts: Vec<_> = groups.iter().map(|group| (group.keys.join(","), group.count)).collect();
        assert_eq!((counts, others), (vec![("b".to_owned(), 3), ("a".to_owned(), 1)], 2));
    }

    #[test]
    fn each_value_of_one_list_is_counted_with_each_of_the_other() {
        let mut tally = Tally::default();
        tally.add(&keys(&[&["a", "b"], &["x", "y"]]), &euros(1), &mut |_| true).unwrap();
        let (groups, _) = tally.largest(10).unwrap();
        let groups: Vec<_> = groups.iter().map(|group| group.keys.join(",")).collect();
        assert_eq!(groups, ["a,x", "a,y", "b,x", "b,y"]);
    }

    #[test]
    fn sums_are_exact_and_refused_when_they_are_beyond_an_amount() {
        let unit = NANOS_PER_UNIT;
        let table = [
            (vec![unit / 2, unit / 2, 1], Some((1, 1))),
            (vec![-unit, unit / 4], Some((0, -750_000_000))),
            (vec![i128::from(i64::MAX) * unit, unit - 1], Some((i64::MAX, 999_999_999))),
            (vec![i128::from(i64::MAX) * unit, unit], None),
            (vec![i128::from(i64::MIN) * unit, 1 - unit], Some((i64::MIN, -999_999_999))),
            (
                vec![i128::from(i64::MAX) * unit, i128::from(i64::MAX) * unit, i128::from(i64::MIN) * unit],
                Some((i64::MAX - 1, 0)),
            ),
        ];
        for (amounts, expected) in table {
            let mut tally = Tally::default();
            amounts.iter().for_each(|nanos| tally.add(&[], &euros(*nanos), &mut |_| true).unwrap());
            let sums = tally.sums().map(|sums| sums.iter().map(|sum| (sum.units, sum.nanos)).collect::<Vec<_>>());
            assert_eq!(sums.ok(), expected.map(|sum| vec![sum]), "{amounts:?}");
        }
    }

    #[test]
    fn what_finds_no_room_or_makes_too_many_groups_is_refused() {
        let one = |n: usize| vec![vec![n.to_string()]];
        let mut tally = Tally::default();
        let mut left = 2 * (GROUP_BYTES + 1);
        let mut has_room = |bytes: usize| {
            left = left.saturating_sub(bytes);
            left > 0
        };
        tally.add(&one(1), &Amounts::new(), &mut has_room).unwrap();
        tally.add(&one(1), &Amounts::new(), &mut has_room).unwrap();
        assert!(matches!(tally.add(&one(2), &Amounts::new(), &mut has_room), Err(Error::Busy)));
        let mut tally = Tally::default();
        (0..GROUPS_HELD_MAX).for_each(|n| tally.add(&one(n), &Amounts::new(), &mut |_| true).unwrap());
        let refused = tally.add(&one(GROUPS_HELD_MAX), &Amounts::new(), &mut |_| true);
        assert!(matches!(refused, Err(Error::TooManyGroups { max: GROUPS_HELD_MAX })));
    }
}
