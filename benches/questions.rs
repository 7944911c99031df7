//! Questions of 10,000, of 100,000 and of a million projects, beside PostgreSQL with the indexes for them: how long each
//! takes, how that grows, and what the server is like with so many. And a question about a day, of agreements.

mod data;
mod days;
mod postgres;
mod registry;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use partnership_registry::v1::project_service_client::ProjectServiceClient;
use partnership_registry::v1::{CreateProjectRequest, GetProjectRequest, ListProjectsRequest};

use crate::aims::Aims;
use crate::process::{self, Process};
use crate::report::{Figures, number, table};
use crate::{Plan, load};
use data::Question;
use postgres::Postgres;
use registry::Registry;

/// How many projects a page has.
const PAGE: i32 = 50;
/// How many projects a commit creates.
const BATCH: u64 = 1_000;
/// How many writes are in flight.
const IN_FLIGHT: usize = 64;
/// The size that the aims are for, and that which they grow from.
const AIMED_AT: u64 = 1_000_000;
const GROWS_FROM: u64 = 10_000;

/// What was answered: to see that both answer the same.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    /// The names of a page in their order, or groups with their counts.
    names: Vec<String>,
    /// How many there are in all, if that was asked.
    total: Option<i64>,
}

/// What was measured of one question, or of writing.
#[derive(Default)]
struct Times {
    rate: Figures,
    p50: Figures,
    p99: Figures,
}

impl Times {
    fn push(&mut self, turn: &load::Turn) {
        self.rate.push(turn.rate);
        self.p50.push(turn.p50);
        self.p99.push(turn.p99);
    }
}

/// What was measured with so many projects.
struct Measured {
    size: u64,
    /// Of the server and of PostgreSQL, by question.
    questions: Vec<(Times, Option<Times>)>,
    create: (Times, Option<Times>),
    starts: Starts,
}

/// Seconds from the start of the server to its answers.
#[derive(Default)]
struct Starts {
    get: Figures,
    write: Figures,
    list: Figures,
    resident_mib: Figures,
}

pub(crate) async fn run(plan: &Plan, sizes: &[u64], aims: &mut Aims) {
    let mut all = Vec::new();
    for size in sizes {
        all.push(measure(plan, *size).await);
    }
    days::run(plan, aims).await;
    growth(&all);
    aim(&all, plan.field.postgres.is_some(), aims);
}

async fn measure(plan: &Plan, size: u64) -> Measured {
    let (_, binary) = &plan.field.servers[0];
    let dir = process::directory();
    let server = Process::server(binary, dir.path());
    let mut registry = Registry::connect(&server.address).await;
    let began = Instant::now();
    registry.fill(size).await;
    let filled = began.elapsed();
    process::settle(&server).await;
    let resident_mib = server.resident_mib();
    registry.find_last_page(size).await;

    let mut beside = None;
    let mut filled_beside = Duration::ZERO;
    if let Some(installed) = &plan.field.postgres {
        let process = crate::postgres::start(installed, IN_FLIGHT).await;
        let began = Instant::now();
        let postgres = Postgres::fill(&process.address, size, IN_FLIGHT).await;
        filled_beside = began.elapsed();
        beside = Some((process, postgres));
    }
    println!(
        "{} projects: the server has them after {:.0} s, PostgreSQL with its indexes after {:.0} s",
        number(size as f64, 0),
        filled.as_secs_f64(),
        filled_beside.as_secs_f64()
    );

    let mut questions = Vec::new();
    let mut rows = Vec::new();
    for question in Question::ALL {
        let found = compare(question, &registry, beside.as_ref().map(|(_, postgres)| postgres)).await;
        let (mut of_server, mut of_postgres) = (Times::default(), Times::default());
        for _ in 0..plan.rounds {
            let asked = registry.clone();
            let ask = move |_, call| {
                let asked = asked.clone();
                async move { drop(asked.ask(question, call).await) }
            };
            of_server.push(&load::run(1, plan.turn, ask).await);
            let Some((_, postgres)) = &beside else { continue };
            let asked = postgres.clone();
            let ask = move |_, call| {
                let asked = asked.clone();
                async move { drop(asked.ask(question, call).await) }
            };
            of_postgres.push(&load::run(1, plan.turn, ask).await);
        }
        rows.push(vec![
            question.told().to_owned(),
            found,
            of_server.p50.show(0),
            of_server.p99.show(0),
            of_postgres.p50.show(0),
            of_postgres.p99.show(0),
            of_postgres.p50.over(&of_server.p50).show(1),
        ]);
        questions.push((of_server, beside.as_ref().map(|_| of_postgres)));
    }
    let title = format!("Questions of {} projects, one after the other", number(size as f64, 0));
    let head = ["", "found", "p50 µs", "p99 µs", "PostgreSQL's p50", "its p99", "times as fast (p50)"];
    table(&title, &head, &rows);

    server.stop();
    let starts = starts(plan, binary, dir.path(), size).await;
    let server = Process::server(binary, dir.path());
    let registry = Registry::connect(&server.address).await;
    // Once its indexes are there: they are built beside the first writes.
    registry.ask(Question::First, 0).await;
    let create = create(plan, &registry, beside.as_ref().map(|(_, postgres)| postgres), size).await;
    let of_postgres =
        |figures: fn(&Times) -> &Figures| create.1.as_ref().map_or("-".to_owned(), |times| figures(times).show(0));
    let rows = [
        vec![
            "Create with all indexes, 64 in flight, calls/s".to_owned(),
            create.0.rate.show(0),
            of_postgres(|it| &it.rate),
        ],
        vec!["  p99 µs".to_owned(), create.0.p99.show(0), of_postgres(|it| &it.p99)],
        vec!["resident after the load, MiB".to_owned(), number(resident_mib, 0), String::new()],
        vec!["resident after a start, MiB".to_owned(), starts.resident_mib.show(0), String::new()],
        vec!["started until a Get, s".to_owned(), starts.get.show(2), String::new()],
        vec!["until a write, s".to_owned(), starts.write.show(2), String::new()],
        vec!["until a List in an order, s".to_owned(), starts.list.show(2), String::new()],
    ];
    table(&format!("The server with {} projects", number(size as f64, 0)), &["", "server", "PostgreSQL"], &rows);
    Measured { size, questions, create, starts }
}

