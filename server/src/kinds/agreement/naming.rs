//! How the events of an agreement are named, and how they name each other and parties besides those whose act they are.
//!
//! A voided event keeps its id, and may still be named: what was said of it then was so.

use std::collections::{HashMap, HashSet};

use partnership_registry::v1::{AgreementEvent, AgreementEventType};

use crate::violations::Violations;

/// The most characters of the id of an event.
const ID_LENGTH_MAX: usize = 63;

/// Notes what cannot be true of the names in events.
pub(super) fn check(events: &[AgreementEvent], parties: &HashSet<&str>, violations: &mut Violations) {
    let mut types = HashMap::with_capacity(events.len());
    for (index, event) in events.iter().enumerate().filter(|(_, event)| !event.event_id.is_empty()) {
        let id = event.event_id.as_str();
        if !is_id(id) {
            violations.add(
                format!("events[{index}].event_id"),
                format!(
                    "must have 1 to {ID_LENGTH_MAX} lower-case letters, digits and hyphens, and is {:?}",
                    short(id)
                ),
            );
        } else if types.insert(id, event.r#type()).is_some() {
            let rule = format!("must differ from that of every other event, and {id} is used twice");
            violations.add(format!("events[{index}].event_id"), rule);
        }
    }
    for (index, event) in events.iter().enumerate() {
        let field = |name: &str| format!("events[{index}].{name}");
        let is = |event_type| event.r#type() == event_type;
        match (is(AgreementEventType::Revocation), event.revoked_event_id.as_str()) {
            (true, "") => violations.add(field("revoked_event_id"), "is required of a revocation"),
            (false, "") => {}
            (false, _) => {
                violations.add(field("revoked_event_id"), "must be left out unless the event is a revocation")
            }
            (true, revoked) => {
                // One that was recorded before ids were given may have none at creation: then it is named by its place.
                let revoked_type = types.get(revoked).copied().or_else(|| by_place(events, revoked));
                if !revoked_type.is_some_and(is_revocable) {
                    let rule = format!(
                        "must be the id of a denunciation, withdrawal or non-renewal of the agreement, and {:?} is not",
                        short(revoked)
                    );
                    violations.add(field("revoked_event_id"), rule);
                }
            }
        }
        let succeeded = event.succeeded_party_id.as_str();
        if !succeeded.is_empty() {
            if !is(AgreementEventType::Succession) {
                violations.add(field("succeeded_party_id"), "must be left out unless the event is a succession");
            } else if !parties.contains(succeeded) {
                let rule = format!("must be the id of a party of the agreement, and {succeeded} is not");
                violations.add(field("succeeded_party_id"), rule);
            } else if event.party_ids.iter().any(|party_id| party_id == succeeded) {
                violations.add(field("succeeded_party_id"), "must not be the party that succeeds");
            }
        }
        if event.term_end_date.is_some() && !is(AgreementEventType::Renewal) {
            violations.add(field("term_end_date"), "must be left out unless the event is a renewal");
        }
    }
}

/// The type of an event that has no id yet, and will get this one.
fn by_place(events: &[AgreementEvent], id: &str) -> Option<AgreementEventType> {
    let place = id.strip_prefix('e')?.parse::<usize>().ok()?.checked_sub(1)?;
    events.get(place).filter(|event| event.event_id.is_empty()).map(AgreementEvent::r#type)
}

fn is_revocable(event_type: AgreementEventType) -> bool {
    matches!(
        event_type,
        AgreementEventType::Denunciation | AgreementEventType::Withdrawal | AgreementEventType::NonRenewal
    )
}

fn is_id(id: &str) -> bool {
    id.len() <= ID_LENGTH_MAX
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A text as it is told in an error: what was sent may be long.
pub(super) fn short(text: &str) -> String {
    let short: String = text.chars().take(ID_LENGTH_MAX).collect();
    if short.len() < text.len() { short + "…" } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event_type: AgreementEventType, change: impl FnOnce(&mut AgreementEvent)) -> AgreementEvent {
        let mut event = AgreementEvent { r#type: event_type.into(), ..AgreementEvent::default() };
        change(&mut event);
        event
    }

    fn wrong(events: &[AgreementEvent]) -> Vec<String> {
        let mut violations = Violations::new();
        check(events, &HashSet::from(["kr", "ir"]), &mut violations);
        violations.iter().map(|one| one.field.clone()).collect()
    }

    #[test]
    fn an_id_is_of_its_form_and_of_one_event() {
        let named = |ids: &[&str]| -> Vec<_> {
            let events = ids.iter().map(|id| event(AgreementEventType::Signature, |it| it.event_id = (*id).to_owned()));
            wrong(&events.collect::<Vec<_>>())
        };
        assert!(named(&["e1", "", "", "the-signing-of-2024", "7", &"a".repeat(63)]).is_empty());
        assert_eq!(named(&["e1", "E2", "e 3", "é", &"a".repeat(64), "e1"]).len(), 5);
    }

    #[test]
    fn only_a_revocation_revokes_and_only_what_can_be() {
        use AgreementEventType::{Denunciation, NonRenewal, Revocation, Signature, Withdrawal};

        for (first, id, revoking, revoked, right) in [
            (Denunciation, "e1", Revocation, "e1", true),
            (Withdrawal, "out", Revocation, "out", true),
            (NonRenewal, "", Revocation, "e1", true),
            (Signature, "e1", Revocation, "e1", false),
            (Denunciation, "e1", Revocation, "e2", false),
            (Denunciation, "e1", Revocation, "", false),
            (Denunciation, "e1", Signature, "e1", false),
            (Denunciation, "other", Revocation, "e1", false),
        ] {
            let events = [
                event(first, |it| it.event_id = id.to_owned()),
                event(revoking, |it| it.revoked_event_id = revoked.to_owned()),
            ];
            let expected = if right { vec![] } else { vec!["events[1].revoked_event_id".to_owned()] };
            assert_eq!(wrong(&events), expected, "{first:?} {id} {revoking:?} {revoked}");
        }
    }

    #[test]
    fn a_succession_names_another_party_and_a_renewal_the_end_of_its_term() {
        use AgreementEventType::{Accession, Renewal, Succession};

        let succeeding = |event_type, succeeded: &str| {
            event(event_type, |it| (it.party_ids, it.succeeded_party_id) = (vec!["kr".into()], succeeded.to_owned()))
        };
        let until = |event_type| event(event_type, |it| it.term_end_date = Some(Default::default()));
        for (event, expected) in [
            (succeeding(Succession, "ir"), None),
            (succeeding(Succession, ""), None),
            (succeeding(Succession, "kr"), Some("events[0].succeeded_party_id")),
            (succeeding(Succession, "de"), Some("events[0].succeeded_party_id")),
            (succeeding(Accession, "ir"), Some("events[0].succeeded_party_id")),
            (until(Renewal), None),
            (until(Accession), Some("events[0].term_end_date")),
        ] {
            assert_eq!(wrong(std::slice::from_ref(&event)), expected.into_iter().collect::<Vec<_>>(), "{event:?}");
        }
    }
}
