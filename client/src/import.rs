//! Bringing in many resources: in batches, each one commit; again and again without a second revision.
//!
//! Each resource is put under its name: created, or made what is given. One that is so already makes no revision, so an
//! import that was broken off is simply run again. What a batch refuses is taken out, and the rest is tried again; what is
//! refused only since it refers to what is not there yet waits until the rest is in. Every row is either accepted or
//! reported.

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
pub use row::{Origin, Refusal, Row};

/// An import: how it is to be done.
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

    /// The most resources of a batch, 1 to 1,000. A batch also ends at 3 MiB.
    pub fn batch_max(mut self, resources: usize) -> Self {
        self.options.batch_max = resources.clamp(1, MUTATIONS_MAX);
        self
    }

    /// Leaves the fields alone that a row does not have, instead of clearing them: for rows that know only a part of what
    /// the registry does.
    pub fn merge(mut self, merge: bool) -> Self {
        self.options.merge = merge;
        self
    }

    /// Imports all rows.
    ///
    /// # Errors
    /// The rows cannot be read, or the registry cannot be reached. Refused rows are no error: they are in the summary, and
    /// the observer is told of each.
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
                Err(refusal) => {
                    run.refuse(refusal);
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
