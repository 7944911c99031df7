//! Reads messages as people write them: `"2025-10"` where the contract has a `PartialDate`, `in-force` for a value of an
//! enum. A field that does not exist is told with the one that was most likely meant.
//!
//! It stands between the reader of a syntax and the reader of messages, and follows in the contract where it is.
//! Everything else passes through as it is, so that errors keep their positions.

use std::fmt;

use partnership_registry::PartialDateError;
use partnership_registry::v1::PartialDate;
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind as FieldKind, MessageDescriptor};
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};

use super::contract::RESOURCE;
use super::spelling::{closest, enum_value};

const PARTIAL_DATE: &str = "partnership.registry.v1.PartialDate";

/// Reads a message.
pub(super) fn read<'de, D: Deserializer<'de>>(
    message: MessageDescriptor,
    deserializer: D,
) -> Result<DynamicMessage, D::Error> {
    DynamicMessage::deserialize(message.clone(), At(Place::Message(message), deserializer))
}

/// A place where the contract has a message, a value of an enum or a time, or a list or map of them.
#[derive(Clone)]
enum Place {
    Message(MessageDescriptor),
    Enum(EnumDescriptor),
    Time,
}

impl Place {
    /// The place of a field; `None` if nothing of the contract is in it.
    fn of(field: &FieldDescriptor) -> Option<Self> {
        let mut held = field.kind();
        if let (FieldKind::Message(entry), true) = (&held, field.is_map()) {
            held = entry.map_entry_value_field().kind();
        }
        if let Some(values) = held.as_enum() {
            return Some(Self::Enum(values.clone()));
        }
        let message = held.as_message()?;
        match message.full_name() {
            "google.protobuf.Timestamp" => Some(Self::Time),
            foreign if foreign.starts_with("google.protobuf.") => None,
            _ => Some(Self::Message(message.clone())),
        }
    }
}

/// What reads or is read, and the place where it does.
struct At<T>(Place, T);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for At<D> {
    type Error = D::Error;

    /// A message.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        match self.0 {
            Place::Message(date) if date.full_name() == PARTIAL_DATE => self.1.deserialize_any(Date(date, visitor)),
            Place::Message(message) => self.1.deserialize_map(Fields(message, visitor)),
            Place::Enum(_) | Place::Time => self.1.deserialize_map(visitor),
        }
    }

    /// A time.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.1.deserialize_str(Items(self.0, visitor))
    }

    /// A value of an enum, or a list or a map.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.1.deserialize_any(Items(self.0, visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.1.deserialize_option(Present(self.0, visitor))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char string bytes byte_buf unit unit_struct newtype_struct
        seq tuple tuple_struct struct enum identifier ignored_any
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for At<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.1.deserialize(At(self.0, deserializer))
    }
}

/// Visits a field that may be null.
struct Present<V>(Place, V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Present<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.expecting(f)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.1.visit_unit()
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.1.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.1.visit_some(At(self.0, deserializer))
    }
}