/// Sees that both answer the same, and tells how many that are on average.
async fn compare(question: Question, registry: &Registry, postgres: Option<&Postgres>) -> String {
    const CALLS: u64 = 20;
    let mut found = 0;
    for call in 0..CALLS {
        let answer = registry.ask(question, call).await;
        found += answer.total.unwrap_or_default();
        let Some(postgres) = postgres else { continue };
        let other = postgres.ask(question, call).await;
        assert_eq!(answer.names, other.names, "{question:?} {call}");
        assert!(
            other.total.is_none_or(|total| answer.total == Some(total)),
            "{question:?} {call}: {answer:?} {other:?}"
        );
    }
    number(found as f64 / CALLS as f64, 0)
}

/// Starts the server again and again, as a stop left it.
async fn starts(plan: &Plan, binary: &Path, dir: &Path, size: u64) -> Starts {
    let mut starts = Starts::default();
    for round in 0..plan.rounds as u64 {
        let began = Instant::now();
        let server = Process::server(binary, dir);
        let mut client = ProjectServiceClient::new(load::connect(&server.address).await.swap_remove(0));
        let name = data::named(size / 2).name;
        client.get_project(GetProjectRequest { name, ..GetProjectRequest::default() }).await.unwrap();
        starts.get.push(began.elapsed().as_secs_f64());
        let project = Some(data::project(2 * size + round));
        client.create_project(CreateProjectRequest { project, ..CreateProjectRequest::default() }).await.unwrap();
        starts.write.push(began.elapsed().as_secs_f64());
        let request = ListProjectsRequest {
            filter: format!("focus_areas = \"{}\"", data::focus_area(0)),
            order_by: "approval_date desc".into(),
            page_size: PAGE,
            ..ListProjectsRequest::default()
        };
        client.list_projects(request).await.unwrap();
        starts.list.push(began.elapsed().as_secs_f64());
        process::settle(&server).await;
        starts.resident_mib.push(server.resident_mib());
        server.stop();
    }
    starts
}

/// Writes into what is there, in turns.
async fn create(plan: &Plan, registry: &Registry, postgres: Option<&Postgres>, size: u64) -> (Times, Option<Times>) {
    let (mut of_server, mut of_postgres) = (Times::default(), Times::default());
    let next = [(); 2].map(|()| Arc::new(AtomicU64::new(3 * size)));
    // Short turns: what is written is there from then on.
    let turn = plan.turn / 2;
    registry.create(next[0].clone(), IN_FLIGHT, turn / 2).await;
    for _ in 0..plan.rounds {
        of_server.push(&registry.create(next[0].clone(), IN_FLIGHT, turn).await);
        if let Some(postgres) = postgres {
            of_postgres.push(&postgres.create(next[1].clone(), IN_FLIGHT, turn).await);
        }
    }
    let written = next[0].load(Ordering::Relaxed) - 3 * size;
    println!("Create wrote {} projects more", number(written as f64, 0));
    (of_server, postgres.map(|_| of_postgres))
}

