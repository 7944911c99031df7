//! Serving: a listener, the services, and the end. `serve` returns when it is told to stop and all has ended well.

mod accept;
mod answer_body;
mod connection;
mod health;
mod metered;
mod request_body;
mod wire;

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::RoutesBuilder;
use tower::Layer as _;
use tower::util::MapResponseLayer;

use self::accept::Caps;
use self::connection::Shared;
use crate::api::{self, Api};
use crate::budget::Budget;
use crate::config::Config;
use crate::registry::Registry;

pub use health::{JOURNAL as HEALTH_OF_JOURNAL, STATE as HEALTH_OF_STATE};

/// How long the registry gets to close, after the grace: with what follows, the process ends within two seconds.
const CLOSE_WAIT_MAX: Duration = Duration::from_millis(1_300);

/// Why serving failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
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
    let told = [
        health::tell(health.clone(), health::STATE, registry.state_health(), health::state_is_well).await,
        health::tell(health.clone(), health::JOURNAL, registry.journal_health(), health::journal_is_well).await,
    ];

    let routes = MapResponseLayer::new(api::complete as fn(_) -> _).layer(routes.routes().prepare());
    let shared = Shared {
        routes,
        budget: Budget::new(config.limits.budget_bytes, config.limits.connection_budget_bytes),
        streams_max: config.limits.streams_max,
        draining,
    };
    let (caps, connections, cut) = (Caps::new(&config.limits), TaskTracker::new(), CancellationToken::new());
    let accepting = accept::accept(&listener, &caps, |stream, place| {
        let serving = connection::serve(stream, shared.clone());
        connections.spawn(cut.clone().run_until_cancelled_owned(async move {
            let end = serving.await;
            tracing::debug!(peer = %place.peer, cause = std::error::Error::source(&end), "{end}");
        }));
    });
    tokio::select! {
        () = accepting => {}
        () = shutdown => {}
    }
    // What is left in its queue is refused by the system.
    drop(listener);

    tracing::info!(grace_seconds = config.serving.drain_grace.as_secs(), "draining");
    for told in told {
        told.abort();
        let _ = told.await;
    }
    health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    for name in names.iter().chain(&[health::STATE, health::JOURNAL]) {
        health.set_service_status(name, tonic_health::ServingStatus::NotServing).await;
    }
    drain.send_replace(true);
    // Whoever watches the health is told, and then let go.
    for name in names.iter().chain(&["", health::STATE, health::JOURNAL]) {
        health.clear_service_status(name).await;
    }
    connections.close();
    if tokio::time::timeout(config.serving.drain_grace, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "some connections did not end in time and are cut");
        cut.cancel();
        connections.wait().await;
    }
    close(registry).await;
    Ok(())
}

/// Closes the registry, by a thread of its own: those of the runtime may all be busy.
async fn close(registry: Registry) {
    let (done, closed) = oneshot::channel();
    let closing = std::thread::Builder::new().name("close".into()).spawn(move || {
        registry.close();
        let _ = done.send(());
    });
    if let Err(error) = closing {
        tracing::error!(%error, "the registry could not be closed; nothing is lost by that");
    } else if !matches!(tokio::time::timeout(CLOSE_WAIT_MAX, closed).await, Ok(Ok(()))) {
        tracing::warn!("the registry was not closed in time; nothing is lost by that");
    }
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
