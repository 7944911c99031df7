//! Makes resources of any kind that the registry must accept, from the annotations: the least that is allowed, or with
//! every field set.
//!
//! What a kind refuses by rules of its own, beyond the annotations, is known here by the tables at the top alone. A new
//! kind with such rules may need a line in them; the refusal of its sample then says which.

use std::collections::HashMap;

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind as Type, MapKey, MessageDescriptor, ReflectMessage as _, Value,
};

use super::kind::{Kind, is_settable, rules};
use crate::harness::dynamic::{set, string};

/// Messages that have exactly one of some fields: the n-th item of a list has the n-th of them.
const ONE_OF: &[(&str, &[&str])] = &[
    ("AgreementParty", &["unresolved_name", "country", "organization"]),
    ("ProjectParticipant", &["unresolved_name", "country", "organization"]),
    ("ProjectCountryWeight", &["unresolved_country", "country"]),
    ("CourseNomination", &["nominee_name", "official"]),
    ("DelegationMember", &["unresolved_name", "official"]),
    ("MeetingParticipant", &["unresolved_name", "official", "organization", "delegation"]),
    ("CommitmentEvidence", &["text"]),
];

/// Fields that contradict others, and are left out.
const LEFT_OUT: &[&str] = &[
    "AgreementTerm.indefinite",
    "PartialDate.unknown",
    // It has to name a party that stays whatever is changed.
    "AgreementEvent.party_ids",
    // Of a revocation, a succession and a renewal alone.
    "AgreementEvent.revoked_event_id",
    "AgreementEvent.succeeded_party_id",
    "AgreementEvent.term_end_date",
];

/// Fields that must have one value to agree with others.
const FIXED: &[(&str, Fixed)] = &[
    ("AgreementTerm.renewal", Fixed::Enum("AGREEMENT_RENEWAL_AUTOMATIC")),
    // It may have a ground, and be the act of all.
    ("AgreementEvent.type", Fixed::Enum("AGREEMENT_EVENT_TYPE_TERMINATION")),
    // Each has another one, in a form of its own.
    ("AgreementEvent.event_id", Fixed::Numbered("event-")),
    // As the second event is called, and another party than the one whose act it is.
    ("AgreementEvent.revoked_event_id", Fixed::Text("event-1")),
    ("AgreementEvent.succeeded_party_id", Fixed::Text("party_id 1")),
    // An event names parties by the ids they have: those of items 0 to 2 or 1 to 3, by the seed.
    ("AgreementEvent.party_ids", Fixed::Text("party_id 2")),
    // A share is of something that the project names.
    ("ProjectFocusAreaWeight.focus_area", Fixed::Like("Project", "focus_areas")),
    ("ProjectCountryWeight.country", Fixed::Like("Project", "countries")),
    ("ProjectCountryWeight.unresolved_country", Fixed::Like("Project", "unresolved_countries")),
    ("CourseNomination.decision", Fixed::Enum("COURSE_DECISION_ACCEPTED")),
    ("CourseNomination.attendance", Fixed::Enum("COURSE_ATTENDANCE_COMPLETED")),
    ("PartialDate.month", Fixed::Number(5)),
    ("PartialDate.day", Fixed::Number(6)),
];

