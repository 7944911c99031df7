//! `explain`: what the contract says of a kind or a field: its type, its rules, its values, and its comment.

use partnership_registry_client::json::{closest, enum_prefix};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::args::ExplainArgs;
use crate::contract::{comment, option, option_field, reference_targets, sentence};
use crate::failure::{Exit, Failure};
use crate::kinds;
use crate::output;
use crate::table::{Column, Cut};

/// Values of `google.api.FieldBehavior`.
const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;
const IMMUTABLE: i32 = 5;
const IDENTIFIER: i32 = 8;

/// The limits of fields that say nothing else.
const LENGTH_MAX: u32 = 4_096;
const ITEMS_MAX: u32 = 1_000;

pub(crate) fn explain(args: &ExplainArgs) -> Result<Exit, Failure> {
    let mut steps = args.path.split('.').map(|step| step.trim_end_matches("[]"));
    let collection = kinds::collection(steps.next().unwrap_or_default())?;
    let unknown = || Failure::Local(format!("the contract has no message for {collection}"));
    let kind = kinds::message(collection).ok_or_else(unknown)?;
    let mut found: Option<FieldDescriptor> = None;
    let mut path = collection.to_owned();
    let mut in_list = false;
    for step in steps {
        in_list |= found.as_ref().is_some_and(FieldDescriptor::is_list);
        let message = match &found {
            None => Some(kind.clone()),
            Some(field) => message_of(field),
        };
        let message = message.ok_or_else(|| Failure::usage(format!("{path} has no fields")))?;
        let field = field_of(&message, step)?;
        path = format!("{path}.{}", field.name());
        found = Some(field);
    }
    let Some(field) = found else {
        output::write(&format!("{path}: {}\n\n", comment(kind.parent_file(), kind.path())))?;
        fields(&kind)?;
        return Ok(Exit::Success);
    };
    output::write(&of_field(&path, &field, in_list))?;
    if let Some(message) = message_of(&field).filter(|_| !is_date(&field)) {
        output::line("")?;
        fields(&message)?;
    }
    Ok(Exit::Success)
}

fn field_of(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, Failure> {
    let found = message.fields().find(|field| field.name() == name || field.json_name() == name);
    found.ok_or_else(|| {
        let names: Vec<_> = message.fields().map(|field| field.name().to_owned()).collect();
        let names = names.iter().map(String::as_str);
        let what = match closest(name, names.clone()) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => format!("its fields are {}", names.collect::<Vec<_>>().join(", ")),
        };
        Failure::usage(format!("{} has no field {name:?}; {what}", message.name()))
    })
}

/// The message in a field, if its fields are those of the contract.
fn message_of(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    let kind = field.kind();
    let message = kind.as_message().filter(|message| !message.full_name().starts_with("google.protobuf."))?;
    (!field.is_map()).then(|| message.clone())
}

/// The fields of a message as a table.
fn fields(message: &MessageDescriptor) -> Result<(), Failure> {
    let columns = vec![
        Column::kept("FIELD", Cut::Never),
        Column::kept("TYPE", Cut::Text),
        Column::kept("RULE", Cut::Never),
        Column::new("ABOUT", Cut::Title),
    ];
    let row = |field: FieldDescriptor| {
        let about = sentence(&comment(field.parent_file(), field.path()));
        vec![field.name().to_owned(), type_of(&field), in_a_word(&field).to_owned(), about]
    };
    output::print_table(columns, &message.fields().map(row).collect::<Vec<_>>(), true)
}

/// How a field behaves.
fn in_a_word(field: &FieldDescriptor) -> &'static str {
    let behaves = |number| behaviors(field).contains(&number);
    if behaves(OUTPUT_ONLY) {
        "read-only"
    } else if is_said(field, "set_at_creation") {
        "at creation"
    } else if behaves(REQUIRED) {
        "required"
    } else if behaves(IMMUTABLE) {
        "unchanging"
    } else {
        ""
    }
}

