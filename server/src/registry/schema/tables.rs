//! The tables of the contract, and how they are asked: kinds, messages, and what each field must be.
//!
//! They are filled once, by `read`, and never change.

use std::collections::HashMap;

use partnership_registry::v1::Format;

use crate::kinds::KindRules;

/// A message of the contract. Only `read` makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ShapeId(pub(super) usize);

/// A kind of the contract. Only `read` makes one; they sort as in the `Resource` envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(pub(super) usize);

impl KindId {
    /// Its place among all kinds: 0, 1, 2, without a gap.
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// A kind of resource.
#[derive(Debug)]
pub(crate) struct KindSchema {
    pub(crate) collection: String,
    /// The number of its field in the envelope.
    pub(crate) tag: u32,
    pub(crate) shape: ShapeId,
    /// The field that leads to the parent, if its resources are trees.
    pub(crate) parent: Option<ParentField>,
    pub(crate) rules: KindRules,
}

/// The field of a kind that leads to the parent, which is of the same kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParentField {
    pub(crate) number: u32,
    pub(crate) name: String,
    /// How many ancestors a resource may have.
    pub(crate) ancestors_max: usize,
}

/// A message.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Its full name.
    pub(crate) name: String,
    /// Its fields by number, ascending.
    pub(crate) fields: Vec<Field>,
    /// Whether any field here or below is output only.
    pub(crate) strips: bool,
    /// The value that it is, if it has rules that no annotation can say.
    pub(crate) shared: Option<SharedValue>,
}

/// A message with rules of its own, whatever kind it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedValue {
    /// `partnership.registry.v1.PartialDate`
    PartialDate,
    /// `partnership.registry.v1.DateInterval`
    DateInterval,
    /// `google.type.Money`
    Money,
    /// `google.protobuf.Timestamp`
    Timestamp,
}

impl SharedValue {
    /// Whether it is one value, which filters compare and orders order, rather than several.
    pub(crate) fn is_single(self) -> bool {
        match self {
            Self::PartialDate | Self::Money | Self::Timestamp => true,
            Self::DateInterval => false,
        }
    }
}

/// A field of a message.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) label: Label,
    pub(crate) value: Value,
    /// Whether it can be told from one that is not set: a message, or a scalar that the contract calls `optional`.
    pub(crate) has_presence: bool,
    pub(crate) required: bool,
    pub(crate) immutable: bool,
    pub(crate) output_only: bool,
    pub(crate) identifier: bool,
    pub(crate) set_at_creation: bool,
    /// How many ancestors a resource may have, if the field leads to the parent.
    pub(crate) ancestors_max: Option<usize>,
    /// Whether questions about it are answered from memory.
    pub(crate) indexed: bool,
    /// Whether it says who takes part.
    pub(crate) party: bool,
    /// The methods that move it, if it is set at creation.
    pub(crate) moved_by: Vec<String>,
    /// Whether the server fills it in where it is not given.
    pub(crate) filled_in: bool,
}

/// How many values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// One, or none.
    Single,
    /// A list of texts, references or messages.
    List { items_max: usize },
    /// Texts by keys: a list of entries with a key in field [`ENTRY_KEY`] and a value in field [`ENTRY_VALUE`].
    Map { items_max: usize, key_format: Format },
}

/// The number of the key in an entry of a map.
pub(crate) const ENTRY_KEY: u32 = 1;
/// The number of the value in an entry of a map.
pub(crate) const ENTRY_VALUE: u32 = 2;

/// What a value is; of a list or map, what each is.
#[derive(Debug)]
pub(crate) enum Value {
    Text {
        format: Format,
        length_max: usize,
    },
    /// The name of a resource.
    Reference(Reference),
    Number {
        number: NumberType,
        min: Option<f64>,
        max: Option<f64>,
    },
    Bool,
    /// The names of the values by their numbers.
    Enum {
        values: HashMap<i32, String>,
    },
    Message(ShapeId),
}

/// How a number is written. These are all that the contract uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberType {
    /// `int32` or `int64`.
    Signed,
    /// `uint64`.
    Unsigned,
    /// `double`.
    Double,
}

/// What a field may refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    Any,
    Kind(KindId),
    OneOf(Vec<KindId>),
}

/// All kinds and messages of the contract.
#[derive(Debug)]
pub(crate) struct Schemas {
    pub(crate) kinds: Vec<KindSchema>,
    pub(super) shapes: Vec<Shape>,
    pub(super) by_collection: HashMap<String, KindId>,
    pub(super) by_tag: HashMap<u32, KindId>,
}

impl Schemas {
    /// The kind. Panics never: ids come with the tables alone.
    #[allow(clippy::indexing_slicing, reason = "`read` makes a KindId for a kind in the tables, which never change")]
    pub(crate) fn kind(&self, id: KindId) -> &KindSchema {
        &self.kinds[id.0]
    }

    /// The message. Panics never: ids come with the tables alone.
    #[allow(
        clippy::indexing_slicing,
        reason = "`read` makes a ShapeId for a message in the tables, which never change"
    )]
    pub(crate) fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0]
    }

    /// The message of a kind.
    pub(crate) fn shape_of(&self, kind: KindId) -> &Shape {
        self.shape(self.kind(kind).shape)
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

    /// The collections of some kinds, for messages.
    pub(crate) fn collections_of(&self, kinds: &[KindId]) -> String {
        kinds.iter().map(|kind| self.kind(*kind).collection.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl Shape {
    /// The field of this number.
    pub(crate) fn by_number(&self, number: u32) -> Option<&Field> {
        self.fields.binary_search_by_key(&number, |field| field.number).ok().and_then(|index| self.fields.get(index))
    }

    /// The field of this name, as the `.proto` writes it.
    pub(crate) fn by_name(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Its name without the package, for messages.
    pub(crate) fn short_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }
}

impl Field {
    /// The message in it, if it holds one and not a list of them.
    pub(crate) fn single_message(&self) -> Option<ShapeId> {
        match (self.label, &self.value) {
            (Label::Single, Value::Message(shape)) => Some(*shape),
            _ => None,
        }
    }
}
