//! What a payload of the journal holds. The same messages as the public Commit, with the same field
//! numbers, so that a stored commit can be answered as it lies; the fields that are filled in when a
//! commit is read are left out here, and the envelope of a resource stays the bytes it was written as.

use bytes::Bytes;

/// One commit as it is stored. A name changes at most once in it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Record {
    /// Its place in the order of all commits.
    #[prost(uint64, tag = "1")]
    pub revision: u64,
    /// When it was made.
    #[prost(message, optional, tag = "2")]
    pub commit_time: Option<prost_types::Timestamp>,
    /// Who made it.
    #[prost(string, tag = "3")]
    pub actor: String,
    /// Why it was made.
    #[prost(string, tag = "4")]
    pub reason: String,
    /// The request's id, a canonical lower-case UUID, or empty.
    #[prost(string, tag = "5")]
    pub request_id: String,
    /// The fingerprint of the request, 16 bytes, or empty.
    #[prost(bytes = "bytes", tag = "6")]
    pub request_hash: Bytes,
    // 7 and 8, the parent's hash and its own, are the journal's.
    /// What it changed.
    #[prost(message, repeated, tag = "9")]
    pub changes: Vec<RecordChange>,
}

/// One change of one resource.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RecordChange {
    /// 1 create, 2 update, 3 delete, 4 undelete.
    #[prost(int32, tag = "1")]
    pub action: i32,
    /// The resource's name. Never holds a NUL.
    #[prost(string, tag = "2")]
    pub name: String,
    /// The revision at which the resource changed before; 0 if it never did. The state's checksum
    /// leans on it.
    #[prost(uint64, tag = "3")]
    pub previous_revision: u64,
    // 4, the resource before, is read from the previous revision.
    /// The encoded envelope of the resource after the change.
    #[prost(bytes = "bytes", tag = "5")]
    pub after: Bytes,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]
mod tests {
    use super::*;
    use prost::Message as _;

    #[test]
    fn a_record_reads_back_and_keeps_its_field_numbers() {
        let record = Record {
            revision: 3,
            commit_time: Some(prost_types::Timestamp { seconds: 1, nanos: 2 }),
            actor: "a".to_owned(),
            reason: "r".to_owned(),
            request_id: "q".to_owned(),
            request_hash: Bytes::from_static(&[5]),
            changes: vec![RecordChange {
                action: 1,
                name: "n".to_owned(),
                previous_revision: 2,
                after: Bytes::from_static(&[6]),
            }],
        };
        let bytes = record.encode_to_vec();
        let expected = b"\x08\x03\x12\x04\x08\x01\x10\x02\x1a\x01a\x22\x01r\x2a\x01q\x32\x01\x05\x4a\x0a\x08\x01\x12\x01n\x18\x02\x2a\x01\x06";
        assert_eq!(bytes, expected);
        assert_eq!(Record::decode(bytes.as_slice()).unwrap(), record);
    }
}
