//! [`Rejects`]: the refused rows of an import as NDJSON, to be corrected and imported again.

use std::fs::{self, File};
use std::io::{self, LineWriter, Write as _};
use std::path::{Path, PathBuf};

use partnership_registry_client::import::{Content, RefusedRow};
use partnership_registry_client::json;
use serde_json::{Value, json};

use crate::failure::Failure;

/// A file of refused rows.
pub(crate) struct Rejects {
    file: LineWriter<File>,
}

impl Rejects {
    /// Creates the file, which must not be one of the inputs.
    pub(crate) fn create(path: &Path, inputs: &[PathBuf]) -> Result<Self, Failure> {
        let is_input = |input: &PathBuf| match (fs::canonicalize(input), fs::canonicalize(path)) {
            (Ok(input), Ok(path)) => input == path,
            (Err(_), _) | (_, Err(_)) => false,
        };
        if inputs.iter().any(is_input) {
            return Err(Failure::usage(format!("--rejects {}: is a file to import", path.display())));
        }
        let file = File::create(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        Ok(Self { file: LineWriter::new(file) })
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: &RefusedRow) -> io::Result<()> {
        let RefusedRow { origin, name, reasons, content } = row;
        let content = match content {
            Content::Resource(resource) => json::to_value(resource).map_err(io::Error::other)?,
            Content::Text(text) => Value::from(text.as_str()),
            Content::NotKept => Value::Null,
        };
        let line = json!({
            "file": &*origin.source, "line": origin.line, "name": name, "reasons": reasons, "row": content,
        });
        writeln!(self.file, "{line}")
    }
}
