//! Values of enums as words of the command line: `ratification`, `entry-into-force`. Completion proposes them.

use clap::builder::{PossibleValue, TypedValueParser};
use partnership_registry_client::json::{enum_prefix, enum_value};
use partnership_registry_client::v1::{AgreementEventType, AgreementTerminationGround};
use prost_reflect::EnumDescriptor;

/// Reads a type of events: `ratification`, `entry-into-force` or the name of the value in full.
pub(crate) fn event_type(text: &str) -> Result<AgreementEventType, String> {
    value("AgreementEventType", "a type of events", text)
        .and_then(|number| AgreementEventType::try_from(number).map_err(|error| error.to_string()))
}

/// Reads a ground.
pub(crate) fn ground(text: &str) -> Result<AgreementTerminationGround, String> {
    value("AgreementTerminationGround", "a ground", text)
        .and_then(|number| AgreementTerminationGround::try_from(number).map_err(|error| error.to_string()))
}

fn value(of: &str, what: &str, text: &str) -> Result<i32, String> {
    let of = descriptor(of).ok_or_else(|| format!("the contract has no {of}"))?;
    let value = enum_value(&of, text).map_err(|error| {
        let (_, meant) = error.rsplit_once("; ").unwrap_or_default();
        format!("it is not {what}; {}", meant.to_ascii_lowercase().replace('_', "-"))
    })?;
    if value.number() == 0 { Err(format!("it is not {what}")) } else { Ok(value.number()) }
}

fn descriptor(name: &str) -> Option<EnumDescriptor> {
    partnership_registry::descriptors().get_enum_by_name(&format!("partnership.registry.v1.{name}"))
}

/// A word that one of the values of an enum is written as; completion proposes them.
#[derive(Clone)]
pub(crate) struct Words<T: 'static> {
    /// The enum of the contract.
    pub(crate) of: &'static str,
    /// Reads a word.
    pub(crate) read: fn(&str) -> Result<T, String>,
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Words<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<T, clap::Error> {
        let read = self.read;
        let reader = move |text: &str| read(text);
        TypedValueParser::parse_ref(&reader, command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let of = descriptor(self.of)?;
        let prefix = enum_prefix(&of);
        let words: Vec<_> = of
            .values()
            .skip(1)
            .map(|value| value.name().replacen(&prefix, "", 1).to_ascii_lowercase().replace('_', "-"))
            .map(PossibleValue::new)
            .collect();
        Some(Box::new(words.into_iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_short_or_long_and_almost() {
        for text in
            ["entry-into-force", "ENTRY_INTO_FORCE", "AGREEMENT_EVENT_TYPE_ENTRY_INTO_FORCE", "Entry-Into-Force"]
        {
            assert_eq!(event_type(text), Ok(AgreementEventType::EntryIntoForce), "{text}");
        }
        assert_eq!(event_type("ratificaton").unwrap_err(), "it is not a type of events; did you mean ratification?");
        assert!(event_type("unspecified").is_err());
        assert_eq!(ground("later-agreement"), Ok(AgreementTerminationGround::LaterAgreement));
        assert!(ground("x").unwrap_err().contains("own-provisions"));
    }
}
