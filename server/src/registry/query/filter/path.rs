//! Paths: from the names of fields to the steps that lead to a value, by the schema of a kind.

use super::error::Error;
use super::expression::Step;
use super::lex::{Segment, shown};
use crate::registry::resource::name::short;
use crate::registry::schema::{Field, KindId, Label, Reference, Schemas, Shape, ShapeId, Value};
use crate::values::text::nfc;

/// How alike a name has to be to the one that may have been meant: one letter of four may be wrong.
const ALIKE: f64 = 0.75;
/// The most bytes of a word for which it is asked what was meant: no name is longer, and to ask costs their product.
const MEANT_BYTES_MAX: usize = 64;

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) steps: Vec<Step>,
    /// The last field, and the message that has it.
    pub(crate) field: &'a Field,
    pub(crate) shape: ShapeId,
    pub(crate) end: End,
}

/// What stands at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A single value, or a list of them.
    Value,
    /// A message of several fields, or a list of them.
    Message(ShapeId),
    /// A map as a whole.
    Map,
    /// The text of one entry of a map.
    Entry,
}

impl Target<'_> {
    /// Whether it leads to any number of values.
    pub(crate) fn is_in_list(&self) -> bool {
        self.steps.iter().any(|step| step.repeated)
    }
}

/// Follows a path from a message down.
pub(crate) fn follow<'a>(schemas: &'a Schemas, from: ShapeId, path: &[Segment]) -> Result<Target<'a>, Error> {
    let mut shape = from;
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        let Some((segment, below)) = rest.split_first() else {
            return Err(Error::new(path.first().map_or(0, |first| first.at), "must name a field"));
        };
        let field = by_name(schemas.shape(shape), segment)?;
        let number = field.number;
        if let Label::Map { .. } = field.label {
            let (step, end) = match below.first() {
                None => (Step { number, repeated: true, key: None }, End::Map),
                Some(first) => (Step { number, repeated: false, key: Some(key(below, first.at)?) }, End::Entry),
            };
            steps.push(step);
            return Ok(Target { steps, field, shape, end });
        }
        steps.push(Step { number, repeated: field.label != Label::Single, key: None });
        match (&field.value, below.first()) {
            (Value::Message(id), None) => {
                let single = schemas.shape(*id).shared.is_some_and(|shared| shared.is_single());
                let end = if single { End::Value } else { End::Message(*id) };
                return Ok(Target { steps, field, shape, end });
            }
            (_, None) => return Ok(Target { steps, field, shape, end: End::Value }),
            (Value::Message(id), Some(_)) => (shape, rest) = (*id, below),
            (_, Some(first)) => {
                let rule = format!("must test fields, and {:?} has no field {:?}", field.name, shown(below));
                return Err(Error::new(first.at, rule));
            }
        }
    }
}

/// The key that stands in a path: all that is left of it, dots included.
fn key(segments: &[Segment], at: usize) -> Result<String, Error> {
    let parts: Option<Vec<_>> = segments.iter().map(|segment| segment.text.plain()).collect();
    match parts.map(|parts| parts.join(".")) {
        Some(key) if key.is_empty() => Err(Error::new(at, "must have a key behind the dot")),
        Some(key) => Ok(nfc(&key).into_owned()),
        None => Err(Error::new(at, format!("must name one key, without wildcards, and {:?} is none", shown(segments)))),
    }
}

fn by_name<'a>(shape: &'a Shape, segment: &Segment) -> Result<&'a Field, Error> {
    let name = segment.text.written();
    // A text in quotation marks is never the name of a field.
    let found = shape.by_name(&name).filter(|_| !segment.quoted);
    found.ok_or_else(|| {
        let names = || shape.fields.iter().map(|field| field.name.as_str());
        let hint = match closest(&name, names()) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => format!("its fields are {}", names().collect::<Vec<_>>().join(", ")),
        };
        let rule = format!("must name fields, and {} has no field {:?}; {hint}", shape.short_name(), short(&name));
        Error::new(segment.at, rule)
    })
}

/// The name that was most likely meant; separators and case are not looked at.
pub(crate) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > MEANT_BYTES_MAX {
        return None;
    }
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', '-'], "");
    let word = plain(word);
    let rated = known.map(|known| (strsim::normalized_damerau_levenshtein(&word, &plain(known)), known));
    let best = rated.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(likeness, _)| *likeness >= ALIKE).map(|(_, known)| known)
}

/// The paths to the references of a kind that `wanted` takes, wherever they stand.
pub(crate) fn references(
    schemas: &Schemas,
    kind: KindId,
    wanted: &impl Fn(&Field, &Reference) -> bool,
) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    collect(schemas, schemas.shape_of(kind), &mut Vec::new(), wanted, &mut found);
    found
}

fn collect(
    schemas: &Schemas,
    shape: &Shape,
    way: &mut Vec<Step>,
    wanted: &impl Fn(&Field, &Reference) -> bool,
    found: &mut Vec<Vec<Step>>,
) {
    for field in &shape.fields {
        way.push(Step { number: field.number, repeated: field.label != Label::Single, key: None });
        match &field.value {
            Value::Reference(reference) if wanted(field, reference) => found.push(way.clone()),
            Value::Message(id) => collect(schemas, schemas.shape(*id), way, wanted, found),
            Value::Reference(_) | Value::Text { .. } | Value::Number { .. } | Value::Bool | Value::Enum { .. } => {}
        }
        way.pop();
    }
}
