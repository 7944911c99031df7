//! What a caller asks to be written, and what is checked of it before it waits for the committer.

use bytes::Bytes;
use partnership_registry::v1::{Finding, Format, Reconciliation, Resource};
use tokio::sync::OwnedSemaphorePermit;

use super::change::{Change, Reconciles, Said};
use super::input::Input;
use super::place::Place;
use crate::kinds::verb::{Verb, Verbs};
use crate::registry::error::Error;
use crate::registry::resource::check::Checked;
use crate::registry::resource::etag;
use crate::registry::resource::mask::is_star;
use crate::registry::resource::name::Name;
use crate::registry::resource::update_mask::UpdateMask;
use crate::registry::resource::{finding, stamp};
use crate::registry::schema::{KindId, Schemas};
use crate::store::{Action, Revision};
use crate::time::{Day, Time};
use crate::violations::Violations;

/// The most mutations of one request: a commit is checked and written as a whole.
pub(crate) const MUTATIONS_MAX: usize = 1_000;
/// The most preconditions of one request.
pub(crate) const PRECONDITIONS_MAX: usize = 1_000;
/// About what a precondition takes while it waits.
const PRECONDITION_BYTES: usize = 128;
/// The most characters of an actor.
pub(crate) const ACTOR_LENGTH_MAX: usize = 200;
/// The most characters of a reason.
pub(crate) const REASON_LENGTH_MAX: usize = 1_000;

/// What a caller asks to be written, in one commit.
#[derive(Debug, Default)]
pub struct WriteRequest {
    /// The changes, in their order.
    pub mutations: Vec<Mutation>,
    /// What else must be true.
    pub preconditions: Vec<Precondition>,
    /// Who asks. Empty: `anonymous`.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// A UUID by which a repeated request is known again. Empty: none.
    pub request_id: String,
    /// What distinguishes this request from every other one: see [`request_hash`].
    pub request_hash: [u8; 16],
    /// Check everything, and write nothing.
    pub validate_only: bool,
}

/// One change.
#[derive(Debug)]
pub struct Mutation {
    /// Where it stands in the request, for errors.
    pub place: Place,
    /// What to do.
    pub operation: Operation,
}

/// What to do to one resource. Resources are of the kind that is said beside them.
#[derive(Debug)]
pub enum Operation {
    /// Create it.
    Create {
        /// The kind.
        kind: KindId,
        /// Its id. Empty: one is made.
        id: String,
        /// The resource.
        resource: Resource,
    },
    /// Change it.
    Update {
        /// The kind.
        kind: KindId,
        /// The new values, with name and etag.
        resource: Resource,
        /// The paths of the mask.
        mask: Vec<String>,
        /// Create it if it does not exist.
        allow_missing: bool,
        /// What becomes of what only verbs change, if it was read from its source again.
        reconciliation: Reconciliation,
    },
    /// Mark it as deleted.
    Delete {
        /// The kind that the name must be of. `None`: any.
        kind: Option<KindId>,
        /// Its name.
        name: String,
        /// The etag it must have. Empty: any.
        etag: String,
        /// Succeed if it is not there.
        allow_missing: bool,
    },
    /// Bring it back.
    Undelete {
        /// The kind that the name must be of. `None`: any.
        kind: Option<KindId>,
        /// Its name.
        name: String,
        /// The etag it must have. Empty: any.
        etag: String,
    },
    /// Make it what it was in an earlier revision.
    Rollback {
        /// The kind that the name must be of. `None`: any.
        kind: Option<KindId>,
        /// The name of the revision.
        name: String,
        /// The etag that the resource must have. Empty: any.
        etag: String,
    },
    /// Do to it what only its kind knows.
    Verb {
        /// The kind.
        kind: KindId,
        /// Its name.
        name: String,
        /// The etag it must have. Empty: any.
        etag: String,
        /// What to do.
        verb: Verb,
        /// What that is called in the history.
        action: Action,
    },
}

/// What must be true of a resource before a commit.
#[derive(Debug, Clone)]
pub struct Precondition {
    /// The resource.
    pub name: String,
    /// The condition.
    pub condition: Condition,
}

/// A condition on a resource.
#[derive(Debug, Clone)]
pub enum Condition {
    /// It has this etag.
    Etag(String),
    /// It exists and is live, or is not so.
    Exists(bool),
    /// It has not changed after this revision.
    UnchangedSince(Revision),
}

