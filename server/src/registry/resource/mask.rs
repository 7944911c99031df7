//! Field masks: which fields of a resource a request means (AIP-157, AIP-161).
//!
//! A mask is a tree of fields, and the same for reading and for changing. Paths lead through single messages and to the
//! entries of maps; a list is meant as a whole. All here works on the bytes of resources, guided by the tables.

use std::collections::{BTreeMap, BTreeSet};

use super::mask_path::{is_plain, split};
use super::name::short;
use super::wire::{self, WireField};
use crate::registry::schema::{ENTRY_KEY, Field, KindId, Label, Schemas, Shape, Value};
use crate::values::format;
use crate::violations::Violations;

/// The most paths of a mask: more than any kind has fields, and entries of its maps.
const PATHS_MAX: usize = 200;

/// Which fields are meant, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mask(BTreeMap<u32, Part>);

/// How much of a field is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// The field as a whole.
    All,
    /// Some fields of the single message in it.
    Message(Mask),
    /// The entries of the map that have these keys.
    Entries(BTreeSet<String>),
}

/// What a mask is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Update,
}

impl Purpose {
    /// The field of the request that has the paths.
    fn field(self) -> &'static str {
        match self {
            Self::Read => "read_mask",
            Self::Update => "update_mask",
        }
    }

    /// What is done to the fields that are meant.
    fn done(self) -> &'static str {
        match self {
            Self::Read => "answered",
            Self::Update => "changed",
        }
    }
}

impl Mask {
    /// Reads the paths of a mask for `kind`, and notes every one that leads nowhere. `None` if they name no fields: there
    /// are none, or there is `*` alone.
    pub(crate) fn parse(
        schemas: &Schemas,
        kind: KindId,
        purpose: Purpose,
        paths: &[String],
        violations: &mut Violations,
    ) -> Option<Self> {
        if matches!(paths, []) || is_star(paths) {
            return None;
        }
        let mut mask = Self::default();
        if paths.len() > PATHS_MAX {
            let rule = format!("must have at most {PATHS_MAX} paths, and has {}", paths.len());
            violations.add(purpose.field(), rule);
            return Some(mask);
        }
        for path in paths {
            if let Err(rule) = mask.add(schemas, schemas.shape_of(kind), purpose, path) {
                violations.add(purpose.field(), format!("has the path {:?}, but {rule}", short(path)));
            }
        }
        Some(mask)
    }

    /// The mask of all fields of a message.
    pub(super) fn all(shape: &Shape) -> Self {
        Self(shape.fields.iter().map(|field| (field.number, Part::All)).collect())
    }

    /// The mask of the fields that a message has.
    pub(super) fn of(message: &[u8]) -> Self {
        Self(wire::fields(message).map(|field| (field.number, Part::All)).collect())
    }

    /// How much of a field is meant; `None` for nothing of it.
    pub(crate) fn part(&self, number: u32) -> Option<&Part> {
        self.0.get(&number)
    }

    /// Takes in one path. The error is what is wrong with it.
    fn add(&mut self, schemas: &Schemas, shape: &Shape, purpose: Purpose, path: &str) -> Result<(), String> {
        if path == "*" {
            return Err("'*' must stand alone".into());
        }
        let (first, rest) = split(path)?;
        let field =
            shape.by_name(&first).ok_or_else(|| format!("{} has no field {:?}", shape.short_name(), short(&first)))?;
        let Some(rest) = rest else {
            self.0.insert(field.number, Part::All);
            return Ok(());
        };
        match (field.label, &field.value) {
            (Label::Single, Value::Message(id)) => {
                let part = self.0.entry(field.number).or_insert_with(|| Part::Message(Self::default()));
                match part {
                    Part::Message(mask) => mask.add(schemas, schemas.shape(*id), purpose, rest),
                    // All of the field is meant already; the path must lead somewhere all the same.
                    Part::All | Part::Entries(_) => Self::default().add(schemas, schemas.shape(*id), purpose, rest),
                }
            }
            (Label::Map { key_format, .. }, _) => {
                let key = key(field, key_format, rest)?;
                if let Part::Entries(keys) =
                    self.0.entry(field.number).or_insert_with(|| Part::Entries(BTreeSet::new()))
                {
                    keys.insert(key);
                }
                Ok(())
            }
            (Label::List { .. }, _) => Err(format!("{:?} is a list, and is {} as a whole", field.name, purpose.done())),
            (Label::Single, _) => Err(format!("{:?} has no parts, and is {} as a whole", field.name, purpose.done())),
        }
    }

