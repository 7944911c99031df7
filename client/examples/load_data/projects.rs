//! `wb_projects.csv`: projects of the World Bank.
//!
//! Sectors become focus areas, and the bank is an organization that funds every project and reports on it. What it promised
//! when it approved a project is a budget, and a commitment of that day. Left out: columns that are empty in every row
//! (`Last Stage Reached`, `Financing Type`, `IBRD Commitment`, `IDA Commitment`, `Theme 1`, `Theme 2`), and `Current Project
//! Cost`, which is the same as the commitment in every row. How a project is divided between its sectors is not told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use partnership_registry_client::Money;
use partnership_registry_client::v1::{
    ExternalId, FocusArea, FocusAreaCode, Organization, OrganizationType, PartialDate, Project, ProjectBudget,
    ProjectBudgetStatus, ProjectClassification, ProjectParticipant, ProjectRole, ProjectState, ProjectTransaction,
    ProjectTransactionType,
};
use serde::Deserialize;

use crate::dates;
use crate::names::CountryNames;
use crate::report::{Converted, Loader, Result, Warning};
use crate::text::slug;

const WORLD_BANK: &str = "organizations/world-bank";

/// A row, as far as it says something of a project.
#[derive(Deserialize)]
struct Row {
    #[serde(rename = "Project Id")]
    id: String,
    #[serde(rename = "Region")]
    region: String,
    #[serde(rename = "Country")]
    country: String,
    #[serde(rename = "Project Status")]
    status: String,
    #[serde(rename = "Project Name")]
    title: String,
    #[serde(rename = "Project Development Objective")]
    objective: String,
    #[serde(rename = "Implementing Agency")]
    implementing_agency: String,
    #[serde(rename = "Consultant Services Required")]
    consultant_services: String,
    #[serde(rename = "Project URL")]
    url: String,
    #[serde(rename = "Board Approval Date")]
    approval_date: String,
    #[serde(rename = "Project Closing Date")]
    closing_date: String,
    #[serde(rename = "Total IDA and IBRD Commitment")]
    commitment: String,
    #[serde(rename = "Grant Amount")]
    grant: String,
    #[serde(rename = "Borrower")]
    borrower: String,
    #[serde(rename = "Lending Instrument")]
    lending_instrument: String,
    #[serde(rename = "Environmental Assessment Category")]
    environmental_category: String,
    #[serde(rename = "Environmental and Social Risk")]
    environmental_risk: String,
    #[serde(rename = "Sector 1")]
    sector_1: String,
    #[serde(rename = "Sector 2")]
    sector_2: String,
    #[serde(rename = "Sector 3")]
    sector_3: String,
}

/// Loads the bank, the sectors and the projects.
pub(crate) async fn load(loader: &Loader<'_>, path: &Path, names: &CountryNames) -> Result<()> {
    let mut table = csv::Reader::from_path(path)?;
    let titles = table.headers()?.clone();
    let mut rows = Vec::new();
    for record in table.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.deserialize::<Row>(Some(&titles))));
    }
    loader.load("organizations: the World Bank", 1, std::iter::once(Converted::plain(1, world_bank()))).await?;
    let areas = focus_areas(rows.iter().filter_map(|(_, row)| row.as_ref().ok()).flat_map(Row::sectors));
    let count = areas.len();
    let areas = areas.into_values().zip(1..).map(|(area, line)| Converted::plain(line, area));
    loader.load("focus areas: sectors of projects", count, areas).await?;
    let converted = rows.iter().map(|(line, row)| match row {
        Ok(row) => {
            let mut warnings = Vec::new();
            let project = row.convert(names, &mut warnings);
            Converted { line: *line, resource: Ok(project.into()), warnings }
        }
        Err(error) => Converted { line: *line, resource: Err(error.to_string()), warnings: Vec::new() },
    });
    loader.load("wb_projects.csv", rows.len(), converted).await
}

fn world_bank() -> Organization {
    Organization {
        name: WORLD_BANK.to_owned(),
        display_name: "World Bank".to_owned(),
        r#type: OrganizationType::DevelopmentBank.into(),
        website: "https://www.worldbank.org".to_owned(),
        ..Organization::default()
    }
}

fn area_name(sector: &str) -> String {
    format!("focusAreas/{}", slug(&format!("world-bank-{sector}")))
}

