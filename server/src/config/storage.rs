//! Storing: the sizes of the journal's segments and of sled's cache.

use clap::Args;
use clap::builder::RangedU64ValueParser;

use crate::faults;
use crate::store::PlantedStall;

const MIB: u32 = 20;

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
}

impl StorageConfig {
    /// The options of the store.
    pub(super) fn options(&self) -> crate::store::Options {
        crate::store::Options {
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
