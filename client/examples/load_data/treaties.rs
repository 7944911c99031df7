//! `uk_treaties_records.jsonl`: treaties of the United Kingdom, a record on each line.
//!
//! What happened becomes events (`events.rs`), who is named parties (`parties.rs`), and what was cited documents,
//! registrations and external ids (`references.rs`); subjects become focus areas. Left out are the traces of the search
//! that the records came from (`aw_*`, `lb_document_id`, `library`, `level_code`, `metaformat`, `product_size`,
//! `document_path`).

mod events;
mod parties;
mod references;

use std::collections::BTreeSet;
use std::path::Path;

use partnership_registry_client::v1::{
    Agreement, AgreementScope, AgreementType, ExternalId, FocusArea, FocusAreaCode, Place,
};
use serde::Deserialize;

use crate::names::CountryNames;
use crate::report::{Converted, Loader, Result, Warning};
use crate::text::slug;

/// A record, as far as it says something of a treaty.
#[derive(Deserialize)]
struct Record {
    id: u64,
    uuid: String,
    title: String,
    document_url: String,
    field3: Option<String>,
    subject: Option<String>,
    country_name: Option<String>,
    references: Option<String>,
    signed_event_location: Option<String>,
    #[serde(flatten)]
    dates: events::Dates,
}

/// Words of titles that tell the type; the one that stands first in a title counts.
const TYPES: &[(&str, AgreementType)] = &[
    ("exchange of notes", AgreementType::ExchangeOfNotes),
    ("exchanges of notes", AgreementType::ExchangeOfNotes),
    ("exchange of letters", AgreementType::ExchangeOfNotes),
    ("exchanges of letters", AgreementType::ExchangeOfNotes),
    ("notes exchanged", AgreementType::ExchangeOfNotes),
    ("memorandum of understanding", AgreementType::MemorandumOfUnderstanding),
    ("letter of intent", AgreementType::LetterOfIntent),
    ("protocol", AgreementType::Protocol),
    ("amendment", AgreementType::Amendment),
    ("convention", AgreementType::Convention),
    ("treaty", AgreementType::Treaty),
    ("agreement", AgreementType::Agreement),
    ("declaration", AgreementType::Declaration),
    ("charter", AgreementType::Charter),
    ("constitution", AgreementType::Charter),
];

/// Loads the subjects and the treaties.
pub(crate) async fn load(loader: &Loader<'_>, path: &Path, names: &CountryNames) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    let records: Vec<_> = text.lines().map(serde_json::from_str::<Record>).collect();
    let subjects: BTreeSet<_> =
        records.iter().flatten().filter_map(|record| record.subject.as_deref()).map(str::trim).collect();
    let areas = subjects.iter().zip(1..).map(|(subject, line)| Converted::plain(line, focus_area(subject)));
    loader.load("focus areas: subjects of treaties", subjects.len(), areas).await?;
    let rows = records.into_iter().zip(1..).map(|(record, line)| match record {
        Ok(record) => {
            let mut warnings = Vec::new();
            let agreement = convert(record, names, &mut warnings);
            Converted { line, resource: Ok(agreement.into()), warnings }
        }
        Err(error) => Converted { line, resource: Err(error.to_string()), warnings: Vec::new() },
    });
    loader.load("uk_treaties_records.jsonl", text.lines().count(), rows).await
}

fn area_name(subject: &str) -> String {
    format!("focusAreas/{}", slug(&format!("uk-treaties-{subject}")))
}

fn focus_area(subject: &str) -> FocusArea {
    let code = FocusAreaCode {
        scheme: "uk-treaties-subject".to_owned(),
        code: subject.to_owned(),
        ..FocusAreaCode::default()
    };
    FocusArea { name: area_name(subject), display_name: subject.to_owned(), codes: vec![code], ..FocusArea::default() }
}

