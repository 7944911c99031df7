//! Serving: where to listen, how to stop, and how silent connections are found out.

use std::time::Duration;

use clap::Args;
use clap::builder::{RangedU64ValueParser, TypedValueParser as _};

use super::Address;

/// A connection that says nothing is asked for a sign of life after this time: often enough that load balancers, many of
/// which forget a silent connection after a minute, do not.
pub const KEEPALIVE_EVERY: Duration = Duration::from_secs(30);

/// A connection that gives no sign of life for so long is closed: longer than a lost packet takes to be sent again.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long after the grace the process has ended, whatever hangs: what orchestrators give for it is little more than the
/// grace.
pub const END_MAX: Duration = Duration::from_secs(2);

/// An hour. Whoever asks for more has most likely mistaken the unit.
const SECONDS_MAX: u64 = 3_600;

/// Where and how requests are served.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Serving")]
pub struct ServingConfig {
    /// The address to listen on. Without authentication, keep to addresses that only trusted hosts can reach. A name, such
    /// as localhost:50051, is looked up once; of its addresses the first is taken, IPv4 before IPv6.
    // The default is reached from this machine alone; the port is the one that gRPC's examples use.
    #[arg(long, env = "PARTNERSHIP_LISTEN", default_value = "127.0.0.1:50051", value_name = "ADDRESS")]
    pub listen: Address,

    /// How many seconds open requests get to end when the server is told to stop; then it stops all the same.
    // The default leaves most of the 30 seconds that orchestrators give before they kill.
    #[arg(long, env = "PARTNERSHIP_DRAIN_GRACE", default_value = "10", value_name = "SECONDS",
          value_parser = RangedU64ValueParser::<u64>::new().range(0..=SECONDS_MAX).map(Duration::from_secs))]
    pub drain_grace: Duration,

    /// How many seconds a watch may be silent before it sends a heartbeat.
    // The default lets a watcher find out about a dead connection in half a minute, and costs a few bytes.
    #[arg(long, env = "PARTNERSHIP_HEARTBEAT_EVERY", default_value = "10", value_name = "SECONDS",
          value_parser = RangedU64ValueParser::<u64>::new().range(1..=SECONDS_MAX).map(Duration::from_secs))]
    pub heartbeat_every: Duration,
}
