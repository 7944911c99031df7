//! `apply`: creates or updates resources from files, as many as possible in one commit.

use std::collections::HashMap;

use partnership_registry_client::import::{
    AcceptedRow, Import, Interrupted, Observer, Origin, RefusedRow, Row, Summary,
};
use partnership_registry_client::v1::ChangeAction;

use crate::args::{ApplyArgs, Globals};
use crate::change::{Change, with_places};
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::files::{self, Found};
use crate::findings::warn;
use crate::import::existing;
use crate::output;
use crate::report::{done, outcome};

/// The most mutations of a commit.
const MUTATIONS_MAX: usize = 1_000;

pub(crate) async fn apply(globals: &Globals, args: ApplyArgs) -> Result<Exit, Failure> {
    let found = files::read(&args.file)?;
    check_names(&found)?;
    let changes: Vec<Change> = found.iter().map(change).collect();
    let registry = connect(globals)?;
    let import = Import::new(&registry)
        .batch_max(MUTATIONS_MAX)
        .existing(existing(&args.existing))
        .void_gone(args.existing.void_gone)
        .validate_only(args.dry_run)
        .all_or_none(true)
        .etags(true);
    let count = found.len();
    let rows = found.into_iter().zip(1..).map(|(found, line)| {
        let origin = Origin { source: "resource".into(), line };
        Ok(Row { origin, resource: Ok(found.resource) })
    });
    let mut reporter =
        Reporter { table: globals.output.is_table(), dry_run: args.dry_run, changes: &changes, failed: None };
    match import.run(rows, &mut reporter).await {
        Ok(summary) => match (reporter.failed, summary) {
            (Some(failure), _) => Err(failure),
            (None, Summary { refused: 1.., .. }) => Ok(Exit::Refused),
            (None, Summary { ignored: 1.., .. }) => Ok(Exit::Ignored),
            (None, _) => Ok(Exit::Success),
        },
        Err(Interrupted { cause, summary, resume_from, names, .. }) => {
            if let (Some(origin), 1..) = (&resume_from, summary.commits) {
                eprintln!(
                    "{} of {count} resources were applied, in {} commits; from resource {} on they were not, or not all. \
                     Apply the same files again when this is mended:",
                    summary.accepted(),
                    summary.commits,
                    origin.line
                );
            }
            let of_name =
                |name: &String| changes.iter().find(|change| change.name == *name).cloned().unwrap_or_default();
            let sent: Vec<_> = if names.is_empty() {
                // It was no refusal: whatever comes next may have been made, or not.
                let next =
                    resume_from.and_then(|origin| changes.get(usize::try_from(origin.line).ok()?.checked_sub(1)?));
                next.into_iter().cloned().collect()
            } else {
                names.iter().map(of_name).collect()
            };
            Err(reporter.failed.unwrap_or_else(|| Failure::write(cause, sent, args.dry_run)))
        }
    }
}

/// Each resource needs a name, and one that no other has.
fn check_names(found: &[Found]) -> Result<(), Failure> {
    let mut seen = HashMap::new();
    for Found { resource, place } in found {
        let name = resource.name();
        if name.is_empty() {
            return Err(Failure::usage(format!("{place}: name: is required")));
        }
        if let Some(first) = seen.insert(name, place) {
            return Err(Failure::usage(format!("{place} is a duplicate of {first}")));
        }
    }
    Ok(())
}

fn change(found: &Found) -> Change {
    Change { place: found.place.clone(), name: found.resource.name().to_owned() }
}

/// Prints what was done, with a warning for what is strange.
struct Reporter<'a> {
    table: bool,
    dry_run: bool,
    changes: &'a [Change],
    failed: Option<Failure>,
}

impl Reporter<'_> {
    fn print(&mut self, name: &str, what: &str) {
        let line = if self.table { outcome(name, what, self.dry_run) } else { name.to_owned() };
        if let Err(failure) = output::line(&line) {
            self.failed.get_or_insert(failure);
        }
    }
}

impl Observer for Reporter<'_> {
    fn accepted(&mut self, row: &AcceptedRow<'_>) {
        warn(row.name, row.findings);
        self.print(row.name, if row.action == ChangeAction::Update { "configured" } else { done(row.action) });
    }

    fn refused(&mut self, row: &RefusedRow) {
        let place =
            self.changes.iter().find(|change| change.name == row.name).map_or(&row.name, |change| &change.place);
        row.reasons.iter().for_each(|reason| eprintln!("{place}: {}", with_places(reason, &[])));
    }

    fn unknown(&mut self, _: &Origin, name: &str, _: &[String]) {
        self.print(name, "cannot be told before the others are written");
    }

    fn stops(&mut self) -> bool {
        self.failed.is_some()
    }
}
