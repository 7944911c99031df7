//! A disk that fails, fills up, or may not be written: what still works goes on, what does not says so, and nothing that
//! was acknowledged is lost.

mod full;
mod keeping;
mod mounts;
mod read_only;
mod reads;
mod stopped;

use std::path::Path;

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{Country, CreateCountryRequest};
use tonic::Status;
use tonic::transport::Channel;

use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::process::Process;
use crate::harness::{until, within};

/// A server on which faults are planted.
fn start_with_faults(data: &Path, faults: &str) -> Process {
    Process::start_with(data, |command| {
        command.env("PARTNERSHIP_TEST_FAULTS", faults);
    })
}

/// A country whose document has about so many bytes.
async fn create(channel: &Channel, id: &str, bytes: usize) -> Result<Country, Status> {
    let country = Country { display_name: id.to_owned(), description: "d".repeat(bytes), ..Country::default() };
    let request = CreateCountryRequest { country_id: id.to_owned(), country: Some(country), ..Default::default() };
    CountryServiceClient::new(channel.clone()).create_country(request).await.map(tonic::Response::into_inner)
}

/// What the server says of a name.
async fn status(channel: &Channel, service: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: service.to_owned() };
    within(HealthClient::new(channel.clone()).check(request)).await.unwrap().into_inner().status()
}

/// Waits until the server says so, both when it is asked and to whoever watches.
async fn until_status(channel: &Channel, service: &str, wanted: ServingStatus) {
    let request = HealthCheckRequest { service: service.to_owned() };
    let mut watching = within(HealthClient::new(channel.clone()).watch(request)).await.unwrap().into_inner();
    while within(watching.message()).await.unwrap().unwrap().status() != wanted {}
    until("it to be told as it is watched", async || (status(channel, service).await == wanted).then_some(())).await;
}

/// Waits until the log has all of these: it is written a moment behind.
async fn until_logged(server: &Process, texts: &[&str]) {
    let told = until("a line of the log", async || texts.iter().all(|text| server.log().contains(text)).then_some(()));
    told.await;
}
