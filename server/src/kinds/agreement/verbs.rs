//! The verbs of agreements: events are recorded and voided, and read again from their source. Which rule does what; no rule
//! stands here.

use super::{reconciling, recording};
use crate::kinds::verb::Verbs;

/// The number of `Agreement.events`.
const EVENTS: u32 = 27;

/// What is done to agreements by methods of their own.
pub(crate) const VERBS: Verbs = Verbs {
    field: EVENTS,
    check: recording::check,
    bytes: recording::bytes,
    apply: recording::apply,
    complete: recording::complete,
    reconcile: reconciling::reconcile,
};
