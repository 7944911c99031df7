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

/// How much of a body that was begun has to come in [`BODY_PART_MAX`]: 13 kbit/s.
pub const BODY_PART_BYTES_MIN: usize = 16 << 10;

/// A request that was begun goes on within 10 s, or its connection is closed: what has come of it is held meanwhile.
pub const BODY_PART_MAX: Duration = Duration::from_secs(9);

/// What an open call takes by itself: its stream, its task, its headers.
pub const CALL_BYTES: usize = 8 << 10;

/// What a connection may always hold, however much the others do: a call of usual size is served whatever happens.
pub const CONNECTION_FLOOR_BYTES: usize = 64 << 10;

/// How many reads of one connection may block at once: a few more than keep a disk busy would be no faster, and the reads
/// of other connections get their turn.
pub const CONNECTION_READS_MAX: usize = 4;

/// How long a call waits for room for its answer. Clients have deadlines of a few seconds.
pub const ROOM_WAIT_MAX: Duration = Duration::from_secs(5);

/// How much may be asked, and held.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitsConfig {
    /// The most requests that are worked on at once on one connection; HTTP/2 holds further ones back.
    // The default is more than one busy client needs: with fewer, eight cores are kept busy.
    #[arg(long, env = "PARTNERSHIP_STREAMS_MAX", default_value = "256", value_name = "COUNT",
          value_parser = RangedU64ValueParser::<u32>::new().range(1..=1_000_000))]
    pub streams_max: u32,

    /// The most connections that are served at once. One more is closed at once.
    // The default leaves half of the 1,024 descriptors that a process is usually given for the files of the store.
    #[arg(long, env = "PARTNERSHIP_CONNECTIONS_MAX", default_value = "512", value_name = "COUNT",
          value_parser = RangedU64ValueParser::<u32>::new().range(1..=1_000_000))]
    pub connections_max: u32,

    /// The most connections that are served at once for one address, or for one network of IPv6 (/64).
    // The default is half of all, so that one host cannot take the places of the others.
    #[arg(long, env = "PARTNERSHIP_CONNECTIONS_PER_PEER_MAX", default_value = "256", value_name = "COUNT",
          value_parser = RangedU64ValueParser::<u32>::new().range(1..=1_000_000))]
    pub connections_per_peer_max: u32,

    /// The memory in MiB for requests that were received and answers that were not taken yet.
    // The default is sixteen of the largest requests, and with all else (docs/limits.md) leaves room for a hundred thousand
    // resources in a container of 512 MiB. Below 16 MiB, few of the largest fit at once.
    #[arg(long = "budget-mib", env = "PARTNERSHIP_BUDGET_MIB", default_value = "64", value_name = "MIB",
          value_parser = RangedU64ValueParser::<u64>::new().range(16..=1_048_576).map(|mib| usize_of(mib << 20)))]
    pub budget_bytes: usize,

    /// The same for one connection.
    // The default is four of the largest requests or answers at once.
    #[arg(long = "connection-budget-mib", env = "PARTNERSHIP_CONNECTION_BUDGET_MIB", default_value = "16", value_name = "MIB",
          value_parser = RangedU64ValueParser::<u64>::new().range(8..=1_048_576).map(|mib| usize_of(mib << 20)))]
    pub connection_budget_bytes: usize,
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
