//! [`Row`]: a resource to import, and where it comes from.

use std::fmt;
use std::sync::Arc;

use partnership_registry::v1::{Finding, Resource};

use crate::json;

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
    pub resource: Result<Resource, String>,
}

/// A row that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// Where it comes from.
    pub origin: Origin,
    /// The name of the resource; empty if it has none.
    pub name: String,
    /// The reasons: all violations.
    pub reasons: Vec<String>,
}

/// A row that was accepted with findings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoundRow<'a> {
    /// Where it comes from.
    pub origin: &'a Origin,
    /// The name of the resource.
    pub name: &'a str,
    /// What was found.
    pub findings: &'a [Finding],
}

/// A row that can be sent: its resource has a name, so that a second import finds it again, and no etag, which would be of
/// another registry or of another time.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) origin: Origin,
    pub(super) resource: Resource,
}

impl Item {
    /// Checks a row.
    pub(super) fn new(row: Row) -> Result<Self, RefusedRow> {
        let Row { origin, resource } = row;
        match resource.and_then(prepare) {
            Ok(resource) => Ok(Self { origin, resource }),
            Err(reason) => Err(RefusedRow { origin, name: String::new(), reasons: vec![reason] }),
        }
    }

    pub(super) fn refused(self, reasons: Vec<String>) -> RefusedRow {
        RefusedRow { origin: self.origin, name: self.resource.name().to_owned(), reasons }
    }
}

fn prepare(resource: Resource) -> Result<Resource, String> {
    if resource.name().is_empty() {
        return Err("name: is required; a second import finds the resource by it".to_owned());
    }
    json::without_etag(&resource).map_err(|error| error.message().to_owned())
}
