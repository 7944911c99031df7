//! The client crate against the real server, over a connection that can be cut: it pages, resumes and retries by itself.

mod events;
mod importing;
mod line;
mod masks_and_rollback;
mod package;
mod watching;

use std::sync::atomic::Ordering;
use std::time::Duration;

use line::Line;
use partnership_registry_client::v1::{Country, FocusArea, Organization};
use partnership_registry_client::{Code, CountCall, Kind as _, ListOptions, Registry, RetryPolicy};
use tempfile::TempDir;

use crate::harness::process::{DEADLINE, Process};

fn start() -> (Process, TempDir) {
    let data = TempDir::new().unwrap();
    (Process::start(data.path()), data)
}

async fn connect(process: &Process) -> Registry {
    Registry::builder(format!("http://{}", process.address)).actor("tests").connect().await.unwrap()
}

fn area(id: &str, display_name: &str) -> FocusArea {
    FocusArea { name: format!("focusAreas/{id}"), display_name: display_name.into(), ..FocusArea::default() }
}

#[tokio::test]
async fn a_listing_pages_by_itself() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    let mut commit = registry.commit().reason("many");
    for number in 0..123 {
        commit = commit.create(area(&format!("a{number:03}"), &format!("Area {}", 300 - number)));
    }
    commit.await.unwrap();
    let options = ListOptions::new().page_size(7).order_by("display_name");
    let listed = registry.focus_areas().list(options).collect().await.unwrap();
    let names: Vec<_> = listed.iter().map(|area| area.name.clone()).collect();
    let expected: Vec<_> = (0..123).rev().map(|number| format!("focusAreas/a{number:03}")).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn resources_are_counted_and_what_that_costs_is_told() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    let mut commit = registry.commit().reason("many");
    for number in 0..9 {
        commit = commit.create(area(&format!("a{number}"), if number < 6 { "Many" } else { "Few" }));
    }
    commit.await.unwrap();
    registry.focus_areas().delete("a0").await.unwrap();
    let count = registry.focus_areas().count().group_by(["display_name", "year(delete_time)"]);
    let groups = async |count: CountCall| {
        let counted = count.await.unwrap();
        let groups: Vec<_> = counted.groups.iter().map(|group| (group.keys[0].clone(), group.count)).collect();
        (groups, counted.other_count, counted.total_size)
    };
    let (many, few) = (|count| ("Many".to_owned(), count), ("Few".to_owned(), 3));
    assert_eq!(groups(count.clone()).await, (vec![many(5), few.clone()], 0, 8));
    assert_eq!(groups(count.clone().at(1)).await, (vec![many(6), few.clone()], 0, 9));
    assert_eq!(groups(count.clone().groups_max(1)).await, (vec![many(5)], 3, 8));
    assert_eq!(groups(count.clone().filter("display_name = Few")).await, (vec![few], 0, 3));
    let (deleted, _, total) = groups(count.clone().show_deleted(true)).await;
    assert_eq!((deleted.len(), total), (3, 9));
    let error = count.clone().sum("display_name").await.unwrap_err();
    assert_eq!((error.code(), error.field_violations()[0].field.as_str()), (Code::InvalidArgument, "sum"));
    // By the name of a collection it is the same.
    assert_eq!(registry.collection("focusAreas").unwrap().count().await.unwrap().total_size, 8);

    let options = ListOptions::new().filter("display_name = Few");
    let listed = registry.focus_areas().explain(options.clone()).await.unwrap();
    let counted = count.filter("display_name = Few").explain().await.unwrap();
    assert_eq!(listed.tests, counted.tests);
    assert_eq!(listed.tests[0].text, "display_name = Few");
    assert_eq!(registry.collection("focusAreas").unwrap().explain(options).await.unwrap(), listed);
}

#[tokio::test]
async fn every_kind_has_a_handle_that_reaches_its_service() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    macro_rules! handles {
        ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
            $({
                let resource = partnership_registry::v1::$Kind { display_name: "One".into(), ..Default::default() };
                // A kind may require more than a name to go by; then the refusal names the kind's own field.
                match registry.$plural().create(resource).id("one").await {
                    Ok(made) => {
                        assert_eq!(made.name(), concat!($collection, "/one"));
                        assert_eq!(registry.$plural().get("one").await.unwrap(), made);
                        assert_eq!(registry.$plural().get_if_changed("one", made.etag()).await.unwrap(), None);
                        assert_eq!(registry.$plural().list(ListOptions::new()).collect().await.unwrap(), [made]);
                    }
                    Err(error) => {
                        let fields: Vec<_> = error.field_violations().iter().map(|one| &one.field).collect();
                        assert!(fields.iter().all(|field| field.starts_with(stringify!($singular))), "{error:?}");
                        assert!(!fields.is_empty(), "{error:?}");
                    }
                }
            })*
        };
    }
    partnership_registry::for_each_kind!(handles);
}

