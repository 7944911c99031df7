//! [`Report`]: what came of writes: a line each, or the resources in the requested format, and their findings as warnings.

use partnership_registry_client::v1::{ChangeAction, MutationResult, Resource};
use partnership_registry_client::{Point, ReadOptions, Registry};

use crate::args::Globals;
use crate::failure::{Exit, Failure};
use crate::findings::warn;
use crate::kinds::handle_of;
use crate::output::{self, Printer};
use crate::written::Written;

/// `countries/kr created`.
pub(crate) fn outcome(name: &str, what: &str, dry_run: bool) -> String {
    format!("{name} {what}{}", if dry_run { " (dry run)" } else { "" })
}

/// What a mutation did, in a word.
pub(crate) fn done(action: ChangeAction) -> &'static str {
    match action {
        ChangeAction::Create => "created",
        ChangeAction::Update => "updated",
        ChangeAction::Delete => "deleted",
        ChangeAction::Undelete => "undeleted",
        ChangeAction::Rollback => "reverted",
        ChangeAction::RecordEvents => "recorded",
        ChangeAction::VoidEvent => "voided",
        ChangeAction::Unspecified | ChangeAction::Unchanged => "unchanged",
    }
}

/// Prints the outcome of writes.
pub(crate) struct Report {
    printer: Option<Printer>,
    dry_run: bool,
}

impl Report {
    /// A report of so many writes.
    pub(crate) fn new(globals: &Globals, dry_run: bool, count: usize) -> Self {
        let printer = (!globals.output.is_table()).then(|| Printer::new(globals.output, count == 1));
        Self { printer, dry_run }
    }

    /// Writes a resource, and reports it.
    pub(crate) async fn write(&mut self, registry: &Registry, written: Written) -> Result<(), Failure> {
        let result = written.send(registry, self.dry_run).await?;
        warn(&result.name, &result.findings);
        let Some(printer) = &mut self.printer else {
            return output::line(&outcome(&result.name, done(result.action()), self.dry_run));
        };
        let resource = if self.dry_run {
            written.preview(registry).await?
        } else {
            let MutationResult { name, revision, .. } = &result;
            let options = ReadOptions { at: Point::Revision(*revision), ..ReadOptions::default() };
            handle_of(registry, name)?.get(name, options).await?
        };
        printer.push(resource)
    }

    /// Reports a resource that was written.
    pub(crate) fn done(&mut self, resource: Resource, what: &str) -> Result<(), Failure> {
        warn(resource.name(), resource.findings());
        match &mut self.printer {
            Some(printer) => printer.push(resource),
            None => output::line(&outcome(resource.name(), what, self.dry_run)),
        }
    }

    /// Completes the output.
    pub(crate) fn finish(self) -> Result<Exit, Failure> {
        self.printer.map_or(Ok(()), Printer::finish)?;
        Ok(Exit::Success)
    }
}
