//! `--set field=value`: edits the JSON form of a resource, guided by its descriptor.

use partnership_registry_client::v1::{PartialDate, Resource};
use partnership_registry_client::{PartialDateError, json};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::kinds;

/// An edit: a path, and a value; an empty one clears the field.
struct Edit<'a> {
    path: &'a str,
    value: &'a str,
}

/// Edits a resource; also returns the top-level fields that were edited.
pub(crate) fn edit(resource: &Resource, edits: &[String]) -> Result<(Resource, Vec<String>), Failure> {
    let mut envelope = json::to_value(resource)?;
    let (field, descriptor) = envelope_field(resource.collection().unwrap_or_default())?;
    let kind = envelope.get_mut(field.json_name()).ok_or_else(|| Failure::usage("the resource is empty"))?;
    let mut touched = Vec::new();
    for edit in edits {
        let (path, value) =
            edit.split_once('=').ok_or_else(|| Failure::usage(format!("{edit:?} is not FIELD=VALUE")))?;
        let top = apply(kind, &descriptor, &Edit { path, value })?;
        if !touched.contains(&top) {
            touched.push(top);
        }
    }
    let edited = json::from_str(&envelope.to_string()).map_err(|error| {
        // What stands in a line that nobody wrote has no position.
        let message = error.message();
        Failure::usage(format!("--set: {}", message.rsplit_once(" at line ").map_or(message, |(what, _)| what)))
    })?;
    Ok((edited, touched))
}

/// An empty resource of a collection, with its name.
pub(crate) fn empty(collection: &str, name: &str) -> Result<Resource, Failure> {
    let (field, _) = envelope_field(collection)?;
    let kind = Map::from_iter([("name".to_owned(), Value::from(name))]);
    Ok(json::from_str(&Value::Object(Map::from_iter([(field.json_name().to_owned(), kind.into())])).to_string())?)
}

/// The field of a collection in the envelope, and its message.
fn envelope_field(collection: &str) -> Result<(FieldDescriptor, MessageDescriptor), Failure> {
    let envelope = partnership_registry::descriptors().get_message_by_name("partnership.registry.v1.Resource");
    let fields = envelope.iter().flat_map(MessageDescriptor::fields);
    // The kinds stand in the order of the envelope.
    let found = kinds::collections().zip(fields).find(|(of, _)| *of == collection);
    let (_, field) = found.ok_or_else(|| Failure::usage(format!("there is no collection {collection:?}")))?;
    let message = field.kind().as_message().cloned();
    let message = message.ok_or_else(|| Failure::usage("the envelope holds messages only"))?;
    Ok((field, message))
}

/// Makes one edit; returns the name of the top-level field.
fn apply(resource: &mut Value, message: &MessageDescriptor, edit: &Edit<'_>) -> Result<String, Failure> {
    let wrong = |what: String| Failure::usage(format!("--set {}={}: {what}", edit.path, edit.value));
    let mut top = None;
    let (mut value, mut message, mut rest) = (resource, message.clone(), edit.path);
    loop {
        let (name, deeper) = rest.split_once('.').map_or((rest, None), |(name, deeper)| (name, Some(deeper)));
        let field = message.fields().find(|field| field.name() == name || field.json_name() == name);
        let field = field.ok_or_else(|| {
            let fields: Vec<_> = message.fields().map(|field| field.name().to_owned()).collect();
            let meant = json::closest(name, fields.iter().map(String::as_str));
            let meant = meant.map(|field| format!("; did you mean {field:?}?")).unwrap_or_default();
            wrong(format!("{} has no field {name:?}{meant}", message.name()))
        })?;
        top.get_or_insert_with(|| field.name().to_owned());
        let object = value.as_object_mut().ok_or_else(|| wrong(format!("{name:?} is not within a message")))?;
        let key = field.json_name().to_owned();
        match deeper {
            None => {
                set(object, key, read(&field, edit.value).map_err(wrong)?);
                break;
            }
            Some(entry) if field.is_map() => {
                let map = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
                let map = map.as_object_mut().ok_or_else(|| wrong("it is not a map".to_owned()))?;
                set(map, entry.to_owned(), Some(Value::from(edit.value)).filter(|_| !edit.value.is_empty()));
                break;
            }
            Some(deeper) => {
                let Kind::Message(inner) = field.kind() else { return Err(wrong(format!("{name:?} has no fields"))) };
                if field.is_list() {
                    return Err(wrong(format!("{name:?} is a list and can only be set as a whole, as JSON")));
                }
                value = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
                (message, rest) = (inner, deeper);
            }
        }
    }
    Ok(top.unwrap_or_default())
}

fn set(object: &mut Map<String, Value>, key: String, value: Option<Value>) {
    match value {
        Some(value) => drop(object.insert(key, value)),
        None => drop(object.shift_remove(&key)),
    }
}

