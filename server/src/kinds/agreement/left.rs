//! How much may still be done for an agreement and its parties. A read does it, and keeps others waiting meanwhile.

use super::days::Derived;
use super::record::{Item, Record, What, Whose};
use super::worlds::{Budget, Step, TooMany, explore};

/// How many steps there may be altogether where there is only one order. Each party goes through what happens to all, so
/// five hundred parties may have six hundred events each.
const STEPS_ALTOGETHER_MAX: usize = 300_000;
/// How many parties can be put among those who apply an agreement provisionally while one step is taken.
const PARTIES_OF_STEP: usize = 16;
/// How many other steps take as long as one whose day is counted from another by the calendar.
const COUNTED_STEPS: usize = 4;
/// How many steps the parties so named may take in an order if there is more than one.
const STEPS_OF_ORDER_MAX: usize = 500;

#[derive(Debug)]
pub(super) struct Left {
    /// To find orders.
    orders: Budget,
    /// Where there is only one order.
    steps: usize,
}

impl Left {
    pub(super) fn all() -> Left {
        Left { orders: Budget::new(), steps: STEPS_ALTOGETHER_MAX }
    }

    /// Takes some of the steps that are left, if there are as many.
    pub(super) fn take(&mut self, steps: usize) -> bool {
        let enough = steps <= self.steps;
        if enough {
            self.steps -= steps;
        }
        enough
    }

    /// Shows each order in which the items may happen, if that is not too much.
    pub(super) fn explore(
        &mut self,
        record: &Record<'_>,
        items: &mut [Item],
        show: &mut dyn FnMut(&[Step]),
    ) -> Result<(), TooMany> {
        let named = named(record, items);
        let certain = items.iter().all(|item| item.days.is_certain());
        let counted = items.iter().filter(|item| item.derived != Derived::SAME).count();
        let enough = if certain {
            self.take(items.len() + COUNTED_STEPS * counted + named)
        } else {
            named <= STEPS_OF_ORDER_MAX
        };
        if !enough {
            return Err(TooMany);
        }
        explore(record, items, &mut self.orders, show)
    }
}

/// What the parties cost, in steps, that are named by what begins and ends provisional applications.
fn named(record: &Record<'_>, items: &[Item]) -> usize {
    let provisional = items.iter().filter(|item| matches!(item.what, What::Provisional | What::ProvisionalEnd));
    let named = provisional.filter_map(|item| match &record.fact(item.event)?.whose {
        Whose::All => None,
        Whose::Some(parties) => Some(parties.len()),
    });
    named.sum::<usize>() / PARTIES_OF_STEP
}
