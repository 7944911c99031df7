//! The requests that became commits, by their ids, for a stated time: a repeated request is known again (AIP-155).
//!
//! What is remembered follows from the journal alone, by the times of commits: it is the same after a restart, and
//! whatever the clock shows. A request is remembered for as long as was asked for at least, and for longer if nothing is
//! committed; so many may be remembered that memory has a bound, but those of the last day always are.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::faults;
use crate::store::{RequestMark, Revision};
use crate::time::Time;

/// The most requests that are remembered beyond a day. Each takes some 130 bytes, so that these take 130 MB: they are those
/// of a month with a write every three seconds.
const REQUESTS_MAX: usize = 1_000_000;

/// A request is remembered for so long, however many there are: whoever has not repeated it by then has given up.
const KEPT_ALWAYS: Duration = Duration::from_secs(86_400);

/// A request that became a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Its id, and the hash of what it asked for.
    pub(crate) mark: RequestMark,
    /// The commit.
    pub(crate) revision: Revision,
    /// When that was made.
    pub(crate) time: Time,
}

/// The requests that are remembered.
#[derive(Default)]
pub(crate) struct Requests {
    retention: Duration,
    /// By age, oldest first.
    requests: VecDeque<Request>,
    /// How many have been forgotten before the oldest.
    forgotten: u64,
    /// By id, where each stands, counted from the first that there ever was.
    places: HashMap<[u8; 16], u64>,
}

impl Requests {
    /// Remembers requests for so long, and none yet.
    pub(crate) fn new(retention: Duration) -> Self {
        Self { retention: retention.max(KEPT_ALWAYS), ..Self::default() }
    }

    /// About how many bytes of memory they take.
    pub(super) fn heap_bytes(&self) -> usize {
        // A place in the map stands with one free place beside it, on average.
        self.requests.capacity() * size_of::<Request>() + 2 * 32 * self.places.len()
    }

    /// Takes a commit in, and forgets what is too old when it was made. To be called for each commit, in order.
    pub(crate) fn add(&mut self, request: Option<RequestMark>, revision: Revision, time: Time) {
        // One that was loaded is applied again.
        if let Some(mark) = request
            && self.requests.back().is_none_or(|last| last.revision < revision)
        {
            self.push(Request { mark, revision, time });
        }
        while let Some(oldest) = self.requests.front()
            && self.is_over(oldest, time)
        {
            self.forget_oldest();
        }
    }

    /// Takes back what [`from`](Self::from) told once, in the same order.
    pub(crate) fn push(&mut self, request: Request) {
        self.places.insert(request.mark.id, self.forgotten + self.requests.len() as u64);
        self.requests.push_back(request);
    }

    /// The next that are remembered, oldest first, from `place` on, which counts from the first that there ever was; and the
    /// place after them.
    pub(super) fn from(&self, place: u64, limit: usize) -> (impl ExactSizeIterator<Item = &Request>, u64) {
        let skipped = usize::try_from(place.saturating_sub(self.forgotten)).unwrap_or(usize::MAX);
        let next = self.requests.iter().skip(skipped).take(limit);
        let end = place.max(self.forgotten) + next.len() as u64;
        (next, end)
    }