/// Prints how the times grow from size to size.
fn growth(all: &[Measured]) {
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return };
    if first.size == last.size {
        return;
    }
    let sizes: Vec<_> = all.iter().map(|measured| format!("{}, p50 µs", number(measured.size as f64, 0))).collect();
    let row = |what: &str, p50: &dyn Fn(&Measured) -> f64| {
        let times = all.iter().map(|measured| number(p50(measured), 0));
        let growth = number(p50(last) / p50(first), 2);
        std::iter::once(what.to_owned()).chain(times).chain([growth]).collect::<Vec<_>>()
    };
    let mut rows = Vec::new();
    for (at, question) in Question::ALL.iter().enumerate() {
        rows.push(row(question.told(), &|measured| measured.questions[at].0.p50.median()));
        if first.questions[at].1.is_some() {
            let of_postgres =
                |measured: &Measured| measured.questions[at].1.as_ref().map_or(f64::NAN, |times| times.p50.median());
            rows.push(row("  PostgreSQL", &of_postgres));
        }
    }
    rows.push(row("Create, 64 in flight", &|measured| measured.create.0.p50.median()));
    let head: Vec<_> = std::iter::once("").chain(sizes.iter().map(String::as_str)).chain(["growth"]).collect();
    table("How the times grow", &head, &rows);
}

/// Notes the aims, which are for a million projects.
fn aim(all: &[Measured], beside: bool, aims: &mut Aims) {
    let of_size = |size| all.iter().find(|measured| measured.size == size);
    let (large, small) = (of_size(AIMED_AT), of_size(GROWS_FROM));
    let times = |measured: Option<&Measured>, question: Question| -> Option<Times> {
        let at = Question::ALL.iter().position(|one| *one == question)?;
        let (times, _) = measured?.questions.get(at)?;
        Some(Times { rate: times.rate.clone(), p50: times.p50.clone(), p99: times.p99.clone() })
    };
    let faster = |question: Question| {
        let at = Question::ALL.iter().position(|one| *one == question)?;
        let (server, postgres) = large?.questions.get(at)?;
        Some(postgres.as_ref()?.p50.over(&server.p50))
    };
    let in_millis = |figures: &Figures| Figures(figures.0.iter().map(|micros| micros / 1e3).collect());
    for question in [Question::Few, Question::Many, Question::Latest] {
        let told = question.told();
        let p99 = times(large, question).map(|times| in_millis(&times.p99));
        aims.at_most(&format!("{told}: p99 at a million, ms"), 2.0, p99.as_ref());
        aims.at_least(
            &format!("{told}: times as fast as PostgreSQL"),
            3.0,
            faster(question).filter(|_| beside).as_ref(),
        );
    }
    let last = times(large, Question::Last).zip(times(large, Question::First));
    aims.at_most(
        "the last page, of the first (p50)",
        1.2,
        last.map(|(last, first)| last.p50.over(&first.p50)).as_ref(),
    );
    let count = times(large, Question::Count).map(|times| in_millis(&times.p50));
    aims.at_most("count by two fields at a million, ms (p50)", 20.0, count.as_ref());
    aims.at_least("count by two fields, times as fast as PostgreSQL", 10.0, faster(Question::Count).as_ref());
    // After the load, sled holds several times what it needs until a restart.
    let resident = large.map(|large| Figures(large.starts.resident_mib.0.iter().map(|mib| mib / 1024.0).collect()));
    aims.at_most("resident at a million, GiB", 1.4, resident.as_ref());
    aims.at_most("start until a Get at a million, s", 6.0, large.map(|measured| &measured.starts.get));
    aims.at_most("start until a write at a million, s", 6.0, large.map(|measured| &measured.starts.write));
    aims.at_most("start until a List at a million, s", 10.0, large.map(|measured| &measured.starts.list));
    // Where a page is full with 10,000 projects too: what is answered is as much then.
    for question in [Question::Many, Question::Latest, Question::First, Question::Last] {
        let growth = times(large, question).zip(times(small, question));
        let growth = growth.map(|(large, small)| large.p50.over(&small.p50));
        aims.at_most(&format!("{}: growth from 10,000 to a million", question.told()), 1.2, growth.as_ref());
    }
}
