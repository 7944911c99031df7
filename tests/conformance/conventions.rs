//! The conventions that can be read in the descriptors alone: how fields, messages, enums and methods are made.
//!
//! Each test goes through every file of the contract and counts what it saw. docs/aip.md has a line for each.

use std::collections::BTreeSet;

use partnership_registry::descriptors;
use prost_reflect::{
    Cardinality, EnumDescriptor, FieldDescriptor, Kind as Type, MessageDescriptor, MethodDescriptor, Value,
};

use super::coverage::Coverage;
use super::kind::{PACKAGE, kinds, resource, rules};

const PARTIAL_DATE: &str = "partnership.registry.v1.PartialDate";
const DATE_INTERVAL: &str = "partnership.registry.v1.DateInterval";
const TIMESTAMP: &str = "google.protobuf.Timestamp";
const FIELD_MASK: &str = "google.protobuf.FieldMask";

fn messages() -> impl Iterator<Item = MessageDescriptor> {
    descriptors().all_messages().filter(|message| message.package_name() == PACKAGE && !message.is_map_entry())
}

fn methods() -> impl Iterator<Item = MethodDescriptor> {
    descriptors().services().filter(|service| service.package_name() == PACKAGE).flat_map(|service| {
        let methods: Vec<_> = service.methods().collect();
        methods
    })
}

fn enums() -> impl Iterator<Item = EnumDescriptor> {
    descriptors().all_enums().filter(|one| one.package_name() == PACKAGE)
}

/// The messages of the contract that a request is made of, requests themselves among them.
fn asked_for() -> Vec<MessageDescriptor> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<_> = methods().map(|method| method.input()).collect();
    let mut found = Vec::new();
    while let Some(message) = open.pop() {
        if message.package_name() != PACKAGE || message.is_map_entry() || !seen.insert(message.full_name().to_owned()) {
            continue;
        }
        open.extend(message.fields().filter_map(|field| field.kind().as_message().cloned()));
        found.push(message);
    }
    found
}

fn is_of(field: &FieldDescriptor, message: &str) -> bool {
    field.kind().as_message().is_some_and(|of| of.full_name() == message)
}

/// The comment above a field or a value of an enum.
fn comment(file: &prost_reflect::FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.clone().expect("the descriptors keep their comments");
    let location = info.location.into_iter().find(|location| location.path == path);
    location.and_then(|location| location.leading_comments).unwrap_or_default()
}

