//! Every error that there is, as it is told: with all that its message is made of in its metadata, and in 8 KiB.

use std::collections::{HashMap, HashSet};

use tonic_types::StatusExt as _;

use super::*;
use crate::registry::{Costs, Dangling};

/// Which error it is. A new one has to be told here, and an instance of it below.
fn number(error: &Error) -> usize {
    match error {
        Error::Invalid(_) => 0,
        Error::ImmutableFields(_) => 1,
        Error::PageToken(_) => 2,
        Error::RequestIdReused(_) => 3,
        Error::NotFound(_) => 4,
        Error::NotFoundAt { .. } => 5,
        Error::NoSuchRevision { .. } => 6,
        Error::RevisionDeleted { .. } => 7,
        Error::AlreadyExists { .. } => 8,
        Error::EtagMismatch { .. } => 9,
        Error::PreconditionFailed { .. } => 10,
        Error::Deleted(_) => 11,
        Error::DeletedAlready(_) => 12,
        Error::NotDeleted(_) => 13,
        Error::StillReferenced { .. } => 14,
        Error::DanglingReferences(_) => 15,
        Error::ParentCycle { .. } => 16,
        Error::TooManyAncestors { .. } => 17,
        Error::SubtreeTooLarge { .. } => 18,
        Error::Commit(_) => 19,
        Error::RevisionInFuture { .. } => 20,
        Error::TimeBeforeFirst => 21,
        Error::AnswerTooLarge { .. } => 22,
        Error::CommitTooLarge { .. } => 23,
        Error::Stopped(_) => 24,
        Error::NoRoom => 25,
        Error::Busy => 26,
        Error::DeadlineExceeded => 27,
        Error::Cancelled => 28,
        Error::Draining => 29,
        Error::Damaged { .. } => 30,
        Error::ReadFailed => 31,
        Error::NoDescriptors => 32,
        Error::ReadOnly => 33,
        Error::NoNextFile => 34,
        Error::TooManyGroups { .. } => 35,
        Error::SumTooLarge { .. } => 36,
        Error::TooCostly(_) => 37,
        Error::IndexFull { .. } => 38,
        Error::WrongState(_) => 39,
    }
}

const ERRORS: usize = 40;

/// An instance of every error, of which all values are made of `n`, of the name `x` and of the text `text`.
fn instances(n: usize, x: &'static str, text: &'static str) -> Vec<Error> {
    let name = || format!("countries/{x}");
    let field = || format!("country.{text}");
    let revision = n as u64;
    let violations = || {
        let mut violations = Violations::new();
        for index in 0..n {
            violations.add(format!("country.{text}[{index}]"), format!("must not be {text}{index}"));
        }
        violations
    };
    let chain = || Chain { named: (0..3).map(|index| format!("focusAreas/{x}{index}")).collect(), more: n };
    let dangling = |index| Dangling { field: format!("{}[{index}]", field()), target: name(), deleted: false };
    vec![
        Error::Invalid(violations()),
        Error::ImmutableFields(violations()),
        Error::WrongState(violations()),
        Error::PageToken(text),
        Error::RequestIdReused(x.to_owned()),
        Error::NotFound(name()),
        Error::NotFoundAt { name: name(), revision },
        Error::NoSuchRevision { name: name(), revision },
        Error::RevisionDeleted { name: name(), revision },
        Error::AlreadyExists { name: name(), deleted: true },
        Error::EtagMismatch { name: name(), given: format!("\"{n}-{text}\"") },
        Error::PreconditionFailed { index: n, name: name(), description: format!("{} changed in {n}0", text) },
        Error::Deleted(name()),
        Error::DeletedAlready(name()),
        Error::NotDeleted(name()),
        Error::StillReferenced { name: name(), by: vec![format!("meetings/{x}"), format!("courses/{x}")], more: n },
        Error::DanglingReferences((0..n).map(dangling).collect()),
        Error::ParentCycle { field: field(), chain: chain() },
        Error::TooManyAncestors { field: field(), name: name(), max: n, chain: chain() },
        Error::SubtreeTooLarge { field: field(), name: name(), max: n },
        Error::Commit(
            (0..n).map(|index| (n + index, Error::EtagMismatch { name: name(), given: text.into() })).collect(),
        ),
        Error::RevisionInFuture { asked: revision, head: revision + 1 },
        Error::TimeBeforeFirst,
        Error::AnswerTooLarge { max: n },
        Error::TooManyGroups { max: n },
        Error::SumTooLarge { currency: text.into() },
        Error::IndexFull { bytes: (n + 1) << 20, max: n << 20 },
        Error::TooCostly(Costs::Order { path: text.into(), reads: n as u64 + 1, max: n as u64 }),
        Error::TooCostly(Costs::Day { path: text.into(), reads: n as u64 + 1, max: n as u64 }),
        Error::CommitTooLarge { bytes: n + 1, max: n },
        Error::Stopped(text),
        Error::NoRoom,
        Error::Busy,
        Error::DeadlineExceeded,
        Error::Cancelled,
        Error::Draining,
        Error::Damaged { revision },
        Error::ReadFailed,
        Error::NoDescriptors,
        Error::ReadOnly,
        Error::NoNextFile,
    ]
}

