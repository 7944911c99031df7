//! What a mutation says of its resource, kept until the state is known that it is compared with.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use partnership_registry::v1::{Finding, Reconciliation, Resource};

use crate::findings::Findings;
use crate::kinds::verb::{Moment, Reread, Verbs};
use crate::registry::resource::check::Checked;
use crate::registry::resource::output_only::Unchangeable;
use crate::registry::resource::update_mask::UpdateMask;
use crate::registry::resource::{body, wire};
use crate::registry::schema::{KindId, Schemas};
use crate::time::{Day, Time};

/// A resource as it was sent.
#[derive(Debug)]
pub(crate) struct Said {
    /// Without its name and without what the server writes.
    pub(crate) body: Vec<u8>,
    /// The whole, if some of it is what only the server writes. `None`: the body is all there is.
    pub(crate) all: Option<Vec<u8>>,
}

/// What an update means of a resource that was sent.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) said: Said,
    pub(crate) mask: UpdateMask,
    /// If the mask is of all fields: what came of the check, which has been made then.
    pub(crate) whole: Option<Checked>,
    /// If the resource was read from its source again, and its kind has what only verbs change.
    pub(crate) reconciles: Option<Reconciles>,
}

/// How the events of a resource that was read from its source again are taken over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reconciles {
    verbs: Verbs,
    replace: bool,
}

impl Reconciles {
    /// `None`: they are not, since it is not asked for, or the mask does not mean them.
    pub(crate) fn of(
        schemas: &Schemas,
        kind: KindId,
        mask: &UpdateMask,
        reconciliation: Reconciliation,
    ) -> Option<Self> {
        let verbs = schemas.kind(kind).rules.verbs.filter(|verbs| mask.means(verbs.field))?;
        match reconciliation {
            Reconciliation::Unspecified => None,
            Reconciliation::Record => Some(Self { verbs, replace: false }),
            Reconciliation::Replace => Some(Self { verbs, replace: true }),
        }
    }

    /// Takes over into `resource` what was read, and answers what is gone from there.
    pub(crate) fn apply(&self, resource: &mut Resource, read: &Resource, moment: &Moment<'_>) -> Vec<Finding> {
        let mut findings = Findings::new();
        (self.verbs.reconcile)(resource, &Reread { resource: read, replace: self.replace }, moment, &mut findings);
        findings.into_sorted(|_| 0)
    }

    /// A message without the field that it takes over.
    fn without(&self, message: &[u8]) -> Vec<u8> {
        wire::fields(message)
            .filter(|field| field.number != self.verbs.field)
            .flat_map(|field| field.whole)
            .copied()
            .collect()
    }
}

impl Said {
    /// What is said for fields that only the server writes, by a request that creates the resource.
    pub(crate) fn ignored(&self, schemas: &Schemas, kind: KindId) -> Vec<Finding> {
        match &self.all {
            Some(all) => Unchangeable::of(schemas, kind, None, all, None).ignored,
            None => Vec::new(),
        }
    }
}

impl Change {
    /// What is said for fields that an update cannot change, beside the document that it changes. `None`: it creates one.
    pub(crate) fn unchangeable(&self, schemas: &Schemas, kind: KindId, document: Option<&[u8]>) -> Unchangeable {
        let mut sent = Cow::Borrowed(self.said.all.as_deref().unwrap_or(&self.said.body));
        let mut document = document.map(Cow::Borrowed);
        if let (Some(reconciles), Some(stored)) = (&self.reconciles, &document) {
            (sent, document) = (reconciles.without(&sent).into(), Some(reconciles.without(stored).into()));
        }
        Unchangeable::of(schemas, kind, self.mask.named(), &sent, document.as_deref())
    }

    /// What is gone from the source of the resource, beside the document that the change was applied to. `None`: it created
    /// one.
    pub(crate) fn gone(&self, schemas: &Schemas, kind: KindId, document: Option<&[u8]>) -> Vec<Finding> {
        let (Some(reconciles), Some(document)) = (&self.reconciles, document) else { return Vec::new() };
        let decode = schemas.kind(kind).rules.decode;
        let (time, day, zone) = (Time::default(), Day::default(), &TimeZone::UTC);
        let moment = Moment { time, day, zone, actor: "", reason: "" };
        match (decode(&body::body(schemas, kind, document)), decode(&self.said.body)) {
            (Ok(mut resource), Ok(read)) => reconciles.apply(&mut resource, &read, &moment),
            (Err(_), _) | (_, Err(_)) => Vec::new(),
        }
    }
}
