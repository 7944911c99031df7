//! Whatever callers send, and do not take, what the server holds stays below a bound: all attacks on its memory at once,
//! beside a client that behaves.
//!
//! `PARTNERSHIP_TEST_MEMORY=full` makes it as large as what is promised: 100,000 resources and 512 MiB.
//! `PARTNERSHIP_TEST_SERVER_BINARY` names another binary, such as one that was built for a release.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::{BatchGetCountriesRequest, CommitRequest, Country, ExportRequest, ListCountriesRequest};
use tokio::task::JoinSet;

use super::alone;
use super::calls::{Connection, body, taken};
use crate::harness::process::Process;
use crate::harness::steady::Steady;
use crate::harness::within;
use crate::service::{commit, country, create};

const REGISTRY: &str = "/partnership.registry.v1.RegistryService";
const COUNTRIES: &str = "/partnership.registry.v1.CountryService";
/// Large documents: a page ends after 52 of them.
const LARGE: usize = 100;
const LARGE_BYTES: usize = 40_000;
/// How long the attacks go on, shorter than a body may trickle.
const LASTING: Duration = Duration::from_secs(8);

/// How much there is, and how much is asked at once.
struct Scale {
    resources: usize,
    connections: usize,
    lists: usize,
    exports: usize,
    uploads: usize,
    batches: usize,
    /// The most MiB that the process may have had at any time.
    max_mib: usize,
}

const SMALL: Scale =
    Scale { resources: 5_000, connections: 2, lists: 160, exports: 60, uploads: 60, batches: 60, max_mib: 384 };
const FULL: Scale =
    Scale { resources: 100_000, connections: 4, lists: 1_000, exports: 300, uploads: 400, batches: 300, max_mib: 512 };

fn scale() -> Scale {
    if std::env::var_os("PARTNERSHIP_TEST_MEMORY").is_some_and(|scale| scale == "full") { FULL } else { SMALL }
}

async fn start(data: &Path, faults: &str, scale: &Scale) -> Process {
    let adapt = |command: &mut std::process::Command| {
        command.args(["--cache-mib", "16", "--segment-mib", "16"]).env("PARTNERSHIP_TEST_FAULTS", faults);
    };
    let server = match std::env::var_os("PARTNERSHIP_TEST_SERVER_BINARY") {
        Some(binary) if faults.is_empty() => Process::start_binary_with(Path::new(&binary), data, adapt),
        Some(_) | None => Process::start_with(data, adapt),
    };
    let mut registry = RegistryServiceClient::new(server.channel().await);
    for from in (0..LARGE).step_by(50) {
        commit(&mut registry, (from..from + 50).map(|number| create(large(number))).collect()).await.unwrap();
    }
    for from in (0..scale.resources).step_by(1_000) {
        let small = (from..from + 1_000).map(|number| create(country(&format!("small-{number}"))));
        commit(&mut registry, small.collect()).await.unwrap();
    }
    server
}

fn large(number: usize) -> Country {
    Country { description: "ü".repeat(LARGE_BYTES / 2), ..country(&format!("large-{number}")) }
}

/// What `/proc` says of the memory of a process, in MiB: what it has, or had at most.
fn mib(server: &Process, field: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<usize>().unwrap() >> 10
}

/// Calls whose answers are not taken, for as long as the attacks last.
async fn unread(server: &Process, path: &str, request: Bytes, count: usize) -> JoinSet<()> {
    let mut calls = JoinSet::new();
    let mut connection = Connection::open(server.address, 0).await;
    let path = path.to_owned();
    calls.spawn(async move {
        let mut answers = Vec::new();
        for _ in 0..count {
            // It may be closed by now.
            let Some(answer) = connection.try_send(&path, request.clone()).await else { break };
            answers.push(answer);
        }
        tokio::time::sleep(LASTING).await;
        drop(answers);
    });
    calls
}

/// Requests of 3.9 megabytes that come but for their end.
async fn uploads(server: &Process, count: usize) -> JoinSet<()> {
    let mut all = JoinSet::new();
    let mut connection = Connection::open(server.address, 0).await;
    let path = format!("{REGISTRY}/Commit");
    all.spawn(async move {
        let mut sending = JoinSet::new();
        for _ in 0..count {
            let Some((answer, mut stream)) = connection.try_begin(&path).await else { break };
            sending.spawn(async move {
                let mut left = 3_900_000;
                let mut next = Bytes::from([&[0][..], &4_000_000_u32.to_be_bytes()].concat());
                while left > 0 && stream.send_data(next, false).is_ok() {
                    stream.reserve_capacity(64 << 10);
                    let Some(Ok(capacity)) = std::future::poll_fn(|context| stream.poll_capacity(context)).await else {
                        break;
                    };
                    next = Bytes::from(vec![0; capacity.min(left)]);
                    left -= next.len();
                }
                tokio::time::sleep(LASTING).await;
                drop(answer);
            });
        }
        // Those that are refused end at once.
        let _ = tokio::time::timeout(LASTING, sending.join_all()).await;
    });
    all
}

