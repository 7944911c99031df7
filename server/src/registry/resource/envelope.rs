//! Envelopes: a document as the one field of an encoded `Resource`, whose number tells the kind.

use super::wire;
use crate::registry::schema::{KindId, KindSchema, Schemas};

/// More than the key and the length of a document in its envelope.
const HEAD_BYTES: usize = 8;

/// The envelope of a document.
pub(crate) fn envelope(kind: &KindSchema, document: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(document.len() + HEAD_BYTES);
    wire::put_bytes(&mut out, kind.tag, document);
    out
}

/// The kind and the document of an envelope; `None` if it is none of this contract.
pub(crate) fn open_envelope<'a>(schemas: &Schemas, envelope: &'a [u8]) -> Option<(KindId, &'a [u8])> {
    let field = wire::fields(envelope).next()?;
    Some((schemas.by_tag(field.number)?, field.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::schema::contract;

    #[test]
    fn an_envelope_tells_the_kind_of_what_is_in_it() {
        let schemas = contract();
        for kind in schemas.kind_ids() {
            let sealed = envelope(schemas.kind(kind), b"document");
            assert_eq!(open_envelope(&schemas, &sealed), Some((kind, &b"document"[..])));
        }
        let mut unknown = Vec::new();
        wire::put_bytes(&mut unknown, 9_999, b"document");
        for bad in [&unknown[..], &[], &[0xff]] {
            assert_eq!(open_envelope(&schemas, bad), None, "{bad:?}");
        }
    }
}
