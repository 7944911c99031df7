//! Paths of fields, as requests write what they count by and add up: `type`, `parties.country`, `labels.programme`. The
//! grammar is that of filters.

use crate::registry::query::computed::Needs;
use crate::registry::query::filter::error::Error;
use crate::registry::query::filter::expression::Step;
use crate::registry::query::filter::lex::{Token, TokenValue};
use crate::registry::query::filter::path::{End, follow as resolve};
use crate::registry::resource::value::{LeafValue, leaf};
use crate::registry::resource::wire::{self, WireField};
use crate::registry::schema::{ENTRY_KEY, ENTRY_VALUE, Field, KindId, Schemas, ShapeId};
use crate::values::text::nfc;

/// A path to one value, or through lists to several.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldPath {
    /// The steps from the resource to the values.
    pub(crate) steps: Vec<Step>,
    /// The message that has the field at its end, and the number of that.
    last: (ShapeId, u32),
    /// What it asks of that which is computed.
    pub(crate) needs: Needs,
}

impl FieldPath {
    /// Reads a path of a kind, of which `purpose` is done with the values, such as `count by`.
    pub(crate) fn of(schemas: &Schemas, kind: KindId, token: &Token, purpose: &str) -> Result<Self, Error> {
        let name = token.shown();
        let TokenValue::Word(path) = &token.value else {
            return Err(Error::new(token.at, format!("must have a field here, and has {name:?}")));
        };
        let target = resolve(schemas, schemas.kind(kind).shape, path)?;
        match target.end {
            End::Value | End::Entry => {
                let (last, needs) = ((target.shape, target.field.number), Needs::of(schemas, kind, &target.steps));
                Ok(Self { steps: target.steps, last, needs })
            }
            End::Map => {
                let rule = format!("must {purpose} one key of {name}, as in {name}.key, and {name} is a map");
                Err(Error::new(token.at, rule))
            }
            End::Message(shape) => {
                let fields: Vec<_> = schemas.shape(shape).fields.iter().map(|field| field.name.as_str()).collect();
                let fields = fields.join(", ");
                let rule = format!("must {purpose} single values, and {name:?} is a message; its fields are {fields}");
                Err(Error::new(token.at, rule))
            }
        }
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
