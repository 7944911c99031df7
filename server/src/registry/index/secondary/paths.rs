//! Which paths of a kind are indexed: those that end in a field of which the contract says so.

use crate::registry::resource::standing_part::Part;
use crate::registry::schema::{KindId, Label, NumberType, Schemas, ShapeId, SharedValue, Value};

use super::key::KeyType;

/// An indexed path of a kind: its place among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PathId(pub(super) u16);

impl PathId {
    /// Its place among the indexed paths of its kind.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// An indexed path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IndexedPath {
    /// The numbers of the fields on the way.
    pub(crate) numbers: Vec<u32>,
    /// Whether a resource can have several values there.
    pub(crate) repeated: bool,
    /// Whether the field at its end is a list or a map.
    pub(crate) is_list: bool,
    pub(crate) key_type: KeyType,
    /// What of that which is computed stands there. `None`: it is stored.
    pub(crate) part: Option<Part>,
}

/// The indexed paths of a kind, as a tree that is walked beside a document.
#[derive(Debug)]
pub(crate) struct KindPaths {
    pub(crate) paths: Vec<IndexedPath>,
    pub(super) root: Node,
}

/// A message on the way to indexed values.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) shape: ShapeId,
    /// By the numbers of their fields, ascending.
    pub(super) children: Vec<(u32, Child)>,
}

#[derive(Debug)]
pub(super) enum Child {
    /// The field is indexed.
    Value { path: PathId, is_list: bool },
    /// Each entry of the map is.
    Map(PathId),
    /// Something in the message is.
    Message(Node),
}

impl KindPaths {
    /// The indexed paths of a kind.
    pub(super) fn of(schemas: &Schemas, kind: KindId) -> Self {
        let mut paths = Vec::new();
        let root = node(schemas, schemas.kind(kind).shape, &mut Vec::new(), false, &mut paths);
        for path in &mut paths {
            path.part = Part::of(schemas, kind, path.numbers.iter().copied());
        }
        Self { paths, root }
    }

    /// The path that leads over these fields, if it is indexed.
    pub(crate) fn find(&self, numbers: impl Iterator<Item = u32> + Clone) -> Option<PathId> {
        let at = self.paths.iter().position(|path| path.numbers.iter().copied().eq(numbers.clone()))?;
        u16::try_from(at).ok().map(PathId)
    }

    /// A path that leads over these fields and one more, which is a value that is never absent.
    pub(crate) fn find_below(&self, numbers: impl Iterator<Item = u32> + Clone) -> Option<PathId> {
        let is_below = |path: &IndexedPath| {
            let above = path.numbers.split_last().map_or(&[][..], |(_, above)| above);
            !path.key_type.can_be_absent() && !path.is_list && above.iter().copied().eq(numbers.clone())
        };
        u16::try_from(self.paths.iter().position(is_below)?).ok().map(PathId)
    }

    /// The path that leads to a part of what is computed, if it is indexed.
    pub(crate) fn find_part(&self, part: Part) -> Option<PathId> {
        let at = self.paths.iter().position(|path| path.part == Some(part))?;
        u16::try_from(at).ok().map(PathId)
    }

    /// A path that was found here.
    pub(crate) fn get(&self, path: PathId) -> Option<&IndexedPath> {
        self.paths.get(path.index())
    }
}

fn node(schemas: &Schemas, shape: ShapeId, above: &mut Vec<u32>, repeated: bool, paths: &mut Vec<IndexedPath>) -> Node {
    let mut children = Vec::new();
    for field in &schemas.shape(shape).fields {
        above.push(field.number);
        let is_list = field.label != Label::Single;
        let mut add = |key_type, repeated| {
            paths.push(IndexedPath { numbers: above.clone(), repeated, is_list, key_type, part: None });
            // The contract has some dozens for each kind.
            PathId(u16::try_from(paths.len() - 1).unwrap_or(u16::MAX))
        };
        let child = match (&field.label, key_type(schemas, &field.value)) {
            (Label::Map { .. }, _) => field.indexed.then(|| Child::Map(add(KeyType::Entry, true))),
            (Label::Single | Label::List { .. }, Some(key_type)) => {
                field.indexed.then(|| Child::Value { path: add(key_type, repeated || is_list), is_list })
            }
            (Label::Single | Label::List { .. }, None) => match field.value {
                Value::Message(inner) => {
                    let node = node(schemas, inner, above, repeated || is_list, paths);
                    (!node.children.is_empty()).then_some(Child::Message(node))
                }
                Value::Text { .. } | Value::Reference(_) | Value::Number { .. } | Value::Bool | Value::Enum { .. } => {
                    None
                }
            },
        };
        above.pop();
        children.extend(child.map(|child| (field.number, child)));
    }
    Node { shape, children }
}

/// What the keys of a value are made of; `None`: it is several values.
fn key_type(schemas: &Schemas, value: &Value) -> Option<KeyType> {
    Some(match value {
        Value::Text { .. } | Value::Reference(_) => KeyType::Text,
        Value::Number { number: number @ (NumberType::Signed | NumberType::Unsigned | NumberType::Double), .. } => {
            KeyType::Number(*number)
        }
        Value::Bool => KeyType::Bool,
        Value::Enum { .. } => KeyType::Enum,
        Value::Message(id) => match schemas.shape(*id).shared {
            Some(SharedValue::PartialDate) => KeyType::Date,
            Some(SharedValue::Timestamp) => KeyType::Time,
            Some(SharedValue::Money) => KeyType::Money,
            Some(SharedValue::DateInterval) | None => return None,
        },
    })
}
