//! Reading protobuf's wire format without knowing the message: fields as they stand in the bytes.
//!
//! Everything here works on borrowed bytes and builds nothing. What a field means, `schema` says.

use prost::encoding::{self, DecodeContext, WireType};

use crate::registry::schema::NumberType;

/// One field as it stands on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WireField<'a> {
    /// The number of the field.
    pub(crate) number: u32,
    /// The value: the contents, for a length-delimited one.
    pub(crate) value: &'a [u8],
    /// The whole field, key and length included.
    pub(crate) whole: &'a [u8],
}

impl<'a> WireField<'a> {
    /// The value of a varint field; 0 if it is none.
    pub(crate) fn varint(&self) -> u64 {
        encoding::decode_varint(&mut &*self.value).unwrap_or(0)
    }

    /// The value as text; empty if it is none.
    pub(crate) fn text(&self) -> &'a str {
        std::str::from_utf8(self.value).unwrap_or("")
    }

    /// The value of an enum field.
    #[allow(clippy::cast_possible_truncation, reason = "an enum is written as a sign-extended i32")]
    pub(crate) fn enum_number(&self) -> i32 {
        self.varint() as i32
    }

    /// The value of a number field, as near as a double comes to it; 0 if it is none.
    #[allow(clippy::cast_precision_loss, reason = "the contract bounds what it compares far below 2^53")]
    pub(crate) fn number(&self, number: NumberType) -> f64 {
        match number {
            NumberType::Signed => self.varint().cast_signed() as f64,
            NumberType::Unsigned => self.varint() as f64,
            NumberType::Double => self.value.first_chunk::<8>().copied().map_or(0.0, f64::from_le_bytes),
        }
    }
}

/// The fields of `message` in their order. Ends early at bytes that are not protobuf: callers hand in what prost wrote.
pub(crate) fn fields(message: &[u8]) -> impl Iterator<Item = WireField<'_>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        let whole = rest;
        let mut cursor = rest;
        let (number, wire_type) = (!cursor.is_empty()).then(|| encoding::decode_key(&mut cursor).ok()).flatten()?;
        let value = match wire_type {
            WireType::LengthDelimited => {
                let length = usize::try_from(encoding::decode_varint(&mut cursor).ok()?).ok()?;
                let (value, after) = cursor.split_at_checked(length)?;
                cursor = after;
                value
            }
            WireType::Varint
            | WireType::SixtyFourBit
            | WireType::ThirtyTwoBit
            | WireType::StartGroup
            | WireType::EndGroup => {
                let start = cursor;
                encoding::skip_field(wire_type, number, &mut cursor, DecodeContext::default()).ok()?;
                start.get(..start.len() - cursor.len())?
            }
        };
        rest = cursor;
        Some(WireField { number, value, whole: whole.get(..whole.len() - rest.len())? })
    })
}

/// The last occurrence of field `number`, which is the one that counts.
pub(crate) fn field(message: &[u8], number: u32) -> Option<WireField<'_>> {
    fields(message).filter(|field| field.number == number).last()
}

/// Appends a length-delimited field.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    encoding::encode_key(number, WireType::LengthDelimited, out);
    encoding::encode_varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

/// Appends a varint field.
pub(crate) fn put_varint(out: &mut Vec<u8>, number: u32, value: u64) {
    encoding::encode_key(number, WireType::Varint, out);
    encoding::encode_varint(value, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_were_put() {
        let mut message = Vec::new();
        put_bytes(&mut message, 1, b"countries/kr");
        put_varint(&mut message, 5, 300);
        put_bytes(&mut message, 20, b"");
        let read: Vec<_> = fields(&message).map(|field| (field.number, field.value.to_vec())).collect();
        assert_eq!(read, [(1, b"countries/kr".to_vec()), (5, vec![0xac, 0x02]), (20, vec![])]);
        assert_eq!(fields(&message).map(|field| field.whole.len()).sum::<usize>(), message.len());
        assert_eq!(field(&message, 5).map(|field| field.varint()), Some(300));
    }

    #[test]
    fn cut_bytes_end_the_fields_and_never_panic() {
        let mut message = Vec::new();
        put_bytes(&mut message, 1, &[7; 200]);
        put_varint(&mut message, 2, u64::MAX);
        for end in 0..message.len() {
            let whole: usize = fields(&message[..end]).map(|field| field.whole.len()).sum();
            assert!(whole <= end);
        }
    }
}
