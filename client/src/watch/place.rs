//! [`Place`]: how far a watch has come. By it nothing is delivered twice, and a lost watch is resumed without a gap.

use partnership_registry::v1::{FilterEffect, WatchResponse, watch_response::Event};

use super::event::WatchEvent;

/// How far a watch has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// The initial state is not complete; `started` if some of it has been delivered.
    InitialState { started: bool },
    /// All commits up to this revision have been delivered.
    After(u64),
}

impl Place {
    /// The event in a response, if it is new, and moves on behind it.
    pub(super) fn receive(&mut self, response: WatchResponse) -> Option<WatchEvent> {
        match response.event? {
            Event::Resource(watched) => {
                let Self::InitialState { started } = self else { return None };
                *started = true;
                watched.resource.map(WatchEvent::Resource)
            }
            Event::Synced(synced) => {
                *self = Self::After(synced.revision);
                Some(WatchEvent::Synced { revision: synced.revision })
            }
            Event::Commit(watched) => {
                let commit = watched.commit?;
                self.advance(commit.revision, false)?;
                let effect = |effect: i32| FilterEffect::try_from(effect).unwrap_or(FilterEffect::Unspecified);
                Some(WatchEvent::Commit { commit, effects: watched.effects.into_iter().map(effect).collect() })
            }
            Event::Heartbeat(heartbeat) => {
                self.advance(heartbeat.revision, true)?;
                Some(WatchEvent::Heartbeat { revision: heartbeat.revision })
            }
        }
    }

    /// Moves on to a revision; `None` if that is no move forward.
    fn advance(&mut self, revision: u64, or_stay: bool) -> Option<()> {
        let Self::After(last) = self else { return None };
        if revision > *last || (or_stay && revision == *last) {
            *last = revision;
            return Some(());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Commit, Heartbeat, Resource, Synced, WatchedCommit, WatchedResource};

    use super::*;

    fn response(event: Event) -> WatchResponse {
        WatchResponse { event: Some(event) }
    }

    fn commit(revision: u64) -> WatchResponse {
        let commit = Some(Commit { revision, ..Commit::default() });
        response(Event::Commit(WatchedCommit { commit, effects: vec![] }))
    }

    #[test]
    fn a_commit_is_delivered_once_and_the_place_moves_on() {
        let mut place = Place::After(4);
        assert!(place.receive(commit(4)).is_none(), "it is old");
        assert!(matches!(place.receive(commit(5)), Some(WatchEvent::Commit { .. })));
        assert!(place.receive(commit(5)).is_none(), "it was delivered");
        assert!(place.receive(response(Event::Heartbeat(Heartbeat { revision: 9 }))).is_some());
        assert_eq!(place, Place::After(9));
        assert!(
            place.receive(response(Event::Heartbeat(Heartbeat { revision: 9 }))).is_some(),
            "a heartbeat may repeat its revision"
        );
    }

    #[test]
    fn the_initial_state_ends_with_its_revision() {
        let mut place = Place::InitialState { started: false };
        let resource = Some(Resource::default());
        assert!(place.receive(response(Event::Resource(WatchedResource { resource }))).is_some());
        assert_eq!(place, Place::InitialState { started: true });
        assert!(place.receive(response(Event::Synced(Synced { revision: 7 }))).is_some());
        assert_eq!(place, Place::After(7));
    }
}
