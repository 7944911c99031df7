//! Resources from files: JSON, NDJSON or YAML, in envelopes or of a given kind.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use partnership_registry_client::json::{self, Document, Syntax};
use partnership_registry_client::v1::Resource;

use crate::args::FileArgs;
use crate::failure::Failure;
use crate::kinds;

/// The most malformed documents that are told one by one.
const TOLD_MAX: usize = 20;

/// A resource of a file.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) resource: Resource,
    /// Where it was found, such as `country.yaml, document 3 (countries/kr)`.
    pub(crate) place: String,
}

/// Reads all resources of the files.
pub(crate) fn read(args: &FileArgs) -> Result<Vec<Found>, Failure> {
    let collection = args.kind.as_deref().map(kinds::collection).transpose()?;
    read_files(&args.files, collection)
}

/// Reads all resources of the files; with a `collection`, they have no envelope. All that are malformed are told.
pub(crate) fn read_files(files: &[PathBuf], collection: Option<&str>) -> Result<Vec<Found>, Failure> {
    let (mut found, mut malformed) = (Vec::new(), Vec::new());
    for file in files {
        let text = text(file)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let documents = json::documents(text, syntax(file, text));
        let documents = documents.map_err(|error| Failure::usage(format!("{}: {}", shown(file), error.message())))?;
        for (index, document) in documents.iter().enumerate() {
            let place = place(&shown(file), &documents, index, document.name());
            match document.read(collection) {
                Ok(resource) => found.push(Found { resource, place }),
                Err(error) => malformed.push(format!("{place}: {}", error.message())),
            }
        }
    }
    match malformed.as_slice() {
        [] if found.is_empty() => Err(Failure::usage("the files contain no resource")),
        [] => Ok(found),
        [one] => Err(Failure::usage(one)),
        several => {
            let told = several.iter().take(TOLD_MAX).map(|one| format!("\n  {one}")).collect::<String>();
            let more = several.len().saturating_sub(TOLD_MAX);
            let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
            Err(Failure::usage(format!("{} documents are malformed{told}{more}", several.len())))
        }
    }
}

/// Where a document stands: in a file with several, by its number, or by its line where each has one line.
fn place(file: &str, documents: &[Document<'_>], index: usize, name: Option<String>) -> String {
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    match documents.get(index) {
        Some(document) if documents.len() > 1 && documents.iter().all(Document::is_line) => {
            format!("{file}, line {}{name}", document.line())
        }
        Some(_) if documents.len() > 1 => format!("{file}, document {}{name}", index + 1),
        Some(_) | None => format!("{file}{name}"),
    }
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
