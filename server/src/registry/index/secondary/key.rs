//! Values as bytes that sort as the values do: by them an index finds what is equal, less and greater.

use std::borrow::Cow;

use crate::registry::resource::value::LeafValue;
use crate::registry::schema::NumberType;
use crate::time::Time;

/// What a key was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyType {
    /// A text in NFC, or the name of a resource.
    Text,
    Bool,
    Enum,
    Number(NumberType),
    Date,
    Time,
    Money,
    /// The entry of a map: its key, a zero byte, its value.
    Entry,
}

impl KeyType {
    /// Whether a value of this type is absent rather than empty.
    pub(crate) fn can_be_absent(self) -> bool {
        match self {
            Self::Date | Self::Time | Self::Money | Self::Entry => true,
            Self::Text | Self::Bool | Self::Enum | Self::Number(_) => false,
        }
    }
}

/// The key of a date of which nothing is known: it sorts behind those of which something is.
pub(crate) const UNKNOWN_DATE: [u8; 8] = [0xff; 8];

const SIGN_32: u32 = 1 << 31;
const SIGN_64: u64 = 1 << 63;
const SIGN_128: u128 = 1 << 127;

/// Separates the key of a map's entry from its value. No text of a document has it: control characters are taken out.
const BETWEEN: u8 = 0;

/// The key of a value.
pub(crate) fn key(value: &LeafValue<'_>) -> Vec<u8> {
    match value {
        LeafValue::Text(text) => text.as_bytes().to_vec(),
        LeafValue::Bool(truth) => vec![u8::from(*truth)],
        LeafValue::Enum(number) => (number.cast_unsigned() ^ SIGN_32).to_be_bytes().to_vec(),
        LeafValue::Signed(number) => (number.cast_unsigned() ^ SIGN_64).to_be_bytes().to_vec(),
        LeafValue::Unsigned(number) => number.to_be_bytes().to_vec(),
        LeafValue::Double(number) => {
            // The bits of negative numbers sort the other way round. Zero has one key.
            let bits = if *number == 0.0 { 0 } else { number.to_bits() };
            let sortable = if bits & SIGN_64 == 0 { bits ^ SIGN_64 } else { !bits };
            sortable.to_be_bytes().to_vec()
        }
        LeafValue::Date { first: i32::MIN, .. } => UNKNOWN_DATE.to_vec(),
        LeafValue::Date { first, last } => {
            [first, last].into_iter().flat_map(|day| (day.cast_unsigned() ^ SIGN_32).to_be_bytes()).collect()
        }
        LeafValue::Time(time) => time.sort_key().to_vec(),
        LeafValue::Money { currency, nanos } => {
            // Three letters; a currency that is not said has none.
            let mut key: Vec<u8> = currency.bytes().chain([b' '; 3]).take(3).collect();
            key.extend((nanos.cast_unsigned() ^ SIGN_128).to_be_bytes());
            key
        }
    }
}

/// The key of a map's entry.
pub(crate) fn entry_key(key: &str, value: &str) -> Vec<u8> {
    [key.as_bytes(), &[BETWEEN], value.as_bytes()].concat()
}

/// What the key of a map's entry holds: the key, then the value.
pub(crate) fn entry(key: &[u8]) -> (&str, &str) {
    let at = key.iter().position(|byte| *byte == BETWEEN).unwrap_or(key.len());
    let (name, value) = key.split_at(at);
    (text(name), text(value.get(1..).unwrap_or_default()))
}

/// The value of a key of this type. Of an entry it is the value of the entry.
pub(crate) fn value(of: KeyType, key: &[u8]) -> LeafValue<'_> {
    match of {
        KeyType::Text => LeafValue::Text(Cow::Borrowed(text(key))),
        KeyType::Entry => LeafValue::Text(Cow::Borrowed(entry(key).1)),
        KeyType::Bool => LeafValue::Bool(key.first() == Some(&1)),
        KeyType::Enum => LeafValue::Enum((u32::from_be_bytes(part(key, 0)) ^ SIGN_32).cast_signed()),
        KeyType::Number(NumberType::Signed) => {
            LeafValue::Signed((u64::from_be_bytes(part(key, 0)) ^ SIGN_64).cast_signed())
        }
        KeyType::Number(NumberType::Unsigned) => LeafValue::Unsigned(u64::from_be_bytes(part(key, 0))),
        KeyType::Number(NumberType::Double) => {
            let sortable = u64::from_be_bytes(part(key, 0));
            let bits = if sortable & SIGN_64 == 0 { !sortable } else { sortable ^ SIGN_64 };
            LeafValue::Double(f64::from_bits(bits))
        }
        KeyType::Date => date(prefix(key)),
        KeyType::Time => LeafValue::Time(Time::from_sort_key(part(key, 0))),
        KeyType::Money => LeafValue::Money {
            currency: Cow::Borrowed(text(key.get(..3).unwrap_or_default()).trim_end()),
            nanos: (u128::from_be_bytes(part(key, 3)) ^ SIGN_128).cast_signed(),
        },
    }
}