    /// What a message has of the fields that are meant, in the order in which it has them.
    pub(crate) fn select(&self, schemas: &Schemas, kind: KindId, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.select_message(schemas, schemas.shape_of(kind), message, &mut out);
        out
    }

    fn select_message(&self, schemas: &Schemas, shape: &Shape, message: &[u8], out: &mut Vec<u8>) {
        for wire in wire::fields(message) {
            if let (Some(part), Some(field)) = (self.part(wire.number), shape.by_number(wire.number)) {
                part.select(schemas, field, &wire, out);
            }
        }
    }
}

/// Whether the paths are `*`: all fields.
pub(crate) fn is_star(paths: &[String]) -> bool {
    matches!(paths, [only] if only == "*")
}

/// The key that the end of a path names.
fn key(field: &Field, key_format: partnership_registry::v1::Format, path: &str) -> Result<String, String> {
    let (key, rest) = split(path)?;
    let name = &field.name;
    if rest.is_some() {
        return Err(format!("what {name:?} has has no parts"));
    }
    if key.is_empty() {
        return Err(format!("it names no key of {name:?}"));
    }
    if !path.starts_with('`') && !is_plain(&key) {
        return Err(format!("the key {:?} must stand in backticks", short(&key)));
    }
    match format::check(key_format, &key) {
        Some(rule) => Err(format!("the key {:?} {rule}", short(&key))),
        None => Ok(key.into_owned()),
    }
}

impl Part {
    /// Appends what is meant of one occurrence of `field`.
    pub(super) fn select(&self, schemas: &Schemas, field: &Field, wire: &WireField<'_>, out: &mut Vec<u8>) {
        match (self, &field.value) {
            (Self::Message(mask), Value::Message(id)) => {
                let mut inner = Vec::new();
                mask.select_message(schemas, schemas.shape(*id), wire.value, &mut inner);
                wire::put_bytes(out, wire.number, &inner);
            }
            (Self::Entries(keys), _) if !has_key(keys, wire) => {}
            (Self::All | Self::Message(_) | Self::Entries(_), _) => out.extend_from_slice(wire.whole),
        }
    }
}