fn convert(record: Record, names: &CountryNames, warnings: &mut Vec<Warning>) -> Agreement {
    let place = place(record.signed_event_location.as_deref());
    let mut agreement = Agreement {
        name: format!("agreements/uk-{}", record.id),
        display_name: record.title.trim().to_owned(),
        r#type: agreement_type(&record.title).into(),
        scope: scope(record.field3.as_deref()).into(),
        parties: parties::read(record.country_name.as_deref().unwrap_or_default(), names, warnings),
        conclusion_date: record.dates.concluded(warnings),
        conclusion_place: place.clone(),
        events: record.dates.events(place, warnings),
        events_incomplete: record.dates.are_incomplete(),
        focus_areas: record.subject.iter().map(|subject| area_name(subject.trim())).collect(),
        labels: record.subject.iter().map(|subject| ("subject".to_owned(), slug(subject))).collect(),
        external_ids: vec![
            ExternalId { scheme: "uk-treaties-online".to_owned(), id: record.id.to_string(), uri: record.document_url },
            ExternalId { scheme: "uk-treaties-online-uuid".to_owned(), id: record.uuid, uri: String::new() },
        ],
        ..Agreement::default()
    };
    references::add(&mut agreement, record.references.as_deref().unwrap_or_default(), warnings);
    if agreement.parties.is_empty() {
        warnings.push(Warning { what: "no parties in the source", about: agreement.name.clone() });
    }
    agreement
}

fn place(locality: Option<&str>) -> Option<Place> {
    let locality = locality.map(str::trim).filter(|locality| !locality.is_empty())?;
    Some(Place { locality: locality.to_owned(), ..Place::default() })
}

fn scope(field3: Option<&str>) -> AgreementScope {
    match field3 {
        Some("BI") => AgreementScope::Bilateral,
        Some("MULTI") => AgreementScope::Multilateral,
        Some(_) | None => AgreementScope::Unspecified,
    }
}

fn agreement_type(title: &str) -> AgreementType {
    let title = title.to_lowercase();
    let found = TYPES.iter().filter_map(|(words, r#type)| Some((title.find(words)?, *r#type)));
    found.min_by_key(|(place, _)| *place).map_or(AgreementType::Unspecified, |(_, r#type)| r#type)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use partnership_registry_client::v1::{AgreementEventType, AgreementPartyRole};

    use super::*;

    #[test]
    fn a_record_becomes_an_agreement() {
        let record: Record = serde_json::from_str(
            r#"{"id": 7, "uuid": "u", "title": "Protocol to the Treaty", "document_url": "https://x/a\\b.html",
                "field3": "BI", "subject": "PEACE", "country_name": "TURKEY ; SIAM ; Turkey",
                "signed_event_date": "12/11/1895", "definative_eif_event_date": "01/01/1895",
                "terminated_event_date": "29/10/1907", "withdrawn_event_date": "30/06/2011",
                "references": "UN Registration 5535/0: 0;Treaty Series 001/1896: C. 7930||https://x/y z.pdf"}"#,
        )
        .unwrap();
        let (mut names, mut warnings) = (CountryNames::default(), Vec::new());
        names.add_spellings();
        let agreement = convert(record, &names, &mut warnings);
        assert_eq!(agreement.r#type(), AgreementType::Protocol);
        let events: Vec<_> = agreement.events.iter().map(|event| (event.r#type(), event.source_id.as_str())).collect();
        let expected = [
            (AgreementEventType::Signature, "signed"),
            (AgreementEventType::EntryIntoForce, "definative_eif"),
            (AgreementEventType::Termination, "terminated"),
            (AgreementEventType::Notification, "withdrawn"),
        ];
        assert_eq!(events, expected);
        assert_eq!(agreement.conclusion_date.unwrap().original_text, "12/11/1895");
        assert_eq!(agreement.parties[0].country, "countries/tr");
        assert_eq!(agreement.parties[1].unresolved_name, "SIAM");
        assert_eq!(agreement.parties[2].role(), AgreementPartyRole::Other);
        let ids: Vec<_> = agreement.parties.iter().map(|party| party.party_id.as_str()).collect();
        assert_eq!(ids, ["tr", "siam", "tr-2"]);
        assert_eq!(agreement.registrations[0].number, "5535");
        assert_eq!(agreement.documents[0].uri, "https://x/y z.pdf");
        let told: Vec<_> = warnings.iter().map(|warning| warning.what).collect();
        assert_eq!(told, ["a party stays unresolved", "it does not say who withdrew: kept as a notification"]);
    }
}
