//! How a listing or a count is found, and what that costs: for people, who ask for it instead of the answer.

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
    pub(crate) fn of_reading(filter: &str, all: usize) -> Self {
        let filter = filter.trim();
        let open = if filter.is_empty() { 0 } else { all };
        let test = PlannedTest { text: filter.to_owned(), indexed: false, matches: open };
        Self {
            tests: if filter.is_empty() { Vec::new() } else { vec![test] },
            found: all - open,
            open,
            changed: 0,
            order: format!("walks {all} resources in the order of their names"),
            cost: open,
            cost_max: usize::MAX,
        }
    }
}
