//! The orders of a listing, for the present and for the past: keys with the revisions in which they held.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::store::Revision;

/// How a listing is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Name,
    DisplayName,
    CreateTime,
    /// Time grows with the revision: the order of revisions is that of times.
    UpdateTime,
}

/// The key of an item in an order: what it is ordered by, then its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderKey {
    /// In the key itself, if it is as short as those of times are: to compare them then touches no other memory.
    pub(crate) value: SmallVec<[u8; 16]>,
    pub(crate) name: Arc<str>,
}

impl OrderKey {
    /// The key of `name` in an order in which its value is `value`.
    pub(crate) fn new(value: &[u8], name: &Arc<str>) -> Self {
        Self { value: SmallVec::from_slice(value), name: name.clone() }
    }
}

/// The end of a span that has none.
const STILL: Revision = Revision::MAX;

/// Keys with the revisions in which they held: from the first, until before the second.
#[derive(Default)]
pub(super) struct Spans(BTreeMap<(OrderKey, Revision), Revision>);

impl Spans {
    /// From `from` on, `key` holds.
    pub(super) fn open(&mut self, key: OrderKey, from: Revision) {
        self.0.insert((key, from), STILL);
    }

    /// As [`Spans::open`], for all the keys that there are.
    pub(super) fn open_all(&mut self, keys: impl Iterator<Item = (OrderKey, Revision)>) {
        self.0 = keys.map(|key| (key, STILL)).collect();
    }

    /// From `at` on, `key` does not hold any more. Answers how many spans that ended.
    pub(super) fn close(&mut self, key: OrderKey, at: Revision) -> usize {
        let range = (key.clone(), 0)..=(key, STILL);
        match self.0.range_mut(range).next_back() {
            Some((_, until)) if *until == STILL => {
                *until = at;
                1
            }
            Some(_) | None => 0,
        }
    }

    /// Drops the spans that have ended.
    pub(super) fn forget_ended(&mut self) {
        self.0.retain(|_, until| *until == STILL);
    }

    /// The next keys after `after` of those that held at `at`.
    pub(super) fn after(
        &self,
        after: Option<&OrderKey>,
        descending: bool,
        at: Revision,
        limit: usize,
    ) -> Vec<OrderKey> {
        let bounds = match (after, descending) {
            (None, _) => (Bound::Unbounded, Bound::Unbounded),
            (Some(after), false) => (Bound::Excluded((after.clone(), STILL)), Bound::Unbounded),
            (Some(after), true) => (Bound::Unbounded, Bound::Excluded((after.clone(), 0))),
        };
        let held = |((key, from), until): (&(OrderKey, Revision), &Revision)| {
            (*from <= at && at < *until).then(|| key.clone())
        };
        let range = self.0.range(bounds);
        if descending {
            range.rev().filter_map(held).take(limit).collect()
        } else {
            range.filter_map(held).take(limit).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: &str, name: &str) -> OrderKey {
        OrderKey::new(value.as_bytes(), &name.into())
    }

    fn names(spans: &Spans, after: Option<&OrderKey>, descending: bool, at: Revision) -> Vec<String> {
        spans.after(after, descending, at, 10).iter().map(|key| key.name.to_string()).collect()
    }

    #[test]
    fn a_past_order_is_told_as_it_was() {
        let mut spans = Spans::default();
        spans.open(key("b", "one"), 1);
        spans.open(key("a", "two"), 2);
        // In revision 3 `one` gets a value before that of `two`.
        assert_eq!(spans.close(key("b", "one"), 3), 1);
        spans.open(key("A", "one"), 3);
        assert_eq!(names(&spans, None, false, 1), ["one"]);
        assert_eq!(names(&spans, None, false, 2), ["two", "one"]);
        assert_eq!(names(&spans, None, true, 2), ["one", "two"]);
        assert_eq!(names(&spans, None, false, 3), ["one", "two"]);
        assert_eq!(names(&spans, Some(&key("A", "one")), false, 3), ["two"]);
        assert_eq!(names(&spans, Some(&key("a", "two")), true, 3), ["one"]);
    }

    #[test]
    fn a_span_ends_once_and_can_be_forgotten() {
        let mut spans = Spans::default();
        spans.open(key("a", "one"), 1);
        assert_eq!(spans.close(key("a", "other"), 2), 0);
        assert_eq!(spans.close(key("a", "one"), 2), 1);
        assert_eq!(spans.close(key("a", "one"), 3), 0);
        // The same value again, later.
        spans.open(key("a", "one"), 4);
        assert_eq!(names(&spans, None, false, 3), [""; 0]);
        assert_eq!(names(&spans, None, false, 1), ["one"]);
        spans.forget_ended();
        assert_eq!(names(&spans, None, false, 1), [""; 0]);
        assert_eq!(names(&spans, None, false, 4), ["one"]);
    }
}