/// What came of a request.
#[derive(Debug, Clone)]
pub struct Written {
    /// The revision made; if nothing changed, the head that was found.
    pub revision: Revision,
    /// When it was made. `None`: nothing changed.
    pub time: Option<Time>,
    /// The settled day of that revision; of what was only checked, the one that it would have.
    pub settled_day: Day,
    /// What came of each mutation.
    pub results: Vec<WrittenOne>,
}

/// What came of one mutation.
#[derive(Debug, Clone)]
pub struct WrittenOne {
    /// The resource.
    pub name: Name,
    /// What was done. `None`: nothing had to be.
    pub action: Option<Action>,
    /// The resource as it is now, encoded. Empty: it does not exist.
    pub document: Bytes,
    /// What the mutation carries for fields that it cannot change, and that was ignored. Told in its answer alone.
    pub ignored: Vec<Finding>,
}

impl WrittenOne {
    /// The etag of the resource now; empty if it does not exist.
    #[must_use]
    pub fn etag(&self) -> &str {
        stamp::etag(&self.document)
    }

    /// The revision of the resource now; 0 if it does not exist.
    #[must_use]
    pub fn revision(&self) -> Revision {
        stamp::revision(&self.document)
    }

    /// What is strange about the resource as it is now, and then what was ignored of the mutation.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        finding::stored(&self.document).chain(self.ignored.iter().cloned()).collect()
    }
}

/// A request of which everything is checked that needs no state.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) mutations: Vec<(Place, PreparedMutation)>,
    /// For each mutation, the document that it changes, with its revision, as far as it was fetched.
    pub(crate) current: Vec<Option<(Revision, Bytes)>>,
    pub(crate) preconditions: Vec<(Name, Condition)>,
    pub(crate) actor: String,
    pub(crate) reason: String,
    pub(crate) request_id: Option<uuid::Uuid>,
    pub(crate) request_hash: [u8; 16],
    pub(crate) validate_only: bool,
    /// Its room among the writes that wait. `None`: it has none yet.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

impl Prepared {
    /// About how many bytes it has.
    pub(crate) fn bytes(&self) -> usize {
        let mutations = self.mutations.iter().map(|(_, mutation)| mutation.bytes()).sum::<usize>();
        mutations + self.actor.len() + self.reason.len() + self.preconditions.len() * PRECONDITION_BYTES
    }
}

/// A mutation of which everything is checked that needs no state.
#[derive(Debug)]
pub(crate) enum PreparedMutation {
    Create {
        name: Name,
        generated: bool,
        said: Said,
        checked: Checked,
    },
    Update {
        name: Name,
        etag: String,
        change: Change,
        allow_missing: bool,
    },
    Delete {
        name: Name,
        etag: String,
        allow_missing: bool,
    },
    Undelete {
        name: Name,
        etag: String,
    },
    /// `snapshot` is the document of the revision, once it was fetched; `None`: there is no such revision of it.
    Rollback {
        name: Name,
        revision: Revision,
        etag: String,
        snapshot: Option<Bytes>,
    },
    Verb {
        name: Name,
        etag: String,
        verb: Verb,
        verbs: Verbs,
        action: Action,
    },
}

impl PreparedMutation {
    /// The resource that it changes.
    pub(crate) fn name(&self) -> &Name {
        match self {
            Self::Create { name, .. }
            | Self::Update { name, .. }
            | Self::Delete { name, .. }
            | Self::Undelete { name, .. }
            | Self::Rollback { name, .. }
            | Self::Verb { name, .. } => name,
        }
    }

    /// What the mutation carries for fields that it cannot change, beside the document that it was applied to. `None`: it
    /// created one.
    pub(crate) fn ignored(&self, schemas: &Schemas, document: Option<&[u8]>) -> Vec<Finding> {
        let kind = self.name().kind();
        match self {
            Self::Create { said, .. } => said.ignored(schemas, kind),
            Self::Update { change, .. } => {
                let mut ignored = change.unchangeable(schemas, kind, document).ignored;
                ignored.extend(change.gone(schemas, kind, document));
                ignored
            }
            Self::Delete { .. } | Self::Undelete { .. } | Self::Rollback { .. } | Self::Verb { .. } => Vec::new(),
        }
    }

    /// About how many bytes it has, the document that it changes not among them.
    fn bytes(&self) -> usize {
        let said = match self {
            Self::Create { said, .. } => said.body.len(),
            Self::Update { change, .. } => change.said.body.len(),
            Self::Verb { verb, verbs, .. } => (verbs.bytes)(verb),
            Self::Delete { .. } | Self::Undelete { .. } | Self::Rollback { .. } => 0,
        };
        said + size_of::<Self>()
    }

