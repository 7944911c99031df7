//! The demonstration partnership that `--demo` loads into an empty registry: what a news report of 2025-10-02 tells of a
//! meeting in Tehran, and nothing that it does not. What is an example is labelled so.

use partnership_registry::descriptors;
use partnership_registry::v1::{CommitRequest, CreateMutation, Mutation, Resource, mutation};
use prost::Message as _;
use prost_reflect::DynamicMessage;

use crate::api;
use crate::registry::Registry;

/// One resource a line, in canonical protobuf JSON.
const PARTNERSHIP: &str = include_str!("demo.ndjson");

/// Loads the demonstration partnership in one commit, as any caller would; unless the registry holds anything.
pub async fn load(registry: &Registry) -> Result<(), Box<dyn std::error::Error>> {
    if registry.head() > 0 {
        tracing::info!("the registry holds something already: the demonstration is not loaded");
        return Ok(());
    }
    let envelope =
        descriptors().get_message_by_name("partnership.registry.v1.Resource").ok_or("no message Resource")?;
    let mut mutations = Vec::new();
    for line in PARTNERSHIP.lines() {
        let mut json = serde_json::Deserializer::from_str(line);
        let message = DynamicMessage::deserialize(envelope.clone(), &mut json)?;
        let resource = Some(Resource::decode(message.encode_to_vec().as_slice())?);
        mutations.push(Mutation { operation: Some(mutation::Operation::Create(CreateMutation { resource })) });
    }
    let request = CommitRequest {
        mutations,
        reason: "the demonstration partnership, from a news report of 2025-10-02".into(),
        ..CommitRequest::default()
    };
    let done = api::commit_as_system(registry, "demo", request).await?;
    tracing::info!(revision = done.revision, resources = done.results.len(), "the demonstration is loaded");
    Ok(())
}
