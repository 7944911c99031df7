//! Cleaning a body: what would be no text or no date is made one that can be kept, and what was done is found.
//!
//! The check says whether there is anything to clean, so what is written here may cost something.

use partnership_registry::v1::{FindingCode, Format, PartialDate};
use prost::Message as _;

use super::name::short;
use super::path::Path;
use super::wire::{self, WireField};
use crate::findings::Findings;
use crate::registry::schema::{ENTRY_KEY, ENTRY_VALUE, Field, KindId, Label, Schemas, ShapeId, SharedValue, Value};
use crate::values::format::without_controls;
use crate::values::partial_date::{self, Strange, keep_as_text, strange, written};

/// The body without stray control characters, and with dates that no calendar has as their texts. Notes what nobody
/// could see in it any more.
pub(super) fn clean(schemas: &Schemas, kind: KindId, body: &[u8], findings: &mut Findings) -> Vec<u8> {
    Clean { schemas, findings }.message(schemas.kind(kind).shape, body, &Path::Root)
}

struct Clean<'a> {
    schemas: &'a Schemas,
    findings: &'a mut Findings,
}

impl Clean<'_> {
    fn message(&mut self, id: ShapeId, message: &[u8], path: &Path<'_>) -> Vec<u8> {
        let schemas = self.schemas;
        let shape = schemas.shape(id);
        let mut out = Vec::with_capacity(message.len());
        let mut index = 0;
        let mut before = 0;
        for wire in wire::fields(message) {
            // The values of a list stand together, as prost writes them.
            index = if wire.number == before { index + 1 } else { 0 };
            before = wire.number;
            let Some(field) = shape.by_number(wire.number) else { continue };
            match field.label {
                Label::Single => self.value(field, &wire, &Path::Field(path, &field.name), &mut out),
                Label::List { .. } => self.value(field, &wire, &Path::Item(path, &field.name, index), &mut out),
                Label::Map { .. } => self.entry(field, &wire, path, &mut out),
            }
        }
        match shape.shared {
            Some(SharedValue::PartialDate) => self.date(out, path),
            Some(SharedValue::DateInterval | SharedValue::Money | SharedValue::Timestamp) | None => out,
        }
    }

    fn entry(&mut self, field: &Field, wire: &WireField<'_>, path: &Path<'_>, out: &mut Vec<u8>) {
        let key = wire::field(wire.value, ENTRY_KEY).map_or("", |key| key.text());
        let mut entry = Vec::with_capacity(wire.value.len());
        wire::put_bytes(&mut entry, ENTRY_KEY, key.as_bytes());
        if let Some(value) = wire::field(wire.value, ENTRY_VALUE) {
            self.value(field, &value, &Path::Entry(path, &field.name, key), &mut entry);
        }
        wire::put_bytes(out, wire.number, &entry);
    }

    fn value(&mut self, field: &Field, wire: &WireField<'_>, path: &Path<'_>, out: &mut Vec<u8>) {
        match &field.value {
            Value::Message(id) => {
                let inner = self.message(*id, wire.value, path);
                wire::put_bytes(out, wire.number, &inner);
            }
            Value::Text { format, .. } => match self.text(*format, wire.text(), path) {
                Some(kept) => wire::put_bytes(out, wire.number, kept.as_bytes()),
                None => out.extend_from_slice(wire.whole),
            },
            Value::Reference(_) | Value::Number { .. } | Value::Bool | Value::Enum { .. } => {
                out.extend_from_slice(wire.whole);
            }
        }
    }

    fn text(&mut self, format: Format, text: &str, path: &Path<'_>) -> Option<String> {
        let kept = without_controls(format, text)?;
        let count = text.chars().count() - kept.chars().count();
        let (characters, were) = if count == 1 { ("character", "was") } else { ("characters", "were") };
        self.findings.add(
            FindingCode::ControlCharacters,
            path,
            format_args!("{count} control {characters} {were} taken out; {:?} is kept", short(&kept)),
        );
        Some(kept)
    }

    fn date(&mut self, message: Vec<u8>, path: &Path<'_>) -> Vec<u8> {
        let Ok(mut date) = PartialDate::decode(message.as_slice()) else { return message };
        if partial_date::check(&date).is_some() || strange(&date) != Some(Strange::Impossible) {
            return message;
        }
        let given = written(&date);
        keep_as_text(&mut date);
        // A text that is the date itself is found whenever it is looked at.
        if strange(&date).is_none() {
            self.findings.add(
                FindingCode::DateImpossible,
                path,
                format_args!("{given:?} is on no calendar; its original text {:?} is kept", short(&date.original_text)),
            );
        }
        date.encode_to_vec()
    }
}
