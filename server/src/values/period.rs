//! Spans of days, of which both ends may be known in part or not at all.

use partnership_registry::v1::DateInterval;

use super::Broken;
use super::partial_date::both_and_before;

/// The rule that an interval breaks: it does not end before it starts, as far as both are known.
pub(crate) fn check(interval: &DateInterval) -> Option<Broken> {
    if both_and_before(interval.end_date.as_ref(), interval.start_date.as_ref()) {
        return Broken::some("end_date", "must not be before the start");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::partial_date::tests::{date, unknown};

    #[test]
    fn an_interval_does_not_end_before_it_starts() {
        let table = [
            (Some(date(2019, 0, 0)), Some(date(2020, 0, 0)), true),
            (Some(date(2020, 5, 0)), Some(date(2020, 0, 0)), true),
            (Some(date(2020, 5, 0)), Some(date(2020, 4, 30)), false),
            (Some(date(2020, 5, 0)), Some(unknown()), true),
            (None, Some(date(2020, 0, 0)), true),
            (Some(date(2020, 0, 0)), None, true),
        ];
        for (start, end, good) in table {
            let interval = DateInterval { start_date: start, end_date: end };
            assert_eq!(check(&interval).is_none(), good, "{interval:?}");
        }
    }
}
