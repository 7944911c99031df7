//! How each error is answered: one table from `registry::Error` to gRPC codes, with details a program can read
//! (AIP-193). Every status carries one ErrorInfo.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::registry::Error;

/// The domain of every ErrorInfo.
pub(crate) const DOMAIN: &str = "partnership.registry";

/// How many indexes of refused mutations the metadata of an error lists.
const REFUSED_LISTED_MAX: usize = 1_000;

/// When to try again while the server goes down: a restart takes about so long.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let mut details = ErrorDetails::new();
        let mut metadata = HashMap::new();
        describe(&error, &mut details, &mut metadata);
        let (code, reason) = code(&error);
        details.set_error_info(reason, DOMAIN, metadata);
        Status::with_error_details(code, error.to_string(), details)
    }
}

/// The code of an error, and the reason in its ErrorInfo.
fn code(error: &Error) -> (Code, &'static str) {
    match error {
        Error::Invalid(_) => (Code::InvalidArgument, "INVALID_FIELDS"),
        Error::PageToken(_) => (Code::InvalidArgument, "PAGE_TOKEN_INVALID"),
        Error::RequestIdReused(_) => (Code::InvalidArgument, "REQUEST_ID_REUSED"),
        Error::NotFound(_) | Error::NotFoundAt { .. } => (Code::NotFound, "NOT_FOUND"),
        Error::NoSuchRevision { .. } => (Code::NotFound, "REVISION_NOT_FOUND"),
        Error::AlreadyExists { .. } => (Code::AlreadyExists, "ALREADY_EXISTS"),
        Error::EtagMismatch { .. } => (Code::Aborted, "ETAG_MISMATCH"),
        Error::PreconditionFailed { .. } => (Code::Aborted, "PRECONDITION_FAILED"),
        Error::Deleted(_) => (Code::FailedPrecondition, "DELETED"),
        Error::NotDeleted(_) => (Code::FailedPrecondition, "NOT_DELETED"),
        Error::StillReferenced { .. } => (Code::FailedPrecondition, "STILL_REFERENCED"),
        Error::DanglingReferences(_) => (Code::FailedPrecondition, "REFERENCE_NOT_FOUND"),
        Error::Commit(refused) => refused.first().map_or((Code::Internal, "INTERNAL"), |(_, error)| code(error)),
        Error::RevisionInFuture { .. } => (Code::OutOfRange, "REVISION_IN_FUTURE"),
        Error::TimeBeforeFirst => (Code::OutOfRange, "TIME_BEFORE_FIRST"),
        Error::AnswerTooLarge { .. } => (Code::ResourceExhausted, "ANSWER_TOO_LARGE"),
        Error::Stopped(_) => (Code::Unavailable, "STOPPED"),
        Error::Draining => (Code::Unavailable, "DRAINING"),
        Error::Damaged { .. } => (Code::DataLoss, "DAMAGED"),
    }
}

/// Adds what a program can read of an error.
fn describe(error: &Error, details: &mut ErrorDetails, metadata: &mut HashMap<String, String>) {
    let mut tell = |key: &str, value: &dyn std::fmt::Display| {
        metadata.entry(key.to_owned()).or_insert_with(|| value.to_string());
    };
    match error {
        Error::Invalid(violations) => {
            for violation in violations.iter() {
                add_field(details, &violation.field, &violation.description);
            }
            if violations.left_out() > 0 {
                tell("violations_left_out", &violations.left_out());
            }
        }
        Error::PageToken(rule) => add_field(details, "page_token", rule),
        Error::RequestIdReused(_) => add_field(details, "request_id", "came with another request before"),
        Error::NotFound(name) | Error::Deleted(name) | Error::NotDeleted(name) | Error::AlreadyExists { name, .. } => {
            add_resource(details, name, &error.to_string());
            tell("name", name);
            if let Error::Deleted(_) | Error::NotDeleted(_) = error {
                add_precondition(details, "STATE", name, &error.to_string());
            }
        }
        Error::NotFoundAt { name, revision } | Error::NoSuchRevision { name, revision } => {
            add_resource(details, name, &error.to_string());
            tell("name", name);
            tell("revision", revision);
        }
        Error::EtagMismatch { name, .. } => {
            add_resource(details, name, &error.to_string());
            add_precondition(details, "ETAG", name, &error.to_string());
            tell("name", name);
        }
        Error::PreconditionFailed { index, name, description } => {
            add_precondition(details, "PRECONDITION", &format!("preconditions[{index}]"), description);
            tell("precondition", index);
            tell("name", name);
        }
        Error::StillReferenced { name, by, more } => {
            for referrer in by {
                add_precondition(details, "REFERRED_TO", referrer, &format!("refers to {name}"));
            }
            tell("name", name);
            tell("referrers", &(by.len() + more));
        }
        Error::DanglingReferences(dangling) => {
            for one in dangling {
                add_precondition(details, "REFERENCE", &one.field, &one.description());
            }
        }
        Error::Commit(refused) => {
            for (_, error) in refused {
                describe(error, details, metadata);
            }
            let indexes: Vec<_> = refused.iter().take(REFUSED_LISTED_MAX).map(|(index, _)| index.to_string()).collect();
            metadata.insert("mutations".into(), indexes.join(","));
        }
        Error::RevisionInFuture { asked, head } => {
            tell("revision", asked);
            tell("head", head);
        }
        Error::TimeBeforeFirst => {}
        Error::AnswerTooLarge { max } => tell("bytes_max", max),
        Error::Damaged { revision } => tell("revision", revision),
        Error::Stopped(_) | Error::Draining => {
            details.set_retry_info(Some(RETRY_AFTER));
        }
    }
}

fn add_field(details: &mut ErrorDetails, field: &str, description: &str) {
    details.add_bad_request_violation(field, description);
}

fn add_precondition(details: &mut ErrorDetails, kind: &str, subject: &str, description: &str) {
    details.add_precondition_failure_violation(kind, subject, description);
}

fn add_resource(details: &mut ErrorDetails, name: &str, description: &str) {
    if details.resource_info().is_none() {
        let collection = name.split('/').next().unwrap_or_default();
        details.set_resource_info(format!("partnership.registry/{collection}"), name, "", description);
    }
}
