//! The rules of commitments: promises are not met before they are made.
//!
//! A day on which something was met that was not is strange. A met commitment without a date is not.

use partnership_registry::v1::{Commitment, CommitmentState};

use crate::findings::Findings;
use crate::values::localized_text::check_one_per_language;
use crate::values::partial_date::both_and_before;
use crate::values::reference::check_not_itself;
use crate::violations::Violations;

/// Notes what cannot be true of any commitment.
pub(crate) fn check(commitment: &Commitment, violations: &mut Violations) {
    check_one_per_language("texts", &commitment.texts, violations);
    check_not_itself("source", &commitment.name, &commitment.source, violations);
    if both_and_before(commitment.met_date.as_ref(), commitment.promise_date.as_ref()) {
        violations.add("met_date", "must not be before the promise");
    }
    for (index, evidence) in commitment.evidence.iter().enumerate() {
        let path = format!("evidence[{index}]");
        if evidence.text.is_empty() && evidence.resource.is_empty() && evidence.uri.is_empty() {
            violations.add(&path, "must have at least one of text, resource, uri");
        }
        check_not_itself(&format!("{path}.resource"), &commitment.name, &evidence.resource, violations);
    }
}

/// Notes what contradicts the state: a day on which a commitment was met that was not.
pub(crate) fn find(commitment: &Commitment, findings: &mut Findings) {
    let unmet = match commitment.state() {
        CommitmentState::Open | CommitmentState::NotMet | CommitmentState::Withdrawn => true,
        CommitmentState::Unspecified | CommitmentState::Met | CommitmentState::PartiallyMet => false,
    };
    if unmet && commitment.met_date.is_some() {
        findings.add_contradiction("met_date", "a day on which it was met", commitment.state().as_str_name());
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::CommitmentEvidence;

    use super::*;
    use crate::kinds::table::{assert_findings, assert_table};
    use crate::values::localized_text::tests::text;
    use crate::values::partial_date::tests::date;

    #[test]
    fn a_commitment_is_refused_for_what_cannot_be_true() {
        let good = Commitment {
            name: "commitments/example".into(),
            display_name: "An Example".into(),
            state: CommitmentState::Met.into(),
            text: "To do something.".into(),
            texts: vec![text("fr", "Faire quelque chose.")],
            responsible_parties: vec!["countries/kr".into(), "officials/a".into()],
            counterparts: vec!["organizations/un".into()],
            source: "meetings/a".into(),
            promise_date: Some(date(2025, 9, 30)),
            met_date: Some(date(2025, 0, 0)),
            evidence: vec![CommitmentEvidence { text: "It was done.".into(), ..CommitmentEvidence::default() }],
            ..Commitment::default()
        };
        assert_table(
            &good,
            check,
            &[
                (
                    "a text in a language twice",
                    |it| it.texts.push(text("fr", "Encore.")),
                    Some("texts[1].language_code"),
                ),
                ("its own source", |it| it.source.clone_from(&it.name), Some("source")),
                ("met before it was made", |it| it.met_date = Some(date(2025, 8, 0)), Some("met_date")),
                ("met on a day that is not recorded", |it| it.met_date = None, None),
                ("open, and met on a day", |it| it.set_state(CommitmentState::Open), None),
                ("empty evidence", |it| it.evidence.push(CommitmentEvidence::default()), Some("evidence[1]")),
                (
                    "its own evidence",
                    |it| {
                        it.evidence
                            .push(CommitmentEvidence { resource: it.name.clone(), ..CommitmentEvidence::default() })
                    },
                    Some("evidence[1].resource"),
                ),
            ],
        );
    }

    #[test]
    fn a_day_on_which_a_commitment_was_met_that_was_not_is_strange() {
        let state = CommitmentState::Met.into();
        let good = Commitment { state, met_date: Some(date(2025, 0, 0)), ..Commitment::default() };
        assert_findings(
            &good,
            find,
            &[
                ("it was not met", |it| it.set_state(CommitmentState::NotMet), Some("met_date")),
                ("it is open", |it| it.set_state(CommitmentState::Open), Some("met_date")),
                ("it was taken back", |it| it.set_state(CommitmentState::Withdrawn), Some("met_date")),
                ("it was met in part", |it| it.set_state(CommitmentState::PartiallyMet), None),
                ("it was met on no known day", |it| it.met_date = None, None),
            ],
        );
    }
}
