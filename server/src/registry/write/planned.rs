//! What one mutation would do, worked out and not yet decided.

use bytes::Bytes;
use partnership_registry::v1::Finding;

use crate::registry::resource::check::Referral;
use crate::registry::resource::name::Name;
use crate::registry::resource::stamp::Stamp;
use crate::registry::schema::Schemas;
use crate::store::{Action, Revision};

/// More than what the server writes into a document, besides its findings.
const STAMP_BYTES: usize = 512;

/// What one mutation would do.
pub(crate) struct Planned {
    pub(crate) name: Name,
    /// `None`: nothing has to change.
    pub(crate) action: Option<Action>,
    /// The revision in which it changed before; 0 if it never did.
    pub(crate) previous_revision: Revision,
    /// How many bytes the document has now. 0: there is none.
    pub(crate) previous_bytes: usize,
    /// The body to write. If nothing has to change: the document as it is.
    pub(crate) body: Bytes,
    pub(crate) stamp: Stamp,
    /// What it refers to afterwards. Nothing if it is deleted.
    pub(crate) referrals: Vec<Referral>,
    /// What the mutation carries for fields that it cannot change.
    pub(crate) ignored: Vec<Finding>,
}

impl Planned {
    /// Whether the resource is live afterwards.
    pub(crate) fn live(&self) -> bool {
        self.action != Some(Action::Delete)
    }

    /// The parent that it has afterwards, if its kind is one of trees.
    pub(crate) fn parent(&self, schemas: &Schemas) -> Option<&Name> {
        let field = schemas.kind(self.name.kind()).parent.as_ref()?;
        self.referrals.iter().find(|referral| referral.field == field.name).map(|referral| &referral.target)
    }

    /// About how many bytes a watcher is told, before and after together.
    pub(crate) fn bytes(&self) -> usize {
        self.previous_bytes + self.body.len() + self.stamp.findings.len() + 2 * self.name.as_str().len() + STAMP_BYTES
    }

    /// Nothing has to be done to a resource whose document is this.
    pub(crate) fn nothing(name: Name, document: Bytes) -> Self {
        Self {
            name,
            action: None,
            previous_revision: 0,
            previous_bytes: 0,
            body: document,
            stamp: Stamp::default(),
            referrals: Vec::new(),
            ignored: Vec::new(),
        }
    }
}
