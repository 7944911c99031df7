//! What a document refers to, without the paths of the fields: for the index, which asks this of every document.
//!
//! The document was checked before it was written, so nothing is checked here.

use super::wire;
use crate::registry::schema::{Label, Schemas, ShapeId, Value};

/// Hands each name that a message refers to, as often as it stands there, to `each`.
pub(crate) fn targets<'a>(schemas: &Schemas, shape: ShapeId, message: &'a [u8], each: &mut impl FnMut(&'a str)) {
    let shape = schemas.shape(shape);
    for wire in wire::fields(message) {
        let Some(field) = shape.by_number(wire.number) else { continue };
        match (&field.value, &field.reference) {
            (Value::Message(inner), _) if field.label == Label::Map => {
                if let Some(value) = wire::field(wire.value, 2) {
                    targets(schemas, *inner, value.value, each);
                }
            }
            (Value::Message(inner), _) => targets(schemas, *inner, wire.value, each),
            (Value::Text { .. }, Some(_)) if !wire.value.is_empty() => each(wire.text()),
            (Value::Text { .. } | Value::Number { .. } | Value::Bool | Value::Enum { .. } | Value::Bytes, _) => {}
        }
    }
}
