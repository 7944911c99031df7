//! Reads messages in which dates stand as people write them: `"2025-10"` where the contract has a `PartialDate`.
//!
//! It stands between the reader of a syntax and the reader of messages, follows in the contract where it is, and turns
//! such a text into the message. Everything else passes through as it is, so that errors keep their positions.

use std::borrow::Cow;
use std::fmt;

use partnership_registry::PartialDateError;
use partnership_registry::v1::PartialDate;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind as FieldKind, MessageDescriptor};
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};

const PARTIAL_DATE: &str = "partnership.registry.v1.PartialDate";

/// Reads a message.
pub(super) fn read<'de, D: Deserializer<'de>>(
    message: MessageDescriptor,
    deserializer: D,
) -> Result<DynamicMessage, D::Error> {
    let place = Place { field: String::new(), message: message.clone() };
    DynamicMessage::deserialize(message, At(place, deserializer))
}

/// A place where the contract has a message, or a list or map of messages.
#[derive(Clone)]
struct Place {
    /// The name of the field, for errors.
    field: String,
    message: MessageDescriptor,
}

impl Place {
    /// The place of a field; `None` if there is no message of the contract in it.
    fn of(field: &FieldDescriptor) -> Option<Self> {
        let holds = |kind: FieldKind| kind.as_message().cloned();
        let held = holds(field.kind())?;
        let message = if field.is_map() { holds(held.map_entry_value_field().kind())? } else { held };
        let foreign = message.full_name().starts_with("google.protobuf.");
        (!foreign).then(|| Self { field: field.name().to_owned(), message })
    }
}

/// What reads or is read, and the place where it does.
struct At<T>(Place, T);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for At<D> {
    type Error = D::Error;

    /// A message.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let Self(place, inner) = self;
        if place.message.full_name() == PARTIAL_DATE {
            return inner.deserialize_any(Date(place, visitor));
        }
        inner.deserialize_map(Fields(place, visitor))
    }

    /// A list or a map of messages.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.1.deserialize_any(Items(self.0, visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.1.deserialize_option(Present(self.0, visitor))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
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

/// Visits a list or a map of messages.
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
struct Fields<V>(Place, V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Fields<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.1.visit_map(FieldByField { message: self.0.message, fields, next: None })
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
        let Some(key) = self.fields.next_key::<Cow<'de, str>>()? else { return Ok(None) };
        let field = self.message.get_field_by_json_name(&key).or_else(|| self.message.get_field_by_name(&key));
        self.next = field.as_ref().and_then(Place::of);
        seed.deserialize(key.as_ref().into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        match self.next.take() {
            Some(place) => self.fields.next_value_seed(At(place, seed)),
            None => self.fields.next_value_seed(seed),
        }
    }
}

/// Visits a date: the message, or its text.
struct Date<V>(Place, V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Date<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date such as 2025-10-15, 2025-10 or 2025")
    }

    fn visit_map<A: MapAccess<'de>>(self, parts: A) -> Result<V::Value, A::Error> {
        self.1.visit_map(parts)
    }

    /// A year without quotes.
    fn visit_u64<E: Error>(self, year: u64) -> Result<V::Value, E> {
        self.visit_str(&format!("{year:04}"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        let Self(place, visitor) = self;
        let date: PartialDate = match text.parse() {
            Ok(date) | Err(PartialDateError::NotInCalendar { date, .. }) => date,
            Err(error @ PartialDateError::Malformed { .. }) => {
                return Err(E::custom(format_args!("{}: {error}", place.field)));
            }
        };
        let mut message = DynamicMessage::new(place.message);
        message.transcode_from(&date).map_err(E::custom)?;
        let parts = serde_json::to_value(message).map_err(E::custom)?;
        parts.deserialize_map(visitor).map_err(E::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]
mod tests {
    use partnership_registry::v1::{Agreement, AgreementEvent, Country, DateInterval};

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
        assert!(error.starts_with("conclusion_date: \"soon\" is not a date such as 2025-10-15"), "{error}");
        assert!(error.ends_with("at line 2 column 7"), "{error}");
        let error = agreement(r#"{"conclusionDate": true}"#).unwrap_err();
        assert!(error.contains("invalid type: boolean `true`, expected a date such as"), "{error}");
        let error = agreement(r#"{"conclusionDate": {"years": 1}}"#).unwrap_err();
        assert!(error.contains("unrecognized field name 'years'"), "{error}");
    }
}
