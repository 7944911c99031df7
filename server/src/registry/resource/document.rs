//! A resource as bytes, and what the registry does with it by the rules of `schema`: check it, strip what the server
//! writes, merge a change into it, stamp it, find what it refers to.
//!
//! A *body* is an encoded resource without its name and without what the server writes; two bodies of one kind are equal
//! exactly if their bytes are. A *document* is a body with its name and its stamp, as it is stored and answered. An
//! *envelope* is a document inside a `Resource`.

use prost::Message as _;
use prost_types::Timestamp;

use crate::registry::resource::format;
use crate::registry::resource::name::Name;
use crate::registry::resource::wire;
use crate::registry::schema::{
    Field, KindId, KindSchema, Label, NumberType, Reference, Schemas, Shape, ShapeId, Value,
};
use crate::time::Time;
use crate::violations::Violations;

/// The fields that every kind has, by the numbers they have in all of them.
mod common {
    pub(super) const NAME: u32 = 1;
    pub(super) const UID: u32 = 2;
    pub(super) const DISPLAY_NAME: u32 = 3;
    pub(super) const ETAG: u32 = 4;
    pub(super) const REVISION: u32 = 5;
    pub(super) const CREATE_TIME: u32 = 6;
    pub(super) const UPDATE_TIME: u32 = 7;
    pub(super) const DELETE_TIME: u32 = 8;
    pub(super) const CREATOR: u32 = 9;
    pub(super) const UPDATER: u32 = 10;
}

/// The most bytes of a document: a quarter of what a message may have, so that a commit can hold several.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// The most bytes of the resources in one answer: with what is around them, below the 4 MiB that clients take.
pub(crate) const ANSWER_BYTES_MAX: usize = (4 << 20) - (64 << 10);

/// How deep messages may stand in one another. The deepest of the contract has 5; a message that refers to itself could
/// have more.
const DEPTH_MAX: usize = 16;

/// A reference from one resource to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Referral {
    /// The path of the field that refers.
    pub(crate) field: String,
    /// What it refers to.
    pub(crate) target: Name,
}

/// What the server writes into a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Stamp {
    pub(crate) uid: String,
    pub(crate) create_time: Time,
    pub(crate) update_time: Time,
    pub(crate) delete_time: Option<Time>,
    pub(crate) creator: String,
    pub(crate) updater: String,
}

/// The body in an encoded resource.
pub(crate) fn body(schemas: &Schemas, kind: KindId, resource: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(resource.len());
    strip(schemas, schemas.shape(schemas.kind(kind).shape), resource, true, &mut out);
    out
}

fn strip(schemas: &Schemas, shape: &Shape, message: &[u8], top: bool, out: &mut Vec<u8>) {
    for wire in wire::fields(message) {
        let Some(field) = shape.by_number(wire.number) else { continue };
        if field.output_only || (top && (field.identifier || field.number == common::ETAG)) {
            continue;
        }
        if let Value::Message(id) = field.value
            && schemas.shape(id).strips
        {
            let mut inner = Vec::with_capacity(wire.value.len());
            strip(schemas, schemas.shape(id), wire.value, false, &mut inner);
            wire::put_bytes(out, wire.number, &inner);
        } else {
            out.extend_from_slice(wire.whole);
        }
    }
}

/// Checks a body by every rule of its kind, and says what it refers to.
pub(crate) fn check(
    schemas: &Schemas,
    kind: KindId,
    name: &str,
    body: &[u8],
    violations: &mut Violations,
) -> Vec<Referral> {
    let schema = schemas.kind(kind);
    let mut check = Check { schemas, violations, referrals: Vec::new() };
    if body.len() > DOCUMENT_BYTES_MAX {
        check
            .violations
            .add("", format!("a resource has at most {DOCUMENT_BYTES_MAX} bytes, and this has {}", body.len()));
        return Vec::new();
    }
    check.message(schema.shape, body, &Path::Root, 0);
    let referrals = check.referrals;
    schema.rules.check_encoded(name, body, violations);
    referrals
}

/// What a body that has been checked refers to.
pub(crate) fn referrals(schemas: &Schemas, kind: KindId, body: &[u8]) -> Vec<Referral> {
    let mut check = Check { schemas, violations: &mut Violations::new(), referrals: Vec::new() };
    check.message(schemas.kind(kind).shape, body, &Path::Root, 0);
    check.referrals
}

