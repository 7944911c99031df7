//! From descriptors to tables: walks the messages from the `Resource` envelope down, and each one once.
//!
//! What no field of the contract uses is refused here rather than half supported everywhere else: the first `.proto` that
//! needs it stops the start with a sentence, and no value of it is ever stored unchecked.

use std::collections::HashMap;

use partnership_registry::v1::Format;
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind as Type, MessageDescriptor};

use super::annotations::{Annotations, Behavior, RuleOption};
use super::tables::{
    Field, KindId, KindSchema, Label, NumberType, ParentField, Reference, Schemas, Shape, ShapeId, SharedValue, Value,
};
use crate::kinds::KindRules;

const PACKAGE: &str = "partnership.registry.v1";
const ENVELOPE: &str = "partnership.registry.v1.Resource";

/// A text with a form that its package has no annotation for.
const CURRENCY_OF_MONEY: &str = "google.type.Money.currency_code";

/// The most characters of a text whose field names no limit (FieldRule.max_length).
const LENGTH_MAX_DEFAULT: usize = 4_096;
/// The most items of a list or map whose field names no limit (FieldRule.max_items).
const ITEMS_MAX_DEFAULT: usize = 1_000;

impl Schemas {
    /// Reads the rules of all kinds of the contract; `rules` has those of each. Fails, with a phrase, on a contract that
    /// contradicts itself or says what the registry would not enforce: a mistake of the build, found at every start.
    pub(crate) fn new(pool: &DescriptorPool, rules: &[KindRules]) -> Result<Self, String> {
        read(pool, rules)
    }
}

fn read(pool: &DescriptorPool, rules: &[KindRules]) -> Result<Schemas, String> {
    let envelope = pool.get_message_by_name(ENVELOPE).ok_or_else(|| format!("there is no message {ENVELOPE}"))?;
    let annotations = Annotations::new(pool)?;
    let mut found = Vec::new();
    let mut by_type = HashMap::new();
    for (index, field) in envelope.fields().enumerate() {
        let Type::Message(message) = field.kind() else { return Err(format!("{} is no message", field.full_name())) };
        let rules = rules.iter().find(|rules| rules.singular == field.name());
        let rules = *rules.ok_or_else(|| format!("the kind {} has no rules", field.name()))?;
        let resource = annotations.resource(&message)?;
        if by_type.insert(resource.resource_type.clone(), KindId(index)).is_some() {
            return Err(format!("two kinds have the type {}", resource.resource_type));
        }
        found.push((field.number(), message, resource, rules));
    }
    let mut reader = Reader { annotations, by_type, shapes: Vec::new(), by_name: HashMap::new(), open: Vec::new() };
    let mut schemas =
        Schemas { kinds: Vec::new(), shapes: Vec::new(), by_collection: HashMap::new(), by_tag: HashMap::new() };
    for (tag, message, resource, rules) in found {
        let id = KindId(schemas.kinds.len());
        let shape = reader.message(&message)?;
        if schemas.by_collection.insert(resource.collection.clone(), id).is_some() {
            return Err(format!("two kinds have the collection {}", resource.collection));
        }
        schemas.by_tag.insert(tag, id);
        let parent = parent_field(&message, reader.shapes.get(shape.0), id)?;
        schemas.kinds.push(KindSchema { collection: resource.collection, tag, shape, parent, rules });
    }
    schemas.shapes = reader.shapes;
    Ok(schemas)
}

/// The field that leads to the parent. Fails on more than one, and on one that may lead anywhere but to one resource of the
/// same kind.
fn parent_field(
    message: &MessageDescriptor,
    shape: Option<&Shape>,
    kind: KindId,
) -> Result<Option<ParentField>, String> {
    let mut found = None;
    for field in shape.into_iter().flat_map(|shape| &shape.fields) {
        let Some(ancestors_max) = field.ancestors_max else { continue };
        let leads = matches!(&field.value, Value::Reference(Reference::Kind(target)) if *target == kind);
        if !leads || field.label != Label::Single {
            return Err(format!(
                "{}.{} has a number of ancestors, and is no single reference to the same kind",
                message.full_name(),
                field.name
            ));
        }
        let parent = ParentField { number: field.number, name: field.name.clone(), ancestors_max };
        if found.replace(parent).is_some() {
            return Err(format!("{} has two fields with a number of ancestors", message.full_name()));
        }
    }
    Ok(found)
}

struct Reader {
    annotations: Annotations,
    by_type: HashMap<String, KindId>,
    shapes: Vec<Shape>,
    by_name: HashMap<String, ShapeId>,
    /// The names of the messages that are being read, from the kind down.
    open: Vec<String>,
}

