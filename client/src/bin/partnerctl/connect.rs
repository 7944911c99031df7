//! Connects, by the command line and the context.

use partnership_registry_client::{Registry, RetryPolicy};

use crate::address::address;
use crate::args::Globals;
use crate::config::Config;
use crate::failure::Failure;

/// The server, unless one is given.
const DEFAULT_SERVER: &str = "http://127.0.0.1:50051";

/// Connects for a command that a person waits for: it fails soon if the server is down.
pub(crate) fn connect(globals: &Globals) -> Result<Registry, Failure> {
    connect_with(globals, RetryPolicy::default().attempts_max(4))
}

/// Connects for long work: the server may restart meanwhile.
pub(crate) fn connect_for_long(globals: &Globals) -> Result<Registry, Failure> {
    connect_with(globals, RetryPolicy::default())
}

fn connect_with(globals: &Globals, retry: RetryPolicy) -> Result<Registry, Failure> {
    let context = match (&globals.context, &globals.server) {
        // With an address on the command line, a malformed file is no obstacle.
        (None, Some(_)) => Config::load().map(|config| config.current_context()).unwrap_or_default(),
        (None, None) => Config::load()?.current_context(),
        (Some(name), _) => Config::load()?.named(name)?,
    };
    let server = match (&globals.server, context.server) {
        (Some(server), _) => server.clone(),
        (None, Some(server)) => {
            address(&server).map_err(|why| Failure::usage(format!("the server of the context, {server:?}: {why}")))?
        }
        (None, None) => DEFAULT_SERVER.to_owned(),
    };
    let actor = globals.actor.clone().or(context.actor).unwrap_or_else(who);
    let registry = Registry::builder(server)
        .actor(actor)
        .reason(globals.reason.clone().unwrap_or_default())
        .timeout(globals.timeout)
        .retry(retry)
        .connect_lazy()?;
    Ok(registry)
}

/// The user and the host, as far as the system knows them.
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
