//! The actor and the reason of a call, sent as metadata.

use tonic::metadata::{AsciiMetadataValue, BinaryMetadataValue, MetadataMap};

/// The actor and the reason of a call; empty if not set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    pub(crate) actor: String,
    pub(crate) reason: String,
}

impl Caller {
    /// As request metadata.
    pub(crate) fn metadata(&self) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        insert(&mut metadata, "partnership-actor", "partnership-actor-bin", &self.actor);
        insert(&mut metadata, "partnership-reason", "partnership-reason-bin", &self.reason);
        metadata
    }
}

/// A text that a header cannot hold is sent as UTF-8 bytes, under the key for binary values.
fn insert(metadata: &mut MetadataMap, key: &'static str, binary_key: &'static str, text: &str) {
    if text.is_empty() {
        return;
    }
    let plain = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) && text.trim() == text;
    match AsciiMetadataValue::try_from(text) {
        Ok(value) if plain => drop(metadata.insert(key, value)),
        Ok(_) | Err(_) => drop(metadata.insert_bin(binary_key, BinaryMetadataValue::from_bytes(text.as_bytes()))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_sent_as_it_is_and_other_text_as_bytes() {
        let caller = Caller { actor: "jane@example.org".into(), reason: "ратифицировано".into() };
        let metadata = caller.metadata();
        assert_eq!(metadata.get("partnership-actor").unwrap(), "jane@example.org");
        assert!(metadata.get("partnership-reason").is_none());
        let reason = metadata.get_bin("partnership-reason-bin").unwrap().to_bytes().unwrap();
        assert_eq!(reason, "ратифицировано".as_bytes());
    }

    #[test]
    fn text_that_a_header_would_change_is_sent_as_bytes_and_empty_text_not_at_all() {
        let metadata = Caller { actor: String::new(), reason: "two\nlines".into() }.metadata();
        assert_eq!(metadata.len(), 1);
        assert!(metadata.get_bin("partnership-reason-bin").is_some());
    }
}
