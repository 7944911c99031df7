//! How each error is answered: one table from `registry::Error` to gRPC codes, with details a program can read
//! (AIP-193). Every status carries one ErrorInfo.

use std::collections::HashMap;
use std::time::Duration;

use tonic::codegen::http;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::faults;
use crate::registry::{Chain, Error};
use crate::violations::Violations;

/// The domain of every ErrorInfo.
pub(crate) const DOMAIN: &str = "partnership.registry";

/// The most bytes of texts in the details of a status. All of a status must fit into 8 KiB of trailers, which is what
/// every gRPC client takes, with the details in base64 and the message in them again.
const TEXT_BYTES_MAX: usize = 3 << 10;

/// The most of these for the list of refused mutations: the rest says why.
const REFUSED_BYTES_MAX: usize = 1 << 10;

/// The most bytes of the metadata but for that list: what the message is made of, which is not longer.
const METADATA_BYTES_MAX: usize = 1 << 10;

/// The most bytes of a message as it travels, percent-encoded.
const MESSAGE_BYTES_MAX: usize = 1 << 10;

/// When to try again what the server cannot do now: a restart takes about so long, and so do the calls of others.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let mut telling = Telling {
            details: ErrorDetails::new(),
            metadata: HashMap::new(),
            bytes_left: TEXT_BYTES_MAX,
            metadata_bytes_left: METADATA_BYTES_MAX,
            violations_left_out: 0,
        };
        telling.describe(&error);
        let Telling { mut details, mut metadata, violations_left_out, .. } = telling;
        if violations_left_out > 0 {
            metadata.insert("violationsLeftOut".to_owned(), violations_left_out.to_string());
        }
        let (code, reason) = code(&error);
        details.set_error_info(reason, DOMAIN, metadata);
        Status::with_error_details(code, cut(error.to_string()), details)
    }
}

/// A fault of the server that is none of the registry's.
pub(crate) fn internal(message: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info("INTERNAL", DOMAIN, HashMap::new());
    Status::with_error_details(Code::Internal, message, details)
}

/// A message of which as much is left as may travel.
fn cut(message: String) -> String {
    let mut bytes = 0;
    let end = message.char_indices().find(|(_, letter)| {
        bytes += if matches!(letter, ' '..='~') && *letter != '%' { 1 } else { 3 * letter.len_utf8() };
        bytes > MESSAGE_BYTES_MAX
    });
    match end {
        None => message,
        Some((end, _)) => format!("{} …", message.get(..end).unwrap_or_default()),
    }
}

/// Brings the refusals that tonic makes by itself, of what it cannot read or does not know, into the form of all others.
pub(crate) fn complete<B>(mut response: http::Response<B>) -> http::Response<B> {
    // They have no body: their status stands in the headers.
    let Some(status) = Status::from_header_map(response.headers()) else { return response };
    if status.code() == Code::Ok || !status.details().is_empty() {
        return response;
    }
    let (code, reason) = foreign(&status);
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, HashMap::new());
    let message = match status.message().trim_start_matches("Error, ") {
        "" if code == Code::Unimplemented => "this server has no such method".to_owned(),
        "" => code.description().to_owned(),
        message => cut(message.to_owned()),
    };
    // It fails on texts that no header can hold, and then leaves the status as it was.
    let _ = Status::with_error_details(code, message, details).add_header(response.headers_mut());
    response
}

/// Whether a text of tonic tells what is wrong with the frames or the message of a request. It takes these for faults of the
/// server.
fn is_of_the_request(message: &str) -> bool {
    let texts = [
        "decode Protobuf",
        // The frame says that it is compressed, and the headers do not say how; or it says neither yes nor no.
        "received message with",
        // The stream ended in the middle of a frame.
        "Unexpected EOF decoding stream",
        "Missing request message",
    ];
    let known = if faults::planted("frames-internal").is_some() { 1 } else { texts.len() };
    texts.iter().take(known).any(|text| message.contains(text))
}

