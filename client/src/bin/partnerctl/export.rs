//! `export`.

use std::io::{self, BufWriter, Write};

use indicatif::HumanCount;
use partnership_registry_client::{Export, ExportOptions, json};

use crate::args::{ExportArgs, Globals};
use crate::connect::connect_for_long;
use crate::draft::Draft;
use crate::failure::{Exit, Failure};
use crate::kinds;
use crate::progress::Progress;

pub(crate) async fn export(globals: &Globals, args: ExportArgs) -> Result<Exit, Failure> {
    let collections = args.kinds.iter().map(|kind| kinds::collection(kind)).collect::<Result<Vec<_>, _>>()?;
    let options = ExportOptions::new()
        .collections(collections)
        .filter(args.filter)
        .show_deleted(args.show_deleted)
        .at(args.at.unwrap_or_default());
    let registry = connect_for_long(globals)?;
    let export = registry.export(options).await?;
    let revision = export.revision;
    let count = match &args.file {
        None => print(export, io::stdout().lock(), args.full, None).await?,
        Some(path) => {
            let failed = |error: io::Error| Failure::Local(format!("{}: {error}", path.display()));
            let draft = Draft::new(path).map_err(failed)?;
            let mut progress = Progress::new(None);
            let count = print(export, draft.file(), args.full, Some(&mut progress)).await?;
            progress.finish();
            draft.finish().map_err(failed)?;
            count
        }
    };
    eprintln!("{count} resources as of revision {revision}");
    Ok(Exit::Success)
}

async fn print(
    mut export: Export,
    out: impl Write,
    full: bool,
    mut progress: Option<&mut Progress>,
) -> Result<u64, Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let mut count = 0;
    while let Some(resource) = export.resources.next().await {
        let mut resource = resource?;
        if !full {
            resource = json::to_import(&resource)?;
        }
        writeln!(out, "{}", json::to_line(&resource)?)?;
        count += 1;
        if let (Some(progress), 0) = (&mut progress, count % 500) {
            progress.say(&format!("{} resources", HumanCount(count)));
        }
    }
    out.flush()?;
    Ok(count)
}
