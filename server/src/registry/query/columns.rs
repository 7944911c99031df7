//! Counting what the indexes know, without reading a document: the columns of a kind are gone through, row by row.

use std::collections::{BTreeMap, HashMap};

use roaring::RoaringBitmap;
use smallvec::SmallVec;

use crate::registry::error::Error;
use crate::registry::index::secondary::{
    ABSENT, Dictionary, FactNumber, KeyType, KindIndex, PathId, RowNumber, Timelines, value,
};
use crate::registry::query::computed::{days_of, unsure};
use crate::registry::query::group::{Group, Sum};
use crate::registry::query::page::HasRoom;
use crate::registry::query::plan::indexed;
use crate::registry::query::tally::{Amounts, Tally};
use crate::registry::read::read_mask::Days;
use crate::registry::resource::standing_part::Part;
use crate::registry::resource::value::LeafValue;
use crate::registry::schema::Schemas;
use crate::time::Day;

/// More states than any kind has, and than the three that a truth has: each has a bit of a number.
const STATES_MAX: usize = 32;
/// Up to so many pairs of keys have a number each in one table, of four bytes.
const TABLE_MAX: usize = 4 << 20;

/// Where the values of a field stand.
enum Values<'a> {
    Facts {
        path: PathId,
        facts: &'a Dictionary,
        /// By the numbers of the resources; empty if they can have several.
        column: &'a [FactNumber],
        key_type: KeyType,
    },
    /// They follow from the states of a day. A value is its own fact.
    Timelines { timelines: &'a Timelines, day: Day, part: Part },
}

/// A field to count by, whose values an index knows.
struct Column<'a> {
    index: &'a KindIndex,
    group: &'a Group,
    values: Values<'a>,
    repeated: bool,
    /// For each fact the number of its key, once it has been met; 0 before.
    numbers: Vec<u32>,
    /// The keys that were met, by their numbers; the first is that of what is absent.
    keys: Vec<String>,
    by_part: HashMap<i32, u32>,
    by_text: HashMap<String, u32>,
}

/// The number of the key of what is absent.
const NO_VALUE: u32 = 0;

impl<'a> Column<'a> {
    fn new(index: &'a KindIndex, group: &'a Group, days: Days) -> Option<Self> {
        let (path, None) = indexed(index, &group.path.steps)? else { return None };
        let (of, facts) = (index.paths.get(path)?, index.facts(path)?);
        let values = match of.part.zip(index.timelines()) {
            Some((part, timelines)) if part != Part::Other && !timelines.hold(day_of(part, days)) => {
                Values::Timelines { timelines, day: day_of(part, days), part }
            }
            Some(_) | None => Values::Facts { path, facts, column: index.column(path), key_type: of.key_type },
        };
        let facts_max = match &values {
            Values::Facts { facts, .. } => facts.numbers_end(),
            Values::Timelines { .. } => STATES_MAX,
        };
        Some(Self {
            index,
            group,
            values,
            repeated: of.repeated,
            numbers: vec![0; facts_max],
            keys: vec![String::new()],
            by_part: HashMap::new(),
            by_text: HashMap::from([(String::new(), NO_VALUE)]),
        })
    }

    /// How many keys there can be at most.
    fn keys_max(&self) -> usize {
        match &self.values {
            Values::Facts { facts, .. } => facts.len() + 1,
            Values::Timelines { .. } => STATES_MAX + 1,
        }
    }

    /// The number of the key of a fact.
    #[inline]
    fn number(&mut self, schemas: &Schemas, fact: FactNumber) -> u32 {
        match self.numbers.get(fact as usize) {
            Some(0) => self.meet(schemas, fact),
            Some(number) => number - 1,
            // It is absent.
            None => NO_VALUE,
        }
    }

