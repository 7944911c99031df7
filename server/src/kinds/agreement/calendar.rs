//! The events of an agreement as dated entries, for timelines: each that counts, on the day of the act, and, where that
//! is another one, on the day of its effect.

use std::collections::HashMap;

use partnership_registry::v1::{AgreementEvent, AgreementParty, Resource, resource};

use crate::kinds::timeline::DatedEvent;

/// The dated events of an agreement. Nothing if the resource is none.
pub(super) fn events(resource: &Resource) -> Vec<DatedEvent> {
    match &resource.kind {
        Some(resource::Kind::Agreement(agreement)) => {
            let mut parties = HashMap::with_capacity(agreement.parties.len());
            for party in &agreement.parties {
                parties.entry(party.party_id.as_str()).or_insert(party);
            }
            let counts = agreement.events.iter().filter(|event| event.voided.is_none());
            counts.flat_map(|event| of_event(&parties, event)).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

fn of_event(parties: &HashMap<&str, &AgreementParty>, event: &AgreementEvent) -> impl Iterator<Item = DatedEvent> {
    let name = event.r#type().as_str_name();
    let event_type = name.strip_prefix("AGREEMENT_EVENT_TYPE_").unwrap_or(name).to_owned();
    let parties: Vec<String> = event.party_ids.iter().map(|party_id| party(parties, party_id)).collect();
    let effect = event.effect_date.as_ref().filter(|effect| event.act_date.as_ref() != Some(effect));
    let act = event.act_date.iter().map(|date| (date, false));
    act.chain(effect.map(|date| (date, true)))
        .map(|(date, of_effect)| (date.clone(), of_effect))
        .collect::<Vec<_>>()
        .into_iter()
        .map(move |(date, of_effect)| DatedEvent {
            event_id: event.event_id.clone(),
            event_type: event_type.clone(),
            date,
            of_effect,
            parties: parties.clone(),
        })
}

/// What a party is called: the country or the organization that it is, or the text.
fn party(parties: &HashMap<&str, &AgreementParty>, party_id: &str) -> String {
    let Some(party) = parties.get(party_id) else { return party_id.to_owned() };
    let names = [&party.country, &party.organization, &party.unresolved_name];
    names.into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Agreement, AgreementEventType, AgreementEventVoiding, PartialDate};

    use super::*;

    #[test]
    fn an_event_is_told_on_the_day_of_the_act_and_on_that_of_its_effect() {
        let event = |event_id: &str, act, effect| AgreementEvent {
            event_id: event_id.into(),
            r#type: AgreementEventType::Ratification.into(),
            act_date: act,
            effect_date: effect,
            party_ids: vec!["kr".into()],
            ..AgreementEvent::default()
        };
        let (act, effect) = (PartialDate::day(1990, 1, 1), PartialDate::year(1991));
        let voided = Some(AgreementEventVoiding::default());
        let agreement = Agreement {
            parties: vec![AgreementParty {
                party_id: "kr".into(),
                country: "countries/kr".into(),
                ..AgreementParty::default()
            }],
            events: vec![
                event("e1", Some(act.clone()), Some(effect.clone())),
                event("e2", Some(act.clone()), Some(act.clone())),
                event("e3", None, Some(effect.clone())),
                AgreementEvent { voided, ..event("e4", Some(act.clone()), None) },
            ],
            ..Agreement::default()
        };
        let told: Vec<_> = events(&agreement.into())
            .into_iter()
            .map(|event| {
                assert_eq!(
                    (event.event_type.as_str(), event.parties),
                    ("RATIFICATION", vec!["countries/kr".to_owned()])
                );
                (event.event_id, event.date, event.of_effect)
            })
            .collect();
        let expected = [("e1", &act, false), ("e1", &effect, true), ("e2", &act, false), ("e3", &effect, true)];
        assert_eq!(told, expected.map(|(id, date, of_effect)| (id.to_owned(), date.clone(), of_effect)));
    }
}
