//! How a resource stands on each day, as far as that follows from what it holds: one form for all kinds that have such.

use partnership_registry::v1::{PartialDate, Resource};

use crate::time::Day;
use crate::values::truth::Truth;

/// What a kind brings whose resources stand differently from day to day.
#[derive(Debug, Clone, Copy)]
pub struct Dated {
    /// Works out how a resource, with all that the server wrote into it, stands on each day.
    pub timeline: fn(&Resource) -> Timeline,
    /// What is computed of a resource: those of its fields, encoded, in the order of their numbers. They are never stored,
    /// and answered behind the fields that are.
    pub computed: fn(&Resource, Asked) -> Vec<u8>,
    /// The numbers of the fields that are computed.
    pub computed_fields: &'static [u32],
    /// The field of them that says how each of the parties stands, by the numbers of the fields on the way.
    pub parties_field: [u32; 2],
    /// What happened to a resource and has a date: its events.
    pub events: fn(&Resource) -> Vec<DatedEvent>,
    /// The number of the field that holds the events.
    pub events_field: u32,
    /// The number of the state in which it is in force.
    pub in_force: u32,
}

/// Something that happened to a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct DatedEvent {
    /// What it is known by in the resource. Empty: it is the date of a field.
    pub event_id: String,
    /// What happened, such as `RATIFICATION`.
    pub event_type: String,
    /// When.
    pub date: PartialDate,
    /// The date is that from which it has effect, and not that of the act.
    pub of_effect: bool,
    /// Whose act it is, as names of countries or organizations, or as they are called.
    pub parties: Vec<String>,
}

/// For which days a resource is told how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The settled day of the revision that is read.
    pub settled: Day,
    /// The day that was asked for; else the settled day.
    pub valid: Day,
    /// How each of the parties stands, too.
    pub parties: bool,
}

/// How a resource stands on each day, in steps: what a step says holds from its day up to the day of the next one. The
/// first step begins at `Day(i32::MIN)`, and each has a later day than the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// The states in which it may be: a bit for each, by the number of the state. At least one.
    pub states: Vec<(Day, u32)>,
    /// Whether each of its parties takes part, by the name of the country or the organization. A party that is listed
    /// twice is here once; one that is only called by a text is not here.
    pub parties: Vec<(String, Vec<(Day, Truth)>)>,
}

/// What holds on a day: the last step that does not begin after it.
#[allow(dead_code)]
pub(crate) fn on<T: Copy>(steps: &[(Day, T)], day: Day) -> Option<T> {
    let after = steps.partition_point(|(from, _)| *from <= day);
    steps.get(after.checked_sub(1)?).map(|(_, holds)| *holds)
}
