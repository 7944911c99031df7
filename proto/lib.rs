//! The contract of the Partnership Registry: the messages and services of `partnership.registry.v1`, generated from the
//! schemas beside this file, and their descriptors.
//!
//! Written by hand are this file, [`Kind`], what all kinds have in common, [`Method`], what all methods have, and the text
//! form of a [`v1::PartialDate`].
//! [`for_each_kind!`] is the table of kinds.

#![allow(clippy::all, missing_docs, unreachable_pub, reason = "generated; the schemas carry the comments")]

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

/// The package `google.type`, as far as the registry uses it.
pub mod google {
    #[allow(rustdoc::all)]
    pub mod r#type {
        tonic::include_proto!("google.r#type");
    }
}

mod partnership {
    pub(crate) mod registry {
        pub(crate) mod v1 {
            tonic::include_proto!("partnership.registry.v1");
        }
    }
}

/// The package `partnership.registry.v1`.
pub mod v1 {
    pub use super::partnership::registry::v1::*;
}

pub use google::r#type::Money;

/// Every schema of the contract with its annotations and comments, as an encoded `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

include!(concat!(env!("OUT_DIR"), "/kinds.rs"));

include!(concat!(env!("OUT_DIR"), "/methods.rs"));

mod codec;
mod kind;
mod method;
mod partial_date;

pub use codec::{BoundedCodec, REQUEST_OWN_PARTS_MAX, REQUEST_PARTS_MAX};
pub use kind::Kind;
pub use method::{
    BatchGet, BatchRead, Create, Delete, Get, List, Listed, Method, Of, Rollback, Standard, Streaming, Unary, Undelete,
    Update, call,
};
pub use partial_date::PartialDateError;

/// The descriptors of the contract, for reading annotations and for canonical protobuf JSON.
#[allow(clippy::expect_used, reason = "the bytes are of the same build; a test of any kind would fail first")]
pub fn descriptors() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
        DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("build.rs wrote these bytes from schemas that compile")
    });
    &POOL
}
