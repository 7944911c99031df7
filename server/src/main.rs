//! The binary of the server, step by step: read the configuration, start the log, listen, open the registry, serve,
//! stop.

use std::io::Write as _;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use partnership_registry_server::commands::{demo, health, journal};
use partnership_registry_server::config::{Command, Config, END_MAX, EXIT_USAGE};
use partnership_registry_server::ending::Ending;
use partnership_registry_server::registry::Registry;
use partnership_registry_server::store::READS_MAX;
use partnership_registry_server::time::SystemClock;
use partnership_registry_server::{kinds, log, serve};
use rustix::fs::Mode;
use tokio::net::TcpListener;

/// Most of what is allocated here is freed by another thread: documents go from the tasks of their callers to the
/// writer. The allocator of the C library takes a fifth more time for that. It is built without large
/// pages (`no_thp`): with them, what callers make the server hold takes half as much again, and longer than they hold it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long the end of the process waits for the threads of the runtime. All that matters has ended by then.
const THREADS_WAIT_MAX: Duration = Duration::from_millis(100);

/// So much earlier than promised the end is forced: exiting takes a moment too.
const EXIT_TAKES: Duration = Duration::from_millis(250);

fn main() -> ExitCode {
    let config = match Config::read() {
        Ok(config) => config,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let log = log::start(config.log.filter(), config.log.format);
    let done = match &config.command {
        Some(Command::Health(command)) => return health::run(&config.serving.listen, command),
        Some(Command::Journal(command)) => journal::run(&config.data, command),
        None => run(&config),
    };
    // What waits to be written stands before what is said below.
    drop(log);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            for cause in std::iter::successors(error.source(), |cause| cause.source()) {
                let _ = writeln!(std::io::stderr(), "  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    // What is kept is for nobody else to read: directories are made 0700 and files 0600, sled's too.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    // sled can keep each of those who read it for ever, and they are workers: without these, it could keep them all.
    let workers = cores + READS_MAX;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    // Before anything is made: whoever gets the address is the one who may.
    let listen = &config.serving.listen;
    let listener = listen.resolve().and_then(|address| runtime.block_on(TcpListener::bind(address)));
    let listener = listener.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let registry = Registry::open(&config.data, &config.registry(), kinds::ALL, Arc::new(SystemClock))?;
    // Before the address is announced: whoever stops the server then is heard.
    let mut ending = Ending::begin(config.serving.drain_grace + END_MAX - EXIT_TAKES)?;
    let done = runtime.block_on(load_and_serve(listener, config, registry.clone(), &mut ending));
    ending.now("closing the registry");
    registry.close();
    ending.now("ending the threads");
    // A thread that sled keeps would be waited for in vain.
    runtime.shutdown_timeout(THREADS_WAIT_MAX);
    tracing::info!("stopped");
    done
}

async fn load_and_serve(
    listener: TcpListener,
    config: &Config,
    registry: Registry,
    ending: &mut Ending,
) -> Result<(), Box<dyn std::error::Error>> {
    if config.demo {
        demo::load(&registry).await?;
    }
    tracing::info!(
        address = %listener.local_addr()?,
        data = %config.data.display(),
        revision = registry.head(),
        "serving"
    );
    ending.now("serving");
    let mut outgrown = None;
    let shutdown = async {
        tokio::select! {
            () = ending.asked() => {}
            found = registry.outgrown() => outgrown = Some(found),
        }
        ending.now("draining");
    };
    serve::serve(listener, registry.clone(), config, shutdown).await?;
    outgrown.map_or(Ok(()), |outgrown| Err(outgrown.into()))
}