/// The date of a key, which has no more than its beginning.
#[allow(clippy::cast_possible_truncation, reason = "each half is a number of 32 bits")]
pub(crate) fn date(beginning: u64) -> LeafValue<'static> {
    if beginning == u64::from_be_bytes(UNKNOWN_DATE) {
        return LeafValue::Date { first: i32::MIN, last: i32::MAX };
    }
    let day = |bits: u64| (bits as u32 ^ SIGN_32).cast_signed();
    LeafValue::Date { first: day(beginning >> 32), last: day(beginning) }
}

/// Whether the key of a date is that of one of which nothing is known.
pub(crate) fn is_unknown_date(key: &[u8]) -> bool {
    key == UNKNOWN_DATE
}

/// The beginning of a key as a number: where two differ, the keys stand as they do.
pub(crate) fn prefix(key: &[u8]) -> u64 {
    u64::from_be_bytes(part(key, 0))
}

/// So many bytes from a place on; zeros where there are none.
fn part<const N: usize>(key: &[u8], from: usize) -> [u8; N] {
    let mut bytes = [0; N];
    for (to, byte) in bytes.iter_mut().zip(key.get(from..).unwrap_or_default()) {
        *to = *byte;
    }
    bytes
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn keys_sort_as_their_values_do_and_tell_them() {
        let time = |seconds, nanos| LeafValue::Time(Timestamp { seconds, nanos }.into());
        let money = |currency: &'static str, nanos| LeafValue::Money { currency: currency.into(), nanos };
        let number = KeyType::Number;
        let table = [
            (KeyType::Text, ["", "a", "a ", "b", "é", "한국", "😀"].map(|text| LeafValue::Text(text.into())).to_vec()),
            (KeyType::Bool, [false, true].map(LeafValue::Bool).to_vec()),
            (KeyType::Enum, [i32::MIN, -1, 0, 1, 13, i32::MAX].map(LeafValue::Enum).to_vec()),
            (number(NumberType::Signed), [i64::MIN, -1, 0, 1, i64::MAX].map(LeafValue::Signed).to_vec()),
            (number(NumberType::Unsigned), [0, 1, 1 << 53, u64::MAX].map(LeafValue::Unsigned).to_vec()),
            (number(NumberType::Double), [-1e9, -1.5, 0.0, 1e-9, 2.0, 1e300].map(LeafValue::Double).to_vec()),
            (
                KeyType::Date,
                [(-700_000, -699_636), (-1, -1), (0, 0), (0, 364), (1, 1), (i32::MIN, i32::MAX)]
                    .map(|(first, last)| LeafValue::Date { first, last })
                    .to_vec(),
            ),
            (KeyType::Time, vec![time(-5, 0), time(0, 1), time(0, 2), time(1, 0)]),
            (KeyType::Money, vec![money("EUR", -5), money("EUR", 0), money("EUR", 1 << 70), money("USD", -1)]),
        ];
        for (of, values) in table {
            let keys: Vec<_> = values.iter().map(key).collect();
            assert!(keys.is_sorted_by(|a, b| a < b), "{of:?}: {keys:?}");
            assert!(keys.iter().map(|key| prefix(key)).is_sorted(), "{of:?}");
            for (value_given, key) in values.iter().zip(&keys) {
                assert_eq!(value(of, key), *value_given);
            }
        }
        assert_eq!(key(&LeafValue::Double(-0.0)), key(&LeafValue::Double(0.0)));
        assert_eq!(entry(&entry_key("unit", "asia")), ("unit", "asia"));
        assert_eq!(value(KeyType::Entry, &entry_key("unit", "")), LeafValue::Text("".into()));
    }
}
