//! Paths of fields, as requests write what they count by and add up: `type`, `parties.country`, `labels.programme`.

use crate::registry::query::filter::expression::Step;
use crate::registry::query::filter::path::Target;
use crate::registry::resource::mask_path::split;
use crate::registry::resource::name::short;
use crate::registry::resource::value::{LeafValue, leaf};
use crate::registry::resource::wire::{self, WireField};
use crate::registry::schema::{
    ENTRY_KEY, ENTRY_VALUE, Field, KindId, Label, Schemas, Shape, ShapeId, SharedValue, Value,
};
use crate::values::text::nfc;

/// A path to one value, or through lists to several.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldPath {
    /// The steps from the resource to the values.
    pub(crate) steps: Vec<Step>,
    /// The message that has the field at its end, and the number of that.
    last: (ShapeId, u32),
}

impl FieldPath {
    /// The path that leads to a target.
    pub(crate) fn of(target: Target<'_>) -> Self {
        Self { last: (target.shape, target.field.number), steps: target.steps }
    }

    /// Reads a path of a kind. The error is a phrase that says what is wrong with it.
    pub(crate) fn parse(schemas: &Schemas, kind: KindId, text: &str) -> Result<Self, String> {
        let (mut shape, mut steps) = (schemas.kind(kind).shape, Vec::new());
        let mut rest = Some(text).filter(|text| !text.is_empty());
        while let Some(path) = rest {
            let (name, below) = split(path)?;
            let field = by_name(schemas.shape(shape), &name)?;
            let (last, number) = ((shape, field.number), field.number);
            rest = below;
            let step = match (field.label, rest) {
                (Label::Map { .. }, None) => {
                    return Err(format!("must name an entry of {name}, which is a map, such as {name}.key"));
                }
                (Label::Map { .. }, Some(entry)) => {
                    let (key, below) = split(entry)?;
                    rest = below;
                    Step { number, repeated: false, key: Some(nfc(&key).into_owned()) }
                }
                (Label::List { .. }, _) => Step { number, repeated: true, key: None },
                (Label::Single, _) => Step { number, repeated: false, key: None },
            };
            steps.push(step);
            shape = match (&field.value, rest) {
                (Value::Message(id), Some(_)) => *id,
                (Value::Message(id), None) if !schemas.shape(*id).shared.is_some_and(SharedValue::is_single) => {
                    let fields = names(schemas.shape(*id));
                    return Err(format!("must lead to a single value, and {name} has several: {fields}"));
                }
                (_, None) => return Ok(Self { steps, last }),
                (_, Some(below)) => {
                    let whole = text.strip_suffix(below).unwrap_or(text).trim_end_matches('.');
                    let hint = match field.label {
                        Label::Map { .. } => "; a key with other letters than a-zA-Z0-9_ stands in backticks",
                        Label::Single | Label::List { .. } => "",
                    };
                    return Err(format!("must end at {whole}, which has no field {:?}{hint}", short(below)));
                }
            };
        }
        Err("must name a field".to_owned())
    }

    /// The field at its end.
    pub(crate) fn field<'a>(&self, schemas: &'a Schemas) -> Option<&'a Field> {
        schemas.shape(self.last.0).by_number(self.last.1)
    }

    /// Hands the values that a document has at its end to `each`: `None` where it leads to none, as through a message that
    /// is not set or a list without items.
    pub(crate) fn values<'a>(
        &self,
        schemas: &Schemas,
        document: &'a [u8],
        each: &mut dyn FnMut(Option<LeafValue<'a>>),
    ) {
        let Some(field) = self.field(schemas) else { return };
        follow(document, &self.steps, &mut |found| match found {
            Found::Nothing => each(None),
            Found::InMessage(value) => each(leaf(schemas, field, value)),
        });
    }
}

fn by_name<'a>(shape: &'a Shape, name: &str) -> Result<&'a Field, String> {
    let field = shape.by_name(name);
    field.ok_or_else(|| {
        format!("must name fields, and {} has no field {:?}; it has {}", shape.short_name(), short(name), names(shape))
    })
}

fn names(shape: &Shape) -> String {
    shape.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What a path leads to.
enum Found<'a> {
    /// Nothing: on the way there is no message, no item or no entry.
    Nothing,
    /// A field of a message that is there, as it stands on the wire, or does not.
    InMessage(Option<WireField<'a>>),
}

fn follow<'a>(message: &'a [u8], path: &[Step], each: &mut dyn FnMut(Found<'a>)) {
    let Some((step, rest)) = path.split_first() else { return };
    let mut below = |field: WireField<'a>| match rest {
        [] => each(Found::InMessage(Some(field))),
        _ => follow(field.value, rest, each),
    };
    if step.repeated {
        let mut any = false;
        for item in wire::fields(message).filter(|field| field.number == step.number) {
            any = true;
            below(item);
        }
        if !any {
            each(Found::Nothing);
        }
    } else if let Some(key) = &step.key {
        let is_meant = |entry: &WireField<'_>| {
            let entry_key = wire::field(entry.value, ENTRY_KEY).map_or("", |key| key.text());
            entry.number == step.number && nfc(entry_key) == key.as_str()
        };
        let entry = wire::fields(message).find(is_meant);
        each(entry.map_or(Found::Nothing, |entry| Found::InMessage(wire::field(entry.value, ENTRY_VALUE))));
    } else {
        match (wire::field(message, step.number), rest) {
            (Some(field), _) => below(field),
            (None, []) => each(Found::InMessage(None)),
            (None, _) => each(Found::Nothing),
        }
    }
}
