//! A soak: everything at once, for as long as there is patience. The real binary is written to, read and watched by many,
//! and attacked by some; it is killed, stopped, and kept waiting by sled. Nothing that it acknowledged is lost or changed,
//! a well-behaved client is served throughout, it stops in time, and what it takes of the machine has a bound.

#![allow(clippy::wildcard_enum_match_arm, reason = "what a test did not expect fails it")]

mod attackers;
mod board;
mod checker;
mod gauge;
mod readers;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;

use crate::crash::load::Stubs;
use crate::crash::{seed, setting};
use crate::harness::process::{Process, server_binary};
use crate::harness::steady::{Steady, Times};
use crate::harness::{PATIENCE, connect, until, within};
use board::Board;
use checker::Checker;
use gauge::Gauge;
use readers::{Reader, Watcher};
use writer::Writer;

/// A soak as it is in every run of the tests.
const SHORT: Duration = Duration::from_secs(6);
const WRITERS: usize = 4;
const WATCHERS: usize = 2;
/// The drain of these servers, and by how much longer a stop may take: two seconds, and one that a busy machine adds.
const DRAIN_GRACE: Duration = Duration::from_secs(1);
const STOP_BEYOND_GRACE: Duration = Duration::from_secs(3);
/// The calls into sled that do not come back, in turn.
const STALLS: [&str; 3] = ["get", "apply", "flush"];
/// The well-behaved client is served in such a time, whatever happens beside it on two cores: large commits, too.
const STEADY_P99_MAX: Duration = Duration::from_secs(2);
/// How often the well-behaved client calls. Its countries are kept, so that in an hour there are some ten thousands.
const STEADY_EVERY: Duration = Duration::from_millis(100);
/// How much more memory the server may take at the end of its long life than when it was warm: what its caches may still
/// take, and the rows of what was written. A server that lives for some seconds is never warm.
const GROWTH_MAX_KIB: u64 = 96 << 10;
const COLD_GROWTH_MAX_KIB: u64 = 256 << 10;
const GROWTH_PER_COMMIT_BYTES: u64 = 2_048;
/// The descriptors and threads of a server at any time: the connections of the attackers, and what it needs itself.
const DESCRIPTORS_MAX: usize = 400;
const THREADS_MAX: u64 = 700;

/// How a life of the server ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Kill,
    Stop,
}

/// A life of the server.
#[derive(Clone, Copy, Debug)]
struct Life {
    length: Duration,
    end: End,
    /// The call into sled that does not come back in the middle of it.
    stall: Option<&'static str>,
    /// Whether it is long enough to see what the server takes.
    long: bool,
}

/// A third of the time there are short lives, which end in turn by a kill and in order; for a third there is one long
/// life; and then short ones again, in the last half of which sled stalls.
fn lives(total: Duration) -> Vec<Life> {
    let third = total / 3;
    let length = (total / 60).max(Duration::from_secs(1));
    let count = u32::try_from(third.as_millis() / length.as_millis()).unwrap().max(2);
    let short = |at: u32| {
        let end = if at.is_multiple_of(3) { End::Stop } else { End::Kill };
        Life { length, end, stall: None, long: false }
    };
    let mut lives: Vec<_> = (1..=count).map(short).collect();
    lives.push(Life { length: third, end: End::Stop, stall: None, long: true });
    lives.extend((1..=count).map(|at| {
        let late = at > count / 2;
        let end = if at == count { End::Stop } else { short(at).end };
        Life { stall: late.then(|| STALLS[at as usize % STALLS.len()]), end, ..short(at) }
    }));
    lives
}

/// All that there is of a soak.
struct Soak {
    data: TempDir,
    binary: PathBuf,
    board: Arc<Board>,
    checker: Checker,
    watchers: Vec<Watcher>,
    dice: StdRng,
    began: Instant,
    tell_every: Duration,
    told: Instant,
    pace: Duration,
    times: Times,
    steadies: u64,
    unanswered: usize,
    stops: Vec<Duration>,
    starts: Vec<Duration>,
    hwm_kib: u64,
}

