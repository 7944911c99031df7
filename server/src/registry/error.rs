//! What can go wrong: one closed list. `api::status` answers each as a gRPC status.
//!
//! `Display` is a sentence for the caller and never prints a cause.

use std::sync::Arc;

use crate::violations::Violations;

/// Why the registry refuses or fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input breaks rules.
    #[error("{}", invalid_text(.0))]
    Invalid(Violations),
    /// What a resource was in an earlier revision differs in fields that can be given only when it is created.
    #[error("{}", invalid_text(.0))]
    ImmutableFields(Violations),
    /// What a verb asks for cannot be done to the resource as it is.
    #[error("{}", invalid_text(.0))]
    WrongState(Violations),
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
    /// The resource was deleted in the revision that was asked for.
    #[error("{name} was deleted in revision {revision}; roll back to one in which it was live, or delete it")]
    RevisionDeleted {
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
    #[error("{name} has changed: the etag {given} is not the current one; read it again")]
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
    /// The resource is deleted, and was to be.
    #[error("{0} is deleted already")]
    DeletedAlready(String),
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
    /// The parents of a resource would lead in a circle.
    #[error("{field}: leads in a circle: {chain}")]
    ParentCycle {
        /// The path of the field.
        field: String,
        /// From the resource up.
        chain: Chain,
    },
    /// A resource would have too many ancestors.
    #[error("{field}: gives {name} more than {max} ancestors: {chain}")]
    TooManyAncestors {
        /// The path of the field.
        field: String,
        /// The resource.
        name: String,
        /// The most ancestors.
        max: usize,
        /// From the resource up.
        chain: Chain,
    },
    /// More descendants would move with a resource than can be looked at in one commit.
    #[error("{field}: moves more than {max} descendants of {name} and others down; move parts of them first")]
    SubtreeTooLarge {
        /// The path of the field.
        field: String,
        /// The resource.
        name: String,
        /// The most descendants.
        max: usize,
    },
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
    /// The index takes all the memory that it may. Nothing was written; deletions are.
    #[error(
        "the index of the registry takes {} MiB of memory and may take {}; nothing was written; its operator has to give it more",
        .bytes >> 20, .max >> 20
    )]
    IndexFull {
        /// The bytes that it takes.
        bytes: usize,
        /// The bytes that it may take.
        max: usize,
    },
    /// The server has no file descriptor left for the next file of the journal. Nothing was written, and writing goes on
    /// once there is one.
    #[error("the registry has no file descriptor left to write with; nothing was written; try again in a moment")]
    NoDescriptors,
    /// The store may only be read.
    #[error("the disk of the registry may only be read; nothing was written")]
    ReadOnly,
    /// The next file of the journal cannot be made. Nothing was written, and writing goes on once it can.
    #[error("the registry could not make the next file of its journal; nothing was written; try again in a moment")]
    NoNextFile,
    /// As much is held for callers as may be.
    #[error("the server holds as much for its callers as it can; nothing was done; try again in a moment")]
    Busy,
    /// The caller's deadline has passed.
    #[error("the deadline has passed; a write may have been done all the same")]
    DeadlineExceeded,
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
    /// A count would have more groups than are held.
    #[error("group_by: makes more than {max} groups; count by fields with fewer values, or narrow the filter")]
    TooManyGroups {
        /// The most groups.
        max: usize,
    },
    /// A sum of money that is too large to be told.
    #[error("sum: makes more {currency} than an amount can hold; narrow the filter")]
    SumTooLarge {
        /// The currency.
        currency: String,
    },
    /// The question would read more than may be read for one.
    #[error("{0}")]
    TooCostly(Costs),
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
    /// The disk did not give what is stored. What it is asked again it may give.
    #[error("the disk of the registry could not be read; try again in a moment")]
    ReadFailed,
    /// Stored bytes fail their checksum, or are not there any more.
    #[error("stored data of revision {revision} is damaged; the operator's log says where")]
    Damaged {
        /// The revision whose bytes they are.
        revision: u64,
    },
}

/// What makes a question too costly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Costs {
    /// Tests of the filter that no index answers.
    Filter {
        /// The tests, as they stand in the filter.
        tests: Vec<String>,
        /// How many resources would have to be read.
        reads: u64,
        /// How many may be.
        max: u64,
    },
    /// An order that no index knows.
    Order {
        /// The path.
        path: String,
        /// How many resources would have to be read.
        reads: u64,
        /// How many may be.
        max: u64,
    },
    /// An order by what is computed, for another day than the indexes know it.
    Day {
        /// The path.
        path: String,
        /// How many resources would have to be read.
        reads: u64,
        /// How many may be.
        max: u64,
    },
    /// A count by a field, or of a sum, that no index knows.
    Count {
        /// How many resources would have to be read.
        reads: u64,
        /// How many may be.
        max: u64,
    },
    /// A timeline of one who takes part in too much.
    Timeline {
        /// The field of the request that names who it is.
        field: &'static str,
        /// How many resources would have to be read.
        reads: u64,
        /// How many may be.
        max: u64,
    },
    /// What has changed since the revision that is asked about.
    Changes {
        /// The revision.
        revision: u64,
        /// How many resources would have to be read.
        reads: u64,
        /// How many may be.
        max: u64,
    },
}

