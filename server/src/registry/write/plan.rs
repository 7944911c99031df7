//! One request, worked out against the ledger: what each mutation would do, and whether the whole may be done.
//!
//! A draft changes nothing. It becomes a commit in `committer`, or is thrown away.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::registry::error::{Dangling, Error};
use crate::registry::index::Row;
use crate::registry::read::reader::Reader;
use crate::registry::resource::document::{self, Referral, Stamp};
use crate::registry::resource::mask;
use crate::registry::resource::name::Name;
use crate::registry::schema::Schemas;
use crate::registry::write::ledger::Ledger;
use crate::registry::write::request::{self as mutation, Condition, Place, Prepared, PreparedMutation};
use crate::store::Action;
use crate::time::Time;
use crate::violations::Violations;

/// The most bytes of the resources of a commit, before and after together: with what is around them, below the 16 MiB
/// that readers of commits are told to take, and far below what the journal takes.
pub(crate) const COMMIT_BYTES_MAX: usize = 15 << 20;
/// More than what the server writes into a document.
const STAMP_BYTES: usize = 512;
/// How many referrers the error names when a deletion is refused.
const REFERRERS_NAMED_MAX: usize = 10;

/// What one mutation would do.
pub(crate) struct Planned {
    pub(crate) name: Name,
    /// `None`: nothing has to change.
    pub(crate) action: Option<Action>,
    pub(crate) previous: Option<Row>,
    /// How many bytes the document has now. 0: there is none.
    pub(crate) previous_bytes: usize,
    /// The body to write. If nothing has to change: the document as it is.
    pub(crate) body: Vec<u8>,
    pub(crate) stamp: Stamp,
    pub(crate) referrals: Vec<Referral>,
    pub(crate) old_referrals: Vec<Referral>,
}

impl Planned {
    /// Whether the resource is live afterwards.
    pub(crate) fn live(&self) -> bool {
        self.action != Some(Action::Delete)
    }

    /// About how many bytes a watcher is told, before and after together.
    fn bytes(&self) -> usize {
        self.previous_bytes + self.body.len() + 2 * self.name.as_str().len() + STAMP_BYTES
    }

    fn nothing(name: Name, document: Vec<u8>) -> Self {
        Self {
            name,
            action: None,
            previous: None,
            previous_bytes: 0,
            body: document,
            stamp: Stamp::default(),
            referrals: Vec::new(),
            old_referrals: Vec::new(),
        }
    }
}

/// What is needed to work out a request.
pub(crate) struct Drafting<'a> {
    pub(crate) schemas: &'a Schemas,
    pub(crate) ledger: &'a Ledger,
    pub(crate) reader: &'a Reader,
    pub(crate) actor: &'a str,
    pub(crate) now: Time,
}