fn extension(options: &prost_reflect::DynamicMessage, name: &str) -> Option<Value> {
    let extension = descriptors().get_extension_by_name(name).unwrap();
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

#[test]
fn every_field_that_a_request_is_made_of_says_how_it_behaves() {
    let all: Vec<_> = asked_for().into_iter().flat_map(|message| message.fields().collect::<Vec<_>>()).collect();
    let mut coverage = Coverage::of("203 field_behavior", "fields", all.iter().map(|field| field.full_name()));
    for field in &all {
        let said = extension(&field.options(), "google.api.field_behavior");
        if said.is_some_and(|said| said.as_list().is_some_and(|list| !list.is_empty())) {
            coverage.held(field.full_name());
        }
    }
    coverage.complete();
}

#[test]
fn every_kind_is_read_with_a_mask() {
    let reads: Vec<_> = kinds().into_iter().flat_map(|kind| [kind.get, kind.list, kind.batch_get]).collect();
    let mut coverage = Coverage::of("157 read_mask is asked for", "methods", reads.iter().map(|one| one.full_name()));
    for method in &reads {
        if method.input().get_field_by_name("read_mask").is_some_and(|field| is_of(&field, FIELD_MASK)) {
            coverage.held(method.full_name());
        }
    }
    coverage.complete();
}

#[test]
fn dates_and_times_are_called_so() {
    let of = |name| {
        messages().flat_map(|message| message.fields().collect::<Vec<_>>()).filter(move |field| is_of(field, name))
    };
    let full_names =
        |fields: &[FieldDescriptor]| fields.iter().map(|field| field.full_name().to_owned()).collect::<Vec<_>>();
    for (convention, message, suffix) in
        [("142 dates end in _date", PARTIAL_DATE, "_date"), ("142 times end in _time", TIMESTAMP, "_time")]
    {
        let fields: Vec<_> = of(message).collect();
        let mut coverage = Coverage::of(convention, "fields", full_names(&fields));
        // `since` says itself that a date follows; what it is the beginning of, the message says.
        let is_called_so = |field: &&FieldDescriptor| field.name().ends_with(suffix) || field.name() == "since";
        for field in fields.iter().filter(is_called_so) {
            coverage.held(field.full_name());
        }
        coverage.complete();
    }
    let intervals: Vec<_> = of(DATE_INTERVAL).collect();
    let mut coverage = Coverage::of("145 intervals say whose their ends are", "fields", full_names(&intervals));
    for field in &intervals {
        let comment = comment(&field.parent_file(), field.path());
        if comment.split_whitespace().collect::<Vec<_>>().join(" ").contains("Both ends belong to it") {
            coverage.held(field.full_name());
        }
    }
    coverage.complete();
}

#[test]
fn the_first_value_of_an_enum_means_nothing() {
    let mut coverage =
        Coverage::of("126 zero values carry no meaning", "enums", enums().map(|one| one.full_name().to_owned()));
    for one in enums() {
        let zero = one.get_value(0).unwrap();
        let comment = comment(&one.parent_file(), zero.path());
        if zero.name().ends_with("_UNSPECIFIED") && comment.trim() == "Not said." {
            coverage.held(one.full_name());
        }
    }
    coverage.complete();
}

#[test]
fn writes_have_an_id_of_the_request_and_can_be_tried_out() {
    let reads = ["Get", "List", "BatchGet", "Watch", "Export", "Count"];
    let writes: Vec<_> = methods().filter(|method| !reads.iter().any(|read| method.name().starts_with(read))).collect();
    let names = || writes.iter().map(|method| method.full_name());
    let mut ids = Coverage::of("155 request_id, a UUID", "methods", names());
    let mut trials = Coverage::of("163 validate_only", "methods", names());
    for method in &writes {
        let input = method.input();
        let id = input.get_field_by_name("request_id");
        if id.is_some_and(|id| id.kind() == Type::String && is_uuid(&id)) {
            ids.held(method.full_name());
        }
        if input.get_field_by_name("validate_only").is_some_and(|field| field.kind() == Type::Bool) {
            trials.held(method.full_name());
        }
    }
    ids.complete();
    trials.complete();

    let mut coverage = Coverage::of("148 uid, a UUID", "kinds", kinds().iter().map(|kind| kind.name().to_owned()));
    for kind in kinds().iter().filter(|kind| is_uuid(&kind.message.get_field_by_name("uid").unwrap())) {
        coverage.held(kind.name());
    }
    coverage.complete();
}

/// Whether a field says that it is a UUID of version 4.
fn is_uuid(field: &FieldDescriptor) -> bool {
    let info = extension(&field.options(), "google.api.field_info");
    let format = info.and_then(|info| info.as_message()?.get_field_by_name("format").map(|format| format.into_owned()));
    format == Some(Value::EnumNumber(1))
}

#[test]
fn every_method_has_a_path_and_a_request_of_its_own() {
    let names = || methods().map(|method| method.full_name().to_owned()).collect::<Vec<_>>();
    let mut paths = Coverage::of("127 google.api.http", "methods", names());
    let mut requests = Coverage::of("136 a request of its own", "methods", names());
    for method in methods() {
        if extension(&method.options(), "google.api.http").is_some() {
            paths.held(method.full_name());
        }
        if method.input().name() == format!("{}Request", method.name()) {
            requests.held(method.full_name());
        }
    }
    paths.complete();
    requests.complete();
}

#[test]
fn every_file_says_what_it_is_called_in_other_languages() {
    let files = || descriptors().files().filter(|file| file.package_name() == PACKAGE);
    let mut coverage = Coverage::of("191 options for languages", "files", files().map(|file| file.name().to_owned()));
    for file in files() {
        let options = file.file_descriptor_proto().options.clone().unwrap_or_default();
        if options.go_package() == "partnership/registry/v1;registryv1"
            && options.java_multiple_files()
            && options.java_package() == "org.partnershipregistry.v1"
            && options.csharp_namespace() == "PartnershipRegistry.V1"
        {
            coverage.held(file.name());
        }
    }
    coverage.complete();
}

#[test]
fn every_resource_is_annotated_with_its_names() {
    let mut coverage =
        Coverage::of("123 google.api.resource", "kinds", kinds().iter().map(|kind| kind.name().to_owned()));
    for kind in kinds() {
        let resource = resource(&kind.message).unwrap();
        let text = |field: &str| resource.get_field_by_name(field).unwrap().as_str().unwrap().to_owned();
        let singular = text("singular");
        let (first, rest) = singular.split_at(1);
        if text("type") == format!("partnership.registry/{}", kind.name())
            && text("plural") == kind.collection
            && format!("{}{rest}", first.to_uppercase()) == kind.name()
        {
            coverage.held(kind.name());
        }
    }
    coverage.complete();
}

#[test]
fn every_name_of_a_resource_in_a_request_says_of_which_type() {
    let named = |method: &MethodDescriptor| {
        method.input().fields().filter(|field| ["name", "names", "parent"].contains(&field.name())).collect::<Vec<_>>()
    };
    // The name of a revision is of no kind: it stands below the name of a resource.
    let of_revision =
        |method: &MethodDescriptor| method.name() == "GetRevision" || method.name().starts_with("Rollback");
    let fields: Vec<_> = methods().filter(|method| !of_revision(method)).flat_map(|method| named(&method)).collect();
    let mut coverage =
        Coverage::of("124 names in requests have a type", "fields", fields.iter().map(|field| field.full_name()));
    for field in &fields {
        let rules = rules(field);
        if rules.reference.is_some() && rules.required {
            coverage.held(field.full_name());
        }
    }
    coverage.complete();
}

#[test]
fn lists_are_asked_for_and_answered_in_pages() {
    let lists: Vec<_> = methods().filter(|method| method.name().starts_with("List")).collect();
    let mut coverage = Coverage::of("158 pages", "methods", lists.iter().map(|method| method.full_name()));
    for method in &lists {
        let (input, output) = (method.input(), method.output());
        let has = |message: &MessageDescriptor, name: &str, kind: Type| {
            message.get_field_by_name(name).is_some_and(|field| field.kind() == kind)
        };
        let first = output.get_field(1).is_some_and(|field| field.cardinality() == Cardinality::Repeated);
        if has(&input, "page_size", Type::Int32)
            && has(&input, "page_token", Type::String)
            && has(&output, "next_page_token", Type::String)
            && first
        {
            coverage.held(method.full_name());
        }
    }
    coverage.complete();
}
