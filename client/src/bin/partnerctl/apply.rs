//! `apply`: creates or updates resources from files, as many as possible in one commit.

use partnership_registry_client::v1::{ChangeAction, Mutation, UpdateMutation, mutation::Operation};

use crate::args::{ApplyArgs, Globals};
use crate::change::Change;
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::findings::warn;
use crate::output;
use crate::report::{done, outcome};

/// The most mutations of a commit.
const MUTATIONS_MAX: usize = 1_000;

pub(crate) async fn apply(globals: &Globals, args: ApplyArgs) -> Result<Exit, Failure> {
    let resources = files::read(&args.file)?;
    if let Some(nameless) = resources.iter().find(|found| found.resource.name().is_empty()) {
        return Err(Failure::usage(format!("{}: name: is required", nameless.place)));
    }
    let registry = connect(globals)?;
    for batch in resources.chunks(MUTATIONS_MAX) {
        let mutation = |found: &files::Found| {
            let (resource, update_mask) =
                (Some(found.resource.clone()), partnership_registry_client::Mask::all().into());
            Mutation {
                operation: Some(Operation::Update(UpdateMutation { resource, update_mask, allow_missing: true })),
            }
        };
        let commit = registry.commit().validate_only(args.dry_run);
        let commit = batch.iter().map(mutation).fold(commit, |commit, mutation| commit.mutation(mutation));
        let made = commit.await.map_err(|error| {
            let change =
                |found: &files::Found| Change { place: found.place.clone(), name: found.resource.name().to_owned() };
            Failure::write(error, batch.iter().map(change).collect(), args.dry_run)
        })?;
        for result in &made.results {
            warn(&result.name, &result.findings);
            let updated = result.action() == ChangeAction::Update;
            let what = if updated { "configured" } else { done(result.action()) };
            let line =
                if globals.output.is_table() { outcome(&result.name, what, args.dry_run) } else { result.name.clone() };
            output::line(&line)?;
        }
    }
    Ok(Exit::Success)
}
