//! The rules of agreements: each party is one party, took part in intervals that follow each other, and events say what
//! their type needs.
//!
//! What is merely untidy is not refused, since the record of real treaties is: entry into force before signature, a
//! bilateral agreement of three parties, one party listed twice, a registration without an entry into force.

use std::collections::HashSet;

use partnership_registry::Kind;
use partnership_registry::v1::{
    Agreement, AgreementEndType, AgreementEvent, AgreementEventType, AgreementParticipation, AgreementParty,
    AgreementPeriod, AgreementRelationType, AgreementRenewal, AgreementState, AgreementTerm,
    AgreementTerminationGround, Country, Organization, PartialDate,
};

use crate::values::localized_text::check_one_per_language;
use crate::values::partial_date::both_and_before;
use crate::values::reference::{check_collections, check_exactly_one, check_not_itself};
use crate::violations::Violations;

/// Notes what cannot be true of any agreement.
pub(crate) fn check(agreement: &Agreement, violations: &mut Violations) {
    check_one_per_language("titles", &agreement.titles, violations);
    let party_ids = check_parties(&agreement.parties, violations);
    for (index, event) in agreement.events.iter().enumerate() {
        check_event(&format!("events[{index}]"), event, &agreement.name, &party_ids, violations);
    }
    if let Some(term) = &agreement.term {
        check_term(term, violations);
    }
    check_relations(agreement, violations);
    let collections = [Country::COLLECTION, Organization::COLLECTION];
    check_collections("depositaries", &agreement.depositaries, &collections, violations);
    check_registrations(agreement, violations);
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
        check_participations(&path, &party.participations, violations);
    }
    party_ids
}

/// Checks that the participations of one party are intervals, one after the other, of which the last may be open.
fn check_participations(party: &str, participations: &[AgreementParticipation], violations: &mut Violations) {
    let mut before: Option<&AgreementParticipation> = None;
    for (index, participation) in participations.iter().enumerate() {
        let path = format!("{party}.participations[{index}]");
        if both_and_before(participation.ended.as_ref(), start(participation)) {
            violations.add(format!("{path}.ended"), "must not be before the participation starts");
        }
        if participation.ended.is_none() && participation.end_type() != AgreementEndType::Unspecified {
            violations.add(format!("{path}.end_type"), "must be left out while the participation has not ended");
        }
        if let Some(before) = before {
            if before.ended.is_none() {
                violations.add(&path, "must follow a participation that has ended");
            } else if both_and_before(start(participation), before.ended.as_ref()) {
                violations.add(&path, "must not start before the previous participation ended");
            }
        }
        before = Some(participation);
    }
}

/// The date from which a participation runs, if it is there at all.
fn start(participation: &AgreementParticipation) -> Option<&PartialDate> {
    participation.in_force.as_ref().or(participation.consented.as_ref()).or(participation.signed.as_ref())
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
        | AgreementEventType::Registration => Ground::None,
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
        ("term.notice_period", &term.notice_period),
    ];
    for (field, period) in periods {
        if *period == Some(AgreementPeriod::default()) {
            violations.add(field, "must be longer than nothing; leave it out if it is not known");
        }
    }
}

fn check_relations(agreement: &Agreement, violations: &mut Violations) {
    check_not_itself("parent", &agreement.name, &agreement.parent, violations);
    if agreement.parent.is_empty() && agreement.parent_relation() != AgreementRelationType::Unspecified {
        violations.add("parent_relation", "must be left out if there is no parent");
    }
    for (index, relation) in agreement.relations.iter().enumerate() {
        check_not_itself(&format!("relations[{index}].agreement"), &agreement.name, &relation.agreement, violations);
    }
}

