//! How a listing or a count is found, and what that costs: for people, who ask for it instead of the answer.

/// How a question is answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The tests of the filter, in the order in which they are made.
    pub tests: Vec<PlannedTest>,
    /// How many resources the indexes find to be selected.
    pub found: u64,
    /// How many they leave open, and which have to be read.
    pub open: u64,
    /// How many have changed since the revision that is asked about.
    pub changed: u64,
    /// How the order is made, in words.
    pub order: String,
    /// How many documents have to be read, besides those that are answered.
    pub cost: u64,
    /// The highest cost.
    pub cost_max: u64,
}

/// From what a test is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnsweredFrom {
    /// The values at the indexed paths. Of what is computed, those of the day for which the index holds them.
    Columns,
    /// The same, but for the resources that stand differently on the day that is asked about, which are read.
    ColumnsAndDocuments,
    /// How the resources stand from day to day, which is kept in memory.
    Timelines,
    /// The resources, which are read.
    Documents,
}

/// A test of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTest {
    /// As it stands in the filter.
    pub text: String,
    /// Whether an index answers it.
    pub indexed: bool,
    /// From what it is answered.
    pub source: AnsweredFrom,
    /// For how many resources it holds, if an index answers it; else how many are left to be read for it.
    pub matches: u64,
}
