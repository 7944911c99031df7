//! Speaks gRPC: turns requests into what the registry takes and answers into messages, and decides nothing.
//!
//! Every call comes in by `call`, the one door, and goes to the handler of its method: those of `standard` are for all
//! kinds, the others for one method each. `convert` and `status` are how answers and errors are told.

mod blocking;
mod call;
mod caller;
mod commit;
mod convert;
mod export;
mod history;
mod request_log;
mod standard;
mod status;
mod watch;

use std::future::Future;
use std::time::Duration;

use partnership_registry::v1::{CommitRequest, CommitResponse};
use tokio::sync::watch as signal;
use tonic::Status;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;

use crate::config::MESSAGE_BYTES_MAX;
use crate::registry::{Error, Registry};
use call::Handle as _;
use caller::Caller;

/// A commit as the contract tells it.
pub(crate) use convert::commit as commit_message;

/// Completes the answers of tonic's own making: see `status`.
pub(crate) use status::complete;

/// What the services share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) registry: Registry,
    /// Becomes `true` when the server drains: streams end then.
    pub(crate) draining: signal::Receiver<bool>,
    /// How long a watch may be silent.
    pub(crate) heartbeat_every: Duration,
}

/// Commits what the registry itself wants to, as `system/{name}`.
pub(crate) async fn commit_as_system(
    registry: &Registry,
    name: &str,
    request: CommitRequest,
) -> Result<CommitResponse, Status> {
    let (_, draining) = signal::channel(false);
    let api = Api { registry: registry.clone(), draining, heartbeat_every: Duration::MAX };
    api.handle(&Caller::system(name), request).await
}

macro_rules! services {
    ($({ $module:ident $Server:ident })*) => {
        /// Adds all services of the contract, and answers their names.
        pub(crate) fn add_services(routes: &mut RoutesBuilder, api: &Api) -> Vec<&'static str> {
            vec![$({
                use partnership_registry::v1::$module::$Server;
                routes.add_service($Server::new(api.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX));
                <$Server<Api> as NamedService>::NAME
            }),*]
        }
    };
}

partnership_registry::for_each_service!(services);

/// What `work` gives; or UNAVAILABLE as soon as the server drains, which does not wait for streams.
async fn unless_drained<T>(
    draining: &mut signal::Receiver<bool>,
    work: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    tokio::select! {
        _ = draining.wait_for(|draining| *draining) => Err(Error::Draining.into()),
        done = work => done,
    }
}
