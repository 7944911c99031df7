//! The names of kinds on the command line, and resource names that use them.

use partnership_registry_client::json::closest;
use partnership_registry_client::{AnyResources, Kind, Registry};
use prost_reflect::MessageDescriptor;

use crate::failure::Failure;

/// Short names, besides those that follow from the contract. A kind needs none.
const ALIASES: &[(&str, &[&str])] = &[
    ("countries", &["co"]),
    ("focusAreas", &["fa", "area", "areas"]),
    ("organizations", &["org", "orgs"]),
    ("officials", &["off"]),
    ("agreements", &["agr"]),
    ("projects", &["proj"]),
    ("feasibilityStudies", &["fs", "study", "studies"]),
    ("meetings", &["mtg"]),
    ("delegations", &["dlg"]),
    ("courses", &["crs"]),
    ("commitments", &["cmt"]),
];

/// The names of a kind in the contract.
struct KindNames {
    collection: &'static str,
    kind: &'static str,
}

macro_rules! table {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        const KINDS: &[KindNames] = &[
            $(KindNames { collection: $collection, kind: <partnership_registry_client::v1::$Kind as Kind>::KIND },)*
        ];
    };
}

partnership_registry::for_each_kind!(table);

/// All collections, in the order of the contract.
pub(crate) fn collections() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|names| names.collection)
}

/// The collection of a kind by any of its names: `focusAreas`, `focus-area`, `FocusArea`, `fa`.
pub(crate) fn collection(word: &str) -> Result<&'static str, Failure> {
    let plain = plain(word);
    let found = KINDS.iter().find(|names| {
        plain == names.collection.to_ascii_lowercase()
            || plain == names.kind.to_ascii_lowercase()
            || aliases(names.collection).contains(&plain.as_str())
    });
    found.map(|names| names.collection).ok_or_else(|| {
        let known: Vec<_> = collections().collect();
        let words = KINDS.iter().flat_map(|names| [names.collection, names.kind]);
        let what = match closest(word, words) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => format!("the kinds are {}", known.join(", ")),
        };
        Failure::usage(format!("there is no kind {word:?}; {what}"))
    })
}

/// What a command is asked to work on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of a kind.
    All(&'static str),
    /// These, by their full names.
    Names(Vec<String>),
}

/// Reads `countries/kr agreement/a`, or `countries kr ir`, or `countries`.
pub(crate) fn asked(words: &[String]) -> Result<Asked, Failure> {
    let Some((first, rest)) = words.split_first() else { return Err(Failure::usage("a name is required")) };
    if first.contains('/') {
        return words.iter().map(|word| full_name(word)).collect::<Result<_, _>>().map(Asked::Names);
    }
    let collection = collection(first)?;
    if rest.is_empty() {
        return Ok(Asked::All(collection));
    }
    let name = |id: &String| match id.split_once('/') {
        None => Ok(format!("{collection}/{id}")),
        Some(_) => full_name(id),
    };
    rest.iter().map(name).collect::<Result<_, _>>().map(Asked::Names)
}

/// Reads names, where a kind alone is not enough.
pub(crate) fn names(words: &[String]) -> Result<Vec<String>, Failure> {
    match asked(words)? {
        Asked::Names(names) => Ok(names),
        Asked::All(collection) => Err(Failure::usage(format!("the names of {collection} are required"))),
    }
}

/// Reads one name, with any name of its kind.
pub(crate) fn full_name(word: &str) -> Result<String, Failure> {
    match word.split_once('/') {
        Some((kind, id)) if !id.is_empty() => Ok(format!("{}/{id}", collection(kind)?)),
        Some(_) | None => Err(Failure::usage(format!("{word:?} is not a name such as countries/kr"))),
    }
}

/// The message of a collection.
pub(crate) fn message(collection: &str) -> Option<MessageDescriptor> {
    let names = KINDS.iter().find(|names| names.collection == collection)?;
    partnership_registry::descriptors().get_message_by_name(&format!("partnership.registry.v1.{}", names.kind))
}

/// The collection of a full name.
pub(crate) fn collection_of(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// The handle of the kind that a full name, or a collection alone, is of.
pub(crate) fn handle_of(registry: &Registry, name: &str) -> Result<AnyResources, Failure> {
    registry.collection(collection_of(name)).ok_or_else(|| Failure::usage(format!("{name:?} has no kind")))
}

/// An etag as the registry writes it: in quotes, which a shell takes away.
pub(crate) fn etag(word: &str) -> String {
    if word.is_empty() || word.ends_with('"') { word.to_owned() } else { format!("\"{word}\"") }
}

/// The kind, the collection and the other names of each.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str, Vec<String>)> {
    KINDS.iter().map(|names| {
        let aliases = aliases(names.collection).iter().map(|&alias| alias.to_owned());
        (names.kind, names.collection, std::iter::once(kebab(names.kind)).chain(aliases).collect())
    })
}

fn aliases(collection: &str) -> &'static [&'static str] {
    ALIASES.iter().find(|(of, _)| *of == collection).map_or(&[], |(_, aliases)| *aliases)
}

/// Without separators: `focus-areas`, `focus_areas` and `FocusAreas` are the same.
fn plain(word: &str) -> String {
    word.chars().filter(|letter| !matches!(letter, '-' | '_')).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn kebab(kind: &str) -> String {
    let mut kebab = String::new();
    for letter in kind.chars() {
        if letter.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn kinds_are_known_by_many_names() {
        for word in ["focusAreas", "focusareas", "focus-areas", "focus_area", "FocusArea", "fa", "FA", "area"] {
            assert_eq!(collection(word).unwrap(), "focusAreas", "{word}");
        }
        assert_eq!(collection("study").unwrap(), "feasibilityStudies");
        assert!(collection("planets").is_err() && collection("").is_err());
    }

    #[test]
    fn no_name_stands_for_two_kinds() {
        let mut seen = HashSet::new();
        for names in KINDS {
            let own = [names.collection.to_ascii_lowercase(), names.kind.to_ascii_lowercase()];
            for word in own.iter().map(String::as_str).chain(aliases(names.collection).iter().copied()) {
                assert!(seen.insert(word.to_owned()), "{word}");
            }
        }
    }

    #[test]
    fn an_etag_may_have_lost_its_quotes_to_the_shell() {
        for (word, expected) in [("1-ab", "\"1-ab\""), ("\"1-ab\"", "\"1-ab\""), ("", ""), ("W/\"1\"", "W/\"1\"")] {
            assert_eq!(etag(word), expected);
        }
    }

    #[test]
    fn names_are_read_in_every_form() {
        let named = |names: &[&str]| Asked::Names(words(names));
        assert_eq!(asked(&words(&["country/kr"])).unwrap(), named(&["countries/kr"]));
        assert_eq!(asked(&words(&["countries", "kr", "ir"])).unwrap(), named(&["countries/kr", "countries/ir"]));
        assert_eq!(asked(&words(&["org/x", "co/kr"])).unwrap(), named(&["organizations/x", "countries/kr"]));
        assert_eq!(asked(&words(&["agreements"])).unwrap(), Asked::All("agreements"));
        for bad in [&["countries/"][..], &["countries/kr", "ir"], &["planets/x"], &["planets", "x"]] {
            assert!(asked(&words(bad)).is_err(), "{bad:?}");
        }
    }
}
