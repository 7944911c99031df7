//! Names: the identity of a resource, `{collection}/{id}` (AIP-122).
//!
//! A `Name` exists only if its collection is one of the registry and its id is well formed; whether there is such a
//! resource is another question.

use std::sync::{Arc, Mutex};

use prost_types::Timestamp;
use uuid::{ContextV7, Uuid};

use crate::registry::schema::{KindId, Schemas};
use crate::store::Revision;
use crate::time::Time;

/// Counts the ids that are made in the same millisecond, so that they sort, too.
static SAME_TIME: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// The most characters of an id: that of a DNS label (RFC 1034).
pub(crate) const ID_LENGTH_MAX: usize = 63;

/// A well-formed name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    kind: KindId,
    text: Arc<str>,
}

impl Name {
    /// Reads a name of any kind. The error is a phrase that states the rule.
    pub(crate) fn parse(schemas: &Schemas, text: &str) -> Result<Self, String> {
        Self::parse_if(schemas, |_| true, || schemas.collections(), text)
    }

    /// Reads a name of one of some kinds. The error is a phrase that states the rule.
    pub(crate) fn parse_one_of(schemas: &Schemas, kinds: &[KindId], text: &str) -> Result<Self, String> {
        Self::parse_if(schemas, |kind| kinds.contains(&kind), || schemas.collections_of(kinds), text)
    }

    fn parse_if(
        schemas: &Schemas,
        allowed: impl Fn(KindId) -> bool,
        collections: impl Fn() -> String,
        text: &str,
    ) -> Result<Self, String> {
        let (collection, id) =
            text.split_once('/').ok_or_else(|| format!("must be {{collection}}/{{id}}, and is {:?}", short(text)))?;
        let kind = schemas
            .by_collection(collection)
            .filter(|kind| allowed(*kind))
            .ok_or_else(|| format!("must be of one of {}, and is of {:?}", collections(), short(collection)))?;
        check_id_of_name(id)?;
        Ok(Self { kind, text: text.into() })
    }

    /// Reads a name of one kind. The error is a phrase that states the rule.
    pub(crate) fn parse_as(schemas: &Schemas, kind: KindId, text: &str) -> Result<Self, String> {
        let collection = &schemas.kind(kind).collection;
        match text.strip_prefix(collection.as_str()).and_then(|rest| rest.strip_prefix('/')) {
            Some(id) => check_id_of_name(id).map(|()| Self { kind, text: text.into() }),
            None => Err(format!("must be {collection}/{{id}}, and is {:?}", short(text))),
        }
    }

    /// Reads the name of a revision, `{resource}/revisions/{revision}`, of a resource of one kind, or of any. The error is
    /// a phrase that states the rule.
    pub(crate) fn parse_revision(
        schemas: &Schemas,
        kind: Option<KindId>,
        text: &str,
    ) -> Result<(Self, Revision), String> {
        let collection = kind.map_or("{collection}", |kind| &schemas.kind(kind).collection);
        let rule = || format!("must be {collection}/{{id}}/revisions/{{revision}}, and is {:?}", short(text));
        let (resource, revision) = text.split_once("/revisions/").ok_or_else(rule)?;
        let number: Revision = revision.parse().map_err(|_| rule())?;
        // One revision has one name: no sign and no zeros in front.
        if number.to_string() != revision {
            return Err(rule());
        }
        let name = match kind {
            Some(kind) => Self::parse_as(schemas, kind, resource),
            None => Self::parse(schemas, resource),
        };
        Ok((name?, number))
    }

    /// Makes a name from its id. The error is a phrase that states the rule.
    pub(crate) fn from_id(schemas: &Schemas, kind: KindId, id: &str) -> Result<Self, String> {
        if !is_id(id) {
            return Err(format!("must be {}, and is {}", id_rule(), described(id)));
        }
        Ok(Self { kind, text: format!("{}/{id}", schemas.kind(kind).collection).into() })
    }

