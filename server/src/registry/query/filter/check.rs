//! From restrictions to terms: what each means for one kind, by its schema.

use std::collections::BTreeMap;

use partnership_registry::v1::PartialDate;

use super::error::Error;
use super::eval::{Expected, Step, Term, Test};
use super::lex::Operator;
use super::parse::{Restriction, Text};
use crate::registry::resource::name::short;
use crate::registry::schema::{Field, KindId, Label, Schemas, Shape, SharedValue, Value};
use crate::values::partial_date;
use crate::values::text::nfc;

/// Fails on a path that leads to nothing that can be tested, and on a value that the field cannot have.
pub(super) fn check(schemas: &Schemas, kind: KindId, restrictions: &[Restriction]) -> Result<Vec<Term>, Error> {
    restrictions.iter().map(|restriction| term(schemas, schemas.shape_of(kind), restriction)).collect()
}

fn term(schemas: &Schemas, shape: &Shape, restriction: &Restriction) -> Result<Term, Error> {
    let Restriction { path, operator, value } = restriction;
    let (first, rest) = split(&path.text);
    let field = by_name(shape, first, path.at)?;
    if let Label::Map { .. } = field.label {
        return map_term(field, rest, restriction);
    }
    let (leaf, steps) = follow(schemas, field, rest, path)?;
    let in_list = steps.iter().any(|step| step.repeated);
    if *operator == Operator::Has && !in_list {
        let rule = format!("must use ':' only with lists and with maps such as labels, and {first:?} is neither");
        return Err(Error::new(path.at, rule));
    }
    if *operator == Operator::NotEqual && in_list {
        let rule = format!(
            "must not test {:?} with '!=', since of a list one item may differ and another not; ask with '=' for what some \
             item is, and leave out what that selects",
            short(&path.text)
        );
        return Err(Error::new(path.at, rule));
    }
    let value = match value {
        Some(value) => expected(schemas, leaf, path, value)?,
        None => Expected::Any,
    };
    let negated = *operator == Operator::NotEqual;
    // What may be one of those days and may not is selected neither as equal nor as different.
    if let (true, Expected::Within(days)) = (negated, &value) {
        let value = Expected::Outside(days.clone());
        return Ok(Term { test: Test::Field { path: steps, value }, negated: false });
    }
    Ok(Term { test: Test::Field { path: steps, value }, negated })
}

fn map_term(field: &Field, key: Option<&str>, restriction: &Restriction) -> Result<Term, Error> {
    let Restriction { path, operator, value } = restriction;
    let number = field.number;
    let holds = |test| Ok(Term { test, negated: *operator == Operator::NotEqual });
    let normal = |text: &str| nfc(text).into_owned();
    match (key, operator, value) {
        (Some(key), Operator::Equal | Operator::NotEqual, Some(value)) => {
            holds(Test::Label { number, key: normal(key), value: normal(&value.text) })
        }
        (None, Operator::Has, Some(key)) => holds(Test::HasLabel { number, key: normal(&key.text) }),
        (None, Operator::Has, None) => {
            holds(Test::Field { path: vec![Step { number, repeated: true }], value: Expected::Any })
        }
        (Some(_), Operator::Has, _) | (Some(_), _, None) | (None, Operator::Equal | Operator::NotEqual, _) => {
            let name = &field.name;
            Err(Error::new(path.at, format!("must test {name} as {name}.key = \"value\" or as {name}:key")))
        }
    }
}

/// Follows the path from `field` to a value.
fn follow<'a>(
    schemas: &'a Schemas,
    mut field: &'a Field,
    mut rest: Option<&str>,
    path: &Text,
) -> Result<(&'a Field, Vec<Step>), Error> {
    let mut steps = Vec::new();
    loop {
        // What is left of the path stands at its end.
        let at = path.at + path.text.len() - rest.map_or(0, str::len);
        let repeated = match field.label {
            Label::Single => false,
            Label::List { .. } => true,
            Label::Map { .. } => {
                let rule = format!("must test single values and lists, and {:?} is a map", field.name);
                return Err(Error::new(path.at, rule));
            }
        };
        steps.push(Step { number: field.number, repeated });
        match (&field.value, rest) {
            (Value::Message(id), Some(below)) => {
                let (first, more) = split(below);
                (field, rest) = (by_name(schemas.shape(*id), first, at)?, more);
            }
            (_, Some(below)) => {
                let rule = format!("must test fields, and {:?} has no field {:?}", field.name, short(below));
                return Err(Error::new(at, rule));
            }
            (_, None) => return Ok((field, steps)),
        }
    }
}

/// Reads a value as one that the field can have.
fn expected(schemas: &Schemas, field: &Field, path: &Text, value: &Text) -> Result<Expected, Error> {
    let text = value.text.as_str();
    let wrong = |what: &str| {
        Error::new(value.at, format!("must compare {} with {what}, and {:?} is none", field.name, short(text)))
    };
    match &field.value {
        Value::Bool => match text {
            "true" => Ok(Expected::Bool(true)),
            "false" => Ok(Expected::Bool(false)),
            _ => Err(wrong("true or false")),
        },
        Value::Enum { values } => {
            // All names of an enum begin as that of 0 does, and people leave the beginning out.
            let zero = values.get(&0).and_then(|zero| zero.strip_suffix("UNSPECIFIED")).unwrap_or_default();
            // As people write them: `in-force`.
            let plain = text.to_ascii_uppercase().replace('-', "_");
            let is_meant = |name: &str| name == plain || name.strip_prefix(zero) == Some(&plain);
            let number = values.iter().find(|(_, name)| is_meant(name)).map(|(number, _)| *number);
            number.map(Expected::Enum).ok_or_else(|| {
                let known: BTreeMap<_, _> = values.iter().filter(|(number, _)| **number != 0).collect();
                let known: Vec<_> = known.values().map(|name| name.strip_prefix(zero).unwrap_or(name)).collect();
                wrong(&format!("one of {}", known.join(", ")))
            })
        }
        Value::Number { number, .. } => {
            let parsed = text.parse().ok().filter(|parsed: &f64| parsed.is_finite());
            parsed.map(|parsed| Expected::Number(*number, parsed)).ok_or_else(|| wrong("a number"))
        }
        Value::Text { .. } | Value::Reference(_) => Ok(Expected::Text(nfc(text).into_owned())),
        Value::Message(id) if schemas.shape(*id).shared == Some(SharedValue::PartialDate) => {
            let literal = text.parse::<PartialDate>().ok().filter(partial_date::is_plain);
            let days = literal.and_then(|literal| partial_date::days(&literal));
            days.map(Expected::Within).ok_or_else(|| wrong("a date such as 2025-10-15, 2025-10 or 2025"))
        }
        Value::Message(_) => {
            Err(Error::new(path.at, format!("must test single values, and {:?} is a message", short(&path.text))))
        }
    }
}

fn by_name<'a>(shape: &'a Shape, name: &str, at: usize) -> Result<&'a Field, Error> {
    shape.by_name(name).ok_or_else(|| {
        Error::new(at, format!("must name fields, and {} has no field {:?}", shape.short_name(), short(name)))
    })
}

/// The first field of a path, and the path below it.
fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)))
}
