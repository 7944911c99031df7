//! Small file systems that fill up: the journal's, sled's, or one that they share; again and again.

use std::collections::BTreeMap;
use std::path::Path;

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{Country, GetCountryRequest, ListCountriesRequest};
use partnership_registry_server::serve;
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::health_check_response::ServingStatus;

use super::mounts::Mounts;
use super::{create, status, until_status};
use crate::harness::process::Process;
use crate::harness::{refusal, until};

/// The bytes of a document.
const DOCUMENT: usize = 4_000;
/// So many writes go through at least between two times of a full disk: no flapping.
const AFTER_ROOM: usize = 100;

/// How often a disk is filled: a few times in CI.
fn rounds() -> usize {
    std::env::var("PARTNERSHIP_TEST_FULL_ROUNDS").map_or(3, |rounds| rounds.parse().unwrap())
}

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged(BTreeMap<String, Country>);

impl Acknowledged {
    async fn write(&mut self, channel: &Channel) -> Result<(), tonic::Status> {
        let id = format!("c{}", self.0.len());
        let country = create(channel, &id, DOCUMENT).await?;
        self.0.insert(country.name.clone(), country);
        Ok(())
    }

    /// Everything that was acknowledged is there, one by one and in lists, and nothing else is.
    async fn is_there(&self, channel: &Channel) {
        let mut countries = CountryServiceClient::new(channel.clone());
        let mut request = ListCountriesRequest { page_size: 500, ..Default::default() };
        let mut listed = BTreeMap::new();
        loop {
            let page = countries.list_countries(request.clone()).await.unwrap().into_inner();
            listed.extend(page.countries.into_iter().map(|country| (country.name.clone(), country)));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert!(listed == self.0, "{} are listed, and {} were acknowledged", listed.len(), self.0.len());
        for (name, country) in self.0.iter().step_by(37) {
            let request = GetCountryRequest { name: name.clone(), ..Default::default() };
            assert_eq!(countries.get_country(request).await.unwrap().into_inner(), *country);
        }
    }
}

/// Fills, reads, makes room, writes on, ends the server one way or the other, and begins again.
async fn fill_again_and_again(full: &str, journal_is_full: bool, mount: impl FnOnce(&Mounts, &Path)) {
    let Some(mounts) = Mounts::begin() else { return };
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    mount(&mounts, &data);
    let full = data.join(full);
    let mut acknowledged = Acknowledged::default();
    let mut server = mounts.start(&data);
    for round in 0..rounds() {
        let channel = server.channel().await;
        acknowledged.write(&channel).await.unwrap();
        mounts.fill(&full);
        if journal_is_full {
            fill_up(&mut acknowledged, &channel, &server).await;
        } else {
            // The journal has room, and sled none: nobody who writes or reads hears of it.
            until("sled to have no room", async || {
                acknowledged.write(&channel).await.unwrap();
                (status(&channel, serve::HEALTH_OF_STATE).await == ServingStatus::NotServing).then_some(())
            })
            .await;
            assert_eq!(status(&channel, serve::HEALTH_OF_WRITES).await, ServingStatus::Serving);
        }
        assert_eq!(status(&channel, "").await, ServingStatus::Serving, "reads go on");
        acknowledged.is_there(&channel).await;
        let mut channel = channel;
        if round % 2 == 1 {
            // A start on the full disk.
            server.kill();
            server = mounts.start(&data);
            channel = server.channel().await;
            acknowledged.is_there(&channel).await;
            if journal_is_full {
                fill_up(&mut acknowledged, &channel, &server).await;
            }
        }

        mounts.make_room(&full);
        // Nobody writes: the server finds out by itself.
        until_status(&channel, serve::HEALTH_OF_WRITES, ServingStatus::Serving).await;
        for _ in 0..AFTER_ROOM {
            acknowledged.write(&channel).await.unwrap();
        }
        until_status(&channel, serve::HEALTH_OF_STATE, ServingStatus::Serving).await;
        acknowledged.is_there(&channel).await;
        if round % 3 == 2 {
            assert!(server.stop().status.success());
        } else {
            server.kill();
        }
        server = mounts.start(&data);
        acknowledged.is_there(&server.channel().await).await;
    }
    let peak = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let peak = peak.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    println!("{} rounds, {} documents, {peak}", rounds(), acknowledged.0.len());
}

/// Writes until there is no room, and holds what that is told as.
async fn fill_up(acknowledged: &mut Acknowledged, channel: &Channel, server: &Process) {
    let refused = loop {
        if let Err(refused) = acknowledged.write(channel).await {
            break refusal(&refused);
        }
    };
    let told = (refused.code, refused.reason.as_str(), refused.retry);
    assert_eq!(told, (Code::ResourceExhausted, "STORE_FULL", true), "{}", server.log());
    until_status(channel, serve::HEALTH_OF_WRITES, ServingStatus::NotServing).await;
    // As before, and for as long as the disk is full.
    let again = refusal(&create(channel, "refused", DOCUMENT).await.unwrap_err());
    assert_eq!((again.code, again.reason.as_str(), again.retry), told);
}

#[tokio::test]
async fn a_file_system_that_journal_and_sled_share_fills_up_again_and_again() {
    fill_again_and_again("", true, |mounts, data| mounts.mount(data, 96 + 8 * rounds())).await;
}

#[tokio::test]
async fn the_journal_fills_up_first_again_and_again() {
    fill_again_and_again("journal", true, |mounts, data| {
        mounts.mount(data, 96 + 8 * rounds());
        mounts.mount(&data.join("journal"), 64 + 8 * rounds());
    })
    .await;
}

#[tokio::test]
async fn sled_fills_up_first_again_and_again() {
    fill_again_and_again("sled", false, |mounts, data| {
        mounts.mount(data, 96 + 8 * rounds());
        mounts.mount(&data.join("sled"), 64 + 8 * rounds());
    })
    .await;
}

#[tokio::test]
async fn a_new_directory_on_a_full_disk_is_refused_and_leaves_nothing_in_the_way() {
    let Some(mounts) = Mounts::begin() else { return };
    let dir = TempDir::new().unwrap();
    mounts.mount(dir.path(), 8);
    mounts.fill(dir.path());
    let data = dir.path().join("data");
    let Err(ended) = mounts.try_start(&data) else { panic!("it starts") };
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
    assert!(ended.log.contains("error: could not ") && ended.log.contains("No space left on device"), "{}", ended.log);
    mounts.make_room(dir.path());
    create(&mounts.start(&data).channel().await, "kr", 10).await.unwrap();
}
