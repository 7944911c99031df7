//! `order_by` (AIP-132): fields with commas between them, each of which may descend.

use crate::registry::query::field_path::FieldPath;
use crate::registry::query::filter::error::Error;
use crate::registry::query::filter::lex::{Token, TokenValue, lex};
use crate::registry::resource::stamp::field_number;
use crate::registry::schema::{KindId, Schemas, SharedValue, Value};

/// The most fields of an order.
const TERMS_MAX: usize = 8;
/// The most bytes of an order.
const BYTES_MAX: usize = 1_024;

/// One field of an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OrderTerm {
    pub(crate) path: FieldPath,
    pub(crate) descending: bool,
    /// Whether it leads to dates, of which some are not known.
    pub(crate) is_date: bool,
    /// The field as it is written.
    pub(crate) text: String,
}

impl OrderTerm {
    /// Whether it leads to the names of the resources.
    pub(crate) fn is_name(&self) -> bool {
        matches!(self.path.steps.as_slice(), [step] if step.number == field_number::NAME)
    }
}

/// The order that a request means for resources of `kind`, the weightiest field first. The error is a phrase that says what
/// is not understood, and where. Nothing said: no fields.
pub(crate) fn parse(schemas: &Schemas, kind: KindId, text: &str) -> Result<Vec<OrderTerm>, String> {
    if text.len() > BYTES_MAX {
        return Err(format!("must have at most {BYTES_MAX} bytes, and has {}", text.len()));
    }
    terms(schemas, kind, text).map_err(|error| error.describe(text))
}

fn terms(schemas: &Schemas, kind: KindId, text: &str) -> Result<Vec<OrderTerm>, Error> {
    let tokens = lex(text)?;
    let mut terms: Vec<OrderTerm> = Vec::new();
    if tokens.is_empty() {
        return Ok(terms);
    }
    let mut read = 0;
    for written in tokens.split(|token| token.value == TokenValue::Comma) {
        read += written.len();
        // What is missing is missing before the comma behind it.
        let end = tokens.get(read).map_or(text.len(), |comma| comma.at);
        read += 1;
        let term = term(schemas, kind, text, written, end)?;
        let at = written.first().map_or(end, |first| first.at);
        if terms.iter().any(|other| other.path == term.path) {
            return Err(Error::new(at, format!("must order by each field once, and {} comes twice", term.text)));
        }
        if terms.len() == TERMS_MAX {
            return Err(Error::new(at, format!("must have at most {TERMS_MAX} fields")));
        }
        terms.push(term);
    }
    Ok(terms)
}

/// One field and its direction; `end` is where it ends.
fn term(schemas: &Schemas, kind: KindId, text: &str, written: &[Token], end: usize) -> Result<OrderTerm, Error> {
    let Some((field, direction)) = written.split_first() else {
        return Err(Error::new(end, "must name a field"));
    };
    let descending = direction.first().is_some_and(|word| word.is_keyword("desc"));
    let known = usize::from(descending || direction.first().is_some_and(|word| word.is_keyword("asc")));
    if let Some(other) = direction.get(known) {
        let what = if known == 0 { "asc, desc or a comma" } else { "a comma" };
        return Err(Error::new(other.at, format!("must have {what} here, and has {:?}", other.shown())));
    }
    let path = FieldPath::of(schemas, kind, field, "order by")?;
    let is_date = path.field(schemas).is_some_and(|field| match field.value {
        Value::Message(id) => schemas.shape(id).shared == Some(SharedValue::PartialDate),
        Value::Text { .. } | Value::Reference(_) | Value::Number { .. } | Value::Bool | Value::Enum { .. } => false,
    });
    let text = text.get(field.at..field.end).unwrap_or_default().to_owned();
    Ok(OrderTerm { path, descending, is_date, text })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use crate::registry::query::filter::expression::Step;
    use crate::registry::schema::{contract, kind_of};

    #[test]
    fn an_order_is_fields_and_directions() {
        let schemas = contract();
        let kind = kind_of(&schemas, "countries");
        let table: &[(&str, &[(&str, bool)])] = &[
            ("", &[]),
            ("  ", &[]),
            ("name desc", &[("name", true)]),
            (" create_time  asc ", &[("create_time", false)]),
            ("display_name,name desc", &[("display_name", false), ("name", true)]),
            ("labels.region desc , existence.start_date", &[("labels.region", true), ("existence.start_date", false)]),
            ("labels.\"a.b\"", &[("labels.\"a.b\"", false)]),
            ("findings.code, state", &[("findings.code", false), ("state", false)]),
            // Fields may be called as directions are.
            ("labels.desc desc", &[("labels.desc", true)]),
        ];
        for (text, expected) in table {
            let terms = parse(&schemas, kind, text).unwrap();
            let found: Vec<_> = terms.iter().map(|term| (term.text.as_str(), term.descending)).collect();
            assert_eq!(found, *expected, "{text:?}");
        }
        let terms = parse(&schemas, kind, "existence.start_date, labels.region").unwrap();
        let fields: Vec<_> = terms.iter().map(|term| term.path.field(&schemas).unwrap().name.as_str()).collect();
        assert_eq!(fields, ["start_date", "labels"]);
        let step = |number, key: Option<&str>| Step { number, repeated: false, key: key.map(str::to_owned) };
        let existence = schemas.shape_of(kind).by_name("existence").unwrap().number;
        let paths: Vec<_> = terms.into_iter().map(|term| term.path.steps).collect();
        assert_eq!(paths, [vec![step(existence, None), step(1, None)], vec![step(11, Some("region"))]]);
    }

    #[test]
    fn what_orders_nothing_is_refused_where_it_stands() {
        let schemas = contract();
        let kind = kind_of(&schemas, "countries");
        let many = ["name", "uid", "display_name", "etag", "revision", "state", "creator", "updater", "region_code"];
        let many = many.join(",");
        let long = "x".repeat(BYTES_MAX + 1);
        let table = [
            ("nam", "must name fields, and Country has no field \"nam\"; did you mean \"name\"? (at column 1)"),
            ("name,", "must name a field (at column 6)"),
            (",name", "must name a field (at column 1)"),
            ("name,,uid", "must name a field (at column 6)"),
            ("name down", "must have asc, desc or a comma here, and has \"down\" (at column 6)"),
            ("name DESC", "must have asc, desc or a comma here, and has \"DESC\" (at column 6)"),
            ("name desc desc", "must have a comma here, and has \"desc\" (at column 11)"),
            ("\"name\"", "must have a field here, and has \"name\" (at column 1)"),
            ("-name", "must name fields, and Country has no field \"-name\"; did you mean \"name\"? (at column 1)"),
            ("name; uid", "must not have ';' outside of quotation marks (at column 5)"),
            ("uid, name, uid desc", "must order by each field once, and uid comes twice (at column 12)"),
            ("labels", "must order by one key of labels, as in labels.key, and labels is a map (at column 1)"),
            (
                "uid, existence",
                "must order by single values, and \"existence\" is a message; its fields are start_date, end_date (at \
                 column 6)",
            ),
            (&many, "must have at most 8 fields (at column 59)"),
            (&long, "must have at most 1024 bytes, and has 1025"),
        ];
        for (text, expected) in table {
            assert_eq!(parse(&schemas, kind, text).unwrap_err(), expected, "{text:?}");
        }
    }
}
