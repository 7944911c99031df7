//! [`Row`]: a resource to import, and where it comes from.

use std::fmt;
use std::sync::Arc;

use partnership_registry::v1::{ChangeAction, Finding, FindingCode, Resource};

/// Where a row comes from: displayed as `file:line`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, or another name of the source.
    pub source: Arc<str>,
    /// The line, from 1.
    pub line: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.line)
    }
}

/// A row to import: a resource with its name, or why the row is malformed.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where it comes from.
    pub origin: Origin,
    /// The resource, or why there is none.
    pub resource: Result<Resource, Malformed>,
}

/// A row that holds no resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Why it holds none.
    pub reason: String,
    /// What it holds instead; empty if that is not text, or is too long.
    pub text: String,
}

impl From<String> for Malformed {
    fn from(reason: String) -> Self {
        Self { reason, text: String::new() }
    }
}

/// A row that was not accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusedRow {
    /// Where it comes from.
    pub origin: Origin,
    /// The name of the resource; empty if it has none.
    pub name: String,
    /// The reasons: all violations.
    pub reasons: Vec<String>,
    /// What the row holds.
    pub content: Content,
}

/// What a refused row holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A resource.
    Resource(Box<Resource>),
    /// A text that is no resource.
    Text(String),
    /// It was not kept: the resource was written, but could not be deleted.
    NotKept,
}

/// A row that was accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AcceptedRow<'a> {
    /// Where it comes from.
    pub origin: &'a Origin,
    /// The name of the resource.
    pub name: &'a str,
    /// What was done.
    pub action: ChangeAction,
    /// What is strange about it, or was asked for and not done.
    pub findings: &'a [Finding],
}

impl AcceptedRow<'_> {
    /// Whether the row has values that were ignored: of fields that only the server writes, or that can be given only at
    /// creation. The findings name them.
    #[must_use]
    pub fn has_ignored(&self) -> bool {
        self.findings.iter().any(|finding| finding.code() == FindingCode::OutputOnlyIgnored)
    }
}
