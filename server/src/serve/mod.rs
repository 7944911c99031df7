//! Serving: a listener, the services, and the end. `serve` returns when it was told to stop and all connections have ended.
//!
//! `accept` takes connections as long as there are `places`; each is served by `connection` over a `wire` whose `traffic`
//! is followed by its `frames`, and its calls are `metered`: by their `request_body` and their `answer_body`. `seldom` keeps
//! them from flooding the log.

mod accept;
mod answer_body;
mod connection;
mod frames;
mod health;
mod metered;
mod places;
mod request_body;
mod seldom;
mod traffic;
mod turns;
mod wire;

use std::future::Future;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::service::RoutesBuilder;
use tower::util::MapResponse;

use crate::api::{self, Api};
use crate::budget::Budget;
use crate::config::{Config, LimitsConfig};
use crate::faults;
use crate::registry::Registry;
use accept::accept;
use connection::Connections;
use metered::Routes;
use places::Places;

pub use health::{
    JOURNAL as HEALTH_OF_JOURNAL, READS as HEALTH_OF_READS, STATE as HEALTH_OF_STATE, WRITES as HEALTH_OF_WRITES,
};

/// Why serving failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The contract's descriptors do not serve for reflection.
    #[error("reflection could not be set up: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves `registry` on `listener` until `shutdown` is done; then drains: health says so, streams end, and requests get
/// `config.serving.drain_grace` to end. A connection without open requests ends at once. The registry stays open.
pub async fn serve(
    listener: TcpListener,
    registry: Registry,
    config: &Config,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let (drain, draining) = watch::channel(false);
    let api =
        Api { registry: registry.clone(), draining: draining.clone(), heartbeat_every: config.serving.heartbeat_every };

    let (mut health, health_service) = tonic_health::server::health_reporter();
    let mut routes = RoutesBuilder::default();
    // Many tools still ask in the way of the older version.
    routes.add_service(health_service).add_service(reflection().build_v1()?).add_service(reflection().build_v1alpha()?);
    let names = api::add_services(&mut routes, &api);
    let mut told = vec![
        health::tell(health.clone(), health::WRITES, registry.writing(), health::writes_are_taken).await,
        health::tell(health.clone(), health::STATE, registry.state_health(), health::state_is_well).await,
        health::tell(health.clone(), health::JOURNAL, registry.journal_health(), health::journal_is_well).await,
        health::try_reads(registry.clone()),
    ];
    for name in names.iter().chain(&["", health::READS]) {
        told.push(health::tell(health.clone(), name, registry.reads_work(), health::reads_work).await);
    }

    let routes: Routes = MapResponse::new(routes.routes().prepare(), api::complete);
    let LimitsConfig { budget_bytes, connection_budget_bytes, streams_max, .. } = config.limits;
    let budget = Budget::new(budget_bytes, connection_budget_bytes);
    let connections = Connections::new(routes, budget, streams_max, draining);
    tokio::select! {
        never = accept(listener, places(&config.limits), &connections) => match never {},
        () = shutdown => {}
    }

    let grace = config.serving.drain_grace;
    tracing::info!(grace_seconds = grace.as_secs(), "draining");
    for told in told {
        told.abort();
        let _ = told.await;
    }
    let known = || names.iter().chain(&["", health::READS, health::WRITES, health::STATE, health::JOURNAL]);
    for name in known() {
        health.set_service_status(name, tonic_health::ServingStatus::NotServing).await;
    }
    drain.send_replace(true);
    // Whoever watches the health is told, and then let go.
    for name in known() {
        health.clear_service_status(name).await;
    }
    connections.end(grace).await;
    Ok(())
}

fn places(limits: &LimitsConfig) -> Places {
    if faults::planted("connections-without-limit").is_some() {
        return Places::new(usize::MAX, usize::MAX);
    }
    let count = |max: u32| usize::try_from(max).unwrap_or(usize::MAX);
    Places::new(count(limits.connections_max), count(limits.connections_per_peer_max))
}

/// What reflection tells of, in either version: the contract, health, and both versions of itself.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(partnership_registry::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET)
        .include_reflection_service(false)
}
