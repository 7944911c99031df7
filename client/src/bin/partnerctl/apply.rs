//! `apply`: creates or updates resources from files, as many as possible in one commit.

use std::collections::HashMap;

use partnership_registry_client::import::{
    AcceptedRow, Import, Interrupted, Observer, Origin, RefusedRow, Row, Summary,
};
use partnership_registry_client::v1::{ChangeAction, Resource};

use crate::args::{ApplyArgs, Globals};
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::findings::warn;
use crate::import::existing;
use crate::output;
use crate::report::{done, outcome};

/// The most mutations of a commit.
const MUTATIONS_MAX: usize = 1_000;

pub(crate) async fn apply(globals: &Globals, args: ApplyArgs) -> Result<Exit, Failure> {
    let resources = files::read(&args.file)?;
    check_names(&resources)?;
    let registry = connect(globals)?;
    let import = Import::new(&registry)
        .batch_max(MUTATIONS_MAX)
        .existing(existing(&args.existing))
        .validate_only(args.dry_run)
        .all_or_none(true)
        .etags(true);
    let count = resources.len();
    let rows = resources
        .into_iter()
        .zip(1..)
        .map(|(resource, line)| Ok(Row { origin: Origin { source: "resource".into(), line }, resource: Ok(resource) }));
    let mut reporter = Reporter { table: globals.output.is_table(), dry_run: args.dry_run, failed: None };
    match import.run(rows, &mut reporter).await {
        Ok(summary) => match (reporter.failed, summary) {
            (Some(failure), _) => Err(failure),
            (None, Summary { refused: 1.., .. }) => Ok(Exit::Refused),
            (None, Summary { ignored: 1.., .. }) => Ok(Exit::Ignored),
            (None, _) => Ok(Exit::Success),
        },
        Err(Interrupted { cause, summary, resume_from, .. }) => {
            if let (Some(origin), 1..) = (resume_from, summary.commits) {
                eprintln!(
                    "{} of {count} resources were applied, in {} commits; from resource {} on they were not, or not all. \
                     Apply the same files again when this is mended:",
                    summary.accepted(),
                    summary.commits,
                    origin.line
                );
            }
            Err(reporter.failed.unwrap_or_else(|| cause.into()))
        }
    }
}

/// Each resource needs a name, and one that no other has.
fn check_names(resources: &[Resource]) -> Result<(), Failure> {
    let mut seen = HashMap::new();
    for (resource, number) in resources.iter().zip(1_usize..) {
        let name = resource.name();
        if name.is_empty() {
            return Err(Failure::usage(format!("resource {number} has no name")));
        }
        if let Some(first) = seen.insert(name, number) {
            return Err(Failure::usage(format!("resource {number}, {name}, is a duplicate of resource {first}")));
        }
    }
    Ok(())
}

/// Prints what was done, with a warning for what is strange.
struct Reporter {
    table: bool,
    dry_run: bool,
    failed: Option<Failure>,
}

impl Reporter {
    fn print(&mut self, name: &str, what: &str) {
        let line = if self.table { outcome(name, what, self.dry_run) } else { name.to_owned() };
        if let Err(failure) = output::line(&line) {
            self.failed.get_or_insert(failure);
        }
    }
}

impl Observer for Reporter {
    fn accepted(&mut self, row: &AcceptedRow<'_>) {
        warn(row.name, row.findings);
        self.print(row.name, if row.action == ChangeAction::Update { "configured" } else { done(row.action) });
    }

    fn refused(&mut self, row: &RefusedRow) {
        row.reasons.iter().for_each(|reason| eprintln!("{}: {reason}", row.name));
    }

    fn unknown(&mut self, _: &Origin, name: &str, _: &[String]) {
        self.print(name, "cannot be told before the others are written");
    }

    fn stops(&mut self) -> bool {
        self.failed.is_some()
    }
}
