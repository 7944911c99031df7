//! sled can keep a caller for ever. For each call into it, at the start, under load and at the end: the real server goes on
//! answering rightly and in time, says in its log and its health what does not come back, uses sled again when it does,
//! and ends in time if it never does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{self, Country};
use partnership_registry_server::serve::HEALTH_OF_STATE;
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus::{self, Serving};
use tonic_health::pb::health_client::HealthClient;

use crate::harness::process::{DEADLINE, Process};
use crate::harness::{until, until_sled_serves};

/// No call takes longer, whatever sled does. Most take milliseconds; the machine may be busy.
const CALL_MAX: Duration = Duration::from_secs(5);
/// The drain of these servers, in seconds.
const DRAIN_GRACE: u64 = 2;
/// From the signal to the end of the process: the drain, the two seconds that are promised, and what a busy machine adds.
const STOP_MAX: Duration = Duration::from_secs(DRAIN_GRACE + 2 + 1);

/// A directory, and a file: while it exists, a call into sled does not come back.
struct Fixture {
    data: TempDir,
    stall: PathBuf,
}

impl Fixture {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let stall = data.path().join("stall");
        Self { data, stall }
    }

    fn dir(&self) -> PathBuf {
        self.data.path().join("data")
    }

    fn begin_stall(&self) {
        std::fs::write(&self.stall, b"").unwrap();
    }

    fn end_stall(&self) {
        std::fs::remove_file(&self.stall).unwrap();
    }

    fn start(&self, call: &str) -> Process {
        start(&self.dir(), Some(&format!("{call}:{}", self.stall.display())))
    }
}

fn start(dir: &Path, stall: Option<&str>) -> Process {
    Process::start_with(dir, |command| {
        command.args(["--cache-mib", "16", "--drain-grace", &DRAIN_GRACE.to_string()]);
        if let Some(stall) = stall {
            command.env("PARTNERSHIP_TEST_FAULTS", format!("stall-sled={stall}"));
        }
    })
}

/// What the registry must answer, and a way to ask it.
struct User {
    channel: Channel,
    countries: CountryServiceClient<Channel>,
    health: HealthClient<Channel>,
    /// Each country with all its versions, oldest first.
    expected: BTreeMap<String, Vec<(u64, Country)>>,
}

impl User {
    async fn new(server: &Process) -> Self {
        let channel = server.channel().await;
        Self {
            countries: CountryServiceClient::new(channel.clone()),
            health: HealthClient::new(channel.clone()),
            channel,
            expected: BTreeMap::new(),
        }
    }

    /// The same on another server of the same registry.
    async fn moved_to(self, server: &Process) -> Self {
        Self { expected: self.expected, ..Self::new(server).await }
    }

    /// Creates some countries, and changes some that are there.
    async fn write(&mut self, count: usize) {
        let known: Vec<_> = self.expected.keys().take(count).cloned().collect();
        for name in known {
            let display_name = format!("Changed {}", self.expected[&name].len());
            let request = v1::UpdateCountryRequest {
                country: Some(Country { name, display_name, ..Country::default() }),
                update_mask: Some(prost_types::FieldMask { paths: vec!["display_name".into()] }),
                ..Default::default()
            };
            let changed = in_time(self.countries.update_country(request)).await.into_inner();
            self.note(changed);
        }
        for _ in 0..count {
            let request = v1::CreateCountryRequest {
                country_id: format!("c{:04}", self.expected.len()),
                country: Some(Country { display_name: "New".into(), ..Country::default() }),
                ..Default::default()
            };
            let created = in_time(self.countries.create_country(request)).await.into_inner();
            self.note(created);
        }
    }

    fn note(&mut self, country: Country) {
        let versions = self.expected.entry(country.name.clone()).or_default();
        versions.push((country.revision, country));
    }

    /// Everything by every way of reading: as it is, as it was, many at once, in a list.
    async fn read_all(&mut self) {
        for (name, versions) in &self.expected {
            let get = |read_revision| v1::GetCountryRequest { name: name.clone(), read_revision, ..Default::default() };
            let now = in_time(self.countries.get_country(get(0))).await.into_inner();
            assert_eq!(&now, &versions.last().unwrap().1);
            for (revision, version) in versions {
                let then = in_time(self.countries.get_country(get(*revision))).await.into_inner();
                assert_eq!(&then, version, "as of {revision}");
            }
        }
        let expected: Vec<_> = self.expected.values().map(|versions| versions.last().unwrap().1.clone()).collect();
        let names = self.expected.keys().cloned().collect();
        let request = v1::BatchGetCountriesRequest { names, ..Default::default() };
        let many = in_time(self.countries.batch_get_countries(request)).await.into_inner().countries;
        assert_eq!(many, expected);
        let request = v1::ListCountriesRequest { page_size: 1_000, ..Default::default() };
        let listed = in_time(self.countries.list_countries(request)).await.into_inner().countries;
        assert_eq!(listed, expected);
    }

    /// Many reads at once, of what is and of what was.
    async fn read_at_once(&self) {
        let mut reads = tokio::task::JoinSet::new();
        for (name, versions) in self.expected.iter().cycle().take(100) {
            for (read_revision, expected) in [(0, versions.last().unwrap()), (versions[0].0, &versions[0])] {
                let (mut countries, expected) = (self.countries.clone(), expected.1.clone());
                let request = v1::GetCountryRequest { name: name.clone(), read_revision, ..Default::default() };
                reads.spawn(async move {
                    assert_eq!(in_time(countries.get_country(request)).await.into_inner(), expected);
                });
            }
        }
        while let Some(read) = reads.join_next().await {
            read.unwrap();
        }
    }

