//! Names: the identity of a resource, `{collection}/{id}` (AIP-122).
//!
//! A `Name` exists only if its collection is one of the registry and its id is well formed; whether there is such a
//! resource is another question.

use std::sync::Arc;

use crate::registry::schema::{KindId, Schemas};

/// The most characters of an id: that of a DNS label (RFC 1034).
pub(crate) const ID_LENGTH_MAX: usize = 63;

/// A well-formed name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    kind: KindId,
    text: Arc<str>,
}

impl Name {
    /// Reads a name of any kind. The error is a sentence that states the rule.
    pub(crate) fn parse(schemas: &Schemas, text: &str) -> Result<Self, String> {
        let (collection, id) = text.split_once('/').ok_or_else(|| rule(text))?;
        let kind = schemas
            .by_collection(collection)
            .ok_or_else(|| format!("{:?} is none of the collections: {}", short(collection), schemas.collections()))?;
        check_id(id)?;
        Ok(Self { kind, text: text.into() })
    }

    /// Reads a name of one kind. The error is a sentence that states the rule.
    pub(crate) fn parse_as(schemas: &Schemas, kind: KindId, text: &str) -> Result<Self, String> {
        let collection = &schemas.kind(kind).collection;
        match text.strip_prefix(collection.as_str()).and_then(|rest| rest.strip_prefix('/')) {
            Some(id) => check_id(id).map(|()| Self { kind, text: text.into() }),
            None => Err(format!("must be {collection}/{{id}}, and is {:?}", short(text))),
        }
    }

    /// Makes a name from its id. The error is a sentence that states the rule.
    pub(crate) fn from_id(schemas: &Schemas, kind: KindId, id: &str) -> Result<Self, String> {
        check_id(id)?;
        Ok(Self { kind, text: format!("{}/{id}", schemas.kind(kind).collection).into() })
    }

    /// A new name with an id that sorts by the time it was made (UUID version 7).
    pub(crate) fn generate(schemas: &Schemas, kind: KindId) -> Self {
        Self { kind, text: format!("{}/{}", schemas.kind(kind).collection, uuid::Uuid::now_v7()).into() }
    }

    /// A name that the registry holds, and so is well formed.
    pub(crate) fn stored(kind: KindId, text: Arc<str>) -> Self {
        Self { kind, text }
    }

    /// The kind.
    pub(crate) fn kind(&self) -> KindId {
        self.kind
    }

    /// `{collection}/{id}`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same text, shared.
    pub(crate) fn shared(&self) -> Arc<str> {
        self.text.clone()
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn check_id(id: &str) -> Result<(), String> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let bytes = id.as_bytes();
    let good = (1..=ID_LENGTH_MAX).contains(&bytes.len())
        && bytes.iter().copied().all(inner)
        && bytes.first() != Some(&b'-')
        && bytes.last() != Some(&b'-');
    if good { Ok(()) } else { Err(id_rule(id)) }
}

fn id_rule(id: &str) -> String {
    format!(
        "an id has 1 to {ID_LENGTH_MAX} lower-case letters, digits and inner hyphens; {:?} is none (it has {} characters)",
        short(id),
        id.chars().count()
    )
}

fn rule(text: &str) -> String {
    format!("a name is {{collection}}/{{id}}, and {:?} is none", short(text))
}

/// What an error repeats of a text of unknown length.
pub(crate) fn short(text: &str) -> String {
    if text.chars().count() <= 100 { text.to_owned() } else { text.chars().take(99).chain(['…']).collect() }
}