impl Costs {
    /// The field of the request that makes it so.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Filter { .. } => "filter",
            Self::Order { .. } | Self::Day { .. } => "order_by",
            Self::Count { .. } => "group_by",
            Self::Timeline { field, .. } => field,
            Self::Changes { .. } => "read_revision",
        }
    }

    /// How many resources would have to be read, and how many may be.
    #[must_use]
    pub fn reads(&self) -> (u64, u64) {
        match self {
            Self::Filter { reads, max, .. }
            | Self::Order { reads, max, .. }
            | Self::Day { reads, max, .. }
            | Self::Count { reads, max }
            | Self::Timeline { reads, max, .. }
            | Self::Changes { reads, max, .. } => (*reads, *max),
        }
    }

    /// What it is that costs so much: the tests, the path, or the revision.
    #[must_use]
    pub fn of(&self) -> String {
        match self {
            Self::Filter { tests, .. } => tests.join(", "),
            Self::Order { path, .. } | Self::Day { path, .. } => path.clone(),
            Self::Count { .. } | Self::Timeline { .. } => String::new(),
            Self::Changes { revision, .. } => revision.to_string(),
        }
    }

    /// What is wrong, and what to do, as a phrase.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Filter { tests, reads, max } => format!(
                "would read {reads} resources for {}, and may read {max}; add a test of an indexed field",
                tests.join(", ")
            ),
            Self::Order { path, reads, max } => format!(
                "would read and sort {reads} resources by {path}, which has no index, and may sort {max}; narrow the \
                 filter, or order by an indexed field"
            ),
            Self::Day { path, reads, max } => format!(
                "would read and sort {reads} resources by {path}, which no index knows of another day than the newest \
                 settled one, and may sort {max}; narrow the filter, or order by a field that is the same on all days"
            ),
            Self::Count { reads, max } => format!(
                "would read {reads} resources, since no index knows all that is counted by or added up, and may read {max}; \
                 narrow the filter, or count by indexed fields"
            ),
            Self::Timeline { reads, max, .. } => format!(
                "takes part in {reads} resources, which would have to be read, and {max} may be; name fewer collections"
            ),
            Self::Changes { revision, reads, max } => format!(
                "would read {reads} resources as they were at revision {revision}, since when they have changed, and may \
                 read {max}; ask about a later revision"
            ),
        }
    }
}

impl std::fmt::Display for Costs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field(), self.description())
    }
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

/// How many resources of a chain are named.
const CHAIN_NAMED_MAX: usize = 10;

/// Resources, each followed by its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The first of them.
    pub named: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

impl Chain {
    /// Of these resources.
    pub(crate) fn of(names: &[Arc<str>]) -> Self {
        let named: Vec<_> = names.iter().take(CHAIN_NAMED_MAX).map(ToString::to_string).collect();
        Self { more: names.len() - named.len(), named }
    }
}

impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.named.join(" -> "))?;
        if self.more > 0 { write!(f, " -> and {} more", self.more) } else { Ok(()) }
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
    let first = dangling.first().map(|one| format!("{}: {}", one.field, one.description()));
    first.unwrap_or_default() + &in_all(dangling.len(), "references")
}

fn invalid_text(violations: &Violations) -> String {
    let first = violations.iter().next().map(|one| format!("{}: {}", one.field, one.description));
    first.unwrap_or_default() + &in_all(violations.count(), "violations")
}

/// What follows the first of several: the details have them all.
fn in_all(count: usize, what: &str) -> String {
    if count > 1 { format!(" ({count} {what} in all)") } else { String::new() }
}

fn commit_text(refused: &[(usize, Error)]) -> String {
    let first = refused.first().map(|(index, error)| {
        // The fields of these say where they stand.
        let placed = matches!(
            error,
            Error::Invalid(_)
                | Error::ImmutableFields(_)
                | Error::WrongState(_)
                | Error::DanglingReferences(_)
                | Error::ParentCycle { .. }
                | Error::TooManyAncestors { .. }
                | Error::SubtreeTooLarge { .. }
        );
        if placed { error.to_string() } else { format!("mutations[{index}]: {error}") }
    });
    first.unwrap_or_default() + &in_all(refused.len(), "refused mutations")
}
