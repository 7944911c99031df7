//! What can be asked of a kind, read off the descriptors: every path to a value, and what the annotations say of it.

use partnership_registry::descriptors;
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind as Type, MessageDescriptor};

use crate::conformance::kind::{Kind, kinds, rules};

/// What stands at the end of a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Leaf {
    Text,
    Bool,
    Enum(EnumDescriptor),
    Whole,
    Double,
    Date,
    Time,
    Money,
    /// A message, which can be there or not.
    Message,
    /// Texts by their keys.
    Map,
}

/// A way from a resource to a value.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) fields: Vec<FieldDescriptor>,
    pub(crate) leaf: Leaf,
    /// Whether it leads through a list, or to one.
    pub(crate) many: bool,
    /// Whether who stands there takes part.
    pub(crate) party: bool,
    /// The collections that a reference may lead to.
    pub(crate) targets: Vec<String>,
}

impl Path {
    pub(crate) fn text(&self) -> String {
        self.fields.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".")
    }
}

/// A kind, and all that can be asked of it.
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pub(crate) paths: Vec<Path>,
}

impl Shape {
    /// Whether its resources stand differently from day to day.
    pub(crate) fn is_dated(&self) -> bool {
        self.kind.list.input().get_field_by_name("valid_date").is_some()
    }

    /// The number of the path that is written so.
    pub(crate) fn path(&self, text: &str) -> usize {
        let found = self.paths.iter().position(|path| path.text() == text);
        found.unwrap_or_else(|| panic!("{} has no {text}", self.kind.collection))
    }
}

/// The shapes of the kinds with these collections.
pub(crate) fn shapes(collections: &[&str]) -> Vec<Shape> {
    let all = kinds();
    let shape = |kind: &Kind| {
        let mut paths = Vec::new();
        add(&kind.message, &[], &all, &mut paths);
        Shape { kind: kind.clone(), paths }
    };
    collections.iter().map(|one| shape(all.iter().find(|kind| kind.collection == *one).unwrap())).collect()
}

fn add(message: &MessageDescriptor, above: &[FieldDescriptor], kinds: &[Kind], paths: &mut Vec<Path>) {
    for field in message.fields() {
        let fields: Vec<_> = above.iter().cloned().chain([field.clone()]).collect();
        let many = fields.iter().any(FieldDescriptor::is_list);
        let leaf = match field.kind() {
            _ if field.is_map() => Leaf::Map,
            Type::String => Leaf::Text,
            Type::Bool => Leaf::Bool,
            Type::Enum(values) => Leaf::Enum(values),
            Type::Int32 | Type::Int64 | Type::Uint64 => Leaf::Whole,
            Type::Double => Leaf::Double,
            Type::Message(of) => match of.full_name() {
                "google.protobuf.Timestamp" => Leaf::Time,
                "google.type.Money" => Leaf::Money,
                "partnership.registry.v1.PartialDate" => Leaf::Date,
                _ => Leaf::Message,
            },
            other => panic!("what is compared with a {other:?}? say it here: {}", field.full_name()),
        };
        let targets = match rules(&field) {
            rules if rules.reference.is_some() => kinds
                .iter()
                .filter(|kind| rules.refers_to(&kind.resource_type))
                .map(|kind| kind.collection.clone())
                .collect(),
            _ => Vec::new(),
        };
        paths.push(Path { fields: fields.clone(), leaf: leaf.clone(), many, party: is_party(&field), targets });
        // Of a date also its parts can be asked.
        if matches!(leaf, Leaf::Message | Leaf::Date) {
            add(field.kind().as_message().unwrap(), &fields, kinds, paths);
        }
    }
}

fn is_party(field: &FieldDescriptor) -> bool {
    let rule = descriptors().get_extension_by_name("partnership.registry.v1.rule").unwrap();
    let options = field.options();
    options.has_extension(&rule)
        && options.get_extension(&rule).as_message().unwrap().get_field_by_name("party").unwrap().as_bool().unwrap()
}
