//! What can go wrong: one closed list. `api::status` answers each as a gRPC status.
//!
//! `Display` is a sentence for the caller and never prints a cause.

use crate::violations::Violations;

/// Why the registry refuses or fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input breaks rules.
    #[error("{0}")]
    Invalid(Violations),
    /// A page token that is not the registry's, or of a listing with other arguments.
    #[error("page_token: {0}")]
    PageToken(&'static str),
    /// A request id that came with another request before.
    #[error("request_id {0} came with another request before; make a new id for each request")]
    RequestIdReused(String),
    /// There is no such resource.
    #[error("{0} does not exist")]
    NotFound(String),
    /// There was no such resource at the revision that was asked for.
    #[error("{name} did not exist at revision {revision}")]
    NotFoundAt {
        /// The name.
        name: String,
        /// The revision.
        revision: u64,
    },
    /// The resource did not change in the revision that was asked for.
    #[error("{name} has no revision {revision}")]
    NoSuchRevision {
        /// The name.
        name: String,
        /// The revision.
        revision: u64,
    },
    /// The id is or was in use.
    #[error("{name} exists already{}", if *.deleted { "; it is deleted, and its id is never used again: undelete it" } else { "" })]
    AlreadyExists {
        /// The name.
        name: String,
        /// Whether it is deleted.
        deleted: bool,
    },
    /// The etag is not the current one.
    #[error("{name} has changed: the etag {given:?} is not the current one; read it again")]
    EtagMismatch {
        /// The name.
        name: String,
        /// The etag that was sent.
        given: String,
    },
    /// A precondition of a commit does not hold.
    #[error("preconditions[{index}]: {description}")]
    PreconditionFailed {
        /// Which one.
        index: usize,
        /// The resource.
        name: String,
        /// What is so instead.
        description: String,
    },
    /// The resource is deleted.
    #[error("{0} is deleted; undelete it first")]
    Deleted(String),
    /// The resource is not deleted.
    #[error("{0} is not deleted")]
    NotDeleted(String),
    /// Live resources refer to what was to be deleted.
    #[error("{name} is still referred to by {}", referrers_text(.by, *.more))]
    StillReferenced {
        /// The name.
        name: String,
        /// Some of those that refer to it.
        by: Vec<String>,
        /// How many more do.
        more: usize,
    },
    /// References to what does not exist or is deleted.
    #[error("{}", dangling_text(.0))]
    DanglingReferences(Vec<Dangling>),
    /// A commit in which some mutations were refused: each with its place.
    #[error("{}", commit_text(.0))]
    Commit(Vec<(usize, Error)>),
    /// The revision does not exist yet.
    #[error("revision {asked} does not exist yet; the head is {head}")]
    RevisionInFuture {
        /// The revision that was asked for.
        asked: u64,
        /// The head.
        head: u64,
    },
    /// The time is before the first commit.
    #[error("the registry held nothing at that time: its first commit is later")]
    TimeBeforeFirst,
    /// No write is accepted until a restart.
    #[error("no write is accepted: {0}; restart the server")]
    Stopped(&'static str),
    /// The disk has no room for the commit. Nothing was written, and writing goes on once there is room.
    #[error("the disk of the registry is full; nothing was written; try again once there is room")]
    NoRoom,
    /// Nobody waits for the answer any more.
    #[error("the caller is gone")]
    Cancelled,
    /// The server is going down.
    #[error("the server is going down; try again in a moment")]
    Draining,
    /// The answer would be larger than a message may be.
    #[error("the answer would have more than {max} bytes; ask for less at once")]
    AnswerTooLarge {
        /// The most bytes.
        max: usize,
    },
    /// The commit would hold more than those who read commits can take.
    #[error(
        "the resources of the commit, before and after, would have {bytes} bytes, and may have {max}; change less at once"
    )]
    CommitTooLarge {
        /// How many bytes it would have.
        bytes: usize,
        /// The most bytes.
        max: usize,
    },
    /// Stored bytes fail their checksum.
    #[error("stored data of revision {revision} is damaged; the operator's log says where")]
    Damaged {
        /// The revision whose bytes they are.
        revision: u64,
    },
}

/// A reference to what does not exist or is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dangling {
    /// The path of the field.
    pub field: String,
    /// The name in it.
    pub target: String,
    /// Whether it exists, and is deleted.
    pub deleted: bool,
}

impl Dangling {
    /// What is wrong, as a sentence.
    #[must_use]
    pub fn description(&self) -> String {
        format!("{} {}", self.target, if self.deleted { "is deleted" } else { "does not exist" })
    }
}

impl Error {
    /// An input with one broken rule.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        let mut violations = Violations::new();
        violations.add(field, description);
        Self::Invalid(violations)
    }
}

fn referrers_text(by: &[String], more: usize) -> String {
    let mut text = by.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn dangling_text(dangling: &[Dangling]) -> String {
    dangling.iter().map(|one| format!("{}: {}", one.field, one.description())).collect::<Vec<_>>().join("; ")
}

fn commit_text(refused: &[(usize, Error)]) -> String {
    let first = refused.first().map(|(index, error)| {
        // The fields of these say where they stand.
        let placed = matches!(error, Error::Invalid(_) | Error::DanglingReferences(_));
        if placed { error.to_string() } else { format!("mutations[{index}]: {error}") }
    });
    let first = first.unwrap_or_default();
    match refused.len() {
        0 | 1 => first,
        2 => format!("{first} (one more mutation is refused too)"),
        many => format!("{first} ({} more mutations are refused too)", many - 1),
    }
}
