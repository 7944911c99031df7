//! `get` and `list`.

use partnership_registry_client::v1::Resource;
use partnership_registry_client::{ListOptions, Mask, ReadOptions, Registry};

use crate::args::{GetArgs, Globals, ListArgs};
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::kinds::{self, Asked};
use crate::output::Printer;
use crate::plan;

pub(crate) async fn get(globals: &Globals, args: GetArgs) -> Result<Exit, Failure> {
    let at = args.at.unwrap_or_default();
    let names = match kinds::asked(&args.names)? {
        Asked::Names(names) => names,
        Asked::All(collection) => {
            return print_all(globals, collection, ListOptions::new().at(at).on(args.on), args.fields, None).await;
        }
    };
    let registry = connect(globals)?;
    let mut printer = Printer::new(globals.output, names.len() == 1).with_fields(&args.fields);
    for resource in read(&registry, &names, &ReadOptions { at, on: args.on, fields: mask(&args.fields) }).await? {
        printer.push(resource)?;
    }
    printer.finish()?;
    Ok(Exit::Success)
}

/// Reads resources of any kinds, in the order of their names. Consecutive names of one kind are read together, at
/// one revision.
async fn read(registry: &Registry, names: &[String], options: &ReadOptions) -> Result<Vec<Resource>, Failure> {
    const BATCH_MAX: usize = 1_000;
    let mut found = Vec::with_capacity(names.len());
    for group in names.chunk_by(|one, next| kinds::collection_of(one) == kinds::collection_of(next)) {
        let collection = group.first().map_or("", |name| kinds::collection_of(name));
        let resources = registry
            .collection(collection)
            .ok_or_else(|| Failure::usage(format!("there is no collection {collection:?}")))?;
        if let [name] = group {
            found.push(resources.get(name, options.clone()).await?);
            continue;
        }
        for batch in group.chunks(BATCH_MAX) {
            found.extend(resources.batch_get(batch, options.clone()).await?);
        }
    }
    Ok(found)
}

pub(crate) async fn list(globals: &Globals, args: ListArgs) -> Result<Exit, Failure> {
    let collection = kinds::collection(&args.kind)?;
    let options = ListOptions::new()
        .filter(args.filter)
        .order_by(args.order_by)
        .show_deleted(args.show_deleted)
        .at(args.at.unwrap_or_default())
        .on(args.on);
    if args.explain {
        let resources = kinds::handle_of(&connect(globals)?, collection)?;
        return plan::print(globals.output, &resources.explain(options).await?);
    }
    print_all(globals, collection, options, args.fields, args.limit).await
}

/// The mask of fields; what is printed always has its name.
fn mask(fields: &[String]) -> Mask {
    if fields.is_empty() {
        return Mask::default();
    }
    std::iter::once("name").chain(fields.iter().map(String::as_str)).collect()
}

async fn print_all(
    globals: &Globals,
    collection: &str,
    options: ListOptions,
    fields: Vec<String>,
    limit: Option<usize>,
) -> Result<Exit, Failure> {
    let registry = connect(globals)?;
    let resources = registry
        .collection(collection)
        .ok_or_else(|| Failure::usage(format!("there is no collection {collection:?}")))?;
    let page_size = limit.and_then(|limit| u16::try_from(limit.clamp(1, 500)).ok()).unwrap_or(500);
    let mut pages = resources.pages(options.fields(mask(&fields)).page_size(page_size));
    let mut printer = Printer::new(globals.output, false).with_fields(&fields);
    let (mut left, mut total) = (limit.unwrap_or(usize::MAX), 0);
    while left > 0 {
        let Some(page) = pages.next().await.transpose()? else { break };
        total = page.total_size;
        for resource in page.resources.into_iter().take(left) {
            left -= 1;
            printer.push(resource)?;
        }
    }
    printer.finish()?;
    let shown = limit.map_or(total, |limit| total.min(limit as u64));
    if globals.output.is_table() && shown < total {
        eprintln!("{shown} of {total}");
    }
    Ok(Exit::Success)
}