    async fn status(&mut self, service: &str) -> ServingStatus {
        let request = HealthCheckRequest { service: service.into() };
        in_time(self.health.check(request)).await.into_inner().status()
    }

    /// Writes and reads until the health says that sled does not serve, and the log says why; the registry serves.
    async fn work_until_stalled(&mut self, server: &Process, call: &str) {
        let began = Instant::now();
        loop {
            self.write(2).await;
            self.read_all().await;
            if self.status(HEALTH_OF_STATE).await != Serving && stalls_told(server, call) > returns_told(server, call) {
                break;
            }
            assert!(began.elapsed() < DEADLINE, "no stall of {call} is told:\n{}", server.log());
        }
        self.read_at_once().await;
        for service in ["", "partnership.registry.v1.CountryService", "partnership.registry.v1.RegistryService"] {
            assert_eq!(self.status(service).await, Serving, "{service:?}");
        }
    }
}

/// Asks as nobody likes to wait longer.
async fn in_time<T>(call: impl Future<Output = Result<T, tonic::Status>>) -> T {
    match tokio::time::timeout(CALL_MAX, call).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(status)) => panic!("{status}"),
        Err(_) => panic!("no answer within {CALL_MAX:?}"),
    }
}

fn stalls_told(server: &Process, call: &str) -> usize {
    told(server, "a call into sled has not come back", call)
}

fn returns_told(server: &Process, call: &str) -> usize {
    told(server, "a call into sled has come back", call)
}

fn told(server: &Process, what: &str, call: &str) -> usize {
    let call = format!("call={call}");
    server.log().lines().filter(|line| line.contains(what) && line.contains(&call)).count()
}

/// Ends the server, and holds that it ends well and in time.
async fn stop_in_time(server: Process) -> String {
    let began = Instant::now();
    let ended = tokio::task::spawn_blocking(|| server.stop()).await.unwrap();
    assert!(began.elapsed() < STOP_MAX, "it took {:?} to end:\n{}", began.elapsed(), ended.log);
    assert!(ended.status.success(), "{}:\n{}", ended.status, ended.log);
    assert!(!ended.log.contains("panicked"), "{}", ended.log);
    ended.log
}

/// After a restart without a stall all is there, and sled serves.
async fn heals_after_restart(fixture: &Fixture, user: User) {
    let server = start(&fixture.dir(), None);
    let mut user = user.moved_to(&server).await;
    user.read_all().await;
    until_sled_serves(&user.channel).await;
    user.read_all().await;
    stop_in_time(server).await;
}

/// A server that began while a call did not come back: it serves, uses sled when the call does, and ends if it never does.
async fn stalled_at_start(call: &str) {
    let fixture = Fixture::new();
    let server = start(&fixture.dir(), None);
    let mut user = User::new(&server).await;
    user.write(10).await;
    stop_in_time(server).await;

    fixture.begin_stall();
    let server = fixture.start(call);
    user = user.moved_to(&server).await;
    user.work_until_stalled(&server, call).await;
    assert_eq!(stalls_told(&server, call), 1, "once for each stall:\n{}", server.log());
    fixture.end_stall();
    until_sled_serves(&user.channel).await;
    user.read_all().await;
    let began = Instant::now();
    until("the return to be told", async || (returns_told(&server, call) == 1).then_some(())).await;
    assert!(began.elapsed() < DEADLINE);
    stop_in_time(server).await;

    fixture.begin_stall();
    let server = fixture.start(call);
    user = user.moved_to(&server).await;
    user.write(2).await;
    let log = stop_in_time(server).await;
    assert!(log.contains("is left behind"), "{log}");
    heals_after_restart(&fixture, user).await;
}

/// A call that does not come back under load, comes back, and then does not come back at the end.
async fn stalled_under_load(call: &str) {
    let fixture = Fixture::new();
    let server = fixture.start(call);
    let mut user = User::new(&server).await;
    user.write(10).await;
    until_sled_serves(&user.channel).await;
    user.read_all().await;
    for stalls in 1..=2 {
        fixture.begin_stall();
        if stalls == 2 {
            // So many at once meet the stall as sled takes.
            user.read_at_once().await;
        }
        user.work_until_stalled(&server, call).await;
        assert_eq!(stalls_told(&server, call), stalls, "once for each stall:\n{}", server.log());
        if stalls == 1 {
            fixture.end_stall();
            until_sled_serves(&user.channel).await;
            until("the return to be told", async || (returns_told(&server, call) == 1).then_some(())).await;
            user.read_all().await;
        }
    }
    let log = stop_in_time(server).await;
    assert!(log.contains("is left behind"), "{log}");
    heals_after_restart(&fixture, user).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_serves_and_ends_while_sled_does_not_open() {
    stalled_at_start("open").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_serves_and_ends_while_sled_does_not_tell_its_mark() {
    stalled_at_start("mark").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_serves_and_ends_while_sled_does_not_get_verified() {
    stalled_at_start("verify").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_and_ends_while_sled_takes_no_batch() {
    stalled_under_load("apply").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_and_ends_while_sled_does_not_flush() {
    stalled_under_load("flush").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_and_ends_while_sled_does_not_answer_a_get() {
    stalled_under_load("get").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_and_ends_while_sled_does_not_answer_a_read_of_the_past() {
    stalled_under_load("range").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_ends_while_sled_does_not_close() {
    let fixture = Fixture::new();
    let server = fixture.start("close");
    let mut user = User::new(&server).await;
    user.write(10).await;
    until_sled_serves(&user.channel).await;
    fixture.begin_stall();
    user.read_all().await;
    let log = stop_in_time(server).await;
    assert!(log.contains("is left behind"), "{log}");
    heals_after_restart(&fixture, user).await;
}
