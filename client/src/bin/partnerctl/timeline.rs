//! `timeline`: what happened when, in a partnership or to one agreement.

use partnership_registry_client::json;
use partnership_registry_client::v1::TimelineEntry;
use serde_json::Value;

use crate::args::{Globals, TimelineArgs};
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::kinds;
use crate::output::{self, Format};
use crate::table::{Column, Cut};

const MESSAGE: &str = "partnership.registry.v1.TimelineEntry";

pub(crate) async fn timeline(globals: &Globals, args: TimelineArgs) -> Result<Exit, Failure> {
    let name = name(&args.name)?;
    let collections = args.only.iter().map(|kind| kinds::collection(kind)).collect::<Result<Vec<_>, _>>()?;
    let registry = connect(globals)?;
    let call = match kinds::collection_of(&name) {
        "countries" => registry.timeline_of_country(name),
        "agreements" => registry.timeline_of_agreement(name),
        other => {
            let rule = format!("timeline takes a country or an agreement, and {name} is one of {other}");
            return Err(Failure::usage(rule));
        }
    };
    let mut call = call.collections(collections).newest_first(args.newest_first).at(args.at.unwrap_or_default());
    if let Some(from) = args.from {
        call = call.from(from);
    }
    if let Some(to) = args.to {
        call = call.to(to);
    }
    let mut entries = call.entries();
    let mut found = Vec::new();
    while found.len() < args.limit.unwrap_or(usize::MAX) {
        let Some(entry) = entries.next().await.transpose()? else { break };
        found.push(entry);
    }
    print(globals.output, &found)?;
    Ok(Exit::Success)
}

/// A name such as `agreements/x`; a word without a kind is the id of a country.
fn name(words: &[String]) -> Result<String, Failure> {
    match words {
        [word] if !word.contains('/') => Ok(format!("countries/{word}")),
        words => match kinds::names(words)?.as_slice() {
            [name] => Ok(name.clone()),
            _ => Err(Failure::usage("timeline takes one country or one agreement")),
        },
    }
}

fn print(format: Format, entries: &[TimelineEntry]) -> Result<(), Failure> {
    let rows: Vec<_> = entries.iter().map(row).collect();
    match format {
        Format::Table | Format::Wide => output::print_table(columns(), &rows, format == Format::Table),
        Format::Csv => output::print_rows(format, columns(), &rows, "NAME"),
        Format::Name => entries.iter().try_for_each(|entry| output::line(&entry.name)),
        Format::Ndjson => entries.iter().try_for_each(|entry| output::line(&value(entry)?.to_string())),
        Format::Json | Format::Yaml => {
            let values: Vec<_> = entries.iter().map(value).collect::<Result<_, _>>()?;
            output::print_value(format, &values.into())
        }
    }
}

fn value(entry: &TimelineEntry) -> Result<Value, Failure> {
    Ok(json::message_to_value(MESSAGE, entry)?)
}

fn columns() -> Vec<Column> {
    vec![
        Column::kept("DATE", Cut::Never),
        Column::kept("WHAT", Cut::Text),
        Column::new("WHO", Cut::List),
        Column::kept("NAME", Cut::Never),
        Column::new("TITLE", Cut::Text),
        Column::new("EVENT", Cut::Never),
    ]
}

fn row(entry: &TimelineEntry) -> Vec<String> {
    vec![
        entry.recorded_date.as_ref().map(ToString::to_string).unwrap_or_default(),
        format!("{}{}", entry.r#type, if entry.of_effect { " (effect)" } else { "" }),
        entry.parties.join(","),
        entry.name.clone(),
        entry.display_name.clone(),
        entry.event_id.clone(),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_word_alone_is_a_country() {
        let name = |words: &[&str]| name(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(name(&["kr"]).unwrap(), "countries/kr");
        assert_eq!(name(&["agreement/x"]).unwrap(), "agreements/x");
        assert_eq!(name(&["agreements", "x"]).unwrap(), "agreements/x");
        assert!(name(&["agreements", "x", "y"]).is_err());
    }
}
