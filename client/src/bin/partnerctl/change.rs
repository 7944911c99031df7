//! [`Change`]: one change of a write, and what it is called in errors: `country.yaml, document 3 (countries/kr)`.
//!
//! The server says where a violation stands in its request, such as `mutations[2].update.resource.country.region_code`.
//! Whoever wrote a file or a name knows nothing of that request.

use partnership_registry_client::{Kind, v1};

/// One change of a write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// What errors call it; empty if there is no other, and the command line names it.
    pub(crate) place: String,
    /// The name of the resource; empty if the server makes one.
    pub(crate) name: String,
}

impl Change {
    /// One of several, of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self { place: name.to_owned(), name: name.to_owned() }
    }

    /// The only one.
    pub(crate) fn only(name: &str) -> Self {
        Self { place: String::new(), name: name.to_owned() }
    }
}

macro_rules! table {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        /// The fields of the envelope.
        const SINGULARS: &[&str] = &[$(<v1::$Kind as Kind>::SINGULAR,)*];
    };
}

partnership_registry::for_each_kind!(table);

/// A text of the server with the places of these changes, instead of those in its request.
pub(crate) fn with_places(text: &str, changes: &[Change]) -> String {
    let mut told = String::new();
    let mut rest = without_kind(text);
    while let Some((before, after)) = rest.split_once("mutations[") {
        told.push_str(before);
        let Some((index, behind)) = after.split_once(']') else {
            told.push_str("mutations[");
            rest = after;
            continue;
        };
        let place = index.parse().ok().and_then(|index: usize| changes.get(index)).map_or("", |change| &change.place);
        let field = without_request(behind);
        let said = field.strip_prefix(": ").unwrap_or(field);
        if place.is_empty() || said.starts_with(place) {
            rest = said;
            continue;
        }
        told.push_str(place);
        // A field of the change follows its place, as does what is said of the change as a whole.
        if field.len() < behind.len() && !field.is_empty() && !field.starts_with(": ") {
            told.push_str(": ");
        }
        rest = field;
    }
    told + rest
}

/// Without the way through a request: `.update.resource.country.region_code` is `region_code`.
fn without_request(path: &str) -> &str {
    let verbs = [".create", ".update", ".delete", ".undelete", ".rollback", ".record_events", ".void_event"];
    let Some(within) = verbs.iter().find_map(|verb| path.strip_prefix(verb)) else {
        return path.trim_start_matches('.');
    };
    match within.strip_prefix(".resource") {
        Some(resource) => {
            let resource = resource.strip_prefix('.').unwrap_or(resource);
            SINGULARS.iter().find_map(|kind| resource.strip_prefix(*kind)?.strip_prefix('.')).unwrap_or(resource)
        }
        None => within.strip_prefix('.').unwrap_or(within),
    }
}

/// Without the field that a request of a single resource holds it in: `country.region_code` is `region_code`.
fn without_kind(text: &str) -> &str {
    SINGULARS.iter().find_map(|kind| text.strip_prefix(*kind)?.strip_prefix('.')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_a_request_become_those_of_the_caller() {
        let document = Change { place: "a.yaml, document 2 (countries/kr)".into(), name: "countries/kr".into() };
        let changes = [Change::only("countries/ir"), document, Change::named("countries/xx")];
        for (text, told) in [
            ("mutations[0].update.resource.country.region_code: must be", "region_code: must be"),
            ("mutations[0]: countries/ir has changed", "countries/ir has changed"),
            ("country.region_code: must be", "region_code: must be"),
            ("name: is required", "name: is required"),
            (
                "mutations[1].update.resource.country.region_code: must be",
                "a.yaml, document 2 (countries/kr): region_code: must be",
            ),
            ("mutations[1].create.resource.country: is odd", "a.yaml, document 2 (countries/kr): country: is odd"),
            ("mutations[1].delete.name: must be", "a.yaml, document 2 (countries/kr): name: must be"),
            ("mutations[1]: countries/kr has changed", "a.yaml, document 2 (countries/kr): countries/kr has changed"),
            (
                "mutations[1]: changes countries/kr, as mutations[1] does; a commit changes a resource once",
                "a.yaml, document 2 (countries/kr): changes countries/kr, as a.yaml, document 2 (countries/kr) does; \
                 a commit changes a resource once",
            ),
            ("mutations[2]: countries/xx does not exist", "countries/xx does not exist"),
            ("mutations[1]", "a.yaml, document 2 (countries/kr)"),
            ("mutations[", "mutations["),
        ] {
            assert_eq!(with_places(text, &changes), told, "{text}");
        }
    }
}
