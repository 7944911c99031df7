//! `order_by` (AIP-132): paths with commas between them, each with its direction.

use crate::registry::query::field_path::FieldPath;
use crate::registry::resource::name::short;
use crate::registry::resource::stamp::field_number;
use crate::registry::schema::{KindId, Schemas, SharedValue, Value};

/// The most terms: no order of people has more.
pub(crate) const TERMS_MAX: usize = 8;

/// One key of an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OrderTerm {
    /// As it is written, without its direction.
    pub(crate) text: String,
    pub(crate) path: FieldPath,
    pub(crate) descending: bool,
    /// Whether it leads to dates, of which some are not known.
    pub(crate) is_date: bool,
}

impl OrderTerm {
    /// Whether it leads to the names of the resources.
    pub(crate) fn is_name(&self) -> bool {
        matches!(self.path.steps.as_slice(), [step] if step.number == field_number::NAME)
    }
}

/// The terms of an order; nothing said: none. The error is a phrase that says what is wrong.
pub(crate) fn parse(schemas: &Schemas, kind: KindId, text: &str) -> Result<Vec<OrderTerm>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut terms: Vec<OrderTerm> = Vec::new();
    for part in text.split(',') {
        let term = term(schemas, kind, part)?;
        if let Some(twice) = terms.iter().find(|other| other.path == term.path) {
            return Err(format!("must name each field once, and names {:?} twice", short(&twice.text)));
        }
        terms.push(term);
    }
    if terms.len() > TERMS_MAX {
        return Err(format!("must have at most {TERMS_MAX} fields, and has {}", terms.len()));
    }
    Ok(terms)
}

fn term(schemas: &Schemas, kind: KindId, part: &str) -> Result<OrderTerm, String> {
    let words: Vec<&str> = part.split_whitespace().collect();
    let (path_text, descending) = match words.as_slice() {
        [path] | [path, "asc"] => (*path, false),
        [path, "desc"] => (*path, true),
        [] => return Err("must have a field between two commas".to_owned()),
        [..] => {
            let rule = "must have fields with commas between them, each with ' desc' for descending";
            return Err(format!("{rule}, and has {:?}", short(part.trim())));
        }
    };
    let path = FieldPath::parse(schemas, kind, path_text)?;
    let is_date = path.field(schemas).is_some_and(|field| match field.value {
        Value::Message(id) => schemas.shape(id).shared == Some(SharedValue::PartialDate),
        Value::Text { .. } | Value::Reference(_) | Value::Number { .. } | Value::Bool | Value::Enum { .. } => false,
    });
    Ok(OrderTerm { text: path_text.to_owned(), path, descending, is_date })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::registry::schema::{contract, kind_of};

    #[test]
    fn an_order_is_fields_with_directions() {
        let schemas = contract();
        let kind = kind_of(&schemas, "agreements");
        let table = [
            ("", ""),
            ("  ", ""),
            ("name desc", "name-"),
            (" create_time  asc ", "create_time+"),
            ("conclusion_date desc, display_name", "conclusion_date- display_name+"),
            ("parties.country,labels.unit desc,name", "parties.country+ labels.unit- name+"),
        ];
        for (text, expected) in table {
            let terms = parse(&schemas, kind, text).unwrap();
            let told = terms.iter().map(|term| format!("{}{}", term.text, if term.descending { '-' } else { '+' }));
            assert_eq!(told.collect::<Vec<_>>().join(" "), expected, "{text:?}");
        }
        let terms = parse(&schemas, kind, "conclusion_date, create_time, name").unwrap();
        assert_eq!(
            terms.iter().map(|term| (term.is_date, term.is_name())).collect::<Vec<_>>(),
            [(true, false), (false, false), (false, true)]
        );
    }

    #[test]
    fn what_is_no_order_is_refused_and_says_why() {
        let schemas = contract();
        let kind = kind_of(&schemas, "agreements");
        let nine = ["uid"; 9].iter().zip(0..).map(|(_, n)| format!("labels.l{n}")).collect::<Vec<_>>().join(",");
        let table = [
            (
                "name down",
                "must have fields with commas between them, each with ' desc' for descending, and has \"name down\"",
            ),
            (
                "name desc desc",
                "must have fields with commas between them, each with ' desc' for descending, and has \"name desc desc\"",
            ),
            ("name,,type", "must have a field between two commas"),
            ("type, type desc", "must name each field once, and names \"type\" twice"),
            ("labels", "must name an entry of labels, which is a map, such as labels.key"),
            (&nine, "must have at most 8 fields, and has 9"),
        ];
        for (text, expected) in table {
            assert_eq!(parse(&schemas, kind, text).unwrap_err(), expected, "{text:?}");
        }
        let unknown = parse(&schemas, kind, "capital").unwrap_err();
        assert!(
            unknown.starts_with("must name fields, and Agreement has no field \"capital\"; it has name, "),
            "{unknown}"
        );
        let message = parse(&schemas, kind, "parties").unwrap_err();
        assert!(message.starts_with("must lead to a single value, and parties has several: "), "{message}");
    }
}
