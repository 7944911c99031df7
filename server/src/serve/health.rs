//! What `grpc.health.v1` tells: every service of the contract serves from the start to the drain, whatever sled does,
//! since the journal answers in its place. How sled and the journal do is told under names of their own, [`STATE`] and
//! [`JOURNAL`].

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::registry::{JournalHealth, StateHealth};

/// The name under which it is told whether reads are served from sled, as they should be: `SERVING` when sled goes with
/// the journal; `NOT_SERVING` while it is opened, rebuilt or caught up, or a call into it does not come back, or it is not
/// used until a restart. The log says which. Not for readiness: the server answers either way.
pub const STATE: &str = "store.state";

/// The name under which it is told whether the journal is as it was written: `NOT_SERVING` once damage was found in it, or
/// when it could not be verified to its end. The log says where, and what to do. What is not damaged is served, so this is
/// not for readiness either; but the next start refuses a damaged journal.
pub const JOURNAL: &str = "store.journal";

/// Tells under `name` whether something is well, now and whenever that changes. The name is known once this returns.
pub(super) async fn tell<T: Send + Sync + 'static>(
    reporter: HealthReporter,
    name: &'static str,
    mut told: watch::Receiver<T>,
    is_well: fn(&T) -> bool,
) -> JoinHandle<()> {
    let status = status_of(is_well(&told.borrow_and_update()));
    reporter.set_service_status(name, status).await;
    tokio::spawn(async move {
        while told.changed().await.is_ok() {
            let status = status_of(is_well(&told.borrow_and_update()));
            reporter.set_service_status(name, status).await;
        }
    })
}

/// Whether reads are served from sled.
pub(super) fn state_is_well(state: &StateHealth) -> bool {
    state.is_well()
}

/// Whether nothing is known against the journal.
pub(super) fn journal_is_well(journal: &JournalHealth) -> bool {
    match journal {
        JournalHealth::Verifying | JournalHealth::Verified => true,
        JournalHealth::Damaged(_) | JournalHealth::Unverified(_) => false,
    }
}

fn status_of(is_well: bool) -> ServingStatus {
    if is_well { ServingStatus::Serving } else { ServingStatus::NotServing }
}