#[derive(Clone, Copy)]
enum Fixed {
    Enum(&'static str),
    Text(&'static str),
    /// This, and the seed behind it.
    Numbered(&'static str),
    Number(i32),
    /// As the items of that field of that message have it.
    Like(&'static str, &'static str),
}

/// What a text in the messages of a field must be, since they are about what holds them.
const WITHIN: &[(&str, &str, &str)] = &[
    ("Agreement.alternative_dates", "field", "conclusion_date"),
    ("AgreementEvent.alternative_dates", "field", "act_date"),
];

/// Fields whose values other fields of the resource name, and which: those have to go before these can be anything.
const NAMED_BY: &[(&str, &str)] = &[
    ("Project.focus_areas", "focus_area_weights"),
    ("Project.countries", "country_weights"),
    ("Project.unresolved_countries", "country_weights"),
];

/// A resource without what names the values of one of its fields.
pub(crate) fn freed(resource: &DynamicMessage, field: &FieldDescriptor) -> DynamicMessage {
    let mut freed = resource.clone();
    for (_, other) in NAMED_BY.iter().filter(|(named, _)| *named == key(field)) {
        freed.clear_field_by_name(other);
    }
    freed
}

/// A resource in which a field that only some items have can be set, at a path that leads to it.
pub(crate) fn with_room(resource: &DynamicMessage, path: &str) -> DynamicMessage {
    let mut roomy = resource.clone();
    let needed =
        [("term_end_date", "RENEWAL"), ("revoked_event_id", "REVOCATION"), ("succeeded_party_id", "SUCCESSION")];
    let needed = needed.iter().find(|(field, _)| path.contains(field)).map(|(_, event_type)| *event_type);
    if needed.is_none() && !path.contains("party_ids") {
        return roomy;
    }
    let events = roomy.get_field_by_name_mut("events").unwrap().as_list_mut().unwrap();
    for (index, event) in events.iter_mut().map(|event| event.as_message_mut().unwrap()).enumerate() {
        set(event, "party_ids", Value::List(vec![string("party_id 2")]));
        // What is revoked can be revoked.
        let event_type = needed.map(|needed| if needed == "REVOCATION" && index > 0 { "DENUNCIATION" } else { needed });
        let Some(event_type) = event_type else { continue };
        let field = event.descriptor().get_field_by_name("type").unwrap();
        let name = format!("AGREEMENT_EVENT_TYPE_{event_type}");
        let number = field.kind().as_enum().unwrap().get_value_by_name(&name).unwrap().number();
        event.set_field(&field, Value::EnumNumber(number));
        event.clear_field_by_name("ground");
        match event_type {
            "RENEWAL" => {
                let date = event.get_field_by_name("record_date").unwrap().into_owned();
                set(event, "term_end_date", date);
            }
            "REVOCATION" => set(event, "revoked_event_id", string("event-1")),
            "SUCCESSION" => set(event, "succeeded_party_id", string("party_id 1")),
            _ => {}
        }
    }
    roomy
}

/// Whether the values of a field have to be those of another field.
pub(crate) fn is_like_another(field: &FieldDescriptor) -> bool {
    FIXED.iter().any(|(fixed, value)| *fixed == key(field) && matches!(value, Fixed::Like(..)))
}

/// How much of a resource is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// What is required.
    Least,
    /// Every field.
    All,
}

/// Makes resources.
pub(crate) struct Sampler {
    /// Names of live resources by their type: what references refer to.
    pub(crate) pool: HashMap<String, Vec<String>>,
    /// The label that every resource of this run has.
    pub(crate) run: String,
}

impl Sampler {
    /// A resource of a kind. Another `seed` gives other values.
    pub(crate) fn resource(&self, kind: &Kind, fill: Fill, seed: usize) -> DynamicMessage {
        let mut resource = self.message(&kind.message, fill, seed);
        let labels = [(MapKey::String("run".into()), string(&self.run))];
        set(&mut resource, "labels", Value::Map(labels.into()));
        if fill == Fill::All {
            let more = resource.get_field_by_name_mut("labels").unwrap().as_map_mut().unwrap();
            more.insert(MapKey::String("seed".into()), string(seed.to_string()));
        }
        resource
    }

    /// A message with its fields set.
    pub(crate) fn message(&self, descriptor: &MessageDescriptor, fill: Fill, n: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        match descriptor.full_name() {
            "google.protobuf.Timestamp" => {
                set(&mut message, "seconds", Value::I64(1_600_000_000 + n as i64));
                set(&mut message, "nanos", Value::I32(123_456_789));
                return message;
            }
            "google.type.Money" => {
                set(&mut message, "currency_code", string("IRR"));
                set(&mut message, "units", Value::I64(1_000 + n as i64));
                set(&mut message, "nanos", Value::I32(500_000_000));
                return message;
            }
            "partnership.registry.v1.PartialDate" => {
                // Later in later items, and one day in all dates of an item: nothing ends before it starts.
                set(&mut message, "year", Value::I32(2_000 + i32::try_from(n).unwrap()));
                if fill == Fill::Least {
                    return message;
                }
            }
            _ => {}
        }
        let one_of = ONE_OF.iter().find(|(name, _)| *name == descriptor.name()).map(|(_, fields)| *fields);
        for field in descriptor.fields().filter(is_settable) {
            let chosen = one_of.is_some_and(|fields| fields[n % fields.len()] == field.name());
            let other = one_of.is_some_and(|fields| fields.len() > 1 && fields.contains(&field.name())) && !chosen;
            let wanted = fill == Fill::All || rules(&field).required || chosen;
            if message.has_field(&field) || other || !wanted || LEFT_OUT.contains(&key(&field).as_str()) {
                continue;
            }
            let value = self.field(&field, fill, n);
            message.set_field(&field, value);
        }
        message
    }

    /// A value for a whole field: single, list or map.
    pub(crate) fn field(&self, field: &FieldDescriptor, fill: Fill, n: usize) -> Value {
        if field.is_map() {
            return Value::Map(
                [(MapKey::String(format!("{}-{n}", field.name())), string(format!("value {n}")))].into(),
            );
        }
        if !field.is_list() {
            return self.item(field, fill, n);
        }
        let name = field.kind().as_message().map(|message| message.name().to_owned());
        let alternatives = ONE_OF.iter().find(|(one, _)| Some(*one) == name.as_deref());
        let count = alternatives.map_or(2, |(_, fields)| fields.len().max(2));
        // One text can be wanted once only, however many the list could have.
        let count = if FIXED.iter().any(|(fixed, _)| *fixed == key(field)) { 1 } else { count };
        Value::List((0..count).map(|item| self.item(field, fill, n + item)).collect())
    }

    /// One value for a field.
    pub(crate) fn item(&self, field: &FieldDescriptor, fill: Fill, n: usize) -> Value {
        if let Some((_, fixed)) = FIXED.iter().find(|(fixed, _)| *fixed == key(field)) {
            return match fixed {
                Fixed::Enum(name) => {
                    Value::EnumNumber(field.kind().as_enum().unwrap().get_value_by_name(name).unwrap().number())
                }
                Fixed::Text(text) => string(*text),
                Fixed::Numbered(text) => string(format!("{text}{n}")),
                Fixed::Number(number) => Value::I32(*number),
                Fixed::Like(message, other) => {
                    let pool = field.parent_file();
                    let message = pool.messages().find(|one| one.name() == *message).unwrap();
                    self.item(&message.get_field_by_name(other).unwrap(), fill, n)
                }
            };
        }
        let rules = rules(field);
        let whole = n as f64 + 1.0;
        let within = whole.max(rules.min.unwrap_or(whole)).min(rules.max.unwrap_or(f64::MAX));
        match field.kind() {
            Type::Message(message) => {
                let mut message = self.message(&message, fill, n);
                for (_, inner, text) in WITHIN.iter().filter(|(within, ..)| *within == key(field)) {
                    set(&mut message, inner, string(*text));
                }
                Value::Message(message)
            }
            Type::Enum(values) => {
                let numbers: Vec<i32> =
                    values.values().map(|value| value.number()).filter(|number| *number != 0).collect();
                Value::EnumNumber(numbers[n % numbers.len()])
            }
            Type::String => string(match rules.target() {
                Some(kind) => self.name(kind, field.number() as usize + n),
                None => example(&rules.format, field.name(), n),
            }),
            Type::Bool => Value::Bool(true),
            Type::Bytes => Value::Bytes(vec![n as u8 + 1].into()),
            Type::Int32 | Type::Sint32 | Type::Sfixed32 => Value::I32(within as i32),
            Type::Int64 | Type::Sint64 | Type::Sfixed64 => Value::I64(within as i64),
            Type::Uint32 | Type::Fixed32 => Value::U32(within as u32),
            Type::Uint64 | Type::Fixed64 => Value::U64(within as u64),
            Type::Float => Value::F32(within as f32 + 0.5),
            Type::Double => Value::F64(within + 0.5),
        }
    }

    /// The name of a live resource of a type.
    pub(crate) fn name(&self, resource_type: &str, n: usize) -> String {
        let names = &self.pool[resource_type];
        names[n % names.len()].clone()
    }
}

/// `Message.field`.
fn key(field: &FieldDescriptor) -> String {
    format!("{}.{}", field.parent_message().name(), field.name())
}

/// A text of a format.
fn example(format: &str, field: &str, n: usize) -> String {
    let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
    match format {
        "FORMAT_UNSPECIFIED" => format!("{field} {n}"),
        "FORMAT_REGION_CODE" => format!("K{}", letter(n)),
        "FORMAT_REGION_CODE_ALPHA3" | "FORMAT_CURRENCY_CODE" => format!("KO{}", letter(n)),
        "FORMAT_M49_CODE" => format!("{:03}", n % 1_000),
        "FORMAT_LANGUAGE_CODE" => ["en", "fa", "zh-Hans", "ko", "fr-CH"][n % 5].into(),
        "FORMAT_URI" => format!("https://example.org/{field}/{n}?q=%20#part"),
        "FORMAT_EMAIL" => format!("office-{n}@example.org"),
        "FORMAT_SHA256" => format!("{n:064x}"),
        "FORMAT_TIME_ZONE" => ["Asia/Tehran", "Asia/Seoul", "UTC"][n % 3].into(),
        "FORMAT_MEDIA_TYPE" => ["application/pdf", "text/html"][n % 2].into(),
        "FORMAT_LABEL_KEY" => format!("key-{n}"),
        other => panic!("give an example of {other} here"),
    }
}

/// Texts that are not of a format: refused, or found strange and kept.
pub(crate) fn counterexamples(format: &str) -> &'static [&'static str] {
    match format {
        "FORMAT_UNSPECIFIED" => &["bell\u{7}", "nothing\0"],
        "FORMAT_REGION_CODE" => &["kr", "KOR", "K", "K1"],
        "FORMAT_REGION_CODE_ALPHA3" => &["kor", "KR", "KORE"],
        "FORMAT_CURRENCY_CODE" => &["irr", "IR", "€"],
        "FORMAT_M49_CODE" => &["30", "0300", "abc"],
        "FORMAT_LANGUAGE_CODE" => &["e", "english language", "en_GB", "-"],
        "FORMAT_URI" => &["example.org", "https://a b", "://x", "https:"],
        "FORMAT_EMAIL" => &["example.org", "a@b@c", "@example.org", "a b@example.org"],
        "FORMAT_SHA256" => &["abc", "A000000000000000000000000000000000000000000000000000000000000000"],
        "FORMAT_TIME_ZONE" => &["Tehran", "Asia/Nowhere", "+03:30"],
        "FORMAT_MEDIA_TYPE" => &["pdf", "application/", "/pdf", "a b/c"],
        "FORMAT_LABEL_KEY" => &["Key", "1st", "a b", "ü"],
        other => panic!("say what {other} refuses here"),
    }
}