impl Reader {
    fn message(&mut self, message: &MessageDescriptor) -> Result<ShapeId, String> {
        let name = message.full_name();
        if let Some(id) = self.by_name.get(name) {
            return Ok(*id);
        }
        // So no check needs a limit of its own on how deep messages stand in one another.
        if self.open.iter().any(|open| open == name) {
            return Err(format!("{name} holds itself, which the registry does not support"));
        }
        if message.oneofs().any(|oneof| !oneof.is_synthetic()) {
            return Err(format!("{name} has a oneof, which the registry does not support in a resource"));
        }
        let shared = shared_value(message)?;
        self.open.push(name.to_owned());
        let mut fields = message.fields().map(|field| self.field(&field)).collect::<Result<Vec<_>, _>>()?;
        self.open.pop();
        fields.sort_by_key(|field| field.number);
        let strips = fields.iter().any(|field| field.output_only || self.strips(field));
        let id = ShapeId(self.shapes.len());
        self.shapes.push(Shape { name: name.to_owned(), fields, strips, shared });
        self.by_name.insert(name.to_owned(), id);
        Ok(id)
    }

    /// Whether a field holds a message that has output-only fields.
    fn strips(&self, field: &Field) -> bool {
        match field.value {
            Value::Message(id) => self.shapes.get(id.0).is_some_and(|shape| shape.strips),
            Value::Text { .. } | Value::Reference(_) | Value::Number { .. } | Value::Bool | Value::Enum { .. } => false,
        }
    }

    fn field(&mut self, field: &FieldDescriptor) -> Result<Field, String> {
        let name = field.full_name();
        let mut rule = self.annotations.rule(field)?;
        if name == CURRENCY_OF_MONEY {
            rule.format = Format::CurrencyCode;
        }
        let behaviors = self.annotations.behaviors(field)?;
        let behaves = |behavior| behaviors.contains(&behavior);
        let (label, value) = if field.is_map() {
            (map(field, &rule)?, text(Format::Unspecified, &rule))
        } else {
            (label(field, &rule, behaves(Behavior::OutputOnly))?, self.value(field, &rule)?)
        };
        let read = Field {
            number: field.number(),
            name: field.name().to_owned(),
            label,
            value,
            has_presence: field.supports_presence(),
            required: behaves(Behavior::Required),
            immutable: behaves(Behavior::Immutable),
            output_only: behaves(Behavior::OutputOnly),
            identifier: behaves(Behavior::Identifier),
            set_at_creation: rule.set_at_creation,
            ancestors_max: (rule.ancestors_max > 0).then_some(rule.ancestors_max),
            indexed: rule.indexed,
            party: rule.party,
            moved_by: std::mem::take(&mut rule.moved_by),
            filled_in: rule.filled_in,
        };
        if (rule.min.is_some() || rule.max.is_some()) && !matches!(read.value, Value::Number { .. }) {
            return Err(format!("{name} has a bound, and is no number"));
        }
        let texts = matches!(read.value, Value::Text { .. });
        if (rule.length_max != 0 || rule.format != Format::Unspecified) && !texts {
            return Err(format!("{name} has a length or a format, and is no text"));
        }
        if !rule.reference_types.is_empty() && !matches!(read.value, Value::Reference(Reference::OneOf(_))) {
            return Err(format!("{name} has types of references, and no resource_reference of the type *"));
        }
        if read.ancestors_max.is_some() && self.open.len() > 1 {
            return Err(format!("{name} has a number of ancestors, and is no field of a kind"));
        }
        if read.party && !matches!(read.value, Value::Reference(_)) {
            return Err(format!("{name} says who takes part, and is no reference"));
        }
        if !read.moved_by.is_empty() && !read.set_at_creation {
            return Err(format!("{name} is moved by methods, and is not set at creation"));
        }
        let pool = field.parent_pool();
        let methods = || pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        if let Some(none) = read.moved_by.iter().find(|moved_by| methods().all(|method| method.name() != *moved_by)) {
            return Err(format!("{name} is moved by {none}, which is no method"));
        }
        if read.filled_in && self.open.len() < 2 {
            return Err(format!("{name} is filled in by the server, and is a field of a kind"));
        }
        let value = match &read.value {
            Value::Message(id) => {
                self.shapes.get(id.0).is_some_and(|shape| shape.shared.is_some_and(SharedValue::is_single))
            }
            Value::Text { .. } | Value::Reference(_) | Value::Number { .. } | Value::Bool | Value::Enum { .. } => true,
        };
        if read.indexed && !value {
            return Err(format!("{name} is indexed, and is a message of several values"));
        }
        // What is said nowhere would be enforced nowhere: a field that nobody thought about is found at once.
        if behaviors.is_empty() && field.parent_message().package_name() == PACKAGE {
            return Err(format!("{name} does not say how it behaves (google.api.field_behavior)"));
        }
        let of_kind = read.immutable || read.identifier || read.set_at_creation;
        if of_kind && self.open.len() > 1 {
            return Err(format!("{name} is immutable, an identifier or set at creation, and no field of a kind"));
        }
        Ok(read)
    }

