//! What a document refers to, without the paths of the fields: for the index, which asks this of every document.
//!
//! The document was checked before it was written, so nothing is checked here.

use super::wire;
use crate::registry::schema::{Schemas, ShapeId, Value};

/// Hands each name that a message refers to, as often as it stands there, to `each`.
pub(crate) fn targets<'a>(schemas: &Schemas, shape: ShapeId, message: &'a [u8], each: &mut impl FnMut(&'a str)) {
    let shape = schemas.shape(shape);
    for wire in wire::fields(message) {
        let Some(field) = shape.by_number(wire.number) else { continue };
        match field.value {
            Value::Message(inner) => targets(schemas, inner, wire.value, each),
            Value::Reference(_) if !wire.value.is_empty() => each(wire.text()),
            Value::Reference(_) | Value::Text { .. } | Value::Number { .. } | Value::Bool | Value::Enum { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Meeting, MeetingParticipant};
    use prost::Message as _;

    use super::*;
    use crate::registry::schema::{contract, kind_of};

    #[test]
    fn every_reference_is_found_at_any_depth_and_nothing_else() {
        let schemas = contract();
        let participant = |organization: &str| MeetingParticipant {
            organization: organization.into(),
            ..MeetingParticipant::default()
        };
        let meeting = Meeting {
            name: "meetings/a".into(),
            display_name: "countries/kr".into(),
            participants: vec![participant("organizations/a"), participant(""), participant("organizations/b")],
            topics: vec!["focusAreas/ai".into()],
            ..Meeting::default()
        }
        .encode_to_vec();
        let mut found = Vec::new();
        targets(&schemas, schemas.kind(kind_of(&schemas, "meetings")).shape, &meeting, &mut |name| found.push(name));
        found.sort_unstable();
        assert_eq!(found, ["focusAreas/ai", "organizations/a", "organizations/b"]);
    }
}