/// The words of a text; names and paths are words.
fn words(text: &str) -> HashSet<String> {
    let letter = |letter: char| letter.is_alphanumeric() || "/_-".contains(letter);
    text.split(|one| !letter(one)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn metadata(status: &Status) -> HashMap<String, String> {
    status.get_error_details().error_info().unwrap().metadata.clone()
}

#[test]
fn all_that_differs_between_two_messages_of_an_error_stands_in_its_metadata() {
    let (some, others) = (instances(31, "alpha", "first"), instances(57, "beta", "second"));
    let mut numbers: Vec<_> = some.iter().map(number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..ERRORS).collect::<Vec<_>>(), "one of each");
    for (one, other) in some.into_iter().zip(others) {
        let (told, other) = (one.to_string(), other.to_string());
        let told = words(&told).difference(&words(&other)).cloned().collect::<HashSet<_>>();
        let status = Status::from(one);
        let metadata = metadata(&status);
        let known = metadata.values().flat_map(|value| words(value)).collect::<HashSet<_>>();
        assert!(told.is_subset(&known), "{}: {told:?} in {metadata:?}", status.message());
    }
}

#[test]
fn no_status_is_larger_than_trailers_may_be() {
    // The longest that a limit lets through, and letters that travel as nine.
    let long: &'static str = Box::leak("\u{d55c}".repeat(400).into_boxed_str());
    let name: &'static str = Box::leak("a".repeat(63).into_boxed_str());
    for error in instances(1_000, name, long) {
        let told = error.to_string().chars().take(40).collect::<String>();
        let status = Status::from(error);
        let mut headers = http::HeaderMap::new();
        status.add_header(&mut headers).unwrap();
        let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
        assert!(bytes <= 8 << 10, "{bytes} bytes: {told}");
    }
}

#[test]
fn only_what_passes_by_itself_is_to_be_tried_again() {
    for error in instances(3, "alpha", "first") {
        let what = number(&error);
        let passes = matches!(what, 25 | 26 | 29 | 31 | 32 | 34);
        let stopped = matches!(error, Error::Stopped(_));
        let status = Status::from(error);
        assert_eq!(status.get_error_details().retry_info().is_some(), passes, "{what}: {status:?}");
        assert_eq!(status.code() == Code::Unavailable, matches!(what, 29 | 31 | 34), "{status:?}");
        if stopped {
            let reason = status.get_error_details().error_info().unwrap().reason.clone();
            assert_eq!((status.code(), reason.as_str()), (Code::Internal, "STORE_STOPPED"));
        }
    }
}
