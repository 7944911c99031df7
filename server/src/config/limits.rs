//! Limits on what callers may ask and how much is held for them. Those of single requests stand where the requests are
//! checked. docs/limits.md adds them up.

use std::time::Duration;

use clap::Args;
use clap::builder::{RangedU64ValueParser, TypedValueParser as _};

/// The largest request: four resources of the largest size, and the limit that gRPC libraries have on their own. A commit
/// can be as large.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// The most streams that a client may have us reset before its connection is closed (CVE-2023-44487): the number that
/// the HTTP/2 library chose for itself.
pub const LOCAL_ERROR_RESETS_MAX: usize = 1_024;

/// What a client may send of one request before the server takes it: what gives full speed at a round trip of 20 ms and
/// 100 Mbit/s.
pub const STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// The same for all requests of a connection: several clients' worth of a request.
pub const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// What the transport keeps of an answer that a caller does not take yet.
pub const SEND_BUFFER_BYTES: usize = 64 << 10;
/// The headers of a request: the 8 KiB that many gRPC libraries allow, and as much again.
pub const HEADERS_BYTES_MAX: u32 = 16 << 10;

/// How long a caller may take for what it has begun: its preface, a frame, a block of headers, the next part of a body.
/// Longer than a lost packet takes to be sent again a few times.
pub const SLOW_MAX: Duration = Duration::from_secs(10);
/// The least that a caller has to send in [`SLOW_MAX`] of a body that it has begun: 13 kbit/s.
pub const BODY_BYTES_MIN: usize = 16 << 10;

/// How many frames that ask for nothing (PING, SETTINGS, WINDOW_UPDATE and so on) may come at once: more than the answers
/// of a full connection ask for.
pub const CONTROL_FRAMES_MAX: usize = 10_000;
/// How many more with each second, besides those that what was sent to the caller accounts for.
pub const CONTROL_FRAMES_PER_SECOND: usize = 100;

/// How long a caller may take nothing of what is owed to it.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The same while more than half of the budget is taken.
pub const PATIENCE_UNDER_PRESSURE: Duration = Duration::from_secs(5);

/// What an open call takes by itself: its stream, its task, its headers.
pub const CALL_BYTES: usize = 8 << 10;

/// How long a call waits for room for its answer. Clients have deadlines of a few seconds.
pub const ROOM_WAIT_MAX: Duration = Duration::from_secs(5);

/// How much may be asked, and held.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitsConfig {
    /// The most requests that are worked on at once on one connection; HTTP/2 holds further ones back.
    // The default is more than one busy client needs: a thousand calls of 5 ms take 20 at once.
    #[arg(long, env = "PARTNERSHIP_STREAMS_MAX", default_value = "256", value_name = "COUNT",
          value_parser = RangedU64ValueParser::<u32>::new().range(1..=1_000_000))]
    pub streams_max: u32,

    /// The most connections. Further ones are closed at once.
    // The default is several for each of a hundred services. Each takes about 100 KiB.
    #[arg(long, env = "PARTNERSHIP_CONNECTIONS_MAX", default_value = "512", value_name = "COUNT",
          value_parser = RangedU64ValueParser::<u64>::new().range(1..=1_000_000).map(usize_of))]
    pub connections_max: usize,

    /// The most connections from one address. Further ones are closed at once.
    // The default leaves half of them to others, and lets a proxy bring many callers.
    #[arg(long, env = "PARTNERSHIP_CONNECTIONS_PER_PEER_MAX", default_value = "256", value_name = "COUNT",
          value_parser = RangedU64ValueParser::<u64>::new().range(1..=1_000_000).map(usize_of))]
    pub connections_per_peer_max: usize,

    /// The memory in MiB for requests that were received and answers that were not taken yet.
    // The default is forty of the largest answers. Below 16 MiB, few of the largest fit at once.
    #[arg(long, env = "PARTNERSHIP_BUDGET_MIB", default_value = "96", value_name = "MIB",
          value_parser = RangedU64ValueParser::<u64>::new().range(16..=1_048_576).map(|mib| usize_of(mib << 20)))]
    pub budget_bytes: usize,

    /// The same for one connection.
    // The default is four of the largest requests or answers at once.
    #[arg(long, env = "PARTNERSHIP_CONNECTION_BUDGET_MIB", default_value = "16", value_name = "MIB",
          value_parser = RangedU64ValueParser::<u64>::new().range(8..=1_048_576).map(|mib| usize_of(mib << 20)))]
    pub connection_budget_bytes: usize,
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
