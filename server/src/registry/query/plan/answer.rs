//! One test, answered by what is known of the resources without reading them.

use partnership_registry::v1;
use roaring::RoaringBitmap;

use super::days::{DayTest, OfDay};
use super::range::range;
use super::scan;
use super::under::Trees;
use crate::faults;
use crate::registry::index::secondary::{
    FactNumber, KeyType, KindIndex, PathId, RowNumber, Timelines, date, entry, entry_key, key, value,
};
use crate::registry::query::computed::{days_of, unsure};
use crate::registry::query::explain::AnsweredFrom;
use crate::registry::query::filter::expression::{Check, Literal, Operator, Step, Subject, Test};
use crate::registry::read::read_mask::Days;
use crate::registry::resource::stamp::field_number;
use crate::registry::resource::standing_part::Part;
use crate::registry::resource::value::LeafValue;
use crate::time::Day;
use crate::values::truth::Truth;

/// To look at one resource costs about as much as to pass over so many in a column.
const LOOK_COST: u64 = 8;
/// Up to so many facts, their resources are put together; with more of them, the column is gone through.
const UNITED_FACTS_MAX: usize = 16;

/// Where the answer to a test comes from.
enum Source<'a> {
    /// The facts of a path; of a map, those of one key.
    Facts { path: PathId, of_key: Option<&'a str>, check: &'a Check },
    /// These facts, each with its path.
    These(Vec<(PathId, FactNumber)>),
    /// The names of the resources.
    Names(&'a Check),
    /// The revisions in which they last changed.
    Revisions(&'a Check),
    /// How they stand from day to day.
    Timelines(DayTest<'a>),
    /// No index.
    None,
}

/// What a test leaves of some resources: those that may be selected, and those of them that are for certain.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) possible: RoaringBitmap,
    /// `None`: all of them.
    pub(super) certain: Option<RoaringBitmap>,
}

/// The answers to one test.
pub(super) struct Answers<'a> {
    index: &'a KindIndex,
    source: Source<'a>,
    /// The days that are asked about, if the facts are of a day.
    of_days: Option<[Day; 2]>,
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
    pub(super) fn new(index: &'a KindIndex, trees: &Trees, days: Days, test: &'a Test) -> Self {
        let mut of_days = None;
        let source = match &test.subject {
            Subject::Field { path, check } => match path.as_slice() {
                [Step { number: field_number::NAME, .. }] => Source::Names(check),
                [Step { number: field_number::REVISION, .. }] => Source::Revisions(check),
                steps => {
                    let below = || below(index, steps).filter(|_| *check == Check::Set).map(|path| (path, None));
                    let found = indexed(index, steps).or_else(below);
                    let part = found.and_then(|(path, _)| index.paths.get(path)?.part);
                    of_days = part.map(|part| days_of(part, days));
                    let of_day = part.and_then(|part| of_day(index, part, days, check));
                    match (of_day, found) {
                        (Some(test), _) => Source::Timelines(test),
                        (None, Some((path, of_key))) => {
                            exact(index, path, of_key, check).unwrap_or(Source::Facts { path, of_key, check })
                        }
                        (None, None) => Source::None,
                    }
                }
            },
            Subject::Party { paths, name } => these(index, paths, std::iter::once(name.as_str())),
            Subject::Under { paths, root, .. } => these(index, paths, trees.below(root)),
            Subject::InForce { day, perhaps } => match index.timelines() {
                Some(timelines) => match in_force_column(index, timelines, *day) {
                    Some(path) => return Self::by_column(index, path, *perhaps, test.negated),
                    None => {
                        Source::Timelines(DayTest { timelines, day: *day, asked: OfDay::InForce { perhaps: *perhaps } })
                    }
                },
                None => Source::None,
            },
            Subject::PartyOn { name, day } => match index.timelines() {
                Some(timelines) => {
                    let asked = OfDay::PartyOn { party: timelines.party(name) };
                    Source::Timelines(DayTest { timelines, day: *day, asked })
                }
                None => Source::None,
            },
        };
        Self { index, source, of_days, negated: test.negated }
    }

    /// Whether resources are in force, by the column that says so for the day that is asked about.
    fn by_column(index: &'a KindIndex, path: PathId, perhaps: bool, negated: bool) -> Self {
        let says = |truth: Truth| one(index, path, &key(&LeafValue::Enum(v1::Truth::from(truth).into())));
        let (source, negated) = match (perhaps, negated) {
            (false, false) => (says(Truth::True), false),
            (false, true) | (true, true) => (says(Truth::False), false),
            (true, false) => (says(Truth::False), true),
        };
        Self { index, source, of_days: None, negated }
    }

    /// From what it is answered.
    pub(super) fn source(&self) -> AnsweredFrom {
        match self.source {
            Source::None => AnsweredFrom::Documents,
            Source::Timelines(_) => AnsweredFrom::Timelines,
            Source::Facts { .. } | Source::These(_) | Source::Names(_) | Source::Revisions(_) => AnsweredFrom::Columns,
        }
    }

    /// What the test leaves of `within`.
    pub(super) fn left(&self, within: &RoaringBitmap) -> Left {
        let unsure = match (self.of_days, &self.source) {
            (Some(days), Source::Facts { .. } | Source::These(_)) => unsure(self.index, days) & within,
            _ => RoaringBitmap::new(),
        };
        if unsure.is_empty() {
            return match self.rows(within) {
                Some(possible) => Left { possible, certain: None },
                None => Left { possible: within.clone(), certain: Some(RoaringBitmap::new()) },
            };
        }
        let certain = self.rows(&(within - &unsure)).unwrap_or_default();
        Left { possible: &certain | unsure, certain: Some(certain) }
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
            Source::Timelines(test) => test.estimate(all, self.negated),
            Source::Names(_) | Source::Revisions(_) => all,
            Source::None => u64::MAX,
        }
    }

    /// The resources among `within` for which the test holds. `None`: no index answers it.
    fn rows(&self, within: &RoaringBitmap) -> Option<RoaringBitmap> {
        Some(match &self.source {
            Source::None => return None,
            Source::These(facts) => self.rows_of(facts, within),
            Source::Timelines(test) => test.rows(within, self.wanted()),
            Source::Names(check) => {
                self.look_at(within, |row| check.truth(&LeafValue::Text(self.index.name(row).as_ref().into())))
            }
            Source::Revisions(check) => {
                self.look_at(within, |row| check.truth(&LeafValue::Unsigned(self.index.revision(row))))
            }
            Source::Facts { path, of_key, check } => self.rows_by_facts(*path, *of_key, check, within),
        })
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
        let judge = |fact: FactNumber| match (of_key, indexed.key_type) {
            (Some(of_key), _) if entry(facts.key(fact)).0 != of_key => Truth::False,
            (_, KeyType::Date) => check.truth(&date(facts.beginning(fact))),
            (_, of) => check.truth(&value(of, facts.key(fact))),
        };
        let truth_of = |row: RowNumber, judge: &dyn Fn(FactNumber) -> Truth| {
            self.index.facts_of(row, path).map(judge).fold(Truth::False, Truth::or)
        };
        // So that tests need not have many to see columns gone through.
        let as_if_many = faults::planted("as-if-many").is_some();
        if within.len() <= facts.len() as u64 && !as_if_many {
            return self.look_at(within, |row| truth_of(row, &judge));
        }
        let (from, to) = range(facts, of_key, check, self.negated);
        let judged: Vec<(FactNumber, Truth)> = facts
            .ordered()
            .between(from, to)
            .map(|fact| (fact, judge(fact)))
            .filter(|(_, truth)| *truth != Truth::False)
            .collect();
        if judged.len() <= UNITED_FACTS_MAX && !as_if_many {
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
        let known = |fact: FactNumber| truths.get(fact as usize).copied().unwrap_or(Truth::False);
        let column = self.index.column(path);
        if indexed.repeated || (within.len() * LOOK_COST <= column.len() as u64 && !as_if_many) {
            return self.look_at(within, |row| truth_of(row, &known));
        }
        scan::column(column, &truths, self.wanted()) & within
    }
}

/// A test of a part that follows from the states, where the columns do not hold for the day.
fn of_day<'a>(index: &'a KindIndex, part: Part, days: Days, check: &'a Check) -> Option<DayTest<'a>> {
    let ([day, _], timelines) = (days_of(part, days), index.timelines()?);
    let of_states = part != Part::Other && !timelines.hold(day);
    of_states.then_some(DayTest { timelines, day, asked: OfDay::States { part, check } })
}

/// The column that says whether resources are in force, if it holds for a day.
fn in_force_column(index: &KindIndex, timelines: &Timelines, day: Day) -> Option<PathId> {
    if timelines.hold(day) { index.paths.find_part(Part::InForce) } else { None }
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