/// Whether an entry of a map has one of these keys.
pub(super) fn has_key(keys: &BTreeSet<String>, entry: &WireField<'_>) -> bool {
    keys.contains(wire::field(entry.value, ENTRY_KEY).map_or("", |key| key.text()))
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Country, DateInterval, Document, PartialDate};
    use prost::Message as _;

    use super::*;
    use crate::registry::schema::{contract, kind_of};

    fn parse(schemas: &Schemas, purpose: Purpose, paths: &[&str]) -> Result<Option<Mask>, Vec<(String, String)>> {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mut violations = Violations::new();
        let mask = Mask::parse(schemas, kind_of(schemas, "countries"), purpose, &paths, &mut violations);
        let broken: Vec<_> = violations.iter().map(|one| (one.field.clone(), one.description.clone())).collect();
        if broken.is_empty() { Ok(mask) } else { Err(broken) }
    }

    #[test]
    fn a_mask_that_names_no_fields_is_none() {
        let schemas = contract();
        for paths in [&[][..], &["*"]] {
            assert_eq!(parse(&schemas, Purpose::Read, paths), Ok(None));
        }
    }

    #[test]
    fn what_a_mask_selects_is_what_it_names_and_nothing_else() {
        let schemas = contract();
        let kind = kind_of(&schemas, "countries");
        let date = |year, month| Some(PartialDate { year, month, ..PartialDate::default() });
        let labels = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), format!("of {key}"))).collect();
        let document = Document { title: "A".into(), ..Document::default() };
        let all = Country {
            name: "countries/kr".into(),
            display_name: "Korea".into(),
            labels: labels(&["programme", "unit/region", "unit"]),
            annotations: labels(&["a`b"]),
            existence: Some(DateInterval { start_date: date(1900, 5), end_date: date(1950, 6) }),
            documents: vec![document.clone(), document.clone()],
            ..Country::default()
        };
        let none = Country::default();
        let existence = |start_date, end_date| Country {
            existence: Some(DateInterval { start_date, end_date }),
            ..Country::default()
        };
        let table: [(&[&str], Country); 13] = [
            (&["display_name"], Country { display_name: "Korea".into(), ..none.clone() }),
            (&["name", "name"], Country { name: "countries/kr".into(), ..none.clone() }),
            (&["region_code"], none.clone()),
            (&["documents"], Country { documents: vec![document.clone(), document], ..none.clone() }),
            (&["labels"], Country { labels: all.labels.clone(), ..none.clone() }),
            (&["labels.programme"], Country { labels: labels(&["programme"]), ..none.clone() }),
            (&["labels.`unit/region`"], Country { labels: labels(&["unit/region"]), ..none.clone() }),
            (&["labels.none"], none.clone()),
            (&["labels.unit", "labels", "labels.unit"], Country { labels: all.labels.clone(), ..none.clone() }),
            (&["annotations.`a``b`"], Country { annotations: labels(&["a`b"]), ..none.clone() }),
            (&["existence.end_date"], existence(None, date(1950, 6))),
            (&["existence.end_date.year", "existence.start_date.month"], existence(date(0, 5), date(1950, 0))),
            (&["existence", "existence.end_date"], existence(date(1900, 5), date(1950, 6))),
        ];
        for (paths, expected) in table {
            for purpose in [Purpose::Read, Purpose::Update] {
                let mask = parse(&schemas, purpose, paths).unwrap().unwrap();
                let selected = mask.select(&schemas, kind, &all.encode_to_vec());
                assert_eq!(selected, expected.encode_to_vec(), "{paths:?}");
            }
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused_and_each_is_told() {
        let schemas = contract();
        let table = [
            ("nothing", "Country has no field \"nothing\""),
            ("existence.middle", "DateInterval has no field \"middle\""),
            ("labels.a.b", "what \"labels\" has has no parts"),
            ("labels.", "it names no key of \"labels\""),
            ("labels.``", "it names no key of \"labels\""),
            ("labels.unit-1", "the key \"unit-1\" must stand in backticks"),
            ("labels.*", "the key \"*\" must stand in backticks"),
            (
                "labels.A",
                "the key \"A\" must be a lower-case letter and then at most 62 of lower-case letters, digits, '-', \
                 '_', '.' and '/'",
            ),
            ("annotations.`\u{7}`", "the key \"\\u{7}\" must have no control characters but tab and line breaks"),
            ("labels.`a", "a backtick in it is not closed"),
            ("labels.`a`b", "only a dot may follow a backtick that closes"),
            ("display_name.a", "\"display_name\" has no parts, and is changed as a whole"),
            ("documents.title", "\"documents\" is a list, and is changed as a whole"),
            ("documents.0", "\"documents\" is a list, and is changed as a whole"),
            ("documents.0.title", "\"documents\" is a list, and is changed as a whole"),
            ("documents[0]", "Country has no field \"documents[0]\""),
            ("display_name.", "\"display_name\" has no parts, and is changed as a whole"),
            ("*", "'*' must stand alone"),
            ("", "Country has no field \"\""),
        ];
        let mut paths: Vec<_> = table.iter().map(|(path, _)| *path).collect();
        paths.insert(1, "display_name");
        for (purpose, field) in [(Purpose::Update, "update_mask"), (Purpose::Read, "read_mask")] {
            let found = parse(&schemas, purpose, &paths).unwrap_err();
            let expected = table.map(|(path, rule)| {
                let rule = rule.replace("changed", purpose.done());
                (field.to_owned(), format!("has the path {path:?}, but {rule}"))
            });
            assert_eq!(found, expected);
            // Also where all of the field is meant already.
            parse(&schemas, purpose, &["existence", "existence.middle"]).unwrap_err();
            parse(&schemas, purpose, &["labels", "labels.A"]).unwrap_err();
            parse(&schemas, purpose, &["display_name"; PATHS_MAX]).unwrap();
            parse(&schemas, purpose, &["display_name"; PATHS_MAX + 1]).unwrap_err();
        }
    }
}
