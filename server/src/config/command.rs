//! What the binary does besides serving.

use clap::Subcommand;

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
