//! From a filter to the resources that it selects, as far as the indexes know them.
//!
//! A plan says of each resource that it is selected, that it is not, or that it is open: a test without an index has to read
//! it. Tests are made in the order of what they leave, and each only on what the ones before it have left.

mod answer;
pub(crate) mod costs;
mod days;
mod range;
mod scan;
pub(crate) mod under;

use roaring::RoaringBitmap;

use crate::registry::index::secondary::KindIndex;
use crate::registry::query::explain::{AnsweredFrom, PlannedTest};
use crate::registry::query::filter::expression::{Expression, Test};
use crate::registry::read::read_mask::Days;
pub(crate) use answer::indexed;
use answer::{Answers, Left};
use under::Trees;

/// The resources that a filter selects.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Those that it selects for certain.
    pub(crate) certain: RoaringBitmap,
    /// Those that have to be read for it. None of them is among the certain ones.
    pub(crate) open: RoaringBitmap,
}

/// Finds what filters select among the resources of a kind.
pub(crate) struct Planner<'a> {
    pub(crate) index: &'a KindIndex,
    pub(crate) trees: &'a Trees,
    /// The days that are asked about.
    pub(crate) days: Days,
}

impl Planner<'_> {
    /// What a filter selects among `all`.
    pub(crate) fn find(&self, filter: Option<&Expression>, all: RoaringBitmap) -> Found {
        let Some(expression) = filter else { return Found { certain: all, open: RoaringBitmap::new() } };
        let Left { possible, certain } = self.left(expression, &all);
        match certain {
            None => Found { certain: possible, open: RoaringBitmap::new() },
            Some(certain) => Found { open: possible - &certain, certain },
        }
    }

    /// What an expression leaves of `within`.
    fn left(&self, expression: &Expression, within: &RoaringBitmap) -> Left {
        match expression {
            Expression::All(all) => self.left_by_all(all, within),
            Expression::Any(any) => self.left_by_any(any, within),
            Expression::Test(test) => self.answers(test).left(within),
        }
    }

    fn left_by_all(&self, all: &[Expression], within: &RoaringBitmap) -> Left {
        let mut left: Option<Left> = None;
        for expression in self.in_order(all) {
            let Left { possible, certain } = self.left(expression, left.as_ref().map_or(within, |left| &left.possible));
            let certain = match (left.and_then(|left| left.certain), certain) {
                (None, certain) => certain,
                (Some(before), None) => Some(before & &possible),
                (Some(before), Some(certain)) => Some(before & certain),
            };
            let is_over = possible.is_empty();
            left = Some(Left { possible, certain });
            if is_over {
                break;
            }
        }
        left.unwrap_or_else(|| Left { possible: within.clone(), certain: None })
    }

    fn left_by_any(&self, any: &[Expression], within: &RoaringBitmap) -> Left {
        let mut left = Left { possible: RoaringBitmap::new(), certain: None };
        for expression in any {
            let Left { possible, certain } = self.left(expression, within);
            left.certain = match (left.certain, certain) {
                (None, None) => None,
                (before, certain) => {
                    let before = before.unwrap_or_else(|| left.possible.clone());
                    Some(before | certain.as_ref().unwrap_or(&possible))
                }
            };
            left.possible |= possible;
        }
        left
    }

    /// Expressions in the order in which they are looked at: those that leave least come first, those that have to read
    /// last.
    fn in_order<'e>(&self, all: &'e [Expression]) -> Vec<&'e Expression> {
        let mut order: Vec<_> = all.iter().map(|expression| (self.estimate(expression), expression)).collect();
        order.sort_by_key(|(estimate, _)| *estimate);
        order.into_iter().map(|(_, expression)| expression).collect()
    }

    /// About how many resources an expression leaves.
    fn estimate(&self, expression: &Expression) -> u64 {
        match expression {
            Expression::All(all) => all.iter().map(|part| self.estimate(part)).min().unwrap_or(0),
            Expression::Any(any) => any.iter().map(|part| self.estimate(part)).fold(0, u64::saturating_add),
            Expression::Test(test) => self.answers(test).estimate(),
        }
    }

    fn answers<'t>(&'t self, test: &'t Test) -> Answers<'t> {
        Answers::new(self.index, self.trees, self.days, test)
    }

    /// What there is to say of each test, in the order in which they are made.
    pub(crate) fn explain(&self, filter: Option<&Expression>, all: &RoaringBitmap) -> Vec<PlannedTest> {
        let mut told = Vec::new();
        if let Some(expression) = filter {
            self.explain_in(expression, all, &mut told);
        }
        told
    }

    fn explain_in(&self, expression: &Expression, all: &RoaringBitmap, told: &mut Vec<PlannedTest>) {
        match expression {
            Expression::All(parts) => {
                self.in_order(parts).into_iter().for_each(|part| self.explain_in(part, all, told));
            }
            Expression::Any(parts) => parts.iter().for_each(|part| self.explain_in(part, all, told)),
            Expression::Test(test) => {
                let (left, source) = (self.left(expression, all), self.answers(test).source());
                told.push(PlannedTest {
                    text: if test.negated { format!("NOT {}", test.text) } else { test.text.clone() },
                    indexed: left.certain.is_none(),
                    // What the columns do not know of that day is read.
                    source: match left.certain {
                        Some(_) if source == AnsweredFrom::Columns => AnsweredFrom::ColumnsAndDocuments,
                        Some(_) | None => source,
                    },
                    matches: left.possible.len(),
                });
            }
        }
    }
}
