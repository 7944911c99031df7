//! Imports many resources in batches, each of which is one commit.
//!
//! Each resource is created, or replaced. One that is already equal makes no revision, so an interrupted import is simply
//! run again. Rows that make a batch be refused are removed, and the rest is sent again; a row that refers to a resource
//! that does not exist yet waits until the rest is imported. Every row is either accepted or reported.

mod batch;
mod ndjson;
mod outcome;
mod row;
mod run;
mod verdict;

use std::io;

use crate::error::Error;
use crate::registry::Registry;
use batch::Batch;
use row::Item;
use run::{MUTATIONS_MAX, Options, Run};

pub use ndjson::ndjson;
pub use outcome::{Interrupted, Observer, Summary};
pub use row::{FoundRow, Origin, RefusedRow, Row};

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
        Self { options: Options { registry: registry.clone(), batch_max: 500, merge: false } }
    }

    /// The most resources in a batch, 1 to 1,000. A batch also ends at 3 MiB.
    pub fn batch_max(mut self, resources: usize) -> Self {
        self.options.batch_max = resources.clamp(1, MUTATIONS_MAX);
        self
    }

    /// Keeps the fields that a row does not have, instead of clearing them.
    pub fn merge(mut self, merge: bool) -> Self {
        self.options.merge = merge;
        self
    }

    /// Imports all rows.
    ///
    /// # Errors
    /// The rows cannot be read, or the registry cannot be reached. Refused rows are not an error: they are counted in the
    /// summary and reported to the observer.
    pub async fn run(
        &self,
        rows: impl IntoIterator<Item = io::Result<Row>>,
        observer: &mut (impl Observer + ?Sized),
    ) -> Result<Summary, Interrupted> {
        let mut run = Run::new(&self.options, observer);
        let mut batch = Batch::default();
        for row in rows {
            let row = match row {
                Ok(row) => row,
                Err(error) => return Err(run.interrupted(unreadable(error), &batch.take())),
            };
            run.summary.read += 1;
            let item = match Item::new(row) {
                Ok(item) => item,
                Err(row) => {
                    run.refuse(row);
                    continue;
                }
            };
            if !batch.has_room_for(&item, self.options.batch_max) {
                run.send(batch.take()).await?;
            }
            batch.push(item);
        }
        run.send(batch.take()).await?;
        run.send_waiting().await?;
        Ok(run.summary)
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::invalid(format!("the rows cannot be read: {error}")).caused_by(error)
}
