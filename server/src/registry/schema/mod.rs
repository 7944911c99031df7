//! The rules of the contract, read once at start from the descriptors: what each field of each message must be.
//!
//! Nothing is said twice: a rule stands in the `.proto` as an annotation, and here is only what reads it. A kind is what
//! the `Resource` envelope holds; this file names none.

use std::collections::HashMap;

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind as Type, MessageDescriptor,
};

use crate::kinds::KindRules;

/// A message of the contract. Only [`Schemas`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ShapeId(usize);

/// A kind of the contract. Only [`Schemas`] makes one; they sort as in the `Resource` envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(usize);

impl KindId {
    /// Its place among all kinds: 0, 1, 2, without a gap.
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// A kind of resource.
pub(crate) struct KindSchema {
    pub(crate) collection: String,
    /// `partnership.registry/FocusArea`.
    pub(crate) resource_type: String,
    /// The number of its field in the envelope.
    pub(crate) tag: u32,
    pub(crate) shape: ShapeId,
    pub(crate) rules: KindRules,
}

/// A message.
pub(crate) struct Shape {
    /// Its full name.
    pub(crate) name: String,
    /// Its fields by number, ascending.
    pub(crate) fields: Vec<Field>,
    /// Whether any field here or below is output only.
    pub(crate) strips: bool,
}

/// A field of a message.
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) label: Label,
    pub(crate) value: Value,
    pub(crate) required: bool,
    pub(crate) immutable: bool,
    pub(crate) output_only: bool,
    pub(crate) identifier: bool,
    pub(crate) set_at_creation: bool,
    pub(crate) reference: Option<Reference>,
    pub(crate) items_max: usize,
}

/// How many values a field has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Single,
    List,
    /// A map: a list of entries with a key in field 1 and a value in field 2.
    Map,
}

/// What a value is. For a map: what its values are, and `format` belongs to its keys.
pub(crate) enum Value {
    Text { format: i32, length_max: usize },
    Number { number: NumberType, min: Option<f64>, max: Option<f64> },
    Bool,
    Enum { values: HashMap<i32, String> },
    Bytes,
    Message(ShapeId),
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberType {
    Signed,
    Unsigned,
    ZigZag,
    Fixed32,
    Fixed64,
    SignedFixed32,
    SignedFixed64,
    Float,
    Double,
}

/// What a field may refer to.
pub(crate) enum Reference {
    Any,
    Kind(KindId),
}

const LENGTH_MAX_DEFAULT: usize = 4_096;
const ITEMS_MAX_DEFAULT: usize = 1_000;

/// All kinds and messages of the contract.
pub(crate) struct Schemas {
    pub(crate) kinds: Vec<KindSchema>,
    shapes: Vec<Shape>,
    by_collection: HashMap<String, KindId>,
    by_tag: HashMap<u32, KindId>,
}

impl Schemas {
    /// Reads the rules of all kinds that `rules` lists from the contract. Fails, with a sentence, on a contract that
    /// contradicts itself: that is a mistake of the build, found at every start.
    pub(crate) fn new(pool: &DescriptorPool, rules: &[KindRules]) -> Result<Self, String> {
        let envelope = pool
            .get_message_by_name("partnership.registry.v1.Resource")
            .ok_or("the contract has no message Resource")?;
        let annotations = Annotations::new(pool)?;
        let mut kinds = Vec::new();
        for field in envelope.fields() {
            let rules = rules
                .iter()
                .find(|rules| rules.singular == field.name())
                .ok_or_else(|| format!("the kind {} has no rules", field.name()))?;
            let Type::Message(message) = field.kind() else { return Err(format!("{} is no message", field.name())) };
            let resource = annotations.resource(&message)?;
            kinds.push((
                message,
                KindSchema {
                    collection: resource.0,
                    resource_type: resource.1,
                    tag: field.number(),
                    shape: ShapeId(0),
                    rules: *rules,
                },
            ));
        }
        let by_type =
            kinds.iter().enumerate().map(|(id, (_, kind))| (kind.resource_type.clone(), KindId(id))).collect();
        let mut builder = Builder { annotations, by_type, shapes: Vec::new(), by_name: HashMap::new() };
        let mut built = Vec::new();
        for (message, mut kind) in kinds {
            kind.shape = builder.shape(&message)?;
            built.push(kind);
        }
        let mut shapes = builder.shapes;
        mark_strips(&mut shapes);
        Ok(Self {
            by_collection: built.iter().enumerate().map(|(id, kind)| (kind.collection.clone(), KindId(id))).collect(),
            by_tag: built.iter().enumerate().map(|(id, kind)| (kind.tag, KindId(id))).collect(),
            kinds: built,
            shapes,
        })
    }

