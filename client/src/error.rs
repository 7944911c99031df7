//! [`Error`]: the errors of the registry with all their details, and those of the connection to it.
//!
//! It is one type for everything. It carries the gRPC code, the message, and the details that came with them
//! (`google.rpc.ErrorInfo`, `BadRequest`, `PreconditionFailure`, `ResourceInfo`, `RetryInfo`), so that a caller never
//! has to read the text.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

pub use tonic::Code;
use tonic::{ConnectError, Status, TimeoutExpired};
use tonic_types::StatusExt;

type Source = Box<dyn StdError + Send + Sync + 'static>;

/// The reasons of the registry, as [`Error::reason`] returns them. More may be added.
pub mod reasons {
    /// Fields break rules: [`Error::field_violations`](super::Error::field_violations) lists all of them.
    pub const INVALID_FIELDS: &str = "INVALID_FIELDS";
    /// There is no such resource.
    pub const NOT_FOUND: &str = "NOT_FOUND";
    /// The id is or was in use.
    pub const ALREADY_EXISTS: &str = "ALREADY_EXISTS";
    /// The etag is not the current one.
    pub const ETAG_MISMATCH: &str = "ETAG_MISMATCH";
    /// A precondition of a commit does not hold.
    pub const PRECONDITION_FAILED: &str = "PRECONDITION_FAILED";
    /// Live resources refer to what was to be deleted.
    pub const STILL_REFERENCED: &str = "STILL_REFERENCED";
    /// A reference to what does not exist or is deleted.
    pub const REFERENCE_NOT_FOUND: &str = "REFERENCE_NOT_FOUND";
    /// The resource is deleted.
    pub const DELETED: &str = "DELETED";
    /// The resource is not deleted.
    pub const NOT_DELETED: &str = "NOT_DELETED";
    /// The request id came with another request before.
    pub const REQUEST_ID_REUSED: &str = "REQUEST_ID_REUSED";
    /// The page token is not the registry's, or is of a listing with other arguments.
    pub const PAGE_TOKEN_INVALID: &str = "PAGE_TOKEN_INVALID";
    /// The revision does not exist yet.
    pub const REVISION_IN_FUTURE: &str = "REVISION_IN_FUTURE";
    /// The resource did not change in that revision.
    pub const REVISION_NOT_FOUND: &str = "REVISION_NOT_FOUND";
    /// The time is before the first commit.
    pub const TIME_BEFORE_FIRST: &str = "TIME_BEFORE_FIRST";
    /// The response would exceed the limit of a message: request less.
    pub const ANSWER_TOO_LARGE: &str = "ANSWER_TOO_LARGE";
    /// The commit exceeds the limit of the journal: split it.
    pub const COMMIT_TOO_LARGE: &str = "COMMIT_TOO_LARGE";
    /// A request has too many bytes, or too many messages, texts and lists.
    pub const MESSAGE_TOO_LARGE: &str = "MESSAGE_TOO_LARGE";
    /// The server is shutting down.
    pub const DRAINING: &str = "DRAINING";
    /// The disk is full: writes are refused for as long as it is.
    pub const STORE_FULL: &str = "STORE_FULL";
    /// The server is out of file descriptors: writes are refused for as long as it is.
    pub const STORE_OUT_OF_DESCRIPTORS: &str = "STORE_OUT_OF_DESCRIPTORS";
    /// The store may only be read: writes are refused until an operator changes that.
    pub const STORE_READ_ONLY: &str = "STORE_READ_ONLY";
    /// The journal cannot be continued now: writes are refused until it can.
    pub const STORE_NOT_WRITABLE: &str = "STORE_NOT_WRITABLE";
    /// No write is accepted until the server is restarted.
    pub const STORE_STOPPED: &str = "STORE_STOPPED";
    /// The disk did not give what is stored: try again.
    pub const STORE_READ_FAILED: &str = "STORE_READ_FAILED";
    /// Stored bytes fail their checksum, or are not there any more.
    pub const DAMAGED: &str = "DAMAGED";
}

/// A field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// The path of the field, such as `parties[3].country`; within a commit it begins with `mutations[i].`.
    pub field: String,
    /// The rule, as a phrase that follows the field's name.
    pub description: String,
}

/// A precondition of the request that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreconditionViolation {
    /// Its type: `REFERENCE`, `REFERRED_TO`, `STATE`, `ETAG` or `PRECONDITION`.
    pub kind: String,
    /// Its subject: a name or a field.
    pub subject: String,
    /// Why it does not hold.
    pub description: String,
}

