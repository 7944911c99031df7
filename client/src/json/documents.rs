//! [`Document`]: one resource of a text with several, with its place in the text.

use partnership_registry::v1::Resource;
use partnership_registry::{Kind, v1};
use prost_reflect::{DynamicMessage, MessageDescriptor, Value as FieldValue};
use serde_json::Value;
use serde_json::value::RawValue;
use serde_path_to_error::{Deserializer, Track};

use super::contract::{RESOURCE, descriptor, internal};
use super::read;
use super::syntax::Syntax;
#[cfg(feature = "yaml")]
use super::yaml;
use crate::error::Error;

/// One resource of a text, not read yet.
#[derive(Debug, Clone, Copy)]
pub struct Document<'t> {
    text: &'t str,
    syntax: Syntax,
    line: usize,
}

impl<'t> Document<'t> {
    pub(super) fn new(text: &'t str, syntax: Syntax, line: usize) -> Self {
        Self { text, syntax, line }
    }

    /// The line of the text in which it begins, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether it has a single line.
    #[must_use]
    pub fn is_line(&self) -> bool {
        !self.text.contains('\n')
    }

    /// The name of its resource, as far as that can be told, whatever else is wrong with it.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let value: Value = match self.syntax {
            Syntax::Json => serde_json::from_str(self.text).ok()?,
            #[cfg(feature = "yaml")]
            Syntax::Yaml => yaml::value(self.text)?,
        };
        let held = value.as_object()?.values().next().filter(|held| held.is_object());
        let name = value.get("name").or_else(|| held?.get("name"))?.as_str()?;
        Some(name.to_owned()).filter(|name| !name.is_empty())
    }

    /// Reads it. With a `collection` it has no envelope.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: it is malformed; the message names the field, the value and the position.
    pub fn read(&self, collection: Option<&str>) -> Result<Resource, Error> {
        let envelope = descriptor(RESOURCE)?;
        let Some(collection) = collection else {
            let resource: Resource = self.message(envelope, true)?.transcode_to().map_err(internal)?;
            if resource.kind.is_none() {
                return Err(Error::invalid("the resource is empty; it needs a kind, such as {\"country\": {…}}"));
            }
            return Ok(resource);
        };
        let unknown = || Error::invalid(format!("there is no collection {collection:?}"));
        let field = envelope.get_field_by_name(singular(collection).ok_or_else(unknown)?).ok_or_else(unknown)?;
        let kind = field.kind().as_message().cloned().ok_or_else(unknown)?;
        let mut resource = DynamicMessage::new(envelope);
        resource.set_field(&field, FieldValue::Message(self.message(kind, false)?));
        resource.transcode_to().map_err(internal)
    }

    fn message(&self, message: MessageDescriptor, in_envelope: bool) -> Result<DynamicMessage, Error> {
        let mut track = Track::new();
        match self.syntax {
            Syntax::Json => {
                let mut json = serde_json::Deserializer::from_str(self.text);
                let read = read::read(message, Deserializer::new(&mut json, &mut track));
                read.and_then(|message| json.end().map(|()| message)).map_err(|error| {
                    let text = error.to_string();
                    let position = format!(" at line {} column {}", error.line(), error.column());
                    let what = text.strip_suffix(&position).unwrap_or(&text).to_owned();
                    Problem { what, line: error.line(), column: error.column() }
                })
            }
            #[cfg(feature = "yaml")]
            Syntax::Yaml => yaml::read(self.text, |yaml| read::read(message, Deserializer::new(yaml, &mut track)))
                .map_err(|(what, line, column)| Problem { what, line, column }),
        }
        .map_err(|problem| problem.at(&track.path().to_string(), in_envelope, self.line))
    }
}

/// What is wrong with a document, and where in it.
struct Problem {
    what: String,
    line: usize,
    column: usize,
}

impl Problem {
    /// The error: the field as the document has it, without its envelope; the position as the whole text has it.
    fn at(self, path: &str, in_envelope: bool, first_line: usize) -> Error {
        let within = if in_envelope { path.split_once('.').map_or("", |(_, within)| within) } else { path };
        // What is no text of its syntax is at no field.
        let within = within.trim_end_matches('?').trim_end_matches('.');
        let field = if within.is_empty() { String::new() } else { format!("{within}: ") };
        let Self { what, line, column } = self;
        let position =
            if line == 0 { String::new() } else { format!(" at line {} column {column}", first_line + line - 1) };
        Error::invalid(format!("{field}{what}{position}"))
    }
}

/// Finds the values of a JSON text: consecutive ones, or those of one array.
pub(super) fn of_json<'t>(text: &'t str) -> Result<Vec<Document<'t>>, Error> {
    let malformed = |error: serde_json::Error| Error::invalid(error.to_string());
    let values: Vec<&'t RawValue> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(malformed)?
    } else {
        serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().map_err(malformed)?
    };
    let (mut line, mut counted) = (1, 0);
    let document = |value: &'t RawValue| {
        // A value is a part of the text.
        let at = value.get().as_ptr().addr().saturating_sub(text.as_ptr().addr());
        line += text.get(counted..at).unwrap_or_default().matches('\n').count();
        counted = at;
        Document::new(value.get(), Syntax::Json, line)
    };
    Ok(values.into_iter().map(document).collect())
}

macro_rules! table {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        /// The field of a collection in the envelope.
        fn singular(collection: &str) -> Option<&'static str> {
            match collection {
                $($collection => Some(<v1::$Kind as Kind>::SINGULAR),)*
                _ => None,
            }
        }
    };
}

partnership_registry::for_each_kind!(table);
