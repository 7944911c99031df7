//! One test, answered by what is known of the resources without reading them.

use std::cmp::Ordering;

use roaring::RoaringBitmap;

use super::scan;
use super::under::Trees;
use crate::registry::index::secondary::{
    Cut, Dictionary, FactNumber, KeyType, KindIndex, PathId, RowNumber, entry, entry_key, key, value,
};
use crate::registry::query::filter::expression::{Check, Literal, Operator, Step, Subject, Test};
use crate::registry::resource::stamp::field_number;
use crate::registry::resource::value::{LeafValue, Truth};

/// When so few resources are left, each is looked at: that is faster than to find all that a test selects.
const LOOK_AT_MAX: u64 = 4_096;
/// Up to so many facts, their resources are put together; with more of them, the column is gone through.
const UNITED_FACTS_MAX: usize = 16;

/// Where the answer to a test comes from.
pub(super) enum Source<'a> {
    /// The facts of a path; of a map, those of one key.
    Facts { path: PathId, of_key: Option<&'a str>, check: &'a Check },
    /// These facts, each with its path.
    These(Vec<(PathId, FactNumber)>),
    /// The names of the resources.
    Names(&'a Check),
    /// The revisions in which they last changed.
    Revisions(&'a Check),
    /// No index.
    None,
}

/// The answers to one test.
pub(super) struct Answers<'a> {
    index: &'a KindIndex,
    pub(super) source: Source<'a>,
    negated: bool,
}

/// The path of these steps, if it is indexed, and the key of the map in which it ends.
pub(crate) fn indexed<'a>(index: &KindIndex, steps: &'a [Step]) -> Option<(PathId, Option<&'a str>)> {
    let path = index.paths.find(steps.iter().map(|step| step.number))?;
    Some((path, steps.last().and_then(|step| step.key.as_deref())))
}

/// An indexed path below these steps, of which a resource has a value whenever it has the message to which they lead.
fn below(index: &KindIndex, steps: &[Step]) -> Option<PathId> {
    index.paths.find_below(steps.iter().map(|step| step.number))
}

impl<'a> Answers<'a> {
    pub(super) fn new(index: &'a KindIndex, trees: &Trees, test: &'a Test) -> Self {
        let source = match &test.subject {
            Subject::Field { path, check } => match path.as_slice() {
                [Step { number: field_number::NAME, .. }] => Source::Names(check),
                [Step { number: field_number::REVISION, .. }] => Source::Revisions(check),
                steps => match indexed(index, steps) {
                    Some((path, of_key)) => {
                        exact(index, path, of_key, check).unwrap_or(Source::Facts { path, of_key, check })
                    }
                    None => match below(index, steps).filter(|_| *check == Check::Set) {
                        Some(path) => Source::Facts { path, of_key: None, check },
                        None => Source::None,
                    },
                },
            },
            Subject::Party { paths, name } => these(index, paths, std::iter::once(name.as_str())),
            Subject::Under { paths, root, .. } => these(index, paths, trees.below(root)),
        };
        Self { index, source, negated: test.negated }
    }

    /// About how many resources it leaves.
    pub(super) fn estimate(&self) -> u64 {
        let all = self.index.len() as u64;
        let of = |(path, fact): &(PathId, FactNumber)| {
            self.index
                .facts(*path)
                .and_then(|facts| facts.rows(*fact))
                .map_or(0, crate::registry::index::secondary::Rows::len)
        };
        match &self.source {
            Source::These(facts) if self.negated => all - all.min(facts.iter().map(of).sum()),
            Source::These(facts) => facts.iter().map(of).sum(),
            // Behind what names its values, and before what has to be read.
            Source::Facts { .. } => all / 2,
            Source::Names(_) | Source::Revisions(_) => all,
            Source::None => u64::MAX,
        }
    }

