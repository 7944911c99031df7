//! The end: at once if nothing is in flight, whoever is connected; within the grace and two seconds whatever hangs; and at
//! once when asked twice.

use std::path::Path;
use std::time::{Duration, Instant};

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{Country, CreateCountryRequest, GetCountryRequest};
use tokio::io::AsyncWriteExt as _;
use tonic::transport::Channel;

use super::raw::{PREFACE, connect, greeted};
use super::{alone, start};
use crate::harness::process::{Ended, Process};
use crate::harness::{until, within};

/// What a busy machine adds.
const MARGIN: Duration = Duration::from_secs(1);
/// What is promised besides the grace.
const PROMISED: Duration = Duration::from_secs(2);

/// Asks a server to stop, and answers how it ended and after how long, or the server if it did not in time.
async fn stop(server: Process, max: Duration) -> Result<(Ended, Duration), Process> {
    let began = Instant::now();
    server.ask_to_stop();
    let ended = tokio::task::spawn_blocking(move || server.ended_within(max)).await.unwrap()?;
    Ok((ended, began.elapsed()))
}

/// How long a server takes to end to which many are connected, and none of them asks for anything.
async fn end_of_an_idle_server(faults: &str, grace: &str) -> Duration {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), faults, &["--drain-grace", grace]);
    let idle = server.channel().await;
    create(&idle, "kr").await.unwrap();
    let silent = connect(server.address).await;
    let mut half = connect(server.address).await;
    half.write_all(&PREFACE[..12]).await.unwrap();
    // It answers nothing, not even the question that comes with the end.
    let deaf = greeted(server.address).await;
    let (ended, took) = stop(server, Duration::from_secs(60)).await.unwrap_or_else(|server| panic!("{}", server.log()));
    assert!(ended.status.success(), "{}:\n{}", ended.status, ended.log);
    drop((idle, silent, half, deaf));
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_in_flight_it_ends_at_once() {
    let _alone = alone().await;
    let took = end_of_an_idle_server("", "20").await;
    println!("with nothing in flight it ended after {took:?}");
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    let took = end_of_an_idle_server("drain-waits-for-the-silent", "2").await;
    assert!(took >= Duration::from_secs(2), "the fault is not noticed: {took:?}");
}

async fn create(channel: &Channel, id: &str) -> Result<Country, tonic::Status> {
    let country = Country { display_name: "Country".into(), ..Country::default() };
    let request = CreateCountryRequest { country_id: id.into(), country: Some(country), ..Default::default() };
    CountryServiceClient::new(channel.clone()).create_country(request).await.map(tonic::Response::into_inner)
}

/// A server whose disk has got stuck under a write.
async fn stuck(data: &Path, faults: &str, grace: &str) -> Process {
    let stall = data.join("stall");
    let faults = format!("stuck-fdatasync={};{faults}", stall.display());
    let server = start(&data.join("data"), &faults, &["--drain-grace", grace]);
    let channel = server.channel().await;
    create(&channel, "acknowledged").await.unwrap();
    std::fs::write(&stall, b"").unwrap();
    let writing = tokio::spawn(async move { create(&channel, "stuck").await });
    // The disk is asked for it, or will be: the answer does not come.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!writing.is_finished());
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_ends_in_time_while_the_disk_is_stuck() {
    let _alone = alone().await;
    let (data, grace) = (tempfile::tempdir().unwrap(), Duration::from_secs(1));
    let max = grace + PROMISED + MARGIN;
    let server = stuck(data.path(), "", "1").await;
    let (ended, took) = stop(server, max).await.unwrap_or_else(|server| panic!("it does not end:\n{}", server.log()));
    println!("with a stuck disk and a grace of {grace:?} it ended after {took:?}");
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
    assert!(ended.log.contains("the process ends unfinished: its time is over"), "{}", ended.log);
    assert!(ended.log.contains("stage=\"closing the registry\""), "{}", ended.log);
    std::fs::remove_file(data.path().join("stall")).unwrap();

    let server = start(&data.path().join("data"), "", &[]);
    let request = GetCountryRequest { name: "countries/acknowledged".into(), ..Default::default() };
    within(CountryServiceClient::new(server.channel().await).get_country(request)).await.unwrap();

    let data = tempfile::tempdir().unwrap();
    let server = stuck(data.path(), "end-without-deadline", "1").await;
    assert!(stop(server, max).await.is_err(), "the fault is not noticed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_twice_ends_at_once() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let server = stuck(data.path(), "", "60").await;
    server.ask_to_stop();
    until("the drain to begin", async || server.log().contains("draining").then_some(())).await;
    let (ended, took) = stop(server, PROMISED).await.unwrap_or_else(|server| panic!("{}", server.log()));
    assert_eq!(ended.status.code(), Some(1), "after {took:?}:\n{}", ended.log);
    assert!(ended.log.contains("it was asked again"), "{}", ended.log);
}
