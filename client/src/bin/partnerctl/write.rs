//! `create`, `update`, `delete` and `undelete`.

use partnership_registry_client::v1::{
    ChangeAction, DeleteMutation, Mutation, Resource, UndeleteMutation, mutation::Operation,
};
use partnership_registry_client::{AnyResources, Mask, Point, Registry, WriteOptions};

use crate::args::{CreateArgs, DeleteArgs, Globals, UndeleteArgs, UpdateArgs};
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::kinds;
use crate::output::{self, Printer};
use crate::set;
use crate::values::Fields;

pub(crate) async fn create(globals: &Globals, args: CreateArgs) -> Result<Exit, Failure> {
    let (collection, id) = match &args.name {
        None => (None, String::new()),
        Some(name) => match name.split_once('/') {
            Some((kind, id)) => (Some(kinds::collection(kind)?), id.to_owned()),
            None => (Some(kinds::collection(name)?), String::new()),
        },
    };
    let resources = match collection {
        Some(collection) if args.files.is_empty() => vec![set::empty(collection, "")?],
        _ => files::read_files(&args.files, collection)?,
    };
    if !id.is_empty() && resources.len() > 1 {
        return Err(Failure::usage("a name is for one resource, and there are several in the files"));
    }
    let registry = connect(globals)?;
    let mut report = Report::new(globals, args.dry_run, resources.len());
    for resource in resources {
        let (resource, _) = set::edit(&resource, &args.set)?;
        let id = if id.is_empty() {
            resource.name().split_once('/').map_or("", |(_, id)| id).to_owned()
        } else {
            id.clone()
        };
        let options = WriteOptions { validate_only: args.dry_run, ..WriteOptions::default() };
        report.done(handle(&registry, &resource)?.create(&id, resource, options).await?, "created")?;
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
        for resource in resources {
            let mask = Mask::from(args.mask.clone());
            report.done(handle(&registry, &resource)?.update(resource, mask, options.clone()).await?, "updated")?;
        }
        return report.finish();
    }
    let name = kinds::full_name(args.name.as_deref().unwrap_or_default())?;
    let handle = handle_of(&registry, &name)?;
    // The resource that was read has its etag: a change in the meantime is not overwritten.
    let current = match handle.get(&name, Point::Head).await {
        Err(error) if error.is_not_found() && args.allow_missing => set::empty(kinds::collection_of(&name), &name)?,
        other => other?,
    };
    let (resource, fields) = set::edit(&current, &args.set)?;
    let mut report = Report::new(globals, args.dry_run, 1);
    let updated = handle.update(resource, Mask::from(fields), options).await?;
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
        let options = WriteOptions { etag: args.etag, allow_missing: args.allow_missing, validate_only: args.dry_run };
        let registry = connect(globals)?;
        let mut report = Report::new(globals, args.dry_run, 1);
        report.done(handle_of(&registry, name)?.delete(name, options).await?, "deleted")?;
        return report.finish();
    }
    let operation = |name: &String| {
        let (name, etag) = (name.clone(), String::new());
        Operation::Delete(DeleteMutation { name, etag, allow_missing: args.allow_missing })
    };
    commit(globals, names.iter().map(operation), args.dry_run).await
}

pub(crate) async fn undelete(globals: &Globals, args: UndeleteArgs) -> Result<Exit, Failure> {
    let names = kinds::names(&args.names)?;
    if let [name] = names.as_slice() {
        let options = WriteOptions { validate_only: args.dry_run, ..WriteOptions::default() };
        let registry = connect(globals)?;
        let mut report = Report::new(globals, args.dry_run, 1);
        report.done(handle_of(&registry, name)?.undelete(name, options).await?, "undeleted")?;
        return report.finish();
    }
    let operation = |name: &String| Operation::Undelete(UndeleteMutation { name: name.clone(), etag: String::new() });
    commit(globals, names.iter().map(operation), args.dry_run).await
}

/// Makes changes, all or none, and prints the outcome of each.
async fn commit(
    globals: &Globals,
    operations: impl Iterator<Item = Operation>,
    dry_run: bool,
) -> Result<Exit, Failure> {
    let registry = connect(globals)?;
    let commit = registry.commit().validate_only(dry_run);
    let done =
        operations.fold(commit, |commit, operation| commit.mutation(Mutation { operation: Some(operation) })).await?;
    for result in &done.results {
        let what = match result.action() {
            ChangeAction::Delete => "deleted",
            ChangeAction::Undelete => "undeleted",
            ChangeAction::Rollback => "reverted",
            ChangeAction::Unspecified | ChangeAction::Unchanged | ChangeAction::Create | ChangeAction::Update => {
                "unchanged"
            }
        };
        output::line(&if globals.output.is_table() {
            outcome(&result.name, what, dry_run)
        } else {
            result.name.clone()
        })?;
    }
    Ok(Exit::Success)
}

fn handle(registry: &Registry, resource: &Resource) -> Result<AnyResources, Failure> {
    handle_of(registry, resource.collection().unwrap_or_default())
}

/// The handle of the kind that a name, or a collection alone, is of.
fn handle_of(registry: &Registry, name: &str) -> Result<AnyResources, Failure> {
    registry.collection(kinds::collection_of(name)).ok_or_else(|| Failure::usage(format!("{name:?} has no kind")))
}

/// `countries/kr created`.
pub(crate) fn outcome(name: &str, what: &str, dry_run: bool) -> String {
    format!("{name} {what}{}", if dry_run { " (dry run)" } else { "" })
}

/// Prints the outcome of writes: a line each, or the resources in the requested format.
struct Report {
    printer: Option<Printer>,
    dry_run: bool,
}

impl Report {
    fn new(globals: &Globals, dry_run: bool, count: usize) -> Self {
        let printer = (!globals.output.is_table()).then(|| Printer::new(globals.output, count == 1));
        Self { printer, dry_run }
    }

    fn done(&mut self, resource: Resource, what: &str) -> Result<(), Failure> {
        match &mut self.printer {
            Some(printer) => printer.push(resource),
            None => output::line(&outcome(resource.name(), what, self.dry_run)),
        }
    }

    fn finish(self) -> Result<Exit, Failure> {
        self.printer.map_or(Ok(()), Printer::finish)?;
        Ok(Exit::Success)
    }
}
