//! [`Run`]: sends batches. Refused rows are removed and the rest is sent again; a row that refers to a resource that does not
//! exist yet waits until the rest is imported.

use partnership_registry::v1::{ChangeAction, Mutation, MutationResult, Resource, UpdateMutation, mutation::Operation};

use super::batch::Batch;
use super::outcome::{Interrupted, Observer, Summary};
use super::row::{FoundRow, Item, RefusedRow};
use super::verdict::{self, Verdict, verdicts};
use crate::error::{Code, Error, reasons};
use crate::point::Mask;
use crate::registry::Registry;

/// The most mutations of a commit.
pub(super) const MUTATIONS_MAX: usize = 1_000;

/// The options of an import.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) registry: Registry,
    pub(super) batch_max: usize,
    pub(super) merge: bool,
}

impl Options {
    /// The change that a row makes.
    fn mutation(&self, resource: &Resource) -> Mutation {
        let mask = if self.merge { Mask::set_fields() } else { Mask::all() };
        let update = UpdateMutation { resource: Some(resource.clone()), update_mask: mask.into(), allow_missing: true };
        Mutation { operation: Some(Operation::Update(update)) }
    }
}

/// A running import.
pub(super) struct Run<'a, O: Observer + ?Sized> {
    options: &'a Options,
    observer: &'a mut O,
    pub(super) summary: Summary,
    waiting: Vec<Item>,
    /// Rows with dangling references do not wait any more.
    last_chance: bool,
}

impl<'a, O: Observer + ?Sized> Run<'a, O> {
    pub(super) fn new(options: &'a Options, observer: &'a mut O) -> Self {
        Self { options, observer, summary: Summary::default(), waiting: Vec::new(), last_chance: false }
    }

    /// Sends a batch, without those that are refused.
    pub(super) async fn send(&mut self, items: Vec<Item>) -> Result<(), Interrupted> {
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
                // The commit was refused as a whole, for example for its size: smaller parts are sent instead.
                let mut first = items;
                let second = first.split_off(first.len() / 2);
                work.extend([second, first]);
                continue;
            }
            work.push(self.sort_out(items, verdicts, &error).await?);
        }
        Ok(())
    }

    /// Removes the refused rows, and returns the rest.
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
                // An error holds a limited number of reasons: the others are asked for one by one.
                Some(Verdict::Unexplained) => Some(self.ask_alone(&item).await?),
                verdict => verdict,
            };
            match verdict {
                None if alone => self.refuse(item.refused(vec![error.message().to_owned()])),
                None => rest.push(item),
                Some(Verdict::Invalid(reasons)) => self.refuse(item.refused(reasons)),
                Some(Verdict::Dangling(reasons)) if self.last_chance => self.refuse(item.refused(reasons)),
                Some(Verdict::Dangling(_)) => {
                    self.summary.waiting += 1;
                    self.waiting.push(item);
                }
                Some(Verdict::Unexplained) => {
                    self.refuse(item.refused(vec!["refused together with other rows of its batch".to_owned()]));
                }
            }
        }
        Ok(rest)
    }

    /// Why a row is refused, when the error of its batch does not say.
    async fn ask_alone(&self, item: &Item) -> Result<Verdict, Error> {
        match self.options.registry.commit().mutation(self.options.mutation(&item.resource)).validate_only(true).await {
            Ok(_) => Ok(Verdict::Unexplained),
            Err(error) if is_refusal(&error) => {
                let verdict = verdicts(&error, std::slice::from_ref(item)).into_iter().flatten().next();
                Ok(match verdict {
                    Some(verdict @ (Verdict::Invalid(_) | Verdict::Dangling(_))) => verdict,
                    Some(Verdict::Unexplained) | None => {
                        Verdict::Invalid(vec![verdict::without_place(error.message()).to_owned()])
                    }
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Sends the waiting rows repeatedly, as long as some are accepted. The rest may refer to each other: they are sent once
    /// more, as many as possible in one commit.
    pub(super) async fn send_waiting(&mut self) -> Result<(), Interrupted> {
        while !self.waiting.is_empty() {
            let before = self.waiting.len();
            self.send_waiting_once(if self.last_chance { MUTATIONS_MAX } else { self.options.batch_max }).await?;
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
        let commit = self.options.registry.commit();
        let mutations = items.iter().map(|item| self.options.mutation(&item.resource));
        let done = mutations.fold(commit, |commit, mutation| commit.mutation(mutation)).await?;
        for (item, result) in items.iter().zip(&done.results) {
            if !result.findings.is_empty() {
                let MutationResult { name, findings, .. } = result;
                self.summary.findings += findings.len() as u64;
                self.observer.found(&FoundRow { origin: &item.origin, name, findings });
            }
            match result.action() {
                ChangeAction::Create => self.summary.created += 1,
                ChangeAction::Unspecified | ChangeAction::Unchanged => self.summary.unchanged += 1,
                ChangeAction::Update | ChangeAction::Delete | ChangeAction::Undelete | ChangeAction::Rollback => {
                    self.summary.updated += 1;
                }
            }
        }
        self.summary.commits += u64::from(done.commit_time.is_some());
        Ok(())
    }

    pub(super) fn refuse(&mut self, row: RefusedRow) {
        self.summary.refused += 1;
        self.observer.refused(&row);
    }

    pub(super) fn interrupted(&self, cause: Error, undone: &[Item]) -> Interrupted {
        Interrupted { cause, summary: self.summary, resume_from: None }.also_undone(undone).also_undone(&self.waiting)
    }
}

/// Whether the server refused what was sent, rather than failed.
fn is_refusal(error: &Error) -> bool {
    let refused = [
        Code::InvalidArgument,
        Code::NotFound,
        Code::AlreadyExists,
        Code::FailedPrecondition,
        Code::Aborted,
        // A message over the limit.
        Code::OutOfRange,
    ];
    let too_large = matches!(error.reason(), Some(reasons::COMMIT_TOO_LARGE | reasons::MESSAGE_TOO_LARGE));
    error.is_from_server() && (too_large || refused.contains(&error.code()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic::Status;
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::*;

    #[test]
    fn a_refusal_is_distinguished_from_a_failure() {
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
        assert!(!is_refusal(&Error::invalid("a file")), "the client found it, not the server");
    }
}
