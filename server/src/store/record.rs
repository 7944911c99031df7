//! A commit as the store knows it: who, when and why, and for each change its name and the bytes of its document. What
//! is in a document is not known here.

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::time::{Day, Time};

/// The place of a commit in the order of all commits: 1, 2, 3, without a gap. 0 is before the first.
pub type Revision = u64;

/// The hash of a commit, or of a document.
pub type Hash = [u8; 32];

/// Where a journal ends: its last commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The revision of the commit; 0 if there is none.
    pub revision: Revision,
    /// The hash of the commit; zeros if there is none.
    pub hash: Hash,
}

impl Head {
    /// The head of a journal without commits.
    pub const NONE: Head = Head { revision: 0, hash: [0; 32] };
}

/// What was done to a resource. The numbers are those of the contract's `ChangeAction`, and are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Action {
    /// It was created.
    Create = 1,
    /// Its fields were changed.
    Update = 2,
    /// It was marked as deleted.
    Delete = 3,
    /// It was brought back.
    Undelete = 4,
    /// It was made what it was in an earlier revision.
    Rollback = 5,
    /// Events of it were recorded.
    RecordEvents = 7,
    /// An event of it was voided.
    VoidEvent = 8,
}

impl Action {
    /// The number that is stored.
    #[must_use]
    pub fn number(self) -> i32 {
        self as i32
    }

    /// The action of a stored number.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Action> {
        [
            Action::Create,
            Action::Update,
            Action::Delete,
            Action::Undelete,
            Action::Rollback,
            Action::RecordEvents,
            Action::VoidEvent,
        ]
        .into_iter()
        .find(|action| action.number() == number)
    }
}

/// The request that became a commit, by which a repeated one is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestMark {
    /// The id that the caller gave, a UUID.
    pub id: [u8; 16],
    /// The hash of what was asked for.
    pub hash: [u8; 16],
}

/// One commit. A name changes at most once in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the order of all commits.
    pub revision: Revision,
    /// When it was made.
    pub commit_time: Time,
    /// Who made it.
    pub actor: String,
    /// Why it was made.
    pub reason: String,
    /// The request that it came from, if that had an id.
    pub request: Option<RequestMark>,
    /// The epoch of the store in which it was made: a restored store begins a new one.
    pub epoch: u64,
    /// The day up to which time had been let pass. Never goes back.
    pub settled_day: Day,
    /// What it changed.
    pub changes: Vec<Change>,
    /// The hash of the commit before it; zeros for the first. Filled in by the journal.
    pub parent_hash: Hash,
    /// Its own hash. Filled in by the journal.
    pub hash: Hash,
}

/// One change of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was done.
    pub action: Action,
    /// The resource's name. Never holds a NUL.
    pub name: Arc<str>,
    /// The revision at which the resource changed before; 0 if it never did.
    pub previous_revision: Revision,
    /// The resource after the change, as bytes.
    pub document: Bytes,
    /// Random, and stored with the document: without it nobody can guess a document from its digest.
    pub salt: Salt,
    /// [`digest`] of the salt and the document: what the chain of hashes holds of it.
    pub digest: Hash,
    /// Where the document lies. Filled in by the journal.
    pub place: Place,
}

/// Random bytes that go with a document.
pub type Salt = [u8; 16];

/// Where a document lies in the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The ordinal of the segment: 0 for the first.
    pub segment: u32,
    /// Where in the segment's file what is stored of the document begins.
    pub offset: u32,
    /// The bytes of the document itself.
    pub len: u32,
}

impl Record {
    /// The head of a journal that ends with this commit.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { revision: self.revision, hash: self.hash }
    }

    /// The length of all its documents.
    #[must_use]
    pub fn document_bytes(&self) -> usize {
        self.changes.iter().map(|change| change.document.len()).sum()
    }
}

impl Change {
    /// A change that is in no journal yet.
    #[must_use]
    pub fn new(action: Action, name: Arc<str>, previous_revision: Revision, document: Bytes, salt: Salt) -> Change {
        let digest = digest(&salt, &document);
        Change { action, name, previous_revision, document, salt, digest, place: Place::default() }
    }
}

/// SHA-256 over the salt, then the document.
#[must_use]
pub fn digest(salt: &Salt, document: &[u8]) -> Hash {
    Sha256::new().chain_update(salt).chain_update(document).finalize().into()
}