/// The code and the reason of a refusal that tonic made.
fn foreign(status: &Status) -> (Code, &'static str) {
    match status.code() {
        // A limit, and no range of ours.
        Code::OutOfRange if status.message().contains("message length too large") => {
            (Code::ResourceExhausted, "MESSAGE_TOO_LARGE")
        }
        Code::ResourceExhausted if status.message().contains("too many parts") => {
            (Code::ResourceExhausted, "MESSAGE_TOO_LARGE")
        }
        Code::Internal if is_of_the_request(status.message()) => (Code::InvalidArgument, "MESSAGE_MALFORMED"),
        Code::Unimplemented => (Code::Unimplemented, "UNIMPLEMENTED"),
        Code::InvalidArgument => (Code::InvalidArgument, "REQUEST_MALFORMED"),
        Code::NotFound => (Code::NotFound, "NOT_FOUND"),
        Code::Cancelled => (Code::Cancelled, "CANCELLED"),
        Code::DeadlineExceeded => (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
        Code::ResourceExhausted => (Code::ResourceExhausted, "RESOURCE_EXHAUSTED"),
        Code::Unavailable => (Code::Unavailable, "UNAVAILABLE"),
        code @ (Code::Ok
        | Code::Unknown
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Internal
        | Code::DataLoss) => (code, "INTERNAL"),
    }
}

/// The code of an error, and the reason in its ErrorInfo.
fn code(error: &Error) -> (Code, &'static str) {
    match error {
        Error::Invalid(_) => (Code::InvalidArgument, "INVALID_FIELDS"),
        Error::ImmutableFields(_) => (Code::FailedPrecondition, "IMMUTABLE_FIELDS"),
        Error::WrongState(_) => (Code::FailedPrecondition, "WRONG_STATE"),
        Error::PageToken(_) => (Code::InvalidArgument, "PAGE_TOKEN_INVALID"),
        Error::RequestIdReused(_) => (Code::InvalidArgument, "REQUEST_ID_REUSED"),
        Error::NotFound(_) | Error::NotFoundAt { .. } => (Code::NotFound, "NOT_FOUND"),
        Error::NoSuchRevision { .. } => (Code::NotFound, "REVISION_NOT_FOUND"),
        Error::RevisionDeleted { .. } => (Code::FailedPrecondition, "REVISION_DELETED"),
        Error::AlreadyExists { .. } => (Code::AlreadyExists, "ALREADY_EXISTS"),
        Error::EtagMismatch { .. } => (Code::Aborted, "ETAG_MISMATCH"),
        Error::PreconditionFailed { .. } => (Code::Aborted, "PRECONDITION_FAILED"),
        Error::Deleted(_) => (Code::FailedPrecondition, "DELETED"),
        // To a caller who wants it gone, what is deleted is as good as not there, and to one who wants it back, what is live
        // exists (AIP-164).
        Error::DeletedAlready(_) => (Code::NotFound, "DELETED"),
        Error::NotDeleted(_) => (Code::AlreadyExists, "NOT_DELETED"),
        Error::StillReferenced { .. } => (Code::FailedPrecondition, "STILL_REFERENCED"),
        Error::DanglingReferences(_) => (Code::FailedPrecondition, "REFERENCE_NOT_FOUND"),
        Error::ParentCycle { .. } => (Code::FailedPrecondition, "PARENT_CYCLE"),
        Error::TooManyAncestors { .. } => (Code::FailedPrecondition, "TOO_MANY_ANCESTORS"),
        Error::SubtreeTooLarge { .. } => (Code::ResourceExhausted, "SUBTREE_TOO_LARGE"),
        Error::Commit(refused) => refused.first().map_or((Code::Internal, "INTERNAL"), |(_, error)| code(error)),
        Error::RevisionInFuture { .. } => (Code::OutOfRange, "REVISION_IN_FUTURE"),
        Error::TimeBeforeFirst => (Code::OutOfRange, "TIME_BEFORE_FIRST"),
        Error::AnswerTooLarge { .. } => (Code::ResourceExhausted, "ANSWER_TOO_LARGE"),
        Error::TooManyGroups { .. } => (Code::FailedPrecondition, "TOO_MANY_GROUPS"),
        Error::TooCostly(_) => (Code::FailedPrecondition, "TOO_COSTLY"),
        Error::SumTooLarge { .. } => (Code::OutOfRange, "SUM_TOO_LARGE"),
        Error::CommitTooLarge { .. } => (Code::ResourceExhausted, "COMMIT_TOO_LARGE"),
        // Only a restart mends it, so a caller is not told to try again (AIP-194).
        Error::Stopped(_) => (Code::Internal, "STORE_STOPPED"),
        Error::NoRoom => (Code::ResourceExhausted, "STORE_FULL"),
        Error::IndexFull { .. } => (Code::ResourceExhausted, "INDEX_FULL"),
        Error::NoDescriptors => (Code::ResourceExhausted, "STORE_OUT_OF_DESCRIPTORS"),
        // An operator has to make it writable; until then the same write is refused each time.
        Error::ReadOnly => (Code::FailedPrecondition, "STORE_READ_ONLY"),
        Error::NoNextFile => (Code::Unavailable, "STORE_NOT_WRITABLE"),
        Error::Cancelled => (Code::Cancelled, "CANCELLED"),
        Error::Busy => (Code::ResourceExhausted, "SERVER_BUSY"),
        Error::DeadlineExceeded => (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
        Error::Draining => (Code::Unavailable, "DRAINING"),
        Error::ReadFailed => (Code::Unavailable, "STORE_READ_FAILED"),
        Error::Damaged { .. } => (Code::DataLoss, "DAMAGED"),
    }
}

macro_rules! resource_types {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        /// The type of the resource of a name, such as `partnership.registry/Country`.
        fn resource_type(name: &str) -> &'static str {
            match name.split('/').next() {
                $(Some($collection) => concat!("partnership.registry/", stringify!($Kind)),)*
                _ => "",
            }
        }
    };
}