/// The resource that an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceInfo {
    /// Its type, such as `partnership.registry/Country`.
    pub resource_type: String,
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub description: String,
}

/// Why a call failed.
///
/// `Display` is the message alone; the details have methods of their own.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    message: String,
    from_server: bool,
    reason: Option<String>,
    metadata: BTreeMap<String, String>,
    field_violations: Vec<FieldViolation>,
    precondition_violations: Vec<PreconditionViolation>,
    resource: Option<ResourceInfo>,
    retry_delay: Option<Duration>,
    uncertain: bool,
    source: Option<Source>,
}

impl Error {
    /// An error that the client detected: nothing was sent, or no response came.
    pub(crate) fn local(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            from_server: false,
            reason: None,
            metadata: BTreeMap::new(),
            field_violations: Vec::new(),
            precondition_violations: Vec::new(),
            resource: None,
            retry_delay: None,
            uncertain: false,
            source: None,
        }))
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::local(Code::InvalidArgument, message)
    }

    pub(crate) fn deadline(timeout: Duration) -> Self {
        Self::local(Code::DeadlineExceeded, format!("no response within {timeout:?}")).or_uncertain(true)
    }

    /// Also uncertain if another attempt of the call was.
    pub(crate) fn or_uncertain(mut self, uncertain: bool) -> Self {
        self.0.uncertain |= uncertain;
        self
    }

    /// Names the address, if no server answered there.
    pub(crate) fn at(mut self, address: &str) -> Self {
        if !self.0.from_server && !address.is_empty() {
            self.0.message = format!("{address}: {}", self.0.message);
        }
        self
    }

    /// The gRPC code. A connection that cannot be made or is lost is `Unavailable`.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What went wrong, for people to read.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the server sent it. Otherwise the client detected it, for example because it could not connect.
    #[must_use]
    pub fn is_from_server(&self) -> bool {
        self.0.from_server
    }

    /// The reason, for programs: one of [`reasons`]. `None` if the server sent none.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The metadata of the reason.
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// All fields that break rules, not only the first.
    #[must_use]
    pub fn field_violations(&self) -> &[FieldViolation] {
        &self.0.field_violations
    }

    /// The preconditions that do not hold.
    #[must_use]
    pub fn precondition_violations(&self) -> &[PreconditionViolation] {
        &self.0.precondition_violations
    }

    /// The resource that it is about, if it is about one.
    #[must_use]
    pub fn resource(&self) -> Option<&ResourceInfo> {
        self.0.resource.as_ref()
    }

    /// How long the server asks to wait before a retry.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_delay
    }

    /// Whether it is not known what became of the call: it may have been sent, and no response came. A write may have
    /// taken effect; with the same request id it can be repeated.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        self.0.uncertain
    }

    /// The indexes of the mutations that made a commit be refused; the first 1,000.
    #[must_use]
    pub fn refused_mutations(&self) -> Vec<usize> {
        let Some(list) = self.0.metadata.get("mutations") else { return Vec::new() };
        list.split(',').filter_map(|index| index.trim().parse().ok()).collect()
    }

    /// There is no such resource.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.code == Code::NotFound
    }

    /// The id is or was in use.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        self.0.code == Code::AlreadyExists
    }

    /// The resource was changed in the meantime: an etag or a precondition does not hold any more. Read it again before
    /// retrying.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.0.code == Code::Aborted
    }

    /// The server cannot be reached, or is shutting down.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.0.code == Code::Unavailable
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let expired = deepest_cause(&status).is::<TimeoutExpired>();
        let lost = connection_lost(&status);
        let connected = find_cause::<ConnectError>(&status).is_none();
        let (code, message) = if expired {
            // The transport enforces the deadline too, and reports it as a cancellation.
            (Code::DeadlineExceeded, "no response before the deadline".to_owned())
        } else if lost {
            let what = if connected { "the connection was lost: " } else { "" };
            (Code::Unavailable, format!("{what}{}", in_short(deepest_cause(&status))))
        } else {
            (status.code(), status.message().to_owned())
        };
        let mut error = Self::local(code, message);
        let inner = &mut *error.0;
        inner.from_server = !lost;
        inner.uncertain = code == Code::DeadlineExceeded || (lost && connected);
        if let Some(info) = details.error_info() {
            inner.reason = Some(info.reason.clone());
            inner.metadata = info.metadata.clone().into_iter().collect();
        }
        if let Some(request) = details.bad_request() {
            inner.field_violations = request
                .field_violations
                .iter()
                .map(|one| FieldViolation { field: one.field.clone(), description: one.description.clone() })
                .collect();
        }
        if let Some(failure) = details.precondition_failure() {
            inner.precondition_violations = failure
                .violations
                .iter()
                .map(|one| PreconditionViolation {
                    kind: one.r#type.clone(),
                    subject: one.subject.clone(),
                    description: one.description.clone(),
                })
                .collect();
        }
        inner.resource = details.resource_info().map(|resource| ResourceInfo {
            resource_type: resource.resource_type.clone(),
            name: resource.resource_name.clone(),
            description: resource.description.clone(),
        });
        inner.retry_delay = details.retry_info().and_then(|retry| retry.retry_delay);
        if lost {
            inner.source = Some(Box::new(status));
        }
        error
    }
}

