//! The rules of the contract, read once at start from the descriptors: what each field of each message must be.
//!
//! `annotations` reads the options of descriptors, `read` fills the tables from them, and `tables` is what everybody asks.
//! Nothing is said twice: a rule stands in the `.proto`. A kind is what the `Resource` envelope holds; nothing here names
//! one.

mod annotations;
mod read;
mod tables;

pub use tables::KindId;
pub(crate) use tables::{
    ENTRY_KEY, ENTRY_VALUE, Field, KindSchema, Label, NumberType, Reference, Schemas, Shape, ShapeId, SharedValue,
    Value,
};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::{contract, contract_with_immutable, kind_of, small_contract};
