//! A resource as questions see it: the values of each of its paths, taken out of the message that the server answered.

use std::borrow::Cow;
use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage as _, Value as Field};
use unicode_normalization::UnicodeNormalization as _;

use super::calendar::{NANOS_OF_SECOND, span};
use super::expression::Truth;
use super::shape::{Leaf, Path, Shape};
use crate::harness::dynamic::{get, messages, number, text};

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// In NFC.
    Text(String),
    Bool(bool),
    Enum(i32),
    Whole(i128),
    Double(f64),
    /// The first and the last day that it may be; `None`: any.
    Date(Option<(i64, i64)>),
    /// Nanoseconds since 1970.
    Time(i128),
    /// The currency, and billionths of its unit.
    Money(String, i128),
    Message,
}

/// One version of a resource.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) deleted: bool,
    pub(crate) message: DynamicMessage,
    /// By the number of the path: what stands in each place where something could; `None`: the place is empty.
    values: Vec<Vec<Option<Value>>>,
    /// By the number of the path: whether anything is there.
    present: Vec<bool>,
    /// By the number of the path, for maps.
    maps: BTreeMap<usize, BTreeMap<String, String>>,
}

pub(crate) fn nfc(text: &str) -> String {
    text.nfc().collect()
}

impl Row {
    pub(crate) fn new(shape: &Shape, message: DynamicMessage) -> Row {
        let (mut values, mut present, mut maps) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (at, path) in shape.paths.iter().enumerate() {
            if path.leaf == Leaf::Map {
                let map: BTreeMap<_, _> = entries(&message, &path.fields);
                present.push(!map.is_empty());
                maps.insert(at, map);
                values.push(Vec::new());
                continue;
            }
            let mut found = Vec::new();
            walk(&message, &path.fields, &mut found);
            let of_path: Vec<_> = found.into_iter().map(|one| one.map(|one| value(path, &one))).collect();
            present.push(of_path.iter().flatten().any(|value| says_something(path, value)));
            values.push(of_path);
        }
        let deleted = message.has_field_by_name("delete_time");
        Row { name: text(&message, "name"), deleted, message, values, present, maps }
    }