    fn value(&mut self, field: &FieldDescriptor, rule: &RuleOption) -> Result<Value, String> {
        let name = field.full_name();
        let number = |number| Ok(Value::Number { number, min: rule.min, max: rule.max });
        match (self.annotations.reference(field), field.kind()) {
            (Some(target), Type::String) => self.reference(name, &target, rule).map(Value::Reference),
            (Some(_), _) => Err(format!("{name} is a reference, and no string")),
            (None, Type::String) => Ok(text(rule.format, rule)),
            (None, Type::Bool) => Ok(Value::Bool),
            (None, Type::Int32 | Type::Int64) => number(NumberType::Signed),
            (None, Type::Uint64) => number(NumberType::Unsigned),
            (None, Type::Double) => number(NumberType::Double),
            (None, Type::Enum(names)) => Ok(Value::Enum {
                values: names.values().map(|value| (value.number(), value.name().to_owned())).collect(),
            }),
            (None, Type::Message(message)) => self.message(&message).map(Value::Message),
            (
                None,
                unused @ (Type::Uint32
                | Type::Sint32
                | Type::Sint64
                | Type::Fixed32
                | Type::Fixed64
                | Type::Sfixed32
                | Type::Sfixed64
                | Type::Float
                | Type::Bytes),
            ) => Err(format!("{name} is of the type {unused:?}, which the registry does not support")),
        }
    }

    fn reference(&self, name: &str, target: &str, rule: &RuleOption) -> Result<Reference, String> {
        let kind = |target: &String| {
            self.by_type.get(target).copied().ok_or_else(|| format!("{name} refers to {target}, no kind"))
        };
        match (target, rule.reference_types.as_slice()) {
            ("*", []) => Ok(Reference::Any),
            ("*", types) => types.iter().map(kind).collect::<Result<_, _>>().map(Reference::OneOf),
            (target, _) => kind(&target.to_owned()).map(Reference::Kind),
        }
    }
}

fn text(format: Format, rule: &RuleOption) -> Value {
    Value::Text { format, length_max: if rule.length_max == 0 { LENGTH_MAX_DEFAULT } else { rule.length_max } }
}

fn items_max(rule: &RuleOption) -> usize {
    if rule.items_max == 0 { ITEMS_MAX_DEFAULT } else { rule.items_max }
}

fn label(field: &FieldDescriptor, rule: &RuleOption, output_only: bool) -> Result<Label, String> {
    match (field.is_list(), field.kind()) {
        (false, _) if rule.items_max != 0 => {
            Err(format!("{} has a number of items, and is no list", field.full_name()))
        }
        (false, _) => Ok(Label::Single),
        (true, Type::String | Type::Message(_)) => Ok(Label::List { items_max: items_max(rule) }),
        // What the server alone writes has a field of the wire for each item, as other lists have.
        (true, Type::Enum(_)) if output_only && !field.is_packed() => Ok(Label::List { items_max: items_max(rule) }),
        // Such lists are written as one field of the wire, which the checks do not take apart.
        (true, _) => Err(format!(
            "{} is a list of numbers, truths or enum values, which the registry does not support",
            field.full_name()
        )),
    }
}

fn map(field: &FieldDescriptor, rule: &RuleOption) -> Result<Label, String> {
    let entry = field.kind();
    let texts = entry.as_message().is_some_and(|entry| {
        matches!(
            (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind()),
            (Type::String, Type::String)
        )
    });
    if !texts {
        return Err(format!("{} is a map other than of texts by texts, which is not supported", field.full_name()));
    }
    Ok(Label::Map { items_max: items_max(rule), key_format: rule.format })
}

/// Fails on a message of another package that has no rule here: nobody would check what stands in it.
fn shared_value(message: &MessageDescriptor) -> Result<Option<SharedValue>, String> {
    match message.full_name() {
        "partnership.registry.v1.PartialDate" => Ok(Some(SharedValue::PartialDate)),
        "partnership.registry.v1.DateInterval" => Ok(Some(SharedValue::DateInterval)),
        "google.type.Money" => Ok(Some(SharedValue::Money)),
        "google.protobuf.Timestamp" => Ok(Some(SharedValue::Timestamp)),
        _ if message.package_name() == PACKAGE => Ok(None),
        other => Err(format!("{other} is a message of another package for which there is no rule")),
    }
}
