//! What the server takes of the machine: memory, descriptors, threads, and disk.

use std::path::{Path, PathBuf};

/// What is taken at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gauge {
    /// Memory now, and at most, in KiB.
    pub(crate) rss_kib: u64,
    pub(crate) hwm_kib: u64,
    pub(crate) threads: u64,
    pub(crate) descriptors: usize,
    /// What is in the files, in bytes; a file that is not full takes less of the disk.
    pub(crate) journal_bytes: u64,
    pub(crate) sled_bytes: u64,
}

impl Gauge {
    /// Reads it all.
    pub(crate) fn read(process: u32, data: &Path) -> Self {
        let proc = PathBuf::from(format!("/proc/{process}"));
        let status = std::fs::read_to_string(proc.join("status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}"));
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        Self {
            rss_kib: field("VmRSS:"),
            hwm_kib: field("VmHWM:"),
            threads: field("Threads:"),
            descriptors: std::fs::read_dir(proc.join("fd")).unwrap().count(),
            journal_bytes: size(&data.join("journal")),
            sled_bytes: size(&data.join("sled")),
        }
    }
}

/// The bytes of all files in a directory, which may change meanwhile.
fn size(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
