//! Who is measured, and the figures of each. They take turns in rounds, for the speed of a machine drifts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::etcd::{self, Etcd};
use crate::load::{self, Turn, Work};
use crate::postgres::{self, Installed, Postgres};
use crate::process::{self, Process};
use crate::registry::Registry;
use crate::report::{self, Figures, number};
use crate::sample;

/// What is there to be measured, of which the first server is what the others are compared with.
pub(crate) struct Field {
    pub(crate) servers: Vec<(String, PathBuf)>,
    pub(crate) etcd: Option<PathBuf>,
    pub(crate) postgres: Option<Installed>,
}

/// How it is spoken to.
enum Client {
    Registry(Registry),
    Etcd(Etcd),
    Postgres(Postgres),
}

/// One that is measured, and what was measured of it.
pub(crate) struct Contestant {
    pub(crate) name: String,
    process: Arc<Process>,
    client: Client,
    pub(crate) rate: Figures,
    pub(crate) p50: Figures,
    p99: Figures,
    cpu: Figures,
    own_cpu: Figures,
}

pub(crate) const ECHO: &str = "echo";
pub(crate) const ETCD: &str = "etcd";
pub(crate) const POSTGRES: &str = "PostgreSQL";

/// Starts all, without any data, for at most so many requests in flight. Answers them with the size of a project.
pub(crate) async fn start(field: &Field, in_flight: usize) -> (Vec<Contestant>, usize) {
    let echo = Process::echo();
    let to_echo = Registry::connect(&echo.address).await;
    let mut contestants = Vec::new();
    let mut bytes = 0;
    for (name, binary) in &field.servers {
        let server = server(name, binary).await;
        if let Client::Registry(registry) = &server.client {
            bytes = sample::assert_same_size(&registry.channels[0], &to_echo.channels[0]).await;
        }
        contestants.push(server);
    }
    contestants.push(Contestant::new(ECHO, echo, Client::Registry(to_echo)));
    if let Some(binary) = &field.etcd {
        let server = etcd::start(binary).await;
        let client = Client::Etcd(Etcd::connect(&server.address).await);
        contestants.push(Contestant::new(ETCD, server, client));
    }
    if let Some(installed) = &field.postgres {
        let server = postgres::start(installed, in_flight).await;
        let client = Client::Postgres(Postgres::connect(&server.address, in_flight).await);
        contestants.push(Contestant::new(POSTGRES, server, client));
    }
    (contestants, bytes)
}

/// Starts a server, with nothing but what the projects refer to.
pub(crate) async fn server(name: &str, binary: &Path) -> Contestant {
    let dir = process::directory();
    let server = Process::server(binary, dir.path()).with(dir);
    let registry = Registry::connect(&server.address).await;
    sample::create_countries(&registry.channels[0]).await;
    Contestant::new(name, server, Client::Registry(registry))
}

impl Contestant {
    fn new(name: &str, process: Process, client: Client) -> Contestant {
        Contestant::of(name, Arc::new(process), client)
    }

    fn of(name: &str, process: Arc<Process>, client: Client) -> Contestant {
        let name = name.to_owned();
        let (rate, p50, p99) = (Figures::default(), Figures::default(), Figures::default());
        Contestant { name, process, client, rate, p50, p99, cpu: Figures::default(), own_cpu: Figures::default() }
    }

    /// The same process asked for this project alone, as another contestant.
    pub(crate) fn asked_for(&self, name: &str, project: &str) -> Option<Contestant> {
        let Client::Registry(registry) = &self.client else { return None };
        let client = Client::Registry(Registry { names: Arc::new(vec![project.to_owned()]), ..registry.clone() });
        Some(Contestant::of(name, self.process.clone(), client))
    }

    /// The same etcd, which may answer what is old, as another contestant.
    pub(crate) fn serializable(&self, name: &str) -> Option<Contestant> {
        let Client::Etcd(etcd) = &self.client else { return None };
        let client = Client::Etcd(etcd.serializable());
        Some(Contestant::of(name, self.process.clone(), client))
    }

    pub(crate) fn address(&self) -> &str {
        &self.process.address
    }

    /// The directory with its data, if it has one of its own.
    pub(crate) fn dir(&self) -> Option<&Path> {
        self.process.dir()
    }

    /// Creates so many projects, which are then there to be read.
    pub(crate) async fn fill(&mut self, count: usize) {
        match &mut self.client {
            Client::Registry(registry) => registry.names = Arc::new(registry.fill(count).await),
            Client::Etcd(etcd) => etcd.fill(count).await,
            Client::Postgres(postgres) => postgres.fill(count).await,
        }
    }

    /// One turn, of which nothing is kept: for the first look, and to warm up.
    pub(crate) async fn try_out(&self, work: Work, in_flight: usize, time: Duration) -> Turn {
        let turn = match &self.client {
            Client::Registry(registry) => registry.turn(work, in_flight, time).await,
            Client::Etcd(etcd) => etcd.turn(work, in_flight, time).await,
            Client::Postgres(postgres) => postgres.turn(work, in_flight, time).await,
        };
        process::settle(&self.process).await;
        turn
    }

    /// One turn.
    pub(crate) async fn turn(&mut self, work: Work, in_flight: usize, time: Duration) -> Turn {
        let before = (self.process.cpu_seconds(), process::own_cpu_seconds());
        let turn = self.try_out(work, in_flight, time).await;
        let after = (self.process.cpu_seconds(), process::own_cpu_seconds());
        let resources = if work == Work::Commit { load::BATCH } else { 1 };
        let all = turn.calls as f64 * resources as f64;
        self.rate.push(turn.rate * resources as f64);
        self.p50.push(turn.p50);
        self.p99.push(turn.p99);
        self.cpu.push((after.0 - before.0) * 1e6 / all);
        self.own_cpu.push((after.1 - before.1) * 1e6 / all);
        turn
    }

    /// Its row in a [`table`]: `server` is who it is compared with.
    pub(crate) fn row(&self, server: &Figures) -> Vec<String> {
        vec![
            self.name.clone(),
            self.rate.show(0),
            server.over(&self.rate).show(2),
            self.p50.show(0),
            number(self.p99.median(), 0),
            number(self.cpu.median(), 1),
            number(self.own_cpu.median(), 1),
        ]
    }
}

/// Prints a table of rows as [`Contestant::row`] makes them, perhaps with one column more; `counted` is what there are
/// so many of in a second.
pub(crate) fn table(title: &str, counted: &str, more: Option<&str>, rows: &[Vec<String>]) {
    let (rate, cpu) = (format!("{counted}/s"), format!("its CPU µs/{}", counted.trim_end_matches('s')));
    let head = ["", &rate, "the server, of it", "p50 µs", "p99 µs", &cpu, "the client's"];
    report::table(title, &head.into_iter().chain(more).collect::<Vec<_>>(), rows);
}

/// The rates of the one with this name, if it takes part.
pub(crate) fn rate<'a>(contestants: &'a [Contestant], name: &str) -> Option<&'a Figures> {
    contestants.iter().find(|contestant| contestant.name == name).map(|contestant| &contestant.rate)
}
