//! From tokens to restrictions: which path is compared how with which value. What the path leads to is asked in `check`.

use super::error::Error;
use super::lex::{Operator, Token, TokenValue};
use crate::registry::resource::name::short;

/// The most terms of a filter: each costs a look at every resource of the listing.
pub(super) const TERMS_MAX: usize = 50;

/// One comparison, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Restriction {
    pub(super) path: Text,
    pub(super) operator: Operator,
    /// `None`: whether there is any.
    pub(super) value: Option<Text>,
}

/// A text of the filter, and the byte at which it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) at: usize,
    pub(super) text: String,
}

/// Reads restrictions joined by AND. `end` is the length of the filter, to which errors about what is missing point.
pub(super) fn parse(tokens: &[Token], end: usize) -> Result<Vec<Restriction>, Error> {
    let mut tokens = tokens.iter();
    let mut restrictions = Vec::new();
    let Some(mut first) = tokens.next() else { return Ok(restrictions) };
    loop {
        restrictions.push(restriction(first, &mut tokens, end)?);
        if restrictions.len() > TERMS_MAX {
            return Err(Error::new(first.at, format!("must have at most {TERMS_MAX} terms")));
        }
        match tokens.next() {
            None => return Ok(restrictions),
            Some(Token { value: TokenValue::Word(and), .. }) if and == "AND" => {}
            Some(other) => return Err(unexpected("AND", other)),
        }
        first = tokens.next().ok_or_else(|| Error::new(end, "must have a term after AND"))?;
    }
}

fn restriction<'a>(
    first: &Token,
    rest: &mut impl Iterator<Item = &'a Token>,
    end: usize,
) -> Result<Restriction, Error> {
    let path = match &first.value {
        TokenValue::Word(word) if matches!(word.as_str(), "OR" | "NOT") => {
            return Err(Error::new(first.at, format!("must not use {word}; terms are joined by AND")));
        }
        TokenValue::Word(word) => Text { at: first.at, text: word.clone() },
        TokenValue::Quoted(_) | TokenValue::Operator(_) | TokenValue::Star => return Err(unexpected("a field", first)),
    };
    let missing = |what: &str| Error::new(end, format!("must have {what} after {:?}", short(&path.text)));
    let operator = rest.next().ok_or_else(|| missing("an operator"))?;
    let TokenValue::Operator(operator) = operator.value else { return Err(unexpected("=, != or :", operator)) };
    let value = rest.next().ok_or_else(|| missing("a value"))?;
    let value = match &value.value {
        TokenValue::Word(text) | TokenValue::Quoted(text) => Some(Text { at: value.at, text: text.clone() }),
        TokenValue::Star if operator == Operator::Has => None,
        TokenValue::Star | TokenValue::Operator(_) => return Err(unexpected("a value", value)),
    };
    Ok(Restriction { path, operator, value })
}

fn unexpected(what: &str, found: &Token) -> Error {
    let text = match &found.value {
        TokenValue::Word(text) | TokenValue::Quoted(text) => short(text),
        TokenValue::Operator(operator) => operator.text().to_owned(),
        TokenValue::Star => "*".to_owned(),
    };
    Error::new(found.at, format!("must have {what} here, and has {text:?}"))
}
