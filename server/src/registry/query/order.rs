//! The order of a listing: what resources are ordered by, and which come next in it.
//!
//! Few candidates are sorted. Many are met by walking the facts of the first key in their order, and where many have the
//! same one, those of the next key; the last key is the name, in which no two are equal. So a page costs about the same
//! wherever it begins.

use std::cmp::Ordering;

use roaring::RoaringBitmap;
use smallvec::SmallVec;

use crate::faults;
use crate::registry::index::secondary::{
    Cut, Dictionary, FactNumber, KindIndex, PathId, RowNumber, UNKNOWN_DATE, is_unknown_date, key,
};
use crate::registry::query::computed::{Needs, days_of, unsure};
use crate::registry::query::order_by::OrderTerm;
use crate::registry::query::plan::indexed;
use crate::registry::read::read_mask::Days;
use crate::registry::schema::Schemas;

/// To sort a candidate costs about as much as to pass over so many in a walk.
const SORT_COST: u64 = 6;
/// So few are sorted without a thought: it takes half a millisecond.
const SORTED_ALWAYS: u64 = 4_096;

/// What a resource is ordered by: for each term of the order the value that comes first, as its key; then its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// `None`: it has no value there, and comes last.
    pub(crate) values: Vec<Option<Vec<u8>>>,
    pub(crate) name: String,
}

/// An order: by some values, and then by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    terms: Vec<OrderTerm>,
    names_descend: bool,
}

impl Order {
    /// The order of these terms. What is equal in all of them is ordered by name, in the direction of the last; what stands
    /// behind the name orders nothing, since no two names are equal.
    pub(crate) fn new(mut terms: Vec<OrderTerm>) -> Self {
        let by_name = terms.iter().position(OrderTerm::is_name);
        terms.truncate(by_name.map_or(terms.len(), |at| at + 1));
        let names_descend = terms.last().is_some_and(|term| term.descending);
        terms.truncate(by_name.unwrap_or(terms.len()));
        Self { terms, names_descend }
    }

    /// Whether it is by names alone, which never change.
    pub(crate) fn is_by_name(&self) -> bool {
        self.terms.is_empty()
    }

    /// The first term of which no index knows the values.
    pub(crate) fn unindexed(&self, index: &KindIndex) -> Option<&OrderTerm> {
        self.terms.iter().find(|term| Walked::new(index, term).is_none())
    }

    /// What it asks of that which is computed.
    pub(crate) fn needs(&self) -> Needs {
        Needs::all(self.terms.iter().map(|term| term.path.needs))
    }

    /// The first term by which some resources stand elsewhere on these days than the indexes know, and these resources.
    pub(crate) fn moved(&self, index: &KindIndex, days: Days) -> Option<(&OrderTerm, RoaringBitmap)> {
        let moved = |term| {
            let part = Walked::new(index, term).and_then(|walked| index.paths.get(walked.path)?.part)?;
            Some((term, unsure(index, days_of(part, days)))).filter(|(_, unsure)| !unsure.is_empty())
        };
        let mut all = self.terms.iter().filter_map(moved);
        let (term, first) = all.next()?;
        Some((term, all.fold(first, |all, (_, moved)| all | moved)))
    }

    /// Where a document of this name stands.
    pub(crate) fn place_of(&self, schemas: &Schemas, document: &[u8], name: &str) -> Place {
        let value = |term: &OrderTerm| {
            let mut best: Option<Vec<u8>> = None;
            term.path.values(schemas, document, &mut |value| {
                let key = value.map(|value| key(&value));
                if term.compare(key.as_deref(), best.as_deref()).is_lt() {
                    best = key;
                }
            });
            best
        };
        Place { values: self.terms.iter().map(value).collect(), name: name.to_owned() }
    }

