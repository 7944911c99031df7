//! The benchmark: the real server beside what it is measured by, in one run.
//!
//! Every figure stands beside another of the same run, and the ratio counts: the speed of a machine drifts, so the two
//! take turns in rounds, with the same client. `cargo bench -- --help` says what can be chosen.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may panic"
)]
#![allow(missing_docs, reason = "nobody uses it as a library")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "figures are for reading")]

mod aims;
mod commit;
mod contestant;
mod create;
mod echo;
mod etcd;
mod get;
mod load;
mod postgres;
mod process;
mod questions;
mod raw_journal;
mod registry;
mod report;
mod sample;
mod start;
mod timeline;
mod watch;
mod watchers;

use std::time::Duration;

use clap::Parser;

use aims::Aims;
use contestant::Field;
use process::Processors;

/// As in the server, whose parts are measured here by themselves, too; the bare echo has the same.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the server beside a bare echo, a bare journal, etcd and PostgreSQL, and prints the ratios.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo bench --", max_term_width = 100)]
struct Options {
    /// What to measure. Nothing named: everything.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Short and rough: for a look, not for a claim.
    #[arg(long)]
    quick: bool,
    /// How often the contestants take turns.
    #[arg(long, default_value = "5", value_name = "COUNT")]
    rounds: usize,
    /// Only the requests in flight given here, such as `64`.
    #[arg(long, value_delimiter = ',', value_name = "COUNT,…")]
    in_flight: Vec<usize>,
    /// How many resources a server is started with.
    #[arg(long, default_value = "100000", value_name = "COUNT")]
    resources: usize,
    /// How often each of them was changed since, before that start.
    #[arg(long, default_value = "0", value_name = "COUNT")]
    changes: usize,
    /// How many projects questions are asked of, each by itself [default: 10000,100000,1000000; 10000 if quick]
    #[arg(long, value_delimiter = ',', value_name = "COUNT,…")]
    sizes: Vec<u64>,
    /// The server to measure. Without it, the release binary is built.
    #[arg(long, value_name = "BINARY")]
    server: Option<std::path::PathBuf>,
    /// Another server to measure beside it, such as the one before a change.
    #[arg(long, value_name = "BINARY")]
    against: Option<std::path::PathBuf>,
    /// Without etcd and PostgreSQL.
    #[arg(long)]
    alone: bool,
    /// Be the echo.
    #[arg(long, hide = true)]
    echo: bool,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Reading one resource.
    Get,
    /// Creating one resource, durably.
    Create,
    /// Creating many in one commit.
    Commit,
    /// From the acknowledgement of a write to those who watch, and what they cost those who write.
    Watch,
    /// Starting with and without a rebuild of the state.
    Start,
    /// Filters, orders and counts, of ten thousand projects to a million.
    Questions,
    /// Working out how agreements stand, in one thread and without a server.
    Timeline,
}

/// What every part is told.
struct Plan {
    rounds: usize,
    /// How long one contestant is measured in one round.
    turn: Duration,
    quick: bool,
    in_flight: Vec<usize>,
    resources: usize,
    changes: usize,
    field: Field,
}

impl Plan {
    /// The numbers of requests in flight to measure: of these, those that were asked for, or in a hurry those that have
    /// an aim.
    fn in_flight(&self, all: &[usize], with_an_aim: &[usize]) -> Vec<usize> {
        let asked = |count: &usize| match (self.in_flight.is_empty(), self.quick) {
            (false, _) => self.in_flight.contains(count),
            (true, quick) => !quick || with_an_aim.contains(count),
        };
        all.iter().copied().filter(asked).collect()
    }
}

/// How much of the cores others may take meanwhile.
const OTHERS_PERCENT_MAX: f64 = 5.0;

/// What was found of another database. What is not measured is said.
fn found<T>(name: &str, alone: bool, find: fn() -> Result<(T, String), String>) -> Option<T> {
    let found = if alone { Err("--alone".to_owned()) } else { find() };
    match &found {
        Ok((_, version)) => println!("beside {version}"),
        Err(reason) => println!("SKIPPED {name}: {reason}"),
    }
    found.ok().map(|(found, _)| found)
}

/// The servers that are measured.
fn field(options: &Options) -> Field {
    let mut servers = vec![("server".to_owned(), options.server.clone().unwrap_or_else(process::build_server))];
    servers.extend(options.against.clone().map(|binary| ("against".to_owned(), binary)));
    Field {
        servers,
        etcd: found("etcd", options.alone, etcd::find),
        postgres: found("PostgreSQL", options.alone, postgres::find),
    }
}

fn main() {
    // `cargo test --benches` runs this too, without `--bench`: there is nothing to test here.
    let under_test = std::env::args().any(|argument| argument == "--test" || argument == "--list");
    if under_test || !std::env::args().any(|argument| argument == "--bench" || argument == "--echo") {
        return;
    }
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if options.echo {
        runtime.block_on(echo::serve());
        return;
    }
    let served = options.parts.is_empty() || options.parts.iter().any(|part| *part != Part::Timeline);
    let field = if served { field(&options) } else { Field { servers: Vec::new(), etcd: None, postgres: None } };
    let plan = Plan {
        rounds: if options.quick { options.rounds.min(3) } else { options.rounds },
        turn: Duration::from_millis(if options.quick { 400 } else { 1_200 }),
        quick: options.quick,
        in_flight: options.in_flight,
        resources: if options.quick { options.resources / 10 } else { options.resources },
        changes: options.changes,
        field,
    };
    let sizes = match (options.sizes.as_slice(), options.quick) {
        ([], true) => vec![10_000],
        ([], false) => vec![10_000, 100_000, 1_000_000],
        (sizes, _) => sizes.to_vec(),
    };
    let processors = Processors::watch();
    let chosen = |part| options.parts.is_empty() || options.parts.contains(&part);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{cores} cores for the client and the servers together; {} connections; {} rounds of {} ms a contestant{}",
        load::CONNECTIONS,
        plan.rounds,
        plan.turn.as_millis(),
        if options.quick { "; quick, so rough" } else { "" }
    );
    println!("figures are medians of the rounds (least to most); a ratio is the median of those of each round\n");
    let mut aims = Aims::default();
    runtime.block_on(async {
        if chosen(Part::Get) {
            get::run(&plan, &mut aims).await;
        }
        if chosen(Part::Create) {
            create::run(&plan, &mut aims).await;
        }
        if chosen(Part::Commit) {
            commit::run(&plan, &mut aims).await;
        }
        if chosen(Part::Watch) {
            watch::run(&plan).await;
            watchers::run(&plan, &mut aims).await;
        }
        if chosen(Part::Start) {
            start::run(&plan).await;
        }
        if chosen(Part::Questions) {
            questions::run(&plan, &sizes, &mut aims).await;
        }
    });
    if chosen(Part::Timeline) {
        timeline::run(&plan, &mut aims);
    }
    aims.print();
    drop(plan);
    let others = processors.others() * 100.0;
    println!("measured in {:.0} s; others took {others:.0} % of the cores", processors.elapsed().as_secs_f64());
    if others > OTHERS_PERCENT_MAX {
        // What has one thread suffers most then: PostgreSQL with few connections, and the bare file.
        println!("BUSY MACHINE: these figures say little, and the ratios not much more");
    }
}
