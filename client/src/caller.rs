//! Who calls, and why: sent as metadata with every call.

use tonic::metadata::{AsciiMetadataValue, BinaryMetadataValue, MetadataMap};

/// Who calls, and why. Empty: not said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    pub(crate) actor: String,
    pub(crate) reason: String,
}

impl Caller {
    /// The metadata that say so.
    pub(crate) fn metadata(&self) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        insert(&mut metadata, "partnership-actor", "partnership-actor-bin", &self.actor);
        insert(&mut metadata, "partnership-reason", "partnership-reason-bin", &self.reason);
        metadata
    }
}

/// A text that a header cannot hold as it is goes as UTF-8 bytes, under the name that says so.
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
    fn plain_text_goes_as_it_is_and_other_text_as_bytes() {
        let caller = Caller { actor: "jane@example.org".into(), reason: "ратифицировано".into() };
        let metadata = caller.metadata();
        assert_eq!(metadata.get("partnership-actor").unwrap(), "jane@example.org");
        assert!(metadata.get("partnership-reason").is_none());
        let reason = metadata.get_bin("partnership-reason-bin").unwrap().to_bytes().unwrap();
        assert_eq!(reason, "ратифицировано".as_bytes());
    }

    #[test]
    fn what_a_header_would_bend_goes_as_bytes_and_nothing_is_sent_for_nothing() {
        let metadata = Caller { actor: String::new(), reason: "two\nlines".into() }.metadata();
        assert_eq!(metadata.len(), 1);
        assert!(metadata.get_bin("partnership-reason-bin").is_some());
    }
}
