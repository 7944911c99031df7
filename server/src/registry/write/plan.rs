//! One request, worked out against the ledger: what each mutation would do, and whether the whole may be done.
//!
//! A draft changes nothing. It becomes a commit in `committer`, or is thrown away.

use bytes::Bytes;
use jiff::tz::TimeZone;
use partnership_registry::v1::{Finding, Resource};

use super::change::{Change, Said};
use super::ledger::{Known, Ledger};
use super::place::Place;
use super::planned::Planned;
use super::references::Changed;
use super::request::{self, Condition, PreparedMutation};
use super::trees::Trees;
use crate::kinds::KindRules;
use crate::kinds::verb::{Added, Moment, Refused, Verbs};
use crate::registry::error::Error;
use crate::registry::resource::check::{self, Checked};
use crate::registry::resource::etag::Etags;
use crate::registry::resource::name::{Name, short};
use crate::registry::resource::output_only::Unchangeable;
use crate::registry::resource::stamp::{self, Stamp};
use crate::registry::resource::{body, difference, finding, rollback, standing, wire};
use crate::registry::schema::Schemas;
use crate::store::{Action, Revision};
use crate::time::{Day, Time};
use crate::violations::Violations;

/// The most bytes of the resources of a commit, before and after together: with what is around them, below the 16 MiB
/// that readers of commits are told to take, and far below what the journal takes.
pub(crate) const COMMIT_BYTES_MAX: usize = 15 << 20;

/// What is needed to work out a request.
pub(crate) struct Drafting<'a> {
    pub(crate) schemas: &'a Schemas,
    pub(crate) ledger: &'a Ledger,
    pub(crate) etags: Etags,
    pub(crate) actor: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) now: Time,
    /// The settled day that the commit will have.
    pub(crate) day: Day,
    pub(crate) time_zone: &'a TimeZone,
}

