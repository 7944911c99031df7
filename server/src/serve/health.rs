//! What `grpc.health.v1` tells: every service of the contract serves from the start to the drain, whatever sled does,
//! since the journal answers in its place. How sled does is told under a name of its own, [`STATE`].

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::registry::StateHealth;

/// The name under which it is told whether reads are served from sled, as they should be: `SERVING` when sled goes with
/// the journal; `NOT_SERVING` while it is opened, rebuilt or caught up, or a call into it does not come back, or it is not
/// used until a restart. The log says which. Not for readiness: the server answers either way.
pub const STATE: &str = "store.state";

/// Tells how sled does, now and whenever that changes. The name is known once this returns.
pub(super) async fn tell_state(reporter: HealthReporter, mut state: watch::Receiver<StateHealth>) -> JoinHandle<()> {
    let status = status_of(&state.borrow_and_update());
    reporter.set_service_status(STATE, status).await;
    tokio::spawn(async move {
        while state.changed().await.is_ok() {
            let status = status_of(&state.borrow_and_update());
            reporter.set_service_status(STATE, status).await;
        }
    })
}

fn status_of(state: &StateHealth) -> ServingStatus {
    if state.is_well() { ServingStatus::Serving } else { ServingStatus::NotServing }
}
