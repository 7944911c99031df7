//! No room: a disk that takes no more, and a process that gets no more descriptors. Writes are refused as long as it
//! lasts, reads go on, nothing that was acknowledged is lost, and writing goes on by itself once there is room.
//!
//! Both are limits of the process, set and lifted while it runs: a limit on the size of files fails a write as a full
//! disk does.

use std::collections::BTreeMap;
use std::process::Command;

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{Country, CreateCountryRequest, GetCountryRequest};
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::harness::process::Process;
use crate::harness::{refusal, until};

type Countries = CountryServiceClient<Channel>;

/// Sets a limit of a running process, such as `--nofile=20`.
fn limit(server: &Process, limit: &str) {
    let done = Command::new("prlimit").args(["--pid", &server.id().to_string(), limit]).status().unwrap();
    assert!(done.success(), "prlimit {limit}");
}

/// A country of some kilobytes.
async fn create(countries: &mut Countries, number: usize) -> Result<Country, Status> {
    let country =
        Country { display_name: format!("Country {number}"), description: "d".repeat(4_000), ..Country::default() };
    let request = CreateCountryRequest {
        country_id: format!("c{number}"),
        country: Some(country),
        ..CreateCountryRequest::default()
    };
    countries.create_country(request).await.map(tonic::Response::into_inner)
}

/// Holds what every refusal for want of room is.
#[track_caller]
fn assert_no_room(status: &Status, reason: &str, server: &Process) {
    let refused = refusal(status);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::ResourceExhausted, reason), "{}", server.log());
    assert!(refused.retry, "it says when to try again");
}

/// Every acknowledged country is there as it was acknowledged, and no other.
async fn assert_there(countries: &mut Countries, acknowledged: &BTreeMap<usize, Country>, refused: &[usize]) {
    for country in acknowledged.values() {
        let request = GetCountryRequest { name: country.name.clone(), ..GetCountryRequest::default() };
        assert_eq!(countries.get_country(request).await.unwrap().into_inner(), *country);
    }
    for number in refused {
        let request = GetCountryRequest { name: format!("countries/c{number}"), ..GetCountryRequest::default() };
        assert_eq!(countries.get_country(request).await.unwrap_err().code(), Code::NotFound);
    }
}

/// Fills a server until the limit makes it refuse, and goes on once that is lifted.
async fn is_refused_and_goes_on(limited: &str, lifted: &str, reason: &str) {
    let data = TempDir::new().unwrap();
    let server = Process::start_ignoring_file_size_signals(data.path(), |command| {
        command.args(["--segment-mib", "1", "--cache-mib", "16"]);
    });
    let mut countries = Countries::new(server.channel().await);
    let mut acknowledged = BTreeMap::new();
    for number in 0..20 {
        acknowledged.insert(number, create(&mut countries, number).await.unwrap());
    }
    limit(&server, limited);
    let mut number = 20;
    let first = loop {
        match create(&mut countries, number).await {
            Ok(country) => {
                acknowledged.insert(number, country);
            }
            Err(status) => break status,
        }
        number += 1;
        assert!(number < 2_000, "8 MiB of writes are more than the limit allows");
    };
    assert_no_room(&first, reason, &server);
    // What follows is decided anew, and not on commits that were never written.
    let mut refused = vec![number];
    for number in number + 1..number + 5 {
        assert_no_room(&create(&mut countries, number).await.unwrap_err(), reason, &server);
        refused.push(number);
    }
    assert_there(&mut countries, &acknowledged, &refused).await;

    limit(&server, lifted);
    let after = number;
    let again = until("a write that is accepted again", async || create(&mut countries, after).await.ok()).await;
    acknowledged.insert(after, again);
    for number in after + 10..after + 300 {
        acknowledged.insert(number, create(&mut countries, number).await.unwrap());
    }
    let refused: Vec<_> = refused.into_iter().filter(|number| *number != after).collect();
    assert_there(&mut countries, &acknowledged, &refused).await;
    server.kill();
    let server = Process::start(data.path());
    assert_there(&mut Countries::new(server.channel().await), &acknowledged, &refused).await;
}

#[tokio::test]
async fn a_full_disk_refuses_writes_until_there_is_room_and_loses_nothing() {
    // Less than what one segment holds, more than what is there by then.
    is_refused_and_goes_on("--fsize=400000:unlimited", "--fsize=unlimited", "STORE_FULL").await;
}

#[tokio::test]
async fn without_descriptors_a_segment_is_filled_to_its_end_and_then_writes_wait_for_one() {
    is_refused_and_goes_on("--nofile=4:", "--nofile=1024:", "STORE_OUT_OF_DESCRIPTORS").await;
}

#[tokio::test]
async fn a_refusal_that_ends_all_writing_would_be_noticed() {
    let data = TempDir::new().unwrap();
    let server = Process::start_with(data.path(), |command| {
        command.env("PARTNERSHIP_TEST_FAULTS", "refusals-stop");
    });
    let mut countries = Countries::new(server.channel().await);
    create(&mut countries, 0).await.unwrap();
    limit(&server, "--nofile=4:");
    let mut refused = Ok(());
    for number in 1..2_000 {
        refused = create(&mut countries, number).await.map(drop);
        if refused.is_err() {
            break;
        }
    }
    let refused = refusal(&refused.unwrap_err());
    assert_eq!((refused.code, refused.reason.as_str()), (Code::Internal, "STORE_STOPPED"));
    limit(&server, "--nofile=1024:");
    assert!(create(&mut countries, 2_000).await.is_err(), "a restart is needed, as it once was");
}