    /// Where a resource stands, by the index, which knows all terms.
    pub(crate) fn place_in(&self, index: &KindIndex, row: RowNumber) -> Place {
        let value = |term: &OrderTerm| {
            let walked = Walked::new(index, term)?;
            walked.best(row).map(|fact| walked.facts.key(fact).to_vec())
        };
        Place { values: self.terms.iter().map(value).collect(), name: index.name(row).to_string() }
    }

    /// How two places stand to each other.
    pub(crate) fn compare(&self, one: &Place, other: &Place) -> Ordering {
        let pairs = self.terms.iter().zip(one.values.iter().zip(&other.values));
        pairs
            .map(|(term, (one, other))| term.compare(one.as_deref(), other.as_deref()))
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| self.directed(one.name.cmp(&other.name)))
    }

    /// An order of names, in the direction in which they come.
    fn directed(&self, names: Ordering) -> Ordering {
        directed(names, self.names_descend)
    }

    /// The next resources of `candidates` behind a place, at most `limit`. The index knows all terms.
    pub(crate) fn next(
        &self,
        index: &KindIndex,
        candidates: &RoaringBitmap,
        after: Option<&Place>,
        limit: usize,
    ) -> Vec<RowNumber> {
        let terms: Vec<_> = self.terms.iter().filter_map(|term| Walked::new(index, term)).collect();
        let mut walk = Walk { index, order: self, limit, found: Vec::with_capacity(limit.min(1_024)) };
        walk.take(candidates, &terms, after.map(|after| (after.values.as_slice(), after.name.as_str())));
        walk.found
    }

    /// In words, how so many candidates come into the order.
    pub(crate) fn explain(&self, index: &KindIndex, candidates: u64, limit: usize) -> String {
        let names = if self.names_descend { "name, descending" } else { "name" };
        let terms = self.terms.iter().map(|term| term.text.as_str()).chain([names]).collect::<Vec<_>>().join(", ");
        if self.unindexed(index).is_some() {
            format!("reads and sorts {candidates} candidates by {terms}")
        } else if sorts(index, self.is_by_name(), candidates, limit) {
            format!("sorts {candidates} candidates by {terms}")
        } else {
            format!("walks {terms}")
        }
    }
}

/// Whether so many candidates are sorted, rather than met in a walk over all. Names have nothing to do with what is selected,
/// so candidates lie evenly among them; values may have, and then a walk has far to go to the first.
fn sorts(index: &KindIndex, by_name: bool, candidates: u64, limit: usize) -> bool {
    if faults::planted("as-if-many").is_some() {
        // So that tests need not have many to see them walked.
        return candidates == 1;
    }
    let met = (index.len() as u64).saturating_mul(limit as u64);
    let is_less = candidates.saturating_mul(candidates).saturating_mul(SORT_COST) <= met;
    is_less || (!by_name && candidates <= SORTED_ALWAYS)
}

fn directed(ordering: Ordering, descends: bool) -> Ordering {
    if descends { ordering.reverse() } else { ordering }
}

impl OrderTerm {
    /// How two values stand to each other in this term: what is absent is behind all others, and before it a date of which
    /// nothing is known, in both directions.
    fn compare(&self, one: Option<&[u8]>, other: Option<&[u8]>) -> Ordering {
        let place = |value: Option<&[u8]>| match value {
            None => 2,
            Some(value) => u8::from(self.is_date && is_unknown_date(value)),
        };
        place(one).cmp(&place(other)).then_with(|| directed(one.cmp(&other), self.descending))
    }
}

/// A term of the order, and the facts by which it is walked.
struct Walked<'a> {
    index: &'a KindIndex,
    term: &'a OrderTerm,
    path: PathId,
    facts: &'a Dictionary,
    /// Whether a resource can have several values there.
    repeated: bool,
}

impl<'a> Walked<'a> {
    /// `None`: no index knows the values.
    fn new(index: &'a KindIndex, term: &'a OrderTerm) -> Option<Self> {
        // The entries of one key of a map lie between those of all others: they are read and sorted.
        let (path, None) = indexed(index, &term.path.steps)? else { return None };
        let repeated = index.paths.get(path)?.repeated;
        Some(Self { index, term, path, facts: index.facts(path)?, repeated })
    }