    /// The kind. Panics never: ids come from this value alone.
    #[allow(clippy::indexing_slicing, reason = "a KindId is made by this value alone, which never shrinks")]
    pub(crate) fn kind(&self, id: KindId) -> &KindSchema {
        &self.kinds[id.0]
    }

    /// The message. Panics never: ids come from this value alone.
    #[allow(clippy::indexing_slicing, reason = "a ShapeId is made by this value alone, which never shrinks")]
    pub(crate) fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0]
    }

    /// All kinds, in the order of the envelope.
    pub(crate) fn kind_ids(&self) -> impl Iterator<Item = KindId> + use<> {
        (0..self.kinds.len()).map(KindId)
    }

    /// The kind of a collection.
    pub(crate) fn by_collection(&self, collection: &str) -> Option<KindId> {
        self.by_collection.get(collection).copied()
    }

    /// The kind of a field of the envelope.
    pub(crate) fn by_tag(&self, tag: u32) -> Option<KindId> {
        self.by_tag.get(&tag).copied()
    }

    /// All collections, for messages.
    pub(crate) fn collections(&self) -> String {
        self.kinds.iter().map(|kind| kind.collection.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl Shape {
    /// The field of this number.
    pub(crate) fn by_number(&self, number: u32) -> Option<&Field> {
        self.fields.binary_search_by_key(&number, |field| field.number).ok().and_then(|index| self.fields.get(index))
    }

    /// The field of this name, as the `.proto` or as JSON writes it.
    pub(crate) fn by_name(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// Says of each message whether it, or any that it holds, has an output-only field.
fn mark_strips(shapes: &mut [Shape]) {
    loop {
        let strips: Vec<bool> = shapes.iter().map(|shape| shape.strips).collect();
        let mut changed = false;
        for shape in shapes.iter_mut().filter(|shape| !shape.strips) {
            let below = |field: &Field| matches!(field.value, Value::Message(id) if strips.get(id.0) == Some(&true));
            shape.strips = shape.fields.iter().any(below);
            changed |= shape.strips;
        }
        if !changed {
            return;
        }
    }
}

struct Builder {
    annotations: Annotations,
    by_type: HashMap<String, KindId>,
    shapes: Vec<Shape>,
    by_name: HashMap<String, ShapeId>,
}

impl Builder {
    fn shape(&mut self, message: &MessageDescriptor) -> Result<ShapeId, String> {
        if let Some(id) = self.by_name.get(message.full_name()) {
            return Ok(*id);
        }
        let id = ShapeId(self.shapes.len());
        self.by_name.insert(message.full_name().to_owned(), id);
        self.shapes.push(Shape { name: message.full_name().to_owned(), fields: Vec::new(), strips: false });
        let mut fields = Vec::new();
        for field in message.fields() {
            fields.push(self.field(&field)?);
        }
        fields.sort_by_key(|field| field.number);
        if let Some(shape) = self.shapes.get_mut(id.0) {
            shape.strips = fields.iter().any(|field| field.output_only);
            shape.fields = fields;
        }
        Ok(id)
    }

    fn field(&mut self, field: &FieldDescriptor) -> Result<Field, String> {
        let behaviors = self.annotations.behaviors(field);
        let rule = self.annotations.rule(field);
        let entry = field.kind().as_message().filter(|_| field.is_map()).cloned();
        let entry_value = entry.map(|entry| entry.map_entry_value_field());
        let value_kind = entry_value.as_ref().map_or_else(|| field.kind(), FieldDescriptor::kind);
        let number = |number| Value::Number { number, min: rule.min, max: rule.max };
        let value = match value_kind {
            Type::String => Value::Text { format: rule.format, length_max: rule.length_max },
            Type::Bool => Value::Bool,
            Type::Bytes => Value::Bytes,
            Type::Enum(kind) => {
                Value::Enum { values: kind.values().map(|value| (value.number(), value.name().to_owned())).collect() }
            }
            Type::Message(message) => Value::Message(self.shape(&message)?),
            Type::Int32 | Type::Int64 => number(NumberType::Signed),
            Type::Uint32 | Type::Uint64 => number(NumberType::Unsigned),
            Type::Sint32 | Type::Sint64 => number(NumberType::ZigZag),
            Type::Fixed32 => number(NumberType::Fixed32),
            Type::Fixed64 => number(NumberType::Fixed64),
            Type::Sfixed32 => number(NumberType::SignedFixed32),
            Type::Sfixed64 => number(NumberType::SignedFixed64),
            Type::Float => number(NumberType::Float),
            Type::Double => number(NumberType::Double),
        };
        let reference = match self.annotations.reference(field).as_deref() {
            None => None,
            Some("*") => Some(Reference::Any),
            Some(kind) => Some(Reference::Kind(
                *self.by_type.get(kind).ok_or_else(|| format!("{} refers to {kind}", field.full_name()))?,
            )),
        };
        Ok(Field {
            number: field.number(),
            name: field.name().to_owned(),
            label: if field.is_map() {
                Label::Map
            } else if field.is_list() {
                Label::List
            } else {
                Label::Single
            },
            value,
            required: behaviors.contains(&REQUIRED),
            immutable: behaviors.contains(&IMMUTABLE),
            output_only: behaviors.contains(&OUTPUT_ONLY),
            identifier: behaviors.contains(&IDENTIFIER),
            set_at_creation: rule.set_at_creation,
            reference,
            items_max: rule.items_max,
        })
    }
}

const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;
const IMMUTABLE: i32 = 5;
const IDENTIFIER: i32 = 8;

/// The extensions that annotate the contract.
struct Annotations {
    resource: ExtensionDescriptor,
    reference: ExtensionDescriptor,
    behavior: ExtensionDescriptor,
    rule: ExtensionDescriptor,
}

struct Rule {
    format: i32,
    length_max: usize,
    items_max: usize,
    min: Option<f64>,
    max: Option<f64>,
    set_at_creation: bool,
}

impl Annotations {
    fn new(pool: &DescriptorPool) -> Result<Self, String> {
        let get = |name: &str| pool.get_extension_by_name(name).ok_or_else(|| format!("no extension {name}"));
        Ok(Self {
            resource: get("google.api.resource")?,
            reference: get("google.api.resource_reference")?,
            behavior: get("google.api.field_behavior")?,
            rule: get("partnership.registry.v1.rule")?,
        })
    }

    /// The collection and the type of a resource.
    fn resource(&self, message: &MessageDescriptor) -> Result<(String, String), String> {
        let options = message.options();
        let resource = options.get_extension(&self.resource);
        let resource = resource.as_message().ok_or("not a message")?;
        let pattern = list(resource, "pattern").into_iter().next().unwrap_or_default();
        let (collection, _) =
            pattern.split_once('/').ok_or_else(|| format!("{} has no pattern", message.full_name()))?;
        Ok((collection.to_owned(), text(resource, "type")))
    }

    fn reference(&self, field: &FieldDescriptor) -> Option<String> {
        let options = field.options();
        if !options.has_extension(&self.reference) {
            return None;
        }
        options.get_extension(&self.reference).as_message().map(|reference| text(reference, "type"))
    }

    fn behaviors(&self, field: &FieldDescriptor) -> Vec<i32> {
        let options = field.options();
        let behaviors = options.get_extension(&self.behavior);
        behaviors
            .as_list()
            .map(|list| list.iter().filter_map(|value| value.as_enum_number()).collect())
            .unwrap_or_default()
    }

    fn rule(&self, field: &FieldDescriptor) -> Rule {
        let options = field.options();
        let rule = options.get_extension(&self.rule);
        let Some(rule) = rule.as_message() else {
            return Rule {
                format: 0,
                length_max: LENGTH_MAX_DEFAULT,
                items_max: ITEMS_MAX_DEFAULT,
                min: None,
                max: None,
                set_at_creation: false,
            };
        };
        let limit = |name: &str, default: usize| {
            let value = rule.get_field_by_name(name).and_then(|value| value.as_u32()).unwrap_or(0);
            if value == 0 { default } else { value as usize }
        };
        let bound = |name: &str| {
            rule.has_field_by_name(name)
                .then(|| rule.get_field_by_name(name).and_then(|value| value.as_f64()))
                .flatten()
        };
        Rule {
            format: rule.get_field_by_name("format").and_then(|value| value.as_enum_number()).unwrap_or(0),
            length_max: limit("max_length", LENGTH_MAX_DEFAULT),
            items_max: limit("max_items", ITEMS_MAX_DEFAULT),
            min: bound("min"),
            max: bound("max"),
            set_at_creation: rule
                .get_field_by_name("set_at_creation")
                .and_then(|value| value.as_bool())
                .unwrap_or(false),
        }
    }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn list(message: &DynamicMessage, field: &str) -> Vec<String> {
    let value = message.get_field_by_name(field);
    value
        .as_ref()
        .and_then(|value| value.as_list())
        .map(|list| list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect())
        .unwrap_or_default()
}
