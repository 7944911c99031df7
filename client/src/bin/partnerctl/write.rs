//! `create`, `update`, `delete` and `undelete`.

use partnership_registry_client::v1::{DeleteMutation, Mutation, UndeleteMutation, mutation::Operation};
use partnership_registry_client::{Mask, Point, ReadOptions, WriteOptions};

use crate::args::{CreateArgs, DeleteArgs, Globals, UndeleteArgs, UpdateArgs};
use crate::change::Change;
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::files::{self, Found};
use crate::findings::warn;
use crate::kinds::{self, handle_of};
use crate::output::{self, Format, Printer};
use crate::report::{Report, done, outcome};
use crate::set;
use crate::values::Fields;
use crate::written::Written;

pub(crate) async fn create(globals: &Globals, args: CreateArgs) -> Result<Exit, Failure> {
    let (collection, id) = match &args.name {
        None => (None, String::new()),
        Some(name) => match name.split_once('/') {
            Some((kind, id)) => (Some(kinds::collection(kind)?), id.to_owned()),
            None => (Some(kinds::collection(name)?), String::new()),
        },
    };
    let resources = match collection {
        Some(collection) if args.files.is_empty() => {
            vec![Found { resource: set::empty(collection, "")?, place: String::new() }]
        }
        _ => files::read_files(&args.files, collection)?,
    };
    if !id.is_empty() && resources.len() > 1 {
        return Err(Failure::usage("a name is for one resource, and there are several in the files"));
    }
    let registry = connect(globals)?;
    let mut report = Report::new(globals, args.dry_run, resources.len());
    for Found { resource, place } in resources {
        let (mut resource, _) = set::edit(&resource, &args.set)?;
        if !id.is_empty() {
            let collection = resource.collection().unwrap_or_default();
            resource.set_name(format!("{collection}/{id}"));
        }
        report.write(&registry, Written::New { resource, place }).await?;
    }
    report.finish()
}

pub(crate) async fn update(globals: &Globals, args: UpdateArgs) -> Result<Exit, Failure> {
    let registry = connect(globals)?;
    let options =
        WriteOptions { allow_missing: args.allow_missing, validate_only: args.dry_run, ..WriteOptions::default() };
    if !args.files.is_empty() {
        let collection = args.name.as_deref().map(|name| kinds::collection(kinds::collection_of(name))).transpose()?;
        let resources = files::read_files(&args.files, collection)?;
        let mut report = Report::new(globals, args.dry_run, resources.len());
        for Found { resource, place } in resources {
            let (mask, allow_missing) = (Mask::from(args.mask.clone()), args.allow_missing);
            report.write(&registry, Written::Changed { resource, mask, allow_missing, place }).await?;
        }
        return report.finish();
    }
    let name = kinds::full_name(args.name.as_deref().unwrap_or_default())?;
    let handle = handle_of(&registry, &name)?;
    // The resource that was read has its etag: a change in the meantime is not overwritten.
    let current = match handle.get(&name, ReadOptions::default()).await {
        Err(error) if error.is_not_found() && args.allow_missing => set::empty(kinds::collection_of(&name), &name)?,
        other => other?,
    };
    let (resource, fields) = set::edit(&current, &args.set)?;
    let mut report = Report::new(globals, args.dry_run, 1);
    let updated = handle.update(resource, Mask::from(fields), options).await;
    let updated = updated.map_err(|error| Failure::write(error, vec![Change::only(&name)], args.dry_run))?;
    let same = Fields::of(&updated)?.text("etag") == Fields::of(&current)?.text("etag");
    report.done(updated, if same { "unchanged" } else { "updated" })?;
    report.finish()
}

pub(crate) async fn delete(globals: &Globals, args: DeleteArgs) -> Result<Exit, Failure> {
    let names = kinds::names(&args.names)?;
    if names.len() > 1 && !args.etag.is_empty() {
        return Err(Failure::usage("--etag is for a single name"));
    }
    if let [name] = names.as_slice() {
        let options = WriteOptions {
            etag: kinds::etag(&args.etag),
            allow_missing: args.allow_missing,
            validate_only: args.dry_run,
        };
        let registry = connect(globals)?;
        let mut report = Report::new(globals, args.dry_run, 1);
        let deleted = handle_of(&registry, name)?.delete(name, options).await;
        let deleted = deleted.map_err(|error| Failure::write(error, vec![Change::only(name)], args.dry_run))?;
        report.done(deleted, "deleted")?;
        return report.finish();
    }
    let operation = |name: &String| {
        let (name, etag) = (name.clone(), String::new());
        Operation::Delete(DeleteMutation { name, etag, allow_missing: args.allow_missing })
    };
    commit(globals, &names, operation, args.dry_run).await
}

pub(crate) async fn undelete(globals: &Globals, args: UndeleteArgs) -> Result<Exit, Failure> {
    let names = kinds::names(&args.names)?;
    if let [name] = names.as_slice() {
        let options = WriteOptions { validate_only: args.dry_run, ..WriteOptions::default() };
        let registry = connect(globals)?;
        let mut report = Report::new(globals, args.dry_run, 1);
        let undeleted = handle_of(&registry, name)?.undelete(name, options).await;
        let undeleted = undeleted.map_err(|error| Failure::write(error, vec![Change::only(name)], args.dry_run))?;
        report.done(undeleted, "undeleted")?;
        return report.finish();
    }
    let operation = |name: &String| Operation::Undelete(UndeleteMutation { name: name.clone(), etag: String::new() });
    commit(globals, &names, operation, args.dry_run).await
}

/// Makes changes, all or none, and prints the outcome of each.
async fn commit(
    globals: &Globals,
    names: &[String],
    operation: impl Fn(&String) -> Operation,
    dry_run: bool,
) -> Result<Exit, Failure> {
    let registry = connect(globals)?;
    let commit = registry.commit().validate_only(dry_run);
    let mutation = |name| Mutation { operation: Some(operation(name)) };
    let made = names.iter().fold(commit, |commit, name| commit.mutation(mutation(name))).await.map_err(|error| {
        let changes = names.iter().map(|name| Change::named(name)).collect();
        Failure::write(error, changes, dry_run)
    })?;
    let mut printer = Printer::new(globals.output, false);
    for result in &made.results {
        warn(&result.name, &result.findings);
        if globals.output.is_table() {
            output::line(&outcome(&result.name, done(result.action()), dry_run))?;
        } else if globals.output == Format::Name {
            output::line(&result.name)?;
        } else {
            let options = ReadOptions { at: Point::Revision(result.revision), ..ReadOptions::default() };
            printer.push(handle_of(&registry, &result.name)?.get(&result.name, options).await?)?;
        }
    }
    if !globals.output.is_table() {
        printer.finish()?;
    }
    Ok(Exit::Success)
}
