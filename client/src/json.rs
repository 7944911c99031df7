//! Resources as text: canonical protobuf JSON, and YAML that says the same.
//!
//! Names are those of protobuf JSON (`displayName`), enums go by name, 64-bit numbers are strings. A field that does not
//! exist is refused and named, with the one that was most likely meant. The order of keys is that of the schema, and maps are
//! sorted: equal resources have equal text. What is read may be written as people do: dates `"2025-10"`, values of enums
//! `in-force`.

pub(crate) mod contract;
mod documents;
mod order;
mod read;
mod spelling;
mod syntax;
mod written;
#[cfg(feature = "yaml")]
mod yaml;

use partnership_registry::v1::Resource;
use prost_reflect::{DynamicMessage, ReflectMessage as _, SerializeOptions};
use serde_json::Value;

use crate::error::Error;
use contract::{RESOURCE, descriptor, internal};

pub use documents::Document;
#[doc(hidden)]
pub use spelling::{closest, enum_prefix, enum_value};
pub use syntax::Syntax;
pub use written::{to_import, without_server_fields};
#[cfg(feature = "yaml")]
pub use yaml::to_yaml;

/// A JSON value of any message of the contract that is given with its full name, such as
/// `partnership.registry.v1.Commit`.
///
/// # Errors
/// `INTERNAL`: there is no such message, or this is not one.
pub fn message_to_value(full_name: &str, message: &impl prost::Message) -> Result<Value, Error> {
    let descriptor = descriptor(full_name)?;
    let dynamic = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).map_err(internal)?;
    dynamic_to_value(&dynamic)
}

/// A resource as a JSON value: `{"country": {"name": "countries/kr", …}}`.
///
/// # Errors
/// `INTERNAL`: never, for a resource that a server sent.
pub fn to_value(resource: &Resource) -> Result<Value, Error> {
    message_to_value(RESOURCE, resource)
}

/// A resource as one line of JSON, without a line break.
///
/// # Errors
/// `INTERNAL`: never, for a resource that a server sent.
pub fn to_line(resource: &Resource) -> Result<String, Error> {
    Ok(to_value(resource)?.to_string())
}

/// Reads a resource from a JSON text: an envelope such as `{"country": {…}}`.
///
/// # Errors
/// `INVALID_ARGUMENT`: the text is not JSON, or not of this form; the message names the resource, the field, the value and
/// the position.
pub fn from_str(text: &str) -> Result<Resource, Error> {
    let document = Document::new(text, Syntax::Json, 1);
    document.read(None).map_err(|error| match document.name() {
        Some(name) => Error::invalid(format!("{name}: {}", error.message())),
        None => error,
    })
}

/// Finds the resources of a text: JSON values one after the other or in an array, or YAML documents.
///
/// # Errors
/// `INVALID_ARGUMENT`: the text is not JSON; the message has the position.
pub fn documents(text: &str, syntax: Syntax) -> Result<Vec<Document<'_>>, Error> {
    match syntax {
        Syntax::Json => documents::of_json(text),
        #[cfg(feature = "yaml")]
        Syntax::Yaml => {
            let found = yaml::documents(text).into_iter();
            Ok(found.map(|(text, line)| Document::new(text, syntax, line)).collect())
        }
    }
}

/// Reads all resources of a text: JSON values one after the other or in an array, or YAML documents.
///
/// `collection` is their kind, if they have no envelope.
///
/// # Errors
/// `INVALID_ARGUMENT`: the text is of neither form, or a resource in it is malformed; the message names the field and the
/// position.
pub fn read_all(text: &str, syntax: Syntax, collection: Option<&str>) -> Result<Vec<Resource>, Error> {
    documents(text, syntax)?.iter().map(|document| document.read(collection)).collect()
}

