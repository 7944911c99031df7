//! The projects that are asked about, made from their numbers alone: so many of each country, state, field and agency as
//! the World Bank has, and as many bytes.

use std::sync::LazyLock;

use partnership_registry::Money;
use partnership_registry::v1::{
    Country, ExternalId, FocusArea, Organization, PartialDate, Project, ProjectBudget, ProjectBudgetStatus,
    ProjectParticipant, ProjectRole, ProjectState, Resource,
};
use prost::Message as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::sample::stamped;

const SEED: u64 = 1_944;

pub(crate) const COUNTRIES: usize = 250;
pub(crate) const ORGANIZATIONS: usize = 400;
pub(crate) const FOCUS_AREAS: usize = 30;
/// The years in which projects were approved.
pub(crate) const YEARS: std::ops::Range<i32> = 1972..2023;

/// What a project has as it is answered, in bytes.
const PROJECT_BYTES: usize = 590;

/// How many there are of each state of 10,000.
const STATES: [(ProjectState, usize); 5] = [
    (ProjectState::Closed, 7_437),
    (ProjectState::Implementation, 1_401),
    (ProjectState::Cancelled, 870),
    (ProjectState::Pipeline, 291),
    (ProjectState::Unspecified, 1),
];

const INSTRUMENTS: [&str; 6] = [
    "Specific Investment Loan",
    "Investment Project Financing",
    "Technical Assistance Loan",
    "Development Policy Lending",
    "Sector Investment and Maintenance Loan",
    "Financial Intermediary Loan",
];
const REGIONS: [&str; 7] = [
    "latin-america-and-caribbean",
    "eastern-and-southern-africa",
    "western-and-central-africa",
    "east-asia-and-pacific",
    "europe-and-central-asia",
    "south-asia",
    "middle-east-and-north-africa",
];
const WORDS: [&str; 24] = [
    "Rural",
    "Urban",
    "Second",
    "National",
    "Agricultural",
    "Water",
    "Supply",
    "Sanitation",
    "Health",
    "Education",
    "Transport",
    "Energy",
    "Roads",
    "Irrigation",
    "Power",
    "Finance",
    "Forestry",
    "Development",
    "Support",
    "Rehabilitation",
    "Modernization",
    "Services",
    "Reform",
    "Project",
];
const OBJECTIVE: &str = "To improve access to, and the quality of, public services in the districts that the project is for, \
    and to strengthen the institutions that provide them. ";

/// Shares of things of which the first is the most frequent, the second `1 / 2^skew` as frequent, and so on: the sums of
/// the shares up to each.
fn skewed(count: usize, skew: f64) -> Vec<f64> {
    let weights: Vec<f64> = (1..=count).map(|rank| (rank as f64).powf(-skew)).collect();
    let total: f64 = weights.iter().sum();
    let sum = |sum: &mut f64, weight: f64| {
        *sum += weight / total;
        Some(*sum)
    };
    weights.into_iter().scan(0.0, sum).collect()
}

static OF_COUNTRIES: LazyLock<Vec<f64>> = LazyLock::new(|| skewed(COUNTRIES, 0.5));
static OF_ORGANIZATIONS: LazyLock<Vec<f64>> = LazyLock::new(|| skewed(ORGANIZATIONS - 1, 0.9));
static OF_FOCUS_AREAS: LazyLock<Vec<f64>> = LazyLock::new(|| skewed(FOCUS_AREAS, 0.7));

fn one_of(dice: &mut StdRng, shares: &[f64]) -> usize {
    let at: f64 = dice.random();
    shares.partition_point(|sum| *sum < at).min(shares.len() - 1)
}

pub(crate) fn country(at: usize) -> String {
    format!("countries/c{at:03}")
}

/// One of the countries, as often as it is met.
pub(crate) fn some_country(dice: &mut StdRng) -> usize {
    one_of(dice, &OF_COUNTRIES)
}

/// The first one is the bank, which funds all projects.
pub(crate) fn organization(at: usize) -> String {
    format!("organizations/o{at:03}")
}

pub(crate) fn focus_area(at: usize) -> String {
    format!("focusAreas/f{at:02}")
}

/// What the projects refer to.
pub(crate) fn others() -> Vec<Resource> {
    let countries = (0..COUNTRIES)
        .map(|at| Country { name: country(at), display_name: format!("Country {at}"), ..Country::default() }.into());
    let organizations = (0..ORGANIZATIONS).map(|at| {
        Organization { name: organization(at), display_name: format!("Agency {at}"), ..Organization::default() }.into()
    });
    let focus_areas = (0..FOCUS_AREAS).map(|at| {
        FocusArea { name: focus_area(at), display_name: format!("Field {at}"), ..FocusArea::default() }.into()
    });
    countries.chain(organizations).chain(focus_areas).collect()
}

/// The project number `number`, as a caller sends it.
pub(crate) fn project(number: u64) -> Project {
    let mut project = bare(number);
    let missing = PROJECT_BYTES.saturating_sub(stamped(project.clone(), number).encoded_len() + 3);
    project.objective = OBJECTIVE.chars().cycle().take(missing).collect();
    project
}

