//! Prints resources in the requested format.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};

use clap::ValueEnum;
use partnership_registry_client::json;
use partnership_registry_client::v1::Resource;
use serde_json::{Map, Value};

use crate::columns::{self, Columns};
use crate::failure::Failure;
use crate::style::{Style, paint};
use crate::table::{self, Column};

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people, fitted to the terminal
    Table,
    /// The table with more columns
    Wide,
    /// Canonical protobuf JSON
    Json,
    /// The same as YAML
    Yaml,
    /// JSON, a resource on each line
    Ndjson,
    /// Comma-separated values: the columns of wide
    Csv,
    /// Names alone
    Name,
}

impl Format {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Wide => "wide",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Name => "name",
        }
    }

    /// Whether it is for people, rather than for programs.
    pub(crate) fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }
}

/// Prints resources as they come, or all at the end, as the format needs it.
#[derive(Debug)]
pub(crate) struct Printer {
    format: Format,
    /// One resource was asked for: JSON is an object, not an array.
    single: bool,
    printed: usize,
    kept: Vec<Resource>,
    csv_collection: Option<&'static str>,
    /// The columns asked for; none: those of the kind.
    fields: Vec<String>,
}

impl Printer {
    pub(crate) fn new(format: Format, single: bool) -> Self {
        Self { format, single, printed: 0, kept: Vec::new(), csv_collection: None, fields: Vec::new() }
    }

    /// With these columns, instead of those of the kind.
    pub(crate) fn with_fields(mut self, fields: &[String]) -> Self {
        self.fields = fields.to_vec();
        self
    }

    fn columns(&self, collection: &str, wide: bool, deleted: bool) -> Columns {
        if self.fields.is_empty() {
            columns::of(collection, wide, deleted)
        } else {
            columns::chosen(collection, &self.fields)
        }
    }

    pub(crate) fn push(&mut self, resource: Resource) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Wide => {
                self.kept.push(resource);
                return Ok(());
            }
            Format::Json => {
                let text = serde_json::to_string_pretty(&json::to_value(&resource)?).map_err(io::Error::from)?;
                let before = if self.single {
                    ""
                } else if self.printed == 0 {
                    "[\n"
                } else {
                    ",\n"
                };
                write(&format!("{before}{text}"))?;
            }
            Format::Yaml => {
                let before = if self.printed == 0 { "" } else { "---\n" };
                write(&format!("{before}{}", json::to_yaml(&json::to_value(&resource)?)?))?;
            }
            Format::Ndjson => line(&json::to_line(&resource)?)?,
            Format::Name => line(resource.name())?,
            Format::Csv => self.push_csv(&resource)?,
        }
        self.printed += 1;
        Ok(())
    }

    /// Prints what is kept, and what closes the format.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        match self.format {
            Format::Json if self.single => write("\n"),
            Format::Json if self.printed == 0 => write("[]\n"),
            Format::Json => write("\n]\n"),
            Format::Table | Format::Wide => self.finish_table(),
            Format::Yaml | Format::Ndjson | Format::Name | Format::Csv => Ok(()),
        }
    }

    fn finish_table(&mut self) -> Result<(), Failure> {
        let wide = self.format == Format::Wide;
        let kept = std::mem::take(&mut self.kept);
        if kept.is_empty() {
            eprintln!("no resources found");
        }
        for (index, group) in kept.chunk_by(|one, next| one.collection() == next.collection()).enumerate() {
            if index > 0 {
                write("\n")?;
            }
            let Some(collection) = group.first().and_then(Resource::collection) else { continue };
            let deleted = columns::any_deleted(group)?;
            let columns = self.columns(collection, wide, deleted);
            let rows = group.iter().map(|resource| columns.row(resource)).collect::<Result<Vec<_>, _>>()?;
            print_table(columns.header(), &rows, !wide)?;
        }
        Ok(())
    }

    fn push_csv(&mut self, resource: &Resource) -> Result<(), Failure> {
        let Some(collection) = resource.collection() else { return Ok(()) };
        let columns = self.columns(collection, true, false);
        if self.csv_collection != Some(collection) {
            self.csv_collection = Some(collection);
            write(&csv_line(columns.fields().to_vec())?)?;
        }
        write(&csv_line(columns.row(resource)?)?)
    }
}

/// A row of comma-separated values (RFC 4180), with its line break.
pub(crate) fn csv_line(cells: Vec<String>) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&cells).map_err(|error| Failure::Local(error.to_string()))?;
    let bytes = writer.into_inner().map_err(|error| Failure::Local(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Prints a value that is no resource, in a format for programs.
pub(crate) fn print_value(format: Format, value: &Value) -> Result<(), Failure> {
    match format {
        Format::Yaml => write(&json::to_yaml(value)?),
        Format::Ndjson => line(&value.to_string()),
        Format::Table | Format::Wide | Format::Json | Format::Csv | Format::Name => {
            line(&serde_json::to_string_pretty(value).map_err(io::Error::from)?)
        }
    }
}

/// Prints rows that are no resources. `name` is the column that names them.
pub(crate) fn print_rows(
    format: Format,
    columns: Vec<Column>,
    rows: &[Vec<String>],
    name: &str,
) -> Result<(), Failure> {
    let key = |column: &Column| column.title.to_lowercase();
    let object = |row: &Vec<String>| -> Value {
        columns.iter().map(key).zip(row.iter().map(|cell| Value::from(cell.as_str()))).collect::<Map<_, _>>().into()
    };
    match format {
        Format::Table | Format::Wide => print_table(columns, rows, format == Format::Table),
        Format::Json => {
            let rows: Vec<_> = rows.iter().map(object).collect();
            line(&serde_json::to_string_pretty(&rows).map_err(io::Error::from)?)
        }
        Format::Yaml => write(&json::to_yaml(&rows.iter().map(object).collect::<Vec<_>>().into())?),
        Format::Ndjson => rows.iter().try_for_each(|row| line(&object(row).to_string())),
        Format::Csv => {
            write(&csv_line(columns.iter().map(key).collect())?)?;
            rows.iter().try_for_each(|row| write(&csv_line(row.clone())?))
        }
        Format::Name => {
            let index = columns.iter().position(|column| column.title == name).unwrap_or_default();
            rows.iter().filter_map(|row| row.get(index)).try_for_each(|cell| line(cell))
        }
    }
}

/// Prints a table; `fit`: to the width of the terminal, if there is one.
pub(crate) fn print_table(columns: Vec<Column>, rows: &[Vec<String>], fit: bool) -> Result<(), Failure> {
    let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let width = width.filter(|_| fit && io::stdout().is_terminal());
    let mut text = String::new();
    for (index, line) in table::lines(columns, rows, width).iter().enumerate() {
        text.push_str(&if index == 0 { paint(Style::Header, line) } else { line.clone() });
        text.push('\n');
    }
    write(&text)
}

/// Prints a line.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    write(&format!("{text}\n"))
}

/// Prints a text as it is.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn csv_quotes_what_needs_it() {
        let cells = ["countries/kr", "Korea, \"South\"", "two\nlines", ""].map(str::to_owned).to_vec();
        assert_eq!(csv_line(cells).unwrap(), "countries/kr,\"Korea, \"\"South\"\"\",\"two\nlines\",\n");
    }
}
