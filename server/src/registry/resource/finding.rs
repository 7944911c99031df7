//! The findings of a resource as its document holds them: in the order of the fields, bounded, and kept for as long as
//! they are true.
//!
//! What the rules find again at every write needs no memory. Of what was cleaned nothing is left to see, so those
//! findings are carried over to the next document for as long as their field stays as it is.

use partnership_registry::v1::{Finding, FindingCode};
use prost::Message as _;

use super::stamp::field_number;
use super::wire;
use crate::findings::Findings;
use crate::registry::schema::{KindId, Label, Schemas, Value};

/// The findings of a stored document.
pub(crate) fn stored(document: &[u8]) -> impl Iterator<Item = Finding> {
    let fields = wire::fields(document).filter(|field| field.number == field_number::FINDINGS);
    fields.filter_map(|field| Finding::decode(field.value).ok())
}

/// Takes over from the document that a resource had what was found when it was cleaned, of those fields that `body`
/// leaves as they were.
pub(crate) fn carry_over(schemas: &Schemas, kind: KindId, document: &[u8], body: &[u8], findings: &mut Findings) {
    let shape = schemas.shape_of(kind);
    for finding in stored(document).filter(is_of_cleaning) {
        let name = finding.field.split(['.', '[']).next().unwrap_or_default();
        let Some(field) = shape.by_name(name) else { continue };
        let values = |message| wire::fields(message).filter(|wire| wire.number == field.number).map(|wire| wire.whole);
        if !findings.has(finding.code, &finding.field) && values(document).eq(values(body)) {
            findings.add_found(finding);
        }
    }
}

/// What was found when a body was cleaned that became, by that, what the document holds already. It is for the call alone:
/// the document does not change, and tells only of what it told before.
pub(crate) fn of_this_call(document: &[u8], findings: &Findings) -> Vec<Finding> {
    let told: Vec<_> = stored(document).collect();
    let untold = |finding: &&Finding| !told.iter().any(|one| (one.code, &one.field) == (finding.code, &finding.field));
    findings.iter().filter(|finding| is_of_cleaning(finding)).filter(untold).cloned().collect()
}

/// Keeps what was found when a body was cleaned, beside what was found of it since.
pub(crate) fn keep_of_cleaning(before: &Findings, findings: &mut Findings) {
    for finding in before.iter().filter(|finding| is_of_cleaning(finding)) {
        if !findings.has(finding.code, &finding.field) {
            findings.add_found(finding.clone());
        }
    }
}

/// Whether what was found cannot be found again, since it was cleaned away.
fn is_of_cleaning(finding: &Finding) -> bool {
    match finding.code() {
        FindingCode::ControlCharacters | FindingCode::DateImpossible => true,
        FindingCode::Unspecified
        | FindingCode::LinkNotUri
        | FindingCode::DateUnlikely
        | FindingCode::StateContradicted
        | FindingCode::OutputOnlyIgnored
        | FindingCode::More
        | FindingCode::EventsContradict
        | FindingCode::AssertedStatusContradicted
        | FindingCode::EffectAssumed
        | FindingCode::NoticeLate
        | FindingCode::EventGone
        | FindingCode::WeightsNotWhole
        | FindingCode::LocationUnlikely
        | FindingCode::ScopeContradicted => false,
    }
}

/// The findings as they stand in a document, by the order of the fields that they concern.
pub(crate) fn encode(schemas: &Schemas, kind: KindId, findings: Findings) -> Vec<u8> {
    let mut out = Vec::new();
    let sorted = findings.into_sorted(|found| (place(schemas, kind, &found.field), found.field.clone(), found.code));
    for finding in sorted {
        wire::put_bytes(&mut out, field_number::FINDINGS, &finding.encode_to_vec());
    }
    out
}

/// Where a path leads: the number of each field on the way, and which item of it.
fn place(schemas: &Schemas, kind: KindId, path: &str) -> Vec<(u32, usize)> {
    let mut place = Vec::new();
    let mut shape = schemas.shape_of(kind);
    for step in path.split('.') {
        let (name, index) = step.split_once('[').unwrap_or((step, ""));
        // The key of a map may hold anything; behind it there is no further field.
        let Some(field) = shape.by_name(name) else { break };
        place.push((field.number, index.trim_end_matches(']').parse().unwrap_or(0)));
        match (&field.value, field.label) {
            (Value::Message(inner), Label::Single | Label::List { .. }) => shape = schemas.shape(*inner),
            _ => break,
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Country, Document};

    use super::*;
    use crate::registry::schema::{contract, kind_of};

    fn found(code: FindingCode, field: &str) -> Finding {
        Finding { code: code.into(), field: field.into(), text: String::new() }
    }

    fn fields(schemas: &Schemas, findings: Findings) -> Vec<String> {
        let encoded = encode(schemas, kind_of(schemas, "countries"), findings);
        stored(&encoded).map(|finding| finding.field).collect()
    }

    #[test]
    fn findings_stand_in_the_order_of_the_fields() {
        let schemas = contract();
        let ordered = [
            "display_name",
            "labels[\"a.b[7]\"]",
            "labels[\"b\"]",
            "documents[2].title",
            "documents[2].uri",
            "documents[10].uri",
            "relations_established_date",
            "existence",
            "existence.start_date",
            "existence.end_date",
        ];
        let mut findings = Findings::new();
        for field in ordered.iter().rev() {
            findings.add_found(found(FindingCode::LinkNotUri, field));
        }
        assert_eq!(fields(&schemas, findings), ordered);
        assert!(encode(&schemas, kind_of(&schemas, "countries"), Findings::new()).is_empty());
    }

    #[test]
    fn what_was_cleaned_is_told_for_as_long_as_its_field_stays_as_it_is() {
        let schemas = contract();
        let kind = kind_of(&schemas, "countries");
        let old = Country {
            display_name: "Korea".into(),
            documents: vec![Document { title: "text".into(), ..Document::default() }],
            findings: vec![
                found(FindingCode::ControlCharacters, "display_name"),
                found(FindingCode::DateImpossible, "existence.start_date"),
                found(FindingCode::ControlCharacters, "documents[0].title"),
                found(FindingCode::LinkNotUri, "documents[0].uri"),
                found(FindingCode::ControlCharacters, "no_such_field"),
            ],
            ..Country::default()
        };
        let carried = |new: &Country, mut findings: Findings| {
            carry_over(&schemas, kind, &old.encode_to_vec(), &new.encode_to_vec(), &mut findings);
            fields(&schemas, findings)
        };
        let same = Country { findings: Vec::new(), ..old.clone() };
        assert_eq!(
            carried(&same, Findings::new()),
            ["display_name", "documents[0].title", "existence.start_date"],
            "rules find the others again"
        );
        let renamed = Country { display_name: "Corea".into(), ..same.clone() };
        assert_eq!(carried(&renamed, Findings::new()), ["documents[0].title", "existence.start_date"]);
        let mut known = Findings::new();
        known.add(FindingCode::DateImpossible, "existence.start_date", format_args!("found again"));
        assert_eq!(carried(&renamed, known), ["documents[0].title", "existence.start_date"], "nothing is told twice");
    }
}
