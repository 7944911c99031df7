//! What happened to a treaty, as its record tells: a date or two for each of a few kinds of acts, and nobody whose act it was.
//!
//! Each event keeps the date as it was written and the name of its columns as its source id, so that a file that is read
//! again is known again. Nothing is inferred: a treaty that the record says nothing of coming into force may be in force
//! all the same (many are from their signature on), and is marked as one whose events are incomplete.

use partnership_registry_client::v1::{
    AgreementEvent, AgreementEventType, AgreementTerminationGround, PartialDate, Place,
};
use serde::Deserialize;

use crate::dates;
use crate::report::Warning;

/// The dates of a record.
#[derive(Deserialize, Default)]
pub(super) struct Dates {
    adopted_event_date: Option<String>,
    adopted_event_effective_date: Option<String>,
    signed_event_date: Option<String>,
    provisional_eif_event_date: Option<String>,
    definative_eif_event_date: Option<String>,
    definative_eif_event_effective_date: Option<String>,
    terminated_event_date: Option<String>,
    terminated_event_effective_date: Option<String>,
    withdrawn_event_date: Option<String>,
    withdrawn_event_effective_date: Option<String>,
    unofficial_info_event_date: Option<String>,
    unofficial_info_event_effective_date: Option<String>,
}

/// What a pair of columns tells of.
struct Told<'a> {
    r#type: AgreementEventType,
    /// What the columns are called, without `_event_date`.
    source_id: &'static str,
    act: &'a Option<String>,
    effect: &'a Option<String>,
    /// What the event says besides, of which the loader warns.
    note: Option<(&'static str, &'static str)>,
}

impl Dates {
    /// The day that it was concluded: of the signature, or else of the adoption.
    pub(super) fn concluded(&self, warnings: &mut Vec<Warning>) -> Option<PartialDate> {
        self.signed_event_date.as_ref().or(self.adopted_event_date.as_ref()).map(|text| read(text, warnings))
    }

    /// Whether what became of the treaty is not all in the record: it says nothing of an entry into force, or that somebody
    /// withdrew, and not who.
    pub(super) fn are_incomplete(&self) -> bool {
        let in_force = self.definative_eif_event_date.is_some() || self.definative_eif_event_effective_date.is_some();
        let withdrawn = self.withdrawn_event_date.is_some() || self.withdrawn_event_effective_date.is_some();
        !in_force || withdrawn
    }

    /// The events, in the order in which things happen.
    pub(super) fn events(&self, signed_at: Option<Place>, warnings: &mut Vec<Warning>) -> Vec<AgreementEvent> {
        let mut events = Vec::new();
        for Told { r#type, source_id, act, effect, note } in self.told() {
            if act.is_none() && effect.is_none() {
                continue;
            }
            let mut event = AgreementEvent {
                r#type: r#type.into(),
                act_date: act.as_ref().map(|text| read(text, warnings)),
                effect_date: effect.as_ref().map(|text| read(text, warnings)),
                source_id: source_id.to_owned(),
                ..AgreementEvent::default()
            };
            if r#type == AgreementEventType::Signature {
                event.place.clone_from(&signed_at);
            }
            if r#type == AgreementEventType::Termination {
                event.set_ground(AgreementTerminationGround::NotRecorded);
            }
            if let Some((note, what)) = note {
                event.note = note.to_owned();
                warnings.push(Warning { what, about: act.as_ref().or(effect.as_ref()).cloned().unwrap_or_default() });
            }
            events.push(event);
        }
        events
    }

    fn told(&self) -> [Told<'_>; 7] {
        let told = |r#type, source_id, act, effect| Told { r#type, source_id, act, effect, note: None };
        [
            told(AgreementEventType::Adoption, "adopted", &self.adopted_event_date, &self.adopted_event_effective_date),
            told(AgreementEventType::Signature, "signed", &self.signed_event_date, &None),
            told(
                AgreementEventType::ProvisionalApplication,
                "provisional_eif",
                &self.provisional_eif_event_date,
                &None,
            ),
            told(
                AgreementEventType::EntryIntoForce,
                "definative_eif",
                &self.definative_eif_event_date,
                &self.definative_eif_event_effective_date,
            ),
            told(
                AgreementEventType::Termination,
                "terminated",
                &self.terminated_event_date,
                &self.terminated_event_effective_date,
            ),
            Told {
                note: Some((
                    "Withdrawn, as the source says. It does not say who withdrew, or whether the treaty was withdrawn.",
                    "it does not say who withdrew: kept as a notification",
                )),
                ..told(
                    AgreementEventType::Notification,
                    "withdrawn",
                    &self.withdrawn_event_date,
                    &self.withdrawn_event_effective_date,
                )
            },
            Told {
                note: Some((
                    "Unofficial information, as the source says.",
                    "unofficial information is kept as a notification",
                )),
                ..told(
                    AgreementEventType::Notification,
                    "unofficial_info",
                    &self.unofficial_info_event_date,
                    &self.unofficial_info_event_effective_date,
                )
            },
        ]
    }
}

fn read(text: &str, warnings: &mut Vec<Warning>) -> PartialDate {
    dates::day_first(text).unwrap_or_else(|| {
        warnings.push(Warning { what: "a date is kept as text", about: text.to_owned() });
        PartialDate::original(text)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use super::*;

    fn dates(json: &str) -> Dates {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_event_has_the_days_of_its_act_and_of_its_effect_and_the_name_of_its_columns() {
        let mut warnings = Vec::new();
        let dates = dates(
            r#"{"definative_eif_event_date": "23/12/1890", "definative_eif_event_effective_date": "31/08/1891",
                "unofficial_info_event_effective_date": "15/02/1890"}"#,
        );
        let events = dates.events(None, &mut warnings);
        let told = |date: &Option<PartialDate>| date.as_ref().map(|date| date.original_text.clone());
        assert_eq!(told(&events[0].act_date).as_deref(), Some("23/12/1890"));
        assert_eq!(told(&events[0].effect_date).as_deref(), Some("31/08/1891"));
        assert_eq!((events[0].source_id.as_str(), events[1].source_id.as_str()), ("definative_eif", "unofficial_info"));
        assert_eq!((events[1].r#type(), events.len()), (AgreementEventType::Notification, 2));
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn a_record_without_an_entry_into_force_does_not_tell_all() {
        let table = [
            ("{}", true),
            (r#"{"signed_event_date": "12/11/1895", "terminated_event_date": "29/10/1907"}"#, true),
            (r#"{"provisional_eif_event_date": "12/11/1895"}"#, true),
            (r#"{"definative_eif_event_date": "12/11/1895"}"#, false),
            (r#"{"definative_eif_event_effective_date": "12/11/1895"}"#, false),
            (r#"{"definative_eif_event_date": "29/07/1948", "withdrawn_event_date": "01/01/1995"}"#, true),
        ];
        for (json, incomplete) in table {
            assert_eq!(dates(json).are_incomplete(), incomplete, "{json}");
        }
    }
}
