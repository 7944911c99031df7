//! Filters of listings: terms joined by AND, each an equality test of one field or label (a part of AIP-160).
//!
//! What a filter says is checked against the kind before anything is read; what is not understood is refused, never
//! ignored.

use crate::registry::resource::document::decode_number;
use crate::registry::resource::name::short;
use crate::registry::resource::wire;
use crate::registry::schema::{Field, KindId, Label, NumberType, Schemas, Shape, Value};

/// The most bytes of a filter.
pub(crate) const FILTER_BYTES_MAX: usize = 4_096;
/// The most terms of a filter: each costs a look at every resource of the listing.
pub(crate) const FILTER_TERMS_MAX: usize = 50;

/// A filter of one kind. Without terms it selects everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq)]
struct Term {
    test: Test,
    negated: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// The label has this value.
    Label { number: u32, key: String, value: String },
    /// There is such a label.
    HasLabel { number: u32, key: String },
    /// The field has this value.
    Field { path: Vec<u32>, value: Expected },
}

#[derive(Debug, Clone, PartialEq)]
enum Expected {
    Text(String),
    Bool(bool),
    Enum(i32),
    Number(NumberType, f64),
}

impl Filter {
    /// Reads a filter for resources of `kind`. The error is a sentence that says what is not understood.
    pub(crate) fn parse(schemas: &Schemas, kind: KindId, text: &str) -> Result<Self, String> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(format!("has at most {FILTER_BYTES_MAX} bytes, and this has {}", text.len()));
        }
        let mut tokens = tokens(text)?.into_iter();
        let mut terms = Vec::new();
        let shape = schemas.shape(schemas.kind(kind).shape);
        while let Some(first) = tokens.next() {
            let Token::Word(path) = first else { return Err(expected("a field", &first)) };
            if matches!(path.as_str(), "OR" | "NOT") {
                return Err(format!("{path} is not understood; terms are joined by AND"));
            }
            let operator = tokens.next().ok_or_else(|| format!("an operator must follow {path:?}"))?;
            let Token::Operator(operator) = operator else { return Err(expected("one of = != :", &operator)) };
            let value = tokens.next().ok_or_else(|| format!("a value must follow {path:?}"))?;
            let (Token::Word(value) | Token::Quoted(value)) = value else { return Err(expected("a value", &value)) };
            terms.push(term(schemas, shape, &path, operator, value)?);
            if terms.len() > FILTER_TERMS_MAX {
                return Err(format!("has at most {FILTER_TERMS_MAX} terms"));
            }
            match tokens.next() {
                None => break,
                Some(Token::Word(and)) if and == "AND" => {
                    if tokens.len() == 0 {
                        return Err("a term must follow AND".into());
                    }
                }
                Some(other) => return Err(expected("AND", &other)),
            }
        }
        Ok(Self { terms })
    }

    /// Whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it selects this document.
    pub(crate) fn selects(&self, document: &[u8]) -> bool {
        self.terms.iter().all(|term| term.test.holds(document) != term.negated)
    }
}

impl Test {
    fn holds(&self, document: &[u8]) -> bool {
        match self {
            Self::Label { number, key, value } => label(document, *number, key).is_some_and(|found| found == value),
            Self::HasLabel { number, key } => label(document, *number, key).is_some(),
            Self::Field { path, value } => {
                let mut at = document;
                let mut found = None;
                for number in path {
                    found = wire::field(at, *number);
                    match found {
                        Some(field) => at = field.value,
                        None => break,
                    }
                }
                match value {
                    Expected::Text(text) => found.map_or("", |field| field.text()) == text,
                    Expected::Bool(truth) => (found.map_or(0, |field| field.varint()) != 0) == *truth,
                    #[allow(clippy::cast_possible_truncation, reason = "an enum is written as a sign-extended i32")]
                    Expected::Enum(number) => found.map_or(0, |field| field.varint()) as i32 == *number,
                    Expected::Number(kind, number) => {
                        found.map_or(0.0, |field| decode_number(*kind, field.value)).total_cmp(number).is_eq()
                    }
                }
            }
        }
    }
}

fn label<'a>(document: &'a [u8], number: u32, key: &str) -> Option<&'a str> {
    wire::fields(document)
        .filter(|field| field.number == number)
        .find(|entry| wire::field(entry.value, 1).is_some_and(|found| found.text() == key))
        .map(|entry| wire::field(entry.value, 2).map_or("", |value| value.text()))
}

