//! From the tree of a filter to what it asks of the resources of one kind, by the schema.

use super::error::Error;
use super::expression::{Check, Expression, Operator, Subject, Test};
use super::function;
use super::lex::{Comparator, shown};
use super::literal::literal;
use super::path::{End, Target, follow};
use super::pattern::Pattern;
use super::text::Text;
use super::tree::{Argument, Node, Operand, OperandValue, Restriction};
use crate::registry::resource::name::short;
use crate::registry::schema::{KindId, Schemas, Value};
use crate::values::text::nfc;

/// The most tests of a filter: each may cost a look at every resource of the listing.
pub(super) const TESTS_MAX: usize = 200;

/// Fails on a path that leads to nothing that can be tested, on a comparison that its field has not, and on a value that
/// it cannot have. `source` is the text of the filter.
pub(super) fn check(schemas: &Schemas, kind: KindId, source: &str, node: &Node) -> Result<Expression, Error> {
    let mut checker = Checker { schemas, kind, source, tests: 0 };
    checker.expression(node, false)
}

struct Checker<'a> {
    schemas: &'a Schemas,
    kind: KindId,
    source: &'a str,
    /// How many tests there are so far.
    tests: usize,
}

/// A field, and how it is compared.
struct Compared<'a> {
    target: Target<'a>,
    /// The field as it is written, and where.
    path: &'a str,
    at: usize,
    comparator: Comparator,
}

impl<'a> Checker<'a> {
    fn expression(&mut self, node: &Node, negated: bool) -> Result<Expression, Error> {
        match node {
            Node::All(nodes) => {
                let each = nodes.iter().map(|node| self.expression(node, negated)).collect::<Result<_, _>>()?;
                Ok(joined(!negated, each))
            }
            Node::Any(nodes) => {
                let each = nodes.iter().map(|node| self.expression(node, negated)).collect::<Result<_, _>>()?;
                Ok(joined(negated, each))
            }
            Node::Not(inner) => self.expression(inner, !negated),
            Node::Restriction(restriction) => self.restriction(restriction, negated),
        }
    }

    fn restriction(&mut self, restriction: &Restriction, negated: bool) -> Result<Expression, Error> {
        let Restriction { at, subject, comparison } = restriction;
        match (&subject.value, comparison) {
            (OperandValue::Function { name, arguments }, None) => {
                let asked = function::check(self.schemas, self.kind, subject, name, arguments)?;
                self.test(*at, asked, negated, self.slice(*at, restriction.end()).to_owned())
            }
            (OperandValue::Function { name, .. }, Some((comparator, _))) => {
                let rule = format!("must not compare {name}(…), which holds or does not, with '{}'", comparator.text());
                Err(Error::new(*at, rule))
            }
            (OperandValue::Quoted(text), Some(_)) => {
                Err(Error::new(*at, format!("must have a field here, and has {:?}", text.shown())))
            }
            (OperandValue::Quoted(text), None) => Err(Self::alone(*at, &text.shown())),
            (OperandValue::Word(path), None) => {
                if follow(self.schemas, self.schemas.kind(self.kind).shape, path).is_ok() {
                    let path = shown(path);
                    let rule = format!("must compare {path} with a value, or ask with {path}:* whether there is one");
                    return Err(Error::new(subject.end, rule));
                }
                Err(Self::alone(*at, &shown(path)))
            }
            (OperandValue::Word(path), Some((comparator, argument))) => {
                let target = follow(self.schemas, self.schemas.kind(self.kind).shape, path)?;
                let path = self.slice(subject.at, subject.end);
                let compared = Compared { target, path, at: *at, comparator: *comparator };
                self.comparison(&compared, argument, negated)
            }
        }
    }

    /// The error of a word that is compared with nothing.
    fn alone(at: usize, word: &str) -> Error {
        let text = if word.chars().all(char::is_alphanumeric) { word } else { "text" };
        let rule = format!(
            "must compare fields, and {word:?} stands alone; text is asked for in a field, as in display_name = \"*{text}*\""
        );
        Error::new(at, rule)
    }

