//! The parts of how a resource stands on a day: where they stand in its document, and what follows for each from the states
//! in which it may be. What does not follow from these alone has to be computed from the whole resource (`standing`).

use partnership_registry::v1;

use crate::kinds::timeline::Dated;
use crate::registry::resource::value::LeafValue;
use crate::registry::schema::{KindId, Schemas, Value};
use crate::values::truth::Truth;

/// A part of what is computed of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Its state on the settled day.
    SettledState,
    /// Its state on the day that is asked about.
    State,
    /// The states in which it may be on that day.
    PossibleStates,
    /// Whether it is in force on that day.
    InForce,
    /// What the states alone do not say.
    Other,
}

impl Part {
    /// The part to which a path leads, by the numbers of the fields on the way. `None`: what stands there is not computed.
    pub(crate) fn of(schemas: &Schemas, kind: KindId, mut numbers: impl Iterator<Item = u32>) -> Option<Self> {
        let (dated, first) = (schemas.kind(kind).rules.dated?, numbers.next()?);
        if !dated.computed_fields.contains(&first) {
            return None;
        }
        let field = schemas.shape_of(kind).by_number(first)?;
        let inner = match (&field.value, numbers.next()) {
            (Value::Enum { .. }, None) if field.name == "state" => return Some(Self::SettledState),
            (Value::Message(shape), Some(inner)) => schemas.shape(*shape).by_number(inner),
            _ => None,
        };
        let name = inner.filter(|_| numbers.next().is_none()).map(|field| field.name.as_str());
        Some(match name {
            Some("state") => Self::State,
            Some("possible_states") => Self::PossibleStates,
            Some("in_force") => Self::InForce,
            Some(_) | None => Self::Other,
        })
    }

    /// Hands the values that this part has to `each`, for a resource that is in one of these states. Of another part than
    /// follows from the states it hands none.
    pub(crate) fn values(self, states: u32, dated: &Dated, each: &mut dyn FnMut(LeafValue<'static>)) {
        match self {
            Self::SettledState | Self::State => {
                let only = if states.is_power_of_two() { states.trailing_zeros() } else { 0 };
                each(LeafValue::Enum(only.cast_signed()));
            }
            Self::PossibleStates => {
                let possible = (0..u32::BITS).filter(|state| states & (1 << state) != 0);
                possible.for_each(|state| each(LeafValue::Enum(state.cast_signed())));
            }
            Self::InForce => each(LeafValue::Enum(v1::Truth::from(in_force(states, dated)).into())),
            Self::Other => {}
        }
    }
}

/// Whether a resource is in force that is in one of these states.
pub(crate) fn in_force(states: u32, dated: &Dated) -> Truth {
    let in_force = 1_u32.checked_shl(dated.in_force).unwrap_or_default();
    match states {
        states if states & in_force == 0 => Truth::False,
        states if states == in_force => Truth::True,
        _ => Truth::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::schema::{contract, kind_of};

    #[test]
    fn a_path_leads_to_a_part_of_what_is_computed_or_to_what_is_stored() {
        let schemas = contract();
        let kind = kind_of(&schemas, "agreements");
        let part = |numbers: &[u32]| Part::of(&schemas, kind, numbers.iter().copied());
        let table: &[(&[u32], Option<Part>)] = &[
            (&[20], Some(Part::SettledState)),
            (&[42, 1], Some(Part::State)),
            (&[42, 2], Some(Part::PossibleStates)),
            (&[42, 3], Some(Part::InForce)),
            (&[42, 4], Some(Part::Other)),
            (&[42, 6, 1], Some(Part::Other)),
            (&[42], Some(Part::Other)),
            (&[43, 1], None),
            (&[1], None),
            (&[], None),
        ];
        for (numbers, expected) in table {
            assert_eq!(part(numbers), *expected, "{numbers:?}");
        }
        assert_eq!(Part::of(&schemas, kind_of(&schemas, "projects"), [20].into_iter()), None);
    }

    #[test]
    fn what_follows_from_the_states_is_what_may_be() {
        let schemas = contract();
        let dated = schemas.kind(kind_of(&schemas, "agreements")).rules.dated.unwrap();
        let values = |part: Part, states| {
            let mut found = Vec::new();
            part.values(states, &dated, &mut |value| found.push(value));
            found
        };
        let one = |number| vec![LeafValue::Enum(number)];
        let both = 1 << dated.in_force | 1 << 9;
        assert_eq!((values(Part::State, 1 << 9), values(Part::State, both)), (one(9), one(0)));
        assert_eq!(values(Part::PossibleStates, both), vec![LeafValue::Enum(6), LeafValue::Enum(9)]);
        for (states, number) in [(1 << dated.in_force, 1), (1 << 9, 2), (both, 3)] {
            assert_eq!(values(Part::InForce, states), one(number));
        }
        assert_eq!(values(Part::Other, both), []);
    }
}
