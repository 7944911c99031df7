//! The rules of agreements: each party is one party, took part in intervals that follow each other, and events say what
//! their type needs.
//!
//! What is merely untidy is not refused, since the record of real treaties is: entry into force before signature, a
//! bilateral agreement of three parties, one party listed twice. What is strange about it is found (`strange.rs`).

mod naming;
mod reconciling;
mod recording;
pub(crate) mod verbs;

pub(crate) use strange::find;

use std::collections::HashSet;

use partnership_registry::v1::{
    Agreement, AgreementEvent, AgreementEventType, AgreementParty, AgreementPeriod, AgreementRelationType,
    AgreementRenewal, AgreementState, AgreementTerm, AgreementTerminationGround, AlternativeDate, Resource,
    resource::Kind,
};

use crate::kinds::timeline::{Asked, Dated, Timeline};
use crate::values::localized_text::check_one_per_language;
use crate::values::reference::{check_exactly_one, check_not_itself};
use crate::violations::Violations;
use naming::short;

/// An agreement stands differently from day to day.
pub(crate) const DATED: Dated = Dated {
    timeline,
    computed,
    computed_fields: &[20, 42],
    parties_field: [42, 6],
    events: calendar::events,
    events_field: 27,
    in_force: AgreementState::InForce as u32,
};

fn timeline(resource: &Resource) -> Timeline {
    match &resource.kind {
        Some(Kind::Agreement(agreement)) => compact::timeline(agreement),
        _ => compact::timeline(&Agreement::default()),
    }
}

fn computed(resource: &Resource, asked: Asked) -> Vec<u8> {
    match &resource.kind {
        Some(Kind::Agreement(agreement)) => status::computed(agreement, asked),
        _ => Vec::new(),
    }
}

/// Notes what cannot be true of any agreement.
pub(crate) fn check(agreement: &Agreement, violations: &mut Violations) {
    check_one_per_language("titles", &agreement.titles, violations);
    let party_ids = check_parties(&agreement.parties, violations);
    for (index, event) in agreement.events.iter().enumerate() {
        check_event(&format!("events[{index}]"), event, &agreement.name, &party_ids, violations);
    }
    naming::check(&agreement.events, &party_ids, violations);
    if let Some(term) = &agreement.term {
        check_term(term, violations);
    }
    check_relations(agreement, violations);
    check_alternatives("", &agreement.alternative_dates, &["conclusion_date", "term.expiry_date"], violations);
}

/// Checks the parties, and answers the ids that events can name them by.
fn check_parties<'a>(parties: &'a [AgreementParty], violations: &mut Violations) -> HashSet<&'a str> {
    let mut party_ids = HashSet::new();
    for (index, party) in parties.iter().enumerate() {
        let path = format!("parties[{index}]");
        let who = [
            ("country", party.country.as_str()),
            ("organization", &party.organization),
            ("unresolved_name", &party.unresolved_name),
        ];
        check_exactly_one(&path, &who, violations);
        if !party.party_id.is_empty() && !party_ids.insert(party.party_id.as_str()) {
            violations.add(
                format!("{path}.party_id"),
                format!("must differ from that of every other party, and {} is used twice", party.party_id),
            );
        }
    }
    party_ids
}