    fn comparison(&mut self, compared: &Compared<'_>, argument: &Argument, negated: bool) -> Result<Expression, Error> {
        match argument {
            Argument::One(operand) => {
                let asked = self.subject(compared, operand)?;
                self.test(compared.at, asked, negated, self.slice(compared.at, operand.end).to_owned())
            }
            Argument::Several { at, end, .. } if compared.comparator == Comparator::NotEqual => {
                let (path, values) = (compared.path, self.slice(*at, *end));
                let rule = format!("must not use '!=' with several values; ask NOT {path} = {values}");
                Err(Error::new(compared.at, rule))
            }
            Argument::Several { node, .. } => self.several(compared, node, negated),
        }
    }

    /// The same test with each of several values.
    fn several(&mut self, compared: &Compared<'_>, node: &Node, negated: bool) -> Result<Expression, Error> {
        match node {
            Node::All(nodes) => {
                let each = nodes.iter().map(|node| self.several(compared, node, negated)).collect::<Result<_, _>>()?;
                Ok(joined(!negated, each))
            }
            Node::Any(nodes) => {
                let each = nodes.iter().map(|node| self.several(compared, node, negated)).collect::<Result<_, _>>()?;
                Ok(joined(negated, each))
            }
            Node::Not(inner) => self.several(compared, inner, !negated),
            Node::Restriction(Restriction { subject, comparison: None, .. }) => {
                let asked = self.subject(compared, subject)?;
                let value = self.slice(subject.at, subject.end);
                let text = compared.comparator.between(compared.path, value);
                self.test(subject.at, asked, negated, text)
            }
            Node::Restriction(Restriction { at, .. }) => {
                let (path, comparator) = (compared.path, compared.comparator.text());
                let rule = format!("must have only values in the parentheses behind \"{path} {comparator}\"");
                Err(Error::new(*at, rule))
            }
        }
    }

    fn test(&mut self, at: usize, subject: Subject, negated: bool, text: String) -> Result<Expression, Error> {
        self.tests += 1;
        if self.tests > TESTS_MAX {
            return Err(Error::new(at, format!("must have at most {TESTS_MAX} tests")));
        }
        Ok(Expression::Test(Test { subject, negated, text }))
    }

