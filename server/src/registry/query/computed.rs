//! What a question asks of that which is computed of resources for a day: whether it has to be there when a document is
//! asked, and for which day it holds.

use bytes::Bytes;
use roaring::RoaringBitmap;

use crate::kinds::timeline::Asked;
use crate::registry::index::secondary::KindIndex;
use crate::registry::query::filter::expression::Step;
use crate::registry::read::read_mask::Days;
use crate::registry::resource::standing;
use crate::registry::resource::standing_part::Part;
use crate::registry::schema::{KindId, Schemas};
use crate::time::Day;

/// What of a document is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Needs {
    /// Something that is computed.
    computed: bool,
    /// Something of how the parties stand.
    parties: bool,
}

impl Needs {
    /// What a path asks.
    pub(crate) fn of(schemas: &Schemas, kind: KindId, steps: &[Step]) -> Self {
        let numbers = || steps.iter().map(|step| step.number);
        let Some(dated) = schemas.kind(kind).rules.dated else { return Self::default() };
        let computed = numbers().next().is_some_and(|first| dated.computed_fields.contains(&first));
        Self { computed, parties: numbers().take(2).eq(dated.parties_field) }
    }

    /// What two questions ask.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { computed: self.computed || other.computed, parties: self.parties || other.parties }
    }

    /// What all of these ask.
    pub(crate) fn all(each: impl Iterator<Item = Self>) -> Self {
        each.fold(Self::default(), Self::and)
    }

    /// Whether anything that is computed is asked.
    pub(crate) fn is_any(self) -> bool {
        self.computed
    }

    /// A stored document with what is asked of it.
    pub(crate) fn answered(self, schemas: &Schemas, kind: KindId, document: Bytes, days: Days) -> Bytes {
        if !self.computed {
            return document;
        }
        let asked = Asked { settled: days.settled, valid: days.valid, parties: self.parties };
        standing::answered(schemas, kind, document, asked)
    }
}

/// The resources of which the columns may say something else of a part than holds on these days.
pub(crate) fn unsure(index: &KindIndex, days: [Day; 2]) -> RoaringBitmap {
    let Some(timelines) = index.timelines() else { return RoaringBitmap::new() };
    let [one, other] = days;
    let unsure = timelines.unsure(one);
    if one == other { unsure } else { unsure | timelines.unsure(other) }
}

/// The days for which a part is asked: one, but of a part that may depend on both.
pub(crate) fn days_of(part: Part, days: Days) -> [Day; 2] {
    match part {
        Part::SettledState => [days.settled; 2],
        Part::State | Part::PossibleStates | Part::InForce => [days.valid; 2],
        Part::Other => [days.settled, days.valid],
    }
}
