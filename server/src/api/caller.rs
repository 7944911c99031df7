//! Who asks, and why: metadata of a request.
//!
//! Until callers are authenticated, `partnership-actor` is what the caller says of itself.

use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::registry::Error;

/// Who asks, and why.
#[derive(Debug, Default)]
pub(crate) struct Caller {
    pub(crate) actor: String,
    pub(crate) reason: String,
}

impl Caller {
    /// Reads `partnership-actor` and `partnership-reason`, or their `-bin` forms for text that is not ASCII.
    pub(crate) fn of(metadata: &MetadataMap) -> Result<Self, Status> {
        Ok(Self { actor: text(metadata, "partnership-actor")?, reason: text(metadata, "partnership-reason")? })
    }
}

fn text(metadata: &MetadataMap, key: &'static str) -> Result<String, Status> {
    let binary = format!("{key}-bin");
    let bytes = match (metadata.get(key), metadata.get_bin(binary.as_str())) {
        (_, Some(value)) => value.to_bytes().map_err(|_| refuse(key))?,
        (Some(value), None) => bytes::Bytes::copy_from_slice(value.as_bytes()),
        (None, None) => return Ok(String::new()),
    };
    String::from_utf8(bytes.into()).map_err(|_| refuse(key))
}

fn refuse(key: &str) -> Status {
    Error::invalid(key, format!("must be text; send UTF-8 as {key}-bin")).into()
}