/// The JSON of a value. `None`: the field is cleared.
fn read(field: &FieldDescriptor, text: &str) -> Result<Option<Value>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let kind = field.kind();
    if field.is_list() && !text.trim_start().starts_with('[') {
        // A list of scalars may be written with commas.
        if matches!(kind, Kind::Message(_)) {
            return Err("must be a JSON list, such as '[{…}]'".to_owned());
        }
        return text.split(',').map(|item| scalar(&kind, item.trim())).collect::<Result<_, _>>().map(Some);
    }
    if is_date(&kind) && !field.is_list() && !text.starts_with('{') {
        return match text.parse::<PartialDate>() {
            // Of one that no calendar has the server keeps the text, and says so.
            Ok(_) | Err(PartialDateError::NotInCalendar { .. }) => Ok(Some(Value::from(text))),
            Err(error) => Err(error.to_string()),
        };
    }
    if field.is_list() || matches!(kind, Kind::Message(_)) {
        // A Timestamp is a string in JSON, and needs no quotes here.
        return match serde_json::from_str(text) {
            Ok(value) => Ok(Some(value)),
            Err(_) if is_text(&kind) => Ok(Some(Value::from(text))),
            Err(error) => Err(format!("it is not JSON: {error}")),
        };
    }
    scalar(&kind, text).map(Some)
}

/// A date is written as people write it: `2025-10`.
fn is_date(kind: &Kind) -> bool {
    kind.as_message().is_some_and(|message| message.full_name() == "partnership.registry.v1.PartialDate")
}

fn is_text(kind: &Kind) -> bool {
    kind.as_message().is_some_and(|message| message.full_name().starts_with("google.protobuf."))
}

fn scalar(kind: &Kind, text: &str) -> Result<Value, String> {
    if let Kind::Enum(of) = kind {
        return json::enum_value(of, text).map(|value| Value::from(value.name()));
    }
    if matches!(kind, Kind::Bool) {
        return text.parse::<bool>().map(Value::from).map_err(|_| "must be true or false".to_owned());
    }
    // Numbers are strings to protobuf JSON as well.
    Ok(Value::from(text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use partnership_registry_client::v1::{Agreement, AgreementState, resource};

    use super::*;

    fn edited(edits: &[&str]) -> Result<(Agreement, Vec<String>), Failure> {
        let edits: Vec<_> = edits.iter().map(|&edit| edit.to_owned()).collect();
        let (resource, touched) = edit(&empty("agreements", "agreements/a")?, &edits)?;
        let Some(resource::Kind::Agreement(agreement)) = resource.kind else { panic!("another kind") };
        Ok((agreement, touched))
    }

    #[test]
    fn values_are_converted_to_the_types_of_their_fields() {
        let (agreement, touched) = edited(&[
            "display_name=Treaty = good",
            "state=in-force",
            "labels.topic=peace",
            "labels.region=asia",
            "term.indefinite=true",
            "conclusionDate.year=1968",
            "term.expiry_date=1978-05~",
            "authentic_language_codes=en, fa",
            "parties=[{\"country\": \"countries/kr\"}]",
            "short_title=x",
            "shortTitle=",
        ])
        .unwrap();
        assert_eq!((agreement.name.as_str(), agreement.display_name.as_str()), ("agreements/a", "Treaty = good"));
        assert_eq!(agreement.state(), AgreementState::InForce);
        assert_eq!(agreement.labels["topic"], "peace");
        let term = agreement.term.unwrap();
        assert!(term.indefinite);
        assert_eq!(term.expiry_date.unwrap().to_string(), "1978-05~");
        assert_eq!(agreement.conclusion_date.unwrap().year, 1968);
        assert_eq!(agreement.authentic_language_codes, ["en", "fa"]);
        assert_eq!(agreement.parties[0].country, "countries/kr");
        assert_eq!(agreement.short_title, "");
        let expected = "display_name state labels term conclusion_date authentic_language_codes parties short_title";
        assert_eq!(touched.join(" "), expected);
    }

    #[test]
    fn mistakes_are_named() {
        for (edit, part) in [
            ("display_name", "FIELD=VALUE"),
            ("displaynam=x", "no field \"displaynam\"; did you mean \"display_name\"?"),
            ("state=happy", "the values are"),
            ("state=inforce", "did you mean IN_FORCE?"),
            ("term.indefinite=maybe", "true or false"),
            ("parties=kr", "a JSON list"),
            ("conclusion_date=soon", "\"soon\" is not a date such as 2025-10-15"),
            ("parties.country=kr", "as a whole"),
            ("display_name.x=1", "has no fields"),
        ] {
            let failure = edited(&[edit]).unwrap_err().to_string();
            assert!(failure.contains(part), "{edit}: {failure}");
        }
    }
}
