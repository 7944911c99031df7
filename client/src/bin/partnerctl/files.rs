//! Resources from files: JSON, NDJSON or YAML, in envelopes or of a given kind.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use partnership_registry_client::json::{self, Syntax};
use partnership_registry_client::v1::Resource;

use crate::args::FileArgs;
use crate::failure::Failure;
use crate::kinds;

/// Reads all resources of the files.
pub(crate) fn read(args: &FileArgs) -> Result<Vec<Resource>, Failure> {
    let collection = args.kind.as_deref().map(kinds::collection).transpose()?;
    read_files(&args.files, collection)
}

/// Reads all resources of the files; With a `collection`, they have no envelope.
pub(crate) fn read_files(files: &[PathBuf], collection: Option<&str>) -> Result<Vec<Resource>, Failure> {
    let mut resources = Vec::new();
    for file in files {
        let text = text(file)?;
        let syntax = syntax(file, &text);
        let read = json::read_all(&text, syntax, collection);
        resources.extend(read.map_err(|error| Failure::usage(format!("{}: {}", shown(file), error.message())))?);
    }
    if resources.is_empty() {
        return Err(Failure::usage("the files contain no resource"));
    }
    Ok(resources)
}

/// The name of a file in messages.
pub(crate) fn shown(file: &Path) -> String {
    if is_stdin(file) { "standard input".to_owned() } else { file.display().to_string() }
}

pub(crate) fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn text(file: &Path) -> Result<String, Failure> {
    let text = if is_stdin(file) {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    text.map_err(|error| Failure::usage(format!("{}: {error}", shown(file))))
}

/// By the extension of the file, or else by the text.
fn syntax(file: &Path, text: &str) -> Syntax {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "json" | "ndjson" | "jsonl" => Syntax::Json,
        "yaml" | "yml" => Syntax::Yaml,
        _ => Syntax::of(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_decides_before_its_text() {
        for (file, text, expected) in [
            ("a.json", "x: 1", Syntax::Json),
            ("a.NDJSON", "", Syntax::Json),
            ("a.yml", "{a: 1}", Syntax::Yaml),
            ("-", "  {\"a\": 1}", Syntax::Json),
            ("-", "country:\n", Syntax::Yaml),
        ] {
            assert_eq!(syntax(Path::new(file), text), expected, "{file}");
        }
    }
}