impl Soak {
    fn new(total: Duration) -> Self {
        let board = Board::default();
        board.witness.lock().unwrap().neighbour = Some("steady-");
        let binary = std::env::var_os("PARTNERSHIP_TEST_SOAK_BINARY").map(PathBuf::from);
        let now = Instant::now();
        Self {
            data: TempDir::new().unwrap(),
            binary: binary.unwrap_or_else(|| server_binary().to_owned()),
            board: Arc::new(board),
            checker: Checker::default(),
            watchers: (0..WATCHERS).map(|_| Watcher::default()).collect(),
            dice: StdRng::seed_from_u64(seed()),
            began: now,
            tell_every: (total / 6).min(Duration::from_secs(60)),
            told: now,
            // In a short one, there is as much to do in less time.
            pace: if total > SHORT { Duration::from_millis(60) } else { Duration::from_millis(5) },
            times: Times::default(),
            steadies: 0,
            unanswered: 0,
            stops: Vec::new(),
            starts: Vec::new(),
            hwm_kib: 0,
        }
    }

    fn start(&mut self, stall: Option<&str>) -> Process {
        let stalling = self.data.path().join("stall");
        let began = Instant::now();
        let server = Process::start_binary_with(&self.binary, &self.data.path().join("data"), |command| {
            command.args(["--drain-grace", &DRAIN_GRACE.as_secs().to_string()]);
            // What a production server has, but for the segments: there should be many.
            command.args(["--segment-mib", "16", "--cache-mib", "64"]);
            if let Some(call) = stall {
                command.env("PARTNERSHIP_TEST_FAULTS", format!("stall-sled={call}:{}", stalling.display()));
            }
        });
        self.starts.push(began.elapsed());
        server
    }

    /// A life of the server, from its start to its end.
    async fn live(&mut self, life: Life) {
        let server = self.start(life.stall);
        let mut stubs = Stubs::new(&server.channel().await);
        self.checker.advance(&mut stubs, &self.board).await;
        self.unanswered += self.checker.settle(&mut stubs, &self.board, &mut self.dice).await;
        self.checker.check_state(&mut stubs).await;
        self.compare_watchers();

        self.board.ending.store(false, Ordering::SeqCst);
        let mut clients = tokio::task::JoinSet::new();
        for slot in 0..WRITERS {
            let own = Stubs::new(&server.channel().await);
            let there = &self.checker.checked.versions;
            let writer = Writer::new(slot, own, self.board.clone(), self.dice.random(), self.pace, there);
            clients.spawn(writer.run());
        }
        let dice = StdRng::seed_from_u64(self.dice.random());
        let reader = Reader { stubs: Stubs::new(&server.channel().await), board: self.board.clone(), dice };
        clients.spawn(reader.run());
        let mut watching = Vec::new();
        for watcher in std::mem::take(&mut self.watchers) {
            let own = Stubs::new(&server.channel().await);
            watching.push(tokio::spawn(watcher.run(own, self.board.clone(), self.dice.random(), u64::MAX)));
        }
        let attackers = attackers::begin(server.address);

        self.watch_over(&server, &mut stubs, life).await;
        self.board.ending.store(true, Ordering::SeqCst);
        let log = match life.end {
            End::Kill => server.kill(),
            End::Stop => self.stop(server).await,
        };
        drop(attackers);
        while let Some(client) = within(clients.join_next()).await {
            client.unwrap();
        }
        for watcher in watching {
            self.watchers.push(within(watcher).await.unwrap());
        }
        assert!(!log.contains("panicked"), "{log}");
        let _ = std::fs::remove_file(self.data.path().join("stall"));
    }

