//! Whether the references of a commit hold: what is referred to exists and is live, and what is deleted is not referred
//! to any more.
//!
//! Both are asked of the state that the whole commit leaves, so its mutations may refer to each other in any order.

use std::collections::HashMap;
use std::sync::Arc;

use super::ledger::Ledger;
use super::place::Place;
use super::planned::Planned;
use crate::registry::error::{Dangling, Error};

/// How many referrers the error names when a deletion is refused.
const REFERRERS_NAMED_MAX: usize = 10;

/// The resources that a commit changes, by name: whether each is live afterwards.
pub(crate) struct Changed<'a> {
    live: HashMap<&'a str, bool>,
}

impl<'a> Changed<'a> {
    /// Those of a commit's mutations that change anything.
    pub(crate) fn of(planned: &'a [Planned]) -> Self {
        let changing = planned.iter().filter(|plan| plan.action.is_some());
        Self { live: changing.map(|plan| (plan.name.as_str(), plan.live())).collect() }
    }

    /// Whether the references of `plan` hold, and those to it if it deletes.
    pub(crate) fn check(&self, plan: &Planned, ledger: &Ledger, place: &Place) -> Result<(), Error> {
        if plan.live() { self.check_targets(plan, ledger, place) } else { self.check_referrers(plan, ledger) }
    }

    fn check_targets(&self, plan: &Planned, ledger: &Ledger, place: &Place) -> Result<(), Error> {
        let mut dangling = Vec::new();
        for referral in &plan.referrals {
            let target = referral.target.as_str();
            let deleted = match (self.live.get(target), ledger.known(target)) {
                (Some(true), _) => continue,
                (Some(false), _) => true,
                (None, Some(known)) if !known.deleted => continue,
                (None, known) => known.is_some(),
            };
            dangling.push(Dangling { field: place.resource(&referral.field), target: target.to_owned(), deleted });
        }
        if dangling.is_empty() { Ok(()) } else { Err(Error::DanglingReferences(dangling)) }
    }

    fn check_referrers(&self, plan: &Planned, ledger: &Ledger) -> Result<(), Error> {
        let name = plan.name.as_str();
        // Those that the commit itself changes are checked by their own references.
        let outside = |referrer: &Arc<str>| !self.live.contains_key(&**referrer);
        let mut by: Vec<_> =
            ledger.referrers(name).into_iter().filter(outside).map(|referrer| referrer.to_string()).collect();
        if by.is_empty() {
            return Ok(());
        }
        by.sort();
        let more = by.len().saturating_sub(REFERRERS_NAMED_MAX);
        by.truncate(REFERRERS_NAMED_MAX);
        Err(Error::StillReferenced { name: name.to_owned(), by, more })
    }
}
