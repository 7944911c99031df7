//! Where things stand among the items, so that no step has to look through all of them.

use super::record::{Item, What};

/// The places of what others name by its event.
#[derive(Debug)]
pub(super) struct Places {
    /// The ends of terms that a date names, in the order of their events.
    dates: Vec<(u32, usize)>,
    /// What can be taken back, in the order of the events; empty if nothing takes anything back.
    revocable: Vec<(u32, usize)>,
}

impl Places {
    pub(super) fn of(items: &[Item]) -> Places {
        let those = |is: fn(What) -> bool| {
            let all = items.iter().enumerate().filter(|(_, item)| is(item.what));
            let mut all: Vec<(u32, usize)> = all.map(|(place, item)| (item.event, place)).collect();
            all.sort_unstable();
            all
        };
        let revokes = items.iter().any(|item| matches!(item.what, What::Revocation(_)));
        Places {
            dates: those(|what| what == What::TermDate),
            revocable: if revokes { those(is_revocable) } else { Vec::new() },
        }
    }

    /// The end of a term that an event names, or that of the agreement itself.
    pub(super) fn date(&self, event: u32) -> Option<usize> {
        of_event(&self.dates, event).next()
    }

    /// All that the revocation of an event takes back.
    pub(super) fn revocable(&self, event: u32) -> impl Iterator<Item = usize> {
        of_event(&self.revocable, event)
    }
}

fn is_revocable(what: What) -> bool {
    matches!(what, What::End { .. } | What::OwnEnd(_) | What::NonRenewal)
}

fn of_event(all: &[(u32, usize)], event: u32) -> impl Iterator<Item = usize> {
    let from = all.partition_point(|(other, _)| *other < event);
    all.iter().skip(from).take_while(move |(other, _)| *other == event).map(|(_, place)| *place)
}

/// How far things have come that happen in the order of the items: the first notice that is still to come, and the first
/// that is one or a renewal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ToCome {
    pub(super) notice: usize,
    pub(super) change: usize,
}

impl ToCome {
    /// Goes on to what has not happened yet. What has happened stays so.
    pub(super) fn go_on(&mut self, items: &[Item], done: &[bool]) {
        let comes = |place: usize, is: fn(What) -> bool| {
            let mut rest = items.iter().zip(done).skip(place);
            place + rest.position(|(item, done)| !*done && is(item.what)).unwrap_or(items.len())
        };
        self.notice = comes(self.notice, |what| what == What::NonRenewal);
        self.change = comes(self.change, |what| matches!(what, What::NonRenewal | What::Renewal { .. }));
    }
}
