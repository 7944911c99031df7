//! Logging: what, and in which form. The log goes to standard error, where containers and services look for it.

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// What is logged, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub struct LogConfig {
    /// What to log, as directives of the tracing crate, such as `info` or `partnership_registry_server=debug`.
    // The default tells of the start, the end and what goes wrong, and nothing of single requests.
    #[arg(long = "log", env = "PARTNERSHIP_LOG", default_value = "info", value_name = "FILTER",
          value_parser = checked_filter)]
    filter: String,

    /// How to write the log, to standard error.
    // The default is for whoever tries the server; services that collect logs want `json`.
    #[arg(long = "log-format", env = "PARTNERSHIP_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub format: LogFormat,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

impl LogConfig {
    /// What to log.
    #[must_use]
    pub fn filter(&self) -> EnvFilter {
        EnvFilter::new(&self.filter)
    }
}

/// The text, if it is a filter. A filter itself cannot be kept in a [`LogConfig`], which is cloned.
fn checked_filter(text: &str) -> Result<String, tracing_subscriber::filter::ParseError> {
    EnvFilter::try_new(text).map(|_| text.to_owned())
}