/// Where a value stands, written out only when somebody has to be told.
enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, &'a str, usize),
    Entry(&'a Path<'a>, &'a str, &'a str),
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (parent, name) = match self {
            Self::Root => return Ok(()),
            Self::Field(parent, name) | Self::Item(parent, name, _) | Self::Entry(parent, name, _) => (parent, name),
        };
        match parent {
            Self::Root => write!(f, "{name}")?,
            Self::Field(..) | Self::Item(..) | Self::Entry(..) => write!(f, "{parent}.{name}")?,
        }
        match self {
            Self::Root | Self::Field(..) => Ok(()),
            Self::Item(_, _, index) => write!(f, "[{index}]"),
            Self::Entry(_, _, key) => write!(f, "[{:?}]", crate::registry::resource::name::short(key)),
        }
    }
}

struct Check<'a> {
    schemas: &'a Schemas,
    violations: &'a mut Violations,
    referrals: Vec<Referral>,
}

impl Check<'_> {
    fn message(&mut self, id: ShapeId, message: &[u8], path: &Path<'_>, depth: usize) {
        let schemas = self.schemas;
        let shape = schemas.shape(id);
        if depth > DEPTH_MAX {
            self.violations.add(path.to_string(), format!("messages stand at most {DEPTH_MAX} deep in one another"));
            return;
        }
        let mut counts = vec![0_usize; shape.fields.len()];
        for wire in wire::fields(message) {
            let Ok(position) = shape.fields.binary_search_by_key(&wire.number, |field| field.number) else { continue };
            let Some(field) = shape.fields.get(position) else { continue };
            let Some(count) = counts.get_mut(position) else { continue };
            let index = *count;
            *count += 1;
            match field.label {
                Label::Single => self.value(field, &wire, &Path::Field(path, &field.name), depth),
                // Numbers of a list stand together in one field of the wire; each is checked in its message's own rules.
                Label::List if index < field.items_max => {
                    self.value(field, &wire, &Path::Item(path, &field.name, index), depth);
                }
                Label::Map if index < field.items_max => self.entry(field, wire.value, path, depth),
                Label::List | Label::Map => {}
            }
        }
        for (field, count) in shape.fields.iter().zip(counts) {
            if count > field.items_max && field.label != Label::Single {
                let rule = format!("has at most {} items, and these are {count}", field.items_max);
                self.violations.add(Path::Field(path, &field.name).to_string(), rule);
            }
            if field.required && count == 0 {
                self.violations.add(Path::Field(path, &field.name).to_string(), "is required");
            }
        }
        if let Some(rule) = shared_value_rule(&shape.name, message) {
            self.violations.add(path.to_string(), rule);
        }
    }

    fn entry(&mut self, field: &Field, entry: &[u8], path: &Path<'_>, depth: usize) {
        let key = wire::field(entry, 1).map_or("", |key| key.text());
        let path = Path::Entry(path, &field.name, key);
        if key.is_empty() {
            self.violations.add(path.to_string(), "a key must not be empty");
        }
        match &field.value {
            // `format` is that of the keys; the values are any text.
            Value::Text { format, length_max } => {
                if let Some(rule) = format::check_text(*format, key) {
                    self.violations.add(path.to_string(), format!("the key {rule}"));
                }
                let value = wire::field(entry, 2).map_or("", |value| value.text());
                self.text(0, *length_max, value, &path);
            }
            Value::Message(_) | Value::Number { .. } | Value::Bool | Value::Enum { .. } | Value::Bytes => {
                if let Some(value) = wire::field(entry, 2) {
                    self.value(field, &value, &path, depth);
                }
            }
        }
    }

    fn value(&mut self, field: &Field, wire: &wire::WireField<'_>, path: &Path<'_>, depth: usize) {
        match &field.value {
            Value::Text { format, length_max } => {
                let text = wire.text();
                self.text(*format, *length_max, text, path);
                match &field.reference {
                    Some(_) if text.is_empty() && field.label == Label::List => {
                        self.violations.add(path.to_string(), "must not be empty");
                    }
                    Some(reference) if !text.is_empty() => self.reference(reference, text, path),
                    Some(_) | None => {}
                }
            }
            Value::Enum { values } => {
                // Open enums let any number through; a number that means nothing is a mistake of the caller.
                let mut packed = wire.value;
                while let Ok(number) = prost::encoding::decode_varint(&mut packed) {
                    #[allow(clippy::cast_possible_truncation, reason = "an enum is written as a sign-extended i32")]
                    let number = number as i32;
                    if !values.contains_key(&number) {
                        self.violations.add(path.to_string(), format!("has no value {number}"));
                    }
                }
            }
            Value::Number { number, min, max } => {
                if min.is_some() || max.is_some() || matches!(number, NumberType::Float | NumberType::Double) {
                    self.number(*number, *min, *max, wire.value, path);
                }
            }
            Value::Message(id) => self.message(*id, wire.value, path, depth + 1),
            Value::Bool | Value::Bytes => {}
        }
    }

    fn text(&mut self, format: i32, length_max: usize, text: &str, path: &Path<'_>) {
        if text.len() > length_max {
            let length = text.chars().count();
            if length > length_max {
                self.violations
                    .add(path.to_string(), format!("has at most {length_max} characters, and this has {length}"));
            }
        }
        if let Some(rule) = format::check_text(format, text) {
            self.violations.add(path.to_string(), rule);
        }
    }

    fn number(&mut self, number: NumberType, min: Option<f64>, max: Option<f64>, bytes: &[u8], path: &Path<'_>) {
        let value = decode_number(number, bytes);
        if !value.is_finite() {
            self.violations.add(path.to_string(), "must be a finite number");
        } else if min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max) {
            let bound = |bound: Option<f64>, word: &str| bound.map(|bound| format!("{word} {bound}"));
            let bounds: Vec<_> = [bound(min, "at least"), bound(max, "at most")].into_iter().flatten().collect();
            self.violations.add(path.to_string(), format!("must be {}", bounds.join(" and ")));
        }
    }

    fn reference(&mut self, reference: &Reference, text: &str, path: &Path<'_>) {
        let name = match reference {
            Reference::Any => Name::parse(self.schemas, text),
            Reference::Kind(kind) => Name::parse_as(self.schemas, *kind, text),
        };
        match name {
            Ok(target) => self.referrals.push(Referral { field: path.to_string(), target }),
            Err(rule) => self.violations.add(path.to_string(), rule),
        }
    }
}