fn bare(number: u64) -> Project {
    let dice = &mut StdRng::seed_from_u64(SEED ^ (number << 16));
    let word = |dice: &mut StdRng| WORDS[dice.random_range(0..WORDS.len())];
    let display_name = format!("{} {} {} {} P{number:07}", word(dice), word(dice), word(dice), word(dice));
    let of_states = dice.random_range(0..STATES.iter().map(|(_, count)| count).sum());
    let mut passed = 0;
    let is_reached = |(_, count): &&(ProjectState, usize)| {
        passed += count;
        passed > of_states
    };
    let state = STATES.iter().find(is_reached).map_or(ProjectState::Closed, |(state, _)| *state);
    let approved = dice.random_bool(0.88).then(|| {
        // More in later years.
        let years = YEARS.len() as f64;
        let year = YEARS.start + (years * dice.random::<f64>().powf(0.7)) as i32;
        PartialDate::day(year.min(YEARS.end - 1), dice.random_range(1..=12), dice.random_range(1..=28))
    });
    let ends = dice.random_bool(0.85).then(|| {
        let year = approved.as_ref().map_or(2_000, |date| date.year) + dice.random_range(2..9);
        PartialDate::day(year, dice.random_range(1..=12), dice.random_range(1..=28))
    });
    let is_closed = state == ProjectState::Closed;
    let participant = |at: usize, role: ProjectRole| ProjectParticipant {
        organization: organization(at),
        role: role.into(),
        ..ProjectParticipant::default()
    };
    let mut participants = vec![participant(0, ProjectRole::Funding)];
    for role in [ProjectRole::Accountable, ProjectRole::Implementing] {
        if dice.random_bool(0.7) {
            participants.push(participant(1 + one_of(dice, &OF_ORGANIZATIONS), role));
        }
    }
    let mut focus_areas = Vec::new();
    for _ in 0..[0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3][dice.random_range(0..11)] {
        let area = focus_area(one_of(dice, &OF_FOCUS_AREAS));
        if !focus_areas.contains(&area) {
            focus_areas.push(area);
        }
    }
    let budgets = dice.random_bool(0.7).then(|| ProjectBudget {
        amount: Some(Money {
            currency_code: "USD".into(),
            // From a hundred thousand to a billion, and as many of each size.
            units: (1e5 * 10f64.powf(4.0 * dice.random::<f64>())) as i64 / 10_000 * 10_000,
            nanos: 0,
        }),
        status: ProjectBudgetStatus::Committed.into(),
        provider: organization(0),
        ..ProjectBudget::default()
    });
    Project {
        display_name,
        labels: [("region".to_owned(), REGIONS[dice.random_range(0..REGIONS.len())].to_owned())].into(),
        external_ids: vec![ExternalId {
            scheme: "world-bank-project".into(),
            id: format!("P{number:07}"),
            uri: String::new(),
        }],
        state: state.into(),
        participants,
        countries: vec![country(one_of(dice, &OF_COUNTRIES))],
        focus_areas,
        approval_date: approved,
        actual_end_date: if is_closed { Some(ends.clone().unwrap_or_else(PartialDate::unknown)) } else { None },
        planned_end_date: ends.filter(|_| !is_closed),
        budgets: budgets.into_iter().collect(),
        financing_instrument: INSTRUMENTS[dice.random_range(0..INSTRUMENTS.len())].into(),
        ..Project::default()
    }
}

/// The project number `number` with its name.
pub(crate) fn named(number: u64) -> Project {
    Project { name: format!("projects/p{number:07}"), ..project(number) }
}

/// What is asked. Which of many that are alike, says the number of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// Projects of an organization in a focus area and a state, of which there are few.
    Few,
    /// The same of those that are most frequent: a whole page of them is there also where there is little.
    Many,
    /// Projects of a country that were approved within some years, the latest first.
    Latest,
    /// The first page of all, by display name.
    First,
    /// The last page of all, by display name.
    Last,
    /// How many there are of each state and year of approval.
    Count,
}

impl Question {
    pub(crate) const ALL: [Question; 6] =
        [Question::Few, Question::Many, Question::Latest, Question::First, Question::Last, Question::Count];

    pub(crate) fn told(self) -> &'static str {
        match self {
            Question::Few => "organization, focus area and state, by name",
            Question::Many => "the same, of frequent ones",
            Question::Latest => "country and years, the latest first",
            Question::First => "all by display name, the first page",
            Question::Last => "all by display name, the last page",
            Question::Count => "count by state and year",
        }
    }
}

/// What a call of one of the first two questions asks for.
pub(crate) struct Selection {
    pub(crate) organization: String,
    pub(crate) focus_area: String,
    pub(crate) state: ProjectState,
}

impl Selection {
    pub(crate) fn new(question: Question, call: u64) -> Selection {
        let dice = &mut StdRng::seed_from_u64(SEED.wrapping_add(call));
        let few = question == Question::Few;
        let (organizations, areas) = if few { (10..100, 5..FOCUS_AREAS) } else { (1..4, 0..4) };
        let states =
            if few { [ProjectState::Implementation, ProjectState::Cancelled] } else { [ProjectState::Closed; 2] };
        Selection {
            organization: organization(dice.random_range(organizations)),
            focus_area: focus_area(dice.random_range(areas)),
            state: states[dice.random_range(0..states.len())],
        }
    }
}

/// What a call of [`Question::Latest`] asks for: the country, and the first and the last year.
pub(crate) fn country_and_years(call: u64) -> (String, i32, i32) {
    let dice = &mut StdRng::seed_from_u64(SEED.wrapping_add(call));
    let first = dice.random_range(YEARS.start..YEARS.end - 10);
    // One of those that are asked for most: those of which there is most.
    (country(one_of(dice, &OF_COUNTRIES) % 50), first, first + 9)
}
