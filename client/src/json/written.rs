//! Leaves out what only the server writes, as the annotations of the contract have it.

use partnership_registry::v1::Resource;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage as _, Value};

use super::contract::{RESOURCE, descriptor, internal, is_output_only};
use crate::error::Error;

/// The resource without what only the server writes: the fields that the contract marks as OUTPUT_ONLY, and the etag.
/// What is left was written by a client.
///
/// # Errors
/// `INTERNAL`: never, of a resource that a server sent.
pub fn without_server_fields(resource: &Resource) -> Result<Resource, Error> {
    without(resource, |field| field.name() == "etag" || is_output_only(field))
}

/// The resource without what only the server writes, but for the time of its deletion: an import deletes what has one.
///
/// # Errors
/// `INTERNAL`: never, of a resource that a server sent.
pub fn to_import(resource: &Resource) -> Result<Resource, Error> {
    without(resource, |field| field.name() != "delete_time" && (field.name() == "etag" || is_output_only(field)))
}

fn without(resource: &Resource, unwanted: impl Fn(&FieldDescriptor) -> bool) -> Result<Resource, Error> {
    let mut envelope =
        DynamicMessage::decode(descriptor(RESOURCE)?, resource.encode_to_vec().as_slice()).map_err(internal)?;
    for field in envelope.descriptor().fields() {
        if !envelope.has_field(&field) {
            continue;
        }
        if let Value::Message(kind) = envelope.get_field_mut(&field) {
            let descriptor: MessageDescriptor = kind.descriptor();
            descriptor.fields().filter(|field| unwanted(field)).for_each(|field| kind.clear_field(&field));
        }
    }
    envelope.transcode_to().map_err(internal)
}