    /// Checks and tells what there is, until a life is over.
    async fn watch_over(&mut self, server: &Process, stubs: &mut Stubs, life: Life) {
        let began = Instant::now();
        let mut steady = self.steady(server).await;
        // When it is warm: a quarter of its life.
        let mut warm: Option<(Gauge, u64)> = None;
        let mut stalled = life.stall.is_none();
        while began.elapsed() < life.length {
            let left = life.length.saturating_sub(began.elapsed());
            tokio::time::sleep(left.min(Duration::from_secs(1))).await;
            let checked = tokio::time::timeout(PATIENCE, self.checker.advance(stubs, &self.board)).await;
            assert!(checked.is_ok(), "the server does not answer:\n{}", server.log());
            let gauge = Gauge::read(server.id(), &self.data.path().join("data"));
            self.hwm_kib = self.hwm_kib.max(gauge.hwm_kib);
            assert!(gauge.descriptors <= DESCRIPTORS_MAX, "{gauge:?}");
            assert!(gauge.threads <= THREADS_MAX, "{gauge:?}");
            if warm.is_none() && began.elapsed() >= life.length / 4 {
                warm = Some((gauge, self.checker.checked.head));
            }
            if !stalled && began.elapsed() >= life.length / 2 {
                stalled = true;
                std::fs::write(self.data.path().join("stall"), b"").unwrap();
            }
            if self.told.elapsed() >= self.tell_every {
                self.told = Instant::now();
                let times = steady.end().await;
                self.tell(&gauge, &times);
                self.times.add(times);
                steady = self.steady(server).await;
            }
        }
        self.times.add(steady.end().await);
        if let (true, Some((warm, head))) = (life.long, warm) {
            let now = Gauge::read(server.id(), &self.data.path().join("data"));
            let commits = self.checker.checked.head - head;
            println!("long life: {} KiB when warm, {} KiB after {commits} commits more", warm.rss_kib, now.rss_kib);
            let cold = life.length < Duration::from_secs(100);
            let caches = if cold { COLD_GROWTH_MAX_KIB } else { GROWTH_MAX_KIB };
            let bound = warm.rss_kib + caches + commits * GROWTH_PER_COMMIT_BYTES / 1024;
            assert!(now.rss_kib <= bound, "the memory has grown to {} KiB, and {bound} would be much", now.rss_kib);
        }
        if let Some(call) = life.stall
            && server.log().contains("a fault is planted")
        {
            until("the stall to be told", async || server.log().contains(&format!("call={call}")).then_some(())).await;
        }
    }

    /// The well-behaved client, for a while.
    async fn steady(&mut self, server: &Process) -> Steady {
        self.steadies += 1;
        let name: &'static str = format!("steady-{}", self.steadies).leak();
        Steady::begin_every(STEADY_EVERY, server.channel().await, name)
    }

    /// Stops the server, which has to end in time, whatever hangs.
    async fn stop(&mut self, server: Process) -> String {
        let began = Instant::now();
        let ended = tokio::task::spawn_blocking(|| server.stop()).await.unwrap();
        let took = began.elapsed();
        assert!(ended.status.success(), "{}:\n{}", ended.status, ended.log);
        assert!(took <= DRAIN_GRACE + STOP_BEYOND_GRACE, "a stop takes {took:?}:\n{}", ended.log);
        self.stops.push(took);
        ended.log
    }

    /// What watchers were told is what was checked.
    fn compare_watchers(&self) {
        for watcher in &self.watchers {
            let told = &watcher.digests;
            assert!(told.len() <= self.checker.digests.len(), "a watcher was told of what is lost");
            let differs = told.iter().zip(&self.checker.digests).position(|(told, checked)| told != checked);
            assert_eq!(differs, None, "a watcher was told otherwise of the commit with this index");
        }
    }

