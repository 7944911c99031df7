//! `import`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use indicatif::HumanCount;
use partnership_registry_client::Code;
use partnership_registry_client::import::{
    AcceptedRow, Existing, Import, Interrupted, Observer, Origin, RefusedRow, Summary, ndjson,
};

use crate::args::{ExistingArgs, Globals, ImportArgs};
use crate::change::with_places;
use crate::connect::connect_for_long;
use crate::expected::instead_of_ndjson;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::findings::lines;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::rejects::Rejects;

pub(crate) async fn import(globals: &Globals, args: ImportArgs) -> Result<Exit, Failure> {
    let registry = connect_for_long(globals)?;
    let rejects = args.rejects.as_deref().map(|path| Rejects::create(path, &args.files)).transpose()?;
    let inputs = args.files.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let length = inputs.iter().map(|input| input.length).sum();
    let progress = Progress::new(length);
    let mut rows: Box<dyn Iterator<Item = _>> = Box::new(std::iter::empty());
    for Input { name, text, .. } in inputs {
        let mut text = BufReader::with_capacity(1 << 16, progress.counted(text));
        let beginning = text.fill_buf().map_err(|error| Failure::usage(format!("{name}: {error}")))?;
        if let Some(what) = instead_of_ndjson(beginning) {
            return Err(Failure::usage(format!(
                "{name}: is {what}; import takes NDJSON, a resource such as {{\"country\": {{…}}}} on each line, and \
                 `partnerctl apply -f` takes JSON and YAML"
            )));
        }
        rows = Box::new(rows.chain(ndjson(&name, text)));
    }
    let mut reporter = Reporter { progress, rejects, failed: None, interrupt: Interrupt::listen() };
    let import = Import::new(&registry)
        .batch_max(usize::from(args.batch))
        .existing(existing(&args.existing))
        .void_gone(args.existing.void_gone)
        .validate_only(args.dry_run)
        .from_line(args.from_line);
    let done = import.run(rows, &mut reporter).await;
    reporter.progress.finish();
    let (summary, interrupted) = match done {
        Ok(summary) => (summary, None),
        Err(Interrupted { cause, summary, resume_from, .. }) => (summary, Some((cause, resume_from))),
    };
    eprintln!("{}{}", if args.dry_run { "dry run: " } else { "" }, numbers(&summary));
    let Some((cause, resume_from)) = interrupted else {
        return Ok(match summary {
            Summary { refused: 1.., .. } => Exit::RowsRefused,
            Summary { ignored: 1.., .. } => Exit::Ignored,
            _ => Exit::Success,
        });
    };
    if let Some(origin) = resume_from {
        eprintln!("interrupted; run it again, or continue with {}", rest(&args.files, &origin));
    }
    match reporter.failed {
        Some(failure) => Err(failure),
        None if cause.code() == Code::Cancelled && reporter.interrupt.is_asked() => Ok(Exit::Interrupted),
        None => Err(cause.into()),
    }
}

/// What becomes of resources that exist.
pub(crate) fn existing(args: &ExistingArgs) -> Existing {
    match (args.merge, args.create_only) {
        (true, _) => Existing::Merge,
        (false, true) => Existing::Keep,
        (false, false) => Existing::Replace,
    }
}

struct Input {
    name: String,
    text: Box<dyn Read>,
    /// Of a pipe it is not known.
    length: Option<u64>,
}

fn open(file: &PathBuf) -> Result<Input, Failure> {
    let name = files::shown(file);
    if files::is_stdin(file) {
        return Ok(Input { name, text: Box::new(io::stdin()), length: None });
    }
    let unreadable = |error: io::Error| Failure::usage(format!("{name}: {error}"));
    let text = File::open(file).map_err(unreadable)?;
    let length = Some(text.metadata().map_err(unreadable)?.len()).filter(|length| *length > 0);
    Ok(Input { name, text: Box::new(text), length })
}

/// The options that continue at a row: `--from-line 40`, and of several files those that are left.
fn rest(files: &[PathBuf], origin: &Origin) -> String {
    let done = files.iter().position(|file| files::shown(file) == *origin.source).unwrap_or_default();
    let left = files.iter().skip(done).map(|file| file.display().to_string());
    let files = if files.len() > 1 { left.collect() } else { Vec::new() };
    [vec![format!("--from-line {}", origin.line)], files].concat().join(" ")
}

/// Reports refused rows and warnings on standard error, and how far the import has come.
struct Reporter {
    progress: Progress,
    rejects: Option<Rejects>,
    failed: Option<Failure>,
    interrupt: Interrupt,
}

impl Observer for Reporter {
    fn refused(&mut self, row: &RefusedRow) {
        let name = if row.name.is_empty() { String::new() } else { format!("{}: ", row.name) };
        self.progress
            .print(row.reasons.iter().map(|reason| format!("{}: {name}{}", row.origin, with_places(reason, &[]))));
        let written = self.rejects.as_mut().map_or(Ok(()), |rejects| rejects.add(row));
        if let Err(error) = written {
            self.failed.get_or_insert(Failure::Local(format!("the refused rows cannot be written: {error}")));
        }
    }

    fn accepted(&mut self, row: &AcceptedRow<'_>) {
        self.progress.print(lines(row.name, row.findings).into_iter().map(|line| format!("{}: {line}", row.origin)));
    }

    fn progress(&mut self, summary: &Summary) {
        let [read, accepted, refused] = [summary.read, summary.accepted(), summary.refused].map(HumanCount);
        self.progress.say(&format!("{read} rows read, {accepted} accepted, {refused} refused"));
    }

    fn stops(&mut self) -> bool {
        self.failed.is_some() || self.interrupt.is_asked()
    }
}

fn numbers(summary: &Summary) -> String {
    let Summary { read, created, updated, unchanged, refused, findings, commits, .. } = summary;
    let unless_none = |count: u64, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
    let deleted = unless_none(summary.deleted, "deleted");
    let kept = unless_none(summary.kept, "left alone");
    let unknown = unless_none(summary.unknown, "that cannot be told before the others are written");
    let ignored = unless_none(summary.ignored, "of rows with ignored values");
    let counts =
        format!("{created} created, {updated} updated{deleted}, {unchanged} unchanged{kept}, {refused} refused");
    format!("{read} read: {counts}{unknown}; {findings} warnings{ignored}; {commits} commits")
}
