//! Resources of a given kind, without their envelope.

use std::marker::PhantomData;

use partnership_registry::Kind;
use partnership_registry::v1::Resource;
use serde::de::{Deserialize, Deserializer, Error as _};

use super::contract::descriptor;
use super::dates;
use super::syntax::{self, Syntax};
use crate::error::Error;

/// A resource of a known kind without its envelope, as serde reads it.
struct Bare<K>(Resource, PhantomData<K>);

impl<'de, K: Kind> Deserialize<'de> for Bare<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let full_name = format!("partnership.registry.v1.{}", K::KIND);
        let descriptor = descriptor(&full_name).map_err(D::Error::custom)?;
        let dynamic = dates::read(descriptor, deserializer)?;
        let kind: K = dynamic.transcode_to().map_err(D::Error::custom)?;
        Ok(Self(kind.into(), PhantomData))
    }
}

fn read_kind<K: Kind>(text: &str, syntax: Syntax) -> Result<Vec<Resource>, Error> {
    Ok(syntax::read::<Bare<K>>(text, syntax)?.into_iter().map(|bare| bare.0).collect())
}

macro_rules! table {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        /// Reads resources of a collection that stand without an envelope.
        pub(super) fn read(text: &str, syntax: Syntax, collection: &str) -> Result<Vec<Resource>, Error> {
            match collection {
                $($collection => read_kind::<partnership_registry::v1::$Kind>(text, syntax),)*
                other => Err(Error::invalid(format!("there is no collection {other:?}"))),
            }
        }
    };
}

partnership_registry::for_each_kind!(table);