    fn tell(&self, gauge: &Gauge, times: &Times) {
        let board = &self.board;
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::SeqCst);
        println!(
            "{:>5} s: writes {} reads {} repeats {} pushed back {} | head {} | rss {} MiB hwm {} MiB threads {} descriptors {} | journal {} MiB sled {} MiB",
            self.began.elapsed().as_secs(),
            count(&board.writes),
            count(&board.reads),
            count(&board.repeats),
            count(&board.pushed_back),
            self.checker.checked.head,
            gauge.rss_kib >> 10,
            gauge.hwm_kib >> 10,
            gauge.threads,
            gauge.descriptors,
            gauge.journal_bytes >> 20,
            gauge.sled_bytes >> 20,
        );
        let at = |method, percent| times.percentile(method, percent).as_millis();
        let told = ["get", "list", "create"].map(|method| format!("{method} {}/{}", at(method, 50), at(method, 99)));
        println!("        the well-behaved client, p50/p99 in ms: {}", told.join(", "));
    }

    /// Everything is there, and every watcher hears of all of it.
    async fn verify(&mut self) {
        let server = self.start(None);
        let mut stubs = Stubs::new(&server.channel().await);
        self.checker.advance(&mut stubs, &self.board).await;
        self.unanswered += self.checker.settle(&mut stubs, &self.board, &mut self.dice).await;
        self.checker.check_state(&mut stubs).await;
        self.checker.check_all(&mut stubs).await;
        self.board.ending.store(false, Ordering::SeqCst);
        for watcher in std::mem::take(&mut self.watchers) {
            let own = Stubs::new(&connect(&format!("http://{}", server.address)).await);
            let watched = watcher.run(own, self.board.clone(), self.dice.random(), self.checker.checked.head);
            self.watchers.push(within(watched).await);
        }
        self.compare_watchers();
        self.board.ending.store(true, Ordering::SeqCst);
        self.stop(server).await;
    }

    fn summary(&self) {
        let resumed: u64 = self.watchers.iter().map(|watcher| watcher.resumed).sum();
        println!(
            "soak of {:?}: {} commits, {} writes, {} reads, {} repeats, {} pushed back, {} unanswered and settled, {} watches; {} starts, the slowest {:?}; {} stops, the slowest {:?}; at most {} MiB",
            self.began.elapsed(),
            self.checker.checked.head,
            self.board.writes.load(Ordering::SeqCst),
            self.board.reads.load(Ordering::SeqCst),
            self.board.repeats.load(Ordering::SeqCst),
            self.board.pushed_back.load(Ordering::SeqCst),
            self.unanswered,
            resumed,
            self.starts.len(),
            self.starts.iter().max().unwrap(),
            self.stops.len(),
            self.stops.iter().max().unwrap(),
            self.hwm_kib >> 10,
        );
        for method in ["get", "list", "create"] {
            let (p50, p99) = (self.times.percentile(method, 50), self.times.p99(method));
            println!("{method} of the well-behaved client: p50 {p50:?}, p99 {p99:?}");
            assert!(p99 <= STEADY_P99_MAX, "{method} takes {p99:?}");
        }
    }
}

async fn soak(total: Duration) -> Soak {
    let mut soak = Soak::new(total);
    for life in lives(total) {
        soak.live(life).await;
    }
    soak.verify().await;
    soak.summary();
    soak
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_seconds_of_everything_at_once_lose_nothing() {
    let soak = soak(SHORT).await;
    let board = &soak.board;
    for (what, count) in [("writes", &board.writes), ("reads", &board.reads), ("repeats", &board.repeats)] {
        assert!(count.load(Ordering::SeqCst) > 20, "there were next to no {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes as long as PARTNERSHIP_TEST_SOAK_SECONDS says"]
async fn everything_at_once_loses_nothing_for_as_long_as_asked() {
    let seconds = setting("PARTNERSHIP_TEST_SOAK_SECONDS").expect("PARTNERSHIP_TEST_SOAK_SECONDS says how long");
    soak(Duration::from_secs(seconds)).await;
}