/// The focus areas of sectors, by name. Spellings that differ only in case are one, with a code for each.
fn focus_areas<'a>(sectors: impl Iterator<Item = &'a str>) -> BTreeMap<String, FocusArea> {
    let mut areas = BTreeMap::<String, FocusArea>::new();
    for sector in sectors.collect::<BTreeSet<_>>() {
        let name = area_name(sector);
        let area = areas.entry(name.clone()).or_insert_with(|| FocusArea {
            name,
            display_name: sector.to_owned(),
            ..FocusArea::default()
        });
        let scheme = "world-bank-sector".to_owned();
        area.codes.push(FocusAreaCode { scheme, code: sector.to_owned(), ..FocusAreaCode::default() });
    }
    areas
}

impl Row {
    fn sectors(&self) -> impl Iterator<Item = &str> {
        [&self.sector_1, &self.sector_2, &self.sector_3]
            .into_iter()
            .map(|sector| sector.trim())
            .filter(|sector| !sector.is_empty())
    }

    fn convert(&self, names: &CountryNames, warnings: &mut Vec<Warning>) -> Project {
        let mut project = Project {
            name: format!("projects/wb-{}", self.id.to_lowercase()),
            display_name: self.title.trim().to_owned(),
            objective: self.objective.trim().to_owned(),
            state: self.state().into(),
            participants: participants(self.implementing_agency.trim(), self.borrower.trim()),
            focus_areas: unique(self.sectors().map(area_name)),
            approval_date: read(&self.approval_date, dates::iso, warnings),
            budgets: self.budgets(warnings),
            financing_instrument: self.lending_instrument.trim().to_owned(),
            website: self.url.trim().to_owned(),
            labels: self.labels(),
            classifications: self.classifications(),
            reporting_organization: WORLD_BANK.to_owned(),
            external_ids: vec![ExternalId {
                scheme: "world-bank-project".to_owned(),
                id: self.id.clone(),
                uri: self.url.trim().to_owned(),
            }],
            ..Project::default()
        };
        self.add_country(&mut project, names, warnings);
        self.add_end(&mut project, warnings);
        project.transactions = commitments(&project);
        project
    }

    fn state(&self) -> ProjectState {
        match self.status.as_str() {
            "Pipeline" => ProjectState::Pipeline,
            "Active" => ProjectState::Implementation,
            "Closed" => ProjectState::Closed,
            "Dropped" => ProjectState::Cancelled,
            _ => ProjectState::Unspecified,
        }
    }

    fn add_country(&self, project: &mut Project, names: &CountryNames, warnings: &mut Vec<Warning>) {
        let country = self.country.trim();
        match names.find(country) {
            Some(found) => project.countries.push(found.to_owned()),
            None => {
                warnings.push(Warning { what: "a country or region stays unresolved", about: country.to_owned() });
                project.unresolved_countries.push(country.to_owned());
            }
        }
    }

    /// A closing date is the end of what is over, and the planned end of everything else.
    fn add_end(&self, project: &mut Project, warnings: &mut Vec<Warning>) {
        let end = read(&self.closing_date, dates::month_first, warnings);
        if project.state() != ProjectState::Closed {
            project.planned_end_date = end;
            return;
        }
        project.actual_end_date = Some(end.unwrap_or_else(|| {
            warnings
                .push(Warning { what: "closed without a closing date: its end is unknown", about: self.id.clone() });
            PartialDate::unknown()
        }));
    }

    fn budgets(&self, warnings: &mut Vec<Warning>) -> Vec<ProjectBudget> {
        let status = match self.state() {
            ProjectState::Pipeline | ProjectState::Cancelled | ProjectState::Unspecified => {
                ProjectBudgetStatus::Indicative
            }
            ProjectState::Implementation
            | ProjectState::Finalisation
            | ProjectState::Closed
            | ProjectState::Suspended => ProjectBudgetStatus::Committed,
        };
        let amounts = [("IBRD and IDA commitment", &self.commitment), ("grant", &self.grant)];
        let mut budgets = Vec::new();
        for (note, amount) in amounts {
            match dollars(amount) {
                Ok(None) => {}
                Ok(Some(amount)) => budgets.push(ProjectBudget {
                    amount: Some(amount),
                    status: status.into(),
                    provider: WORLD_BANK.to_owned(),
                    note: note.to_owned(),
                    ..ProjectBudget::default()
                }),
                Err(()) => {
                    warnings.push(Warning { what: "an amount cannot be read", about: format!("{note}: {amount}") })
                }
            }
        }
        budgets
    }

