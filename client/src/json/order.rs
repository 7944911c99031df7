//! Sorts map entries, so that equal resources have equal text.

use prost_reflect::{Kind as FieldKind, MessageDescriptor};
use serde_json::Value;

/// Sorts the entries of all maps in the JSON form of a message. Its fields stay in the order of the schema.
pub(super) fn sort_maps(value: &mut Value, message: &MessageDescriptor) {
    let Value::Object(object) = value else { return };
    for field in message.fields() {
        let Some(value) = object.get_mut(field.json_name()) else { continue };
        let FieldKind::Message(inner) = field.kind() else { continue };
        if let (Value::Object(map), true) = (&mut *value, field.is_map()) {
            map.sort_keys();
            if let FieldKind::Message(entry) = inner.map_entry_value_field().kind() {
                map.values_mut().for_each(|value| sort_maps(value, &entry));
            }
        } else if let Value::Array(items) = value {
            items.iter_mut().for_each(|item| sort_maps(item, &inner));
        } else {
            sort_maps(value, &inner);
        }
    }
}
