//! What methods of a kind's own do to a resource, as pure rules: what was asked for, the moment at which it is done, and why
//! it is refused.
//!
//! The registry applies a verb to the resource as it is when the commit is decided, so verbs that come at once lose nothing
//! of each other. Each kind that has verbs says here what they do; which kind that is, nobody else needs to know.

use jiff::tz::TimeZone;
use partnership_registry::v1::{AgreementEvent, Resource};

use crate::findings::Findings;
use crate::time::{Day, Time};
use crate::violations::Violations;

/// What is to be done to a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Events are recorded, in their order.
    RecordEvents {
        /// The events.
        events: Vec<AgreementEvent>,
        /// The events that they take the place of.
        voided_event_ids: Vec<String>,
    },
    /// An event is voided.
    VoidEvent {
        /// Its id.
        event_id: String,
        /// Why. Empty: for the reason of the commit.
        reason: String,
    },
}

/// When, by whom and why something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment<'a> {
    /// The time of the commit.
    pub time: Time,
    /// The settled day of the commit.
    pub day: Day,
    /// The time zone whose days are those of the law.
    pub zone: &'a TimeZone,
    /// Who.
    pub actor: &'a str,
    /// Why, as the commit says. Empty: it does not say.
    pub reason: &'a str,
}

/// Why a verb is refused. The fields are those of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It can never be done.
    Invalid(Violations),
    /// It cannot be done to the resource as it is.
    State(Violations),
}

/// What a verb added: the items of a list, which are those of the field of the same name in its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// The list.
    pub field: &'static str,
    /// Which of its items is the first that was added.
    pub from: usize,
}

impl Added {
    /// The path in the request of what has the path `field` in the resource. `None`: it is not of what was added.
    #[must_use]
    pub fn in_request(&self, field: &str) -> Option<String> {
        let (index, rest) = field.strip_prefix(self.field)?.strip_prefix('[')?.split_once(']')?;
        let index = index.parse::<usize>().ok()?.checked_sub(self.from)?;
        Some(format!("{}[{index}]{rest}", self.field))
    }
}

/// What a kind brings that has verbs.
#[derive(Debug, Clone, Copy)]
pub struct Verbs {
    /// The number of the list that the verbs write.
    pub field: u32,
    /// Notes what is wrong with a verb whatever it is done to. The second argument is the reason of its commit.
    pub check: fn(&Verb, &str, &mut Violations),
    /// About how many bytes a verb has.
    pub bytes: fn(&Verb) -> usize,
    /// Does it. The resource is without its name, and may be left as it is not to be if the verb is refused.
    pub apply: fn(&Verb, &mut Resource, &Moment<'_>) -> Result<Option<Added>, Refused>,
    /// Fills in what the server gives to a resource that is created, and notes what cannot be so yet. Says whether there was
    /// anything to fill in.
    pub complete: fn(&mut Resource, &Moment<'_>, &mut Violations) -> bool,
    /// Takes over into a resource what its source says now, and notes what is gone from there.
    pub reconcile: fn(&mut Resource, &Reread<'_>, &Moment<'_>, &mut Findings),
}

/// A resource that was read from its source again.
#[derive(Debug, Clone, Copy)]
pub struct Reread<'a> {
    /// As it was read.
    pub resource: &'a Resource,
    /// Whether what is gone is voided.
    pub replace: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_has_another_path_in_the_request() {
        let added = Added { field: "events", from: 3 };
        for (field, expected) in [
            ("events[3].type", Some("events[0].type")),
            ("events[5].party_ids[1]", Some("events[2].party_ids[1]")),
            ("events[12]", Some("events[9]")),
            ("events[2].type", None),
            ("events", None),
            ("parties[4].country", None),
            ("events_incomplete", None),
        ] {
            assert_eq!(added.in_request(field).as_deref(), expected, "{field}");
        }
    }
}