    /// What stands in each place of a path. Of a map: what stands behind this key.
    pub(crate) fn values(&self, path: usize, key: Option<&str>) -> Cow<'_, [Option<Value>]> {
        match key {
            None => Cow::Borrowed(&self.values[path]),
            Some(key) => Cow::Owned(vec![self.maps[&path].get(key).map(|text| Value::Text(text.clone()))]),
        }
    }

    /// Whether anything stands at the end of a path, or behind a key of a map.
    pub(crate) fn has(&self, path: usize, key: Option<&str>) -> bool {
        match key {
            None => self.present[path],
            Some(key) => self.maps[&path].contains_key(key),
        }
    }

    pub(crate) fn keys(&self, path: usize) -> impl Iterator<Item = &String> {
        self.maps[&path].keys()
    }

    /// Whether the text of this path is this one, in any of its places.
    pub(crate) fn says(&self, path: usize, text: &str) -> bool {
        self.texts(path).any(|said| said == text)
    }

    /// What is known of something in its status, such as whether it is in force.
    pub(crate) fn known(&self, field: &str) -> Truth {
        known(get(&self.message, "status").as_message().unwrap(), field)
    }

    /// Whether somebody takes part, by its status.
    pub(crate) fn bound(&self, name: &str) -> Truth {
        let parties = messages(&self.message, "parties");
        let standing = messages(get(&self.message, "status").as_message().unwrap(), "parties");
        assert_eq!(parties.len(), standing.len(), "{}", self.name);
        let is_it = |party: &DynamicMessage| text(party, "country") == name || text(party, "organization") == name;
        let its = parties.iter().zip(&standing).filter(|(party, _)| is_it(party));
        its.map(|(_, standing)| known(standing, "bound")).max().unwrap_or(Truth::False)
    }

    /// The message as a list answers it, without how the parties stand.
    pub(crate) fn listed(&self) -> DynamicMessage {
        let mut message = self.message.clone();
        if let Some(field) = message.descriptor().get_field_by_name("status").filter(|field| message.has_field(field)) {
            let status = message.get_field_mut(&field).as_message_mut().unwrap();
            status.clear_field_by_name("parties");
        }
        message
    }

    /// The texts of a path.
    pub(crate) fn texts(&self, path: usize) -> impl Iterator<Item = &str> {
        self.values[path].iter().flatten().filter_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

fn known(message: &DynamicMessage, field: &str) -> Truth {
    match get(message, field).as_enum_number() {
        Some(1) => Truth::True,
        Some(2) => Truth::False,
        Some(3) => Truth::Unknown,
        other => panic!("{field} is {other:?} in {message}"),
    }
}

/// Collects what stands in the places of a path: of each item of a list, and nothing for a message on the way that is
/// not there.
fn walk(message: &DynamicMessage, fields: &[FieldDescriptor], found: &mut Vec<Option<Field>>) {
    let (field, rest) = fields.split_first().unwrap();
    if field.supports_presence() && !message.has_field(field) {
        found.push(None);
        return;
    }
    let value = message.get_field(field);
    let items = if field.is_list() { value.as_list().unwrap() } else { std::slice::from_ref(value.as_ref()) };
    for item in items {
        match rest {
            [] => found.push(Some(item.clone())),
            rest => walk(item.as_message().unwrap(), rest, found),
        }
    }
}

fn entries(message: &DynamicMessage, fields: &[FieldDescriptor]) -> BTreeMap<String, String> {
    let [field] = fields else { panic!("a map within a message: teach this test about {fields:?}") };
    let map = message.get_field(field);
    let entry =
        |(key, value): (&prost_reflect::MapKey, &Field)| (nfc(key.as_str().unwrap()), nfc(value.as_str().unwrap()));
    map.as_map().unwrap().iter().map(entry).collect()
}

fn value(path: &Path, field: &Field) -> Value {
    let part = |message: &DynamicMessage, name: &str| i64::from(get(message, name).as_i32().unwrap());
    let flag = |message: &DynamicMessage, name: &str| get(message, name).as_bool().unwrap();
    match (&path.leaf, field) {
        (Leaf::Text, Field::String(text)) => Value::Text(nfc(text)),
        (Leaf::Bool, Field::Bool(value)) => Value::Bool(*value),
        (Leaf::Enum(_), Field::EnumNumber(number)) => Value::Enum(*number),
        (Leaf::Whole, Field::I32(number)) => Value::Whole((*number).into()),
        (Leaf::Whole, Field::I64(number)) => Value::Whole((*number).into()),
        (Leaf::Whole, Field::U64(number)) => Value::Whole((*number).into()),
        (Leaf::Double, Field::F64(number)) => Value::Double(*number),
        (Leaf::Date, Field::Message(date)) => {
            let (year, month, day) = (part(date, "year"), part(date, "month"), part(date, "day"));
            let about = flag(date, "approximate") || flag(date, "uncertain");
            Value::Date((year != 0).then(|| span(year, month, day, about)))
        }
        (Leaf::Time, Field::Message(time)) => {
            let seconds: i128 = get(time, "seconds").as_i64().unwrap().into();
            Value::Time(seconds * NANOS_OF_SECOND + i128::from(get(time, "nanos").as_i32().unwrap()))
        }
        (Leaf::Money, Field::Message(money)) => {
            let units: i128 = get(money, "units").as_i64().unwrap().into();
            let nanos = units * NANOS_OF_SECOND + i128::from(get(money, "nanos").as_i32().unwrap());
            Value::Money(text(money, "currency_code"), nanos)
        }
        (Leaf::Message, Field::Message(_)) => Value::Message,
        (leaf, field) => panic!("{} is no {leaf:?}: {field:?}", path.text()),
    }
}

/// Whether it is more than what an empty field has. What is in a list, and what can be left out, is there if it is there.
fn says_something(path: &Path, value: &Value) -> bool {
    let last = path.fields.last().unwrap();
    let is_default = match value {
        Value::Text(text) => text.is_empty(),
        Value::Bool(value) => !value,
        Value::Enum(number) => *number == 0,
        Value::Whole(number) => *number == 0,
        Value::Double(number) => *number == 0.0,
        Value::Date(_) | Value::Time(_) | Value::Money(..) | Value::Message => false,
    };
    last.is_list() || last.supports_presence() || !is_default
}

/// The revision in which a version was made.
pub(crate) fn revision(message: &DynamicMessage) -> u64 {
    number(message, "revision")
}
