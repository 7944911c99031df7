//! Tests of how resources stand on a day, answered from their timelines: of any day, and without reading a document.

use roaring::RoaringBitmap;

use crate::registry::index::secondary::{FactNumber, RowNumber, Timelines};
use crate::registry::query::filter::expression::Check;
use crate::registry::resource::standing_part::Part;
use crate::time::Day;
use crate::values::truth::Truth;

/// What is asked of each resource.
#[derive(Clone, Copy)]
pub(super) enum OfDay<'a> {
    /// Something that follows from the states in which it may be.
    States { part: Part, check: &'a Check },
    /// Whether it is in force or, `perhaps`, may be.
    InForce { perhaps: bool },
    /// Whether a party takes part. `None`: nobody has this party.
    PartyOn { party: Option<FactNumber> },
}

/// A test of how resources stand on a day.
#[derive(Clone, Copy)]
pub(super) struct DayTest<'a> {
    pub(super) timelines: &'a Timelines,
    pub(super) day: Day,
    pub(super) asked: OfDay<'a>,
}

impl DayTest<'_> {
    /// The resources among `within` of which it is known to be so.
    pub(super) fn rows(&self, within: &RoaringBitmap, wanted: Truth) -> RoaringBitmap {
        let Self { timelines, day, asked } = *self;
        let look_at = |rows: &RoaringBitmap, truth: &mut dyn FnMut(RowNumber) -> Truth| {
            // They come in their order.
            RoaringBitmap::from_sorted_iter(rows.iter().filter(|row| truth(*row) == wanted)).unwrap_or_default()
        };
        match asked {
            OfDay::InForce { perhaps: false } => look_at(within, &mut |row| timelines.in_force(row, day)),
            OfDay::InForce { perhaps: true } => {
                look_at(within, &mut |row| (timelines.in_force(row, day) != Truth::False).into())
            }
            OfDay::States { part, check } => {
                let mut judge = Judge { timelines, part, check, known: Vec::new() };
                look_at(within, &mut |row| judge.truth(timelines.states(row, day)))
            }
            OfDay::PartyOn { party } => {
                let of_party = party.and_then(|party| Some((party, timelines.rows_of(party)?)));
                let Some((party, rows)) = of_party else { return whoever_lacks_it(within, wanted) };
                let having = rows.within(within);
                let found = look_at(&having, &mut |row| timelines.party_on(row, party, day));
                found | whoever_lacks_it(&(within - having), wanted)
            }
        }
    }

    /// About how many resources it leaves of so many.
    pub(super) fn estimate(&self, all: u64, negated: bool) -> u64 {
        match self.asked {
            OfDay::PartyOn { party } if !negated => {
                let rows = party.and_then(|party| self.timelines.rows_of(party));
                rows.map_or(0, crate::registry::index::secondary::Rows::len)
            }
            // Each is looked at: behind what names its values.
            OfDay::PartyOn { .. } | OfDay::InForce { .. } | OfDay::States { .. } => all / 2 + 1,
        }
    }
}

/// Those that do not have a party: it takes part in none of them.
fn whoever_lacks_it(rows: &RoaringBitmap, wanted: Truth) -> RoaringBitmap {
    if wanted == Truth::False { rows.clone() } else { RoaringBitmap::new() }
}

/// Asks a check of sets of states, of which there are few: each once.
struct Judge<'a> {
    timelines: &'a Timelines,
    part: Part,
    check: &'a Check,
    known: Vec<(u32, Truth)>,
}

impl Judge<'_> {
    fn truth(&mut self, states: u32) -> Truth {
        if let Some((_, truth)) = self.known.iter().find(|(known, _)| *known == states) {
            return *truth;
        }
        let mut truth = Truth::False;
        self.part.values(states, &self.timelines.dated, &mut |value| truth = truth.or(self.check.truth(&value)));
        self.known.push((states, truth));
        truth
    }
}
