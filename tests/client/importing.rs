//! Imports through the library: batches that are whole or nothing, and an observer that stops.

use partnership_registry_client::import::{AcceptedRow, Import, Interrupted, Observer, Origin, Row};
use partnership_registry_client::v1::{Country, Official, Resource};
use partnership_registry_client::{Code, ListOptions};

use super::{connect, start};

fn rows(resources: impl IntoIterator<Item = Resource>) -> impl Iterator<Item = std::io::Result<Row>> {
    resources
        .into_iter()
        .zip(1..)
        .map(|(resource, line)| Ok(Row { origin: Origin { source: "rows".into(), line }, resource: Ok(resource) }))
}

fn country(id: usize, region_code: &str) -> Resource {
    let (name, display_name) = (format!("countries/c-{id}"), "C".to_owned());
    Country { name, display_name, region_code: region_code.into(), ..Country::default() }.into()
}

#[tokio::test]
async fn a_batch_that_is_whole_or_nothing_ends_the_import_where_it_is_refused() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    let import = Import::new(&registry).batch_max(2).all_or_none(true);
    // It refers to a row of a later batch, and waits for it.
    let forward = Official {
        name: "officials/x".into(),
        display_name: "X".into(),
        country: "countries/c-3".into(),
        ..Official::default()
    };
    let all = [country(1, ""), forward.into(), country(3, ""), country(4, ""), country(5, ""), country(6, "wrong")];
    let Interrupted { cause, summary, resume_from, names, .. } =
        import.run(rows(all.clone()), &mut ()).await.unwrap_err();
    assert_eq!((cause.code(), cause.refused_mutations()), (Code::InvalidArgument, vec![1]));
    assert_eq!(names, ["countries/c-5", "countries/c-6"], "the names of what the cause has numbers for");
    assert_eq!((summary.created, summary.commits), (3, 2));
    assert_eq!(resume_from.unwrap().line, 2, "what waits is not done");
    let listed = registry.countries().list(ListOptions::new()).collect().await.unwrap();
    assert_eq!(listed.len(), 3, "nothing of the refused batch");
    let summary = import.run(rows(all.into_iter().take(5)), &mut ()).await.unwrap();
    assert_eq!((summary.created, summary.unchanged), (2, 3));
}

#[tokio::test]
async fn an_observer_stops_an_import_between_batches() {
    struct Stop(u64);
    impl Observer for Stop {
        fn accepted(&mut self, _: &AcceptedRow<'_>) {
            self.0 += 1;
        }

        fn stops(&mut self) -> bool {
            self.0 >= 4
        }
    }
    let (process, _data) = start();
    let registry = connect(&process).await;
    let import = Import::new(&registry).batch_max(2);
    let all = || rows((1..=9).map(|id| country(id, "")));
    let stopped = import.run(all(), &mut Stop(0)).await.unwrap_err();
    assert_eq!((stopped.cause.code(), stopped.summary.created), (Code::Cancelled, 4));
    let line = stopped.resume_from.unwrap().line;
    assert_eq!(line, 5);
    let summary = import.from_line(line).run(all(), &mut ()).await.unwrap();
    assert_eq!((summary.read, summary.created), (5, 5));
}