partnership_registry::for_each_kind!(resource_types);

/// What a program can read of an error, as it is put together.
struct Telling {
    details: ErrorDetails,
    metadata: HashMap<String, String>,
    bytes_left: usize,
    metadata_bytes_left: usize,
    violations_left_out: usize,
}

impl Telling {
    fn describe(&mut self, error: &Error) {
        match error {
            Error::Invalid(violations) => {
                self.tell_first(violations);
                for violation in violations.iter() {
                    self.add_field(&violation.field, &violation.description);
                }
                self.violations_left_out += violations.left_out();
            }
            Error::ImmutableFields(violations) => {
                self.tell_first(violations);
                for violation in violations.iter() {
                    self.add_precondition("IMMUTABLE", &violation.field, &violation.description);
                }
            }
            Error::WrongState(violations) => {
                self.tell_first(violations);
                for violation in violations.iter() {
                    self.add_precondition("STATE", &violation.field, &violation.description);
                }
            }
            Error::PageToken(rule) => self.tell_field("page_token", rule),
            Error::RequestIdReused(id) => {
                self.tell("requestId", id);
                self.tell_field("request_id", "came with another request before");
            }
            Error::NotFound(name) | Error::DeletedAlready(name) | Error::NotDeleted(name) => {
                self.tell_resource(name, error);
            }
            Error::AlreadyExists { name, deleted } => {
                self.tell_resource(name, error);
                self.tell("deleted", if *deleted { "true" } else { "false" });
            }
            Error::Deleted(name) => {
                self.tell_resource(name, error);
                self.add_precondition("STATE", name, &error.to_string());
            }
            Error::NotFoundAt { name, revision } | Error::NoSuchRevision { name, revision } => {
                self.tell_resource(name, error);
                self.tell("revision", &revision.to_string());
            }
            Error::RevisionDeleted { name, revision } => {
                self.tell_resource(name, error);
                self.tell("revision", &revision.to_string());
                self.add_precondition("STATE", name, &error.to_string());
            }
            Error::EtagMismatch { name, given } => {
                self.tell_resource(name, error);
                self.tell("etag", given);
                self.add_precondition("ETAG", name, &error.to_string());
            }
            Error::PreconditionFailed { index, name, description } => {
                self.tell("precondition", &index.to_string());
                self.tell("name", name);
                self.tell("description", description);
                self.add_precondition("PRECONDITION", &format!("preconditions[{index}]"), description);
            }
            Error::StillReferenced { name, by, more } => {
                self.tell("name", name);
                self.tell("referrers", &(by.len() + more).to_string());
                self.tell("referrersLeftOut", &more.to_string());
                self.tell("referrersNamed", &by.join(","));
                for referrer in by {
                    self.add_precondition("REFERRED_TO", referrer, &format!("refers to {name}"));
                }
            }
            Error::DanglingReferences(dangling) => {
                self.tell("references", &dangling.len().to_string());
                if let Some(first) = dangling.first() {
                    self.tell("field", &first.field);
                    self.tell("target", &first.target);
                    self.tell("targetDeleted", if first.deleted { "true" } else { "false" });
                }
                for one in dangling {
                    self.add_precondition("REFERENCE", &one.field, &one.description());
                }
            }
            Error::ParentCycle { field, chain } => {
                self.tell("field", field);
                self.tell_chain(chain);
                self.add_precondition("PARENT_CYCLE", field, &format!("leads in a circle: {chain}"));
            }
            Error::TooManyAncestors { field, name, max, chain } => {
                self.tell("field", field);
                self.tell("name", name);
                self.tell("ancestorsMax", &max.to_string());
                self.tell_chain(chain);
                let description = format!("gives {name} more than {max} ancestors: {chain}");
                self.add_precondition("TOO_MANY_ANCESTORS", field, &description);
            }
            Error::SubtreeTooLarge { field, name, max } => {
                self.tell("field", field);
                self.tell("name", name);
                self.tell("descendantsMax", &max.to_string());
            }
            Error::Commit(refused) => {
                self.tell("mutationsRefused", &refused.len().to_string());
                if let Some((first, _)) = refused.first() {
                    self.tell("mutation", &first.to_string());
                }
                self.list_refused(refused.iter().map(|(index, _)| *index));
                for (_, error) in refused {
                    self.describe(error);
                }
            }
            Error::RevisionInFuture { asked, head } => {
                self.tell("revision", &asked.to_string());
                self.tell("head", &head.to_string());
            }
            Error::TimeBeforeFirst => {}
            Error::AnswerTooLarge { max } => self.tell("bytesMax", &max.to_string()),
            Error::TooManyGroups { max } => {
                self.tell("groupsMax", &max.to_string());
                self.add_precondition("TOO_MANY_GROUPS", "group_by", &format!("makes more than {max} groups"));
            }
            Error::IndexFull { bytes, max } => {
                self.tell("mib", &(bytes >> 20).to_string());
                self.tell("mibMax", &(max >> 20).to_string());
            }
            Error::TooCostly(costs) => {
                let (reads, max) = costs.reads();
                self.tell("reads", &reads.to_string());
                self.tell("readsMax", &max.to_string());
                self.tell("of", &costs.of());
                self.add_precondition("TOO_COSTLY", costs.field(), &costs.description());
            }
            Error::SumTooLarge { currency } => {
                self.tell("currency", currency);
            }
            Error::CommitTooLarge { bytes, max } => {
                self.tell("bytes", &bytes.to_string());
                self.tell("bytesMax", &max.to_string());
            }
            Error::Damaged { revision } => self.tell("revision", &revision.to_string()),
            Error::Stopped(cause) => self.tell("cause", cause),
            Error::Cancelled | Error::DeadlineExceeded => {}
            Error::ReadOnly => {}
            Error::NoRoom
            | Error::NoDescriptors
            | Error::NoNextFile
            | Error::Busy
            | Error::Draining
            | Error::ReadFailed => {
                self.details.set_retry_info(Some(RETRY_AFTER));
            }
        }
    }

