//! What the error of a refused batch says about each of its rows.

use crate::error::Error;

/// Why an item was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is invalid.
    Invalid(Vec<String>),
    /// It refers to resources that do not exist, or not yet.
    Dangling {
        /// Why, in words.
        reasons: Vec<String>,
        /// The resources; empty for one that will not come, since it is deleted.
        targets: Vec<String>,
    },
    /// The resource is deleted.
    Deleted(Vec<String>),
    /// The error does not say why.
    Unexplained,
}

/// A verdict for each row of these names; `None`: it was not refused.
pub(super) fn verdicts(error: &Error, names: &[&str]) -> Vec<Option<Verdict>> {
    let mut verdicts: Vec<Option<Verdict>> = vec![None; names.len()];
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
            let verdict = if violation.kind == "REFERENCE" {
                let target = violation.description.strip_suffix(" does not exist").unwrap_or_default();
                Verdict::Dangling { reasons, targets: vec![target.to_owned()] }
            } else {
                Verdict::Invalid(reasons)
            };
            add(&mut verdicts, index, verdict);
        } else if let Some(index) = names.iter().position(|name| *name == violation.subject) {
            let reasons = vec![without_place(&violation.description).to_owned()];
            let deleted = violation.kind == "STATE";
            add(&mut verdicts, index, if deleted { Verdict::Deleted(reasons) } else { Verdict::Invalid(reasons) });
        }
    }
    verdicts
}

/// Adds to a verdict. A row that is both invalid and dangling is invalid.
fn add(verdicts: &mut [Option<Verdict>], index: usize, new: Verdict) {
    let Some(Some(verdict)) = verdicts.get_mut(index) else { return };
    let old = std::mem::replace(verdict, Verdict::Unexplained);
    *verdict = match (old, new) {
        (Verdict::Unexplained, one) | (one, Verdict::Unexplained) => one,
        (
            Verdict::Dangling { mut reasons, mut targets },
            Verdict::Dangling { reasons: more, targets: more_targets },
        ) => {
            reasons.extend(more);
            targets.extend(more_targets);
            Verdict::Dangling { reasons, targets }
        }
        (old, new) => Verdict::Invalid(old.reasons().into_iter().chain(new.reasons()).collect()),
    };
}

impl Verdict {
    /// Why, in words.
    pub(super) fn reasons(self) -> Vec<String> {
        match self {
            Self::Invalid(reasons) | Self::Dangling { reasons, .. } | Self::Deleted(reasons) => reasons,
            Self::Unexplained => vec!["refused together with other rows of its batch".to_owned()],
        }
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
mod tests {
    use std::collections::HashMap;

    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::*;

    #[test]
    fn each_refused_item_gets_its_own_reasons() {
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
        let names = ["countries/a", "countries/b", "countries/c", "countries/d", "countries/e", "countries/f"];
        let owned = |reasons: &[&str]| reasons.iter().map(|reason| (*reason).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            verdicts(&error, &names),
            [
                Some(Verdict::Invalid(owned(&["display_name: is required", "labels: has too many"]))),
                Some(Verdict::Dangling {
                    reasons: owned(&["sovereign: countries/x does not exist"]),
                    targets: owned(&["countries/x"]),
                }),
                None,
                Some(Verdict::Deleted(owned(&["countries/d is deleted"]))),
                Some(Verdict::Unexplained),
                Some(Verdict::Invalid(owned(&["capital: is too long", "sovereign: countries/y does not exist"]))),
            ]
        );
    }
}