fn check_event(path: &str, event: &AgreementEvent, name: &str, parties: &HashSet<&str>, violations: &mut Violations) {
    if event.act_date.is_none() && event.effect_date.is_none() {
        violations.add(
            format!("{path}.act_date"),
            "must be given, or else effect_date; a date that nobody knows is marked as unknown",
        );
    }
    check_event_parties(path, event, parties, violations);
    let ground = format!("{path}.ground");
    match (may_have_ground(event.r#type()), event.ground()) {
        (Ground::Needed, AgreementTerminationGround::Unspecified) => {
            violations.add(ground, "is required of a termination; there is a value for a ground that is not recorded");
        }
        (Ground::None, said) if said != AgreementTerminationGround::Unspecified => {
            violations.add(
                ground,
                "must be left out unless the event is a termination, denunciation, withdrawal or suspension",
            );
        }
        (Ground::Needed | Ground::Allowed | Ground::None, _) => {}
    }
    check_not_itself(&format!("{path}.agreement"), name, &event.agreement, violations);
    let dates = ["act_date", "effect_date", "term_end_date"];
    check_alternatives(&format!("{path}."), &event.alternative_dates, &dates, violations);
}

/// Checks that other sources disagree on dates that there are, by their paths in what has them.
fn check_alternatives(path: &str, alternatives: &[AlternativeDate], dates: &[&str], violations: &mut Violations) {
    for (index, alternative) in alternatives.iter().enumerate() {
        if !alternative.field.is_empty() && !dates.contains(&alternative.field.as_str()) {
            let (dates, field) = (dates.join(", "), short(&alternative.field));
            let rule = format!("must be one of {dates}, and is {field:?}");
            violations.add(format!("{path}alternative_dates[{index}].field"), rule);
        }
    }
}

fn check_event_parties(path: &str, event: &AgreementEvent, parties: &HashSet<&str>, violations: &mut Violations) {
    if event.party_ids.is_empty() && is_act_of_single_parties(event.r#type()) {
        violations.add(format!("{path}.party_ids"), "is required: an event of this type is an act of single parties");
    }
    let mut seen = HashSet::new();
    for (index, party_id) in event.party_ids.iter().enumerate() {
        let field = || format!("{path}.party_ids[{index}]");
        if !parties.contains(party_id.as_str()) {
            violations.add(field(), format!("must be the id of a party of the agreement, and {party_id} is not"));
        } else if !seen.insert(party_id) {
            violations.add(field(), format!("must not name a party twice, and {party_id} is named before"));
        }
    }
}

/// Whether an event says why.
enum Ground {
    Needed,
    Allowed,
    None,
}

fn may_have_ground(event_type: AgreementEventType) -> Ground {
    match event_type {
        AgreementEventType::Termination => Ground::Needed,
        AgreementEventType::Suspension | AgreementEventType::Denunciation | AgreementEventType::Withdrawal => {
            Ground::Allowed
        }
        AgreementEventType::Unspecified
        | AgreementEventType::Adoption
        | AgreementEventType::Signature
        | AgreementEventType::Ratification
        | AgreementEventType::Acceptance
        | AgreementEventType::Approval
        | AgreementEventType::Accession
        | AgreementEventType::Succession
        | AgreementEventType::Deposit
        | AgreementEventType::ProvisionalApplication
        | AgreementEventType::EntryIntoForce
        | AgreementEventType::Reservation
        | AgreementEventType::Declaration
        | AgreementEventType::Objection
        | AgreementEventType::Amendment
        | AgreementEventType::Correction
        | AgreementEventType::Renewal
        | AgreementEventType::Resumption
        | AgreementEventType::Registration
        | AgreementEventType::Negotiation
        | AgreementEventType::DefinitiveSignature
        | AgreementEventType::FormalConfirmation
        | AgreementEventType::ProvisionalApplicationEnd
        | AgreementEventType::NonRenewal
        | AgreementEventType::Expulsion
        | AgreementEventType::Revocation
        | AgreementEventType::Abandonment
        | AgreementEventType::WithdrawalOfReservation
        | AgreementEventType::TerritorialApplication
        | AgreementEventType::Notification => Ground::None,
    }
}

/// Whether all parties together cannot be what did it.
fn is_act_of_single_parties(event_type: AgreementEventType) -> bool {
    matches!(
        event_type,
        AgreementEventType::Accession
            | AgreementEventType::Succession
            | AgreementEventType::Reservation
            | AgreementEventType::Objection
            | AgreementEventType::Denunciation
            | AgreementEventType::Withdrawal
            | AgreementEventType::Expulsion
    )
}

fn check_term(term: &AgreementTerm, violations: &mut Violations) {
    if term.indefinite && term.length.is_some() {
        violations.add("term.length", "must be left out of an indefinite term");
    }
    if term.indefinite && term.expiry_date.is_some() {
        violations.add("term.expiry_date", "must be left out of an indefinite term");
    }
    if term.renewal() == AgreementRenewal::None {
        if term.renewal_length.is_some() {
            violations.add("term.renewal_length", "must be left out of a term that is not renewed");
        }
        if term.renewals_max != 0 {
            violations.add("term.renewals_max", "must be left out of a term that is not renewed");
        }
    }
    let periods = [
        ("term.length", &term.length),
        ("term.renewal_length", &term.renewal_length),
        ("term.renewal_notice", &term.renewal_notice),
        ("term.denunciation_notice", &term.denunciation_notice),
    ];
    for (field, period) in periods {
        if *period == Some(AgreementPeriod::default()) {
            violations.add(field, "must be longer than nothing; leave it out if it is not known");
        }
    }
}

fn check_relations(agreement: &Agreement, violations: &mut Violations) {
    if agreement.parent.is_empty() && agreement.parent_relation() != AgreementRelationType::Unspecified {
        violations.add("parent_relation", "must be left out if there is no parent");
    }
    for (index, relation) in agreement.relations.iter().enumerate() {
        check_not_itself(&format!("relations[{index}].agreement"), &agreement.name, &relation.agreement, violations);
    }
}

mod begun;
mod calendar;
mod compact;
mod days;
mod items;
mod machine;
mod order;
mod party;
mod places;
mod record;
mod standing;
mod status;
mod strange;
mod term;
mod worlds;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::wildcard_enum_match_arm, reason = "a test may fail")]
mod oracle;
#[cfg(test)]
mod tests;
