//! `export`.

use std::io::{self, BufWriter, Write};

use indicatif::ProgressBar;
use partnership_registry_client::{Export, ExportOptions, json};

use crate::args::{ExportArgs, Globals};
use crate::connect::connect_for_long;
use crate::draft::Draft;
use crate::failure::{Exit, Failure};
use crate::kinds;
use crate::progress;

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
    let bar = progress::bar(None);
    let count = match &args.file {
        None => print(export, io::stdout().lock(), args.full, &ProgressBar::hidden()).await?,
        Some(path) => {
            let failed = |error: io::Error| Failure::Local(format!("{}: {error}", path.display()));
            let draft = Draft::new(path).map_err(failed)?;
            let count = print(export, draft.file(), args.full, &bar).await?;
            draft.finish().map_err(failed)?;
            count
        }
    };
    bar.finish_and_clear();
    eprintln!("{count} resources as of revision {revision}");
    Ok(Exit::Success)
}

async fn print(mut export: Export, out: impl Write, full: bool, bar: &ProgressBar) -> Result<u64, Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let mut count = 0;
    while let Some(resource) = export.resources.next().await {
        let mut resource = resource?;
        if !full {
            resource = json::without_server_fields(&resource)?;
        }
        writeln!(out, "{}", json::to_line(&resource)?)?;
        count += 1;
        if count % 500 == 0 {
            bar.set_message(format!("{count} resources"));
            bar.tick();
        }
    }
    out.flush()?;
    Ok(count)
}