    /// Gives the key of a fact a number, when it is met for the first time.
    #[cold]
    fn meet(&mut self, schemas: &Schemas, fact: FactNumber) -> u32 {
        let value = match &self.values {
            Values::Facts { key_type, facts, .. } => value(*key_type, facts.key(fact)),
            Values::Timelines { .. } => LeafValue::Enum(fact.cast_signed()),
        };
        let part = self.group.part(&value);
        let known = part.and_then(|part| self.by_part.get(&part).copied());
        let number = known.unwrap_or_else(|| {
            let text = self.group.text(schemas, &value);
            let next = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
            let number = *self.by_text.entry(text.clone()).or_insert(next);
            if number == next {
                self.keys.push(text);
            }
            if let Some(part) = part {
                self.by_part.insert(part, number);
            }
            number
        });
        if let Some(place) = self.numbers.get_mut(fact as usize) {
            *place = number + 1;
        }
        number
    }

    /// The number of the key of a resource that can have only one.
    #[inline]
    fn number_of(&mut self, schemas: &Schemas, row: RowNumber) -> u32 {
        let fact = match &self.values {
            Values::Facts { column, .. } => column.get(row as usize).copied().unwrap_or(ABSENT),
            Values::Timelines { .. } => self.facts_of_day(row).first().copied().unwrap_or(ABSENT),
        };
        self.number(schemas, fact)
    }

    /// The values that follow from the states of a resource.
    fn facts_of_day(&self, row: RowNumber) -> SmallVec<[FactNumber; 8]> {
        let mut found = SmallVec::new();
        if let Values::Timelines { timelines, day, part } = &self.values {
            part.values(timelines.states(row, *day), &timelines.dated, &mut |value| {
                if let LeafValue::Enum(number) = value {
                    found.push(number.cast_unsigned());
                }
            });
        }
        found
    }

    /// The numbers of the keys of a resource, each once.
    fn numbers_of(&mut self, schemas: &Schemas, row: RowNumber, numbers: &mut Vec<u32>) {
        numbers.clear();
        let index = self.index;
        let mut add = |column: &mut Self, fact| {
            let number = column.number(schemas, fact);
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        };
        match &self.values {
            Values::Facts { path, .. } => index.facts_of(row, *path).for_each(|fact| add(self, fact)),
            Values::Timelines { .. } => self.facts_of_day(row).into_iter().for_each(|fact| add(self, fact)),
        }
        if numbers.is_empty() {
            numbers.push(NO_VALUE);
        }
    }

    fn key(&self, number: u32) -> String {
        self.keys.get(number as usize).cloned().unwrap_or_default()
    }
}

/// Counts for pairs of keys, by their numbers.
enum Pairs {
    /// A row for each key of the first field.
    Table {
        counts: Vec<u32>,
        width: usize,
    },
    Sparse(HashMap<(u32, u32), u32>),
}

impl Pairs {
    fn add(&mut self, one: u32, other: u32) {
        match self {
            Self::Table { counts, width } => {
                if let Some(count) = counts.get_mut(one as usize * *width + other as usize) {
                    *count += 1;
                }
            }
            Self::Sparse(counts) => *counts.entry((one, other)).or_default() += 1,
        }
    }

    fn counts(self) -> Vec<((u32, u32), u32)> {
        match self {
            Self::Table { counts, width } => {
                let pair = |at: usize| (u32::try_from(at / width), u32::try_from(at % width));
                let counted = counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
                counted.filter_map(|(at, count)| Some(((pair(at).0.ok()?, pair(at).1.ok()?), count))).collect()
            }
            Self::Sparse(counts) => counts.into_iter().collect(),
        }
    }
}

/// By what resources are counted, what of them is added up, and the days for which that is asked.
#[derive(Clone, Copy)]
pub(crate) struct By<'a> {
    pub(crate) groups: &'a [Group],
    pub(crate) sum: Option<&'a Sum>,
    pub(crate) days: Days,
}

