//! What serde alone does not do: maps in a stable order, and resources without their envelope.

use std::marker::PhantomData;

use partnership_registry::Kind;
use partnership_registry::v1::Resource;
use prost_reflect::{DynamicMessage, Kind as FieldKind, MessageDescriptor};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;

use super::{Syntax, descriptor, read};
use crate::error::Error;

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

/// A resource of a known kind without its envelope, as serde reads it.
struct Bare<K>(Resource, PhantomData<K>);

impl<'de, K: Kind> Deserialize<'de> for Bare<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let full_name = format!("partnership.registry.v1.{}", K::KIND);
        let descriptor = descriptor(&full_name).map_err(D::Error::custom)?;
        let dynamic = DynamicMessage::deserialize(descriptor, deserializer)?;
        let kind: K = dynamic.transcode_to().map_err(D::Error::custom)?;
        Ok(Self(kind.into(), PhantomData))
    }
}

fn read_kind<K: Kind>(text: &str, syntax: Syntax) -> Result<Vec<Resource>, Error> {
    Ok(read::<Bare<K>>(text, syntax)?.into_iter().map(|bare| bare.0).collect())
}

macro_rules! table {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        /// Reads resources of a collection that stand without an envelope.
        pub(super) fn read_bare(text: &str, syntax: Syntax, collection: &str) -> Result<Vec<Resource>, Error> {
            match collection {
                $($collection => read_kind::<partnership_registry::v1::$Kind>(text, syntax),)*
                other => Err(Error::invalid(format!("there is no collection {other:?}"))),
            }
        }
    };
}

partnership_registry::for_each_kind!(table);
