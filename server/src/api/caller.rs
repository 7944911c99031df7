//! [`Caller`]: what is known of a call besides its request. It is read from the metadata, at the door alone.
//!
//! Until callers are authenticated, `partnership-actor` is what the caller says of itself.

use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::MetadataMap;

use super::room::Room;
use crate::budget::{Account, Budget};
use crate::registry::{Error, WriteRequest};

/// The names that the registry gives to its own doings begin with this, and no caller's does.
const SYSTEM: &str = "system/";

/// Who calls which method, why, and for how long an answer is wanted.
pub(crate) struct Caller {
    /// The full name of the method.
    pub(crate) method: &'static str,
    /// Who calls. Empty: not said.
    pub(crate) actor: String,
    /// Why. Empty: not said.
    pub(crate) reason: String,
    /// By which a repeated request is known again. Empty: none.
    pub(crate) request_id: String,
    /// The hash of what is asked for, if there is a request id.
    pub(crate) request_hash: [u8; 16],
    /// When the answer is of no use any more.
    pub(crate) deadline: Option<Instant>,
    /// For what is answered.
    pub(crate) room: Room,
}

impl Caller {
    /// A caller of whom nothing is known yet but the connection that it came by.
    pub(crate) fn unknown(method: &'static str, account: Account) -> Self {
        Self {
            method,
            actor: String::new(),
            reason: String::new(),
            request_id: String::new(),
            request_hash: [0; 16],
            deadline: None,
            room: Room::new(account),
        }
    }

    /// The registry itself, for what it does by a method of its own: `system/{name}`.
    pub(crate) fn system(name: &str) -> Self {
        // It came by no connection, and answers nobody.
        let account = Budget::new(usize::MAX, usize::MAX).account();
        Self { actor: format!("{SYSTEM}{name}"), ..Self::unknown("", account) }
    }

    /// Reads `partnership-actor` and `partnership-reason`, or their `-bin` forms for text that is not ASCII, and
    /// `grpc-timeout`.
    ///
    /// # Errors
    /// What is no text, and an actor that only the registry itself can be.
    pub(crate) fn identify(
        &mut self,
        metadata: &MetadataMap,
        request_id: String,
        request_hash: [u8; 16],
    ) -> Result<(), Error> {
        (self.request_id, self.request_hash) = (request_id, request_hash);
        let timeout = metadata.get("grpc-timeout").and_then(|value| timeout(value.to_str().ok()?));
        self.deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self.actor = text(metadata, "partnership-actor")?;
        self.reason = text(metadata, "partnership-reason")?;
        // However it is written: nobody who reads a history is to take one for the other.
        let begin = self.actor.trim_start().get(..SYSTEM.len());
        if begin.is_some_and(|begin| begin.eq_ignore_ascii_case(SYSTEM)) {
            let rule = "must not begin with system/, which is how the registry names itself";
            return Err(Error::invalid("partnership-actor", rule));
        }
        Ok(())
    }

    /// A request to write nothing yet, with what is known of the call.
    pub(crate) fn write_request(&self) -> WriteRequest {
        WriteRequest {
            actor: self.actor.clone(),
            reason: self.reason.clone(),
            request_id: self.request_id.clone(),
            request_hash: self.request_hash,
            ..WriteRequest::default()
        }
    }

    /// Whether the answer comes too late.
    pub(crate) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }
}

fn text(metadata: &MetadataMap, key: &'static str) -> Result<String, Error> {
    let refuse = || Error::invalid(key, format!("must be text; send UTF-8 as {key}-bin"));
    let bytes = match (metadata.get(key), metadata.get_bin(format!("{key}-bin"))) {
        (_, Some(value)) => value.to_bytes().map_err(|_| refuse())?,
        (Some(value), None) => bytes::Bytes::copy_from_slice(value.as_bytes()),
        (None, None) => return Ok(String::new()),
    };
    String::from_utf8(bytes.into()).map_err(|_| refuse())
}

/// The time in a `grpc-timeout`: at most 8 digits and a unit. `None`: it is no such thing.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3_600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn identify(key: &'static str, value: &str) -> Result<Caller, Error> {
        let mut metadata = MetadataMap::new();
        if key.ends_with("-bin") {
            metadata.insert_bin(key, tonic::metadata::BinaryMetadataValue::from_bytes(value.as_bytes()));
        } else {
            metadata.insert(key, value.parse().unwrap());
        }
        let mut caller = Caller::unknown("x", Budget::new(0, 0).account());
        caller.identify(&metadata, String::new(), [0; 16]).map(|()| caller)
    }

    #[test]
    fn nobody_can_call_itself_the_system() {
        for (key, actor) in [
            ("partnership-actor", "system/"),
            ("partnership-actor", "system/clock"),
            ("partnership-actor", "System/clock"),
            ("partnership-actor-bin", "system/clock"),
            ("partnership-actor-bin", "\u{a0}system/clock"),
        ] {
            let error = identify(key, actor).map(|caller| caller.actor).unwrap_err().to_string();
            assert!(error.contains("partnership-actor"), "{actor:?}: {error}");
        }
        for actor in ["system", "systems/x", "jane", "a/system/x"] {
            assert_eq!(identify("partnership-actor", actor).unwrap().actor, actor);
        }
    }

    #[test]
    fn a_timeout_is_read_as_the_protocol_writes_it() {
        let table = [
            ("1H", Some(Duration::from_secs(3_600))),
            ("2M", Some(Duration::from_secs(120))),
            ("99999999S", Some(Duration::from_secs(99_999_999))),
            ("250m", Some(Duration::from_millis(250))),
            ("7u", Some(Duration::from_micros(7))),
            ("0n", Some(Duration::ZERO)),
            ("", None),
            ("S", None),
            ("5", None),
            ("-5S", None),
            ("123456789S", None),
            ("5é", None),
        ];
        for (text, expected) in table {
            assert_eq!(timeout(text), expected, "{text:?}");
        }
    }
}
