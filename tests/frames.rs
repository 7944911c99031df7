//! What is wrong with the frames of a request is the fault of its caller, and is told as such.

use bytes::Bytes;
use partnership_registry::v1::GetCountryRequest;
use tonic::{Code, Status};

use crate::attacks::calls::{Connection, taken};
use crate::harness::process::Process;
use crate::harness::{refusal, within};

const PATH: &str = "/partnership.registry.v1.CountryService/GetCountry";

/// What is sent, and how it is to be answered.
fn table() -> Vec<(&'static str, Vec<u8>, Code, &'static str)> {
    let framed = |flag: u8, length: u32, rest: &[u8]| [&[flag][..], &length.to_be_bytes(), rest].concat();
    let malformed = Code::InvalidArgument;
    // Decoded, these would take a thousand times their bytes.
    let two_million_parts = framed(0, 4 << 20, &[0x12, 0].repeat(2 << 20));
    vec![
        ("nothing at all", vec![], malformed, "MESSAGE_MALFORMED"),
        ("half the head of a frame", vec![0, 0, 0], malformed, "MESSAGE_MALFORMED"),
        ("half a message", framed(0, 10, b"half"), malformed, "MESSAGE_MALFORMED"),
        ("compressed by no method", framed(1, 2, b"\x0a\x00"), malformed, "MESSAGE_MALFORMED"),
        ("a flag that is none", framed(2, 2, b"\x0a\x00"), malformed, "MESSAGE_MALFORMED"),
        ("no message", framed(0, 3, b"\xff\xff\xff"), malformed, "MESSAGE_MALFORMED"),
        ("two million empty parts", two_million_parts, Code::ResourceExhausted, "MESSAGE_TOO_LARGE"),
        ("more than the limit", framed(0, (4 << 20) + 1, b""), Code::ResourceExhausted, "MESSAGE_TOO_LARGE"),
        ("more than there can be", framed(0, u32::MAX, b""), Code::ResourceExhausted, "MESSAGE_TOO_LARGE"),
    ]
}

/// The codes and reasons with which all of them are answered.
async fn answers(faults: &str) -> Vec<(Code, String)> {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), |command| {
        command.env("PARTNERSHIP_TEST_FAULTS", faults);
    });
    let mut connection = Connection::open(server.address, 65_535).await;
    let mut answers = Vec::new();
    for (what, body, ..) in table() {
        let answer = connection.send(PATH, &[], Bytes::from(body)).await;
        let (status, _) = within(taken(answer)).await.unwrap_or_else(|| panic!("{what}: no answer"));
        answers.push((status.code(), refusal(&status).reason));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_frames_are_told_as_faults_of_the_caller() {
    for ((what, _, code, reason), answer) in table().into_iter().zip(answers("").await) {
        assert_eq!(answer, (code, reason.to_owned()), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_are_told_as_faults_of_the_server_are_noticed() {
    let answers = answers("frames-internal").await;
    assert_eq!(answers.iter().filter(|(code, _)| *code == Code::Internal).count(), 5, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_headers_that_end_their_stream() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let mut connection = Connection::open(server.address, 65_535).await;
    let answer = within(connection.call(PATH, &GetCountryRequest::default()).await).await.unwrap();
    assert!(Status::from_header_map(answer.headers()).is_some(), "{answer:?}");
    // Not even an empty frame may come behind them: the libraries of other languages take that for a broken answer.
    assert!(answer.body().is_end_stream());
}