    /// The resources among `within` for which the test holds. None, if no index answers it.
    pub(super) fn rows(&self, within: &RoaringBitmap) -> RoaringBitmap {
        match &self.source {
            Source::None => RoaringBitmap::new(),
            Source::These(facts) => self.rows_of(facts, within),
            Source::Names(check) => {
                self.look_at(within, |row| check.truth(&LeafValue::Text(self.index.name(row).as_ref().into())))
            }
            Source::Revisions(check) => {
                self.look_at(within, |row| check.truth(&LeafValue::Unsigned(self.index.revision(row))))
            }
            Source::Facts { path, of_key, check } => self.rows_by_facts(*path, *of_key, check, within),
        }
    }

    /// The resources for which a test that is asked of each holds.
    fn look_at(&self, within: &RoaringBitmap, truth: impl Fn(RowNumber) -> Truth) -> RoaringBitmap {
        within.iter().filter(|row| truth(*row) == self.wanted()).collect()
    }

    /// What a test has to be for a resource to be left.
    fn wanted(&self) -> Truth {
        if self.negated { Truth::False } else { Truth::True }
    }

    fn rows_of(&self, facts: &[(PathId, FactNumber)], within: &RoaringBitmap) -> RoaringBitmap {
        let rows = |(path, fact): &(PathId, FactNumber)| self.index.facts(*path).and_then(|facts| facts.rows(*fact));
        let found = match facts {
            [fact] => rows(fact).map(|rows| rows.within(within)).unwrap_or_default(),
            facts => scan::union(facts.iter().filter_map(rows)) & within,
        };
        if self.negated { within - found } else { found }
    }

    fn rows_by_facts(
        &self,
        path: PathId,
        of_key: Option<&str>,
        check: &Check,
        within: &RoaringBitmap,
    ) -> RoaringBitmap {
        let (Some(facts), Some(indexed)) = (self.index.facts(path), self.index.paths.get(path)) else {
            return RoaringBitmap::new();
        };
        if is_there(check, indexed.key_type) && of_key.is_none() {
            let found = self.index.present(path).map(|present| present & within).unwrap_or_default();
            return if self.negated { within - found } else { found };
        }
        let judge = |fact: FactNumber| {
            let key = facts.key(fact);
            match of_key {
                Some(of_key) if entry(key).0 != of_key => Truth::False,
                _ => check.truth(&value(indexed.key_type, key)),
            }
        };
        if within.len() <= LOOK_AT_MAX.min(facts.len() as u64) {
            return self.look_at(within, |row| self.index.facts_of(row, path).map(judge).fold(Truth::False, Truth::or));
        }
        let (from, to) = range(facts, indexed.key_type, of_key, check, self.negated);
        let judged: Vec<(FactNumber, Truth)> = facts
            .ordered()
            .between(from, to)
            .map(|fact| (fact, judge(fact)))
            .filter(|(_, truth)| *truth != Truth::False)
            .collect();
        let column = self.index.column(path);
        if indexed.repeated || judged.len() <= UNITED_FACTS_MAX {
            let of = |wanted: fn(Truth) -> bool| {
                let facts = judged.iter().filter(|(_, truth)| wanted(*truth));
                scan::union(facts.filter_map(|(fact, _)| facts_rows(self.index, path, *fact)))
            };
            return match self.negated {
                false => of(|truth| truth == Truth::True) & within,
                true => within - of(|_| true),
            };
        }
        let mut truths = vec![Truth::False; facts.numbers_end()];
        for (fact, truth) in judged {
            if let Some(place) = truths.get_mut(fact as usize) {
                *place = truth;
            }
        }
        scan::column(column, &truths, self.wanted()) & within
    }
}

fn facts_rows(index: &KindIndex, path: PathId, fact: FactNumber) -> Option<&crate::registry::index::secondary::Rows> {
    index.facts(path).and_then(|facts| facts.rows(fact))
}

/// Whether a test asks for nothing but that there is a value, whatever it is.
fn is_there(check: &Check, of: KeyType) -> bool {
    match check {
        Check::Set => true,
        Check::Present => of.can_be_absent(),
        Check::Compare { .. } | Check::Like { .. } => false,
    }
}

