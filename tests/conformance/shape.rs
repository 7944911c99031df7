//! What every kind of the contract has, before anything is called.

use std::collections::HashSet;

use partnership_registry::descriptors;
use prost_reflect::{FieldDescriptor, Kind as Type, MessageDescriptor};

use super::kind::{PACKAGE, kinds, resource, rules};

/// The numbers of the fields that a kind has of its own begin here.
const OWN_FIELDS_FROM: u32 = 20;

/// The fields that every kind has, by their numbers.
const COMMON: &[(u32, &str)] = &[
    (1, "name"),
    (2, "uid"),
    (3, "display_name"),
    (4, "etag"),
    (5, "revision"),
    (6, "create_time"),
    (7, "update_time"),
    (8, "delete_time"),
    (9, "creator"),
    (10, "updater"),
    (11, "labels"),
    (12, "annotations"),
    (13, "external_ids"),
    (14, "documents"),
    (16, "findings"),
];

#[test]
fn every_resource_of_the_contract_is_in_the_envelope_and_has_a_service() {
    let in_envelope: HashSet<String> = kinds().iter().map(|kind| kind.message.full_name().to_owned()).collect();
    let annotated: HashSet<String> = descriptors()
        .all_messages()
        .filter(|message| message.package_name() == PACKAGE && resource(message).is_some())
        .map(|message| message.full_name().to_owned())
        .collect();
    assert_eq!(in_envelope, annotated);
    assert!(in_envelope.len() >= 11, "the contract has eleven kinds at least: {in_envelope:?}");
}

#[test]
fn every_kind_has_the_fields_that_all_have() {
    for kind in kinds() {
        for (number, name) in COMMON {
            let field =
                kind.message.get_field(*number).unwrap_or_else(|| panic!("{} has no field {number}", kind.name()));
            assert_eq!(field.name(), *name, "{}", kind.name());
        }
        // A kind may have more of its own, which it computes.
        let of_all = |field: &FieldDescriptor| field.number() < OWN_FIELDS_FROM;
        let written = kind.output_only();
        let written: Vec<String> =
            written.iter().filter(|field| of_all(field)).map(|field| field.name().to_owned()).collect();
        let expected =
            ["uid", "revision", "create_time", "update_time", "delete_time", "creator", "updater", "findings"];
        assert_eq!(written, expected, "{}", kind.name());
        assert!(rules(&kind.message.get_field(1).unwrap()).identifier, "{}", kind.name());
        let labels = rules(&kind.message.get_field(11).unwrap());
        assert_eq!((labels.max_items, labels.format.as_str()), (64, "FORMAT_LABEL_KEY"), "{}", kind.name());
    }
}

#[test]
fn every_reference_is_to_a_kind_that_there_is() {
    let types: HashSet<String> = kinds().iter().map(|kind| kind.resource_type.clone()).collect();
    let mut seen = 0;
    for message in descriptors().all_messages().filter(|message| message.package_name() == PACKAGE) {
        for field in message.fields() {
            if let Some(reference) = rules(&field).reference {
                seen += 1;
                assert!(reference == "*" || types.contains(&reference), "{} refers to {reference}", field.full_name());
                assert!(matches!(field.kind(), Type::String), "{} is no string", field.full_name());
            }
        }
    }
    assert!(seen > 100, "few references are annotated: {seen}");
}

#[test]
fn every_field_rule_stands_on_a_field_that_it_can_rule() {
    for message in descriptors().all_messages().filter(|message| message.package_name() == PACKAGE) {
        for field in message.fields() {
            let rules = rules(&field);
            let text = matches!(field.kind(), Type::String) || field.is_map();
            assert!(text || rules.format == "FORMAT_UNSPECIFIED", "{} has a format", field.full_name());
            assert!(text || rules.max_length == 4_096, "{} has a length", field.full_name());
            assert!(field.is_list() || field.is_map() || rules.max_items == 1_000, "{} has items", field.full_name());
            let number = !text && !matches!(field.kind(), Type::Message(_) | Type::Bool | Type::Bytes | Type::Enum(_));
            assert!(number || (rules.min.is_none() && rules.max.is_none()), "{} has bounds", field.full_name());
        }
    }
}

#[test]
fn requests_of_one_method_are_alike_for_all_kinds() {
    let fields = |message: &MessageDescriptor, singular: &str| -> Vec<(u32, String)> {
        // Only those have it whose resources stand differently from day to day.
        let of_all = message.fields().filter(|field| field.name() != "valid_date");
        let mut fields: Vec<(u32, String)> =
            of_all.map(|field| (field.number(), field.name().replace(singular, "resource"))).collect();
        fields.sort();
        fields
    };
    let kinds = kinds();
    let first = &kinds[0];
    for kind in &kinds {
        let dated = [&kind.get, &kind.list, &kind.batch_get]
            .map(|method| method.input().get_field_by_name("valid_date").is_some());
        let computes = kind.output_only().iter().any(|field| field.number() >= OWN_FIELDS_FROM);
        assert_eq!(dated, [computes; 3], "{} can be read on a day where it stands differently", kind.name());
        for (this, that) in [
            (&kind.get, &first.get),
            (&kind.list, &first.list),
            (&kind.create, &first.create),
            (&kind.update, &first.update),
            (&kind.delete, &first.delete),
            (&kind.undelete, &first.undelete),
            (&kind.batch_get, &first.batch_get),
        ] {
            let (this, that) = (fields(&this.input(), &kind.singular), fields(&that.input(), &first.singular));
            assert_eq!(this, that, "{}", kind.name());
        }
    }
}
