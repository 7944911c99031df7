//! Get and BatchGet: at the head and in the past, deleted ones too, and cheaply for those who have the answer already.

use prost_reflect::Value;
use tonic::Code;

use super::suite::{Suite, body, names};
use crate::harness::dynamic::{get, message, messages, number, string, strings, text};
use crate::harness::refused;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_created_is_read_again_whole() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let sent = suite.sampler.resource(kind, super::sample::Fill::All, 0);
        let made = suite.create_all(kind, 0).await;
        assert_eq!(body(kind, &made), body(kind, &sent), "{}", kind.name());
        assert_eq!(suite.get(kind, &text(&made, "name")).await.unwrap(), made, "{}", kind.name());
    }
}