    fn compare(&self, one: Option<FactNumber>, other: Option<FactNumber>) -> Ordering {
        if !self.term.is_date
            && let (Some(one), Some(other)) = (one, other)
        {
            return directed(self.facts.compare(one, other), self.term.descending);
        }
        self.term.compare(one.map(|fact| self.facts.key(fact)), other.map(|fact| self.facts.key(fact)))
    }

    /// A number for a fact: where those of two differ, the facts stand so. What is absent has the greatest, and a date of which
    /// nothing is known the one before.
    fn rank(&self, fact: FactNumber) -> u64 {
        let beginning = self.facts.beginning(fact);
        if self.term.is_date && beginning == u64::MAX {
            return u64::MAX - 1;
        }
        (if self.term.descending { !beginning } else { beginning }).min(u64::MAX - 2)
    }

    /// The fact of a resource that comes first.
    fn best(&self, row: RowNumber) -> Option<FactNumber> {
        self.index.facts_of(row, self.path).min_by(|one, other| self.compare(Some(*one), Some(*other)))
    }

    /// The facts in the order of the term, from a value on.
    fn from(&self, value: Option<&[u8]>) -> impl Iterator<Item = FactNumber> {
        let ordered = self.facts.ordered();
        // Dates of which nothing is known sort behind all others, and are walked last in both directions.
        let unknown = self.facts.find(&UNKNOWN_DATE).filter(|_| self.term.is_date);
        let end = if unknown.is_some() { self.facts.cut(&UNKNOWN_DATE) } else { ordered.end() };
        let begin = match value {
            None if self.term.descending => end,
            None => Cut::default(),
            Some(value) if is_unknown_date(value) && self.term.is_date && self.term.descending => Cut::default(),
            Some(value) if self.term.descending => self.facts.cut_behind(value),
            Some(value) => self.facts.cut(value),
        };
        let (up, down) = match self.term.descending {
            false => (Some(ordered.between(begin, end)), None),
            true => (None, Some(ordered.before(begin))),
        };
        up.into_iter().flatten().chain(down.into_iter().flatten()).chain(unknown)
    }
}

/// A resource to be sorted.
struct Sorting {
    /// Where two differ, they stand so.
    rank: u64,
    /// The facts that it is ordered by.
    values: SmallVec<[Option<FactNumber>; 2]>,
    row: RowNumber,
}

/// The next resources behind a place, as they are found.
struct Walk<'a> {
    index: &'a KindIndex,
    order: &'a Order,
    limit: usize,
    found: Vec<RowNumber>,
}

/// Behind what to begin: the values of the terms that are left, and the name.
type After<'a> = Option<(&'a [Option<Vec<u8>>], &'a str)>;

