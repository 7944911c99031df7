//! The rules of each kind: what cannot be true of any record of it, and no annotation can say.
//!
//! Pure: no I/O, no clock, no state of the registry. A kind of the contract without its file here does not compile.

use crate::violations::Violations;

mod reference;
#[cfg(test)]
mod table;

/// What a kind brings, besides its message.
#[derive(Clone, Copy)]
pub struct KindRules {
    /// The field of the `Resource` envelope, such as `focus_area`.
    pub singular: &'static str,
    /// Checks what the annotations cannot say, of a resource's name and body.
    pub check: fn(&str, &[u8], &mut Violations),
    /// Brings an encoded resource into the one order of fields in which equal resources have equal bytes.
    pub normalize: fn(&[u8]) -> Vec<u8>,
}

macro_rules! kinds {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        $(mod $singular;)*

        /// The rules of all kinds.
        pub const ALL: &[KindRules] = &[$(KindRules {
            singular: stringify!($singular),
            check: |name, body, violations| check(name, body, violations, $singular::check),
            normalize: normalize::<partnership_registry::v1::$Kind>,
        }),*];
    };
}

partnership_registry::for_each_kind!(kinds);

fn check<K: partnership_registry::Kind>(
    name: &str,
    body: &[u8],
    violations: &mut Violations,
    rules: fn(&K, &mut Violations),
) {
    match K::decode(body) {
        Ok(mut resource) => {
            resource.set_name(name.to_owned());
            rules(&resource, violations);
        }
        // What comes here was encoded by prost a moment ago.
        Err(error) => violations.add("", format!("is no message: {error}")),
    }
}

/// Equal resources have equal bytes only in the order in which prost writes them.
fn normalize<K: partnership_registry::Kind>(body: &[u8]) -> Vec<u8> {
    K::decode(body).map(|resource| resource.encode_to_vec()).unwrap_or_default()
}
