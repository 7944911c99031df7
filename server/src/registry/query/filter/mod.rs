//! Filters of listings, watches and exports: the language of AIP-160, for the fields of one kind. `docs/filter.md` has it
//! for those who use it.
//!
//! A filter goes through three steps before anything is read: `lex` finds its words, `parse` what stands in which
//! parentheses, and `check` what that means for the kind: an `expression`. `eval` then asks documents. What is not
//! understood is refused, never ignored.

mod check;
pub(super) mod error;
mod eval;
pub(crate) mod expression;
mod function;
pub(super) mod lex;
mod literal;
mod parse;
pub(super) mod path;
mod pattern;
mod text;
mod tree;

use std::cell::OnceCell;

use crate::registry::query::computed::Needs;
use crate::registry::schema::{KindId, Schemas};
use crate::values::truth::Truth;
use error::Error;
pub(crate) use eval::Ancestry;
use eval::Asked;
use expression::{Expression, Subject};

/// The most bytes of a filter.
const BYTES_MAX: usize = 4_096;

/// A filter of one kind.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Filter {
    /// Of which kind, and what. `None`: it selects everything.
    asked: Option<(KindId, Expression)>,
    needs: Needs,
}

impl Filter {
    /// Reads a filter for resources of `kind`. The error is a phrase that says what is not understood, and where.
    pub(crate) fn parse(schemas: &Schemas, kind: KindId, text: &str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("must have at most {BYTES_MAX} bytes, and has {}", text.len()));
        }
        let read = || {
            let node = parse::parse(&lex::lex(text)?, text.len())?;
            node.map(|node| check::check(schemas, kind, text, &node)).transpose()
        };
        let expression = read().map_err(|error: Error| error.describe(text))?;
        let needs = expression.as_ref().map(|expression| needs(schemas, kind, expression)).unwrap_or_default();
        Ok(Self { asked: expression.map(|expression| (kind, expression)), needs })
    }

    /// What it asks of that which is computed: documents need it when they are asked.
    pub(crate) fn needs(&self) -> Needs {
        self.needs
    }

    /// What it asks. `None`: nothing.
    pub(crate) fn expression(&self) -> Option<&Expression> {
        self.asked.as_ref().map(|(_, expression)| expression)
    }

    /// What is known of its holding for this document.
    pub(crate) fn truth(&self, schemas: &Schemas, document: &[u8], ancestry: &dyn Ancestry) -> Truth {
        self.asked.as_ref().map_or(Truth::True, |(kind, expression)| {
            let (kind, shape, timeline) = (*kind, schemas.shape_of(*kind), &OnceCell::new());
            Asked { schemas, kind, shape, document, ancestry, timeline }.expression(expression)
        })
    }

    /// Whether it selects this document: what may hold and may not, it does not select.
    pub(crate) fn selects(&self, schemas: &Schemas, document: &[u8], ancestry: &dyn Ancestry) -> bool {
        self.truth(schemas, document, ancestry) == Truth::True
    }
}

fn needs(schemas: &Schemas, kind: KindId, expression: &Expression) -> Needs {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => {
            Needs::all(parts.iter().map(|part| needs(schemas, kind, part)))
        }
        Expression::Test(test) => match &test.subject {
            Subject::Field { path, .. } => Needs::of(schemas, kind, path),
            Subject::Party { .. } | Subject::Under { .. } | Subject::InForce { .. } | Subject::PartyOn { .. } => {
                Needs::default()
            }
        },
    }
}

/// The one way to write a filter: with all parentheses, and AND wherever it is meant. Whether its fields exist is not asked.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn canonical(text: &str) -> Result<String, String> {
    let read = || parse::parse(&lex::lex(text)?, text.len());
    let node = read().map_err(|error: Error| error.describe(text))?;
    Ok(node.map(|node| node.to_string()).unwrap_or_default())
}

#[cfg(test)]
mod tests;