/// The rule that a value shared by several kinds breaks.
fn shared_value_rule(message_name: &str, message: &[u8]) -> Option<&'static str> {
    match message_name {
        "partnership.registry.v1.PartialDate" => format::check_date(&prost::Message::decode(message).ok()?),
        "partnership.registry.v1.DateInterval" => format::check_interval(&prost::Message::decode(message).ok()?),
        "google.type.Money" => format::check_money(&prost::Message::decode(message).ok()?),
        "google.protobuf.Timestamp" => {
            let time = Timestamp::decode(message).ok()?;
            // The range that protobuf allows: years 1 to 9999.
            let good =
                (-62_135_596_800..=253_402_300_799).contains(&time.seconds) && (0..1_000_000_000).contains(&time.nanos);
            (!good).then_some("must be a time of the years 1 to 9999")
        }
        _ => None,
    }
}

/// The number in the value of a field, as near as a float comes to it.
#[allow(clippy::cast_precision_loss, reason = "bounds are far below 2^53")]
pub(crate) fn decode_number(number: NumberType, bytes: &[u8]) -> f64 {
    let varint = prost::encoding::decode_varint(&mut &*bytes).unwrap_or(0);
    let four = bytes.first_chunk::<4>().copied().unwrap_or_default();
    let eight = bytes.first_chunk::<8>().copied().unwrap_or_default();
    match number {
        NumberType::Signed => varint.cast_signed() as f64,
        NumberType::Unsigned => varint as f64,
        NumberType::ZigZag => ((varint >> 1).cast_signed() ^ -(varint & 1).cast_signed()) as f64,
        NumberType::Fixed32 => f64::from(u32::from_le_bytes(four)),
        NumberType::SignedFixed32 => f64::from(i32::from_le_bytes(four)),
        NumberType::Fixed64 => u64::from_le_bytes(eight) as f64,
        NumberType::SignedFixed64 => i64::from_le_bytes(eight) as f64,
        NumberType::Float => f64::from(f32::from_le_bytes(four)),
        NumberType::Double => f64::from_le_bytes(eight),
    }
}

