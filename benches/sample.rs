//! The resources that are written and read: projects of a few hundred bytes, as such a registry has them.

use partnership_registry::Money;
use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{
    Country, CreateCountryRequest, CreateProjectRequest, ExternalId, LocalizedText, PartialDate, Project,
    ProjectBudget, ProjectBudgetStatus, ProjectParticipant, ProjectRole, ProjectState,
    project_service_client::ProjectServiceClient,
};
use prost::Message as _;
use prost_types::Timestamp;
use tonic::transport::Channel;

/// What a project is to have as it is answered, in bytes.
pub(crate) const PROJECT_BYTES: usize = 640;

/// The countries that the projects refer to.
const COUNTRIES: [&str; 4] = ["kr", "vn", "id", "ke"];

/// The label of which a hundredth of the projects has each value.
pub(crate) const DISTRICT: &str = "district";
pub(crate) const DISTRICTS: u64 = 100;

/// The project number `number`, as a caller sends it.
pub(crate) fn project(number: u64) -> Project {
    let mut project = bare(number);
    let missing = PROJECT_BYTES.saturating_sub(stamped(project.clone(), number).encoded_len() + 3);
    project.description =
        "Wells, pumps and training for the water works of four districts. ".chars().cycle().take(missing).collect();
    project
}

fn bare(number: u64) -> Project {
    let country = format!("countries/{}", COUNTRIES[number as usize % COUNTRIES.len()]);
    let text =
        |language_code: &str, text: &str| LocalizedText { language_code: language_code.into(), text: text.into() };
    let day = |year, month, day| Some(PartialDate { year, month, day, ..PartialDate::default() });
    Project {
        display_name: format!("Rural water supply, phase {:08}", number % 100_000_000),
        labels: [("programme".to_owned(), "water".to_owned()), (DISTRICT.to_owned(), (number % DISTRICTS).to_string())]
            .into(),
        external_ids: vec![ExternalId {
            scheme: "iati".into(),
            id: format!("KR-GOV-{:08}", number % 100_000_000),
            uri: String::new(),
        }],
        state: ProjectState::Implementation.into(),
        titles: vec![text("en", "Rural water supply"), text("ko", "농촌 상수도 사업")],
        participants: vec![ProjectParticipant {
            country: country.clone(),
            role: ProjectRole::Funding.into(),
            ..ProjectParticipant::default()
        }],
        countries: vec![country],
        approval_date: day(2023, 4, 12),
        planned_start_date: day(2023, 9, 1),
        planned_end_date: day(2027, 8, 31),
        budgets: vec![ProjectBudget {
            amount: Some(Money { currency_code: "USD".into(), units: 12_500_000, nanos: 0 }),
            status: ProjectBudgetStatus::Committed.into(),
            ..ProjectBudget::default()
        }],
        ..Project::default()
    }
}

/// The project with what the server writes into it.
pub(crate) fn stamped(project: Project, revision: u64) -> Project {
    let now = Some(Timestamp { seconds: 1_790_000_000, nanos: 123_456_789 });
    Project {
        name: "projects/0192d3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".into(),
        uid: "0b5d7c1e-2f3a-4b5c-8d9e-0f1a2b3c4d5e".into(),
        etag: format!("\"{revision:x}-5f3a9c1e\""),
        revision,
        create_time: now,
        update_time: now,
        creator: "anonymous".into(),
        updater: "anonymous".into(),
        ..project
    }
}

/// The project number `number` as the document that the server keeps. Other databases are given it so by their callers,
/// who encode it, as the registry's callers encode the project.
pub(crate) fn stamped_project(number: u64) -> Project {
    stamped(project(number), number)
}

/// So many of these.
pub(crate) fn stamped_batch(first: u64, count: usize) -> Vec<Project> {
    (first..first + count as u64).map(stamped_project).collect()
}

/// A new name, as the server makes them.
pub(crate) fn name() -> String {
    format!("projects/{}", uuid::Uuid::now_v7())
}

/// The request to create the project number `number`.
pub(crate) fn create(number: u64, with_request_id: bool) -> CreateProjectRequest {
    let request_id = if with_request_id { uuid::Uuid::new_v4().to_string() } else { String::new() };
    CreateProjectRequest { project: Some(project(number)), request_id, ..CreateProjectRequest::default() }
}

/// Creates what the projects refer to.
pub(crate) async fn create_countries(channel: &Channel) {
    let mut client = CountryServiceClient::new(channel.clone());
    for id in COUNTRIES {
        let country = Country { display_name: id.to_uppercase(), ..Country::default() };
        let request =
            CreateCountryRequest { country_id: id.into(), country: Some(country), ..CreateCountryRequest::default() };
        client.create_country(request).await.unwrap();
    }
}

/// Asserts that the echo's answer to a creation is as large as the server's, and answers the size.
pub(crate) async fn assert_same_size(server: &Channel, echo: &Channel) -> usize {
    let mut sizes = Vec::new();
    for channel in [server, echo] {
        let created =
            ProjectServiceClient::new(channel.clone()).create_project(create(1, false)).await.unwrap().into_inner();
        sizes.push(created.encoded_len());
    }
    assert!(sizes[0].abs_diff(sizes[1]) <= 8, "the server answers {} bytes and the echo {}", sizes[0], sizes[1]);
    sizes[0]
}
