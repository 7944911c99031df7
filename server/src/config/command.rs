//! What the binary does besides serving.

use clap::{Args, Subcommand};

use super::Address;

/// What the binary can do besides serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Read the journal without a server. Also works beside a running one.
    #[command(subcommand)]
    Journal(JournalCommand),

    /// Ask a running server whether it serves: for the health check of a container.
    #[command(after_help = "Exit codes: 0 if it serves, 1 if it says that it does not, 69 if it could not be asked \
                            within 3 seconds, 64 for a wrong flag or variable.")]
    Health(HealthCommand),
}

/// What is asked of a running server, and where.
#[derive(Debug, Clone, Args)]
pub struct HealthCommand {
    /// Ask whether writes are taken. Reads may be served while they are not: the disk is full, or may only be read.
    #[arg(long)]
    pub writes: bool,

    /// Where the server is. By default it is looked for where --listen, or PARTNERSHIP_LISTEN, has it listen; on this
    /// machine if that is every address.
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<Address>,
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