/// Checks that what never was in force has no registration number. Entry into force that only events or parties know
/// counts, since the state may lag behind them.
fn check_registrations(agreement: &Agreement, violations: &mut Violations) {
    let never_in_force =
        matches!(agreement.state(), AgreementState::Draft | AgreementState::Negotiating | AgreementState::Abandoned)
            && !agreement.events.iter().any(|event| {
                matches!(
                    event.r#type(),
                    AgreementEventType::EntryIntoForce | AgreementEventType::ProvisionalApplication
                )
            })
            && !agreement.parties.iter().flat_map(|party| &party.participations).any(|taken| taken.in_force.is_some());
    if never_in_force {
        for (index, registration) in agreement.registrations.iter().enumerate() {
            if !registration.number.is_empty() {
                violations.add(
                    format!("registrations[{index}].number"),
                    "must be left out until the agreement is in force or provisionally applied",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{AgreementRegistration, AgreementRelation};

    use super::*;
    use crate::kinds::table::assert_table;
    use crate::values::localized_text::tests::text;
    use crate::values::partial_date::tests::{date, unknown};

    fn party(party_id: &str, country: &str, participations: Vec<AgreementParticipation>) -> AgreementParty {
        AgreementParty {
            party_id: party_id.into(),
            country: country.into(),
            participations,
            ..AgreementParty::default()
        }
    }

    fn took_part(in_force: Option<PartialDate>, ended: Option<PartialDate>) -> AgreementParticipation {
        AgreementParticipation { in_force, ended, ..AgreementParticipation::default() }
    }

    fn years(years: i32) -> Option<AgreementPeriod> {
        Some(AgreementPeriod { years, ..AgreementPeriod::default() })
    }

    fn event(event_type: AgreementEventType, party_ids: &[&str]) -> AgreementEvent {
        AgreementEvent {
            r#type: event_type.into(),
            party_ids: party_ids.iter().map(|&party_id| party_id.to_owned()).collect(),
            act_date: Some(date(1990, 1, 1)),
            ..AgreementEvent::default()
        }
    }

    fn grounded(event_type: AgreementEventType, party_ids: &[&str]) -> AgreementEvent {
        AgreementEvent { ground: AgreementTerminationGround::MaterialBreach.into(), ..event(event_type, party_ids) }
    }

    /// Lets only `state` and nothing else say whether the agreement was in force, and gives it a number.
    fn registered(agreement: &mut Agreement, state: AgreementState) {
        agreement.set_state(state);
        agreement.events.clear();
        agreement.parties.clear();
        let registration = AgreementRegistration { number: "5535".into(), ..AgreementRegistration::default() };
        agreement.registrations.push(registration);
    }

    fn good() -> Agreement {
        Agreement {
            name: "agreements/example".into(),
            display_name: "An Example".into(),
            titles: vec![text("en", "An Example"), text("fr", "Un exemple")],
            parties: vec![
                party("gb", "countries/gb", vec![took_part(Some(date(1980, 0, 0)), None)]),
                party(
                    "kr",
                    "countries/kr",
                    vec![
                        took_part(Some(date(1980, 5, 0)), Some(date(1985, 12, 31))),
                        took_part(Some(date(1985, 12, 31)), None),
                    ],
                ),
                AgreementParty { unresolved_name: "SIAM".into(), ..AgreementParty::default() },
            ],
            events: vec![
                event(AgreementEventType::Signature, &["gb", "kr"]),
                event(AgreementEventType::EntryIntoForce, &[]),
            ],
            term: Some(AgreementTerm {
                length: years(5),
                renewal: AgreementRenewal::Automatic.into(),
                renewal_length: years(1),
                ..AgreementTerm::default()
            }),
            parent: "agreements/framework".into(),
            parent_relation: AgreementRelationType::ProtocolTo.into(),
            depositaries: vec!["countries/ch".into(), "organizations/un".into()],
            ..Agreement::default()
        }
    }

    #[test]
    fn an_agreement_is_refused_for_what_cannot_be_true() {
        assert_table(
            &good(),
            check,
            &[
                (
                    "a title in a language twice",
                    |it| it.titles.push(text("en", "Same")),
                    Some("titles[2].language_code"),
                ),
                ("its own parent", |it| it.parent.clone_from(&it.name), Some("parent")),
                ("a relation to no parent", |it| it.parent.clear(), Some("parent_relation")),
                ("a parent without a relation", |it| it.set_parent_relation(AgreementRelationType::Unspecified), None),
                (
                    "superseding itself",
                    |it| {
                        it.relations
                            .push(AgreementRelation { agreement: it.name.clone(), ..AgreementRelation::default() })
                    },
                    Some("relations[0].agreement"),
                ),
                (
                    "a depositary that is a meeting",
                    |it| it.depositaries.push("meetings/a".into()),
                    Some("depositaries[2]"),
                ),
                ("a number and a state in force", |it| registered(it, AgreementState::InForce), None),
                ("a number and a state signed", |it| registered(it, AgreementState::Signed), None),
                ("a number of a draft", |it| registered(it, AgreementState::Draft), Some("registrations[0].number")),
                (
                    "a number of what was given up",
                    |it| registered(it, AgreementState::Abandoned),
                    Some("registrations[0].number"),
                ),
                (
                    "a draft filed without a number",
                    |it| {
                        registered(it, AgreementState::Draft);
                        it.registrations.iter_mut().for_each(|registration| registration.number.clear());
                    },
                    None,
                ),
                (
                    "a number of a draft that has come into force",
                    |it| {
                        registered(it, AgreementState::Draft);
                        it.events.push(event(AgreementEventType::EntryIntoForce, &[]));
                    },
                    None,
                ),
                (
                    "a number of a draft that is in force for a party",
                    |it| {
                        registered(it, AgreementState::Draft);
                        it.parties.push(party("kr", "countries/kr", vec![took_part(Some(date(1980, 0, 0)), None)]));
                    },
                    None,
                ),
            ],
        );
    }

    #[test]
    fn a_party_of_an_agreement_is_refused_for_what_cannot_be_true() {
        assert_table(
            &good(),
            check,
            &[
                ("nobody as a party", |it| it.parties.push(AgreementParty::default()), Some("parties[3]")),
                (
                    "a party that is two",
                    |it| {
                        it.parties.push(AgreementParty {
                            organization: "organizations/un".into(),
                            ..party("", "countries/fr", Vec::new())
                        });
                    },
                    Some("parties[3]"),
                ),
                (
                    "a party both known and unresolved",
                    |it| {
                        it.parties.push(AgreementParty {
                            unresolved_name: "FRANCE".into(),
                            ..party("", "countries/fr", Vec::new())
                        });
                    },
                    Some("parties[3]"),
                ),
                (
                    "an id twice",
                    |it| it.parties.push(party("kr", "countries/fr", Vec::new())),
                    Some("parties[3].party_id"),
                ),
                (
                    "parties without ids",
                    |it| {
                        it.parties.extend([party("", "countries/a", Vec::new()), party("", "countries/b", Vec::new())])
                    },
                    None,
                ),
                ("a country twice", |it| it.parties.push(party("", "countries/kr", Vec::new())), None),
                (
                    "an end before the entry into force",
                    |it| {
                        it.parties.push(party(
                            "",
                            "countries/fr",
                            vec![took_part(Some(date(1980, 2, 0)), Some(date(1980, 1, 31)))],
                        ));
                    },
                    Some("parties[3].participations[0].ended"),
                ),
                (
                    "an end before consent, never in force",
                    |it| {
                        let participation = AgreementParticipation {
                            consented: Some(date(1990, 0, 0)),
                            ..took_part(None, Some(date(1980, 0, 0)))
                        };
                        it.parties.push(party("", "countries/fr", vec![participation]));
                    },
                    Some("parties[3].participations[0].ended"),
                ),
                (
                    "an end before the signature, never in force",
                    |it| {
                        let participation = AgreementParticipation {
                            signed: Some(date(1990, 0, 0)),
                            ..took_part(None, Some(date(1980, 0, 0)))
                        };
                        it.parties.push(party("", "countries/fr", vec![participation]));
                    },
                    Some("parties[3].participations[0].ended"),
                ),
                (
                    "in force before the signature, which is merely odd",
                    |it| {
                        let participation = AgreementParticipation {
                            signed: Some(date(1990, 0, 0)),
                            ..took_part(Some(date(1980, 0, 0)), Some(date(1985, 0, 0)))
                        };
                        it.parties.push(party("", "countries/fr", vec![participation]));
                    },
                    None,
                ),
                (
                    "an end in the year of the beginning",
                    |it| {
                        it.parties.push(party(
                            "",
                            "countries/fr",
                            vec![took_part(Some(date(1980, 2, 0)), Some(date(1980, 0, 0)))],
                        ));
                    },
                    None,
                ),
                (
                    "an end that nobody knows",
                    |it| {
                        it.parties.push(party(
                            "",
                            "countries/fr",
                            vec![took_part(Some(date(1980, 2, 0)), Some(unknown()))],
                        ))
                    },
                    None,
                ),
                (
                    "ended somehow, without an end",
                    |it| {
                        let participation = AgreementParticipation {
                            end_type: AgreementEndType::Expiry.into(),
                            ..took_part(None, None)
                        };
                        it.parties.push(party("", "countries/fr", vec![participation]));
                    },
                    Some("parties[3].participations[0].end_type"),
                ),
                (
                    "joined again without having left",
                    |it| it.parties.push(party("", "countries/fr", vec![took_part(None, None), took_part(None, None)])),
                    Some("parties[3].participations[1]"),
                ),
                (
                    "joined again before having left",
                    |it| {
                        let twice = vec![
                            took_part(Some(date(1980, 0, 0)), Some(date(1985, 0, 0))),
                            took_part(Some(date(1984, 0, 0)), None),
                        ];
                        it.parties.push(party("", "countries/fr", twice));
                    },
                    Some("parties[3].participations[1]"),
                ),
            ],
        );
    }

    #[test]
    fn an_event_of_an_agreement_is_refused_without_what_its_type_needs() {
        use AgreementEventType::{Accession, Denunciation, Ratification, Renewal, Suspension, Termination, Withdrawal};

        assert_table(
            &good(),
            check,
            &[
                (
                    "no date",
                    |it| it.events.push(AgreementEvent { act_date: None, ..event(Renewal, &[]) }),
                    Some("events[2].act_date"),
                ),
                (
                    "a date of effect alone",
                    |it| {
                        let effect =
                            AgreementEvent { act_date: None, effect_date: Some(unknown()), ..event(Renewal, &[]) };
                        it.events.push(effect);
                    },
                    None,
                ),
                (
                    "an effect before the act, which is merely odd",
                    |it| it.events.push(AgreementEvent { effect_date: Some(date(1980, 0, 0)), ..event(Renewal, &[]) }),
                    None,
                ),
                ("nobody acceded", |it| it.events.push(event(Accession, &[])), Some("events[2].party_ids")),
                ("nobody withdrew", |it| it.events.push(event(Withdrawal, &[])), Some("events[2].party_ids")),
                ("all ratified", |it| it.events.push(event(Ratification, &[])), None),
                (
                    "somebody else ratified",
                    |it| it.events.push(event(Ratification, &["kr", "fr"])),
                    Some("events[2].party_ids[1]"),
                ),
                (
                    "a party ratified twice",
                    |it| it.events.push(event(Ratification, &["kr", "kr"])),
                    Some("events[2].party_ids[1]"),
                ),
                (
                    "a termination without a ground",
                    |it| it.events.push(event(Termination, &[])),
                    Some("events[2].ground"),
                ),
                ("a termination with a ground", |it| it.events.push(grounded(Termination, &[])), None),
                ("a denunciation with a ground", |it| it.events.push(grounded(Denunciation, &["kr"])), None),
                ("a denunciation without a ground", |it| it.events.push(event(Denunciation, &["kr"])), None),
                ("a suspension with a ground", |it| it.events.push(grounded(Suspension, &[])), None),
                (
                    "a ratification with a ground",
                    |it| it.events.push(grounded(Ratification, &[])),
                    Some("events[2].ground"),
                ),
                (
                    "renewed by itself",
                    |it| it.events.push(AgreementEvent { agreement: it.name.clone(), ..event(Renewal, &[]) }),
                    Some("events[2].agreement"),
                ),
            ],
        );
    }

    #[test]
    fn a_term_of_an_agreement_is_refused_for_what_cannot_be_true() {
        fn set(agreement: &mut Agreement, term: AgreementTerm) {
            agreement.term = Some(term);
        }

        assert_table(
            &good(),
            check,
            &[
                ("no term", |it| it.term = None, None),
                (
                    "an indefinite term",
                    |it| set(it, AgreementTerm { indefinite: true, ..AgreementTerm::default() }),
                    None,
                ),
                (
                    "an indefinite term with a length",
                    |it| set(it, AgreementTerm { indefinite: true, length: years(5), ..AgreementTerm::default() }),
                    Some("term.length"),
                ),
                (
                    "an indefinite term with a last day",
                    |it| {
                        let term = AgreementTerm {
                            indefinite: true,
                            expiry_date: Some(date(2030, 0, 0)),
                            ..AgreementTerm::default()
                        };
                        set(it, term);
                    },
                    Some("term.expiry_date"),
                ),
                (
                    "a length of no renewal",
                    |it| {
                        let renewal = AgreementRenewal::None.into();
                        set(it, AgreementTerm { renewal, renewal_length: years(1), ..AgreementTerm::default() });
                    },
                    Some("term.renewal_length"),
                ),
                (
                    "a number of no renewals",
                    |it| {
                        let renewal = AgreementRenewal::None.into();
                        set(it, AgreementTerm { renewal, renewals_max: 2, ..AgreementTerm::default() });
                    },
                    Some("term.renewals_max"),
                ),
                (
                    "a notice of no time",
                    |it| set(it, AgreementTerm { notice_period: years(0), ..AgreementTerm::default() }),
                    Some("term.notice_period"),
                ),
            ],
        );
    }
}
