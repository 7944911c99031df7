//! A well-behaved client beside whatever a test does to a server: it reads, lists and writes all the time, every call has
//! to succeed, and how long the calls took is recorded.

use std::time::{Duration, Instant};

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{Country, CreateCountryRequest, GetCountryRequest, ListCountriesRequest};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use super::PATIENCE;

/// How often a round of calls begins.
const EVERY: Duration = Duration::from_millis(10);

/// Below this no time counts as slow: other tests share the cores.
const FLOOR: Duration = Duration::from_millis(100);

/// A client that is at it until it is asked how it went.
pub(crate) struct Steady {
    end: watch::Sender<bool>,
    calls: JoinHandle<Vec<(&'static str, Duration)>>,
}

/// How long the calls took.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<(&'static str, Duration)>);

impl Steady {
    /// Begins. A name makes what it writes its own.
    pub(crate) fn begin(channel: Channel, name: &'static str) -> Self {
        Self::begin_every(EVERY, channel, name)
    }

    /// As `begin`, with a round of calls so often.
    pub(crate) fn begin_every(every: Duration, channel: Channel, name: &'static str) -> Self {
        let (end, ended) = watch::channel(false);
        Self { end, calls: tokio::spawn(run(every, channel, name, ended)) }
    }

    /// Ends, and answers how long the calls took. Panics if one was refused or took longer than anybody waits.
    pub(crate) async fn end(self) -> Times {
        let _ = self.end.send(true);
        Times(self.calls.await.expect("the steady client is served"))
    }

    /// What the server does for it when nothing else happens.
    pub(crate) async fn quiet(channel: Channel, name: &'static str) -> Times {
        let steady = Self::begin(channel, name);
        tokio::time::sleep(Duration::from_secs(2)).await;
        steady.end().await
    }
}

async fn run(
    every: Duration,
    channel: Channel,
    name: &'static str,
    ended: watch::Receiver<bool>,
) -> Vec<(&'static str, Duration)> {
    let mut countries = CountryServiceClient::new(channel);
    let mut times = Vec::new();
    let mut timed = |method, began: Instant, status: Result<(), tonic::Status>| {
        status.unwrap_or_else(|status| panic!("{method}: {status}"));
        times.push((method, began.elapsed()));
    };
    for count in 0_u64.. {
        let country = Country { display_name: "Steady".into(), ..Country::default() };
        let country_id = format!("{name}-{count}");
        let request =
            CreateCountryRequest { country_id: country_id.clone(), country: Some(country), ..Default::default() };
        let began = Instant::now();
        let created = tokio::time::timeout(PATIENCE, countries.create_country(request)).await;
        timed("create", began, created.expect("an answer").map(|_| ()));
        let request = GetCountryRequest { name: format!("countries/{country_id}"), ..Default::default() };
        let began = Instant::now();
        let got = tokio::time::timeout(PATIENCE, countries.get_country(request)).await;
        timed("get", began, got.expect("an answer").map(|_| ()));
        let request = ListCountriesRequest { page_size: 10, ..Default::default() };
        let began = Instant::now();
        let listed = tokio::time::timeout(PATIENCE, countries.list_countries(request)).await;
        timed("list", began, listed.expect("an answer").map(|_| ()));
        if *ended.borrow() {
            break;
        }
        tokio::time::sleep(every).await;
    }
    times
}

impl Times {
    /// The 99th percentile of a method.
    pub(crate) fn p99(&self, method: &str) -> Duration {
        self.percentile(method, 99)
    }

    /// A percentile of a method.
    pub(crate) fn percentile(&self, method: &str, percent: usize) -> Duration {
        let mut times: Vec<_> = self.0.iter().filter(|(called, _)| *called == method).map(|(_, time)| *time).collect();
        times.sort_unstable();
        times[(times.len() * percent).div_ceil(100) - 1]
    }

    /// Adds those of another client.
    pub(crate) fn add(&mut self, other: Times) {
        self.0.extend(other.0);
    }

    /// Holds that no p99 is above three times that of a quiet server, and records both.
    pub(crate) fn assert_like(&self, quiet: &Times, attack: &str) {
        for method in ["get", "list", "create"] {
            let (now, then) = (self.p99(method), quiet.p99(method));
            println!("p99 of {method} during {attack}: {now:?}, quiet {then:?}, {} calls", self.0.len() / 3);
            assert!(now <= FLOOR.max(then * 3), "{attack}: {method} takes {now:?}, and {then:?} when it is quiet");
        }
    }
}
