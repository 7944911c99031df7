//! Imports many resources in batches, each of which is one commit.
//!
//! Each resource is created, or becomes what its row says ([`Existing`]). One that is already equal makes no revision, so an
//! interrupted import is simply run again. Rows that make a batch be refused are removed, and the rest is sent again; a row
//! that refers to a resource that does not exist yet waits until the rest is imported. Every row is either accepted or
//! reported.
//!
//! Events of an agreement are never rewritten: one that is new is recorded, one that a row has otherwise is voided and recorded
//! as it is now, and what somebody voided is not recorded again.
//!
//! A row that has a time of deletion says that its resource is deleted: it is deleted as it is there, or else created and
//! then deleted; that time is the time of the import. A row whose name an earlier row had is refused, whatever became of that.

mod batch;
mod deletions;
mod existing;
mod item;
mod ndjson;
mod options;
mod outcome;
mod row;
mod run;
mod seen;
mod verdict;

use std::io;

use crate::error::Error;
use crate::registry::Registry;
use batch::Batch;
use item::{Item, first};
use options::{Options, RowOptions};
use run::{MUTATIONS_MAX, Run, stopped};

pub use existing::Existing;
pub use ndjson::ndjson;
pub use outcome::{Interrupted, Observer, Summary};
pub use row::{AcceptedRow, Content, Malformed, Origin, RefusedRow, Row};

/// The options of an import.
///
/// ```no_run
/// # use partnership_registry_client::{Registry, import};
/// # async fn example(registry: Registry) -> Result<(), Box<dyn std::error::Error>> {
/// let file = std::io::BufReader::new(std::fs::File::open("countries.ndjson")?);
/// let summary = import::Import::new(&registry).run(import::ndjson("countries.ndjson", file), &mut ()).await?;
/// println!("{} accepted, {} refused", summary.accepted(), summary.refused);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Import {
    options: Options,
}

impl Import {
    /// An import in batches of 500.
    pub fn new(registry: &Registry) -> Self {
        let options = Options {
            registry: registry.clone(),
            batch_max: 500,
            rows: RowOptions::default(),
            validate_only: false,
            all_or_none: false,
            from_line: 1,
        };
        Self { options }
    }

    /// The most resources in a batch, 1 to 1,000. A batch also ends at 3 MiB.
    pub fn batch_max(mut self, resources: usize) -> Self {
        self.options.batch_max = resources.clamp(1, MUTATIONS_MAX);
        self
    }

    /// What becomes of resources that exist; by default they are replaced.
    pub fn existing(mut self, existing: Existing) -> Self {
        self.options.rows.existing = existing;
        self
    }

    /// Checks everything, and writes nothing. Of a row that refers to a row of another batch nothing can be told then: it is
    /// counted as unknown.
    pub fn validate_only(mut self, validate_only: bool) -> Self {
        self.options.validate_only = validate_only;
        self
    }

    /// Writes each batch as a whole or not at all. One that is refused ends the import, unless it only refers to rows to
    /// come.
    pub fn all_or_none(mut self, all_or_none: bool) -> Self {
        self.options.all_or_none = all_or_none;
        self
    }

    /// Heeds the etags of rows: one that is not the current one is refused. By default they are left out.
    pub fn etags(mut self, etags: bool) -> Self {
        self.options.rows.etags = etags;
        self
    }

    /// Voids events that a row does not have any more. By default they stay, and findings tell of them (`EVENT_GONE`).
    pub fn void_gone(mut self, void_gone: bool) -> Self {
        self.options.rows.void_gone = void_gone;
        self
    }

    /// Begins at this line of the first source: the names of the rows before it are noted, and nothing else.
    pub fn from_line(mut self, line: u64) -> Self {
        self.options.from_line = line;
        self
    }

    /// Imports all rows.
    ///
    /// # Errors
    /// The rows cannot be read, the registry cannot be reached, or the observer stopped the import. Refused rows are not an
    /// error: they are counted in the summary and reported to the observer.
    pub async fn run(
        &self,
        rows: impl IntoIterator<Item = io::Result<Row>>,
        observer: &mut (impl Observer + ?Sized),
    ) -> Result<Summary, Interrupted> {
        let mut run = Run::new(&self.options, observer);
        let (mut batch, mut deleted) = (Batch::default(), Batch::default());
        let (mut position, mut first_source) = (0, None);
        for row in rows {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    let undone = first(&[batch.take(), deleted.take()].concat());
                    return Err(run.interrupted(unreadable(error), undone));
                }
            };
            position += 1;
            let first_source = first_source.get_or_insert_with(|| row.origin.source.clone());
            if row.origin.line < self.options.from_line && row.origin.source == *first_source {
                if let Ok(resource) = &row.resource {
                    run.seen.note(resource.name(), &row.origin);
                }
                continue;
            }
            if run.observer.stops() {
                let undone = first(&[batch.take(), deleted.take()].concat());
                return Err(run.interrupted(stopped(), undone.or(Some((position, row.origin)))));
            }
            run.summary.read += 1;
            let item = match Item::new(row, position, self.options.rows) {
                Ok(item) => item,
                Err(row) => {
                    run.refuse(*row);
                    continue;
                }
            };
            if let Some(earlier) = run.seen.note(item.name(), &item.origin) {
                let reason = match earlier {
                    Origin { source, line } if source == item.origin.source => format!("duplicate of line {line}"),
                    elsewhere => format!("duplicate of {elsewhere}"),
                };
                run.refuse(item.refused(vec![reason]));
                continue;
            }
            let of_its_sort = if item.deleted { &mut deleted } else { &mut batch };
            if !of_its_sort.has_room_for(&item, self.options.batch_max) {
                let full = of_its_sort.take();
                let of_the_other = if item.deleted { &mut batch } else { &mut deleted };
                run.held = of_the_other.first();
                let full = if item.deleted { run.look_up(full).await? } else { full };
                run.send(full).await?;
            }
            if item.deleted { deleted.push(item) } else { batch.push(item) }
        }
        run.held = batch.first();
        let missing = run.look_up(deleted.take()).await?;
        run.held = first(&missing);
        for item in missing {
            if !batch.has_room_for(&item, self.options.batch_max) {
                run.send(batch.take()).await?;
            }
            batch.push(item);
        }
        run.held = None;
        run.more_follow = false;
        run.send(batch.take()).await?;
        run.send_waiting().await?;
        run.delete().await?;
        Ok(run.summary)
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::invalid(format!("the rows cannot be read: {error}")).caused_by(error)
}
