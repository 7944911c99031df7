//! Bodies: an encoded resource without its name and without what the server writes.
//!
//! Two bodies of one kind are equal exactly if their bytes are, since all are encoded in the order of the fields' numbers.

use super::stamp::{self, field_number};
use super::wire;
use crate::registry::schema::{KindId, Schemas, Shape, Value};

/// The body in an encoded resource. What the kind does not know is left out.
pub(crate) fn body(schemas: &Schemas, kind: KindId, resource: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(resource.len());
    strip(schemas, schemas.shape_of(kind), resource, true, &mut out);
    out
}

/// The name and the etag that an input resource carries.
pub(crate) fn name_and_etag(resource: &[u8]) -> (&str, &str) {
    (wire::field(resource, field_number::NAME).map_or("", |field| field.text()), stamp::etag(resource))
}

/// How many bytes the name and the etag of an input resource take in it.
pub(crate) fn name_and_etag_bytes(resource: &[u8]) -> usize {
    let both = [field_number::NAME, field_number::ETAG];
    wire::fields(resource).filter(|field| both.contains(&field.number)).map(|field| field.whole.len()).sum()
}

fn strip(schemas: &Schemas, shape: &Shape, message: &[u8], top: bool, out: &mut Vec<u8>) {
    for wire in wire::fields(message) {
        let Some(field) = shape.by_number(wire.number) else { continue };
        if field.output_only || (top && (field.identifier || field.number == field_number::ETAG)) {
            continue;
        }
        if let Value::Message(id) = field.value
            && schemas.shape(id).strips
        {
            let mut inner = Vec::with_capacity(wire.value.len());
            strip(schemas, schemas.shape(id), wire.value, false, &mut inner);
            wire::put_bytes(out, wire.number, &inner);
        } else {
            out.extend_from_slice(wire.whole);
        }
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Country, LocalizedText};
    use prost::Message as _;

    use super::*;
    use crate::registry::schema::{contract, kind_of};

    #[test]
    fn a_body_is_what_the_caller_says_and_not_what_the_server_writes() {
        let schemas = contract();
        let said = Country {
            display_name: "Korea".into(),
            region_code: "KR".into(),
            labels: [("unit".to_owned(), "asia".to_owned())].into(),
            short_names: vec![LocalizedText { language_code: "en".into(), text: "Korea".into() }],
            ..Country::default()
        };
        let sent = Country {
            name: "countries/kr".into(),
            uid: "made up".into(),
            etag: "e".into(),
            revision: 7,
            create_time: Some(prost_types::Timestamp::default()),
            creator: "me".into(),
            ..said.clone()
        };
        let mut bytes = sent.encode_to_vec();
        assert_eq!(name_and_etag(&bytes), ("countries/kr", "e"));
        wire::put_bytes(&mut bytes, 9_999, b"of another version");
        let stripped = body(&schemas, kind_of(&schemas, "countries"), &bytes);
        assert_eq!(stripped, said.encode_to_vec());
        assert_eq!(body(&schemas, kind_of(&schemas, "countries"), &stripped), stripped, "and nothing more");
        assert_eq!(name_and_etag(&stripped), ("", ""));
    }
}