impl Drafting<'_> {
    /// Works out all mutations, and refuses the request if any of them must be.
    pub(crate) fn draft(&self, request: &mut Prepared) -> Result<Vec<Planned>, Error> {
        for (index, (name, condition)) in request.preconditions.iter().enumerate() {
            self.precondition(index, name, condition)?;
        }
        let mut planned = Vec::with_capacity(request.mutations.len());
        let mut refused = Vec::new();
        let mutations = std::mem::take(&mut request.mutations);
        let single = matches!(mutations.as_slice(), [(place, _)] if place.index.is_none());
        let mut places = Vec::with_capacity(mutations.len());
        for (index, (place, mutation)) in mutations.into_iter().enumerate() {
            match self.plan(&place, mutation) {
                Ok(plan) => {
                    planned.push(plan);
                    places.push((index, place));
                }
                Err(error) => refused.push((index, error)),
            }
        }
        let by_name: HashMap<Arc<str>, usize> = planned
            .iter()
            .enumerate()
            .filter(|(_, plan)| plan.action.is_some())
            .map(|(at, plan)| (plan.name.shared(), at))
            .collect();
        for (plan, (index, place)) in planned.iter().zip(&places) {
            if let Err(error) = self.check_references(plan, &planned, &by_name, place) {
                refused.push((*index, error));
            }
        }
        refused.sort_by_key(|(index, _)| *index);
        mutation::refuse(refused, single)?;
        // A commit holds whole resources, however little of them changes, and is told of with those before it: small
        // requests could make what nobody can read.
        let bytes = planned.iter().filter(|plan| plan.action.is_some()).map(Planned::bytes).sum::<usize>();
        if bytes > COMMIT_BYTES_MAX {
            return Err(Error::CommitTooLarge { bytes, max: COMMIT_BYTES_MAX });
        }
        Ok(planned)
    }

    fn precondition(&self, index: usize, name: &Name, condition: &Condition) -> Result<(), Error> {
        let row = self.ledger.row(name.as_str());
        let live = row.is_some_and(|row| !row.deleted);
        let failed = |description: String| Error::PreconditionFailed { index, name: name.to_string(), description };
        match condition {
            Condition::Exists(true) if !live => Err(failed(format!("{name} does not exist or is deleted"))),
            Condition::Exists(false) if live => Err(failed(format!("{name} exists"))),
            Condition::Exists(_) => Ok(()),
            Condition::Etag(etag) => match row {
                Some(row) if self.reader.etag(row.revision) == *etag => Ok(()),
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

    fn plan(&self, place: &Place, mutation: PreparedMutation) -> Result<Planned, Error> {
        match mutation {
            PreparedMutation::Create { name, body, referrals, .. } => match self.ledger.row(name.as_str()) {
                Some(row) => Err(Error::AlreadyExists { name: name.to_string(), deleted: row.deleted }),
                None => Ok(self.create(name, body, referrals)),
            },
            PreparedMutation::Update { name, etag, body, mask, whole, allow_missing } => {
                match self.ledger.row(name.as_str()) {
                    Some(row) if row.deleted => Err(Error::Deleted(name.to_string())),
                    Some(row) => {
                        self.check_etag(&name, row, &etag)?;
                        self.update(place, name, row, &body, &mask, whole)
                    }
                    None if allow_missing => {
                        let referrals = match whole {
                            Some(referrals) => referrals,
                            None => self.check(place, &name, &body)?,
                        };
                        Ok(self.create(name, body, referrals))
                    }
                    None => Err(Error::NotFound(name.to_string())),
                }
            }
            PreparedMutation::Delete { name, etag, allow_missing } => match self.ledger.row(name.as_str()) {
                None if allow_missing => Ok(Planned::nothing(name, Vec::new())),
                None => Err(Error::NotFound(name.to_string())),
                Some(row) if row.deleted && allow_missing => {
                    let document = self.current(&name, row)?;
                    Ok(Planned::nothing(name, document.to_vec()))
                }
                Some(row) if row.deleted => Err(Error::Deleted(name.to_string())),
                Some(row) => {
                    self.check_etag(&name, row, &etag)?;
                    self.mark(name, row, Action::Delete)
                }
            },
            PreparedMutation::Undelete { name, etag } => match self.ledger.row(name.as_str()) {
                None => Err(Error::NotFound(name.to_string())),
                Some(row) if !row.deleted => Err(Error::NotDeleted(name.to_string())),
                Some(row) => {
                    self.check_etag(&name, row, &etag)?;
                    self.mark(name, row, Action::Undelete)
                }
            },
        }
    }

    fn check_etag(&self, name: &Name, row: Row, etag: &str) -> Result<(), Error> {
        if etag.is_empty() || self.reader.etag(row.revision) == etag {
            return Ok(());
        }
        Err(Error::EtagMismatch { name: name.to_string(), given: crate::registry::resource::name::short(etag) })
    }

    fn check(&self, place: &Place, name: &Name, body: &[u8]) -> Result<Vec<Referral>, Error> {
        let mut violations = Violations::new();
        let referrals = mutation::check(self.schemas, name.kind(), name.as_str(), body, place, &mut violations);
        if violations.is_empty() { Ok(referrals) } else { Err(Error::Invalid(violations)) }
    }

    fn create(&self, name: Name, body: Vec<u8>, referrals: Vec<Referral>) -> Planned {
        let stamp = Stamp {
            uid: uuid::Uuid::new_v4().to_string(),
            create_time: self.now,
            update_time: self.now,
            delete_time: None,
            creator: self.actor.to_owned(),
            updater: self.actor.to_owned(),
        };
        Planned {
            name,
            action: Some(Action::Create),
            previous: None,
            previous_bytes: 0,
            body,
            stamp,
            referrals,
            old_referrals: Vec::new(),
        }
    }

    fn update(
        &self,
        place: &Place,
        name: Name,
        row: Row,
        new: &[u8],
        mask: &mask::Mask,
        whole: Option<Vec<Referral>>,
    ) -> Result<Planned, Error> {
        let kind = name.kind();
        let document = self.current(&name, row)?;
        let old = document::body(self.schemas, kind, &document);
        let merged = (self.schemas.kind(kind).rules.normalize)(&mask.merge(self.schemas, kind, &old, new));
        if merged == old {
            return Ok(Planned::nothing(name, document.to_vec()));
        }
        let referrals = match whole {
            Some(referrals) if merged == new => referrals,
            Some(_) | None => self.check(place, &name, &merged)?,
        };
        let mut violations = Violations::new();
        mask::immutable_changes(self.schemas, kind, &old, &merged, &mut violations);
        if !violations.is_empty() {
            let mut placed = Violations::new();
            placed.add_all(&place.resource("."), violations);
            return Err(Error::Invalid(placed));
        }
        let stamp = Stamp { update_time: self.now, updater: self.actor.to_owned(), ..document::stamp(&document) };
        let old_referrals = document::referrals(self.schemas, kind, &old);
        let previous_bytes = document.len();
        let previous = Some(row);
        Ok(Planned {
            name,
            action: Some(Action::Update),
            previous,
            previous_bytes,
            body: merged,
            stamp,
            referrals,
            old_referrals,
        })
    }

    /// Deletes or undeletes: only the stamp changes.
    fn mark(&self, name: Name, row: Row, action: Action) -> Result<Planned, Error> {
        let document = self.current(&name, row)?;
        let body = document::body(self.schemas, name.kind(), &document);
        let referrals = document::referrals(self.schemas, name.kind(), &body);
        let stamp = Stamp {
            update_time: self.now,
            delete_time: (action == Action::Delete).then_some(self.now),
            updater: self.actor.to_owned(),
            ..document::stamp(&document)
        };
        let (referrals, old_referrals) =
            if action == Action::Delete { (Vec::new(), referrals) } else { (referrals, Vec::new()) };
        let (previous, previous_bytes) = (Some(row), document.len());
        Ok(Planned { name, action: Some(action), previous, previous_bytes, body, stamp, referrals, old_referrals })
    }

    /// The document as the commits checked so far leave it.
    fn current(&self, name: &Name, row: Row) -> Result<Bytes, Error> {
        match self.ledger.fresh_document(name.as_str()) {
            Some((revision, document)) if revision == row.revision => Ok(document),
            // What the journal may not have yet is fresh.
            _ => self.reader.version(name, row.revision),
        }
    }

    /// References are checked against the state that the whole commit leaves, so that its mutations may refer to each
    /// other in any order.
    fn check_references(
        &self,
        plan: &Planned,
        planned: &[Planned],
        by_name: &HashMap<Arc<str>, usize>,
        place: &Place,
    ) -> Result<(), Error> {
        let after = |name: &str| by_name.get(name).and_then(|at| planned.get(*at));
        if plan.live() {
            let dangling: Vec<_> = plan
                .referrals
                .iter()
                .filter_map(|referral| {
                    let target = referral.target.as_str();
                    let deleted = match (after(target), self.ledger.row(target)) {
                        (Some(plan), _) if plan.live() => return None,
                        (Some(_), _) => true,
                        (None, Some(row)) if !row.deleted => return None,
                        (None, row) => row.is_some(),
                    };
                    Some(Dangling { field: place.resource(&referral.field), target: target.to_owned(), deleted })
                })
                .collect();
            return if dangling.is_empty() { Ok(()) } else { Err(Error::DanglingReferences(dangling)) };
        }
        // Those that the commit itself changes are checked by their own references.
        let name = plan.name.as_str();
        let mut by: Vec<_> = self
            .ledger
            .referrers(name)
            .filter(|referrer| !by_name.contains_key(*referrer))
            .map(|by| by.to_string())
            .collect();
        if by.is_empty() {
            return Ok(());
        }
        by.sort();
        let more = by.len().saturating_sub(REFERRERS_NAMED_MAX);
        by.truncate(REFERRERS_NAMED_MAX);
        Err(Error::StillReferenced { name: name.to_owned(), by, more })
    }
}