fn dynamic_to_value(dynamic: &DynamicMessage) -> Result<Value, Error> {
    let options = SerializeOptions::new();
    let mut value = dynamic.serialize_with_options(serde_json::value::Serializer, &options).map_err(internal)?;
    order::sort_maps(&mut value, &dynamic.descriptor());
    Ok(value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::collections::BTreeMap;

    use partnership_registry::v1::{Country, CountryState, LocalizedText};
    use prost_types::Timestamp;

    use super::*;

    fn korea() -> Resource {
        Country {
            name: "countries/kr".into(),
            display_name: "Republic of Korea".into(),
            revision: 12_345_678_901,
            create_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            state: CountryState::Active.into(),
            region_code: "NO".into(),
            m49_code: "030".into(),
            official_names: vec![LocalizedText {
                language_code: "ko".into(),
                text: "대한민국\nline two: yes # no".into(),
            }],
            labels: BTreeMap::from([
                ("z".into(), "1".into()),
                ("a".into(), "true".into()),
                ("m".into(), "null".into()),
            ]),
            ..Country::default()
        }
        .into()
    }

    #[test]
    fn json_is_canonical_and_can_be_read_back() {
        let line = to_line(&korea()).unwrap();
        assert!(line.starts_with(r#"{"country":{"name":"countries/kr","displayName":"Republic of Korea","#), "{line}");
        for part in [
            r#""revision":"12345678901""#,
            r#""createTime":"2023-11-14T22:13:20Z""#,
            r#""state":"COUNTRY_STATE_ACTIVE""#,
            r#""labels":{"a":"true","m":"null","z":"1"}"#,
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert_eq!(from_str(&line).unwrap(), korea());
    }

    #[test]
    fn what_the_contract_does_not_have_is_refused_and_named() {
        for (text, part) in [
            (
                r#"{"country": {"displayNam": "x"}}"#,
                r#"displayNam: Country has no such field; did you mean "displayName"? at line 1 column 25"#,
            ),
            (r#"{"planet": {}}"#, r#"there is no kind "planet"; the kinds are country, focusArea, "#),
            (r#"{"organisation": {}}"#, r#"there is no kind "organisation"; did you mean "organization"?"#),
            (
                r#"{"country": {"name": "countries/kr", "state": "HAPPY"}}"#,
                r#"countries/kr: state: "HAPPY" is not a value of CountryState; the values are "#,
            ),
            (r#"{"country": {"focusAreas": "focusAreas/ai"}}"#, r#"focusAreas: invalid type: string "focusAreas/ai""#),
            (r#"{"country": {"documents": [{}, {"title": 7}]}}"#, "documents[1].title: invalid type: integer `7`"),
            (
                r#"{"meeting": {"startTime": "soon"}}"#,
                r#"startTime: "soon" is not a time such as 2026-01-31T12:00:00Z"#,
            ),
            (r#"{}"#, "needs a kind"),
            (r#"{"country": "#, "EOF"),
            (r#"{"country": {}} {}"#, "trailing characters"),
        ] {
            let error = from_str(text).unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn documents_keep_their_lines_and_their_names() {
        let lines = |text, syntax| -> Vec<(usize, Option<String>)> {
            documents(text, syntax).unwrap().iter().map(|document| (document.line(), document.name())).collect()
        };
        let (kr, ir) = (Some("countries/kr".to_owned()), Some("countries/ir".to_owned()));
        let inner = "{\"country\": {\"name\": \"countries/kr\", \"a\": {}}}\n\n{}\n{\"name\": \"countries/ir\"}";
        assert_eq!(lines(inner, Syntax::Json), [(1, kr.clone()), (3, None), (4, ir.clone())]);
        assert_eq!(lines("[\n{\"name\": \"countries/kr\"},\n\n7]", Syntax::Json), [(2, kr.clone()), (4, None)]);
        let error = documents("{}\n{\n", Syntax::Json).unwrap_err();
        assert!(error.message().ends_with("at line 3 column 0"), "{error}");
    }

    #[test]
    fn arrays_consecutive_values_and_resources_without_envelope_are_read() {
        let two = r#"[{"country": {"name": "countries/kr"}}, {"focusArea": {"name": "focusAreas/ai"}}]"#;
        assert_eq!(read_all(two, Syntax::Json, None).unwrap().len(), 2);
        let rows = "{\"name\": \"countries/kr\"}\n{\"name\": \"countries/ir\"}\n";
        let read = read_all(rows, Syntax::Json, Some("countries")).unwrap();
        assert_eq!(read.iter().map(Resource::name).collect::<Vec<_>>(), ["countries/kr", "countries/ir"]);
        let error = read_all(r#"{"colour": "red"}"#, Syntax::Json, Some("focusAreas")).unwrap_err();
        assert!(error.message().contains("colour"), "{error}");
    }

    #[test]
    fn what_only_the_server_writes_can_be_left_out() {
        let mut value = to_value(&without_server_fields(&korea()).unwrap()).unwrap();
        let country = value.get_mut("country").and_then(Value::as_object_mut).unwrap();
        assert!(!country.contains_key("revision") && !country.contains_key("createTime"));
        assert!(country.contains_key("name") && country.contains_key("state"));
    }
}
