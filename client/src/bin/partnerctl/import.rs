//! `import`.

use std::fs::File;
use std::io::{self, BufReader, Read};

use indicatif::ProgressBar;
use partnership_registry_client::import::{FoundRow, Import, Interrupted, Observer, RefusedRow, Summary, ndjson};

use crate::args::{Globals, ImportArgs};
use crate::connect::connect_for_long;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::findings::lines;
use crate::progress::{self, Counted};

pub(crate) async fn import(globals: &Globals, args: ImportArgs) -> Result<Exit, Failure> {
    let registry = connect_for_long(globals)?;
    let name = files::shown(&args.file);
    let unreadable = |error: io::Error| Failure::usage(format!("{name}: {error}"));
    let (text, length): (Box<dyn Read>, _) = if files::is_stdin(&args.file) {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(&args.file).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        (Box::new(file), Some(length).filter(|length| *length > 0))
    };
    let bar = progress::bar(length);
    let rows = ndjson(&name, BufReader::with_capacity(1 << 16, Counted::new(text, bar.clone())));
    let rows = rows.filter(|row| row.as_ref().map_or(true, |row| row.origin.line >= args.from_line));
    let import = Import::new(&registry).batch_max(usize::from(args.batch));
    let done = import.run(rows, &mut Reporter { bar: bar.clone() }).await;
    bar.finish_and_clear();
    match done {
        Ok(summary) => {
            eprintln!("{}", numbers(&summary));
            Ok(if summary.refused > 0 { Exit::RowsRefused } else { Exit::Success })
        }
        Err(Interrupted { cause, summary, resume_from, .. }) => {
            eprintln!("{}", numbers(&summary));
            if let Some(origin) = resume_from {
                eprintln!("interrupted; run it again, or continue with --from-line {}", origin.line);
            }
            Err(cause.into())
        }
    }
}

/// Reports refused rows on standard error, and moves the bar.
struct Reporter {
    bar: ProgressBar,
}

impl Observer for Reporter {
    fn refused(&mut self, row: &RefusedRow) {
        let name = if row.name.is_empty() { String::new() } else { format!("{}: ", row.name) };
        self.bar.suspend(|| {
            for reason in &row.reasons {
                eprintln!("{}: {name}{reason}", row.origin);
            }
        });
    }

    fn found(&mut self, row: &FoundRow<'_>) {
        self.bar.suspend(|| {
            for line in lines(row.name, row.findings) {
                eprintln!("{}: {line}", row.origin);
            }
        });
    }

    fn progress(&mut self, summary: &Summary) {
        self.bar.set_message(format!("{} accepted, {} refused", summary.accepted(), summary.refused));
    }
}

fn numbers(summary: &Summary) -> String {
    let Summary { read, created, updated, unchanged, refused, findings, commits, .. } = summary;
    let counts = format!("{created} created, {updated} updated, {unchanged} unchanged, {refused} refused");
    format!("{read} read: {counts}; {findings} warnings; {commits} commits")
}
