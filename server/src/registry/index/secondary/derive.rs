//! What a document has to be found by: the values at the indexed paths of its kind, read in one walk over its bytes.

use crate::registry::resource::value::leaf;
use crate::registry::resource::wire;
use crate::registry::schema::{ENTRY_KEY, ENTRY_VALUE, Schemas};
use crate::values::text::nfc;

use super::key::{entry_key, key};
use super::paths::{Child, KindPaths, Node, PathId};

/// The values of a document: each with its path, as a key. A list can have one twice.
pub(super) fn values(schemas: &Schemas, paths: &KindPaths, document: &[u8]) -> Vec<(PathId, Vec<u8>)> {
    let mut found = Vec::with_capacity(paths.paths.len());
    walk(schemas, &paths.root, document, &mut found);
    found
}

fn walk(schemas: &Schemas, node: &Node, message: &[u8], found: &mut Vec<(PathId, Vec<u8>)>) {
    let shape = schemas.shape(node.shape);
    for field in wire::fields(message) {
        let Ok(at) = node.children.binary_search_by_key(&field.number, |(number, _)| *number) else { continue };
        match node.children.get(at).map(|(_, child)| child) {
            Some(Child::Value { path, .. }) => {
                let value = shape.by_number(field.number).and_then(|schema| leaf(schemas, schema, Some(field)));
                found.extend(value.map(|value| (*path, key(&value))));
            }
            Some(Child::Map(path)) => {
                let part = |number| wire::field(field.value, number).map_or("", |part| part.text());
                found.push((*path, entry_key(&nfc(part(ENTRY_KEY)), &nfc(part(ENTRY_VALUE)))));
            }
            Some(Child::Message(node)) => walk(schemas, node, field.value, found),
            None => {}
        }
    }
    // A value that is not written is the one that protobuf gives it, but for those that can be absent.
    for (number, child) in &node.children {
        if let Child::Value { path, is_list: false } = child
            && !wire::fields(message).any(|field| field.number == *number)
            && let Some(value) = shape.by_number(*number).and_then(|schema| leaf(schemas, schema, None))
        {
            found.push((*path, key(&value)));
        }
    }
}