    /// The name of the resource, unless the server made it.
    pub(crate) fn given_name(&self) -> Option<&Name> {
        (!matches!(self, Self::Create { generated: true, .. })).then(|| self.name())
    }

    /// Whether it starts from the document that is there.
    pub(crate) fn needs_current(&self) -> bool {
        match self {
            Self::Create { .. } => false,
            Self::Update { .. }
            | Self::Delete { .. }
            | Self::Undelete { .. }
            | Self::Rollback { .. }
            | Self::Verb { .. } => true,
        }
    }
}

/// The hash by which a repeated request is told from a reused id: over the method and the request without its id.
#[must_use]
pub fn request_hash(method: &str, request: &[u8]) -> [u8; 16] {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::new_with_prefix(method.as_bytes()).chain_update([0]).chain_update(request).finalize();
    digest.first_chunk::<16>().copied().unwrap_or_default()
}

impl WriteRequest {
    /// Checks all that needs no state. Every mutation that is refused is told of.
    pub(crate) fn prepare(self, schemas: &Schemas, now: Time) -> Result<Prepared, Error> {
        let mut violations = Violations::new();
        let count = self.mutations.len();
        if count > MUTATIONS_MAX {
            violations.add("mutations", format!("must have at most {MUTATIONS_MAX} items, and has {count}"));
        }
        if self.preconditions.len() > PRECONDITIONS_MAX {
            let count = self.preconditions.len();
            violations.add("preconditions", format!("must have at most {PRECONDITIONS_MAX} items, and has {count}"));
        }
        for (field, text, max) in
            [("actor", &self.actor, ACTOR_LENGTH_MAX), ("reason", &self.reason, REASON_LENGTH_MAX)]
        {
            let length = text.chars().count();
            if length > max {
                violations.add(field, format!("must have at most {max} characters, and has {length}"));
            }
            if let Some(rule) = crate::values::format::check(Format::Unspecified, text) {
                violations.add(field, rule);
            }
        }
        let request_id = (!self.request_id.is_empty()).then(|| uuid::Uuid::try_parse(&self.request_id));
        if let Some(Err(_)) = request_id {
            violations.add("request_id", "must be a UUID, such as 123e4567-e89b-42d3-a456-426614174000");
        }
        let mut preconditions = Vec::new();
        if violations.is_empty() {
            for (index, precondition) in self.preconditions.into_iter().enumerate() {
                if let Condition::Etag(tag) = &precondition.condition
                    && let Some(rule) = etag::check(tag)
                {
                    violations.add(format!("preconditions[{index}].etag"), rule);
                }
                match Name::parse(schemas, &precondition.name) {
                    Ok(name) => preconditions.push((name, precondition.condition)),
                    Err(rule) => violations.add(format!("preconditions[{index}].name"), rule),
                }
            }
        }
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        let single = matches!(self.mutations.as_slice(), [only] if only.place.index.is_none());
        let mut mutations = Vec::with_capacity(count);
        let mut refused = Vec::new();
        let mut names = std::collections::HashMap::with_capacity(count);
        for (index, mutation) in self.mutations.into_iter().enumerate() {
            let mut violations = Violations::new();
            let prepared = mutation.operation.prepare(schemas, now, &self.reason, &mutation.place, &mut violations);
            if let Some(prepared) = prepared {
                if let Some(first) = names.insert(prepared.name().clone(), index) {
                    violations.add(
                        format!("mutations[{index}]"),
                        format!(
                            "changes {}, as mutations[{first}] does; a commit changes a resource once",
                            prepared.name()
                        ),
                    );
                }
                mutations.push((mutation.place, prepared));
            }
            if !violations.is_empty() {
                refused.push((index, Error::Invalid(violations)));
            }
        }
        refuse(refused, single)?;
        Ok(Prepared {
            current: vec![None; mutations.len()],
            mutations,
            preconditions,
            actor: if self.actor.is_empty() { "anonymous".to_owned() } else { self.actor },
            reason: self.reason,
            request_id: request_id.and_then(Result::ok),
            request_hash: self.request_hash,
            validate_only: self.validate_only,
            room: None,
        })
    }
}

/// The error of a request of which these mutations were refused.
pub(crate) fn refuse(mut refused: Vec<(usize, Error)>, single: bool) -> Result<(), Error> {
    match (refused.len(), single) {
        (0, _) => Ok(()),
        (_, true) => Err(refused.swap_remove(0).1),
        (_, false) => Err(Error::Commit(refused)),
    }
}

impl Operation {
    /// Whether a request for it holds the resource, and not only its name.
    #[must_use]
    pub fn holds_resource(&self) -> bool {
        match self {
            Self::Create { .. } | Self::Update { .. } => true,
            Self::Delete { .. } | Self::Undelete { .. } | Self::Rollback { .. } | Self::Verb { .. } => false,
        }
    }