/// Commits of almost four megabytes whose caller goes away as soon as they are sent.
async fn abandoned(server: &Process) -> JoinSet<()> {
    let mut all = JoinSet::new();
    let mut connection = Connection::open(server.address, 65_535).await;
    let mutations = (0..95).map(|number| create(large(LARGE + number))).collect();
    let request = body(&CommitRequest { mutations, validate_only: true, ..CommitRequest::default() });
    all.spawn(async move {
        for _ in 0..20 {
            let path = format!("{REGISTRY}/Commit");
            let Some(answer) = connection.try_send(&path, request.clone()).await else { break };
            // As long as it takes to send it.
            let _ = tokio::time::timeout(Duration::from_millis(200), answer).await;
        }
    });
    all
}

/// All attacks at once. Answers when all of them are over.
async fn attack(server: &Process, scale: &Scale) {
    let list = body(&ListCountriesRequest { page_size: 1_000, ..ListCountriesRequest::default() });
    let names = (0..95).map(|number| format!("countries/large-{number}")).collect();
    let batch = body(&BatchGetCountriesRequest { names, ..BatchGetCountriesRequest::default() });
    let mut attacks = vec![abandoned(server).await];
    for _ in 0..scale.connections {
        let each = |count: usize| count / scale.connections;
        attacks.push(unread(server, &format!("{COUNTRIES}/ListCountries"), list.clone(), each(scale.lists)).await);
        attacks
            .push(unread(server, &format!("{COUNTRIES}/BatchGetCountries"), batch.clone(), each(scale.batches)).await);
        let export = body(&ExportRequest::default());
        attacks.push(unread(server, &format!("{REGISTRY}/Export"), export, each(scale.exports)).await);
        attacks.push(uploads(server, each(scale.uploads)).await);
    }
    for attack in attacks {
        attack.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_attacks_on_the_memory_at_once_stay_below_the_bound() {
    let _alone = alone().await;
    let (data, scale) = (tempfile::tempdir().unwrap(), scale());
    let server = start(data.path(), "", &scale).await;
    let quiet = Steady::quiet(server.channel().await, "quiet").await;
    let before = mib(&server, "VmRSS");
    let steady = Steady::begin(server.channel().await, "steady");
    let began = Instant::now();
    attack(&server, &scale).await;
    let took = began.elapsed();
    // Every call of it was served; how fast depends on how much the attackers themselves take of the machine.
    let times = steady.end().await;
    let (most, after) = (mib(&server, "VmHWM"), mib(&server, "VmRSS"));
    println!("{before} MiB before, {most} at most, {after} after attacks of {took:?}");
    for method in ["get", "list", "create"] {
        println!("p99 of {method}: {:?}, quiet {:?}", times.p99(method), quiet.p99(method));
    }
    assert!(most <= scale.max_mib, "{most} MiB, and {before} before:\n{}", server.log());
    // All of it has been given back: as much as one connection may hold is answered to a new one, at once.
    let names = (0..95).map(|number| format!("countries/large-{number}")).collect();
    let batch = BatchGetCountriesRequest { names, ..BatchGetCountriesRequest::default() };
    let mut connection = Connection::open(server.address, 1 << 24).await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(connection.call(&format!("{COUNTRIES}/BatchGetCountries"), &batch).await);
    }
    for answer in answers {
        let (status, bytes) = within(taken(answer)).await.unwrap();
        assert!(status.code() == tonic::Code::Ok && bytes > 95 * LARGE_BYTES, "{status:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_without_a_bound_is_noticed() {
    let _alone = alone().await;
    let (data, scale) = (tempfile::tempdir().unwrap(), SMALL);
    let server = start(data.path(), "no-budget;writes-without-end;taking-max-ms=60000", &scale).await;
    attack(&server, &scale).await;
    let most = mib(&server, "VmHWM");
    println!("{most} MiB at most without a budget");
    assert!(most > scale.max_mib, "{most} MiB: the fault is not noticed");
}
