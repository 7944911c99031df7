//! How many connections there are, in all and from each peer, and whether there is a place for one more.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// The places for connections. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max: usize,
    per_peer_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// All are taken.
    Full,
    /// This peer has as many as it may.
    FullForPeer,
}

/// A place. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    peer: IpAddr,
}

impl Places {
    /// So many in all, and so many for each peer; at least one.
    pub(super) fn new(max: usize, per_peer_max: usize) -> Self {
        Self(Arc::new(Inner { max, per_peer_max, taken: Mutex::default() }))
    }

    /// Takes a place for a peer, if there is one.
    pub(super) fn take(&self, address: IpAddr) -> Result<Place, NoPlace> {
        let (peer, mut taken) = (peer(address), self.0.taken.lock());
        if taken.all >= self.0.max {
            return Err(NoPlace::Full);
        }
        let of_peer = taken.by_peer.entry(peer).or_default();
        if *of_peer >= self.0.per_peer_max {
            return Err(NoPlace::FullForPeer);
        }
        *of_peer += 1;
        taken.all += 1;
        Ok(Place { places: self.clone(), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.taken.lock();
        taken.all -= 1;
        if let Some(of_peer) = taken.by_peer.get_mut(&self.peer) {
            *of_peer -= 1;
            if *of_peer == 0 {
                taken.by_peer.remove(&self.peer);
            }
        }
    }
}

/// Who it is that has an address. Whoever has one of the new kind has 2^64 of them, which share their first half.
fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn take(places: &Places, address: &str) -> Result<Place, NoPlace> {
        places.take(address.parse().unwrap())
    }

    #[test]
    fn places_are_limited_in_all_and_for_each_peer_and_come_back() {
        let places = Places::new(3, 2);
        let first = take(&places, "10.0.0.1").unwrap();
        let _second = take(&places, "10.0.0.1").unwrap();
        assert_eq!(take(&places, "10.0.0.1").unwrap_err(), NoPlace::FullForPeer);
        let third = take(&places, "10.0.0.2").unwrap();
        assert_eq!(take(&places, "10.0.0.3").unwrap_err(), NoPlace::Full);
        drop(third);
        assert_eq!(take(&places, "10.0.0.1").unwrap_err(), NoPlace::FullForPeer, "a refusal takes nothing");
        drop(first);
        let _again = take(&places, "10.0.0.1").unwrap();
        let _other = take(&places, "10.0.0.3").unwrap();
        assert_eq!(take(&places, "10.0.0.4").unwrap_err(), NoPlace::Full);
    }

    #[test]
    fn nothing_is_kept_of_peers_that_have_gone() {
        let places = Places::new(100, 100);
        for host in 0..50 {
            drop(take(&places, &format!("10.0.0.{host}")).unwrap());
        }
        assert!(places.0.taken.lock().by_peer.is_empty());
    }

    #[test]
    fn one_peer_is_one_however_its_address_is_written() {
        let places = Places::new(9, 1);
        let _one = take(&places, "10.0.0.1").unwrap();
        assert_eq!(take(&places, "::ffff:10.0.0.1").unwrap_err(), NoPlace::FullForPeer);
        let _net = take(&places, "2001:db8::1").unwrap();
        assert_eq!(take(&places, "2001:db8::ffff:0:0:2").unwrap_err(), NoPlace::FullForPeer);
        let _other_net = take(&places, "2001:db8:0:1::1").unwrap();
    }
}
