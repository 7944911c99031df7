//! Field masks: which fields of a resource a change means (AIP-134, AIP-161).
//!
//! A mask is a tree of fields. Paths lead through single messages; a list or a map is changed as a whole. What may be set
//! only at creation keeps its value, whatever a mask means.

use std::collections::BTreeMap;

use super::name::short;
use super::wire;
use crate::registry::schema::{Field, KindId, Schemas, Shape};
use crate::violations::Violations;

/// The most paths of a mask: more than any kind has fields.
const PATHS_MAX: usize = 200;

/// Which fields are meant: for each number all of the field, or a part of the message in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mask(BTreeMap<u32, Option<Mask>>);

impl Mask {
    /// Reads the paths of a mask for `kind`. Without any, the mask is of the fields that `body` has; `*` is all of them.
    pub(crate) fn parse(
        schemas: &Schemas,
        kind: KindId,
        paths: &[String],
        body: &[u8],
        violations: &mut Violations,
    ) -> Self {
        let shape = schemas.shape_of(kind);
        if paths.is_empty() {
            return Self(wire::fields(body).map(|field| (field.number, None)).collect());
        }
        if paths.len() > PATHS_MAX {
            violations.add("update_mask", format!("must have at most {PATHS_MAX} paths, and has {}", paths.len()));
            return Self::default();
        }
        if let [only] = paths
            && only == "*"
        {
            return Self(shape.fields.iter().map(|field| (field.number, None)).collect());
        }
        let mut mask = Self::default();
        for path in paths {
            if let Err(rule) = mask.add(schemas, shape, path) {
                violations.add("update_mask", format!("has the path {:?}, but {rule}", short(path)));
            }
        }
        mask
    }

    /// Takes in one path. The error is what is wrong with it.
    fn add(&mut self, schemas: &Schemas, shape: &Shape, path: &str) -> Result<(), String> {
        if path == "*" {
            return Err("'*' must stand alone".into());
        }
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let field =
            shape.by_name(first).ok_or_else(|| format!("{} has no field {:?}", shape.short_name(), short(first)))?;
        match rest {
            None => {
                self.0.insert(field.number, None);
                Ok(())
            }
            Some(rest) => {
                let inner = field
                    .single_message()
                    .ok_or_else(|| format!("{first:?} is no single message, and is changed as a whole"))?;
                match self.0.entry(field.number).or_insert_with(|| Some(Self::default())) {
                    // All of the field is meant already.
                    None => Ok(()),
                    Some(mask) => mask.add(schemas, schemas.shape(inner), rest),
                }
            }
        }
    }

    /// `old` with the fields that the mask means taken from `new`. The order of fields is that of their numbers.
    pub(crate) fn merge(&self, schemas: &Schemas, kind: KindId, old: &[u8], new: &[u8]) -> Vec<u8> {
        self.merge_message(schemas, schemas.shape_of(kind), old, new, true)
    }

    fn merge_message(&self, schemas: &Schemas, shape: &Shape, old: &[u8], new: &[u8], top: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(old.len().max(new.len()));
        for field in &shape.fields {
            match self.0.get(&field.number) {
                _ if top && field.set_at_creation => copy(field, old, &mut out),
                None => copy(field, old, &mut out),
                Some(None) => copy(field, new, &mut out),
                Some(Some(mask)) => {
                    let (old, new) = (wire::field(old, field.number), wire::field(new, field.number));
                    let (Some(inner), true) = (field.single_message(), old.is_some() || new.is_some()) else {
                        continue;
                    };
                    let (old, new) =
                        (old.map_or(&[][..], |field| field.value), new.map_or(&[][..], |field| field.value));
                    let merged = mask.merge_message(schemas, schemas.shape(inner), old, new, false);
                    wire::put_bytes(&mut out, field.number, &merged);
                }
            }
        }
        out
    }
}

