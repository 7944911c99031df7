//! The mask of an update: which fields of the resource that was sent it means (AIP-134), and how they get into the one
//! that is there.
//!
//! What may be set only at creation keeps its value, whatever a mask means.

use super::mask::{Mask, Part, Purpose, has_key, is_star};
use super::wire;
use crate::registry::schema::{Field, KindId, Schemas, Shape};
use crate::violations::Violations;

/// The mask of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UpdateMask {
    mask: Mask,
    named: bool,
}

impl UpdateMask {
    /// Reads the paths of a mask for `kind`. Without any, the mask is of the fields that `body` has; `*` is all of them.
    pub(crate) fn parse(
        schemas: &Schemas,
        kind: KindId,
        paths: &[String],
        body: &[u8],
        violations: &mut Violations,
    ) -> Self {
        match Mask::parse(schemas, kind, Purpose::Update, paths, violations) {
            Some(mask) => Self { mask, named: true },
            None if is_star(paths) => Self { mask: Mask::all(schemas.shape_of(kind)), named: false },
            None => Self { mask: Mask::of(body), named: false },
        }
    }

    /// The fields that the request names; `None` if it has no mask or `*`.
    pub(crate) fn named(&self) -> Option<&Mask> {
        self.named.then_some(&self.mask)
    }

    /// Whether it means the whole of a field.
    pub(crate) fn means(&self, number: u32) -> bool {
        matches!(self.mask.part(number), Some(Part::All))
    }

    /// `old` with the fields that the mask means taken from `new`. The order of fields is that of their numbers.
    pub(crate) fn merge(&self, schemas: &Schemas, kind: KindId, old: &[u8], new: &[u8]) -> Vec<u8> {
        merge_message(&self.mask, schemas, schemas.shape_of(kind), old, new, true)
    }
}

fn merge_message(mask: &Mask, schemas: &Schemas, shape: &Shape, old: &[u8], new: &[u8], top: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(old.len().max(new.len()));
    for field in &shape.fields {
        match mask.part(field.number) {
            _ if top && field.set_at_creation => copy(field, old, &mut out),
            None => copy(field, old, &mut out),
            Some(Part::All) => copy(field, new, &mut out),
            Some(Part::Entries(keys)) => {
                let of_field = |message| wire::fields(message).filter(|entry| entry.number == field.number);
                let kept = of_field(old).filter(|entry| !has_key(keys, entry));
                for entry in kept.chain(of_field(new).filter(|entry| has_key(keys, entry))) {
                    out.extend_from_slice(entry.whole);
                }
            }
            Some(Part::Message(mask)) => {
                let (old, new) = (wire::field(old, field.number), wire::field(new, field.number));
                let (Some(inner), true) = (field.single_message(), old.is_some() || new.is_some()) else {
                    continue;
                };
                let (old, new) = (old.map_or(&[][..], |field| field.value), new.map_or(&[][..], |field| field.value));
                let merged = merge_message(mask, schemas, schemas.shape(inner), old, new, false);
                wire::put_bytes(&mut out, field.number, &merged);
            }
        }
    }
    out
}

/// Appends all occurrences of a field.
fn copy(field: &Field, message: &[u8], out: &mut Vec<u8>) {
    for wire in wire::fields(message).filter(|wire| wire.number == field.number) {
        out.extend_from_slice(wire.whole);
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Country, DateInterval, PartialDate, Project, ProjectState};
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
            labels: [("both", name), (name, "x")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            ..Country::default()
        }
    }

    fn parse(schemas: &Schemas, paths: &[&str], body: &Country) -> UpdateMask {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mut violations = Violations::new();
        let body = body.encode_to_vec();
        let mask = UpdateMask::parse(schemas, kind_of(schemas, "countries"), &paths, &body, &mut violations);
        assert!(violations.is_empty(), "{violations}");
        mask
    }

    #[test]
    fn a_change_takes_what_the_mask_means_and_keeps_the_rest() {
        let schemas = contract();
        let (old, new) = (country("old", 1900, 1950), country("new", 1800, 1850));
        let nothing = Country::default();
        let labels = |labels: &[(&str, &str)]| {
            let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            Country { labels, ..old.clone() }
        };
        let table: [(&[&str], &Country, Country); 14] = [
            (&["display_name"], &new, Country { display_name: "new".into(), ..old.clone() }),
            (&["display_name"], &nothing, Country { display_name: String::new(), ..old.clone() }),
            (&["labels"], &new, Country { labels: new.labels.clone(), ..old.clone() }),
            (&["labels.new"], &new, labels(&[("both", "old"), ("new", "x"), ("old", "x")])),
            (&["labels.both"], &new, labels(&[("both", "new"), ("old", "x")])),
            (&["labels.old", "labels.none"], &new, labels(&[("both", "old")])),
            (&["labels.both", "labels.old", "labels.new"], &new, Country { labels: new.labels.clone(), ..old.clone() }),
            (&["labels", "labels.new"], &new, Country { labels: new.labels.clone(), ..old.clone() }),
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
            let mask = parse(&schemas, paths, change);
            assert_eq!(mask.named().is_some(), !matches!(paths, [] | ["*"]), "{paths:?}");
            let kind = kind_of(&schemas, "countries");
            let merged = mask.merge(&schemas, kind, &old.encode_to_vec(), &change.encode_to_vec());
            assert_eq!(Country::decode(merged.as_slice()).unwrap(), expected, "{paths:?}");
        }
    }

    #[test]
    fn what_is_set_at_creation_is_kept_whatever_the_mask_means() {
        let schemas = contract();
        let kind = kind_of(&schemas, "projects");
        let state = schemas.shape_of(kind).by_name("state").unwrap();
        assert!(state.set_at_creation, "the test needs such a field");
        let of_state = |state: ProjectState| Project { state: state.into(), ..Project::default() }.encode_to_vec();
        for paths in [&["*".to_owned()][..], &["state".to_owned()], &[]] {
            let new = of_state(ProjectState::Closed);
            let mask = UpdateMask::parse(&schemas, kind, paths, &new, &mut Violations::new());
            let merged = mask.merge(&schemas, kind, &of_state(ProjectState::Pipeline), &new);
            assert_eq!(merged, of_state(ProjectState::Pipeline), "{paths:?}");
        }
    }
}
