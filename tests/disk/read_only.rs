//! What may only be read is read, and said so.

use std::path::Path;
use std::process::Command;

use partnership_registry::v1::GetCountryRequest;
use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry_server::serve;
use tempfile::TempDir;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

use super::mounts::Mounts;
use super::{create, status, until_logged};
use crate::harness::process::server_binary;
use crate::harness::refusal;

/// Starts on a directory of which a part may only be read, ends, and starts once more where all may be written.
async fn is_read_and_refuses_writes(read_only: fn(&Path) -> std::path::PathBuf) {
    let Some(mounts) = Mounts::begin() else { return };
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let server = mounts.start(&data);
    let kr = create(&server.channel().await, "kr", 100).await.unwrap();
    // A crash leaves more to be put right than an orderly end.
    server.kill();

    mounts.make_read_only(&read_only(&data));
    let server = mounts.start(&data);
    let channel = server.channel().await;
    let request = GetCountryRequest { name: kr.name.clone(), ..Default::default() };
    let got = CountryServiceClient::new(channel.clone()).get_country(request.clone()).await.unwrap().into_inner();
    assert_eq!(got, kr);
    for _ in 0..2 {
        let refused = refusal(&create(&channel, "ir", 10).await.unwrap_err());
        let told = (refused.code, refused.reason.as_str(), refused.retry);
        assert_eq!(told, (Code::FailedPrecondition, "STORE_READ_ONLY", false), "{}", server.log());
    }
    until_logged(&server, &["the journal may only be read"]).await;
    assert_eq!(status(&channel, "").await, ServingStatus::Serving);
    assert_eq!(status(&channel, serve::HEALTH_OF_READS).await, ServingStatus::Serving);
    assert_eq!(status(&channel, serve::HEALTH_OF_WRITES).await, ServingStatus::NotServing);
    let address = server.address.to_string();
    for (flags, code) in [([].as_slice(), 0), (&["--writes"], 1)] {
        let asked = Command::new(server_binary()).args(["health", "--address", &address]).args(flags).output().unwrap();
        assert_eq!(asked.status.code(), Some(code), "{asked:?}");
    }
    assert!(server.stop().status.success());

    mounts.run("umount \"$1\"", &read_only(&data));
    let server = mounts.start(&data);
    let channel = server.channel().await;
    let got = CountryServiceClient::new(channel.clone()).get_country(request).await.unwrap().into_inner();
    assert_eq!(got, kr);
    create(&channel, "ir", 10).await.unwrap();
}

#[tokio::test]
async fn a_directory_that_may_only_be_read_is_served_and_says_so() {
    is_read_and_refuses_writes(Path::to_path_buf).await;
}

#[tokio::test]
async fn a_journal_that_may_only_be_read_is_served_and_says_so() {
    is_read_and_refuses_writes(|data| data.join("journal")).await;
}

#[tokio::test]
async fn a_new_directory_where_nothing_may_be_written_is_refused() {
    let Some(mounts) = Mounts::begin() else { return };
    let dir = TempDir::new().unwrap();
    mounts.make_read_only(dir.path());
    let Err(ended) = mounts.try_start(&dir.path().join("data")) else { panic!("it starts") };
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
    assert!(ended.log.contains("/data; its file system may only be read\n"), "{}", ended.log);
}

#[tokio::test]
async fn remains_of_sled_that_cannot_be_removed_are_in_the_way_of_nothing() {
    let Some(mounts) = Mounts::begin() else { return };
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let server = mounts.start(&data);
    create(&server.channel().await, "kr", 100).await.unwrap();
    assert!(server.stop().status.success());
    // What a rebuild set aside, under a mount: it can be neither removed nor replaced. And a sled that cannot be used.
    mounts.run("mkdir \"$1/sled.bad\"; mount -t tmpfs none \"$1/sled.bad\"; echo old > \"$1/sled.bad/db\"", &data);
    mounts.make_read_only(&data.join("sled.bad"));
    mounts.run("for file in \"$1\"/sled/db \"$1\"/sled/conf; do echo broken > \"$file\"; done", &data);
    let server = mounts.start(&data);
    let channel = server.channel().await;
    crate::harness::until_sled_serves(&channel).await;
    create(&channel, "ir", 10).await.unwrap();
    until_logged(&server, &["the remains of an earlier state stay"]).await;
    assert!(mounts.seen(&data.join("sled.bad/db")).exists());
}
