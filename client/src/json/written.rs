//! Leaves out what only the server writes, as the annotations of the contract have it.

use partnership_registry::v1::Resource;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage as _, Value};

use super::contract::{RESOURCE, descriptor, internal, pool};
use crate::error::Error;

/// `google.api.FieldBehavior.OUTPUT_ONLY`.
const OUTPUT_ONLY: i32 = 3;

/// The resource without what only the server writes: the fields that the contract marks as OUTPUT_ONLY, and the etag.
/// What is left was written by a client.
///
/// # Errors
/// `INTERNAL`: never, of a resource that a server sent.
pub fn without_server_fields(resource: &Resource) -> Result<Resource, Error> {
    without(resource, |field| field.name() == "etag" || is_output_only(field))
}

/// The resource without its etag: a write of it cannot conflict with another.
///
/// # Errors
/// `INTERNAL`: never, of a resource that a server sent.
pub fn without_etag(resource: &Resource) -> Result<Resource, Error> {
    without(resource, |field| field.name() == "etag")
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

fn is_output_only(field: &FieldDescriptor) -> bool {
    let Some(extension) = pool().get_extension_by_name("google.api.field_behavior") else { return false };
    let options = field.options();
    let behaviors = options.get_extension(&extension);
    behaviors.as_list().is_some_and(|list| list.contains(&Value::EnumNumber(OUTPUT_ONLY)))
}
