//! What only shows with two writes or two readers: dates that a mask puts together, and findings that watches and exports
//! select by.

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::watch_request::Start;
use partnership_registry::v1::watch_response::Event;
use partnership_registry::v1::*;
use prost_types::FieldMask;
use tonic::{Code, Status};

use crate::harness::{Server, refused, within};
use crate::service::{commit, country, create, update};

type Countries = CountryServiceClient<tonic::transport::Channel>;

async fn change(countries: &mut Countries, country: Country, paths: &[&str]) -> Result<Country, Status> {
    let update_mask = Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() });
    let request = UpdateCountryRequest { country: Some(country), update_mask, ..UpdateCountryRequest::default() };
    within(countries.update_country(request)).await.map(tonic::Response::into_inner)
}

fn since(year: i32, month: i32, day: i32) -> Option<PartialDate> {
    Some(PartialDate { year, month, day, ..PartialDate::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_that_a_mask_puts_together_is_judged_as_it_is_then() {
    let server = Server::start().await;
    let mut countries = CountryServiceClient::new(server.channel().await);
    let with = |date| Country { relations_established_date: date, ..country("kr") };
    commit(&mut server.registry().await, vec![create(with(since(2023, 2, 28)))]).await.unwrap();

    let day = ["relations_established_date.day"];
    let changed = change(&mut countries, with(since(0, 0, 30)), &day).await.unwrap();
    let kept = PartialDate { original_text: "2023-02-30".into(), ..PartialDate::default() };
    assert_eq!(changed.relations_established_date, Some(kept.clone()));
    let found: Vec<_> =
        changed.findings.iter().map(|one| (one.code(), one.field.as_str(), one.text.as_str())).collect();
    let text = "\"2023-02-30\" is on no calendar; it is kept as the original text";
    assert_eq!(found, [(FindingCode::DateImpossible, "relations_established_date", text)]);

    // The whole date as it was sent first is the date as it is kept: nothing changes.
    let again = change(&mut countries, with(since(2023, 2, 30)), &["relations_established_date"]).await.unwrap();
    assert_eq!(again, changed);
    let told = refused(change(&mut countries, with(since(0, 0, 30)), &day).await);
    assert_eq!(told.code, Code::InvalidArgument, "a day of no month is no date");
    let good = change(&mut countries, with(since(2023, 2, 0)), &["relations_established_date"]).await.unwrap();
    assert!(good.findings.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_which_nothing_is_left_is_as_if_it_had_not_been_given() {
    let server = Server::start().await;
    let mut countries = CountryServiceClient::new(server.channel().await);
    let seoul = Country { capital: "Seoul".into(), ..country("kr") };
    commit(&mut server.registry().await, vec![create(seoul)]).await.unwrap();
    for paths in [&["display_name"][..], &[]] {
        let nameless = Country { display_name: "\u{7}\u{1b}".into(), ..country("kr") };
        let told = refused(change(&mut countries, nameless, paths).await);
        assert!(told.names("country.display_name"), "{told:?}");
    }
    let changed = change(&mut countries, Country { capital: "\0".into(), ..country("kr") }, &[]).await.unwrap();
    assert_eq!((changed.capital.as_str(), changed.findings.len()), ("", 1), "it was meant, and nothing is left of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_and_exports_select_by_findings_and_tell_them() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    let request = WatchRequest {
        start: Some(Start::Now(true)),
        collections: vec!["countries".into()],
        filter: "findings.code = DATE_UNLIKELY".into(),
    };
    let mut watch = within(registry.watch(request.clone())).await.unwrap().into_inner();
    let strange = Country { relations_established_date: since(2925, 1, 1), ..country("kr") };
    commit(&mut registry, vec![create(country("ir")), create(strange.clone())]).await.unwrap();
    let mended = Country { relations_established_date: since(1925, 1, 1), ..country("kr") };
    commit(&mut registry, vec![update(country("ir"), &[])]).await.unwrap();

    let request =
        ExportRequest { collections: request.collections, filter: request.filter, ..ExportRequest::default() };
    let mut export = within(registry.export(request)).await.unwrap().into_inner();
    let mut exported = Vec::new();
    while let Some(message) = within(export.message()).await.unwrap() {
        exported.extend(message.resources);
    }
    commit(&mut registry, vec![update(mended, &["relations_established_date"])]).await.unwrap();

    let mut told = Vec::new();
    while told.len() < 2 {
        let event = within(watch.message()).await.unwrap().unwrap().event.unwrap();
        let Event::Commit(WatchedCommit { commit: Some(commit), effects, .. }) = event else { continue };
        told.push((commit.changes, effects));
    }
    let (entered, left) = (&told[0], &told[1]);
    assert_eq!(entered.1, [FilterEffect::Entered as i32]);
    assert_eq!(left.1, [FilterEffect::Left as i32]);
    let after = entered.0[0].after.clone().unwrap();
    assert_eq!(exported, std::slice::from_ref(&after), "the export shows what the watch told");
    let Some(resource::Kind::Country(country)) = after.kind else { panic!("a country") };
    assert_eq!(country.findings.iter().map(Finding::code).collect::<Vec<_>>(), [FindingCode::DateUnlikely]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cleaned_into_what_is_stored_changes_nothing_and_is_told_to_the_caller() {
    let server = Server::start().await;
    let mut registry = server.registry().await;
    let seoul = Country { capital: "Seoul".into(), ..country("kr") };
    commit(&mut registry, vec![create(seoul.clone())]).await.unwrap();
    let dirty = Country { capital: "Seo\u{7}ul".into(), ..seoul };
    for paths in [&["capital"][..], &["*"], &[]] {
        let told = commit(&mut registry, vec![update(dirty.clone(), paths)]).await.unwrap();
        let result = &told.results[0];
        assert_eq!((result.action(), result.revision), (ChangeAction::Unchanged, 1), "{paths:?}");
        let found: Vec<_> = result.findings.iter().map(|one| (one.code(), one.field.as_str())).collect();
        assert_eq!(found, [(FindingCode::ControlCharacters, "capital")], "{paths:?}");
    }
}
