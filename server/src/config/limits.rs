//! Limits on what one client may ask. Those of single requests stand where the requests are checked.

use clap::Args;
use clap::builder::RangedU64ValueParser;

/// The largest request: four resources of the largest size, and the limit that gRPC libraries have on their own. A commit
/// can be as large.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// The most streams that a client may have us reset before its connection is closed (CVE-2023-44487): the number that
/// the HTTP/2 library chose for itself.
pub const LOCAL_ERROR_RESETS_MAX: usize = 1_024;

/// How much may be asked.
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
}
