//! Bringing in many resources: in batches, each one commit; again and again without a second revision.
//!
//! Each resource is put under its name: created, or made what is given. One that is so already makes no revision, so an
//! import that was broken off is simply run again. What a batch refuses is taken out, and the rest is tried again; what is
//! refused only since it refers to what is not there yet waits until the rest is in. Every row is either accepted or
//! reported.

mod batch;
mod ndjson;
mod verdict;

use std::fmt;
use std::io;
use std::sync::Arc;

use partnership_registry::v1::{ChangeAction, Mutation, Resource, UpdateMutation, mutation::Operation};

use crate::error::{Code, Error, reasons};
use crate::json;
use crate::point::Mask;
use crate::registry::Registry;
use batch::Batch;
use verdict::{Verdict, verdicts};

pub use ndjson::ndjson;

/// Where a row comes from: displayed as `file:line`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, or what stands for it.
    pub source: Arc<str>,
    /// The line, from 1.
    pub line: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.line)
    }
}

/// A row to import: a resource with its name, or why the row is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where it comes from.
    pub origin: Origin,
    /// The resource, or a sentence that says why there is none.
    pub resource: Result<Resource, String>,
}

/// A row that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where it comes from.
    pub origin: Origin,
    /// The name of the resource; empty if there is none.
    pub name: String,
    /// Why: every violation, as a sentence.
    pub reasons: Vec<String>,
}

/// How an import stands. `accepted() + refused` is `read` when it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Rows read.
    pub read: u64,
    /// Resources created.
    pub created: u64,
    /// Resources changed.
    pub updated: u64,
    /// Resources that were so already.
    pub unchanged: u64,
    /// Rows refused.
    pub refused: u64,
    /// Rows that wait for what they refer to.
    pub waiting: u64,
    /// Commits that made a revision.
    pub commits: u64,
}

impl Summary {
    /// Rows that the registry holds now.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.created + self.updated + self.unchanged
    }
}

/// Is told what an import does. Everything may be left out; `()` is told nothing.
pub trait Observer {
    /// A row was refused.
    fn refused(&mut self, _refusal: &Refusal) {}
    /// Some rows more are done.
    fn progress(&mut self, _summary: &Summary) {}
}

impl Observer for () {}

/// An import that was broken off: by the rows, which could not be read, or because the registry could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("the import was broken off: {cause}")]
pub struct Interrupted {
    /// Why.
    pub cause: Error,
    /// What was done up to then.
    pub summary: Summary,
    /// The first row that is not done: an import that begins there leaves nothing out.
    pub resume_from: Option<Origin>,
}

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
    registry: Registry,
    batch_max: usize,
    merge: bool,
}

/// The most mutations of a commit.
const MUTATIONS_MAX: usize = 1_000;

impl Import {
    /// An import in batches of 500.
    pub fn new(registry: &Registry) -> Self {
        Self { registry: registry.clone(), batch_max: 500, merge: false }
    }

    /// The most resources of a batch, 1 to 1,000. A batch also ends at 3 MiB.
    pub fn batch_max(mut self, resources: usize) -> Self {
        self.batch_max = resources.clamp(1, MUTATIONS_MAX);
        self
    }

    /// Leaves the fields alone that a row does not have, instead of clearing them: for rows that know only a part of what
    /// the registry does.
    pub fn merge(mut self, merge: bool) -> Self {
        self.merge = merge;
        self
    }

    /// What is done with a row.
    fn mutation(&self, resource: &Resource) -> Mutation {
        let mask = if self.merge { Mask::set_fields() } else { Mask::all() };
        let update = UpdateMutation { resource: Some(resource.clone()), update_mask: mask.into(), allow_missing: true };
        Mutation { operation: Some(Operation::Update(update)) }
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
        let mut run =
            Run { import: self, observer, summary: Summary::default(), waiting: Vec::new(), last_chance: false };
        let mut batch = Batch::default();
        for row in rows {
            let Row { origin, resource } = match row {
                Ok(row) => row,
                Err(error) => return Err(run.interrupted(unreadable(error), &batch.take())),
            };
            run.summary.read += 1;
            let item = match resource.and_then(prepare) {
                Ok(resource) => Item { origin, resource },
                Err(reason) => {
                    run.refuse(Refusal { origin, name: String::new(), reasons: vec![reason] });
                    continue;
                }
            };
            if !batch.has_room_for(&item, self.batch_max) {
                run.send(batch.take()).await?;
            }
            batch.push(item);
        }
        run.send(batch.take()).await?;
        run.send_waiting().await?;
        Ok(run.summary)
    }
}

