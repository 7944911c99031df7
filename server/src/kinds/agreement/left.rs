//! How much may still be done for an agreement and its parties. A read does it, and keeps others waiting meanwhile.

use super::days::Derived;
use super::record::{Item, Record, What, Whose};
use super::worlds::{Step, TooMany, WORK_ALTOGETHER_MAX, explore};

/// How many steps there may be altogether where there is only one order. Each party goes through what happens to all, so
/// five hundred parties may have six hundred events each.
const STEPS_ALTOGETHER_MAX: usize = 300_000;
/// How many parties can be put among those who apply an agreement provisionally while one step is taken.
const PARTIES_OF_STEP: usize = 16;
/// In how many steps it is found out from which days the days come that are counted from an uncertain one.
const STEPS_OF_COUNTED: usize = 16;

#[derive(Debug)]
pub(super) struct Left {
    /// To find orders.
    work: usize,
    /// Where there is only one order.
    steps: usize,
}

impl Left {
    pub(super) fn all() -> Left {
        Left { work: WORK_ALTOGETHER_MAX, steps: STEPS_ALTOGETHER_MAX }
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
        if items.iter().all(|item| item.days.is_certain()) {
            let steps = items.len() + named(record, items);
            return if self.take(steps) { explore(record, items, &mut 0, show) } else { Err(TooMany) };
        }
        if self.work == 0 {
            return Err(TooMany);
        }
        let mut orders = 0;
        let explored = explore(record, items, &mut self.work, &mut |steps| {
            orders += 1;
            show(steps);
        });
        let counted = items.iter().filter(|item| !item.days.is_certain() && item.derived != Derived::SAME).count();
        self.work = self.work.saturating_sub(orders * (counted * STEPS_OF_COUNTED + named(record, items)));
        explored
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
