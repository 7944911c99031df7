//! A disk that does not keep what it was given: nobody can know what it holds, so writing ends until a restart.

use partnership_registry::v1::GetCountryRequest;
use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry_server::serve;
use tempfile::TempDir;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

use super::{create, start_with_faults, status, until_logged, until_status};
use crate::harness::refusal;

#[tokio::test]
async fn after_a_failed_sync_nothing_is_written_until_a_restart_and_reads_go_on() {
    let data = TempDir::new().unwrap();
    let broken = data.path().join("broken");
    let store = data.path().join("data");
    let server = start_with_faults(&store, &format!("syncs-fail={}", broken.display()));
    let channel = server.channel().await;
    let kr = create(&channel, "kr", 100).await.unwrap();
    std::fs::write(&broken, "").unwrap();
    for _ in 0..2 {
        let refused = refusal(&create(&channel, "ir", 100).await.unwrap_err());
        let told = (refused.code, refused.reason.as_str(), refused.retry);
        assert_eq!(told, (Code::Internal, "STORE_STOPPED", false));
        // A disk that answers again does not bring back what it may have lost.
        let _ = std::fs::remove_file(&broken);
    }
    until_status(&channel, serve::HEALTH_OF_WRITES, ServingStatus::NotServing).await;
    assert_eq!(status(&channel, serve::HEALTH_OF_READS).await, ServingStatus::Serving);
    let request = GetCountryRequest { name: kr.name.clone(), ..Default::default() };
    let got = CountryServiceClient::new(channel).get_country(request).await.unwrap().into_inner();
    assert_eq!(got, kr);
    until_logged(&server, &["os error 5", "no write is accepted until a restart"]).await;
    server.kill();

    let server = start_with_faults(&store, "");
    let channel = server.channel().await;
    assert_eq!(status(&channel, serve::HEALTH_OF_WRITES).await, ServingStatus::Serving);
}
