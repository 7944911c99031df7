//! Every flag, default and limit of the server, each with its reason: one group for each concern.
//!
//! Each flag is also a variable `PARTNERSHIP_…`; the flag wins. Reading opens and binds nothing,
//! and tells all wrong values at once.

mod address;
mod command;
mod connection;
mod limits;
mod log;
mod read;
mod serving;
mod storage;

use std::path::PathBuf;

use clap::Parser;

pub use address::Address;
pub use command::{Command, HealthCommand, JournalCommand};
pub use connection::*;
pub use limits::*;
pub use log::{LogConfig, LogFormat};
pub use serving::{END_MAX, KEEPALIVE_EVERY, KEEPALIVE_TIMEOUT, ServingConfig};
pub use storage::StorageConfig;

/// The exit code for a configuration that is wrong: EX_USAGE of sysexits.h.
pub const EXIT_USAGE: u8 = 64;

/// The exit code for a server that could not be asked: EX_UNAVAILABLE of sysexits.h.
pub const EXIT_UNAVAILABLE: u8 = 69;

/// Keeps partner countries, agreements and joint projects, and answers over gRPC.
#[derive(Debug, Clone, Parser)]
#[command(name = "partnership-server", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 after an orderly end, 64 for a wrong flag or variable, 1 for everything else.")]
pub struct Config {
    /// The directory that holds everything the registry keeps. It is created if it does not exist.
    #[arg(long, env = "PARTNERSHIP_DATA", default_value = "./data", value_name = "DIR", global = true)]
    pub data: PathBuf,

    /// Fill an empty registry with the demonstration partnership. One that holds anything is left as it is.
    #[arg(long, env = "PARTNERSHIP_DEMO")]
    pub demo: bool,

    /// Where and how requests are served.
    #[command(flatten)]
    pub serving: ServingConfig,

    /// How much may be asked.
    #[command(flatten)]
    pub limits: LimitsConfig,

    /// How data is stored.
    #[command(flatten)]
    pub storage: StorageConfig,

    /// What is logged, and how.
    #[command(flatten)]
    pub log: LogConfig,

    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Config {
    /// The options of the registry.
    #[must_use]
    pub fn registry(&self) -> crate::registry::Options {
        self.storage.options()
    }
}