/// The document of a body: its name in front, its stamp behind.
pub(crate) fn stamped(name: &Name, body: &[u8], stamp: &Stamp, revision: u64, etag: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + name.as_str().len() + 160);
    wire::put_bytes(&mut out, common::NAME, name.as_str().as_bytes());
    out.extend_from_slice(body);
    wire::put_bytes(&mut out, common::UID, stamp.uid.as_bytes());
    wire::put_bytes(&mut out, common::ETAG, etag.as_bytes());
    wire::put_varint(&mut out, common::REVISION, revision);
    wire::put_bytes(&mut out, common::CREATE_TIME, &Timestamp::from(stamp.create_time).encode_to_vec());
    wire::put_bytes(&mut out, common::UPDATE_TIME, &Timestamp::from(stamp.update_time).encode_to_vec());
    if let Some(time) = stamp.delete_time {
        wire::put_bytes(&mut out, common::DELETE_TIME, &Timestamp::from(time).encode_to_vec());
    }
    wire::put_bytes(&mut out, common::CREATOR, stamp.creator.as_bytes());
    wire::put_bytes(&mut out, common::UPDATER, stamp.updater.as_bytes());
    out
}

/// The stamp of a document.
pub(crate) fn stamp(document: &[u8]) -> Stamp {
    let text = |number| wire::field(document, number).map(|field| field.text().to_owned()).unwrap_or_default();
    let time = |number| time_in(document, number);
    Stamp {
        uid: text(common::UID),
        create_time: time(common::CREATE_TIME).unwrap_or_default(),
        update_time: time(common::UPDATE_TIME).unwrap_or_default(),
        delete_time: time(common::DELETE_TIME),
        creator: text(common::CREATOR),
        updater: text(common::UPDATER),
    }
}

fn time_in(document: &[u8], number: u32) -> Option<Time> {
    wire::field(document, number).and_then(|field| Timestamp::decode(field.value).ok()).map(Time::from)
}

/// When the resource of a document was created.
pub(crate) fn create_time(document: &[u8]) -> Time {
    time_in(document, common::CREATE_TIME).unwrap_or_default()
}

/// Whether a document is deleted.
pub(crate) fn is_deleted(document: &[u8]) -> bool {
    wire::field(document, common::DELETE_TIME).is_some()
}

/// The etag of a document.
pub(crate) fn etag(document: &[u8]) -> &str {
    wire::field(document, common::ETAG).map_or("", |field| field.text())
}

/// The revision of a document.
pub(crate) fn revision(document: &[u8]) -> u64 {
    wire::field(document, common::REVISION).map_or(0, |field| field.varint())
}

/// The display name of a document.
pub(crate) fn display_name(document: &[u8]) -> &str {
    wire::field(document, common::DISPLAY_NAME).map_or("", |field| field.text())
}

/// What a reader gets who has this document already: its name, etag and revision.
pub(crate) fn not_modified(document: &[u8]) -> Vec<u8> {
    let kept = [common::NAME, common::ETAG, common::REVISION];
    wire::fields(document).filter(|field| kept.contains(&field.number)).flat_map(|field| field.whole.to_vec()).collect()
}

/// The name and the etag that an input resource carries.
pub(crate) fn name_and_etag(resource: &[u8]) -> (&str, &str) {
    (wire::field(resource, common::NAME).map_or("", |field| field.text()), etag(resource))
}

/// The envelope of a document.
pub(crate) fn envelope(kind: &KindSchema, document: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(document.len() + 8);
    wire::put_bytes(&mut out, kind.tag, document);
    out
}

/// The kind and the document of an envelope; `None` if it is none of this contract.
pub(crate) fn open_envelope<'a>(schemas: &Schemas, envelope: &'a [u8]) -> Option<(KindId, &'a [u8])> {
    let field = wire::fields(envelope).next()?;
    Some((schemas.by_tag(field.number)?, field.value))
}
