//! `revert`: makes a resource what it was, as a new revision.

use partnership_registry_client::v1::{Resource, ResourceRevision};
use partnership_registry_client::{Items, WriteOptions};

use crate::args::{Globals, RevertArgs};
use crate::change::Change;
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::kinds::{self, handle_of};
use crate::report::Report;
use crate::values::Fields;

pub(crate) async fn revert(globals: &Globals, args: RevertArgs) -> Result<Exit, Failure> {
    let names = kinds::names(&args.name)?;
    let [name] = names.as_slice() else { return Err(Failure::usage("revert takes one resource")) };
    let registry = connect(globals)?;
    let mut revisions = registry.list_revisions(name.as_str());
    let current = next(&mut revisions).await?.and_then(|newest| newest.snapshot).unwrap_or_default();
    let mut etag = kinds::etag(&args.etag);
    let to = match args.to {
        Some(revision) => revision,
        None => {
            // What is undone is the change that was seen, and no later one.
            if etag.is_empty() {
                etag = etag_of(&current)?;
            }
            let before = next(&mut revisions).await?;
            before.ok_or_else(|| Failure::usage(format!("{name} has only one revision")))?.revision
        }
    };
    let options = WriteOptions { etag, validate_only: args.dry_run, ..WriteOptions::default() };
    let mut report = Report::new(globals, args.dry_run, 1);
    let reverted = handle_of(&registry, name)?.rollback(name, to, options).await;
    let reverted = reverted.map_err(|error| Failure::write(error, vec![Change::only(name)], args.dry_run))?;
    let same = etag_of(&reverted)? == etag_of(&current)?;
    report.done(reverted, &if same { "unchanged".to_owned() } else { format!("reverted to revision {to}") })?;
    report.finish()
}

async fn next(revisions: &mut Items<ResourceRevision>) -> Result<Option<ResourceRevision>, Failure> {
    Ok(revisions.next().await.transpose()?)
}

fn etag_of(resource: &Resource) -> Result<String, Failure> {
    Ok(Fields::of(resource)?.text("etag"))
}