/// Visits a value of an enum, a time, or a list or a map.
struct Items<V>(Place, V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Items<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.1.visit_seq(At(self.0, items))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.1.visit_map(At(self.0, entries))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        match &self.0 {
            Place::Enum(values) => self.1.visit_str(enum_value(values, text).map_err(E::custom)?.name()),
            Place::Time => {
                let time = self.1.visit_str(text);
                time.map_err(|_: E| E::custom(format_args!("{text:?} is not a time such as 2026-01-31T12:00:00Z")))
            }
            Place::Message(_) => self.1.visit_str(text),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<V::Value, E> {
        self.1.visit_u64(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<V::Value, E> {
        self.1.visit_i64(number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<V::Value, E> {
        self.1.visit_f64(number)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<V::Value, E> {
        self.1.visit_bool(truth)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for At<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.1.next_element_seed(At(self.0.clone(), seed))
    }
}

/// The entries of a map: each value is at the place of the map.
impl<'de, A: MapAccess<'de>> MapAccess<'de> for At<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.1.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.1.next_value_seed(At(self.0.clone(), seed))
    }
}

/// Visits a message.
struct Fields<V>(MessageDescriptor, V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Fields<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.1.visit_map(FieldByField { message: self.0, fields, next: None })
    }
}

/// The fields of a message: the value of each is at a place of its own.
struct FieldByField<A> {
    message: MessageDescriptor,
    fields: A,
    next: Option<Place>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for FieldByField<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Some(field) = self.fields.next_key_seed(Key(&self.message))? else { return Ok(None) };
        self.next = Place::of(&field);
        seed.deserialize(field.json_name().into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        match self.next.take() {
            Some(place) => self.fields.next_value_seed(At(place, seed)),
            None => self.fields.next_value_seed(seed),
        }
    }
}

/// Reads the name of a field, so that an error has the position of the name.
struct Key<'m>(&'m MessageDescriptor);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = FieldDescriptor;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FieldDescriptor, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = FieldDescriptor;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<FieldDescriptor, E> {
        let field = self.0.get_field_by_json_name(key).or_else(|| self.0.get_field_by_name(key));
        field.ok_or_else(|| E::custom(no_field(self.0, key)))
    }
}

/// Says that there is no such field, or no such kind.
fn no_field(message: &MessageDescriptor, key: &str) -> String {
    let fields: Vec<_> = message.fields().map(|field| field.json_name().to_owned()).collect();
    let fields = fields.iter().map(String::as_str);
    if message.full_name() == RESOURCE {
        let meant = closest(key, fields.clone()).map(|field| format!("; did you mean {field:?}?"));
        let kinds = || format!("; the kinds are {}", fields.collect::<Vec<_>>().join(", "));
        return format!("there is no kind {key:?}{}", meant.unwrap_or_else(kinds));
    }
    let meant = closest(key, fields).map(|field| format!("; did you mean {field:?}?")).unwrap_or_default();
    format!("{} has no such field{meant}", message.name())
}

/// Visits a date: the message, or its text.
struct Date<V>(MessageDescriptor, V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Date<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date such as 2025-10-15, 2025-10 or 2025")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.1.visit_map(FieldByField { message: self.0, fields, next: None })
    }

    /// A year without quotes.
    fn visit_u64<E: Error>(self, year: u64) -> Result<V::Value, E> {
        self.visit_str(&format!("{year:04}"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        let Self(message, visitor) = self;
        let date: PartialDate = match text.parse() {
            Ok(date) | Err(PartialDateError::NotInCalendar { date, .. }) => date,
            Err(error @ PartialDateError::Malformed { .. }) => return Err(E::custom(error)),
        };
        let mut message = DynamicMessage::new(message);
        message.transcode_from(&date).map_err(E::custom)?;
        let parts = serde_json::to_value(message).map_err(E::custom)?;
        parts.deserialize_map(visitor).map_err(E::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]
mod tests {
    use partnership_registry::v1::{Agreement, AgreementEvent, AgreementState, Country, DateInterval};

    use super::*;

    fn read_json<M: prost::Message + Default>(name: &str, text: &str) -> Result<M, String> {
        let message = partnership_registry::descriptors().get_message_by_name(name).unwrap();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let dynamic = read(message, &mut deserializer).map_err(|error| error.to_string())?;
        Ok(dynamic.transcode_to().unwrap())
    }

    fn agreement(text: &str) -> Result<Agreement, String> {
        read_json("partnership.registry.v1.Agreement", text)
    }

    #[test]
    fn dates_are_read_as_people_write_them_wherever_they_stand() {
        let text = r#"{"conclusionDate": "1968-05~", "events": [{"act_date": "1968-05-09"}, {"effectDate": {"year": 1970}}],
                       "labels": {"a": "2025"}, "createTime": "2023-11-14T22:13:20Z"}"#;
        let read = agreement(text).unwrap();
        let about = PartialDate { approximate: true, ..PartialDate::month(1968, 5) };
        assert_eq!(read.conclusion_date, Some(about));
        let event = |act_date, effect_date| AgreementEvent { act_date, effect_date, ..AgreementEvent::default() };
        let events = [event(Some(PartialDate::day(1968, 5, 9)), None), event(None, Some(PartialDate::year(1970)))];
        assert_eq!(read.events, events);
        assert_eq!(read.labels.get("a").map(String::as_str), Some("2025"));
        assert_eq!(read.create_time.unwrap().seconds, 1_700_000_000);
        let country: Country =
            read_json("partnership.registry.v1.Country", r#"{"existence": {"startDate": 1948, "endDate": "unknown"}}"#)
                .unwrap();
        let existence =
            DateInterval { start_date: Some(PartialDate::year(1948)), end_date: Some(PartialDate::unknown()) };
        assert_eq!(country.existence, Some(existence));
        assert_eq!(agreement(r#"{"conclusionDate": null}"#).unwrap(), Agreement::default());
    }

    #[test]
    fn a_date_that_no_calendar_has_is_handed_over_for_the_registry_to_find() {
        let read = agreement(r#"{"conclusionDate": "2023-02-30"}"#).unwrap();
        assert_eq!(read.conclusion_date, Some(PartialDate::day(2023, 2, 30)));
    }

    #[test]
    fn what_is_no_date_is_refused_with_its_field_value_and_position() {
        let error = agreement("{\"conclusionDate\":\n \"soon\"}").unwrap_err();
        assert!(error.starts_with("\"soon\" is not a date such as 2025-10-15"), "{error}");
        assert!(error.ends_with("at line 2 column 7"), "{error}");
        let error = agreement(r#"{"conclusionDate": true}"#).unwrap_err();
        assert!(error.contains("invalid type: boolean `true`, expected a date such as"), "{error}");
        let error = agreement(r#"{"conclusionDate": {"years": 1}}"#).unwrap_err();
        assert!(error.contains(r#"PartialDate has no such field; did you mean "year"?"#), "{error}");
    }

    #[test]
    fn values_of_enums_may_be_short_and_are_corrected() {
        for state in ["IN_FORCE", "in-force", "in_force", "AGREEMENT_STATE_IN_FORCE"] {
            let read = agreement(&format!(r#"{{"state": "{state}"}}"#)).unwrap();
            assert_eq!(read.state(), AgreementState::InForce, "{state}");
        }
        assert_eq!(agreement(r#"{"state": 3}"#).unwrap().state, 3);
        let error = agreement(r#"{"state": "in-farce"}"#).unwrap_err();
        assert!(error.contains(r#""in-farce" is not a value of AgreementState; did you mean IN_FORCE?"#), "{error}");
        let error = agreement(r#"{"state": ["DRAFT"]}"#).unwrap_err();
        assert!(error.contains("invalid type: sequence"), "{error}");
    }
}