impl From<tonic::transport::Error> for Error {
    fn from(error: tonic::transport::Error) -> Self {
        Self::local(Code::Unavailable, in_short(deepest_cause(&error))).caused_by(error)
    }
}

/// Whether the connection failed: a status that the transport made has a source, and one that the server sent has none.
fn connection_lost(status: &Status) -> bool {
    status.source().is_some()
        && matches!(status.code(), Code::Unknown | Code::Internal | Code::Cancelled | Code::Unavailable)
}

/// The deepest cause: `Connection refused` says more than `transport error`.
fn deepest_cause<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    error.source().map_or(error, deepest_cause)
}

fn find_cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    error.downcast_ref().or_else(|| error.source().and_then(find_cause))
}

/// `connection refused`, instead of `Connection refused (os error 111)`.
fn in_short(error: &(dyn StdError + 'static)) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((phrase, _)) => phrase.to_lowercase(),
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("code", &inner.code)
            .field("message", &inner.message)
            .field("reason", &inner.reason)
            .field("metadata", &inner.metadata)
            .field("field_violations", &inner.field_violations)
            .field("precondition_violations", &inner.precondition_violations)
            .field("resource", &inner.resource)
            .field("retry_delay", &inner.retry_delay)
            .field("uncertain", &inner.uncertain)
            .field("source", &inner.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn the_details_of_a_status_are_kept() {
        let mut details = ErrorDetails::new();
        details
            .set_error_info(
                "INVALID_FIELDS",
                "partnership.registry",
                HashMap::from([("mutations".into(), "0, 7".into())]),
            )
            .add_bad_request_violation("mutations[0].display_name", "is required")
            .add_precondition_failure_violation("REFERRED_TO", "agreements/a", "agreements/a refers to countries/kr")
            .set_retry_info(Some(Duration::from_secs(2)));
        let error = Error::from(Status::with_error_details(Code::InvalidArgument, "no", details));
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.is_from_server());
        assert_eq!(error.reason(), Some(reasons::INVALID_FIELDS));
        assert_eq!(error.refused_mutations(), [0, 7]);
        assert_eq!(error.field_violations()[0].field, "mutations[0].display_name");
        assert_eq!(error.precondition_violations()[0].kind, "REFERRED_TO");
        assert_eq!(error.retry_delay(), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_lost_connection_is_unavailable_and_a_servers_unknown_is_not() {
        let lost = Error::from(Status::from_error(Box::new(std::io::Error::other("broken pipe"))));
        assert!(lost.is_unavailable() && !lost.is_from_server() && lost.is_uncertain());
        assert_eq!(lost.at("http://a:1").message(), "http://a:1: the connection was lost: broken pipe");
        let unknown = Error::from(Status::unknown("?"));
        assert_eq!((unknown.code(), unknown.is_uncertain()), (Code::Unknown, false));
    }

    #[test]
    fn what_was_never_sent_cannot_have_happened() {
        let refused = std::io::Error::from_raw_os_error(111);
        let error = Error::from(Status::from_error(Box::new(ConnectError(Box::new(refused))))).at("http://a:1");
        assert_eq!(error.message(), "http://a:1: connection refused");
        assert!(error.is_unavailable() && !error.is_from_server() && !error.is_uncertain());
    }

    #[test]
    fn a_deadline_that_the_transport_detected_is_a_deadline() {
        let expired = Error::from(Status::from_error(Box::new(TimeoutExpired(()))));
        assert_eq!((expired.code(), expired.is_from_server()), (Code::DeadlineExceeded, false));
        assert!(expired.is_uncertain() && Error::from(Status::deadline_exceeded("")).is_uncertain());
    }
}
