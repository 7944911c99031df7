//! The fields of a resource as short text for the cells of a table, guided by its descriptor.

use partnership_registry_client::json::enum_prefix;
use partnership_registry_client::v1::{PartialDate, Resource};
use prost::Message as _;
use prost_reflect::{DynamicMessage, EnumDescriptor, Kind, MapKey, ReflectMessage as _, Value};

use crate::failure::Failure;
use crate::money;
use crate::time;

/// A message is shown by the first of these fields that it has.
const SUMMARY_FIELDS: &[&str] = &[
    "country",
    "organization",
    "official",
    "unresolved_name",
    "name",
    "nominee",
    "title",
    "text",
    "id",
    "code",
    "number",
    "amount",
    "locality",
    "value",
    "head",
];

/// The fields of a resource.
pub(crate) struct Fields {
    kind: DynamicMessage,
}

impl Fields {
    pub(crate) fn of(resource: &Resource) -> Result<Self, Failure> {
        let broken = || Failure::Local("the resource is of a contract that this program does not know".to_owned());
        let descriptor = partnership_registry::descriptors().get_message_by_name("partnership.registry.v1.Resource");
        let envelope = DynamicMessage::decode(descriptor.ok_or_else(broken)?, resource.encode_to_vec().as_slice());
        let envelope = envelope.map_err(|_| broken())?;
        let held = envelope.fields().next().and_then(|(_, value)| value.as_message().cloned());
        Ok(Self { kind: held.ok_or_else(broken)? })
    }

    /// The field of a path such as `display_name` or `labels.programme`, as a short text; empty if it is not set, or does
    /// not exist.
    pub(crate) fn text(&self, path: &str) -> String {
        path_text(&self.kind, path)
    }
}

fn path_text(message: &DynamicMessage, path: &str) -> String {
    let Some((first, rest)) = path.split_once('.') else { return field_text(message, path) };
    match message.get_field_by_name(first).as_deref() {
        Some(Value::Message(inner)) => path_text(inner, rest),
        Some(Value::Map(entries)) => {
            let key = MapKey::String(rest.trim_matches('`').to_owned());
            entries.get(&key).and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        Some(_) | None => String::new(),
    }
}

fn field_text(message: &DynamicMessage, name: &str) -> String {
    let Some(field) = message.descriptor().get_field_by_name(name) else { return String::new() };
    if !message.has_field(&field) {
        return String::new();
    }
    value_text(&message.get_field(&field), &field.kind())
}

fn value_text(value: &Value, kind: &Kind) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::EnumNumber(number) => kind.as_enum().map_or_else(|| number.to_string(), |of| enum_text(of, *number)),
        Value::List(items) => items.iter().map(|item| value_text(item, kind)).collect::<Vec<_>>().join(","),
        Value::Map(entries) => {
            let entry = |(key, value): (&MapKey, &Value)| {
                let key = key.as_str().unwrap_or_default();
                format!("{key}={}", value.as_str().unwrap_or("…"))
            };
            let mut entries: Vec<_> = entries.iter().map(entry).collect();
            entries.sort();
            entries.join(",")
        }
        Value::Message(message) => message_text(message),
        Value::Bool(value) => value.to_string(),
        Value::I32(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::U32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::F32(value) => value.to_string(),
        Value::F64(value) => value.to_string(),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
    }
}

fn message_text(message: &DynamicMessage) -> String {
    match message.descriptor().full_name() {
        "google.protobuf.Timestamp" => message.transcode_to().map(|stamp| time::text(Some(stamp))).unwrap_or_default(),
        "google.type.Money" => message.transcode_to().map(|sum| money::text(&sum)).unwrap_or_default(),
        "partnership.registry.v1.PartialDate" => {
            message.transcode_to::<PartialDate>().map(|date| date.to_string()).unwrap_or_default()
        }
        "partnership.registry.v1.Finding" => field_text(message, "code"),
        "partnership.registry.v1.DateInterval" => {
            format!("{}/{}", field_text(message, "start_date"), field_text(message, "end_date"))
        }
        _ => {
            let summary = SUMMARY_FIELDS.iter().map(|field| field_text(message, field)).find(|text| !text.is_empty());
            summary.unwrap_or_else(|| "…".to_owned())
        }
    }
}

/// The value of an enum without the common prefix: `IN_FORCE`.
fn enum_text(of: &EnumDescriptor, number: i32) -> String {
    let Some(value) = of.get_value(number) else { return number.to_string() };
    let prefix = enum_prefix(of);
    value.name().strip_prefix(&prefix).unwrap_or(value.name()).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::collections::BTreeMap;

    use partnership_registry_client::Timestamp;
    use partnership_registry_client::v1::{Agreement, AgreementParty, AgreementState, Finding, FindingCode, Place};

    use super::*;

    #[test]
    fn values_are_short_and_readable() {
        let party = |country: &str, name: &str| AgreementParty {
            country: country.into(),
            unresolved_name: name.into(),
            ..AgreementParty::default()
        };
        let finding = |code| Finding { code, field: "title".into(), text: "is odd".into() };
        let agreement = Agreement {
            state: AgreementState::InForce.into(),
            conclusion_date: Some(PartialDate { approximate: true, ..PartialDate::month(1968, 5) }),
            conclusion_place: Some(Place { locality: "Tehran".into(), ..Place::default() }),
            create_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            labels: BTreeMap::from([("z".into(), "1".into()), ("a".into(), "2".into())]),
            parties: vec![party("countries/kr", ""), party("", "Siam")],
            revision: 7,
            findings: vec![finding(FindingCode::LinkNotUri.into()), finding(77)],
            ..Agreement::default()
        };
        let fields = Fields::of(&agreement.into()).unwrap();
        for (field, text) in [
            ("state", "IN_FORCE"),
            ("conclusion_date", "1968-05~"),
            ("conclusion_place", "Tehran"),
            ("create_time", "2023-11-14T22:13:20Z"),
            ("labels", "a=2,z=1"),
            ("parties", "countries/kr,Siam"),
            ("revision", "7"),
            ("findings", "LINK_NOT_URI,77"),
            ("labels.z", "1"),
            ("labels.`z`", "1"),
            ("labels.y", ""),
            ("conclusion_date.year", "1968"),
            ("display_name.x", ""),
            ("parent", ""),
            ("no_such_field", ""),
        ] {
            assert_eq!(fields.text(field), text, "{field}");
        }
    }
}