    /// Adds to the metadata; of several errors the first one has its say. What has no room any more is cut, as it is in the
    /// message.
    fn tell(&mut self, key: &str, value: &str) {
        if self.metadata.contains_key(key) {
            return;
        }
        let longest = self.metadata_bytes_left.min(value.len());
        let end = (0..=longest).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
        let value = value.get(..end).unwrap_or_default();
        self.metadata_bytes_left = self.metadata_bytes_left.saturating_sub(value.len());
        // What protobuf puts around an entry.
        self.bytes_left = self.bytes_left.saturating_sub(key.len() + value.len() + 8);
        self.metadata.insert(key.to_owned(), value.to_owned());
    }

    fn tell_first(&mut self, violations: &Violations) {
        self.tell("violations", &violations.count().to_string());
        if let Some(first) = violations.iter().next() {
            self.tell("field", &first.field);
            self.tell("description", &first.description);
        }
    }

    fn tell_field(&mut self, field: &str, description: &str) {
        self.tell("field", field);
        self.tell("description", description);
        self.add_field(field, description);
    }

    fn tell_resource(&mut self, name: &str, error: &Error) {
        self.add_resource(name, &error.to_string());
        self.tell("name", name);
    }

    fn tell_chain(&mut self, chain: &Chain) {
        self.tell("chainLeftOut", &chain.more.to_string());
        self.tell("chain", &chain.named.join(","));
    }

    /// Takes the room that these texts need, or counts the violation as left out.
    fn has_room(&mut self, texts: &[&str]) -> bool {
        // What protobuf puts around a violation.
        let bytes = texts.iter().map(|text| text.len()).sum::<usize>() + 12;
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                true
            }
            None => {
                self.violations_left_out += 1;
                false
            }
        }
    }

    fn add_field(&mut self, field: &str, description: &str) {
        if self.has_room(&[field, description]) {
            self.details.add_bad_request_violation(field, description);
        }
    }

    fn add_precondition(&mut self, kind: &str, subject: &str, description: &str) {
        if self.has_room(&[kind, subject, description]) {
            self.details.add_precondition_failure_violation(kind, subject, description);
        }
    }

    /// The resource that an error is about; of several errors the first one's.
    fn add_resource(&mut self, name: &str, description: &str) {
        if self.details.resource_info().is_none() {
            self.details.set_resource_info(resource_type(name), name, "", description);
        }
    }

    fn list_refused(&mut self, indexes: impl Iterator<Item = usize>) {
        let (mut list, mut left_out) = (String::new(), 0_usize);
        for index in indexes {
            let index = index.to_string();
            if list.len() + 1 + index.len() > REFUSED_BYTES_MAX {
                left_out += 1;
                continue;
            }
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(&index);
        }
        self.bytes_left = self.bytes_left.saturating_sub(list.len());
        self.metadata.insert("mutations".to_owned(), list);
        if left_out > 0 {
            self.tell("mutationsLeftOut", &left_out.to_string());
        }
    }
}

#[cfg(test)]
mod tests;
