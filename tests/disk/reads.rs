//! A disk that does not give what it holds: whoever reads is told to try again, and not that something is lost.

use std::path::PathBuf;

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::watch_response::Event;
use partnership_registry::v1::{self, watch_request};
use partnership_registry_server::serve;
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;

use super::{create, start_with_faults, status, until_logged, until_status};
use crate::harness::process::Process;
use crate::harness::{refusal, until, until_sled_serves, within};

/// Every way to read that needs the journal, by name.
async fn readings(channel: &Channel) -> Vec<(&'static str, Result<(), Status>)> {
    let mut countries = CountryServiceClient::new(channel.clone());
    let mut registry = RegistryServiceClient::new(channel.clone());
    let name = "countries/kr".to_owned();
    let past = v1::GetCountryRequest { name: name.clone(), read_revision: 1, ..Default::default() };
    let revisions = v1::ListRevisionsRequest { parent: name.clone(), ..Default::default() };
    let revision = v1::GetRevisionRequest { name: format!("{name}/revisions/1") };
    let after = watch_request::Start::AfterRevision(0);
    let state = watch_request::Start::InitialState(true);
    let watch = |start| v1::WatchRequest { start: Some(start), ..Default::default() };
    let export = registry.export(v1::ExportRequest::default()).await;
    let replay = registry.watch(watch(after)).await;
    let initial = registry.watch(watch(state)).await;
    let timed = v1::GetCountryRequest {
        name,
        read_time: Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 }),
        ..Default::default()
    };
    vec![
        ("Get of the past", countries.get_country(past).await.map(|_| ())),
        ("Get as of a time", countries.get_country(timed).await.map(|_| ())),
        ("List", countries.list_countries(v1::ListCountriesRequest::default()).await.map(|_| ())),
        ("ListRevisions", registry.list_revisions(revisions).await.map(|_| ())),
        ("GetRevision", registry.get_revision(revision).await.map(|_| ())),
        ("ListCommits", registry.list_commits(v1::ListCommitsRequest::default()).await.map(|_| ())),
        ("Export", first(export, |part| !part.resources.is_empty()).await),
        ("Watch", first(replay, |event| matches!(event.event, Some(Event::Commit(_)))).await),
        ("Watch of the state", first(initial, |event| matches!(event.event, Some(Event::Resource(_)))).await),
    ]
}

/// What comes first on a stream that is wanted.
async fn first<T>(
    stream: Result<tonic::Response<tonic::Streaming<T>>, Status>,
    wanted: fn(&T) -> bool,
) -> Result<(), Status> {
    let mut stream = stream?.into_inner();
    while let Some(message) = within(stream.message()).await? {
        if wanted(&message) {
            return Ok(());
        }
    }
    Err(Status::unknown("the stream ended"))
}

/// A server with two revisions of a country, whose reads fail while a file exists.
async fn begin(data: &TempDir, more: &str) -> (Process, Channel, PathBuf) {
    let broken = data.path().join("broken");
    let server = start_with_faults(&data.path().join("data"), &format!("reads-fail={}{more}", broken.display()));
    let channel = server.channel().await;
    let country = create(&channel, "kr", 1_000).await.unwrap();
    let changed = v1::Country { description: "changed".into(), ..country };
    let update = v1::UpdateCountryRequest { country: Some(changed), ..Default::default() };
    CountryServiceClient::new(channel.clone()).update_country(update).await.unwrap();
    until_sled_serves(&channel).await;
    (server, channel, broken)
}

/// Whether every read that fails is told as one that may be tried again.
fn are_told_to_try_again(readings: &[(&'static str, Result<(), Status>)]) -> bool {
    readings.iter().all(|(what, reading)| match reading {
        Ok(()) => panic!("{what} needs the journal"),
        Err(status) => {
            let told = refusal(status);
            (told.code, told.reason.as_str(), told.retry) == (Code::Unavailable, "STORE_READ_FAILED", true)
        }
    })
}

#[tokio::test]
async fn a_read_that_the_disk_fails_is_to_be_tried_again_and_nothing_is_called_lost() {
    let data = TempDir::new().unwrap();
    let (server, channel, broken) = begin(&data, "").await;
    std::fs::write(&broken, "").unwrap();
    let failing = readings(&channel).await;
    assert!(are_told_to_try_again(&failing), "{failing:?}");
    // sled has what is current, and needs the journal for nothing; only while it takes or flushes something is it not asked.
    let mut countries = CountryServiceClient::new(channel.clone());
    let current = v1::GetCountryRequest { name: "countries/kr".into(), ..Default::default() };
    let got = until("sled to answer", async || countries.get_country(current.clone()).await.ok()).await;
    assert_eq!(got.into_inner().description, "changed");
    for number in 0..500 {
        let listed = countries.list_countries(v1::ListCountriesRequest::default()).await;
        assert_eq!(listed.unwrap_err().code(), Code::Unavailable, "{number}");
    }
    until_status(&channel, "", ServingStatus::NotServing).await;
    until_status(&channel, serve::HEALTH_OF_READS, ServingStatus::NotServing).await;
    assert_eq!(status(&channel, serve::HEALTH_OF_WRITES).await, ServingStatus::Serving);
    until_logged(&server, &["the journal could not be read", "the journal cannot be read"]).await;
    let log = server.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("the journal could not be read")).collect();
    assert!(
        lines[0].contains("os error 5") && lines[0].contains("journal/"),
        "with its cause and its file: {}",
        lines[0]
    );
    assert!(lines.len() < 60, "{} lines for 500 failures", lines.len());
    // Writing needs no read.
    create(&channel, "ir", 10).await.unwrap();

    std::fs::remove_file(&broken).unwrap();
    // Nobody reads: the server finds out by itself.
    until_status(&channel, "", ServingStatus::Serving).await;
    until_status(&channel, serve::HEALTH_OF_READS, ServingStatus::Serving).await;
    until_sled_serves(&channel).await;
    for (what, reading) in readings(&channel).await {
        assert!(reading.is_ok(), "{what}: {reading:?}");
    }
}

#[tokio::test]
async fn a_failed_read_that_is_told_as_damage_would_be_noticed() {
    let data = TempDir::new().unwrap();
    let (_server, channel, broken) = begin(&data, ";read-failures-are-damage").await;
    std::fs::write(&broken, "").unwrap();
    assert!(!are_told_to_try_again(&readings(&channel).await));
}

#[tokio::test]
async fn a_journal_file_that_was_cut_off_has_lost_what_was_in_it() {
    let data = TempDir::new().unwrap();
    let (_server, channel, _) = begin(&data, "").await;
    let file = data.path().join("data/journal").read_dir().unwrap().map(|entry| entry.unwrap().path()).min().unwrap();
    std::fs::File::options().write(true).open(file).unwrap().set_len(600).unwrap();
    let listed = CountryServiceClient::new(channel).list_countries(v1::ListCountriesRequest::default()).await;
    let told = refusal(&listed.unwrap_err());
    assert_eq!((told.code, told.reason.as_str(), told.retry), (Code::DataLoss, "DAMAGED", false));
}
