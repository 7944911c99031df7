//! In what two bodies of one kind differ.

use super::wire;
use crate::registry::schema::{Field, KindId, Schemas, Shape};
use crate::violations::Violations;

/// The names of the fields, or parts of single messages, in which two bodies differ.
pub(crate) fn difference(schemas: &Schemas, kind: KindId, old: &[u8], new: &[u8]) -> Vec<String> {
    let mut paths = Vec::new();
    difference_of(schemas, schemas.shape_of(kind), old, new, "", &mut paths);
    paths
}

fn difference_of(schemas: &Schemas, shape: &Shape, old: &[u8], new: &[u8], prefix: &str, paths: &mut Vec<String>) {
    for field in shape.fields.iter().filter(|field| differs(field, old, new)) {
        let path = format!("{prefix}{}", field.name);
        match (field.single_message(), wire::field(old, field.number), wire::field(new, field.number)) {
            (Some(inner), Some(old), Some(new)) => {
                difference_of(schemas, schemas.shape(inner), old.value, new.value, &format!("{path}."), paths);
            }
            _ => paths.push(path),
        }
    }
}

/// Notes the immutable fields in which two bodies of one kind differ.
pub(crate) fn immutable_changes(schemas: &Schemas, kind: KindId, old: &[u8], new: &[u8], violations: &mut Violations) {
    immutable_changes_of(schemas.shape_of(kind), old, new, violations);
}

fn immutable_changes_of(shape: &Shape, old: &[u8], new: &[u8], violations: &mut Violations) {
    for field in shape.fields.iter().filter(|field| field.immutable && differs(field, old, new)) {
        violations.add(field.name.clone(), "can be given only when the resource is created");
    }
}

fn differs(field: &Field, old: &[u8], new: &[u8]) -> bool {
    let values = |message| wire::fields(message).filter(|wire| wire.number == field.number).map(|wire| wire.whole);
    !values(old).eq(values(new))
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Country, DateInterval, PartialDate};
    use prost::Message as _;

    use super::*;
    use crate::registry::schema::{Label, Value, contract, kind_of};

    type Change = fn(&mut Country);

    #[test]
    fn a_difference_is_told_by_the_deepest_single_fields() {
        let schemas = contract();
        let date = |year| Some(PartialDate { year, month: 5, ..PartialDate::default() });
        let old = Country {
            display_name: "old".into(),
            existence: Some(DateInterval { start_date: date(1900), end_date: date(1950) }),
            labels: [("a".to_owned(), "x".to_owned())].into(),
            ..Country::default()
        };
        let with = |change: fn(&mut Country)| {
            let mut new = old.clone();
            change(&mut new);
            new
        };
        let table: [(Change, &[&str]); 5] = [
            (|_| {}, &[]),
            (|it| it.display_name = "new".into(), &["display_name"]),
            (
                |it| {
                    it.labels.insert("b".into(), "y".into());
                    it.region_code = "KR".into();
                },
                &["labels", "region_code"],
            ),
            (
                |it| {
                    let end = it.existence.as_mut().and_then(|existence| existence.end_date.as_mut());
                    end.unwrap().year = 1960;
                },
                &["existence.end_date.year"],
            ),
            (|it| it.existence = None, &["existence"]),
        ];
        for (change, expected) in table {
            let (old, new) = (old.encode_to_vec(), with(change).encode_to_vec());
            let kind = kind_of(&schemas, "countries");
            for (a, b) in [(&old, &new), (&new, &old)] {
                let mut found = difference(&schemas, kind, a, b);
                found.sort();
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn a_change_of_an_immutable_field_is_noted_and_of_another_is_not() {
        let field = |number, name: &str, immutable| Field {
            number,
            name: name.into(),
            label: Label::Single,
            value: Value::Bool,
            required: false,
            immutable,
            output_only: false,
            identifier: false,
            set_at_creation: false,
            ancestors_max: None,
            has_presence: false,
            indexed: false,
            party: false,
            moved_by: Vec::new(),
            filled_in: false,
        };
        let fields = vec![field(1, "free", false), field(2, "fixed", true)];
        let shape = Shape { name: "Thing".into(), fields, strips: false, shared: None };
        let body = |free, fixed| {
            let mut body = Vec::new();
            wire::put_varint(&mut body, 1, free);
            wire::put_varint(&mut body, 2, fixed);
            body
        };
        for (new, expected) in
            [(body(1, 1), &[][..]), (body(2, 1), &[]), (body(2, 2), &["fixed"]), (vec![], &["fixed"])]
        {
            let mut violations = Violations::new();
            immutable_changes_of(&shape, &body(1, 1), &new, &mut violations);
            let found: Vec<_> = violations.iter().map(|one| one.field.as_str()).collect();
            assert_eq!(found, expected, "{new:?}");
        }
    }
}
