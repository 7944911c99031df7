//! A disk that fails, fills up, or may not be written: what still works goes on, what does not says so, and nothing that
//! was acknowledged is lost.

mod reads;

use std::path::Path;

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{Country, CreateCountryRequest};
use tonic::Status;
use tonic::transport::Channel;

use crate::harness::process::Process;

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
