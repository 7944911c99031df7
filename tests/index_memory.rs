//! The index has its memory and no more: what would make it grow is refused, what does not goes on, and a start that it
//! cannot hold ends with what to do.

use std::path::Path;
use std::process::Command;

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{
    Country, CreateCountryRequest, DeleteCountryRequest, GetCountryRequest, ListCountriesRequest,
};
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::Channel;
use tonic_types::StatusExt as _;

use crate::harness::process::{DEADLINE, Process};
use crate::harness::within;

/// Far more than fit.
const COUNTRIES_MAX: usize = 20_000;

fn with_index(mib: &'static str) -> impl Fn(&mut Command) {
    move |command| {
        command.args(["--index-mib", mib]);
    }
}

/// Creates countries until one is refused; answers how many there are then.
async fn fill(countries: &mut CountryServiceClient<Channel>) -> usize {
    for number in 0..COUNTRIES_MAX {
        // Each with values that no other has.
        let country = Country {
            display_name: format!("{number} {}", "a long name ".repeat(40)),
            labels: [("number".to_owned(), number.to_string())].into(),
            ..Country::default()
        };
        let request =
            CreateCountryRequest { country_id: format!("c{number}"), country: Some(country), ..Default::default() };
        let Err(refused) = within(countries.create_country(request)).await else { continue };
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        let info = refused.get_error_details().error_info().cloned().unwrap();
        assert_eq!((info.reason.as_str(), info.metadata["mibMax"].as_str()), ("INDEX_FULL", "2"));
        let told = "the index of the registry takes 2 MiB of memory and may take 2; nothing was written; its operator has \
                    to give it more";
        assert_eq!(refused.message(), told);
        return number;
    }
    panic!("{COUNTRIES_MAX} countries find room in 2 MiB");
}

fn refused_start(data: &Path, mib: &'static str) -> String {
    match Process::try_start(data, with_index(mib)) {
        Err(ended) => ended.log,
        // What the documents need is known only when they have been read.
        Ok(process) => process.ended_within(DEADLINE).unwrap_or_else(|_| panic!("it serves with {mib} MiB")).log,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_without_memory_takes_deletions_and_reads_and_nothing_that_grows() {
    let data = TempDir::new().unwrap();
    let server = Process::start_with(data.path(), with_index("2"));
    let mut countries = CountryServiceClient::new(server.channel().await);
    let count = fill(&mut countries).await;
    assert!(count > 500, "{count}");

    let named = |number: usize| format!("countries/c{number}");
    let deletion = DeleteCountryRequest { name: named(0), ..Default::default() };
    within(countries.delete_country(deletion)).await.unwrap();
    let read = within(countries.get_country(GetCountryRequest { name: named(1), ..Default::default() })).await.unwrap();
    let change = partnership_registry::v1::UpdateCountryRequest {
        country: Some(Country { description: "more".into(), ..read.into_inner() }),
        ..Default::default()
    };
    assert_eq!(within(countries.update_country(change)).await.unwrap_err().code(), Code::ResourceExhausted);
    let filter = "labels.number = \"7\"".to_owned();
    let page = within(countries.list_countries(ListCountriesRequest { filter, ..Default::default() })).await.unwrap();
    assert_eq!(page.into_inner().total_size, 1);
    drop(countries);
    server.stop();

    let told = refused_start(data.path(), "1");
    let error = "and may take 1 MiB; give it more (--index-mib)";
    assert!(told.contains("error: the index needs ") && told.contains(error), "{told}");

    let server = Process::start_with(data.path(), with_index("64"));
    let mut countries = CountryServiceClient::new(server.channel().await);
    let page = within(countries.list_countries(ListCountriesRequest::default())).await.unwrap().into_inner();
    assert_eq!(page.total_size as usize, count - 1, "nothing was lost");
    let country = Some(Country { display_name: "One more".into(), ..Country::default() });
    within(countries.create_country(CreateCountryRequest { country, ..Default::default() })).await.unwrap();
    assert!(server.log().contains("memory of the index"), "{}", server.log());
}
