//! Rows whose resources are deleted. What there is of them is looked up first: what is deleted already stays as it is, and
//! what does not exist is created like any other. Once all rows are written, nothing of them refers to what is to be
//! deleted any more, and that is done, in as few commits as possible.

use partnership_registry::v1::ChangeAction;

use super::existing::Existing;
use super::item::{Deletion, Item, Place, first};
use super::outcome::{Interrupted, Observer};
use super::run::{MUTATIONS_MAX, Run, is_refusal, stopped};
use super::verdict::without_place;
use crate::error::Error;

impl<O: Observer + ?Sized> Run<'_, O> {
    /// Looks up what there is of deleted resources, and returns the rows of those that do not exist.
    pub(super) async fn look_up(&mut self, items: Vec<Item>) -> Result<Vec<Item>, Interrupted> {
        let undone = first(&items);
        self.try_look_up(items).await.map_err(|cause| self.interrupted(cause, undone))
    }

    async fn try_look_up(&mut self, items: Vec<Item>) -> Result<Vec<Item>, Error> {
        let mut missing = Vec::new();
        let mut work = vec![items];
        while let Some(mut items) = work.pop() {
            if items.is_empty() {
                continue;
            }
            match self.options.commit(items.iter().map(Item::deletion), true).await {
                Ok(found) => {
                    for (item, result) in items.into_iter().zip(found.results) {
                        let live = result.action() == ChangeAction::Delete;
                        match self.options.rows.existing {
                            // Without a change, only what does not exist has no revision.
                            _ if !live && result.revision == 0 => missing.push(item),
                            Existing::Keep => self.kept(&item),
                            Existing::Replace | Existing::Merge if live => {
                                self.deletions.push(Deletion::of(item, Vec::new(), true));
                            }
                            Existing::Replace | Existing::Merge => {
                                self.accept(&item.origin, item.name(), ChangeAction::Unchanged, &[]);
                            }
                        }
                    }
                }
                Err(error) if is_refusal(&error) => {
                    let refused = error.refused_mutations();
                    // It has no valid name, which is told when it is to be created.
                    let invalid = |index: &usize| {
                        let place = format!("mutations[{index}].");
                        error.field_violations().iter().any(|violation| violation.field.starts_with(&place))
                    };
                    if refused.is_empty() && items.len() > 1 {
                        let second = items.split_off(items.len() / 2);
                        work.extend([second, items]);
                        continue;
                    }
                    let mut rest = Vec::new();
                    let alone = items.len() == 1;
                    for (index, item) in items.into_iter().enumerate() {
                        match (alone || refused.contains(&index), self.options.rows.existing) {
                            (false, _) => rest.push(item),
                            (true, _) if invalid(&index) => missing.push(item),
                            (true, Existing::Keep) => self.kept(&item),
                            // It is live, and perhaps referred to: not any more, maybe, once all rows are written.
                            (true, _) => self.deletions.push(Deletion::of(item, Vec::new(), true)),
                        }
                    }
                    work.push(rest);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(missing)
    }

    /// Deletes what is to be deleted, repeatedly as long as some is. The rest is still referred to.
    pub(super) async fn delete(&mut self) -> Result<(), Interrupted> {
        let mut parts_max = MUTATIONS_MAX;
        while !self.deletions.is_empty() {
            let mut open = std::mem::take(&mut self.deletions);
            let before = open.len();
            if self.options.validate_only {
                let (there, new): (Vec<_>, Vec<_>) = open.into_iter().partition(|one| one.exists);
                new.iter().for_each(|one| self.deleted(one, ChangeAction::Delete));
                open = there;
            }
            while !open.is_empty() {
                let part = open.split_off(open.len().saturating_sub(parts_max));
                let undone = open.iter().chain(&part).map(place).min_by_key(|(position, _)| *position);
                if self.observer.stops() {
                    return Err(self.interrupted(stopped(), undone));
                }
                if let Err(cause) = self.delete_part(part, parts_max == 1).await {
                    return Err(self.interrupted(cause, undone));
                }
                self.observer.progress(&self.summary);
            }
            if self.deletions.len() == before {
                parts_max = 1;
            }
        }
        Ok(())
    }

    /// Deletes what it can; the rest is open again, or is refused if this is its last chance.
    async fn delete_part(&mut self, part: Vec<Deletion>, last_chance: bool) -> Result<(), Error> {
        let mut work = vec![part];
        while let Some(mut part) = work.pop() {
            if part.is_empty() {
                continue;
            }
            let error = match self.options.commit(part.iter().map(Deletion::mutation), false).await {
                Ok(done) => {
                    self.summary.commits += u64::from(done.commit_time.is_some());
                    part.iter().zip(&done.results).for_each(|(one, result)| self.deleted(one, result.action()));
                    continue;
                }
                Err(error) if is_refusal(&error) => error,
                Err(error) => return Err(error),
            };
            let refused = error.refused_mutations();
            if part.len() > 1 && refused.is_empty() {
                let second = part.split_off(part.len() / 2);
                work.extend([second, part]);
                continue;
            }
            let alone = part.len() == 1;
            let mut rest = Vec::new();
            for (index, one) in part.into_iter().enumerate() {
                if !alone && !refused.contains(&index) {
                    rest.push(one);
                } else if !last_chance {
                    self.deletions.push(one);
                } else if self.options.validate_only {
                    // Rows that are not written yet may take away what refers to it.
                    self.summary.unknown += 1;
                    let reason = without_place(error.message()).to_owned();
                    self.observer.unknown(&one.origin, &one.name, &[reason]);
                } else {
                    self.refuse(one.refused(without_place(error.message()).to_owned()));
                }
            }
            work.push(rest);
        }
        Ok(())
    }

    fn deleted(&mut self, one: &Deletion, action: ChangeAction) {
        self.accept(&one.origin, &one.name, action, &one.findings);
    }
}

fn place(one: &Deletion) -> Place {
    (one.position, one.origin.clone())
}
