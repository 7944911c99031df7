//! The log, to standard error, by a thread of its own: whoever logs waits for nobody. If standard error takes lines more
//! slowly than they come, some are left out; how many is told at the end.

use std::io::{IsTerminal as _, Write as _};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// How many lines may wait to be written: some MiB.
const LINES_MAX: usize = 16_384;

/// The log of this process. Dropped, it writes what waits, as far as standard error takes it within a second.
#[must_use = "the log ends when this is dropped"]
pub struct Log {
    worker: Option<WorkerGuard>,
    left_out: ErrorCounter,
}

/// Begins to log what `filter` lets through.
pub fn start(filter: EnvFilter, format: LogFormat) -> Log {
    let (writer, worker) =
        NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LINES_MAX).finish(std::io::stderr());
    let left_out = writer.error_counter();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Log { worker: Some(worker), left_out }
}

impl Drop for Log {
    fn drop(&mut self) {
        drop(self.worker.take());
        let lines = self.left_out.dropped_lines();
        if lines > 0 {
            let _ = writeln!(std::io::stderr(), "{lines} lines of the log were left out: standard error was too slow");
        }
    }
}
