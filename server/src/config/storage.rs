//! Storing: the sizes of the journal's segments and of sled's cache, and what is kept of the past beside resources.

use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use jiff::tz::TimeZone;

use crate::faults;
use crate::registry::Options;
use crate::store::{self, PlantedStall};

const MIB: u32 = 20;
const SECONDS_PER_DAY: u64 = 86_400;

/// How data is stored.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageConfig {
    /// The size in MiB at which a segment of the journal is followed by a new one. Small segments are quick to copy,
    /// large ones are few.
    // The default keeps a journal of 10 GiB in 160 files. Above 1 GiB, file systems and copies become awkward.
    #[arg(long, env = "PARTNERSHIP_SEGMENT_MIB", default_value = "64", value_name = "MIB",
          value_parser = RangedU64ValueParser::<u64>::new().range(1..=1024))]
    pub segment_mib: u64,

    /// The memory in MiB that sled may use to keep resources at hand.
    // The default holds some hundred thousand small resources. Below 16 MiB, sled does little else than read again.
    #[arg(long, env = "PARTNERSHIP_CACHE_MIB", default_value = "256", value_name = "MIB",
          value_parser = RangedU64ValueParser::<u64>::new().range(16..=1_048_576))]
    pub cache_mib: u64,

    /// The memory in MiB for the index: names, references, and what filters, orders and counts are answered from. Data for
    /// which it is too small is not served: the server does not start, or accepts only deletions.
    // The default holds two million resources of usual size. Below 16 MiB, a hundred resources would not be safe.
    #[arg(long = "index-mib", env = "PARTNERSHIP_INDEX_MIB", default_value = "2048", value_name = "MIB",
          value_parser = RangedU64ValueParser::<u64>::new().range(1..=1_048_576))]
    pub index_mib: u64,

    /// How many days the id of a request is remembered at least, so that a repeated request is done once. When there are
    /// more than a million, those that are older than a day are forgotten earlier.
    // The default is longer than any queue that repeats requests by itself, and than most holidays of those who do it by
    // hand. Below a day, a request that is repeated after a night could be done twice.
    #[arg(long, env = "PARTNERSHIP_REQUEST_ID_RETENTION_DAYS", default_value = "30", value_name = "DAYS",
          value_parser = RangedU64ValueParser::<u64>::new().range(1..=3_650))]
    pub request_id_retention_days: u64,

    /// The time zone whose calendar days are those of the law, such as Asia/Seoul: by it days turn, and events are recorded on
    /// one. After a change of it no day comes again.
    // UTC is nobody's own, so an office says which one is.
    #[arg(long, env = "PARTNERSHIP_TIME_ZONE", default_value = "UTC", value_name = "ZONE", value_parser = time_zone)]
    pub time_zone: TimeZone,

    /// Start although the clock shows a time more than 400 days after the last commit: it is right. What is committed at a
    /// wrong time keeps it, and later commits never get an earlier one. Needed for one start only.
    #[arg(long, env = "PARTNERSHIP_ACCEPT_TIME_JUMP")]
    pub accept_time_jump: bool,
}

/// Reads a time zone of the IANA database.
fn time_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| "must be a time zone of the IANA database, such as Asia/Seoul".to_owned())
}

impl StorageConfig {
    /// The options of the registry.
    pub(super) fn options(&self) -> Options {
        Options {
            store: self.store(),
            request_id_retention: Duration::from_secs(self.request_id_retention_days * SECONDS_PER_DAY),
            accept_time_jump: self.accept_time_jump,
            time_zone: self.time_zone.clone(),
            index_bytes_max: usize::try_from(self.index_mib << MIB).unwrap_or(usize::MAX),
        }
    }

    /// The options of the store.
    fn store(&self) -> store::Options {
        store::Options {
            segment_bytes_max: self.segment_mib << MIB,
            cache_bytes_max: self.cache_mib << MIB,
            checkpoint_bytes: faults::planted("checkpoint-bytes")
                .and_then(|bytes| bytes.parse().ok())
                .unwrap_or(64 << MIB),
            sync: faults::planted("without-fdatasync").is_none(),
            stall: faults::planted("stall-sled").and_then(PlantedStall::parse),
        }
    }
}
