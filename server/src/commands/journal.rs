//! `partnership-server journal …`: reads a journal without a server, and never changes it.

use std::error::Error;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use partnership_registry::descriptors;
use prost::Message as _;
use prost_reflect::{DynamicMessage, SerializeOptions};

use crate::config::JournalCommand;
use crate::store;

/// Does what the command says, on the journal in `data`.
pub fn run(data: &Path, command: &JournalCommand) -> Result<(), Box<dyn Error>> {
    match command {
        JournalCommand::Dump { from } => dump(data, *from),
        JournalCommand::Verify => verify(data),
    }
}

fn dump(data: &Path, from: u64) -> Result<(), Box<dyn Error>> {
    let commit = descriptors().get_message_by_name("partnership.registry.v1.Commit").ok_or("no message Commit")?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for entry in store::scan_read_only(data)? {
        let entry = entry?;
        if entry.revision < from {
            continue;
        }
        let stored = crate::api::commit_message(entry)?;
        let message = DynamicMessage::decode(commit.clone(), stored.encode_to_vec().as_slice())?;
        let mut line = serde_json::Serializer::new(&mut out);
        message.serialize_with_options(&mut line, &SerializeOptions::new())?;
        writeln!(out)?;
    }
    out.flush()?;
    Ok(())
}

fn verify(data: &Path) -> Result<(), Box<dyn Error>> {
    let mut last = None;
    for entry in store::scan_read_only(data)? {
        last = Some(entry?);
    }
    let mut out = std::io::stdout().lock();
    match last {
        None => writeln!(out, "no commits")?,
        Some(entry) => {
            let hash: String = entry.hash.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(out, "{} commits, all whole; the hash of the last is {hash}", entry.revision)?;
        }
    }
    Ok(())
}
