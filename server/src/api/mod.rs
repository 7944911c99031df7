//! Floor 3: speaks gRPC. It turns requests into what the registry takes and answers into messages, and nothing more.
//!
//! `standard` is the standard methods, once for all kinds; `registry_service` goes across kinds; `status` is the one
//! table of errors.

mod caller;
mod registry_service;
mod standard;
mod status;
mod watch;

use std::time::Duration;

use partnership_registry::v1::registry_service_server::RegistryServiceServer;
use tokio::sync::watch as signal;
use tonic::server::NamedService as _;
use tonic::service::RoutesBuilder;

use crate::registry::Registry;

/// What the services share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) registry: Registry,
    /// Becomes `true` when the server drains: streams end then.
    pub(crate) draining: signal::Receiver<bool>,
    /// How long a watch may be silent.
    pub(crate) heartbeat_every: Duration,
}

impl Api {
    /// For a caller in this process.
    pub(crate) fn local(registry: &Registry) -> Self {
        let (_, draining) = signal::channel(false);
        Self { registry: registry.clone(), draining, heartbeat_every: Duration::from_secs(10) }
    }
}

/// A commit as the contract tells it.
pub(crate) use registry_service::commit as commit_message;

/// Completes the answers of tonic's own making: see `status`.
pub(crate) use status::complete;

/// Adds all services of the contract, and answers their names.
pub(crate) fn add_services(routes: &mut RoutesBuilder, api: &Api) -> Vec<&'static str> {
    let mut names = standard::add_kind_services(routes, api);
    routes.add_service(
        RegistryServiceServer::new(api.clone()).max_decoding_message_size(crate::config::MESSAGE_BYTES_MAX),
    );
    names.push(RegistryServiceServer::<Api>::NAME);
    names
}

/// Waits until the server drains.
pub(crate) async fn drained(draining: &mut signal::Receiver<bool>) {
    // The guard must not live across an await: it is dropped here, before anybody waits again.
    let _ = draining.wait_for(|draining| *draining).await.map(|guard| *guard);
}
