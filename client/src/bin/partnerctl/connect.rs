//! From the command line and the context to a connection.

use partnership_registry_client::{Registry, RetryPolicy};

use crate::args::Globals;
use crate::config::{Config, address};
use crate::failure::Failure;

/// Where the registry is if nobody says.
const DEFAULT_SERVER: &str = "http://127.0.0.1:50051";

/// Connects to the registry that is meant, for a command that somebody waits for: a server that is not there is told soon.
pub(crate) fn connect(globals: &Globals) -> Result<Registry, Failure> {
    connect_with(globals, RetryPolicy::default().attempts_max(4))
}

/// Connects to the registry that is meant, for long work: a server may restart meanwhile.
pub(crate) fn connect_patiently(globals: &Globals) -> Result<Registry, Failure> {
    connect_with(globals, RetryPolicy::default())
}

fn connect_with(globals: &Globals, retry: RetryPolicy) -> Result<Registry, Failure> {
    let context = match (&globals.context, &globals.server) {
        // An address on the command line needs no context, so that a broken file is in nobody's way.
        (None, Some(_)) => Config::load().map(|config| config.current_context()).unwrap_or_default(),
        (None, None) => Config::load()?.current_context(),
        (Some(name), _) => Config::load()?.named(name)?,
    };
    let server = globals.server.clone().or(context.server).unwrap_or_else(|| DEFAULT_SERVER.to_owned());
    let actor = globals.actor.clone().or(context.actor).unwrap_or_else(who);
    let registry = Registry::builder(address(&server))
        .actor(actor)
        .reason(globals.reason.clone().unwrap_or_default())
        .timeout(globals.timeout)
        .retry(retry)
        .connect_lazy()?;
    Ok(registry)
}

/// Who sits here, as far as the system says.
fn who() -> String {
    let variable =
        |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let user = variable(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "unknown".to_owned());
    let host = variable(&["HOSTNAME", "HOST", "COMPUTERNAME"])
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned()))
        .filter(|host| !host.is_empty());
    match host {
        Some(host) => format!("{user}@{host}"),
        None => user,
    }
}