/// The facts of these names at these paths; no source, if one of the paths has no index.
fn these<'a, 'n>(index: &KindIndex, paths: &[Vec<Step>], names: impl Iterator<Item = &'n str>) -> Source<'a> {
    let Some(paths) = paths.iter().map(|steps| indexed(index, steps)).collect::<Option<Vec<_>>>() else {
        return Source::None;
    };
    let mut found = Vec::new();
    for name in names {
        let at = |path: &PathId| index.facts(*path)?.find(name.as_bytes()).map(|fact| (*path, fact));
        found.extend(paths.iter().filter_map(|(path, _)| at(path)));
    }
    Source::These(found)
}

/// The one fact that a test is about, if it asks for a value as it is.
fn exact<'a>(index: &KindIndex, path: PathId, of_key: Option<&str>, check: &Check) -> Option<Source<'a>> {
    let Check::Compare { operator: Operator::Equal, literal } = check else { return None };
    let key = key(&match literal {
        Literal::Text(text) => match of_key {
            Some(of_key) => return Some(one(index, path, &entry_key(of_key, text))),
            None => LeafValue::Text(text.as_str().into()),
        },
        Literal::Bool(truth) => LeafValue::Bool(*truth),
        Literal::Enum(number) => LeafValue::Enum(*number),
        Literal::Signed(number) => LeafValue::Signed(*number),
        Literal::Unsigned(number) => LeafValue::Unsigned(*number),
        Literal::Double(number) => LeafValue::Double(*number),
        Literal::Money { currency, nanos } => LeafValue::Money { currency: currency.as_str().into(), nanos: *nanos },
        Literal::Days(_) | Literal::Times { .. } => return None,
    });
    Some(one(index, path, &key))
}

fn one<'a>(index: &KindIndex, path: PathId, key: &[u8]) -> Source<'a> {
    Source::These(index.facts(path).and_then(|facts| facts.find(key)).map(|fact| (path, fact)).into_iter().collect())
}

/// The facts outside of which a test is FALSE; if it is negated, and wants to know which are not, that is the same.
fn range(facts: &Dictionary, of: KeyType, of_key: Option<&str>, check: &Check, negated: bool) -> (Cut, Cut) {
    let all = (Cut::default(), facts.ordered().end());
    if let Some(of_key) = of_key {
        let begin = entry_key(of_key, "");
        return (facts.cut(&begin), facts.ordered().cut(|fact| before_end(facts.key(fact), &begin)));
    }
    match check {
        Check::Like { pattern, negated: false } => {
            let begin = pattern.beginning().as_bytes();
            (facts.cut(begin), facts.ordered().cut(|fact| before_end(facts.key(fact), begin)))
        }
        Check::Compare { operator, literal: Literal::Days(days) } => {
            let first = |day: i32| key(&LeafValue::Date { first: day, last: i32::MIN });
            match operator {
                // Whatever may be before the day begins before it.
                Operator::Less => (all.0, facts.cut(&first(*days.start()))),
                Operator::LessOrEqual => (all.0, facts.cut(&first(days.end().saturating_add(1)))),
                // What is certainly behind begins behind; what may be can begin anywhere.
                Operator::Greater if !negated => (facts.cut(&first(days.end().saturating_add(1))), all.1),
                Operator::GreaterOrEqual if !negated => (facts.cut(&first(*days.start())), all.1),
                Operator::Equal if !negated => {
                    (facts.cut(&first(*days.start())), facts.cut(&first(days.end().saturating_add(1))))
                }
                _ => all,
            }
        }
        _ => {
            let _ = of;
            all
        }
    }
}

/// How a key stands to the place behind all keys that begin so.
fn before_end(key: &[u8], begin: &[u8]) -> Ordering {
    if key.starts_with(begin) || key < begin { Ordering::Less } else { Ordering::Greater }
}