fn term(schemas: &Schemas, shape: &Shape, path: &str, operator: Operator, value: String) -> Result<Term, String> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let negated = operator == Operator::NotEqual;
    let field = by_name(shape, first)?;
    if field.label == Label::Map {
        let number = field.number;
        return match (rest, operator) {
            (Some(key), Operator::Equal | Operator::NotEqual) => {
                Ok(Term { test: Test::Label { number, key: key.to_owned(), value }, negated })
            }
            (None, Operator::Has) => Ok(Term { test: Test::HasLabel { number, key: value }, negated }),
            (Some(_), Operator::Has) | (None, Operator::Equal | Operator::NotEqual) => {
                Err(format!("{first} is tested as {first}.key = \"value\" or as {first}:key"))
            }
        };
    }
    if operator == Operator::Has {
        return Err(format!("':' is understood only of maps such as labels, and {first} is none"));
    }
    let (mut field, mut rest, mut numbers) = (field, rest, vec![field.number]);
    loop {
        if field.label != Label::Single {
            return Err(format!("{:?} is a list; only single values can be tested", field.name));
        }
        match (&field.value, rest) {
            (Value::Message(id), Some(path)) => {
                let (first, more) = path.split_once('.').map_or((path, None), |(first, more)| (first, Some(more)));
                (field, rest) = (by_name(schemas.shape(*id), first)?, more);
                numbers.push(field.number);
            }
            (Value::Message(_) | Value::Bytes, None) => {
                return Err(format!("{path:?} is no text, number, truth or enum value"));
            }
            (_, Some(_)) => return Err(format!("{path:?}: {:?} has no fields", field.name)),
            (value_rule, None) => {
                let value = expected_value(field, value_rule, value)?;
                return Ok(Term { test: Test::Field { path: numbers, value }, negated });
            }
        }
    }
}

fn expected_value(field: &Field, rule: &Value, value: String) -> Result<Expected, String> {
    match rule {
        Value::Bool => match value.as_str() {
            "true" => Ok(Expected::Bool(true)),
            "false" => Ok(Expected::Bool(false)),
            _ => Err(format!("{} is true or false, and not {:?}", field.name, short(&value))),
        },
        Value::Enum { values } => values
            .iter()
            .find(|(_, name)| **name == value)
            .map(|(number, _)| Expected::Enum(*number))
            .ok_or_else(|| format!("{} has no value {:?}", field.name, short(&value))),
        Value::Number { number, .. } => value
            .parse()
            .map(|parsed| Expected::Number(*number, parsed))
            .map_err(|_| format!("{} is a number, and {:?} is none", field.name, short(&value))),
        Value::Text { .. } | Value::Bytes | Value::Message(_) => Ok(Expected::Text(value)),
    }
}

fn by_name<'a>(shape: &'a Shape, name: &str) -> Result<&'a Field, String> {
    shape.by_name(name).ok_or_else(|| {
        let kind = shape.name.rsplit('.').next().unwrap_or_default();
        format!("{kind} has no field {:?}", short(name))
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Has,
}

#[derive(Debug)]
enum Token {
    Word(String),
    Quoted(String),
    Operator(Operator),
}

fn expected(what: &str, found: &Token) -> String {
    let found = match found {
        Token::Word(text) | Token::Quoted(text) => format!("{:?}", short(text)),
        Token::Operator(Operator::Equal) => "'='".into(),
        Token::Operator(Operator::NotEqual) => "'!='".into(),
        Token::Operator(Operator::Has) => "':'".into(),
    };
    format!("{what} was expected, and {found} found")
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter.is_whitespace() => {}
            '=' => tokens.push(Token::Operator(Operator::Equal)),
            ':' => tokens.push(Token::Operator(Operator::Has)),
            '!' if letters.next_if(|(_, next)| *next == '=').is_some() => {
                tokens.push(Token::Operator(Operator::NotEqual))
            }
            '"' => {
                let mut value = String::new();
                loop {
                    match letters.next() {
                        Some((_, '"')) => break,
                        Some((_, '\\')) => match letters.next() {
                            Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                            _ => return Err("after \\ only \" and \\ are understood".into()),
                        },
                        Some((_, letter)) => value.push(letter),
                        None => return Err(format!("the quotation that opens at byte {at} does not close")),
                    }
                }
                tokens.push(Token::Quoted(value));
            }
            _ if is_word(letter) => {
                let mut word = String::from(letter);
                while let Some((_, letter)) = letters.next_if(|(_, letter)| is_word(*letter)) {
                    word.push(letter);
                }
                tokens.push(Token::Word(word));
            }
            _ => return Err(format!("{letter:?} at byte {at} is not understood")),
        }
    }
    Ok(tokens)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_-./+".contains(letter)
}