impl Drafting<'_> {
    /// Works out all mutations, and refuses the request if any of them must be.
    pub(crate) fn draft(
        &self,
        preconditions: &[(Name, Condition)],
        mutations: Vec<(Place, PreparedMutation)>,
        current: Vec<Option<(Revision, Bytes)>>,
    ) -> Result<Vec<Planned>, Error> {
        for (index, (name, condition)) in preconditions.iter().enumerate() {
            self.precondition(index, name, condition)?;
        }
        let mut planned = Vec::with_capacity(mutations.len());
        let mut refused = Vec::new();
        let single = matches!(mutations.as_slice(), [(place, _)] if place.index.is_none());
        let mut places = Vec::with_capacity(mutations.len());
        for (index, ((place, mutation), current)) in mutations.into_iter().zip(current).enumerate() {
            match self.plan(&place, mutation, current.map(|(_, document)| document)) {
                Ok(plan) => {
                    planned.push(plan);
                    places.push((index, place));
                }
                Err(error) => refused.push((index, error)),
            }
        }
        let changed = Changed::of(&planned);
        let trees = Trees::of(self.schemas, self.ledger, &planned);
        for (plan, (index, place)) in planned.iter().zip(&places) {
            if let Err(error) = changed.check(plan, self.ledger, place).and_then(|()| trees.check(plan, place)) {
                refused.push((*index, error));
            }
        }
        refused.sort_by_key(|(index, _)| *index);
        request::refuse(refused, single)?;
        // A commit holds whole resources, however little of them changes, and is told of with those before it: small
        // requests could make what nobody can read.
        let bytes = planned.iter().filter(|plan| plan.action.is_some()).map(Planned::bytes).sum::<usize>();
        if bytes > COMMIT_BYTES_MAX {
            return Err(Error::CommitTooLarge { bytes, max: COMMIT_BYTES_MAX });
        }
        Ok(planned)
    }

    fn precondition(&self, index: usize, name: &Name, condition: &Condition) -> Result<(), Error> {
        let row = self.ledger.known(name.as_str());
        let live = row.is_some_and(|row| !row.deleted);
        let failed = |description: String| Error::PreconditionFailed { index, name: name.to_string(), description };
        match condition {
            Condition::Exists(true) if !live => Err(failed(format!("{name} does not exist or is deleted"))),
            Condition::Exists(false) if live => Err(failed(format!("{name} exists"))),
            Condition::Exists(_) => Ok(()),
            Condition::Etag(etag) => match row {
                Some(row) if self.etags.of(row.revision) == *etag => Ok(()),
                Some(_) => Err(failed(format!("{name} has changed: its etag is another one"))),
                None => Err(failed(format!("{name} does not exist"))),
            },
            Condition::UnchangedSince(revision) => match row {
                Some(row) if row.revision > *revision => {
                    Err(failed(format!("{name} has changed in revision {}", row.revision)))
                }
                Some(_) | None => Ok(()),
            },
        }
    }

    fn plan(&self, place: &Place, mutation: PreparedMutation, current: Option<Bytes>) -> Result<Planned, Error> {
        match mutation {
            PreparedMutation::Create { name, said, checked, .. } => match self.ledger.known(name.as_str()) {
                Some(row) => Err(Error::AlreadyExists { name: name.to_string(), deleted: row.deleted }),
                None => {
                    let ignored = said.ignored(self.schemas, name.kind());
                    Ok(Planned { ignored, ..self.create(place, name, said.body, checked)? })
                }
            },
            PreparedMutation::Update { name, etag, change, allow_missing } => match self.ledger.known(name.as_str()) {
                Some(row) if row.deleted => Err(Error::Deleted(name.to_string())),
                Some(row) => {
                    self.check_etag(&name, row, &etag)?;
                    let document = found(current, row)?;
                    let ignored = self.ignored(place, &name, &change, Some(&document))?;
                    let mut planned = self.update(place, name, row, document, change)?;
                    planned.ignored.extend(ignored);
                    Ok(planned)
                }
                None if allow_missing => {
                    let ignored = self.ignored(place, &name, &change, None)?;
                    let Change { said: Said { mut body, .. }, whole, .. } = change;
                    let checked = match whole {
                        Some(checked) => checked,
                        None => {
                            let resource = decode(&self.schemas.kind(name.kind()).rules, &body, 0)?;
                            self.check(place, &name, resource, &mut body)?
                        }
                    };
                    Ok(Planned { ignored, ..self.create(place, name, body, checked)? })
                }
                None => Err(Error::NotFound(name.to_string())),
            },
            PreparedMutation::Delete { name, etag, allow_missing } => match self.ledger.known(name.as_str()) {
                None if allow_missing => Ok(Planned::nothing(name, Bytes::new())),
                None => Err(Error::NotFound(name.to_string())),
                Some(row) if row.deleted && allow_missing => Ok(Planned::nothing(name, found(current, row)?)),
                Some(row) if row.deleted => Err(Error::DeletedAlready(name.to_string())),
                Some(row) => {
                    self.check_etag(&name, row, &etag)?;
                    self.mark(name, row, found(current, row)?, Action::Delete)
                }
            },
            PreparedMutation::Undelete { name, etag } => match self.ledger.known(name.as_str()) {
                None => Err(Error::NotFound(name.to_string())),
                Some(row) if !row.deleted => Err(Error::NotDeleted(name.to_string())),
                Some(row) => {
                    self.check_etag(&name, row, &etag)?;
                    self.mark(name, row, found(current, row)?, Action::Undelete)
                }
            },
            PreparedMutation::Rollback { name, revision, etag, snapshot } => {
                match (self.ledger.known(name.as_str()), snapshot) {
                    (None, _) => Err(Error::NotFound(name.to_string())),
                    (Some(_), None) => Err(Error::NoSuchRevision { name: name.to_string(), revision }),
                    (Some(_), Some(then)) if stamp::is_deleted(&then) => {
                        Err(Error::RevisionDeleted { name: name.to_string(), revision })
                    }
                    (Some(row), Some(then)) => {
                        self.check_etag(&name, row, &etag)?;
                        let document = found(current, row)?;
                        let old = body::body(self.schemas, name.kind(), &document);
                        let body = body::body(self.schemas, name.kind(), &then);
                        let restored = rollback::restored(self.schemas.shape_of(name.kind()), &old, &body);
                        let worked = Worked { then: Some(&then), ..Worked::of(restored) };
                        self.change(place, name, row, (document, old), Action::Rollback, worked)
                    }
                }
            }
            PreparedMutation::Verb { name, etag, verb, verbs, action } => match self.ledger.known(name.as_str()) {
                None => Err(Error::NotFound(name.to_string())),
                Some(row) if row.deleted => Err(Error::Deleted(name.to_string())),
                Some(row) => {
                    self.check_etag(&name, row, &etag)?;
                    let document = found(current, row)?;
                    let old = body::body(self.schemas, name.kind(), &document);
                    let rules = &self.schemas.kind(name.kind()).rules;
                    let mut resource = decode(rules, &old, row.revision)?;
                    let added = match (verbs.apply)(&verb, &mut resource, &self.moment()) {
                        Ok(added) => added,
                        Err(Refused::Invalid(found)) => return Err(Error::Invalid(placed(place, found))),
                        Err(Refused::State(found)) => return Err(Error::WrongState(placed(place, found))),
                    };
                    let worked = Worked { added, ..Worked::of((rules.encode)(&resource)) };
                    self.change(place, name, row, (document, old), action, worked)
                }
            },
        }
    }

    /// The moment of the commit.
    fn moment(&self) -> Moment<'_> {
        Moment { time: self.now, day: self.day, zone: self.time_zone, actor: self.actor, reason: self.reason }
    }

    fn check_etag(&self, name: &Name, row: Known, etag: &str) -> Result<(), Error> {
        if etag.is_empty() || self.etags.of(row.revision) == etag {
            return Ok(());
        }
        Err(Error::EtagMismatch { name: name.to_string(), given: short(etag) })
    }

    /// What an update carries for fields that it cannot change. Fails if its mask names one of them, and means another
    /// value than the stored one.
    fn ignored(
        &self,
        place: &Place,
        name: &Name,
        change: &Change,
        document: Option<&[u8]>,
    ) -> Result<Vec<Finding>, Error> {
        let kind = name.kind();
        // What is computed is compared as it is answered.
        let answered = match document {
            Some(document) if change.said.all.is_some() && self.schemas.kind(kind).rules.dated.is_some() => {
                let asked = standing::on_settled_day(self.ledger.settled_day());
                Some(standing::answered(self.schemas, kind, Bytes::copy_from_slice(document), asked))
            }
            Some(_) | None => None,
        };
        let Unchangeable { refused, ignored } =
            change.unchangeable(self.schemas, kind, answered.as_deref().or(document));
        let mut violations = Violations::new();
        place.add(refused, &mut violations);
        if violations.is_empty() { Ok(ignored) } else { Err(Error::Invalid(violations)) }
    }

    /// Checks a resource that was merged. Its body may be cleaned by that.
    fn check(&self, place: &Place, name: &Name, mut resource: Resource, body: &mut Vec<u8>) -> Result<Checked, Error> {
        resource.set_name(name.to_string());
        let mut found = Violations::new();
        let checked = check::check(self.schemas, name.kind(), &resource, body, &mut found);
        let mut violations = Violations::new();
        place.add(found, &mut violations);
        if violations.is_empty() { Ok(checked) } else { Err(Error::Invalid(violations)) }
    }

    /// The body of a resource that is created, with what the server gives besides its stamp, and what came of its check.
    fn complete(
        &self,
        verbs: &Verbs,
        place: &Place,
        name: &Name,
        body: Vec<u8>,
        checked: Checked,
    ) -> Result<(Vec<u8>, Checked), Error> {
        if !wire::fields(&body).any(|field| field.number == verbs.field) {
            return Ok((body, checked));
        }
        let rules = &self.schemas.kind(name.kind()).rules;
        let mut resource = decode(rules, &body, 0)?;
        let mut found = Violations::new();
        let filled = (verbs.complete)(&mut resource, &self.moment(), &mut found);
        let mut violations = Violations::new();
        place.add(found, &mut violations);
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        if !filled {
            return Ok((body, checked));
        }
        let mut body = (rules.encode)(&resource);
        let mut again = self.check(place, name, resource, &mut body)?;
        finding::keep_of_cleaning(&checked.findings, &mut again.findings);
        Ok((body, again))
    }

    fn create(&self, place: &Place, name: Name, body: Vec<u8>, checked: Checked) -> Result<Planned, Error> {
        let (body, checked) = match &self.schemas.kind(name.kind()).rules.verbs {
            Some(verbs) => self.complete(verbs, place, &name, body, checked)?,
            None => (body, checked),
        };
        let stamp = Stamp {
            uid: uuid::Uuid::new_v4().to_string(),
            create_time: self.now,
            update_time: self.now,
            delete_time: None,
            creator: self.actor.to_owned(),
            updater: self.actor.to_owned(),
            findings: finding::encode(self.schemas, name.kind(), checked.findings),
        };
        Ok(Planned {
            name,
            action: Some(Action::Create),
            previous_revision: 0,
            previous_bytes: 0,
            body: body.into(),
            stamp,
            referrals: checked.referrals,
            ignored: Vec::new(),
        })
    }

    fn update(
        &self,
        place: &Place,
        name: Name,
        row: Known,
        document: Bytes,
        Change { said: Said { body: new, .. }, mask, whole, reconciles }: Change,
    ) -> Result<Planned, Error> {
        let kind = name.kind();
        let old = body::body(self.schemas, kind, &document);
        let mut body = mask.merge(self.schemas, kind, &old, &new);
        let mut gone = Vec::new();
        if let Some(reconciles) = reconciles {
            let rules = &self.schemas.kind(kind).rules;
            let mut resource = decode(rules, &body, row.revision)?;
            gone = reconciles.apply(&mut resource, &decode(rules, &new, 0)?, &self.moment());
            body = (rules.encode)(&resource);
        }
        let checked = whole.map(|checked| (new.as_slice(), checked));
        let worked = Worked { checked, ..Worked::of(body) };
        let mut planned = self.change(place, name, row, (document, old), Action::Update, worked)?;
        planned.ignored.extend(gone);
        Ok(planned)
    }

    /// Gives a resource the body that was worked out from its document and `old`, the body in that; and makes it live.
    /// This is the way of every method that applies a rule to the resource as it is.
    fn change(
        &self,
        place: &Place,
        name: Name,
        row: Known,
        (document, old): (Bytes, Vec<u8>),
        action: Action,
        Worked { body, checked, then, added }: Worked<'_>,
    ) -> Result<Planned, Error> {
        let kind = name.kind();
        let rules = &self.schemas.kind(kind).rules;
        let resource = decode(rules, &body, row.revision)?;
        // In the one order of fields in which equal resources have equal bytes.
        let mut body = (rules.encode)(&resource);
        if body == old && !row.deleted {
            let ignored =
                checked.map(|(_, checked)| finding::of_this_call(&document, &checked.findings)).unwrap_or_default();
            return Ok(Planned { ignored, ..Planned::nothing(name, document) });
        }
        let Checked { mut referrals, mut findings, .. } = match (checked, added) {
            (Some((sent, checked)), _) if body == sent => checked,
            (Some(_) | None, None) => self.check(place, &name, resource, &mut body)?,
            (Some(_) | None, Some(added)) => self.check_added(place, &name, resource, &mut body, added)?,
        };
        if let Some(added) = added {
            for referral in &mut referrals {
                if let Some(field) = added.in_request(&referral.field) {
                    referral.field = field;
                }
            }
        }
        if body == old && !row.deleted {
            // All that differed was cleaned away.
            let ignored = finding::of_this_call(&document, &findings);
            return Ok(Planned { ignored, ..Planned::nothing(name, document) });
        }
        for cleaned in std::iter::once(&document).chain(then) {
            finding::carry_over(self.schemas, kind, cleaned, &body, &mut findings);
        }
        let mut violations = Violations::new();
        difference::immutable_changes(self.schemas, kind, &old, &body, &mut violations);
        if !violations.is_empty() {
            let mut placed = Violations::new();
            place.add(violations, &mut placed);
            // What was sent is wrong; what was so once is not, and cannot be so again.
            return Err(match action {
                Action::Rollback => Error::ImmutableFields(placed),
                Action::Create
                | Action::Update
                | Action::Delete
                | Action::Undelete
                | Action::RecordEvents
                | Action::VoidEvent => Error::Invalid(placed),
            });
        }
        let stamp = Stamp {
            update_time: self.now,
            delete_time: None,
            updater: self.actor.to_owned(),
            findings: finding::encode(self.schemas, kind, findings),
            ..stamp::stamp(&document)
        };
        let previous_bytes = document.len();
        Ok(Planned {
            name,
            action: Some(action),
            previous_revision: row.revision,
            previous_bytes,
            body: body.into(),
            stamp,
            referrals,
            ignored: Vec::new(),
        })
    }

    /// Checks a resource to which a verb added something, and tells what is wrong with that as it stands in the request.
    fn check_added(
        &self,
        place: &Place,
        name: &Name,
        mut resource: Resource,
        body: &mut Vec<u8>,
        added: Added,
    ) -> Result<Checked, Error> {
        resource.set_name(name.to_string());
        let mut found = Violations::new();
        let checked = check::check(self.schemas, name.kind(), &resource, body, &mut found);
        let mut violations = Violations::new();
        for violation in found.iter() {
            match added.in_request(&violation.field) {
                Some(field) => violations.add(place.request(&field), violation.description.clone()),
                None => violations.add(
                    place.request("name"),
                    format!(
                        "leads to a resource that would break a rule: {} {}",
                        violation.field, violation.description
                    ),
                ),
            }
        }
        if violations.is_empty() { Ok(checked) } else { Err(Error::Invalid(violations)) }
    }

    /// Deletes or undeletes: only the stamp changes.
    fn mark(&self, name: Name, row: Known, document: Bytes, action: Action) -> Result<Planned, Error> {
        let body = body::body(self.schemas, name.kind(), &document);
        let deletes = action == Action::Delete;
        let referrals = if deletes { Vec::new() } else { check::referrals(self.schemas, name.kind(), &body) };
        let stamp = Stamp {
            update_time: self.now,
            delete_time: deletes.then_some(self.now),
            updater: self.actor.to_owned(),
            ..stamp::stamp(&document)
        };
        let (previous_revision, previous_bytes) = (row.revision, document.len());
        Ok(Planned {
            name,
            action: Some(action),
            previous_revision,
            previous_bytes,
            body: body.into(),
            stamp,
            referrals,
            ignored: Vec::new(),
        })
    }
}

/// The body that a resource is to get.
struct Worked<'a> {
    body: Vec<u8>,
    /// A body that was checked already, with what came of that.
    checked: Option<(&'a [u8], Checked)>,
    /// An earlier document from which some of the body is taken.
    then: Option<&'a Bytes>,
    /// What of the body a verb added.
    added: Option<Added>,
}

impl Worked<'_> {
    fn of(body: Vec<u8>) -> Self {
        Self { body, checked: None, then: None, added: None }
    }
}

/// What is wrong with a verb, where it stands in the request.
fn placed(place: &Place, of_verb: Violations) -> Violations {
    let mut violations = Violations::new();
    violations.add_all(&place.request(""), of_verb);
    violations
}

/// The resource of a body. What was sent has been decoded before: bytes that are no message can only be those that are
/// stored, since `revision`.
fn decode(rules: &KindRules, body: &[u8], revision: Revision) -> Result<Resource, Error> {
    (rules.decode)(body).map_err(|_| Error::Damaged { revision })
}

/// The document that a change starts from. The committer has made sure of it before.
fn found(current: Option<Bytes>, row: Known) -> Result<Bytes, Error> {
    current.ok_or(Error::Damaged { revision: row.revision })
}