    /// A new name with an id that sorts by the time it was made (UUID version 7).
    pub(crate) fn generate(schemas: &Schemas, kind: KindId, now: Time) -> Self {
        let Timestamp { seconds, nanos } = now.into();
        // Before 1970 such an id has no time.
        let (seconds, nanos) = (u64::try_from(seconds).unwrap_or(0), u32::try_from(nanos).unwrap_or(0));
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(&SAME_TIME, seconds, nanos));
        Self { kind, text: format!("{}/{id}", schemas.kind(kind).collection).into() }
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

fn is_id(id: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let bytes = id.as_bytes();
    (1..=ID_LENGTH_MAX).contains(&bytes.len())
        && bytes.iter().copied().all(inner)
        && bytes.first() != Some(&b'-')
        && bytes.last() != Some(&b'-')
}

fn check_id_of_name(id: &str) -> Result<(), String> {
    if is_id(id) { Ok(()) } else { Err(format!("must end in {}, and ends in {}", id_rule(), described(id))) }
}

fn id_rule() -> String {
    format!("1 to {ID_LENGTH_MAX} lower-case letters, digits and inner hyphens")
}

/// Tells how long the text is too, since that may be what is wrong with it.
fn described(id: &str) -> String {
    format!("{:?} ({} characters)", short(id), id.chars().count())
}

/// What an error repeats of a text of unknown length.
pub(crate) fn short(text: &str) -> String {
    if text.chars().count() <= 100 { text.to_owned() } else { text.chars().take(99).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::schema::{contract, kind_of};

    #[test]
    fn a_name_is_a_collection_of_the_registry_and_an_id() {
        let schemas = contract();
        let longest = "a".repeat(ID_LENGTH_MAX);
        let id = "must end in 1 to 63 lower-case letters, digits and inner hyphens, and ends in";
        let table = [
            ("countries/kr".to_owned(), None),
            ("countries/1-a--b".to_owned(), None),
            (format!("countries/{longest}"), None),
            (format!("countries/{longest}a"), Some(format!("{id} \"{longest}a\" (64 characters)"))),
            ("countries/".to_owned(), Some(format!("{id} \"\" (0 characters)"))),
            ("countries/-a".to_owned(), Some(format!("{id} \"-a\" (2 characters)"))),
            ("countries/a-".to_owned(), Some(format!("{id} \"a-\" (2 characters)"))),
            ("countries/KR".to_owned(), Some(format!("{id} \"KR\" (2 characters)"))),
            ("countries/a/b".to_owned(), Some(format!("{id} \"a/b\" (3 characters)"))),
            ("countries".to_owned(), Some("must be {collection}/{id}, and is \"countries\"".to_owned())),
            (
                "planets/mars".to_owned(),
                Some(format!("must be of one of {}, and is of \"planets\"", schemas.collections())),
            ),
        ];
        let countries = kind_of(&schemas, "countries");
        for (text, expected) in table {
            let name = Name::parse(&schemas, &text);
            assert_eq!(name.as_ref().err(), expected.as_ref(), "{text}");
            if let Ok(name) = name {
                assert_eq!((name.kind(), name.as_str()), (countries, text.as_str()));
                assert_eq!(Name::parse_as(&schemas, countries, &text), Ok(name.clone()));
                let id = text.trim_start_matches("countries/");
                assert_eq!(Name::from_id(&schemas, countries, id), Ok(name));
            }
            assert_eq!(
                Name::parse_as(&schemas, kind_of(&schemas, "meetings"), &text),
                Err(format!("must be meetings/{{id}}, and is {text:?}"))
            );
        }
        let at = |seconds| Time::from(Timestamp { seconds, nanos: 0 });
        let mut last = String::new();
        for now in [at(i64::MIN), at(5), at(6), at(253_402_300_799)] {
            let generated = Name::generate(&schemas, countries, now);
            assert!(generated.as_str() > last.as_str(), "{generated:?}");
            last = generated.as_str().to_owned();
            assert_eq!(Name::parse(&schemas, generated.as_str()), Ok(generated));
        }
    }

    #[test]
    fn a_revision_of_a_resource_has_one_name() {
        let schemas = contract();
        let countries = kind_of(&schemas, "countries");
        for kind in [None, Some(countries)] {
            let (name, revision) = Name::parse_revision(&schemas, kind, "countries/kr/revisions/12").unwrap();
            assert_eq!((name.as_str(), revision), ("countries/kr", 12));
            for bad in ["countries/kr", "countries/kr/revisions/", "countries/KR/revisions/1"] {
                assert!(Name::parse_revision(&schemas, kind, bad).is_err(), "{bad}");
            }
            for bad in ["x", "+1", "-1", "01", "1/2", "18446744073709551616", "1 "] {
                let bad = format!("countries/kr/revisions/{bad}");
                let rule = Name::parse_revision(&schemas, kind, &bad).unwrap_err();
                assert!(rule.contains("/{id}/revisions/{revision}, and is "), "{bad}: {rule}");
            }
        }
        assert!(
            Name::parse_revision(&schemas, Some(kind_of(&schemas, "meetings")), "countries/kr/revisions/1").is_err()
        );
    }

    #[test]
    fn one_of_some_kinds_is_told_which() {
        let schemas = contract();
        let kinds = [kind_of(&schemas, "countries"), kind_of(&schemas, "organizations")];
        for good in ["countries/kr", "organizations/un"] {
            assert!(Name::parse_one_of(&schemas, &kinds, good).is_ok(), "{good}");
        }
        assert_eq!(
            Name::parse_one_of(&schemas, &kinds, "meetings/a").unwrap_err(),
            "must be of one of countries, organizations, and is of \"meetings\""
        );
    }

    #[test]
    fn an_error_repeats_no_more_than_the_beginning_of_a_text() {
        assert_eq!(short(&"한".repeat(100)), "한".repeat(100));
        assert_eq!(short(&"한".repeat(101)), format!("{}…", "한".repeat(99)));
    }
}
