//! docs/filter.md: every example on it is run, and selects what stands beside it.

use partnership_registry::v1::Resource;
use partnership_registry_client::json::{self, Syntax};
use partnership_registry_client::{ListOptions, Registry};

use crate::harness::Server;

const PAGE: &str = include_str!("../docs/filter.md");

/// The blocks of the page that are of this sort: their collection, and their lines.
fn blocks(sort: &str) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let all = PAGE.split("\n```").skip(1).step_by(2);
    all.filter_map(move |block| {
        let (head, lines) = block.split_once('\n')?;
        let (found, collection) = head.split_once(' ').unwrap_or((head, ""));
        (found == sort).then(|| (collection, lines.lines().collect()))
    })
}

/// The examples of a sort, each with its collection and what is said of it behind `#`.
fn examples(sort: &str) -> Vec<(&'static str, &'static str, &'static str)> {
    let example = |line: &'static str| line.rsplit_once('#').map(|(text, said)| (text.trim(), said.trim()));
    let each = blocks(sort).flat_map(|(collection, lines)| {
        lines.into_iter().map(move |line| (collection, example(line).unwrap_or_else(|| panic!("no '#': {line}"))))
    });
    each.map(|(collection, (text, said))| (collection, text, said)).collect()
}

/// What is refused, and the phrase that stands below it.
fn refusals(sort: &str) -> Vec<(&'static str, &'static str, &'static str)> {
    let each = blocks(sort).flat_map(|(collection, lines)| {
        let pairs: Vec<_> = lines.chunks(2).map(|pair| (collection, pair[0], pair[1].trim())).collect();
        pairs
    });
    each.collect()
}

/// A server with the data of the page, and a connection to it.
async fn served() -> (Server, Registry) {
    let server = Server::start().await;
    let registry = Registry::connect(server.address()).await.unwrap();
    let data: Vec<_> = blocks("data").flat_map(|(_, lines)| lines).collect();
    let mut commit = registry.commit();
    for resource in json::read_all(&data.join("\n"), Syntax::Json, None).unwrap() {
        commit = commit.create(resource);
    }
    commit.await.unwrap();
    (server, registry)
}

/// The ids of what is listed.
async fn listed(registry: &Registry, collection: &str, options: ListOptions) -> Result<Vec<String>, String> {
    let resources = registry.collection(collection).unwrap_or_else(|| panic!("no collection: {collection}"));
    let found: Vec<Resource> = resources.list(options).collect().await.map_err(|error| error.to_string())?;
    let id = |resource: &Resource| resource.name().rsplit_once('/').unwrap().1.to_owned();
    Ok(found.iter().map(id).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_example_of_the_page_selects_what_stands_beside_it() {
    let (_server, registry) = served().await;
    let (examples, mut wrong) = (examples("filter"), Vec::new());
    assert!(examples.len() > 75, "{}", examples.len());
    for (collection, filter, said) in examples {
        match listed(&registry, collection, ListOptions::new().filter(filter)).await {
            Ok(found) if found.join(", ") == said => {}
            other => wrong.push(format!("{filter}: {other:?}, and the page says {said}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_order_of_the_page_is_as_it_says() {
    let (_server, registry) = served().await;
    let examples = examples("order_by");
    assert!(!examples.is_empty());
    for (collection, order, said) in examples {
        let found = listed(&registry, collection, ListOptions::new().order_by(order)).await;
        assert_eq!(found.map(|found| found.join(", ")).as_deref(), Ok(said), "{order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_says_is_refused_is_refused_in_these_words() {
    let (_server, registry) = served().await;
    let filters = refusals("refused");
    let filters = filters.into_iter().map(|one| (one, ListOptions::new().filter(one.1), "filter"));
    let orders = refusals("refused_order");
    let orders = orders.into_iter().map(|one| (one, ListOptions::new().order_by(one.1), "order_by"));
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for ((collection, text, said), options, field) in filters.chain(orders) {
        asked += 1;
        match listed(&registry, collection, options).await {
            Err(error) if error.contains(&format!("{field}: {said}")) => {}
            other => wrong.push(format!("{text}: {other:?}, and the page says {said}")),
        }
    }
    assert!(asked > 20, "{asked}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
