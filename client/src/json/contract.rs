//! The descriptors of the contract, as the rest of this module needs them.

use std::fmt::Display;

use prost_reflect::{DescriptorPool, MessageDescriptor};

use crate::error::{Code, Error};

/// The envelope of a resource.
pub(super) const RESOURCE: &str = "partnership.registry.v1.Resource";

pub(super) fn pool() -> &'static DescriptorPool {
    partnership_registry::descriptors()
}

pub(super) fn descriptor(full_name: &str) -> Result<MessageDescriptor, Error> {
    let unknown = || internal(format!("the contract has no message {full_name}"));
    pool().get_message_by_name(full_name).ok_or_else(unknown)
}

/// The error for what only a bug in this crate can cause.
pub(super) fn internal(error: impl Display) -> Error {
    Error::local(Code::Internal, error.to_string())
}