/// A resource on its way.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    origin: Origin,
    resource: Resource,
}

/// What an import needs besides the form: a name, so that a second run finds the resource again, and no etag, which would
/// be of another registry or of another time.
fn prepare(resource: Resource) -> Result<Resource, String> {
    if resource.name().is_empty() {
        return Err("name: is required, since a second import must find the resource again".to_owned());
    }
    json::without_etag(&resource).map_err(|error| error.message().to_owned())
}

fn unreadable(error: io::Error) -> Error {
    Error::invalid(format!("the rows cannot be read: {error}")).caused_by(error)
}

struct Run<'a, O: Observer + ?Sized> {
    import: &'a Import,
    observer: &'a mut O,
    summary: Summary,
    waiting: Vec<Item>,
    /// What refers to what is not there is not put off any more.
    last_chance: bool,
}

impl<O: Observer + ?Sized> Run<'_, O> {
    /// Sends a batch, without those that are refused.
    async fn send(&mut self, items: Vec<Item>) -> Result<(), Interrupted> {
        let first: Vec<Item> = items.first().cloned().into_iter().collect();
        let sent = self.send_parts(items).await;
        self.observer.progress(&self.summary);
        sent.map_err(|cause| self.interrupted(cause, &first))
    }

    async fn send_parts(&mut self, items: Vec<Item>) -> Result<(), Error> {
        let mut work = vec![items];
        while let Some(items) = work.pop() {
            if items.is_empty() {
                continue;
            }
            let error = match self.commit(&items).await {
                Ok(()) => continue,
                Err(error) if is_refusal(&error) => error,
                Err(error) => return Err(error),
            };
            let verdicts = verdicts(&error, &items);
            if verdicts.iter().all(Option::is_none) && items.len() > 1 {
                // The refusal is of the whole, such as of its size: smaller parts tell where it comes from.
                let mut first = items;
                let second = first.split_off(first.len() / 2);
                work.extend([second, first]);
                continue;
            }
            work.push(self.sort_out(items, verdicts, &error).await?);
        }
        Ok(())
    }

    /// Takes out what was refused, and gives back the rest.
    async fn sort_out(
        &mut self,
        items: Vec<Item>,
        verdicts: Vec<Option<Verdict>>,
        error: &Error,
    ) -> Result<Vec<Item>, Error> {
        let alone = items.len() == 1;
        let mut rest = Vec::new();
        for (item, verdict) in items.into_iter().zip(verdicts) {
            let verdict = match verdict {
                // A refusal has room for so many reasons: the others are asked for one by one.
                Some(Verdict::Untold) => Some(self.ask_alone(&item).await?),
                told => told,
            };
            match verdict {
                None if alone => self.refuse(item.refusal(vec![error.message().to_owned()])),
                None => rest.push(item),
                Some(Verdict::Invalid(reasons)) => self.refuse(item.refusal(reasons)),
                Some(Verdict::Dangling(reasons)) if self.last_chance => self.refuse(item.refusal(reasons)),
                Some(Verdict::Dangling(_)) => {
                    self.summary.waiting += 1;
                    self.waiting.push(item);
                }
                Some(Verdict::Untold) => {
                    self.refuse(item.refusal(vec!["refused together with other rows of its batch".to_owned()]));
                }
            }
        }
        Ok(rest)
    }

    /// Why a resource is refused, when the refusal of its batch does not say.
    async fn ask_alone(&self, item: &Item) -> Result<Verdict, Error> {
        match self.import.registry.commit().mutation(self.import.mutation(&item.resource)).validate_only(true).await {
            Ok(_) => Ok(Verdict::Untold),
            Err(error) if is_refusal(&error) => {
                let told = verdicts(&error, std::slice::from_ref(item)).into_iter().flatten().next();
                Ok(match told {
                    Some(verdict @ (Verdict::Invalid(_) | Verdict::Dangling(_))) => verdict,
                    Some(Verdict::Untold) | None => {
                        Verdict::Invalid(vec![verdict::without_place(error.message()).to_owned()])
                    }
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Sends what waits, again and again, as long as some of it is accepted. What is left may be a circle: it is tried
    /// once more, as much as possible in one commit.
    async fn send_waiting(&mut self) -> Result<(), Interrupted> {
        while !self.waiting.is_empty() {
            let before = self.waiting.len();
            self.send_waiting_once(if self.last_chance { MUTATIONS_MAX } else { self.import.batch_max }).await?;
            self.last_chance |= self.waiting.len() == before;
        }
        Ok(())
    }

    async fn send_waiting_once(&mut self, batch_max: usize) -> Result<(), Interrupted> {
        let items = std::mem::take(&mut self.waiting);
        let first: Vec<Item> = items.iter().min_by_key(|item| item.origin.line).cloned().into_iter().collect();
        self.summary.waiting = 0;
        let mut batch = Batch::default();
        for item in items {
            if !batch.has_room_for(&item, batch_max) {
                self.send(batch.take()).await.map_err(|interrupted| interrupted.also_undone(&first))?;
            }
            batch.push(item);
        }
        self.send(batch.take()).await.map_err(|interrupted| interrupted.also_undone(&first))
    }

    async fn commit(&mut self, items: &[Item]) -> Result<(), Error> {
        let commit = self.import.registry.commit();
        let mutations = items.iter().map(|item| self.import.mutation(&item.resource));
        let done = mutations.fold(commit, |commit, mutation| commit.mutation(mutation)).await?;
        for result in &done.results {
            match result.action() {
                ChangeAction::Create => self.summary.created += 1,
                ChangeAction::Unspecified => self.summary.unchanged += 1,
                ChangeAction::Update | ChangeAction::Delete | ChangeAction::Undelete => self.summary.updated += 1,
            }
        }
        self.summary.commits += u64::from(done.commit_time.is_some());
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.summary.refused += 1;
        self.observer.refused(&refusal);
    }

    fn interrupted(&self, cause: Error, undone: &[Item]) -> Interrupted {
        Interrupted { cause, summary: self.summary, resume_from: None }.also_undone(undone).also_undone(&self.waiting)
    }
}

impl Item {
    fn refusal(self, reasons: Vec<String>) -> Refusal {
        Refusal { origin: self.origin, name: self.resource.name().to_owned(), reasons }
    }
}

impl Interrupted {
    fn also_undone(mut self, items: &[Item]) -> Self {
        let first = items.iter().map(|item| &item.origin).chain(&self.resume_from).min_by_key(|origin| origin.line);
        self.resume_from = first.cloned();
        self
    }
}

/// Whether the registry has judged what was sent, rather than failed to.
fn is_refusal(error: &Error) -> bool {
    let judged = [
        Code::InvalidArgument,
        Code::NotFound,
        Code::AlreadyExists,
        Code::FailedPrecondition,
        Code::Aborted,
        // What is longer than a message may be.
        Code::OutOfRange,
    ];
    let too_large = error.reason() == Some(reasons::COMMIT_TOO_LARGE);
    error.is_from_server() && (too_large || judged.contains(&error.code()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic::Status;
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::*;

    #[test]
    fn a_judgement_is_told_from_a_failure() {
        let too_large =
            ErrorDetails::with_error_info(reasons::COMMIT_TOO_LARGE, "partnership.registry", HashMap::new());
        for (status, refused) in [
            (Status::invalid_argument(""), true),
            (Status::failed_precondition(""), true),
            (Status::out_of_range("message length too large"), true),
            (Status::with_error_details(Code::ResourceExhausted, "", too_large), true),
            (Status::resource_exhausted("the disk is full"), false),
            (Status::unavailable(""), false),
            (Status::internal(""), false),
        ] {
            assert_eq!(is_refusal(&status.clone().into()), refused, "{status:?}");
        }
        assert!(!is_refusal(&unreadable(io::Error::other("gone"))), "what this side found is no judgement");
    }
}
