//! What `grpc.health.v1` tells: the server and every service of the contract serve as long as reads work, from the start
//! to the drain and whatever sled does, since the journal answers in its place. How writes, reads, sled and the journal do
//! is told under names of their own: [`WRITES`], [`READS`], [`STATE`] and [`JOURNAL`].

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::registry::{JournalHealth, Registry, StateHealth, Writing};

/// The name under which it is told whether reads work. They do not once one after another has failed on the disk, and do
/// again once one succeeds; while nobody reads, the server does.
pub const READS: &str = "store.reads";

/// The name under which it is told whether writes are taken: `NOT_SERVING` while the disk is full or may only be read, or
/// no descriptor is left, and from a failed write to the next start. For whoever has to know before a write; for readiness
/// only of a server that is of no use without writes.
pub const WRITES: &str = "store.writes";

/// How often reading is tried while it does not work: as soon as it does, the server is to be asked again.
const TRY_READS_EVERY: Duration = Duration::from_secs(1);

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

/// Reads now and then while reads do not work: nobody may ask a server that says so.
pub(super) fn try_reads(registry: Registry) -> JoinHandle<()> {
    let mut works = registry.reads_work();
    tokio::spawn(async move {
        while works.wait_for(|works| !works).await.is_ok() {
            tokio::time::sleep(TRY_READS_EVERY).await;
            let registry = registry.clone();
            // A disk that fails may take its time, so no worker waits for it.
            let _ = tokio::task::spawn_blocking(move || registry.try_read()).await;
        }
    })
}

/// Whether writes are taken.
pub(super) fn writes_are_taken(writing: &Writing) -> bool {
    match writing {
        Writing::Taken => true,
        Writing::Refused(_) | Writing::Stopped(_) => false,
    }
}

/// Whether reads work.
pub(super) fn reads_work(works: &bool) -> bool {
    *works
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
