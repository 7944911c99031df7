//! The columns of a kind in a table.

use partnership_registry_client::v1::Resource;

use crate::failure::Failure;
use crate::values::Fields;

/// The fields of each kind that a table shows besides name and display name, and those that only the wide one shows. A
/// kind that is not here shows what it has of [`ANY`].
const COLUMNS: &[(&str, &[&str], &[&str])] = &[
    (
        "countries",
        &["state", "region_code", "capital"],
        &["type", "region_code_alpha3", "m49_code", "relations_established_date", "sovereign", "focus_areas"],
    ),
    ("focusAreas", &["parent"], &["codes", "description"]),
    ("organizations", &["type", "acronym", "country"], &["parent", "website", "iati_identifier", "focus_areas"]),
    ("officials", &["post", "organization", "country"], &["family_name", "given_name", "term"]),
    (
        "agreements",
        &["state", "type", "conclusion_date", "parties"],
        &["binding", "scope", "conclusion_place", "parent", "registrations", "focus_areas"],
    ),
    (
        "projects",
        &["state", "countries", "approval_date", "planned_end_date"],
        &[
            "actual_start_date",
            "actual_end_date",
            "budgets",
            "participants",
            "agreements",
            "financing_instrument",
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
        &["state", "start_time", "meeting_date", "place"],
        &["type", "mode", "host", "participants", "topics", "countries"],
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

/// The columns of a table.
pub(crate) struct Columns {
    fields: Vec<String>,
}

/// The columns of a collection.
pub(crate) fn of(collection: &str, wide: bool) -> Columns {
    let own = COLUMNS.iter().find(|(of, ..)| *of == collection);
    let (narrow, more) = own.map_or((ANY, &[][..]), |(_, narrow, more)| (*narrow, *more));
    let mut fields = vec!["name", "display_name"];
    fields.extend(narrow);
    if wide {
        fields.extend(more);
        fields.extend(SHARED);
    }
    Columns { fields: fields.into_iter().map(str::to_owned).collect() }
}

/// The name, and the fields that were asked for.
pub(crate) fn chosen(fields: &[String]) -> Columns {
    let fields = fields.iter().filter(|field| *field != "name").cloned();
    Columns { fields: std::iter::once("name".to_owned()).chain(fields).collect() }
}

impl Columns {
    /// The titles.
    pub(crate) fn header(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.replace('_', " ").to_uppercase()).collect()
    }

    /// The cells of a resource.
    pub(crate) fn row(&self, resource: &Resource) -> Result<Vec<String>, Failure> {
        let fields = Fields::of(resource)?;
        Ok(self.fields.iter().map(|field| fields.text(field)).collect())
    }
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
            for column in of(collection, true).fields {
                let known = message.get_field_by_name(&column).is_some();
                assert!(known || ANY.contains(&column.as_str()), "{collection}: {column}");
            }
        }
    }
}
