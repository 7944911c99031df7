//! `count`: how many resources of a kind there are, in groups, and what they have together.

use partnership_registry_client::Money;
use partnership_registry_client::json;
use partnership_registry_client::json::enum_prefix;
use partnership_registry_client::v1::{CountResourcesResponse, ResourceCount};
use prost_reflect::{EnumDescriptor, Kind};

use crate::args::{CountArgs, Globals};
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::kinds;
use crate::money::{amount, digits};
use crate::output::{self, Format};
use crate::plan;
use crate::table::{Column, Cut};

const RESPONSE: &str = "partnership.registry.v1.CountResourcesResponse";
const GROUP: &str = "partnership.registry.v1.ResourceCount";

/// How a table writes the key of a value that is absent, and the rows that are no groups.
const NONE: &str = "(none)";
const OTHERS: &str = "(others)";
const TOTAL: &str = "(total)";

pub(crate) async fn count(globals: &Globals, args: CountArgs) -> Result<Exit, Failure> {
    let collection = kinds::collection(&args.kind)?;
    let registry = connect(globals)?;
    let count = kinds::handle_of(&registry, collection)?
        .count()
        .filter(args.filter)
        .group_by(args.by.clone())
        .sum(args.sum.unwrap_or_default())
        .groups_max(args.groups_max.unwrap_or_default())
        .show_deleted(args.show_deleted)
        .at(args.at.unwrap_or_default())
        .on(args.on);
    if args.explain {
        return plan::print(globals.output, &count.explain().await?);
    }
    let counted = count.await?;
    match globals.output {
        Format::Table | Format::Wide => print_table(globals.output, collection, &args.by, &counted)?,
        Format::Csv => print_csv(&args.by, &counted)?,
        Format::Json | Format::Yaml | Format::Name => {
            output::print_value(globals.output, &json::message_to_value(RESPONSE, &counted)?)?;
        }
        Format::Ndjson => {
            for group in &counted.groups {
                output::line(&json::message_to_value(GROUP, group)?.to_string())?;
            }
        }
    }
    Ok(Exit::Success)
}

/// The groups, and below them what was left out and the total.
fn print_table(
    format: Format,
    collection: &str,
    by: &[String],
    counted: &CountResourcesResponse,
) -> Result<(), Failure> {
    let currencies = Currencies::of(counted);
    let mut columns: Vec<_> = by.iter().map(|field| Column::kept(title(field), Cut::Text)).collect();
    columns.push(Column::kept("COUNT", Cut::Never).right());
    columns.extend(currencies.0.iter().map(|(code, _)| Column::new(code.as_str(), Cut::Never).right()));
    let enums: Vec<_> = by.iter().map(|field| enum_of(collection, field)).collect();
    let mut rows = Vec::new();
    for ResourceCount { keys, count, sums } in &counted.groups {
        let mut row: Vec<_> = keys.iter().zip(&enums).map(|(key, of)| short(key, of.as_ref())).collect();
        row.push(count.to_string());
        row.extend(currencies.cells(sums));
        rows.push(row);
    }
    // A row that is no group: its name stands in the first column, if there is one.
    let mut add = |name: &str, count: i64, sums: Vec<String>| {
        let mut row = vec![String::new(); by.len()];
        if let Some(first) = row.first_mut() {
            *first = name.to_owned();
        }
        row.push(count.to_string());
        row.extend(sums);
        rows.push(row);
    };
    if counted.other_count > 0 {
        add(OTHERS, counted.other_count, Vec::new());
    }
    add(TOTAL, counted.total_size, currencies.cells(&counted.sums));
    output::print_table(columns, &rows, format == Format::Table)?;
    if counted.other_count > 0 {
        eprintln!("the {} largest groups; --groups-max shows more", counted.groups.len());
    }
    let together = counted.groups.iter().map(|group| group.count).sum::<i64>() + counted.other_count;
    if !by.is_empty() && together > counted.total_size {
        eprintln!("what has several values counts once for each, so the groups have more together than the total");
    }
    Ok(())
}

/// The groups alone.
fn print_csv(by: &[String], counted: &CountResourcesResponse) -> Result<(), Failure> {
    let currencies = Currencies::of(counted);
    let codes = || currencies.0.iter().map(|(code, _)| code.to_lowercase());
    if by.is_empty() {
        output::write(&output::csv_line(std::iter::once("count".to_owned()).chain(codes()).collect())?)?;
        let total = std::iter::once(counted.total_size.to_string()).chain(currencies.cells(&counted.sums));
        return output::write(&output::csv_line(total.collect())?);
    }
    let header = by.iter().cloned().chain(["count".to_owned()]).chain(codes());
    output::write(&output::csv_line(header.collect())?)?;
    for ResourceCount { keys, count, sums } in &counted.groups {
        let row = keys.iter().cloned().chain([count.to_string()]).chain(currencies.cells(sums));
        output::write(&output::csv_line(row.collect())?)?;
    }
    Ok(())
}

/// The currencies of a count, and with how many digits behind the point their amounts are written: those of one column have
/// as many.
struct Currencies(Vec<(String, usize)>);

impl Currencies {
    fn of(counted: &CountResourcesResponse) -> Self {
        let all = || counted.groups.iter().flat_map(|group| &group.sums).chain(&counted.sums);
        let digits = |code: &str| all().filter(|sum| sum.currency_code == code).map(digits).max().unwrap_or_default();
        // The total has every currency.
        let codes = counted.sums.iter().map(|sum| sum.currency_code.clone());
        Self(codes.map(|code| (code.clone(), digits(&code))).collect())
    }

    /// The amount of each currency, or nothing.
    fn cells(&self, sums: &[Money]) -> Vec<String> {
        let cell = |(code, digits): &(String, usize)| {
            let sum = sums.iter().find(|sum| sum.currency_code == *code);
            sum.map_or_else(String::new, |sum| amount(sum, *digits))
        };
        self.0.iter().map(cell).collect()
    }
}

/// The title of a column: `YEAR(CONCLUSION DATE)`.
fn title(field: &str) -> String {
    field.trim().replace('_', " ").to_uppercase()
}

/// A key as people read it.
fn short(key: &str, of: Option<&EnumDescriptor>) -> String {
    if key.is_empty() {
        return NONE.to_owned();
    }
    let prefix = of.map(enum_prefix).unwrap_or_default();
    key.strip_prefix(&prefix).unwrap_or(key).to_owned()
}

/// The enum whose values a path leads to, if it is one.
fn enum_of(collection: &str, path: &str) -> Option<EnumDescriptor> {
    let mut kind = Kind::Message(kinds::message(collection)?);
    for name in path.trim().split('.') {
        let field = kind.as_message()?.get_field_by_name(name).filter(|field| !field.is_map())?;
        kind = field.kind();
    }
    kind.as_enum().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_enums_are_short_whatever_they_stand_in() {
        let of = |path| enum_of("agreements", path);
        assert_eq!(short("AGREEMENT_STATE_IN_FORCE", of("state").as_ref()), "IN_FORCE");
        assert_eq!(short("X_IN_FORCE", of("state").as_ref()), "X_IN_FORCE");
        assert_eq!(short("", of("state").as_ref()), "(none)");
        for path in ["display_name", "labels.state", "year(conclusion_date)", "no_such_field", ""] {
            assert!(of(path).is_none(), "{path}");
        }
        assert!(of("findings.code").is_some());
    }
}
