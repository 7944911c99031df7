//! Reads of chosen fields, and rollbacks: of a typed handle, of one of any kind, and in a commit.

use partnership_registry_client::v1::{ChangeAction, Country};
use partnership_registry_client::{Code, ListOptions, Point, ReadOptions, Registry, WriteOptions};

use super::{connect, start};

/// Korea without a capital in revision 1, and with one in 2.
async fn korea(registry: &Registry) -> Country {
    let labels = [("programme".to_owned(), "hydrogen".to_owned()), ("a.b".to_owned(), "c".to_owned())].into();
    let korea = Country { display_name: "Korea".into(), labels, ..Country::default() };
    let korea = registry.countries().create(korea).id("kr").await.unwrap();
    registry.countries().update(Country { capital: "Seoul".into(), ..korea }, ["capital"]).await.unwrap()
}

#[tokio::test]
async fn a_read_answers_the_fields_that_were_asked_for() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    let korea = korea(&registry).await;
    let countries = registry.countries();
    let of = |label: (&str, &str)| Country {
        name: korea.name.clone(),
        labels: [(label.0.to_owned(), label.1.to_owned())].into(),
        ..Country::default()
    };
    let expected = of(("programme", "hydrogen"));
    assert_eq!(countries.get("kr").fields(["name", "labels.programme"]).await.unwrap(), expected);
    assert_eq!(countries.get("kr").fields(["name", "labels.`a.b`"]).await.unwrap(), of(("a.b", "c")));
    assert_eq!(countries.get("kr").at(1).fields(["capital"]).await.unwrap().capital, "");
    assert_eq!(countries.get("kr").fields(["*"]).await.unwrap(), korea);
    let read = countries.batch_get(["kr", "kr"]).fields(["name", "labels.programme"]).await.unwrap();
    assert_eq!(read, [expected.clone(), expected.clone()]);
    let options = ListOptions::new().fields(["name", "labels.programme"]);
    assert_eq!(countries.list(options.clone()).collect().await.unwrap(), std::slice::from_ref(&expected));

    let any = registry.collection("countries").unwrap();
    let fields = ["name", "labels.programme"].into();
    let options_of_any = ReadOptions { at: Point::Head, on: None, fields };
    assert_eq!(any.get("kr", options_of_any.clone()).await.unwrap(), expected.clone().into());
    assert_eq!(any.batch_get(&["kr".to_owned()], options_of_any).await.unwrap(), [expected.clone().into()]);
    assert_eq!(any.list(options).collect().await.unwrap(), [expected.into()]);

    let refused = countries.get("kr").fields(["population"]).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
}

#[tokio::test]
async fn a_rollback_makes_a_resource_what_it_was() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    let korea = korea(&registry).await;
    let countries = registry.countries();

    let checked = countries.rollback("kr", 1).validate_only(true).await.unwrap();
    assert_eq!(checked.capital, "");
    assert_eq!(countries.get("kr").await.unwrap(), korea, "nothing was written");
    let stale = countries.rollback("kr", 1).etag("\"1-0\"").await.unwrap_err();
    assert!(stale.is_conflict(), "{stale:?}");
    let back = countries.rollback("countries/kr", 1).etag(&korea.etag).await.unwrap();
    assert_eq!((back.capital.as_str(), back.revision), ("", 3));

    let any = registry.collection("countries").unwrap();
    let again = any.rollback("kr", 2, WriteOptions::default()).await.unwrap();
    let expected = countries.get("kr").await.unwrap();
    assert_eq!((again, expected.capital.as_str()), (expected.clone().into(), "Seoul"));

    countries.delete("kr").await.unwrap();
    let done = registry.commit().rollback("countries/kr", 1).await.unwrap();
    assert_eq!(done.results[0].action(), ChangeAction::Rollback);
    let live = countries.get("kr").await.unwrap();
    assert_eq!((live.capital.as_str(), live.delete_time), ("", None));
    let missing = countries.rollback("kr", 77).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing:?}");
}
