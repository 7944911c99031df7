//! The line of the log that every call leaves, when it ends: at the end of its stream, if it answers with one.
//!
//! What went well is told at `debug`, what was refused at `info`, and what the server failed to do at `warn`.

use tokio::sync::watch;
use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tracing::Level;

use super::caller::Caller;

/// By this the lines are selected in `--log`.
const TARGET: &str = "partnership_registry_server::request";

/// The most characters of an actor in a line: a refused one may be of any length.
const ACTOR_LENGTH_MAX: usize = 200;

/// A call, of which the log tells once.
pub(crate) struct RequestLog {
    began: Instant,
    draining: watch::Receiver<bool>,
    ended: bool,
}

impl RequestLog {
    pub(crate) fn begin(draining: watch::Receiver<bool>) -> Self {
        Self { began: Instant::now(), draining, ended: false }
    }

    /// Tells of a call that was answered.
    pub(crate) fn end(&mut self, caller: &Caller, status: Option<&Status>) {
        self.tell(caller, status.map_or(Code::Ok, Status::code), status);
    }

    /// Tells of a call for whose answer nobody waits any more, unless it has ended before.
    pub(crate) fn gone(&mut self, caller: &Caller) {
        self.tell(caller, if caller.is_late() { Code::DeadlineExceeded } else { Code::Cancelled }, None);
    }

    fn tell(&mut self, caller: &Caller, code: Code, status: Option<&Status>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        // The level of an event has to be a constant.
        macro_rules! line {
            ($level:expr) => {
                if tracing::enabled!(target: TARGET, $level) {
                    let (reason, rule) = status.map(explain).unwrap_or_default();
                    tracing::event!(
                        target: TARGET,
                        $level,
                        method = caller.method,
                        code = code_name(code),
                        duration_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX),
                        actor = actor(caller),
                        request_id = (!caller.request_id.is_empty()).then_some(caller.request_id.as_str()),
                        reason,
                        rule,
                        "request"
                    );
                }
            };
        }
        match level(code, || *self.draining.borrow()) {
            Level::WARN => line!(Level::WARN),
            Level::INFO => line!(Level::INFO),
            _ => line!(Level::DEBUG),
        }
    }
}

/// How much an operator should care.
fn level(code: Code, draining: impl FnOnce() -> bool) -> Level {
    match code {
        Code::Unavailable if draining() => Level::INFO,
        Code::Internal | Code::DataLoss | Code::Unavailable | Code::Unknown => Level::WARN,
        // Those who watch end so as a rule.
        Code::Ok | Code::Cancelled => Level::DEBUG,
        Code::InvalidArgument
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => Level::INFO,
    }
}

/// The reason of a refusal, and the first rule that was broken, with the field where it was.
fn explain(status: &Status) -> (Option<String>, Option<String>) {
    let details = status.get_error_details();
    let field = details.bad_request().and_then(|bad| bad.field_violations.first());
    let precondition = details.precondition_failure().and_then(|failure| failure.violations.first());
    let rule = match (field, precondition) {
        (Some(violation), _) => format!("{}: {}", violation.field, violation.description),
        (None, Some(violation)) => format!("{}: {}", violation.subject, violation.description),
        (None, None) => status.message().to_owned(),
    };
    (details.error_info().map(|info| info.reason.clone()), Some(rule))
}

fn actor(caller: &Caller) -> &str {
    match caller.actor.char_indices().nth(ACTOR_LENGTH_MAX) {
        _ if caller.actor.is_empty() => "anonymous",
        None => &caller.actor,
        Some((end, _)) => caller.actor.get(..end).unwrap_or_default(),
    }
}

/// The name of a code as the contract writes it.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
