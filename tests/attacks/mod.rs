//! Attacks on the real binary, each beside a client that behaves: what is slow, silent, unread or too much is held back or
//! closed, and nobody else notices. Each is also run against a planted fault, to see that it would be noticed.

mod descriptors;
mod ending;
mod floods;
mod places;
mod raw;
mod slow;
mod unread_streams;
mod untaken;

use std::path::Path;

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{Country, CreateCountryRequest};
use tokio::sync::{Mutex, MutexGuard};

use crate::harness::process::Process;

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

/// Creates countries of ten kilobytes.
async fn fill(server: &Process, count: usize) {
    let mut countries = CountryServiceClient::new(server.channel().await);
    for number in 0..count {
        let country = Country {
            display_name: format!("Country {number}"),
            description: "d".repeat(10_000),
            ..Country::default()
        };
        let request = CreateCountryRequest {
            country_id: format!("filler-{number}"),
            country: Some(country),
            ..CreateCountryRequest::default()
        };
        countries.create_country(request).await.unwrap();
    }
}
