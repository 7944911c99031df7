//! How a listing or a count is found, and what that costs: for people, who ask for it instead of the answer.

use crate::registry::query::filter::Filter;
use crate::registry::query::filter::expression::Expression;

/// How a question is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The tests of the filter, in the order in which they are made.
    pub tests: Vec<PlannedTest>,
    /// How many resources the indexes find to be selected.
    pub found: usize,
    /// How many they leave open, and which have to be read.
    pub open: usize,
    /// How many have changed since the revision that is asked about.
    pub changed: usize,
    /// How the order is made, in words.
    pub order: String,
    /// How many documents have to be read, besides those that are answered.
    pub cost: usize,
    /// The highest cost.
    pub cost_max: usize,
}

/// A test of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTest {
    /// As it stands in the filter.
    pub text: String,
    /// Whether an index answers it.
    pub indexed: bool,
    /// For how many resources it holds, if an index answers it; else how many are left to be read for it.
    pub matches: usize,
}

impl Plan {
    /// Of a question about `all` resources that is answered by reading them.
    pub(crate) fn of_reading(filter: &Filter, all: usize) -> Self {
        let mut tests = Vec::new();
        if let Some(expression) = filter.expression() {
            tests_of(expression, &mut tests);
        }
        let open = if tests.is_empty() { 0 } else { all };
        Self {
            tests: tests.into_iter().map(|text| PlannedTest { text, indexed: false, matches: open }).collect(),
            found: all - open,
            open,
            changed: 0,
            order: format!("walks {all} resources in the order of their names"),
            cost: open,
            cost_max: usize::MAX,
        }
    }
}

/// The tests of an expression, in their order, as people write them.
fn tests_of(expression: &Expression, found: &mut Vec<String>) {
    match expression {
        Expression::All(each) | Expression::Any(each) => each.iter().for_each(|one| tests_of(one, found)),
        Expression::Test(test) if test.negated => found.push(format!("NOT {}", test.text)),
        Expression::Test(test) => found.push(test.text.clone()),
    }
}
