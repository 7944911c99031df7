//! [`Run`]: sends batches. Refused rows are removed and the rest is sent again; a row that refers to a resource that does not
//! exist yet waits until the rest is imported.

use partnership_registry::v1::{ChangeAction, Finding, FindingCode};

use super::batch::Batch;
use super::existing::Existing;
use super::item::{Deletion, Item, Place, first};
use super::options::Options;
use super::outcome::{Interrupted, Observer, Summary};
use super::row::{AcceptedRow, Origin, RefusedRow};
use super::seen::Seen;
use super::verdict::{Verdict, verdicts, without_place};
use crate::error::{Code, Error, reasons};

/// The most mutations of a commit.
pub(super) const MUTATIONS_MAX: usize = 1_000;

/// A running import.
pub(super) struct Run<'a, O: Observer + ?Sized> {
    pub(super) options: &'a Options,
    pub(super) observer: &'a mut O,
    pub(super) summary: Summary,
    pub(super) seen: Seen,
    /// More rows follow those that are sent.
    pub(super) more_follow: bool,
    waiting: Vec<Item>,
    /// What is deleted once all rows are written.
    pub(super) deletions: Vec<Deletion>,
    /// Rows with dangling references do not wait any more.
    last_chance: bool,
    /// The first of those rows that are neither done nor waiting, besides those that are sent.
    pub(super) held: Option<Place>,
    /// The names in the commit that was refused, if that ended the import.
    refused: Vec<String>,
}

impl<'a, O: Observer + ?Sized> Run<'a, O> {
    pub(super) fn new(options: &'a Options, observer: &'a mut O) -> Self {
        Self {
            options,
            observer,
            summary: Summary::default(),
            seen: Seen::default(),
            more_follow: true,
            waiting: Vec::new(),
            deletions: Vec::new(),
            last_chance: false,
            held: None,
            refused: Vec::new(),
        }
    }

