//! The stamp of a document: what the server writes into it, and the fields that every kind has.
//!
//! A *document* is a body with its name in front and its stamp behind, as it is stored and answered. The kinds have these
//! fields by the same numbers, which the conformance suite holds.

use prost::Message as _;
use prost_types::Timestamp;

use super::name::Name;
use super::wire;
use crate::time::Time;

/// The numbers of the fields that every kind has.
pub(crate) mod field_number {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const UID: u32 = 2;
    pub(crate) const ETAG: u32 = 4;
    pub(crate) const REVISION: u32 = 5;
    pub(crate) const CREATE_TIME: u32 = 6;
    pub(crate) const UPDATE_TIME: u32 = 7;
    pub(crate) const DELETE_TIME: u32 = 8;
    pub(crate) const CREATOR: u32 = 9;
    pub(crate) const UPDATER: u32 = 10;
    pub(crate) const FINDINGS: u32 = 16;
}

/// About how many bytes a stamp has.
const STAMP_BYTES: usize = 160;

/// What the server writes into a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Stamp {
    pub(crate) uid: String,
    pub(crate) create_time: Time,
    pub(crate) update_time: Time,
    pub(crate) delete_time: Option<Time>,
    pub(crate) creator: String,
    pub(crate) updater: String,
    /// The findings, encoded as they stand in the document.
    pub(crate) findings: Vec<u8>,
}

/// The document of a body: its name in front, its stamp behind.
pub(crate) fn stamped(name: &Name, body: &[u8], stamp: &Stamp, revision: u64, etag: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + name.as_str().len() + STAMP_BYTES + stamp.findings.len());
    wire::put_bytes(&mut out, field_number::NAME, name.as_str().as_bytes());
    out.extend_from_slice(body);
    wire::put_bytes(&mut out, field_number::UID, stamp.uid.as_bytes());
    wire::put_bytes(&mut out, field_number::ETAG, etag.as_bytes());
    wire::put_varint(&mut out, field_number::REVISION, revision);
    wire::put_bytes(&mut out, field_number::CREATE_TIME, &Timestamp::from(stamp.create_time).encode_to_vec());
    wire::put_bytes(&mut out, field_number::UPDATE_TIME, &Timestamp::from(stamp.update_time).encode_to_vec());
    if let Some(time) = stamp.delete_time {
        wire::put_bytes(&mut out, field_number::DELETE_TIME, &Timestamp::from(time).encode_to_vec());
    }
    wire::put_bytes(&mut out, field_number::CREATOR, stamp.creator.as_bytes());
    wire::put_bytes(&mut out, field_number::UPDATER, stamp.updater.as_bytes());
    out.extend_from_slice(&stamp.findings);
    out
}

/// The stamp of a document.
pub(crate) fn stamp(document: &[u8]) -> Stamp {
    let text = |number| wire::field(document, number).map(|field| field.text().to_owned()).unwrap_or_default();
    let time = |number| time_in(document, number);
    Stamp {
        uid: text(field_number::UID),
        create_time: time(field_number::CREATE_TIME).unwrap_or_default(),
        update_time: time(field_number::UPDATE_TIME).unwrap_or_default(),
        delete_time: time(field_number::DELETE_TIME),
        creator: text(field_number::CREATOR),
        updater: text(field_number::UPDATER),
        findings: wire::fields(document)
            .filter(|field| field.number == field_number::FINDINGS)
            .flat_map(|field| field.whole)
            .copied()
            .collect(),
    }
}

fn time_in(document: &[u8], number: u32) -> Option<Time> {
    wire::field(document, number).and_then(|field| Timestamp::decode(field.value).ok()).map(Time::from)
}

/// The name of the resource of a document.
pub(crate) fn name(document: &[u8]) -> &str {
    wire::field(document, field_number::NAME).map_or("", |field| field.text())
}

/// Whether a document is deleted.
pub(crate) fn is_deleted(document: &[u8]) -> bool {
    wire::field(document, field_number::DELETE_TIME).is_some()
}

/// The etag of a document.
pub(crate) fn etag(document: &[u8]) -> &str {
    wire::field(document, field_number::ETAG).map_or("", |field| field.text())
}

/// The revision of a document.
pub(crate) fn revision(document: &[u8]) -> u64 {
    wire::field(document, field_number::REVISION).map_or(0, |field| field.varint())
}

/// What a reader gets who has this document already: its name, etag and revision.
pub(crate) fn not_modified(document: &[u8]) -> Vec<u8> {
    let kept = [field_number::NAME, field_number::ETAG, field_number::REVISION];
    wire::fields(document).filter(|field| kept.contains(&field.number)).flat_map(|field| field.whole.to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Country, Finding};

    use super::*;
    use crate::registry::schema::{contract, kind_of};

    fn time(seconds: i64) -> Time {
        Timestamp { seconds, nanos: 5 }.into()
    }

    #[test]
    fn a_document_has_the_stamp_that_was_given_to_it() {
        let schemas = contract();
        let name = Name::from_id(&schemas, kind_of(&schemas, "countries"), "kr").unwrap();
        let body = Country { display_name: "Korea".into(), ..Country::default() }.encode_to_vec();
        let live = Stamp {
            uid: "u".into(),
            create_time: time(1),
            update_time: time(2),
            delete_time: None,
            creator: "a".into(),
            updater: "b".into(),
            findings: Vec::new(),
        };
        let deleted = Stamp { delete_time: Some(time(3)), ..live.clone() };
        let found = |field: &str| Finding { field: field.into(), ..Finding::default() };
        let findings = Country { findings: vec![found("a"), found("b")], ..Country::default() }.encode_to_vec();
        let strange = Stamp { findings, ..deleted.clone() };
        for given in [live, deleted, strange] {
            let document = stamped(&name, &body, &given, 300, "e");
            assert_eq!(stamp(&document), given);
            assert_eq!((etag(&document), revision(&document)), ("e", 300));
            assert_eq!(is_deleted(&document), given.delete_time.is_some());
            let country = Country::decode(document.as_slice()).unwrap();
            assert_eq!((country.name.as_str(), country.revision), ("countries/kr", 300));
            assert_eq!(country.delete_time, given.delete_time.map(Timestamp::from));
            let unchanged = Country::decode(not_modified(&document).as_slice()).unwrap();
            let expected = Country { name: country.name, etag: country.etag, revision: 300, ..Country::default() };
            assert_eq!(unchanged, expected, "a reader who has it already gets no more");
        }
    }

    #[test]
    fn a_body_has_no_stamp() {
        assert_eq!(stamp(&[]), Stamp::default());
        assert_eq!((etag(&[]), revision(&[]), is_deleted(&[])), ("", 0, false));
    }
}
