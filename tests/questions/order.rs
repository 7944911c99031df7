//! The order of a listing, as plainly as it can be said.

use std::cmp::Ordering;
use std::sync::Arc;

use super::row::{Row, Value};

/// One of the fields that a listing is ordered by.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) path: usize,
    pub(crate) key: Option<String>,
    pub(crate) descending: bool,
    pub(crate) written: String,
}

/// Puts rows into the order that these terms ask for; what is equal by its name, in the direction of the last term.
pub(crate) fn sort(rows: &mut [Arc<Row>], terms: &[Term]) {
    let keys = |row: &Row| terms.iter().map(|term| first(row, term)).collect::<Vec<_>>();
    rows.sort_by_cached_key(|row| ByTerms {
        keys: keys(row),
        descending: terms.iter().map(|term| term.descending).collect(),
        name: row.name.clone(),
    });
}

/// Of what a resource has in a field, that by which it comes first.
fn first(row: &Row, term: &Term) -> Option<Value> {
    let values = row.values(term.path, term.key.as_deref());
    let by = |a: &&Value, b: &&Value| compare(Some(a), Some(b), term.descending);
    values.iter().flatten().min_by(by).cloned()
}

struct ByTerms {
    keys: Vec<Option<Value>>,
    descending: Vec<bool>,
    name: String,
}

impl Ord for ByTerms {
    fn cmp(&self, other: &ByTerms) -> Ordering {
        let keys = self.keys.iter().zip(&other.keys).zip(&self.descending);
        let orders = keys.map(|((a, b), descending)| compare(a.as_ref(), b.as_ref(), *descending));
        let by_name = self.name.cmp(&other.name);
        let by_name = if self.descending.last() == Some(&true) { by_name.reverse() } else { by_name };
        orders.fold(Ordering::Equal, Ordering::then).then(by_name)
    }
}

impl PartialOrd for ByTerms {
    fn partial_cmp(&self, other: &ByTerms) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByTerms {
    fn eq(&self, other: &ByTerms) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ByTerms {}

/// What has no value comes last, and before it the dates that may be any day, whatever the direction.
fn compare(a: Option<&Value>, b: Option<&Value>, descending: bool) -> Ordering {
    let place = |value: Option<&Value>| match value {
        Some(Value::Date(None)) => 1,
        Some(_) => 0,
        None => 2,
    };
    let order = match (a, b) {
        (Some(Value::Text(a)), Some(Value::Text(b))) => a.chars().cmp(b.chars()),
        (Some(Value::Bool(a)), Some(Value::Bool(b))) => a.cmp(b),
        (Some(Value::Enum(a)), Some(Value::Enum(b))) => a.cmp(b),
        (Some(Value::Whole(a)), Some(Value::Whole(b))) => a.cmp(b),
        (Some(Value::Double(a)), Some(Value::Double(b))) => a.partial_cmp(b).unwrap(),
        (Some(Value::Date(Some(a))), Some(Value::Date(Some(b)))) => a.cmp(b),
        (Some(Value::Time(a)), Some(Value::Time(b))) => a.cmp(b),
        (Some(Value::Money(of_a, a)), Some(Value::Money(of_b, b))) => (of_a, a).cmp(&(of_b, b)),
        _ => Ordering::Equal,
    };
    place(a).cmp(&place(b)).then(if descending { order.reverse() } else { order })
}
