//! The dates in a document: every one that a caller writes and that is asked by (`indexed`), with the path of its field.
//!
//! What a kind has as events of its own, it tells itself: their type says more than a path.

use partnership_registry::v1::PartialDate;
use prost::Message as _;
use prost_types::Timestamp;

use crate::registry::resource::wire;
use crate::registry::schema::{KindId, Schemas, Shape, SharedValue, Value};
use crate::time::Time;
use crate::values::partial_date;

/// A date in a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DatedField {
    /// The field, such as `milestones.due_date`.
    pub(crate) path: String,
    /// The date; of a time, its day in UTC.
    pub(crate) date: PartialDate,
}

/// The dates in a document of a kind, in the order of the fields.
pub(crate) fn dates(schemas: &Schemas, kind: KindId, document: &[u8]) -> Vec<DatedField> {
    let events = schemas.kind(kind).rules.dated.map(|dated| dated.events_field);
    let mut found = Vec::new();
    for field in wire::fields(document).filter(|field| Some(field.number) != events) {
        message(schemas, schemas.shape_of(kind), field, "", &mut found);
    }
    found
}

fn message(schemas: &Schemas, shape: &Shape, wire: wire::WireField<'_>, above: &str, found: &mut Vec<DatedField>) {
    let Some(field) = shape.by_number(wire.number).filter(|field| !field.output_only) else { return };
    let Value::Message(inner) = field.value else { return };
    let path = format!("{above}{}", field.name);
    let inner = schemas.shape(inner);
    let date = match inner.shared {
        Some(SharedValue::PartialDate) => PartialDate::decode(wire.value).ok(),
        Some(SharedValue::Timestamp) => Timestamp::decode(wire.value).ok().and_then(day),
        Some(SharedValue::Money) => return,
        Some(SharedValue::DateInterval) | None => {
            let above = format!("{path}.");
            wire::fields(wire.value).for_each(|wire| message(schemas, inner, wire, &above, found));
            return;
        }
    };
    found.extend(date.filter(|_| field.indexed).map(|date| DatedField { path, date }));
}

/// The day of a time, if it is of the years that have dates.
fn day(time: Timestamp) -> Option<PartialDate> {
    partial_date::of_day(Time::from(time).day())
}