#[tokio::test]
async fn an_error_carries_what_the_server_sent() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    let refused =
        registry.countries().create(Country { region_code: "korea".into(), ..Country::default() }).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::InvalidArgument, Some("INVALID_FIELDS")));
    let fields: Vec<_> = refused.field_violations().iter().map(|one| one.field.as_str()).collect();
    assert!(fields.contains(&"country.display_name") && fields.contains(&"country.region_code"), "{fields:?}");

    let missing = registry.countries().get("xx").await.unwrap_err();
    assert!(missing.is_not_found());
    assert_eq!(missing.resource().unwrap().name, "countries/xx");

    let korea = Country { display_name: "Korea".into(), ..Country::default() };
    let korea = registry.countries().create(korea).id("kr").await.unwrap();
    let embassy =
        Organization { display_name: "Embassy".into(), country: korea.name.clone(), ..Organization::default() };
    let embassy = registry.organizations().create(embassy).await.unwrap();
    let referred = registry.countries().delete("kr").await.unwrap_err();
    assert_eq!(referred.reason(), Some("STILL_REFERENCED"));
    assert_eq!(referred.precondition_violations()[0].subject, embassy.name);

    registry.countries().update(Country { capital: "Seoul".into(), ..korea.clone() }, ["capital"]).await.unwrap();
    let stale =
        registry.countries().update(Country { capital: "Busan".into(), ..korea }, ["capital"]).await.unwrap_err();
    assert!(stale.is_conflict(), "{stale:?}");
}

#[tokio::test]
async fn a_write_whose_response_is_lost_is_retried_and_takes_effect_once() {
    let (process, _data) = start();
    let line = Line::to(process.address).await;
    let direct = connect(&process).await;
    let registry = Registry::builder(line.url()).timeout(DEADLINE).connect().await.unwrap();
    for round in 0..5 {
        line.mute.store(true, Ordering::Relaxed);
        let writing = {
            let registry = registry.clone();
            tokio::spawn(
                async move { registry.focus_areas().create(area("", "Once")).id(format!("once-{round}")).await },
            )
        };
        // The write is done, and the client does not know it: only now the line is cut.
        let name = format!("once-{round}");
        tokio::time::timeout(DEADLINE, async { while direct.focus_areas().get(&name).await.is_err() {} })
            .await
            .unwrap();
        let done = direct.focus_areas().get(&name).await.unwrap();
        line.mute.store(false, Ordering::Relaxed);
        line.cut();
        let answered = tokio::time::timeout(DEADLINE, writing).await.unwrap().unwrap().unwrap();
        assert_eq!(answered, done, "the first response");
    }
    assert_eq!(direct.focus_areas().list(ListOptions::new()).collect().await.unwrap().len(), 5);
    assert_eq!(direct.countries().list(ListOptions::new()).collect().await.unwrap(), []);
}

#[tokio::test]
async fn without_a_retry_the_lost_response_is_an_error() {
    // The same line and the same loss: what the test above shows is due to the retry.
    let (process, _data) = start();
    let line = Line::to(process.address).await;
    let direct = connect(&process).await;
    let registry = Registry::builder(line.url()).retry(RetryPolicy::never()).connect().await.unwrap();
    line.mute.store(true, Ordering::Relaxed);
    let writing = tokio::spawn(async move { registry.focus_areas().create(area("", "Once")).id("once").await });
    tokio::time::timeout(DEADLINE, async { while direct.focus_areas().get("once").await.is_err() {} }).await.unwrap();
    line.cut();
    assert!(writing.await.unwrap().unwrap_err().is_unavailable());
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let (process, _data) = start();
    let line = Line::to(process.address).await;
    let registry = Registry::builder(line.url()).timeout(Duration::from_millis(300)).connect().await.unwrap();
    line.mute.store(true, Ordering::Relaxed);
    let late = tokio::time::timeout(DEADLINE, registry.countries().get("kr")).await.expect("it ends by itself");
    assert_eq!(late.unwrap_err().code(), Code::DeadlineExceeded);
}
