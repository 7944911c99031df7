//! Filters of listings: terms joined by AND, each an equality test of a field, an item of a list or a label (a part of
//! AIP-160).
//!
//! A filter goes through three steps before anything is read: `lex` finds its words, `parse` its terms, and `check` what
//! they mean for the kind; `eval` then asks documents. What is not understood is refused, never ignored.

mod check;
mod error;
mod eval;
mod lex;
mod parse;

use crate::registry::schema::{KindId, Schemas};
use error::Error;
use eval::Term;

/// The most bytes of a filter.
const BYTES_MAX: usize = 4_096;
/// A filter of one kind. Without terms it selects everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Filter {
    terms: Vec<Term>,
}

impl Filter {
    /// Reads a filter for resources of `kind`. The error is a phrase that says what is not understood, and where.
    pub(crate) fn parse(schemas: &Schemas, kind: KindId, text: &str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("must have at most {BYTES_MAX} bytes, and has {}", text.len()));
        }
        let read = || {
            let restrictions = parse::parse(&lex::lex(text)?, text.len())?;
            check::check(schemas, kind, &restrictions)
        };
        let terms = read().map_err(|error: Error| error.describe(text))?;
        Ok(Self { terms })
    }

    /// Whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it selects this document.
    pub(crate) fn selects(&self, document: &[u8]) -> bool {
        self.terms.iter().all(|term| term.holds(document))
    }
}

#[cfg(test)]
mod tests;
