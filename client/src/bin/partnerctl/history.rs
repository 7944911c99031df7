//! `history`: the revisions of a resource.

use partnership_registry_client::json;
use partnership_registry_client::v1::ResourceRevision;

use crate::args::{Globals, HistoryArgs};
use crate::connect::connect;
use crate::diff::{Keep, unified};
use crate::failure::{Exit, Failure};
use crate::kinds;
use crate::output::{self, Format};
use crate::table::{Column, Cut};
use crate::time;

const MESSAGE: &str = "partnership.registry.v1.ResourceRevision";

pub(crate) async fn history(globals: &Globals, args: HistoryArgs) -> Result<Exit, Failure> {
    let names = kinds::names(&args.name)?;
    let [name] = names.as_slice() else { return Err(Failure::usage("history takes one resource")) };
    let registry = connect(globals)?;
    let mut revisions = registry.list_revisions(name.as_str());
    let (mut rows, mut printed) = (Vec::new(), 0);
    let limit = args.limit.unwrap_or(usize::MAX);
    while printed < limit {
        let Some(revision) = revisions.next().await.transpose()? else { break };
        match globals.output {
            Format::Table | Format::Wide if args.diff => output::write(&in_full(name, &revision, printed)?)?,
            Format::Table | Format::Wide => rows.push(row(&revision)),
            Format::Json => {
                let value = json::message_to_value(MESSAGE, &revision)?;
                let text = serde_json::to_string_pretty(&value).map_err(|error| Failure::Local(error.to_string()))?;
                output::write(&format!("{}{text}", if printed == 0 { "[\n" } else { ",\n" }))?;
            }
            Format::Yaml => {
                let text = json::to_yaml(&json::message_to_value(MESSAGE, &revision)?)?;
                output::write(&format!("{}{text}", if printed == 0 { "" } else { "---\n" }))?;
            }
            Format::Ndjson => output::line(&json::message_to_value(MESSAGE, &revision)?.to_string())?,
            Format::Csv => {
                if printed == 0 {
                    let titles = columns().iter().map(|column| column.title.to_lowercase()).collect();
                    output::write(&output::csv_line(titles)?)?;
                }
                output::write(&output::csv_line(row(&revision))?)?;
            }
            Format::Name => output::line(&revision.name)?,
        }
        printed += 1;
    }
    match globals.output {
        Format::Table | Format::Wide if !args.diff => {
            output::print_table(columns(), &rows, globals.output == Format::Table)?;
        }
        Format::Json => output::write(if printed == 0 { "[]\n" } else { "\n]\n" })?,
        Format::Table | Format::Wide | Format::Yaml | Format::Ndjson | Format::Csv | Format::Name => {}
    }
    Ok(Exit::Success)
}

fn columns() -> Vec<Column> {
    vec![
        Column::kept("REVISION", Cut::Never),
        Column::kept("TIME", Cut::Never),
        Column::new("ACTOR", Cut::Text),
        Column::new("ACTION", Cut::Never),
        Column::new("CHANGED", Cut::List),
        Column::kept("REASON", Cut::Text),
    ]
}

fn row(revision: &ResourceRevision) -> Vec<String> {
    vec![
        revision.revision.to_string(),
        time::text(revision.create_time),
        revision.actor.clone(),
        revision.action().as_str_name().trim_start_matches("CHANGE_ACTION_").to_owned(),
        revision.changed_fields.as_ref().map(|mask| mask.paths.join(",")).unwrap_or_default(),
        revision.reason.clone(),
    ]
}

/// A revision as `git log -p` shows a commit.
fn in_full(name: &str, revision: &ResourceRevision, printed: usize) -> Result<String, Failure> {
    let cells = row(revision);
    let titled: Vec<_> = columns().into_iter().zip(&cells).filter(|(_, cell)| !cell.is_empty()).map(line).collect();
    let diff = unified(name, revision.previous_snapshot.as_ref(), revision.snapshot.as_ref(), Keep::Nothing)?;
    Ok(format!("{}{}\n{diff}", if printed == 0 { "" } else { "\n" }, titled.join("\n")))
}

fn line((column, cell): (Column, &String)) -> String {
    format!("{:<9} {cell}", column.title.to_lowercase())
}