    /// All that are remembered, oldest first.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Request> {
        self.requests.iter()
    }

    /// The commit that a request became, and the hash of what it asked for.
    pub(crate) fn get(&self, id: &[u8; 16]) -> Option<(Revision, [u8; 16])> {
        let place = self.places.get(id)?.checked_sub(self.forgotten)?;
        let request = self.requests.get(usize::try_from(place).ok()?)?;
        Some((request.revision, request.mark.hash))
    }

    fn is_over(&self, request: &Request, now: Time) -> bool {
        if faults::planted("remember-every-request-id").is_some() {
            return false;
        }
        request.time.after(self.retention) < now
            || (self.requests.len() > REQUESTS_MAX && request.time.after(KEPT_ALWAYS) < now)
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.requests.pop_front() {
            // The id may have come again since it was forgotten.
            if self.places.get(&oldest.mark.id) == Some(&self.forgotten) {
                self.places.remove(&oldest.mark.id);
            }
            self.forgotten += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    const DAY: u64 = 86_400;

    fn at(seconds: u64) -> Time {
        Timestamp { seconds: seconds.cast_signed(), nanos: 0 }.into()
    }

    fn mark(number: u64) -> RequestMark {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        RequestMark { id, hash: [7; 16] }
    }

    fn days(days: u64) -> Requests {
        Requests::new(Duration::from_secs(days * DAY))
    }

    fn add(requests: &mut Requests, number: u64, seconds: u64) {
        requests.add(Some(mark(number)), number, at(seconds));
    }

    #[test]
    fn a_request_is_remembered_for_as_long_as_was_asked_for_by_the_times_of_commits() {
        let mut requests = days(30);
        add(&mut requests, 1, 0);
        add(&mut requests, 2, 1);
        requests.add(None, 3, at(30 * DAY));
        assert_eq!(requests.get(&mark(1).id), Some((1, [7; 16])), "to the second");
        requests.add(None, 4, at(30 * DAY + 1));
        assert_eq!(requests.get(&mark(1).id), None);
        assert_eq!(requests.get(&mark(2).id), Some((2, [7; 16])));
        assert_eq!((requests.iter().len(), requests.places.len()), (1, 1));
    }

    #[test]
    fn an_id_that_comes_again_when_it_is_forgotten_is_remembered_anew() {
        let mut requests = days(2);
        add(&mut requests, 1, 0);
        requests.add(Some(mark(1)), 5, at(3 * DAY));
        assert_eq!(requests.get(&mark(1).id), Some((5, [7; 16])));
        requests.add(Some(mark(2)), 6, at(4 * DAY));
        assert_eq!((requests.get(&mark(1).id), requests.get(&mark(2).id)), (Some((5, [7; 16])), Some((6, [7; 16]))));
    }

    #[test]
    fn what_is_loaded_is_what_was_told() {
        let mut requests = days(2);
        for number in 1..=50 {
            add(&mut requests, number, number * DAY / 10);
        }
        let mut loaded = days(2);
        let mut place = 0;
        loop {
            let (next, end) = requests.from(place, 8);
            if next.len() == 0 {
                break;
            }
            next.for_each(|request| loaded.push(*request));
            place = end;
        }
        // Commits that were made while they were saved are applied again.
        (45..=50).for_each(|number| add(&mut loaded, number, number * DAY / 10));
        assert!(loaded.iter().eq(requests.iter()) && loaded.iter().len() == 21);
        for number in 1..=50 {
            assert_eq!(loaded.get(&mark(number).id), requests.get(&mark(number).id), "{number}");
        }
        for (number, requests) in [(51, &mut loaded), (51, &mut requests)] {
            add(requests, number, number * DAY / 10);
        }
        assert!(loaded.iter().eq(requests.iter()) && loaded.places.len() == 21);
    }

    #[test]
    fn there_are_never_too_many_but_those_of_the_last_day() {
        let mut requests = days(30);
        let most = REQUESTS_MAX as u64;
        // More than there may be on one day, and one on the next.
        (1..=most + 10).for_each(|number| add(&mut requests, number, 5));
        assert_eq!(requests.iter().len() as u64, most + 10);
        add(&mut requests, most + 11, 5 + DAY);
        assert_eq!(requests.iter().len() as u64, most + 11, "a day, to the second");
        add(&mut requests, most + 12, 6 + DAY);
        assert_eq!(requests.iter().len() as u64, most);
        assert_eq!(requests.get(&mark(12).id), None);
        assert_eq!(requests.get(&mark(13).id), Some((13, [7; 16])));
        // What docs/limits.md counts.
        assert_eq!((size_of::<Request>(), size_of::<([u8; 16], u64)>()), (56, 24));
    }

    #[test]
    fn nobody_makes_it_forget_within_a_day() {
        let mut requests = days(0);
        add(&mut requests, 1, 0);
        add(&mut requests, 2, DAY);
        assert_eq!(requests.iter().len(), 2);
        add(&mut requests, 3, DAY + 1);
        assert_eq!(requests.iter().len(), 2);
    }
}