/// A field in full.
fn of_field(path: &str, field: &FieldDescriptor, in_list: bool) -> String {
    let mut text = format!("{path}: {}\n\n", comment(field.parent_file(), field.path()));
    let mut say = |title: &str, what: &str| {
        if !what.is_empty() {
            text.push_str(&format!("{title:<9}{what}\n"));
        }
    };
    say("type", &type_of(field));
    say("rules", &rules(field).join("; "));
    say("form", &form(field));
    say("example", &example(path, field, in_list));
    if let Kind::Enum(values) = field.kind() {
        let prefix = enum_prefix(&values);
        let short = |name: &str| name.strip_prefix(&prefix).unwrap_or(name).to_owned();
        let width = values.values().map(|value| short(value.name()).len()).max().unwrap_or_default();
        for (index, value) in values.values().skip(1).enumerate() {
            let about = sentence(&comment(values.parent_file(), value.path()));
            let line = format!("{:<width$}  {about}", short(value.name()));
            say(if index == 0 { "values" } else { "" }, line.trim_end());
        }
    }
    text
}

fn is_date(field: &FieldDescriptor) -> bool {
    field.kind().as_message().is_some_and(|message| message.name() == "PartialDate")
}

fn type_of(field: &FieldDescriptor) -> String {
    let one = match field.kind() {
        _ if field.is_map() => return "map of texts".to_owned(),
        Kind::String | Kind::Bytes => match reference_targets(field) {
            targets if targets.is_empty() && option(field, "google.api.resource_reference").is_some() => {
                "name of any kind".to_owned()
            }
            targets if targets.is_empty() => "text".to_owned(),
            targets => format!("name of {}", targets.join(", ")),
        },
        Kind::Bool => "true or false".to_owned(),
        Kind::Double | Kind::Float => "number".to_owned(),
        Kind::Enum(values) => values.name().to_owned(),
        Kind::Message(message) => match message.name() {
            "PartialDate" => "date".to_owned(),
            "Timestamp" => "time".to_owned(),
            name => name.to_owned(),
        },
        Kind::Int32
        | Kind::Int64
        | Kind::Uint32
        | Kind::Uint64
        | Kind::Sint32
        | Kind::Sint64
        | Kind::Fixed32
        | Kind::Fixed64
        | Kind::Sfixed32
        | Kind::Sfixed64 => "whole number".to_owned(),
    };
    match one.strip_prefix("name of ") {
        Some(targets) if field.is_list() => format!("names of {targets}"),
        Some(_) | None if field.is_list() => format!("list: {one}"),
        Some(_) | None => one,
    }
}

/// What the annotations say of a field, and the limits that differ from those of all.
fn rules(field: &FieldDescriptor) -> Vec<String> {
    let mut rules = Vec::new();
    for number in behaviors(field) {
        match number {
            REQUIRED => rules.push("required".to_owned()),
            OUTPUT_ONLY => rules.push("only the server writes it".to_owned()),
            IMMUTABLE => rules.push("cannot be changed".to_owned()),
            IDENTIFIER => rules.push("names the resource".to_owned()),
            _ => {}
        }
    }
    let number = |name| option_field(field, name).and_then(|value| value.as_u32()).filter(|number| *number > 0);
    if is_said(field, "set_at_creation") {
        rules.push("can be given at the creation only".to_owned());
    }
    let text = matches!(field.kind(), Kind::String) || field.is_map();
    if let Some(max) = number("max_length").or_else(|| (text && is_written(field)).then_some(LENGTH_MAX)) {
        rules.push(format!("at most {max} characters"));
    }
    if let Some(max) = number("max_items").or_else(|| (field.is_list() || field.is_map()).then_some(ITEMS_MAX)) {
        rules.push(format!("at most {max} items"));
    }
    for (name, what) in [("min", "at least"), ("max", "at most")] {
        if let Some(bound) = option_field(field, name).and_then(|value| value.as_f64()) {
            rules.push(format!("{what} {bound}"));
        }
    }
    if let Some(most) = number("ancestors_max") {
        rules.push(format!("leads in no circle, and to at most {most} ancestors"));
    }
    if is_said(field, "personal_data") {
        rules.push("personal data".to_owned());
    }
    rules
}

