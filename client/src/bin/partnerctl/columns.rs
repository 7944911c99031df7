//! The columns of a kind in a table.

use partnership_registry_client::v1::Resource;
use prost_reflect::Kind;

use crate::contract::reference_targets;
use crate::failure::Failure;
use crate::kinds;
use crate::table::{Column, Cut};
use crate::values::Fields;

/// The fields of each kind that a table shows besides name and display name, the most important first, and those that only
/// the wide one shows. A kind that is not here shows what it has of [`ANY`].
const COLUMNS: &[(&str, &[&str], &[&str])] = &[
    (
        "countries",
        &["state", "region_code", "capital"],
        &["type", "region_code_alpha3", "m49_code", "relations_established_date", "sovereign", "focus_areas"],
    ),
    ("focusAreas", &["parent"], &["codes", "description"]),
    (
        "organizations",
        &["type", "acronym", "country"],
        &["parent", "website", "iati_identifier", "budgets", "focus_areas"],
    ),
    ("officials", &["post", "organization", "country"], &["family_name", "given_name", "term"]),
    (
        "agreements",
        &["state", "conclusion_date", "type", "parties"],
        &["binding", "scope", "conclusion_place", "parent", "registrations", "focus_areas"],
    ),
    (
        "projects",
        &["state", "approval_date", "planned_end_date", "countries"],
        &[
            "actual_start_date",
            "actual_end_date",
            "budgets",
            "participants",
            "reporting_organization",
            "agreements",
            "financing_instrument",
            "classifications",
            "focus_areas",
        ],
    ),
    (
        "feasibilityStudies",
        &["state", "stage", "project"],
        &["recommendation", "validity", "authors", "countries", "focus_areas"],
    ),
    (
        "meetings",
        &["state", "meeting_date", "place"],
        &["start_time", "type", "mode", "host", "participants", "topics", "countries"],
    ),
    (
        "delegations",
        &["state", "direction", "sending_country", "receiving_country", "planned_dates"],
        &["actual_dates", "head", "members", "purpose", "focus_areas"],
    ),
    (
        "courses",
        &["state", "type", "dates", "providers"],
        &["mode", "capacity", "nomination_deadline_date", "countries", "language_codes", "focus_areas"],
    ),
    (
        "commitments",
        &["state", "due_date", "responsible_parties"],
        &["met_date", "counterparts", "source", "outcomes", "countries", "focus_areas"],
    ),
];

/// The columns of a kind that has no own ones, as far as it has these fields.
const ANY: &[&str] = &["state", "type", "parent", "country"];

/// The last columns of every wide table.
const SHARED: &[&str] = &["labels", "revision", "create_time", "update_time", "updater", "delete_time", "findings"];

/// When a resource was deleted: a column of tables in which one is.
const DELETED: &str = "delete_time";

/// The columns of a table.
pub(crate) struct Columns {
    collection: String,
    fields: Vec<String>,
    /// They were asked for: none is left out.
    chosen: bool,
    /// There is little room.
    short: bool,
}

/// The columns of a collection. `deleted`: there are deleted ones among the rows.
pub(crate) fn of(collection: &str, wide: bool, deleted: bool) -> Columns {
    let own = COLUMNS.iter().find(|(of, ..)| *of == collection);
    let (narrow, more) = own.map_or((ANY, &[][..]), |(_, narrow, more)| (*narrow, *more));
    let mut fields = vec!["name", "display_name"];
    if deleted && !wide {
        fields.push(DELETED);
    }
    fields.extend(narrow);
    if wide {
        fields.extend(more);
        fields.extend(SHARED);
    }
    let fields = fields.into_iter().map(str::to_owned).collect();
    Columns { collection: collection.to_owned(), fields, chosen: false, short: !wide }
}

/// Whether any of them is deleted.
pub(crate) fn any_deleted(resources: &[Resource]) -> Result<bool, Failure> {
    for resource in resources {
        if !Fields::of(resource)?.text(DELETED).is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The name, and the fields that were asked for.
pub(crate) fn chosen(collection: &str, fields: &[String]) -> Columns {
    let fields = fields.iter().filter(|field| *field != "name").cloned();
    let fields = std::iter::once("name".to_owned()).chain(fields).collect();
    Columns { collection: collection.to_owned(), fields, chosen: true, short: false }
}

impl Columns {
    /// The fields.
    pub(crate) fn fields(&self) -> &[String] {
        &self.fields
    }

    /// The titles, and how each column may be shortened.
    pub(crate) fn header(&self) -> Vec<Column> {
        let kept = |field: &str| self.chosen || matches!(field, "name" | "display_name" | DELETED);
        let column = |field: &String| Column {
            title: if field == DELETED { "DELETED".to_owned() } else { field.replace('_', " ").to_uppercase() },
            cut: cut(&self.collection, field),
            kept: kept(field),
            right: false,
        };
        self.fields.iter().map(column).collect()
    }

    /// The cells of a resource.
    pub(crate) fn row(&self, resource: &Resource) -> Result<Vec<String>, Failure> {
        let fields = Fields::of(resource)?;
        let cell = |field: &String| match fields.text(field) {
            // In a narrow table the day is enough.
            time if field == DELETED && self.short => time.split('T').next().unwrap_or_default().to_owned(),
            text => text,
        };
        Ok(self.fields.iter().map(cell).collect())
    }
}

/// How the values of a field may be shortened: texts and lists may be, names, dates and values of enums not.
fn cut(collection: &str, path: &str) -> Cut {
    if path == "display_name" {
        return Cut::Title;
    }
    let Some(field) = kinds::message(collection).and_then(|message| message.get_field_by_name(path)) else {
        // A field of a field is a text, for all that is known.
        return Cut::Text;
    };
    if field.is_list() || field.is_map() {
        return Cut::List;
    }
    let is_text = matches!(field.kind(), Kind::String) && path != "name" && reference_targets(&field).is_empty();
    if is_text { Cut::Text } else { Cut::Never }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use crate::kinds;

    #[test]
    fn every_column_is_a_field_of_its_kind() {
        let pool = partnership_registry::descriptors();
        let envelope = pool.get_message_by_name("partnership.registry.v1.Resource").unwrap();
        assert_eq!(kinds::collections().count(), envelope.fields().count());
        for (collection, field) in kinds::collections().zip(envelope.fields()) {
            let kind = field.kind();
            let message = kind.as_message().unwrap();
            for column in of(collection, true, false).fields {
                let known = message.get_field_by_name(&column).is_some();
                assert!(known || ANY.contains(&column.as_str()), "{collection}: {column}");
            }
        }
    }
}
