//! Tests of the rules of agreements: a good one, and what may and may not be changed in it.

use partnership_registry::v1::AgreementRelation;

use super::*;
use crate::kinds::table::assert_table;
use crate::values::localized_text::tests::text;
use crate::values::partial_date::tests::{date, unknown};

fn party(party_id: &str, country: &str) -> AgreementParty {
    AgreementParty { party_id: party_id.into(), country: country.into(), ..AgreementParty::default() }
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

fn other_date(field: &str) -> AlternativeDate {
    AlternativeDate { field: field.into(), alternative_date: Some(unknown()), ..AlternativeDate::default() }
}

fn grounded(event_type: AgreementEventType, party_ids: &[&str]) -> AgreementEvent {
    AgreementEvent { ground: AgreementTerminationGround::MaterialBreach.into(), ..event(event_type, party_ids) }
}

fn good() -> Agreement {
    Agreement {
        name: "agreements/example".into(),
        display_name: "An Example".into(),
        titles: vec![text("en", "An Example"), text("fr", "Un exemple")],
        parties: vec![
            party("gb", "countries/gb"),
            party("kr", "countries/kr"),
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
            ("a title in a language twice", |it| it.titles.push(text("en", "Same")), Some("titles[2].language_code")),
            ("a relation to no parent", |it| it.parent.clear(), Some("parent_relation")),
            ("a parent without a relation", |it| it.set_parent_relation(AgreementRelationType::Unspecified), None),
            (
                "superseding itself",
                |it| {
                    it.relations.push(AgreementRelation { agreement: it.name.clone(), ..AgreementRelation::default() })
                },
                Some("relations[0].agreement"),
            ),
            (
                "another source on dates that there are",
                |it| {
                    it.alternative_dates = vec![other_date("conclusion_date"), other_date("term.expiry_date")];
                    it.events[0].alternative_dates = vec![other_date("act_date"), other_date("effect_date")];
                },
                None,
            ),
            (
                "another source on no date",
                |it| it.alternative_dates.push(other_date("create_time")),
                Some("alternative_dates[0].field"),
            ),
            (
                "another source on no date of an event",
                |it| it.events[1].alternative_dates.push(other_date("conclusion_date")),
                Some("events[1].alternative_dates[0].field"),
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
                    it.parties
                        .push(AgreementParty { organization: "organizations/un".into(), ..party("", "countries/fr") });
                },
                Some("parties[3]"),
            ),
            (
                "a party both known and unresolved",
                |it| {
                    it.parties.push(AgreementParty { unresolved_name: "FRANCE".into(), ..party("", "countries/fr") });
                },
                Some("parties[3]"),
            ),
            ("an id twice", |it| it.parties.push(party("kr", "countries/fr")), Some("parties[3].party_id")),
            ("parties without ids", |it| it.parties.extend([party("", "countries/a"), party("", "countries/b")]), None),
            ("a country twice", |it| it.parties.push(party("", "countries/kr")), None),
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
                    let effect = AgreementEvent { act_date: None, effect_date: Some(unknown()), ..event(Renewal, &[]) };
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
            ("a termination without a ground", |it| it.events.push(event(Termination, &[])), Some("events[2].ground")),
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
            ("an indefinite term", |it| set(it, AgreementTerm { indefinite: true, ..AgreementTerm::default() }), None),
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
                |it| set(it, AgreementTerm { renewal_notice: years(0), ..AgreementTerm::default() }),
                Some("term.renewal_notice"),
            ),
        ],
    );
}

mod found;
mod said;
mod timeline;
mod worst;
