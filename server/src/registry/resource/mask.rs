//! Field masks: which fields of a resource a change means (AIP-134, AIP-161).
//!
//! A mask is a tree of fields. Paths lead through single messages; a list or a map is changed as a whole.

use std::collections::BTreeMap;

use crate::registry::resource::wire;
use crate::registry::schema::{Field, KindId, Label, Schemas, Shape, ShapeId, Value};
use crate::violations::Violations;

/// The most paths of a mask: more than any kind has fields.
const PATHS_MAX: usize = 200;

/// Which fields are meant: for each number all of the field, or a part of the message in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mask(BTreeMap<u32, Option<Mask>>);

impl Mask {
    /// Reads the paths of a mask for `kind`. Without any, the mask is of the fields that `body` has; `*` is all of them.
    pub(crate) fn parse(
        schemas: &Schemas,
        kind: KindId,
        paths: &[String],
        body: &[u8],
        violations: &mut Violations,
    ) -> Self {
        let shape = schemas.shape(schemas.kind(kind).shape);
        if paths.is_empty() {
            return Self(wire::fields(body).map(|field| (field.number, None)).collect());
        }
        if paths.len() > PATHS_MAX {
            violations.add("update_mask", format!("has at most {PATHS_MAX} paths, and this has {}", paths.len()));
            return Self::default();
        }
        if let [only] = paths
            && only == "*"
        {
            return Self(shape.fields.iter().map(|field| (field.number, None)).collect());
        }
        let mut mask = Self::default();
        for path in paths {
            if let Err(rule) = mask.add(schemas, shape, path) {
                violations
                    .add("update_mask", format!("path {:?}: {rule}", crate::registry::resource::name::short(path)));
            }
        }
        mask
    }

    fn add(&mut self, schemas: &Schemas, shape: &Shape, path: &str) -> Result<(), String> {
        if path == "*" {
            return Err("'*' stands alone".into());
        }
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let field = shape.by_name(first).ok_or_else(|| format!("{} has no field {first:?}", shape.name))?;
        match rest {
            None => {
                self.0.insert(field.number, None);
                Ok(())
            }
            Some(rest) => {
                let inner = single_message(field)
                    .ok_or_else(|| format!("{first:?} is no single message; it is changed as a whole"))?;
                match self.0.entry(field.number).or_insert_with(|| Some(Self::default())) {
                    // All of the field is meant already.
                    None => Ok(()),
                    Some(mask) => mask.add(schemas, schemas.shape(inner), rest),
                }
            }
        }
    }

    /// `old` with the fields that the mask means taken from `new`. The order of fields is that of their numbers.
    pub(crate) fn merge(&self, schemas: &Schemas, kind: KindId, old: &[u8], new: &[u8]) -> Vec<u8> {
        self.merge_message(schemas, schemas.shape(schemas.kind(kind).shape), old, new, true)
    }

    fn merge_message(&self, schemas: &Schemas, shape: &Shape, old: &[u8], new: &[u8], top: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(old.len().max(new.len()));
        for field in &shape.fields {
            match self.0.get(&field.number) {
                _ if top && field.set_at_creation => copy(field, old, &mut out),
                None => copy(field, old, &mut out),
                Some(None) => copy(field, new, &mut out),
                Some(Some(mask)) => {
                    let (old, new) = (wire::field(old, field.number), wire::field(new, field.number));
                    let (Some(inner), true) = (single_message(field), old.is_some() || new.is_some()) else { continue };
                    let (old, new) =
                        (old.map_or(&[][..], |field| field.value), new.map_or(&[][..], |field| field.value));
                    let merged = mask.merge_message(schemas, schemas.shape(inner), old, new, false);
                    wire::put_bytes(&mut out, field.number, &merged);
                }
            }
        }
        out
    }
}

fn copy(field: &Field, message: &[u8], out: &mut Vec<u8>) {
    for wire in wire::fields(message).filter(|wire| wire.number == field.number) {
        out.extend_from_slice(wire.whole);
    }
}

fn single_message(field: &Field) -> Option<ShapeId> {
    if let Value::Message(id) = field.value
        && field.label == Label::Single
    {
        Some(id)
    } else {
        None
    }
}

/// The names of the fields, or parts of single messages, in which two bodies differ.
pub(crate) fn difference(schemas: &Schemas, kind: KindId, old: &[u8], new: &[u8]) -> Vec<String> {
    let mut paths = Vec::new();
    difference_of(schemas, schemas.shape(schemas.kind(kind).shape), old, new, "", &mut paths);
    paths
}

fn difference_of(schemas: &Schemas, shape: &Shape, old: &[u8], new: &[u8], prefix: &str, paths: &mut Vec<String>) {
    for field in &shape.fields {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        copy(field, old, &mut before);
        copy(field, new, &mut after);
        if before == after {
            continue;
        }
        let path = format!("{prefix}{}", field.name);
        match (single_message(field), wire::field(old, field.number), wire::field(new, field.number)) {
            (Some(inner), Some(old), Some(new)) => {
                difference_of(schemas, schemas.shape(inner), old.value, new.value, &format!("{path}."), paths);
            }
            _ => paths.push(path),
        }
    }
}

/// The immutable fields in which two bodies of one kind differ.
pub(crate) fn immutable_changes(schemas: &Schemas, kind: KindId, old: &[u8], new: &[u8], violations: &mut Violations) {
    for field in schemas.shape(schemas.kind(kind).shape).fields.iter().filter(|field| field.immutable) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        copy(field, old, &mut before);
        copy(field, new, &mut after);
        if before != after {
            violations.add(field.name.clone(), "can be given only when the resource is created");
        }
    }
}