    /// Checks all that needs no state. `None` if there is no name to go on with.
    fn prepare(
        self,
        schemas: &Schemas,
        now: Time,
        reason: &str,
        place: &Place,
        violations: &mut Violations,
    ) -> Option<PreparedMutation> {
        let of_kind = |kind: Option<KindId>, name: &str| match kind {
            Some(kind) => Name::parse_as(schemas, kind, name),
            None => Name::parse(schemas, name),
        };
        match self {
            Self::Create { kind, id, resource } => {
                let name = if id.is_empty() {
                    Some(Name::generate(schemas, kind, now))
                } else {
                    let field =
                        place.index.map_or_else(|| format!("{}_id", place.singular), |_| place.resource("name"));
                    noted(Name::from_id(schemas, kind, &id), field, violations)
                };
                let mut input = Input::new(schemas, kind, resource);
                let checked = check(&mut input, schemas, name.as_ref(), place, violations);
                let said = Said { body: input.body, all: input.all };
                Some(PreparedMutation::Create { name: name?, generated: id.is_empty(), said, checked })
            }
            Self::Update { kind, resource, mask, allow_missing, reconciliation } => {
                let mut input = Input::new(schemas, kind, resource);
                let name = noted(Name::parse_as(schemas, kind, &input.name), place.resource("name"), violations);
                let mut of_mask = Violations::new();
                let parsed = UpdateMask::parse(schemas, kind, &mask, &input.body, &mut of_mask);
                violations.add_all(&place.request(""), of_mask);
                let whole = is_star(&mask).then(|| check(&mut input, schemas, name.as_ref(), place, violations));
                let Input { body, all, etag, .. } = input;
                check_etag(&etag, || place.resource("etag"), violations);
                let reconciles = Reconciles::of(schemas, kind, &parsed, reconciliation);
                let change = Change { said: Said { body, all }, mask: parsed, whole, reconciles };
                Some(PreparedMutation::Update { name: name?, etag, change, allow_missing })
            }
            Self::Delete { kind, name, etag, allow_missing } => {
                check_etag(&etag, || place.request("etag"), violations);
                let name = noted(of_kind(kind, &name), place.request("name"), violations)?;
                Some(PreparedMutation::Delete { name, etag, allow_missing })
            }
            Self::Undelete { kind, name, etag } => {
                check_etag(&etag, || place.request("etag"), violations);
                let name = noted(of_kind(kind, &name), place.request("name"), violations)?;
                Some(PreparedMutation::Undelete { name, etag })
            }
            Self::Rollback { kind, name, etag } => {
                check_etag(&etag, || place.request("etag"), violations);
                let parsed = Name::parse_revision(schemas, kind, &name);
                let (name, revision) = parsed.map_err(|rule| violations.add(place.request("name"), rule)).ok()?;
                Some(PreparedMutation::Rollback { name, revision, etag, snapshot: None })
            }
            Self::Verb { kind, name, etag, verb, action } => {
                check_etag(&etag, || place.request("etag"), violations);
                let name = noted(Name::parse_as(schemas, kind, &name), place.request("name"), violations);
                let Some(verbs) = schemas.kind(kind).rules.verbs else {
                    violations.add(place.request("name"), "is of a kind that has no such method");
                    return None;
                };
                let mut of_verb = Violations::new();
                (verbs.check)(&verb, reason, &mut of_verb);
                violations.add_all(&place.request(""), of_verb);
                Some(PreparedMutation::Verb { name: name?, etag, verb, verbs, action })
            }
        }
    }
}

/// The name, or nothing and a note of the rule that it breaks.
fn noted(name: Result<Name, String>, field: String, violations: &mut Violations) -> Option<Name> {
    name.map_err(|rule| violations.add(field, rule)).ok()
}

/// Notes what is wrong with the form of an etag, if one is given.
fn check_etag(etag: &str, field: impl FnOnce() -> String, violations: &mut Violations) {
    if !etag.is_empty()
        && let Some(rule) = etag::check(etag)
    {
        violations.add(field(), rule);
    }
}

/// Checks a resource, and puts the violations where it stands in the request.
fn check(
    input: &mut Input,
    schemas: &Schemas,
    name: Option<&Name>,
    place: &Place,
    violations: &mut Violations,
) -> Checked {
    let mut found = Violations::new();
    let checked = input.check(schemas, name.map_or("", Name::as_str), &mut found);
    place.add(found, violations);
    checked
}