    /// Sends a batch, without those that are refused.
    pub(super) async fn send(&mut self, items: Vec<Item>) -> Result<(), Interrupted> {
        if items.is_empty() {
            return Ok(());
        }
        if self.observer.stops() {
            return Err(self.interrupted(stopped(), first(&items)));
        }
        let undone = first(&items);
        let sent = self.send_parts(items).await;
        self.observer.progress(&self.summary);
        sent.map_err(|cause| self.interrupted(cause, undone))
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
            let mut verdicts = verdicts(&error, &names(&items));
            if items.len() > 1 && verdicts.iter().all(Option::is_none) {
                // The commit was refused as a whole, for example for its size: smaller parts are sent instead.
                let mut first = items;
                let second = first.split_off(first.len() / 2);
                work.extend([second, first]);
                continue;
            }
            self.explain(&items, &mut verdicts).await?;
            if self.options.all_or_none && !self.all_may_wait(&verdicts, !work.is_empty()) {
                self.refused = names(&items).into_iter().map(str::to_owned).collect();
                return Err(error);
            }
            work.push(self.sort_out(items, verdicts, &error));
        }
        Ok(())
    }

    /// Whether what is refused only refers to what may still come.
    fn all_may_wait(&self, verdicts: &[Option<Verdict>], parts_follow: bool) -> bool {
        let more = parts_follow || self.more_follow || !self.waiting.is_empty() || self.options.validate_only;
        let may_wait = |verdict: &Verdict| match verdict {
            Verdict::Dangling { targets, .. } if self.last_chance => self.may_come(targets),
            Verdict::Dangling { .. } => more,
            Verdict::Invalid(_) | Verdict::Deleted(_) | Verdict::Unexplained => false,
        };
        verdicts.iter().any(Option::is_some) && verdicts.iter().flatten().all(may_wait)
    }

    /// Asks why rows are refused of which the error does not say it: it holds a limited number of reasons.
    async fn explain(&self, items: &[Item], verdicts: &mut [Option<Verdict>]) -> Result<(), Error> {
        let is_open = |index: usize| verdicts.get(index) == Some(&Some(Verdict::Unexplained));
        let mut open: Vec<_> = items.iter().enumerate().filter(|(index, _)| is_open(*index)).collect();
        while !open.is_empty() {
            let error = match self.options.commit(open.iter().map(|(_, item)| item.mutation()), true).await {
                Ok(_) => return Ok(()),
                Err(error) if is_refusal(&error) => error,
                Err(error) => return Err(error),
            };
            let names: Vec<_> = open.iter().map(|(_, item)| item.name()).collect();
            let mut told = self::verdicts(&error, &names);
            if let [one @ (None | Some(Verdict::Unexplained))] = told.as_mut_slice() {
                *one = Some(Verdict::Invalid(vec![without_place(error.message()).to_owned()]));
            }
            let before = open.len();
            let mut rest = Vec::new();
            for ((index, item), told) in open.into_iter().zip(told) {
                match (told, verdicts.get_mut(index)) {
                    (Some(Verdict::Unexplained), _) => rest.push((index, item)),
                    (Some(told), Some(verdict)) => *verdict = Some(told),
                    // Nothing is wrong with it alone.
                    (None, _) | (_, None) => {}
                }
            }
            open = rest;
            if open.len() == before {
                // Nothing was told: it is asked of half of them.
                open.truncate(before / 2);
            }
        }
        Ok(())
    }

    /// Removes the refused rows, and returns the rest.
    fn sort_out(&mut self, items: Vec<Item>, verdicts: Vec<Option<Verdict>>, error: &Error) -> Vec<Item> {
        let alone = items.len() == 1;
        let mut rest = Vec::new();
        for (item, verdict) in items.into_iter().zip(verdicts) {
            match verdict {
                None if alone => self.refuse(item.refused(vec![error.message().to_owned()])),
                None => rest.push(item),
                Some(Verdict::Dangling { .. } | Verdict::Unexplained) if !self.last_chance => {
                    self.summary.waiting += 1;
                    self.waiting.push(item);
                }
                Some(Verdict::Dangling { reasons, targets }) if self.may_come(&targets) => {
                    self.summary.unknown += 1;
                    self.observer.unknown(&item.origin, item.name(), &reasons);
                }
                Some(Verdict::Deleted(_)) if self.options.rows.existing == Existing::Keep => self.kept(&item),
                Some(verdict) => self.refuse(item.refused(verdict.reasons())),
            }
        }
        rest
    }

    /// Whether resources that do not exist would be there, if this were no dry run.
    fn may_come(&self, targets: &[String]) -> bool {
        self.options.validate_only && targets.iter().all(|target| self.seen.has(target))
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
        self.held = first(&items);
        self.summary.waiting = 0;
        let mut batch = Batch::default();
        for item in items {
            if !batch.has_room_for(&item, batch_max) {
                self.send(batch.take()).await?;
            }
            batch.push(item);
        }
        self.send(batch.take()).await?;
        self.held = None;
        Ok(())
    }

    async fn commit(&mut self, items: &[Item]) -> Result<(), Error> {
        let done = self.options.commit(items.iter().map(Item::mutation), false).await?;
        self.summary.commits += u64::from(done.commit_time.is_some());
        let mut results = done.results;
        // What a mask leaves out, since it would be refused, is told by asking what would come of the whole.
        let left_out = items.iter().zip(&mut results).filter(|(_, result)| result.action() != ChangeAction::Create);
        let (left_out, asked): (Vec<_>, Vec<_>) =
            left_out.filter_map(|(item, result)| Some((result, item.whole_mutation()?))).unzip();
        if !asked.is_empty() {
            match self.options.commit(asked.into_iter(), true).await {
                Ok(told) => {
                    for (result, told) in left_out.into_iter().zip(told.results) {
                        let ignored = |one: &Finding| one.code() == FindingCode::OutputOnlyIgnored;
                        result.findings.extend(told.findings.into_iter().filter(ignored));
                    }
                }
                // It was changed meanwhile by somebody else.
                Err(error) if is_refusal(&error) => {}
                Err(error) => return Err(error),
            }
        }
        for (item, result) in items.iter().zip(results) {
            let action = result.action();
            let untouched = matches!(action, ChangeAction::Unspecified | ChangeAction::Unchanged);
            if untouched && self.options.rows.existing == Existing::Keep {
                self.kept(item);
            } else if item.deleted {
                self.deletions.push(Deletion::of(item.clone(), result.findings, false));
            } else {
                self.accept(&item.origin, item.name(), action, &result.findings);
            }
        }
        Ok(())
    }

    /// Counts and tells an accepted row.
    pub(super) fn accept(&mut self, origin: &Origin, name: &str, action: ChangeAction, findings: &[Finding]) {
        let row = AcceptedRow { origin, name, action, findings };
        self.summary.findings += findings.len() as u64;
        self.summary.ignored += u64::from(row.has_ignored());
        match action {
            ChangeAction::Create => self.summary.created += 1,
            ChangeAction::Delete => self.summary.deleted += 1,
            ChangeAction::Unspecified | ChangeAction::Unchanged => self.summary.unchanged += 1,
            ChangeAction::Update
            | ChangeAction::Undelete
            | ChangeAction::Rollback
            | ChangeAction::RecordEvents
            | ChangeAction::VoidEvent => self.summary.updated += 1,
        }
        self.observer.accepted(&row);
    }

    /// Counts a row whose resource is left alone.
    pub(super) fn kept(&mut self, item: &Item) {
        self.summary.kept += 1;
        let (origin, name) = (&item.origin, item.name());
        self.observer.accepted(&AcceptedRow { origin, name, action: ChangeAction::Unchanged, findings: &[] });
    }

    pub(super) fn refuse(&mut self, row: RefusedRow) {
        self.summary.refused += 1;
        self.observer.refused(&row);
    }

    /// The import ends early. The first row that is not done is `undone`, or one that waits.
    pub(super) fn interrupted(&mut self, cause: Error, undone: Option<Place>) -> Interrupted {
        let deletions = self.deletions.iter().map(|one| (one.position, one.origin.clone()));
        let places = deletions.chain(undone).chain(self.held.take()).chain(first(&self.waiting));
        let resume_from = places.min_by_key(|(position, _)| *position).map(|(_, origin)| origin);
        let names = std::mem::take(&mut self.refused);
        Interrupted { cause, summary: self.summary, resume_from, names }
    }
}

fn names(items: &[Item]) -> Vec<&str> {
    items.iter().map(Item::name).collect()
}

/// The error of an import that its observer stopped.
pub(super) fn stopped() -> Error {
    Error::local(Code::Cancelled, "stopped")
}

/// Whether the server refused what was sent, rather than failed.
pub(super) fn is_refusal(error: &Error) -> bool {
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
