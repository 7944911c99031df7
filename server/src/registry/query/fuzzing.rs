//! What anybody may send, held against what must be true of it, whatever it is: for `fuzz/`, and for the replay of its corpus.
//!
//! Each function takes an input that a fuzzer made, and panics if something is wrong.

#![allow(clippy::panic, clippy::expect_used, reason = "a fuzzer looks for panics")]

use std::sync::LazyLock;

use crate::kinds;
use crate::registry::query::filter::expression::{Expression, Test};
use crate::registry::query::filter::{Ancestry, Filter, canonical};
use crate::registry::query::order_by;
use crate::registry::query::page_token::{PageTokens, Position};
use crate::registry::schema::Schemas;

static SCHEMAS: LazyLock<Schemas> =
    LazyLock::new(|| Schemas::new(partnership_registry::descriptors(), kinds::ALL).expect("the contract is sound"));

/// Trees in which the shorter name stands above the longer.
struct Trees;

impl Ancestry for Trees {
    fn is_under(&self, name: &str, root: &str) -> bool {
        name.starts_with(root)
    }
}

/// A filter, and behind the first line break a document in hexadecimal digits: it is read for every kind, it asks the
/// document, and its canonical form is read as the same.
pub fn filter(input: &str) {
    let (text, digits) = input.split_once('\n').unwrap_or((input, ""));
    let document = bytes(digits);
    let form = canonical(text).ok();
    if let Some(form) = &form
        && let Some(again) = unless_too_large(canonical(form))
    {
        assert_eq!(&again.expect("a canonical form is a filter"), form);
    }
    for kind in SCHEMAS.kind_ids() {
        let Ok(filter) = Filter::parse(&SCHEMAS, kind, text) else { continue };
        let form = form.as_ref().expect("a filter has a canonical form");
        if let Some(again) = unless_too_large(Filter::parse(&SCHEMAS, kind, form)) {
            assert_eq!(asked(&again.expect("a canonical form is a filter")), asked(&filter), "{form}");
        }
        for document in [&document[..], &[]] {
            let truth = filter.truth(&SCHEMAS, document, &Trees);
            if let Some(Ok(negated)) = unless_too_large(Filter::parse(&SCHEMAS, kind, &format!("NOT ({text})")))
                && filter.expression().is_some()
            {
                assert_eq!(negated.truth(&SCHEMAS, document, &Trees), truth.not(), "NOT ({text})");
            }
        }
    }
}

/// The bytes of the hexadecimal digits of a text, whatever stands between them.
fn bytes(digits: &str) -> Vec<u8> {
    let mut digits =
        digits.chars().filter_map(|letter| letter.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::new();
    while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
        bytes.push(high << 4 | low);
    }
    bytes
}

/// With all its parentheses, a filter may be too long or too deep.
fn unless_too_large<T>(read: Result<T, String>) -> Option<Result<T, String>> {
    let too_large = |error: &String| error.starts_with("must have at most ");
    (!read.as_ref().err().is_some_and(too_large)).then_some(read)
}

/// What a filter asks, without the words in which it does.
fn asked(filter: &Filter) -> Option<Expression> {
    filter.expression().map(without_words)
}

fn without_words(expression: &Expression) -> Expression {
    match expression {
        Expression::All(each) => Expression::All(each.iter().map(without_words).collect()),
        Expression::Any(each) => Expression::Any(each.iter().map(without_words).collect()),
        Expression::Test(test) => Expression::Test(Test { text: String::new(), ..test.clone() }),
    }
}

/// An order: it is read for every kind, and each of its fields is there.
pub fn order_by(input: &str) {
    for kind in SCHEMAS.kind_ids() {
        let Ok(terms) = order_by::parse(&SCHEMAS, kind, input) else { continue };
        for term in &terms {
            assert!(term.path.field(&SCHEMAS).is_some() && !term.path.steps.is_empty(), "{input}");
        }
        let written: Vec<_> = terms
            .iter()
            .map(|term| format!("{} {}", term.text, if term.descending { "desc" } else { "asc" }))
            .collect();
        let again = unless_too_large(order_by::parse(&SCHEMAS, kind, &written.join(", ")));
        if let Some(again) = again {
            assert_eq!(again.expect("an order can be written again"), terms, "{input}");
        }
    }
}

/// A page token: what nobody sealed is refused, and what was sealed is opened.
pub fn page_token(input: &str) {
    let tokens = PageTokens::new(&[7; 32], 1);
    let arguments: [&[u8]; 2] = [b"list", input.as_bytes()];
    assert!(tokens.open(input, &arguments).is_err(), "nobody sealed {input}");
    let position = Position { revision: input.len() as u64, name: input.to_owned(), total: 3 };
    let token = tokens.seal(&position, &arguments).expect("there are random numbers");
    match tokens.open(&token, &arguments) {
        Ok(opened) => assert_eq!(opened, position),
        // A name that no resource has.
        Err(_) => assert!(token.len() > 8_192, "{input}"),
    }
    assert!(tokens.open(&token, &[b"list"]).is_err(), "other arguments open {input}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands each input of a corpus to the function that it is for.
    #[track_caller]
    fn replay(target: &str, run: impl Fn(&str)) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
        let mut inputs = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            run(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
            inputs += 1;
        }
        assert!(inputs > 0, "the corpus of {target} is empty");
    }

    #[test]
    fn the_corpus_of_filters_breaks_nothing() {
        replay("filter", filter);
    }

    #[test]
    fn the_corpus_of_orders_breaks_nothing() {
        replay("order_by", order_by);
    }

    #[test]
    fn the_corpus_of_page_tokens_breaks_nothing() {
        replay("page_token", page_token);
    }
}
