//! The rows of the public data as their files have them, read anew and without the loader's code.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::calendar;

/// Where the data lies: beside the project, of which it is no part.
pub(crate) fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    beside.join("uk_treaties").is_dir().then_some(beside)
}

/// A record of a treaty.
pub(crate) struct Treaty(Value);

/// A row of a project.
pub(crate) struct Project(std::collections::HashMap<String, String>);

pub(crate) fn treaties(data: &Path) -> Vec<Treaty> {
    let text = std::fs::read_to_string(data.join("uk_treaties/uk_treaties_records.jsonl")).unwrap();
    text.lines().map(|line| Treaty(serde_json::from_str(line).unwrap())).collect()
}

pub(crate) fn projects(data: &Path) -> Vec<Project> {
    let mut table = csv::Reader::from_path(data.join("worldbank_projects/wb_projects.csv")).unwrap();
    table.deserialize().map(|row| Project(row.unwrap())).collect()
}

/// The days from 1970 of a date in three numbers.
fn days(parts: &str, separator: char, places: [usize; 3]) -> i64 {
    let numbers: Vec<i64> = parts.split(separator).map(|part| part.parse().unwrap()).collect();
    let [year, month, day] = places.map(|place| numbers[place]);
    calendar::day(year, month, day)
}

impl Treaty {
    pub(crate) fn name(&self) -> String {
        format!("agreements/uk-{}", self.0["id"])
    }

    pub(crate) fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the record has this field; an empty text is one.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|value| !value.is_null())
    }

    /// `24/07/1923`, as days from 1970.
    pub(crate) fn day(&self, field: &str) -> Option<i64> {
        self.has(field).then(|| days(self.text(field), '/', [2, 1, 0]))
    }

    /// The day of signature, or else that of adoption.
    pub(crate) fn concluded(&self) -> Option<i64> {
        self.day("signed_event_date").or_else(|| self.day("adopted_event_date"))
    }

    /// The days on which something was done.
    pub(crate) fn acts(&self) -> impl Iterator<Item = i64> {
        const ACTS: [&str; 7] = [
            "adopted_event_date",
            "signed_event_date",
            "provisional_eif_event_date",
            "definative_eif_event_date",
            "terminated_event_date",
            "withdrawn_event_date",
            "unofficial_info_event_date",
        ];
        ACTS.iter().filter_map(|field| self.day(field))
    }

    /// The days from which something had effect.
    pub(crate) fn effects(&self) -> impl Iterator<Item = i64> {
        const EFFECTS: [&str; 5] = [
            "adopted_event_effective_date",
            "definative_eif_event_effective_date",
            "terminated_event_effective_date",
            "withdrawn_event_effective_date",
            "unofficial_info_event_effective_date",
        ];
        EFFECTS.iter().filter_map(|field| self.day(field))
    }

    pub(crate) fn parties(&self) -> impl Iterator<Item = &str> {
        self.text("country_name").split(';').map(str::trim).filter(|name| !name.is_empty())
    }

    pub(crate) fn is_party(&self, name: &str) -> bool {
        self.parties().any(|party| party == name)
    }

    /// What it cites, and where that is.
    pub(crate) fn references(&self) -> impl Iterator<Item = (&str, &str)> {
        let cited = self.text("references").split(';').map(str::trim);
        cited.map(|cited| cited.split_once("||").map_or((cited, ""), |(cited, link)| (cited, link.trim())))
    }
}

impl Project {
    pub(crate) fn cell(&self, column: &str) -> &str {
        self.0[column].trim()
    }

    pub(crate) fn name(&self) -> String {
        format!("projects/wb-{}", self.cell("Project Id").to_lowercase())
    }

    pub(crate) fn is(&self, status: &str) -> bool {
        self.cell("Project Status") == status
    }

    /// `1995-09-14T00:00:00Z`, as days from 1970.
    pub(crate) fn approved(&self) -> Option<i64> {
        let text = self.cell("Board Approval Date");
        (!text.is_empty()).then(|| days(&text[..10], '-', [0, 1, 2]))
    }

    /// `6/30/2004 12:00:00 AM`, as days from 1970.
    pub(crate) fn closes(&self) -> Option<i64> {
        let day = self.cell("Project Closing Date").split(' ').next().unwrap();
        (!day.is_empty()).then(|| days(day, '/', [2, 0, 1]))
    }

    pub(crate) fn sectors(&self) -> impl Iterator<Item = &str> {
        ["Sector 1", "Sector 2", "Sector 3"].into_iter().map(|column| self.cell(column)).filter(|text| !text.is_empty())
    }

    /// What it is given, in hundredths of a dollar.
    pub(crate) fn cents(&self) -> impl Iterator<Item = i128> {
        let cents = |column| {
            let amount = self.cell(column).replace(',', "");
            let (dollars, cents) = amount.split_once('.').unwrap_or((&amount, "0"));
            let dollars: i128 = if dollars.is_empty() { 0 } else { dollars.parse().unwrap() };
            dollars * 100 + format!("{cents:0<2}").parse::<i128>().unwrap()
        };
        ["Total IDA and IBRD Commitment", "Grant Amount"].into_iter().map(cents).filter(|cents| *cents > 0)
    }
}