impl Walk<'_> {
    fn is_full(&self) -> bool {
        self.found.len() >= self.limit
    }

    /// Takes the next of `rows`, which are equal in all terms but `terms`.
    fn take(&mut self, rows: &RoaringBitmap, terms: &[Walked<'_>], after: After<'_>) {
        if rows.is_empty() || self.is_full() {
            return;
        }
        if sorts(self.index, terms.is_empty(), rows.len(), self.limit) {
            return self.take_sorted(rows, terms, after);
        }
        let Some((first, rest)) = terms.split_first() else { return self.take_by_name(rows, after) };
        let begin =
            after.and_then(|(values, name)| values.split_first().map(|(value, values)| (value, (values, name))));
        if !matches!(begin, Some((None, _))) {
            let from = begin.and_then(|(value, _)| value.as_deref());
            let (mut missed, found_before) = (0, self.found.len());
            for fact in first.from(from) {
                let Some(of_fact) = first.facts.rows(fact).filter(|of_fact| of_fact.meets(rows)) else {
                    missed += 1;
                    if missed * SORT_COST > rows.len() {
                        // They lie far away: to sort them is less than to go on.
                        let taken: RoaringBitmap = self.found.iter().skip(found_before).copied().collect();
                        return self.take_sorted(&(rows - taken), terms, after);
                    }
                    continue;
                };
                let mut of_fact = of_fact.within(rows);
                if first.repeated {
                    of_fact.retain(|row| first.best(row) == Some(fact));
                }
                let begins_here = from.is_some_and(|from| first.facts.key(fact) == from);
                self.take(&of_fact, rest, begin.map(|(_, after)| after).filter(|_| begins_here));
                if self.is_full() {
                    return;
                }
            }
        }
        // Those that have no value come last.
        let absent = self.index.present(first.path).map(|present| rows - present).unwrap_or_default();
        let begin = begin.filter(|(value, _)| value.is_none());
        self.take(&absent, rest, begin.map(|(_, after)| after));
    }

    fn take_by_name(&mut self, rows: &RoaringBitmap, after: After<'_>) {
        let names = self.index.names();
        let behind = |row: RowNumber, name: &str, equal: Ordering| match self.index.compare_name(row, name) {
            Ordering::Equal => equal,
            other @ (Ordering::Less | Ordering::Greater) => other,
        };
        let left = self.limit - self.found.len();
        let next: Vec<RowNumber> = match (self.order.names_descend, after) {
            (false, None) => names.after(Cut::default()).filter(|row| rows.contains(*row)).take(left).collect(),
            (false, Some((_, name))) => {
                let cut = names.cut(|row| behind(row, name, Ordering::Less));
                names.after(cut).filter(|row| rows.contains(*row)).take(left).collect()
            }
            (true, None) => names.before(names.end()).filter(|row| rows.contains(*row)).take(left).collect(),
            (true, Some((_, name))) => {
                let cut = names.cut(|row| behind(row, name, Ordering::Greater));
                names.before(cut).filter(|row| rows.contains(*row)).take(left).collect()
            }
        };
        self.found.extend(next);
    }

    fn take_sorted(&mut self, rows: &RoaringBitmap, terms: &[Walked<'_>], after: After<'_>) {
        let mut sorted: Vec<Sorting> = rows.iter().map(|row| self.sorting(row, terms)).collect();
        if let Some((after_values, after_name)) = after {
            sorted.retain(|one| {
                let pairs = terms.iter().zip(one.values.iter().zip(after_values));
                pairs
                    .map(|(term, (value, after))| {
                        term.term.compare(value.map(|fact| term.facts.key(fact)), after.as_deref())
                    })
                    .find(|ordering| ordering.is_ne())
                    .unwrap_or_else(|| self.order.directed(self.index.compare_name(one.row, after_name)))
                    .is_gt()
            });
        }
        let compare = |one: &Sorting, other: &Sorting| {
            let pairs = || terms.iter().zip(one.values.iter().zip(&other.values));
            let by_values = || pairs().map(|(term, (one, other))| term.compare(*one, *other)).find(|it| it.is_ne());
            let by_names = || self.order.directed(self.index.compare_names(one.row, other.row));
            one.rank.cmp(&other.rank).then_with(|| by_values().unwrap_or_else(by_names))
        };
        let left = self.limit - self.found.len();
        if sorted.len() > left {
            // What comes behind the page need not be sorted.
            sorted.select_nth_unstable_by(left, compare);
            sorted.truncate(left);
        }
        sorted.sort_unstable_by(compare);
        self.found.extend(sorted.into_iter().map(|one| one.row));
    }

    fn sorting(&self, row: RowNumber, terms: &[Walked<'_>]) -> Sorting {
        let values: SmallVec<[Option<FactNumber>; 2]> = terms.iter().map(|term| term.best(row)).collect();
        let rank = match (terms.first(), values.first()) {
            (Some(term), Some(Some(fact))) => term.rank(*fact),
            (Some(_), _) => u64::MAX,
            (None, _) => 0,
        };
        Sorting { rank, values, row }
    }
}
