//! From restrictions to terms: what each means for one kind, by its schema.

use super::error::Error;
use super::eval::{Expected, Term, Test};
use super::lex::Operator;
use super::parse::{Restriction, Text};
use crate::registry::resource::name::short;
use crate::registry::schema::{Field, KindId, Label, Schemas, Shape, Value};

/// Fails on a path that leads to nothing that can be tested, and on a value that the field cannot have.
pub(super) fn check(schemas: &Schemas, kind: KindId, restrictions: &[Restriction]) -> Result<Vec<Term>, Error> {
    restrictions.iter().map(|restriction| term(schemas, schemas.shape_of(kind), restriction)).collect()
}

fn term(schemas: &Schemas, shape: &Shape, restriction: &Restriction) -> Result<Term, Error> {
    let Restriction { path, operator, value } = restriction;
    let (first, rest) = split(&path.text);
    let field = by_name(shape, first, path.at)?;
    let (test, equal) = match (field.label, operator) {
        (Label::Map { .. }, _) => return map_term(field, rest, restriction),
        (Label::Single | Label::List { .. }, Operator::Has) => {
            let rule = format!("must use ':' only with maps such as labels, and {first:?} is none");
            return Err(Error::new(path.at, rule));
        }
        (Label::Single | Label::List { .. }, Operator::Equal) => (field_test(schemas, field, rest, path, value)?, true),
        (Label::Single | Label::List { .. }, Operator::NotEqual) => {
            (field_test(schemas, field, rest, path, value)?, false)
        }
    };
    Ok(Term { test, negated: !equal })
}

fn map_term(field: &Field, key: Option<&str>, restriction: &Restriction) -> Result<Term, Error> {
    let Restriction { path, operator, value } = restriction;
    let number = field.number;
    let label = |key: &str| Test::Label { number, key: key.to_owned(), value: value.text.clone() };
    match (key, operator) {
        (Some(key), Operator::Equal) => Ok(Term { test: label(key), negated: false }),
        (Some(key), Operator::NotEqual) => Ok(Term { test: label(key), negated: true }),
        (None, Operator::Has) => Ok(Term { test: Test::HasLabel { number, key: value.text.clone() }, negated: false }),
        (Some(_), Operator::Has) | (None, Operator::Equal | Operator::NotEqual) => {
            let name = &field.name;
            Err(Error::new(path.at, format!("must test {name} as {name}.key = \"value\" or as {name}:key")))
        }
    }
}

/// Follows the path from `field` to a single value, and reads what that is compared with.
fn field_test(schemas: &Schemas, field: &Field, rest: Option<&str>, path: &Text, value: &Text) -> Result<Test, Error> {
    let (mut field, mut rest, mut numbers) = (field, rest, vec![field.number]);
    loop {
        // What is left of the path stands at its end.
        let at = path.at + path.text.len() - rest.map_or(0, str::len);
        if field.label != Label::Single {
            let rule = format!("must test single values, and {:?} is a list or a map", field.name);
            return Err(Error::new(path.at, rule));
        }
        match (&field.value, rest) {
            (Value::Message(id), Some(below)) => {
                let (first, more) = split(below);
                (field, rest) = (by_name(schemas.shape(*id), first, at)?, more);
                numbers.push(field.number);
            }
            (_, Some(below)) => {
                let rule = format!("must test fields, and {:?} has no field {:?}", field.name, short(below));
                return Err(Error::new(at, rule));
            }
            (_, None) => return Ok(Test::Field { path: numbers, value: expected(field, path, value)? }),
        }
    }
}

/// Reads a value as one that the field can have.
fn expected(field: &Field, path: &Text, value: &Text) -> Result<Expected, Error> {
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
            let number = values.iter().find(|(_, name)| *name == text).map(|(number, _)| *number);
            number.map(Expected::Enum).ok_or_else(|| wrong("a value of its enum"))
        }
        Value::Number { number, .. } => {
            let parsed = text.parse().ok().filter(|parsed: &f64| parsed.is_finite());
            parsed.map(|parsed| Expected::Number(*number, parsed)).ok_or_else(|| wrong("a number"))
        }
        Value::Text { .. } | Value::Reference(_) => Ok(Expected::Text(text.to_owned())),
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