/// Whether it is a text that is written freely: the length of a name or a code is that of its form.
fn is_written(field: &FieldDescriptor) -> bool {
    let is_name =
        behaviors(field).contains(&IDENTIFIER) || field.name() == "etag" || !reference_targets(field).is_empty();
    !is_name && !only_the_server(field) && format_number(field) == 0
}

fn behaviors(field: &FieldDescriptor) -> Vec<i32> {
    let said = option(field, "google.api.field_behavior");
    said.iter().filter_map(Value::as_list).flatten().filter_map(Value::as_enum_number).collect()
}

fn is_said(field: &FieldDescriptor, name: &str) -> bool {
    option_field(field, name).and_then(|value| value.as_bool()).unwrap_or_default()
}

fn format_number(field: &FieldDescriptor) -> i32 {
    option_field(field, "format").and_then(|value| value.as_enum_number()).unwrap_or_default()
}

/// What the contract says of the form of a text.
fn form(field: &FieldDescriptor) -> String {
    let number = format_number(field);
    let formats = partnership_registry::descriptors().get_enum_by_name("partnership.registry.v1.Format");
    let Some(format) = formats.and_then(|formats| formats.get_value(number)).filter(|_| number != 0) else {
        return if is_date(field) {
            "a year, a month or a day; ~ behind it is about, ? perhaps, % both; unknown, or a text in quotes".to_owned()
        } else {
            String::new()
        };
    };
    comment(format.parent_enum().parent_file(), format.path())
}

/// How the field is set on the command line; what is within the items of a list, in a file.
fn example(path: &str, field: &FieldDescriptor, in_list: bool) -> String {
    if only_the_server(field) {
        return String::new();
    }
    let message = message_of(field).filter(|_| !is_date(field));
    if in_list {
        return if message.is_some() { String::new() } else { format!("{}: {}", field.json_name(), value(field)) };
    }
    let name = path.split_once('.').map_or(path, |(_, name)| name);
    if field.is_map() {
        return format!("--set {name}.key=value");
    }
    let Some(message) = message else {
        let value = value(field);
        return if value.contains(' ') { format!("--set '{name}={value}'") } else { format!("--set {name}={value}") };
    };
    if field.is_list() {
        let fields = || message.fields().filter(|field| matches!(field.kind(), Kind::String | Kind::Enum(_)));
        let first = fields().find(|field| !reference_targets(field).is_empty()).or_else(|| fields().next());
        let first = first.map(|field| format!("\"{}\": \"{}\"", field.json_name(), value(&field))).unwrap_or_default();
        return format!("--set '{name}=[{{{first}}}]'");
    }
    let first = message.fields().find(|field| !only_the_server(field));
    first.map(|field| format!("--set {name}.{}={}", field.name(), value(&field))).unwrap_or_default()
}

fn only_the_server(field: &FieldDescriptor) -> bool {
    behaviors(field).contains(&OUTPUT_ONLY)
}

/// A value that the field could have.
fn value(field: &FieldDescriptor) -> String {
    let by_format =
        ["", "KR", "KOR", "410", "en", "USD", "https://example.org/a", "name@example.org", "", "Asia/Tehran"];
    let by_format = usize::try_from(format_number(field)).ok().and_then(|number| by_format.get(number).copied());
    let kind = field.kind();
    if let Kind::Message(message) = &kind {
        return if message.name() == "Timestamp" { "2026-01-31T12:00:00Z" } else { "2025-10" }.to_owned();
    }
    if let Kind::Enum(values) = &kind {
        let first = values.values().nth(1).map(|value| value.name().to_owned()).unwrap_or_default();
        return first.strip_prefix(&enum_prefix(values)).unwrap_or(&first).to_owned();
    }
    if matches!(kind, Kind::Bool) {
        return "true".to_owned();
    }
    match (reference_targets(field).first(), by_format) {
        (Some(target), _) => format!("{target}/ID"),
        (None, Some(text)) if !text.is_empty() => text.to_owned(),
        (None, _) if matches!(kind, Kind::String) => "TEXT".to_owned(),
        (None, _) => "1".to_owned(),
    }
}