/// Appends all occurrences of a field.
fn copy(field: &Field, message: &[u8], out: &mut Vec<u8>) {
    for wire in wire::fields(message).filter(|wire| wire.number == field.number) {
        out.extend_from_slice(wire.whole);
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Country, DateInterval, PartialDate};
    use prost::Message as _;

    use super::*;
    use crate::registry::schema::{contract, kind_of};

    fn year(year: i32) -> Option<PartialDate> {
        Some(PartialDate { year, ..PartialDate::default() })
    }

    fn country(name: &str, start: i32, end: i32) -> Country {
        Country {
            display_name: name.into(),
            existence: Some(DateInterval { start_date: year(start), end_date: year(end) }),
            labels: [(name.to_owned(), "x".to_owned())].into(),
            ..Country::default()
        }
    }

    fn parse(schemas: &Schemas, paths: &[&str], body: &Country) -> Result<Mask, Violations> {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mut violations = Violations::new();
        let body = body.encode_to_vec();
        let mask = Mask::parse(schemas, kind_of(schemas, "countries"), &paths, &body, &mut violations);
        if violations.is_empty() { Ok(mask) } else { Err(violations) }
    }

    #[test]
    fn a_change_takes_what_the_mask_means_and_keeps_the_rest() {
        let schemas = contract();
        let (old, new) = (country("old", 1900, 1950), country("new", 1800, 1850));
        let nothing = Country::default();
        let table: [(&[&str], &Country, Country); 9] = [
            (&["display_name"], &new, Country { display_name: "new".into(), ..old.clone() }),
            (&["display_name"], &nothing, Country { display_name: String::new(), ..old.clone() }),
            (&["labels"], &new, Country { labels: new.labels.clone(), ..old.clone() }),
            (&["existence.end_date"], &new, country("old", 1900, 1850)),
            (&["existence.end_date.year", "existence.start_date"], &new, country("old", 1800, 1850)),
            (&["existence", "existence.end_date"], &nothing, Country { existence: None, ..old.clone() }),
            (
                &["existence.start_date"],
                &nothing,
                Country { existence: Some(DateInterval { start_date: None, end_date: year(1950) }), ..old.clone() },
            ),
            (&["*"], &new, new.clone()),
            (
                &[],
                &Country { display_name: "new".into(), ..nothing.clone() },
                Country { display_name: "new".into(), ..old.clone() },
            ),
        ];
        for (paths, change, expected) in table {
            let mask = parse(&schemas, paths, change).unwrap();
            let kind = kind_of(&schemas, "countries");
            let merged = mask.merge(&schemas, kind, &old.encode_to_vec(), &change.encode_to_vec());
            assert_eq!(Country::decode(merged.as_slice()).unwrap(), expected, "{paths:?}");
        }
    }

    #[test]
    fn what_is_set_at_creation_is_kept_whatever_the_mask_means() {
        use partnership_registry::v1::{Agreement, AgreementState};

        let schemas = contract();
        let kind = kind_of(&schemas, "agreements");
        let state = schemas.shape_of(kind).by_name("state").unwrap();
        assert!(state.set_at_creation, "the test needs such a field");
        let of_state =
            |state: AgreementState| Agreement { state: state.into(), ..Agreement::default() }.encode_to_vec();
        for paths in [&["*".to_owned()][..], &["state".to_owned()], &[]] {
            let new = of_state(AgreementState::InForce);
            let mask = Mask::parse(&schemas, kind, paths, &new, &mut Violations::new());
            let merged = mask.merge(&schemas, kind, &of_state(AgreementState::Draft), &new);
            assert_eq!(merged, of_state(AgreementState::Draft), "{paths:?}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused_and_each_is_told() {
        let schemas = contract();
        let table = [
            ("nothing", "has the path \"nothing\", but Country has no field \"nothing\""),
            ("existence.middle", "has the path \"existence.middle\", but DateInterval has no field \"middle\""),
            ("labels.a", "has the path \"labels.a\", but \"labels\" is no single message, and is changed as a whole"),
            (
                "display_name.a",
                "has the path \"display_name.a\", but \"display_name\" is no single message, and is changed as a whole",
            ),
            ("*", "has the path \"*\", but '*' must stand alone"),
            ("", "has the path \"\", but Country has no field \"\""),
        ];
        let mut paths: Vec<_> = table.iter().map(|(path, _)| *path).collect();
        paths.insert(1, "display_name");
        let violations = parse(&schemas, &paths, &Country::default()).unwrap_err();
        let found: Vec<_> = violations.iter().map(|one| (one.field.as_str(), one.description.as_str())).collect();
        assert_eq!(found, table.map(|(_, rule)| ("update_mask", rule)));
        assert!(parse(&schemas, &["display_name"; PATHS_MAX + 1], &Country::default()).is_err());
    }
}
