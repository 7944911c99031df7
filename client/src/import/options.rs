//! [`Options`]: how an import is made, and the commits that it makes.

use partnership_registry::v1::{CommitResponse, Mutation};

use super::existing::Existing;
use crate::error::Error;
use crate::registry::Registry;

/// What is made of each row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RowOptions {
    pub(super) existing: Existing,
    /// Etags of rows are heeded.
    pub(super) etags: bool,
    /// Events that a row does not have any more are voided.
    pub(super) void_gone: bool,
}

/// The options of an import.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) registry: Registry,
    pub(super) batch_max: usize,
    pub(super) rows: RowOptions,
    pub(super) validate_only: bool,
    pub(super) all_or_none: bool,
    pub(super) from_line: u64,
}

impl Options {
    /// Makes changes, or only checks whether they could be made.
    pub(super) async fn commit(
        &self,
        mutations: impl Iterator<Item = Mutation>,
        validate_only: bool,
    ) -> Result<CommitResponse, Error> {
        let commit = self.registry.commit().validate_only(validate_only || self.validate_only);
        mutations.fold(commit, |commit, mutation| commit.mutation(mutation)).await
    }
}
