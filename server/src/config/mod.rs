//! Every flag, default and limit of the server, each with its reason. Parsing opens and binds nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{RangedU64ValueParser, TypedValueParser as _};
use clap::{Parser, Subcommand, ValueEnum};

use crate::store::{self, PlantedStall};

/// The exit code for a configuration that is wrong: EX_USAGE of sysexits.h.
pub const EXIT_USAGE: u8 = 64;

/// Keeps partner countries, agreements and joint projects, and answers over gRPC.
#[derive(Debug, Clone, Parser)]
#[command(name = "partnership-server", version, about, max_term_width = 100)]
pub struct Config {
    /// The directory that holds everything the registry keeps. It is created if it does not exist.
    #[arg(long, env = "PARTNERSHIP_DATA", default_value = "./data", value_name = "DIR", global = true)]
    pub data: PathBuf,

    /// The address to listen on. Without authentication, keep to addresses that only trusted hosts can reach.
    #[arg(long, env = "PARTNERSHIP_LISTEN", default_value = "127.0.0.1:50051", value_name = "ADDRESS")]
    pub listen: SocketAddr,

    /// Fill an empty registry with the demonstration partnership. One that holds anything is left as it is.
    #[arg(long, env = "PARTNERSHIP_DEMO")]
    pub demo: bool,

    /// What to log, as directives of the tracing crate, such as `info` or `partnership_registry_server=debug`.
    #[arg(long, env = "PARTNERSHIP_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,

    /// How to write the log, to standard error.
    #[arg(long, env = "PARTNERSHIP_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// How many seconds open requests get to end when the server is told to stop; then it stops all the same.
    #[arg(long, env = "PARTNERSHIP_DRAIN_GRACE", default_value = "10", value_name = "SECONDS",
          value_parser = RangedU64ValueParser::<u64>::new().range(0..=3600).map(Duration::from_secs))]
    pub drain_grace: Duration,

    /// How many seconds a watch may be silent before it sends a heartbeat.
    #[arg(long, env = "PARTNERSHIP_HEARTBEAT_EVERY", default_value = "10", value_name = "SECONDS",
          value_parser = RangedU64ValueParser::<u64>::new().range(1..=3600).map(Duration::from_secs))]
    pub heartbeat_every: Duration,

    /// The size in MiB at which a segment of the journal is followed by a new one. Small segments are quick to copy,
    /// large ones are few.
    #[arg(long, env = "PARTNERSHIP_SEGMENT_MIB", default_value = "64", value_name = "MIB",
          value_parser = RangedU64ValueParser::<u64>::new().range(1..=1024))]
    pub segment_mib: u64,

    /// The memory in MiB that sled may use to keep resources at hand.
    #[arg(long, env = "PARTNERSHIP_CACHE_MIB", default_value = "256", value_name = "MIB",
          value_parser = RangedU64ValueParser::<u64>::new().range(16..=1_048_576))]
    pub cache_mib: u64,

    /// The most requests that are worked on at once on one connection; HTTP/2 holds further ones back.
    #[arg(long, env = "PARTNERSHIP_STREAMS_MAX", default_value = "1024", value_name = "COUNT",
          value_parser = RangedU64ValueParser::<u32>::new().range(1..=1_000_000))]
    pub streams_max: u32,

    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the binary can do besides serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Read the journal without a server. Also works beside a running one.
    #[command(subcommand)]
    Journal(JournalCommand),
}

/// What can be done with a journal.
#[derive(Debug, Clone, Subcommand)]
pub enum JournalCommand {
    /// Print every commit as one line of JSON, oldest first.
    Dump {
        /// Begin with this revision.
        #[arg(long, default_value = "1", value_name = "REVISION")]
        from: u64,
    },
    /// Read every commit and check its checksums and its hash chain.
    Verify,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// The largest request: four resources of the largest size. A commit can be as large.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// A connection that says nothing is asked for a sign of life after this time.
pub const KEEPALIVE_EVERY: Duration = Duration::from_secs(30);

/// A connection that gives no sign of life for so long is closed.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// The most streams that a client may have us reset before its connection is closed (CVE-2023-44487).
pub const LOCAL_ERROR_RESETS_MAX: usize = 1_024;

impl Config {
    /// The options of the store.
    #[must_use]
    pub fn store(&self) -> store::Options {
        store::Options {
            segment_bytes_max: self.segment_mib << 20,
            cache_bytes_max: self.cache_mib << 20,
            // The planted fault of the power-cut test, and of nothing else: see `store::Options::sync`.
            sync: std::env::var_os("PARTNERSHIP_TEST_WITHOUT_FDATASYNC").is_none(),
            // The planted fault of the tests of stalls, `<call>:<path of a file>`: see `store::PlantedStall`.
            stall: std::env::var("PARTNERSHIP_TEST_STALL_SLED").ok().and_then(|text| PlantedStall::parse(&text)),
        }
    }
}
