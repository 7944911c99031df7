//! What the error of a refused batch says about each of its rows.

use super::row::Item;
use crate::error::Error;

/// Why an item was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is invalid.
    Invalid(Vec<String>),
    /// It refers to a resource that does not exist, or not yet.
    Dangling(Vec<String>),
    /// The error does not say why.
    Unexplained,
}

/// A verdict for each row; `None`: it was not refused.
pub(super) fn verdicts(error: &Error, items: &[Item]) -> Vec<Option<Verdict>> {
    let mut verdicts: Vec<Option<Verdict>> = vec![None; items.len()];
    for index in error.refused_mutations() {
        if let Some(verdict) = verdicts.get_mut(index) {
            *verdict = Some(Verdict::Unexplained);
        }
    }
    for violation in error.field_violations() {
        if let Some((index, field)) = place(&violation.field) {
            add(&mut verdicts, index, Verdict::Invalid(vec![sentence(field, &violation.description)]));
        }
    }
    for violation in error.precondition_violations() {
        if let Some((index, field)) = place(&violation.subject) {
            let reasons = vec![sentence(field, &violation.description)];
            let dangling = violation.kind == "REFERENCE";
            add(&mut verdicts, index, if dangling { Verdict::Dangling(reasons) } else { Verdict::Invalid(reasons) });
        } else if let Some(index) = items.iter().position(|item| item.resource.name() == violation.subject) {
            let reason = without_place(&violation.description).to_owned();
            add(&mut verdicts, index, Verdict::Invalid(vec![reason]));
        }
    }
    verdicts
}

/// Adds to a verdict. A row that is both invalid and dangling is invalid.
fn add(verdicts: &mut [Option<Verdict>], index: usize, new: Verdict) {
    let Some(Some(verdict)) = verdicts.get_mut(index) else { return };
    match (&mut *verdict, new) {
        (Verdict::Invalid(reasons), Verdict::Invalid(more) | Verdict::Dangling(more))
        | (Verdict::Dangling(reasons), Verdict::Dangling(more)) => reasons.extend(more),
        (Verdict::Dangling(reasons), Verdict::Invalid(more)) => {
            *verdict = Verdict::Invalid(reasons.drain(..).chain(more).collect());
        }
        (Verdict::Unexplained, new) => *verdict = new,
        (Verdict::Invalid(_) | Verdict::Dangling(_), Verdict::Unexplained) => {}
    }
}

/// Splits a path such as `mutations[7].name` into the index and the field within the mutation.
fn place(path: &str) -> Option<(usize, &str)> {
    let (index, field) = path.strip_prefix("mutations[")?.split_once(']')?;
    Some((index.parse().ok()?, field.trim_start_matches(['.', ':', ' '])))
}

/// A message without `mutations[7]: ` at its beginning.
pub(super) fn without_place(message: &str) -> &str {
    place(message).map_or(message, |(_, message)| message)
}

fn sentence(field: &str, description: &str) -> String {
    // Whoever wrote the row knows neither the operation nor the envelope around the resource.
    let field =
        ["update.", "resource."].iter().fold(field, |field, prefix| field.strip_prefix(prefix).unwrap_or(field));
    if field.is_empty() { description.to_owned() } else { format!("{field}: {description}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::collections::HashMap;

    use partnership_registry::v1::Country;
    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::super::row::Origin;
    use super::*;

    #[test]
    fn each_refused_item_gets_its_own_reasons() {
        let item = |name: &str| {
            let resource = Country { name: format!("countries/{name}"), ..Country::default() }.into();
            Item { origin: Origin { source: "f".into(), line: 1 }, resource }
        };
        let mut details = ErrorDetails::new();
        details
            .set_error_info(
                "INVALID_FIELDS",
                "partnership.registry",
                HashMap::from([("mutations".into(), "0,1,3,4,5".into())]),
            )
            .add_bad_request_violation("mutations[0].display_name", "is required")
            .add_bad_request_violation("mutations[0].labels", "has too many")
            .add_precondition_failure_violation("REFERENCE", "mutations[1].sovereign", "countries/x does not exist")
            .add_precondition_failure_violation("STATE", "countries/d", "mutations[3]: countries/d is deleted")
            .add_precondition_failure_violation("REFERENCE", "mutations[5].sovereign", "countries/y does not exist")
            .add_bad_request_violation("mutations[5].capital", "is too long");
        let error = Status::with_error_details(Code::InvalidArgument, "no", details).into();
        let items: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(item).into();
        let owned = |reasons: &[&str]| reasons.iter().map(|reason| (*reason).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            verdicts(&error, &items),
            [
                Some(Verdict::Invalid(owned(&["display_name: is required", "labels: has too many"]))),
                Some(Verdict::Dangling(owned(&["sovereign: countries/x does not exist"]))),
                None,
                Some(Verdict::Invalid(owned(&["countries/d is deleted"]))),
                Some(Verdict::Unexplained),
                Some(Verdict::Invalid(owned(&["capital: is too long", "sovereign: countries/y does not exist"]))),
            ]
        );
    }
}
