//! Attacks on the real binary, each beside a client that behaves: what is slow, silent, unread or too much is held back or
//! closed, and nobody else notices. Each is also run against a planted fault, to see that it would be noticed.

pub(crate) mod calls;
mod descriptors;
mod ending;
mod floods;
mod memory;
mod places;
mod raw;
mod slow;
mod trickle;
mod unread_answers;
mod unread_streams;
mod untaken;

use std::path::Path;

use partnership_registry::v1::Country;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use tokio::sync::{Mutex, MutexGuard};

use crate::harness::process::Process;
use crate::service::{commit, country, create};

/// Held by a test that measures times or takes the machine for itself: they run one at a time.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// A server with planted faults, such as `one;other=argument`; none if it is empty. `flags` are further arguments.
fn start(data: &Path, faults: &str, flags: &[&str]) -> Process {
    Process::start_with(data, |command| {
        command.args(["--cache-mib", "16"]).args(flags).env("PARTNERSHIP_TEST_FAULTS", faults);
    })
}

/// Creates countries of ten kilobytes, in one commit.
async fn fill(server: &Process, count: usize) {
    let country = |number| Country { description: "d".repeat(10_000), ..country(&format!("filler-{number}")) };
    let mut registry = RegistryServiceClient::new(server.channel().await);
    commit(&mut registry, (0..count).map(|number| create(country(number))).collect()).await.unwrap();
}
