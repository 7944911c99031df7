//! The server's front door, as a checklist: parse, trace, open, bind, announce, serve, drain.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use partnership_registry_server::commands::{demo, journal};
use partnership_registry_server::config::{Command, Config, EXIT_USAGE, LogFormat};
use partnership_registry_server::registry::Registry;
use partnership_registry_server::time::SystemClock;
use partnership_registry_server::{kinds, serve};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Most of what is allocated here is freed by another thread: documents go from the tasks of their callers through three
/// threads. The allocator of the C library takes a fifth more time for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let config = match Config::read() {
        Ok(config) => config,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(config.log.filter())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.log.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    let done = match &config.command {
        Some(Command::Journal(command)) => journal::run(&config.data, command),
        None => run(&config),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                let _ = writeln!(std::io::stderr(), "  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let registry = Registry::open(&config.data, &config.store(), kinds::ALL, Arc::new(SystemClock))?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        // Before the address is announced: whoever stops the server then is heard.
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        if config.demo {
            demo::load(&registry).await?;
        }
        let listener = TcpListener::bind(config.serving.listen)
            .await
            .map_err(|error| format!("cannot listen on {}: {error}", config.serving.listen))?;
        tracing::info!(
            address = %listener.local_addr()?,
            data = %config.data.display(),
            revision = registry.head(),
            "serving"
        );
        let shutdown = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        serve::serve(listener, registry, config, shutdown).await?;
        tracing::info!("stopped");
        Ok(())
    })
}
