//! The descriptors of the contract, and what they say of fields.

use std::fmt::Display;

use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor, Value};

use crate::error::{Code, Error};

/// The envelope of a resource.
pub(crate) const RESOURCE: &str = "partnership.registry.v1.Resource";

/// `google.api.FieldBehavior.OUTPUT_ONLY`.
const OUTPUT_ONLY: i32 = 3;

pub(crate) fn pool() -> &'static DescriptorPool {
    partnership_registry::descriptors()
}

pub(crate) fn descriptor(full_name: &str) -> Result<MessageDescriptor, Error> {
    let unknown = || internal(format!("the contract has no message {full_name}"));
    pool().get_message_by_name(full_name).ok_or_else(unknown)
}

/// The error for what only a bug in this crate can cause.
pub(crate) fn internal(error: impl Display) -> Error {
    Error::local(Code::Internal, error.to_string())
}

/// Whether only the server writes a field.
pub(crate) fn is_output_only(field: &FieldDescriptor) -> bool {
    let Some(extension) = pool().get_extension_by_name("google.api.field_behavior") else { return false };
    let options = field.options();
    let behaviors = options.get_extension(&extension);
    behaviors.as_list().is_some_and(|list| list.contains(&Value::EnumNumber(OUTPUT_ONLY)))
}

/// Whether a field can be given only at creation.
pub(crate) fn is_set_at_creation(field: &FieldDescriptor) -> bool {
    let Some(extension) = pool().get_extension_by_name("partnership.registry.v1.rule") else { return false };
    let options = field.options();
    let rule = options.get_extension(&extension);
    let set = rule.as_message().and_then(|rule| rule.get_field_by_name("set_at_creation").map(|set| set.into_owned()));
    set == Some(Value::Bool(true))
}
