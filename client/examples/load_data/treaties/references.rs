//! What a treaty record cites: `Treaty Series 001/1896: C. 7930||https://…;UN Registration 5535/0: 69 263;…`.

use std::collections::HashSet;

use partnership_registry_client::v1::{Agreement, AgreementRegistration, Document, ExternalId};

use crate::report::Warning;

/// Series that are cited often, and what they are called as a scheme of external ids.
const SERIES: &[(&str, &str)] = &[
    ("Treaty Series", "uk-treaty-series"),
    ("Miscellaneous Series", "uk-miscellaneous-series"),
    ("Country Series", "uk-country-series"),
    ("European Communities Series (EC)", "uk-european-communities-series"),
    ("Command Paper", "uk-command-paper"),
    ("PRO (now TNA)", "uk-national-archives"),
    ("FCO 85 (TNA)", "uk-national-archives-fco-85"),
    ("British State Papers (BSP)", "british-and-foreign-state-papers"),
    ("Hertslet's Commercial Treaties", "hertslet-commercial-treaties"),
    ("United Nations Treaty Series", "un-treaty-series"),
    ("League of Nations Treaty Series", "league-of-nations-treaty-series"),
];

/// Adds what is cited to an agreement.
pub(crate) fn add(agreement: &mut Agreement, references: &str, warnings: &mut Vec<Warning>) {
    let mut seen = HashSet::new();
    for reference in references.split(';').map(str::trim).filter(|reference| !reference.is_empty()) {
        if !seen.insert(reference) {
            continue;
        }
        let (cited, uri) =
            reference.split_once("||").map_or((reference, ""), |(cited, uri)| (cited.trim(), uri.trim()));
        if cited.starts_with("Other NOT PUBLISHED") {
            agreement.annotations.insert("published".to_owned(), "no".to_owned());
        } else if cited.starts_with("Other Error") {
            warnings.push(Warning { what: "a citation says only that it is an error", about: cited.to_owned() });
        } else if let Some(registration) = registration(cited) {
            agreement.registrations.push(registration);
        } else {
            agreement.external_ids.push(external_id(cited));
        }
        if !uri.is_empty() {
            agreement.documents.push(document(cited, uri));
        }
    }
}

/// `UN Registration 5535/0: 69 263` is number 5535, printed in volume 69 on page 263. Instead of the number there may be
/// who registered it.
fn registration(cited: &str) -> Option<AgreementRegistration> {
    let registers = [
        ("UN Registration", "United Nations Secretariat", "United Nations Treaty Series"),
        ("League of Nations Registration", "Secretariat of the League of Nations", "League of Nations Treaty Series"),
    ];
    let found =
        registers.iter().find_map(|(prefix, authority, series)| Some((cited.strip_prefix(prefix)?, authority, series)));
    let (rest, authority, series) = found?;
    let (who, printed) = rest.split_once("/0:").unwrap_or((rest, ""));
    let number = Some(who.trim()).filter(|who| !who.is_empty() && who.bytes().all(|byte| byte.is_ascii_digit()));
    let printed = printed.trim();
    let citation = match printed.split_once(' ') {
        Some((volume, page)) if volume != "0" => format!("{series}, volume {volume}, page {page}"),
        _ => String::new(),
    };
    if number.is_none() && citation.is_empty() {
        return None;
    }
    Some(AgreementRegistration {
        authority: (*authority).to_owned(),
        number: number.unwrap_or_default().to_owned(),
        citation,
        ..AgreementRegistration::default()
    })
}

fn external_id(cited: &str) -> ExternalId {
    let series = SERIES.iter().find_map(|(series, scheme)| Some((cited.strip_prefix(series)?.trim(), *scheme)));
    let (id, scheme) = match series {
        Some((id, scheme)) if !id.is_empty() => (id, scheme),
        Some(_) | None => (cited, "uk-treaties-citation"),
    };
    ExternalId { scheme: scheme.to_owned(), id: id.to_owned(), uri: String::new() }
}

fn document(cited: &str, uri: &str) -> Document {
    let is_pdf = uri.to_ascii_lowercase().ends_with(".pdf");
    Document {
        title: cited.to_owned(),
        uri: uri.to_owned(),
        media_type: if is_pdf { "application/pdf".to_owned() } else { String::new() },
        categories: vec!["text".to_owned()],
        ..Document::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registrations_have_a_number_or_a_place_in_print() {
        let read = |cited| registration(cited).map(|registration| (registration.number, registration.citation));
        let printed = "United Nations Treaty Series, volume 69, page 263".to_owned();
        assert_eq!(read("UN Registration 5535/0: 0"), Some(("5535".to_owned(), String::new())));
        assert_eq!(read("UN Registration United/0: 69 263"), Some((String::new(), printed)));
        assert_eq!(read("UN Registration Belgiu/0: 0"), None);
        assert_eq!(read("Treaty Series 1/1896: C. 1"), None);
    }

    #[test]
    fn what_is_cited_otherwise_is_an_external_id() {
        let read = |cited| (external_id(cited).scheme, external_id(cited).id);
        assert_eq!(
            read("Treaty Series 001/1896: C. 7930"),
            ("uk-treaty-series".to_owned(), "001/1896: C. 7930".to_owned())
        );
        assert_eq!(read("Aitchison, C.U 11/266/0: 0").0, "uk-treaties-citation");
    }
}
