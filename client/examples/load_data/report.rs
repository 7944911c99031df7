//! The outcome of each row: numbers for people, and every warning and refused row in a file.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use partnership_registry_client::import::{AcceptedRow, Import, Observer, Origin, RefusedRow, Row, Summary};
use partnership_registry_client::v1::{Finding, FindingCode, Resource};

/// What loading gives; any error ends it.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What the conversion of a row could not take over as it stands. What is strange about a row that could be converted, the
/// registry finds.
pub(crate) struct Warning {
    /// Which warning it is, as a sentence.
    pub(crate) what: &'static str,
    /// What it is about.
    pub(crate) about: String,
}

/// A converted row.
pub(crate) struct Converted {
    /// Its line in the file.
    pub(crate) line: u64,
    /// The resource, or why there is none.
    pub(crate) resource: std::result::Result<Resource, String>,
    /// What could not be taken over as it stands.
    pub(crate) warnings: Vec<Warning>,
}

impl Converted {
    /// A resource that needs no warning.
    pub(crate) fn plain(line: u64, resource: impl Into<Resource>) -> Self {
        Self { line, resource: Ok(resource.into()), warnings: Vec::new() }
    }
}

/// The whole report.
pub(crate) struct Report {
    inner: RefCell<Inner>,
}

struct Inner {
    file: csv::Writer<File>,
    loads: Vec<(String, Summary, u64)>,
    warnings: BTreeMap<(String, String), u64>,
}

impl Report {
    /// A report that is written to a file.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let mut file = csv::Writer::from_path(path)?;
        file.write_record(["source", "line", "what", "about"])?;
        Ok(Self { inner: RefCell::new(Inner { file, loads: Vec::new(), warnings: BTreeMap::new() }) })
    }

    fn warn(&self, origin: &Origin, what: &str, about: &str) -> io::Result<()> {
        let mut inner = self.inner.borrow_mut();
        *inner.warnings.entry((origin.source.to_string(), what.to_owned())).or_default() += 1;
        inner.write(origin, what, about)
    }

    /// The numbers: what came of the rows of each file, and how often there was which warning.
    pub(crate) fn summary(&self) -> String {
        let inner = self.inner.borrow();
        let mut text = format!(
            "{:<44}{:>8}{:>10}{:>9}{:>9}{:>11}{:>9}{:>10}\n",
            "SOURCE", "READ", "ACCEPTED", "CREATED", "UPDATED", "UNCHANGED", "REFUSED", "WARNINGS"
        );
        for (source, summary, warnings) in &inner.loads {
            let Summary { read, created, updated, unchanged, refused, .. } = summary;
            let accepted = summary.accepted();
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{source:<44}{read:>8}{accepted:>10}{created:>9}{updated:>9}{unchanged:>11}{refused:>9}{warnings:>10}"
            );
        }
        for ((source, what), count) in &inner.warnings {
            let _ = writeln!(text, "{count:>8} × {source}: {what}");
        }
        text
    }

    /// Completes the file; gives the number of refused rows.
    pub(crate) fn finish(self) -> io::Result<u64> {
        let mut inner = self.inner.into_inner();
        inner.file.flush()?;
        Ok(inner.loads.iter().map(|(_, summary, _)| summary.refused).sum())
    }
}

impl Inner {
    fn write(&mut self, origin: &Origin, what: &str, about: &str) -> io::Result<()> {
        self.file.write_record([&*origin.source, &origin.line.to_string(), what, about]).map_err(io::Error::other)
    }
}

/// Loads rows, and reports on them.
pub(crate) struct Loader<'a> {
    import: Import,
    report: &'a Report,
}

impl<'a> Loader<'a> {
    /// A loader that imports so, and reports there.
    pub(crate) fn new(import: Import, report: &'a Report) -> Self {
        Self { import, report }
    }

    /// Loads converted rows; `count` is how many there are.
    pub(crate) async fn load(&self, source: &str, count: usize, rows: impl Iterator<Item = Converted>) -> Result<()> {
        let bar = ProgressBar::new(count as u64);
        if let Ok(style) = ProgressStyle::with_template("{prefix}  {bar:30} {pos}/{len}  {msg}  {elapsed}") {
            bar.set_style(style);
        }
        bar.set_prefix(source.to_owned());
        let (mut warnings, shared): (u64, std::sync::Arc<str>) = (0, source.into());
        let rows = rows.map(|converted| {
            let origin = Origin { source: shared.clone(), line: converted.line };
            for warning in &converted.warnings {
                warnings += 1;
                self.report.warn(&origin, warning.what, &warning.about)?;
            }
            bar.inc(1);
            Ok(Row { origin, resource: converted.resource.map_err(Into::into) })
        });
        let mut observer = Reporter { report: self.report, bar: bar.clone(), failed: None };
        let summary = self.import.run(rows, &mut observer).await?;
        observer.failed.map_or(Ok(()), Err)?;
        bar.finish_and_clear();
        self.report.inner.borrow_mut().loads.push((source.to_owned(), summary, warnings + summary.findings));
        Ok(())
    }
}

struct Reporter<'a> {
    report: &'a Report,
    bar: ProgressBar,
    failed: Option<io::Error>,
}

impl Observer for Reporter<'_> {
    fn refused(&mut self, row: &RefusedRow) {
        let reasons = format!("{}: {}", row.name, row.reasons.join("; "));
        self.bar.suspend(|| eprintln!("{}: refused: {reasons}", row.origin));
        let written = self.report.inner.borrow_mut().write(&row.origin, "refused", &reasons);
        self.failed = self.failed.take().or(written.err());
    }

    /// What the registry accepted and found strange.
    fn accepted(&mut self, row: &AcceptedRow<'_>) {
        for Finding { code, field, text } in row.findings {
            let known = FindingCode::try_from(*code).map(|code| code.as_str_name().replacen("FINDING_CODE_", "", 1));
            let what = known.unwrap_or_else(|_| code.to_string());
            let written = self.report.warn(row.origin, &what, &format!("{}: {field}: {text}", row.name));
            self.failed = self.failed.take().or(written.err());
        }
    }

    fn progress(&mut self, summary: &Summary) {
        self.bar.set_message(format!("{} in, {} refused", summary.accepted(), summary.refused));
    }
}
