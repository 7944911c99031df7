//! What a question may read: one that needs more is refused, whatever the size of its pages, and its plan tells so before.

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::insight_service_client::InsightServiceClient;
use partnership_registry::v1::{
    CountResourcesRequest, Country, CreateCountryRequest, ListCountriesRequest, ListCountriesResponse,
    UpdateCountryRequest,
};
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::harness::process::Process;
use crate::harness::within;

/// The server of these tests reads no more for a question.
const MAX: usize = 20;
const COUNTRIES: usize = 30;

async fn start(data: &TempDir) -> (Process, CountryServiceClient<Channel>) {
    let server = Process::start_with(data.path(), |command| {
        command.env("PARTNERSHIP_TEST_FAULTS", format!("costs-max={MAX}"));
    });
    let mut countries = CountryServiceClient::new(server.channel().await);
    for number in 0..COUNTRIES {
        let country = Country {
            display_name: format!("Country {number:02}"),
            description: format!("{} rivers", number % 3),
            labels: [("half".to_owned(), (number % 2).to_string())].into(),
            ..Country::default()
        };
        let request =
            CreateCountryRequest { country_id: format!("c{number}"), country: Some(country), ..Default::default() };
        within(countries.create_country(request)).await.unwrap();
    }
    (server, countries)
}

async fn list(
    countries: &mut CountryServiceClient<Channel>,
    filter: &str,
    order_by: &str,
    read_revision: u64,
) -> Result<ListCountriesResponse, Status> {
    let (filter, order_by) = (filter.to_owned(), order_by.to_owned());
    let request = ListCountriesRequest { page_size: 2, filter, order_by, read_revision, ..Default::default() };
    within(countries.list_countries(request)).await.map(tonic::Response::into_inner)
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, told: &str) {
    let status = answer.unwrap_err();
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((status.code(), info.reason.as_str()), (Code::FailedPrecondition, "TOO_COSTLY"), "{status}");
    assert_eq!(status.message(), told);
    assert_eq!(info.metadata["readsMax"], MAX.to_string());
    let [violation] = &details.precondition_failure().unwrap().violations[..] else { panic!("{details:?}") };
    assert_eq!(format!("{}: {}", violation.subject, violation.description), told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_would_read_too_much_is_refused_at_any_page_size() {
    let data = TempDir::new().unwrap();
    let (server, mut countries) = start(&data).await;
    refused(
        list(&mut countries, "description = \"1 rivers\"", "", 0).await,
        "filter: would read 30 resources for description = \"1 rivers\", and may read 20; add a test of an indexed field",
    );
    // What an index leaves of them can be read.
    let page = list(&mut countries, "description = \"1 rivers\" AND labels.half = \"0\"", "", 0).await.unwrap();
    assert_eq!((page.total_size, page.countries.len()), (5, 2));
    let page = list(&mut countries, "labels.half = \"0\" OR display_name = \"*29\"", "", 0).await.unwrap();
    assert_eq!(page.total_size, 16, "that reads nothing");

    refused(
        list(&mut countries, "", "description desc", 0).await,
        "order_by: would read and sort 30 resources by description, which has no index, and may sort 20; narrow the \
         filter, or order by an indexed field",
    );
    let page = list(&mut countries, "labels.half = \"0\"", "description desc, name", 0).await.unwrap();
    assert!(page.countries.iter().all(|country| country.description == "2 rivers"), "{page:?}");

    let mut insight = InsightServiceClient::new(server.channel().await);
    let mut count = async |filter: &str| {
        let (collection, filter, group_by) = ("countries".into(), filter.to_owned(), vec!["description".to_owned()]);
        let request = CountResourcesRequest { collection, filter, group_by, ..Default::default() };
        within(insight.count_resources(request)).await
    };
    refused(
        count("").await,
        "group_by: would read 30 resources, since no index knows all that is counted by or added up, and may read 20; \
         narrow the filter, or count by indexed fields",
    );
    let groups = count("labels.half = \"0\"").await.unwrap().into_inner().groups;
    assert_eq!(groups.iter().map(|group| group.count).collect::<Vec<_>>(), [5, 5, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_from_which_too_much_has_changed_is_refused_and_a_listing_by_name_goes_on() {
    let data = TempDir::new().unwrap();
    let (_server, mut countries) = start(&data).await;
    let first = list(&mut countries, "", "", 0).await.unwrap();
    let then = first.revision;
    list(&mut countries, "", "display_name", then).await.unwrap();
    for number in 0..=MAX {
        let name = format!("countries/c{number}");
        let country = Some(Country { name, display_name: "Another".to_owned(), ..Country::default() });
        let update_mask = Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] });
        within(countries.update_country(UpdateCountryRequest { country, update_mask, ..Default::default() }))
            .await
            .unwrap();
    }
    let told = format!(
        "read_revision: would read 21 resources as they were at revision {then}, since when they have changed, and may \
         read 20; ask about a later revision"
    );
    refused(list(&mut countries, "", "display_name", then).await, &told);
    // A listing that began then goes on by name, whatever has changed since.
    let mut listed = first.countries;
    let mut token = first.next_page_token;
    while !token.is_empty() {
        let request = ListCountriesRequest { page_size: 7, page_token: token, ..Default::default() };
        let page = within(countries.list_countries(request)).await.unwrap().into_inner();
        listed.extend(page.countries);
        token = page.next_page_token;
    }
    assert_eq!(listed.len(), COUNTRIES);
    assert!(listed.iter().all(|country| country.display_name.starts_with("Country ")), "as they were then");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_what_a_question_would_read() {
    let data = TempDir::new().unwrap();
    let (_server, mut countries) = start(&data).await;
    let request = ListCountriesRequest {
        filter: "description = \"1 rivers\" AND NOT labels.half = \"0\"".into(),
        order_by: "display_name desc".into(),
        explain: true,
        ..Default::default()
    };
    let answer = within(countries.list_countries(request)).await.unwrap().into_inner();
    let plan = answer.plan.unwrap();
    assert!(answer.countries.is_empty() && answer.total_size == 0, "it lists nothing");
    let tests: Vec<_> = plan.tests.iter().map(|test| (test.text.as_str(), test.indexed, test.matches)).collect();
    assert_eq!(tests, [("NOT labels.half = \"0\"", true, 15), ("description = \"1 rivers\"", false, 30)]);
    assert_eq!((plan.found, plan.open, plan.changed, plan.cost, plan.cost_max), (0, 15, 0, 15, MAX as i64));
    assert_eq!(plan.order, "sorts 15 candidates by display_name, name, descending");
}