    fn classifications(&self) -> Vec<ProjectClassification> {
        let codes = [
            ("world-bank-environmental-category", &self.environmental_category),
            ("world-bank-environmental-and-social-risk", &self.environmental_risk),
        ];
        let said = codes.into_iter().map(|(scheme, code)| (scheme, code.trim())).filter(|(_, code)| !code.is_empty());
        said.map(|(scheme, code)| ProjectClassification {
            scheme: scheme.to_owned(),
            code: code.to_owned(),
            ..ProjectClassification::default()
        })
        .collect()
    }

    fn labels(&self) -> BTreeMap<String, String> {
        [
            ("region", slug(&self.region)),
            ("environmental-category", self.environmental_category.trim().to_owned()),
            ("environmental-risk", slug(&self.environmental_risk)),
            ("consultant-services", slug(&self.consultant_services)),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }
}

/// What the bank promised on the day of its approval. What is not firm yet, or was approved on no day that is told, is no
/// commitment.
fn commitments(project: &Project) -> Vec<ProjectTransaction> {
    let Some(approved) = &project.approval_date else { return Vec::new() };
    let firm = project.budgets.iter().filter(|budget| budget.status() == ProjectBudgetStatus::Committed);
    firm.map(|budget| ProjectTransaction {
        r#type: ProjectTransactionType::Commitment.into(),
        transaction_date: Some(approved.clone()),
        value: budget.amount.clone(),
        provider: WORLD_BANK.to_owned(),
        receiver_text: receiver(project),
        description: budget.note.clone(),
        ..ProjectTransaction::default()
    })
    .collect()
}

/// The borrower, as the source calls them.
fn receiver(project: &Project) -> String {
    let borrower = project.participants.iter().find(|participant| participant.role() == ProjectRole::Accountable);
    borrower.map(|borrower| borrower.unresolved_name.clone()).unwrap_or_default()
}

fn participants(agency: &str, borrower: &str) -> Vec<ProjectParticipant> {
    let mut bank = ProjectParticipant { organization: WORLD_BANK.to_owned(), ..ProjectParticipant::default() };
    bank.set_role(ProjectRole::Funding);
    let mut participants = vec![bank];
    for (name, role, note) in
        [(borrower, ProjectRole::Accountable, "borrower"), (agency, ProjectRole::Implementing, "implementing agency")]
    {
        if !name.is_empty() {
            let (unresolved_name, note) = (name.to_owned(), note.to_owned());
            participants.push(ProjectParticipant {
                unresolved_name,
                note,
                role: role.into(),
                ..ProjectParticipant::default()
            });
        }
    }
    participants
}

fn read(text: &str, read: fn(&str) -> Option<PartialDate>, warnings: &mut Vec<Warning>) -> Option<PartialDate> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    Some(read(text).unwrap_or_else(|| {
        warnings.push(Warning { what: "a date is kept as text", about: text.to_owned() });
        PartialDate::original(text)
    }))
}

/// Reads `13190000`, `1,500,000` or `2.5`; `None` if there is no money.
fn dollars(text: &str) -> std::result::Result<Option<Money>, ()> {
    let plain = text.trim().replace(',', "");
    let (units, cents) = plain.split_once('.').unwrap_or((&plain, ""));
    if units.is_empty() {
        return Ok(None);
    }
    let units = units.parse::<i64>().map_err(|_| ())?;
    let nanos =
        if cents.is_empty() { 0 } else { format!("{cents:0<9}").get(..9).ok_or(())?.parse().map_err(|_| ())? };
    let money = Money { currency_code: "USD".to_owned(), units, nanos };
    Ok(Some(money).filter(|money| money.units != 0 || money.nanos != 0))
}

/// The same sector may stand in two columns.
fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut unique = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_cent() {
        let read = |text| dollars(text).map(|money| money.map(|money| (money.units, money.nanos)));
        assert_eq!(read("13190000"), Ok(Some((13_190_000, 0))));
        assert_eq!(read("1,500,000"), Ok(Some((1_500_000, 0))));
        assert_eq!(read("12.34"), Ok(Some((12, 340_000_000))));
        assert_eq!(read("0"), Ok(None));
        assert_eq!(read(""), Ok(None));
        assert!(read("lots").is_err());
    }

    #[test]
    fn spellings_of_a_sector_are_one_focus_area() {
        let areas = focus_areas(["Housing construction", "Housing Construction", "Health"].into_iter());
        assert_eq!(areas.len(), 2);
        assert_eq!(areas.get(&area_name("HOUSING CONSTRUCTION")).unwrap().codes.len(), 2);
    }

    #[test]
    fn sectors_are_named_once() {
        let names = unique(["a", "b", "a"].into_iter().map(area_name));
        assert_eq!(names, ["focusAreas/world-bank-a", "focusAreas/world-bank-b"]);
    }
}