    /// What a comparison with one value asks.
    fn subject(&self, compared: &Compared<'_>, operand: &Operand) -> Result<Subject, Error> {
        let Compared { target, at, comparator, .. } = compared;
        let value = value(operand)?;
        let steps = || target.steps.clone();
        let is_star =
            *comparator == Comparator::Has && value.is_star() && !matches!(operand.value, OperandValue::Quoted(_));
        if is_star {
            return Ok(Subject::Field { path: steps(), check: presence(target) });
        }
        match target.end {
            End::Map if *comparator == Comparator::Has => {
                let key = value.plain().ok_or_else(|| {
                    let rule = format!("must name one key, without wildcards, and {:?} is none", value.shown());
                    Error::new(operand.at, rule)
                })?;
                let key = nfc(key).into_owned();
                let mut path = steps();
                if let Some(last) = path.last_mut() {
                    (last.repeated, last.key) = (false, Some(key));
                }
                Ok(Subject::Field { path, check: Check::Set })
            }
            End::Map => {
                let name = &target.field.name;
                Err(Error::new(*at, format!("must test {name} as {name}.key = \"value\" or as {name}:key")))
            }
            End::Message(shape) => {
                let names = || {
                    self.schemas
                        .shape(shape)
                        .fields
                        .iter()
                        .map(|field| field.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                };
                let OperandValue::Word(below) = &operand.value else {
                    return Err(self.is_message(compared, &names()));
                };
                if *comparator != Comparator::Has {
                    return Err(self.is_message(compared, &names()));
                }
                let below = follow(self.schemas, shape, below)?;
                let check = presence(&below);
                Ok(Subject::Field { path: [steps(), below.steps].concat(), check })
            }
            End::Value | End::Entry => {
                let check = self.check(compared, operand, &value)?;
                Ok(Subject::Field { path: steps(), check })
            }
        }
    }

    fn is_message(&self, compared: &Compared<'_>, fields: &str) -> Error {
        let path = short(compared.path);
        let rule = format!(
            "must test single values, and {path:?} is a message; its fields are {fields}, and {path}:* asks whether it is \
             there"
        );
        Error::new(compared.at, rule)
    }

    /// What a comparison asks of a value.
    fn check(&self, compared: &Compared<'_>, operand: &Operand, value: &Text) -> Result<Check, Error> {
        let Compared { target, path, at, comparator } = compared;
        let field = target.field;
        let operator = match comparator {
            Comparator::Equal | Comparator::Has => Operator::Equal,
            Comparator::NotEqual => Operator::NotEqual,
            Comparator::Less => Operator::Less,
            Comparator::LessOrEqual => Operator::LessOrEqual,
            Comparator::Greater => Operator::Greater,
            Comparator::GreaterOrEqual => Operator::GreaterOrEqual,
        };
        let orders = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if operator == Operator::NotEqual && target.is_in_list() {
            let value = self.slice(operand.at, operand.end);
            let rule = format!(
                "must not test {:?} with '!=', since of a list one item may differ and another not; ask NOT {path} = {value}",
                short(path)
            );
            return Err(Error::new(*at, rule));
        }
        // `follow` has answered the field of the map, whose values are texts.
        let is_text = matches!(field.value, Value::Text { .. } | Value::Reference(_));
        if orders && matches!(field.value, Value::Bool | Value::Enum { .. }) {
            let rule = format!("must compare {} with =, != or :, since what it can be has no order", field.name);
            return Err(Error::new(*at, rule));
        }
        if let Some(pattern) = Pattern::new(value).filter(|_| is_text) {
            if orders {
                let rule = format!(
                    "must have no wildcard behind '{}', which compares with one text; a star itself is written \"\\*\"",
                    comparator.text()
                );
                return Err(Error::new(operand.at, rule));
            }
            return Ok(Check::Like { pattern, negated: operator == Operator::NotEqual });
        }
        let text = value.written();
        let literal = literal(self.schemas, field, &text).map_err(|what| {
            let rule = format!("must compare {} with {what}, and {:?} is none", field.name, short(&text));
            Error::new(operand.at, rule)
        })?;
        Ok(Check::Compare { operator, literal })
    }

    fn slice(&self, at: usize, end: usize) -> &'a str {
        self.source.get(at..end).unwrap_or_default()
    }
}

/// The value that an argument is.
fn value(operand: &Operand) -> Result<Text, Error> {
    match &operand.value {
        OperandValue::Quoted(text) => Ok(text.clone()),
        OperandValue::Word(segments) if segments.iter().any(|segment| segment.quoted) => {
            Err(Error::new(operand.at, "must have the whole value in quotation marks, and not a part of it"))
        }
        OperandValue::Word(segments) => {
            let mut value = Text::default();
            for (index, segment) in segments.iter().enumerate() {
                if index > 0 {
                    value.push('.');
                }
                value.append(&segment.text);
            }
            Ok(value)
        }
        OperandValue::Function { name, .. } => {
            Err(Error::new(operand.at, format!("must have a value here, and {name}(…) holds or does not")))
        }
    }
}

/// What it means that something is at the end of a path.
fn presence(target: &Target<'_>) -> Check {
    let last = target.steps.last();
    let counted = last.is_some_and(|last| last.repeated || last.key.is_some());
    if counted || target.field.has_presence { Check::Set } else { Check::Present }
}

/// Expressions of which all or any must hold; those that are joined alike are one.
fn joined(all: bool, each: Vec<Expression>) -> Expression {
    let mut parts = Vec::new();
    for expression in each {
        match expression {
            Expression::All(inner) if all => parts.extend(inner),
            Expression::Any(inner) if !all => parts.extend(inner),
            expression @ (Expression::All(_) | Expression::Any(_) | Expression::Test(_)) => parts.push(expression),
        }
    }
    if all { Expression::All(parts) } else { Expression::Any(parts) }
}