/// The resources among `rows` of which the indexes do not know all that is counted by, and added up.
pub(crate) fn unknown(index: &KindIndex, rows: &RoaringBitmap, By { groups, sum, days }: By<'_>) -> RoaringBitmap {
    let mut unknown = RoaringBitmap::new();
    for path in groups.iter().map(|group| &group.path).chain(sum.map(|sum| &sum.path)) {
        // Of a map, one key is meant, and the entries of all stand in one dictionary.
        let Some((path, None)) = indexed(index, &path.steps) else { return rows.clone() };
        if index.paths.get(path).and_then(|path| path.part) == Some(Part::Other) {
            unknown |= unsure(index, days_of(Part::Other, days));
        }
    }
    unknown & rows
}

fn day_of(part: Part, days: Days) -> Day {
    let [day, _] = days_of(part, days);
    day
}

/// Counts `rows`, of which the indexes know all that is counted.
pub(crate) fn count(
    schemas: &Schemas,
    index: &KindIndex,
    rows: &RoaringBitmap,
    By { groups, sum, days }: By<'_>,
    tally: &mut Tally,
    has_room: HasRoom<'_>,
) -> Result<(), Error> {
    let mut columns: Vec<_> = groups.iter().filter_map(|group| Column::new(index, group, days)).collect();
    let money = sum.and_then(|sum| indexed(index, &sum.path.steps)).map(|(path, _)| path);
    let mut columns = columns.iter_mut();
    let (first, mut second) = (columns.next(), columns.next());
    let Some(first) = first else {
        let amounts = total(index, rows, money);
        return tally.add_to_all(&amounts, rows.len().try_into().unwrap_or(usize::MAX), has_room);
    };
    let width = second.as_ref().map_or(1, |second| second.keys_max());
    let mut pairs = match first.keys_max().checked_mul(width) {
        Some(size) if size <= TABLE_MAX => Pairs::Table { counts: vec![0; size], width },
        Some(_) | None => Pairs::Sparse(HashMap::new()),
    };
    let mut amounts: HashMap<(u32, u32), Amounts> = HashMap::new();
    let singles = !first.repeated && second.as_ref().is_none_or(|second| !second.repeated) && money.is_none();
    if singles {
        // As most counts are: a few nanoseconds a row.
        for row in rows {
            let other = second.as_mut().map_or(NO_VALUE, |second| second.number_of(schemas, row));
            pairs.add(first.number_of(schemas, row), other);
        }
    } else {
        let (mut ones, mut others) = (Vec::new(), vec![NO_VALUE]);
        for row in rows {
            first.numbers_of(schemas, row, &mut ones);
            if let Some(second) = &mut second {
                second.numbers_of(schemas, row, &mut others);
            }
            for pair in ones.iter().flat_map(|one| others.iter().map(|other| (*one, *other))) {
                pairs.add(pair.0, pair.1);
                if let Some(money) = money {
                    add_amounts(index, row, money, amounts.entry(pair).or_default());
                }
            }
        }
    }
    tally.add_to_all(&total(index, rows, money), rows.len().try_into().unwrap_or(usize::MAX), has_room)?;
    for (pair, count) in pairs.counts() {
        let keys = std::iter::once(first.key(pair.0)).chain(second.as_ref().map(|second| second.key(pair.1)));
        let amounts = amounts.remove(&pair).unwrap_or_default();
        tally.add_to_group(keys.collect(), &amounts, count as usize, has_room)?;
    }
    Ok(())
}

/// What resources have together.
fn total(index: &KindIndex, rows: &RoaringBitmap, money: Option<PathId>) -> Amounts {
    let mut amounts = BTreeMap::new();
    if let Some(money) = money {
        rows.iter().for_each(|row| add_amounts(index, row, money, &mut amounts));
    }
    amounts
}

fn add_amounts(index: &KindIndex, row: RowNumber, money: PathId, amounts: &mut Amounts) {
    let Some(facts) = index.facts(money) else { return };
    for fact in index.facts_of(row, money) {
        if let LeafValue::Money { currency, nanos } = value(KeyType::Money, facts.key(fact)) {
            match amounts.get_mut(&*currency) {
                Some(sum) => *sum += nanos,
                None => drop(amounts.insert(currency.into_owned(), nanos)),
            }
        }
    }
}
