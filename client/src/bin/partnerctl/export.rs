//! `export`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use partnership_registry_client::{Export, ExportOptions, json};

use crate::args::{ExportArgs, Globals};
use crate::connect::connect_patiently;
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
    let registry = connect_patiently(globals)?;
    let export = registry.export(options).await?;
    let revision = export.revision;
    let bar = progress::bar(None);
    let count = match &args.file {
        None => print(export, io::stdout().lock(), args.full, &ProgressBar::hidden()).await?,
        Some(path) => {
            let draft = Draft::new(path)?;
            let count = print(export, &draft.file, args.full, &bar).await?;
            draft.finish(path)?;
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

/// A file that gets its name when it is complete, and is gone otherwise.
struct Draft {
    file: File,
    path: PathBuf,
    finished: bool,
}

impl Draft {
    fn new(target: &Path) -> Result<Self, Failure> {
        let mut name = target.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.draft", std::process::id()));
        let path = target.with_file_name(name);
        let file = File::create(&path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        Ok(Self { file, path, finished: false })
    }

    fn finish(mut self, target: &Path) -> Result<(), Failure> {
        let wrong = |error: io::Error| Failure::Local(format!("{}: {error}", target.display()));
        self.file.sync_all().map_err(wrong)?;
        fs::rename(&self.path, target).map_err(wrong)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed is no worse than what failed before.
            let _ = fs::remove_file(&self.path);
        }
    }
}
