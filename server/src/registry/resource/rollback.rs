//! The body that a rollback writes: that of an earlier revision, but for what only methods made for it move.
//!
//! Whether it may be written is asked elsewhere: an old body may break the rules of today.

use super::wire;
use crate::registry::schema::Shape;

/// The body `then` with the fields that are set at creation taken from `now`, the body of today. The order of fields is
/// that of their numbers.
pub(crate) fn restored(shape: &Shape, now: &[u8], then: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(now.len().max(then.len()));
    for field in &shape.fields {
        let source = if field.set_at_creation { now } else { then };
        for wire in wire::fields(source).filter(|wire| wire.number == field.number) {
            out.extend_from_slice(wire.whole);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Country, CountryState};
    use prost::Message as _;

    use super::*;
    use crate::registry::schema::{contract, kind_of};

    #[test]
    fn all_is_as_it_was_but_the_state() {
        let schemas = contract();
        let shape = schemas.shape_of(kind_of(&schemas, "countries"));
        let country = |name: &str, state: CountryState, successors: &[&str]| Country {
            display_name: name.into(),
            state: state.into(),
            successors: successors.iter().map(|name| (*name).to_owned()).collect(),
            ..Country::default()
        };
        let then = country("then", CountryState::Active, &["countries/a", "countries/b"]);
        let now = Country { capital: "Seoul".into(), ..country("now", CountryState::Dormant, &[]) };
        let expected = country("then", CountryState::Dormant, &["countries/a", "countries/b"]);
        let restored = restored(shape, &now.encode_to_vec(), &then.encode_to_vec());
        assert_eq!(Country::decode(restored.as_slice()).unwrap(), expected);
    }
}
