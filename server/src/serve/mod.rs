//! Serving: a listener, the services, and the end. `serve` returns when it is told to stop and all has ended well.

mod health;

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::util::MapResponseLayer;

use crate::api::{self, Api};
use crate::config::{self, Config};
use crate::registry::Registry;

pub use health::STATE as HEALTH_OF_STATE;

/// Why serving failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The transport failed.
    #[error("the listener failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The contract's descriptors do not serve for reflection.
    #[error("reflection could not be set up: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves `registry` on `listener` until `shutdown` is done; then drains: health says so, streams end, requests get
/// `config.serving.drain_grace` to end, and the registry is closed.
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
    for name in &names {
        health.set_service_status(name, tonic_health::ServingStatus::Serving).await;
    }
    let state_told = health::tell_state(health.clone(), registry.state_health()).await;

    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder()
        // tonic passes on "no limit" unless it is told otherwise, and so turns off those that hyper has.
        .max_concurrent_streams(Some(config.limits.streams_max))
        .http2_max_local_error_reset_streams(Some(config::LOCAL_ERROR_RESETS_MAX))
        .http2_keepalive_interval(Some(config::KEEPALIVE_EVERY))
        .http2_keepalive_timeout(Some(config::KEEPALIVE_TIMEOUT))
        .layer(MapResponseLayer::new(api::complete))
        .add_routes(routes.routes())
        .serve_with_incoming_shutdown(incoming, wait_for(draining));
    tokio::pin!(server);

    let served = tokio::select! {
        served = &mut server => served,
        () = shutdown => {
            tracing::info!(grace_seconds = config.serving.drain_grace.as_secs(), "draining");
            state_told.abort();
            let _ = state_told.await;
            health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
            for name in names.iter().chain(&[health::STATE]) {
                health.set_service_status(name, tonic_health::ServingStatus::NotServing).await;
            }
            drain.send_replace(true);
            // Whoever watches the health is told, and then let go.
            for name in names.iter().chain(&["", health::STATE]) {
                health.clear_service_status(name).await;
            }
            // A silent connection can hold a graceful end up for ever.
            tokio::time::timeout(config.serving.drain_grace.max(Duration::from_millis(100)), &mut server).await.unwrap_or_else(|_| {
                tracing::warn!("some connections did not end in time and are cut");
                Ok(())
            })
        }
    };
    if tokio::task::spawn_blocking(move || registry.close()).await.is_err() {
        tracing::error!("the registry could not be closed");
    }
    Ok(served?)
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

async fn wait_for(mut draining: watch::Receiver<bool>) {
    let _ = draining.wait_for(|draining| *draining).await;
}
