//! The calls into sled that have not come back: which, and since when. sled 0.34 can keep a caller for ever, so every
//! call is entered here, and the `watchdog` reads here what has to be given up.
//!
//! Invariant: a place is free again only when its call has come back, so no more than [`READS_MAX`] threads that read and
//! one that follows can ever be lost to sled.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// How many reads of sled there are at once. Each that does not come back costs a thread of the runtime, which has as many
/// threads more for that. sled serves one core with over 500,000 reads a second, so two are no bottleneck: what finds
/// both taken reads the journal.
pub const READS_MAX: usize = 2;

/// How often a planted stall looks whether it is over.
const PLANTED_STALL_POLL: Duration = Duration::from_millis(5);

/// A call into sled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Opens its files.
    Open,
    /// Reads how far it goes.
    Mark,
    /// Reads every entry.
    Verify,
    /// Takes a batch of changes.
    Apply,
    /// Writes to its files what is not there yet.
    Flush,
    /// Reads resources as they are.
    Get,
    /// Finds an older version of a resource.
    Range,
    /// Closes its files.
    Close,
}

impl Call {
    /// Every call.
    pub const ALL: [Call; 8] =
        [Call::Open, Call::Mark, Call::Verify, Call::Apply, Call::Flush, Call::Get, Call::Range, Call::Close];

    fn word(self) -> &'static str {
        match self {
            Call::Open => "open",
            Call::Mark => "mark",
            Call::Verify => "verify",
            Call::Apply => "apply",
            Call::Flush => "flush",
            Call::Get => "get",
            Call::Range => "range",
            Call::Close => "close",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// A planted fault, for tests alone: while a file exists, one of the calls does not come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlantedStall {
    call: Call,
    file: PathBuf,
}

impl PlantedStall {
    /// Reads `<call>:<path of a file>`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<PlantedStall> {
        let (word, file) = text.split_once(':')?;
        let call = Call::ALL.into_iter().find(|call| call.word() == word)?;
        Some(PlantedStall { call, file: Path::new(file).to_path_buf() })
    }

    fn hold(&self, call: Call) {
        while call == self.call && self.file.exists() {
            std::thread::sleep(PLANTED_STALL_POLL);
        }
    }
}

/// A call that has not come back.
struct Running {
    call: Call,
    since: Instant,
    /// Tells whoever waits for it not to wait any longer. `None` once that was done, and for the follower's own calls.
    give_up: Option<oneshot::Sender<()>>,
}

/// All calls into one sled.
pub(super) struct Calls {
    follower: Mutex<Option<Running>>,
    reads: [Mutex<Option<Running>>; READS_MAX],
    /// How many reads were given up and have not come back.
    lost: AtomicUsize,
    planted: Option<PlantedStall>,
}

impl Calls {
    pub(super) fn new(planted: Option<PlantedStall>) -> Calls {
        Calls { follower: Mutex::new(None), reads: Default::default(), lost: AtomicUsize::new(0), planted }
    }

    /// Enters a call of the follower, which makes one at a time. It ends when the value is dropped.
    pub(super) fn enter(&self, call: Call) -> Entered<'_> {
        *self.follower.lock() = Some(Running { call, since: Instant::now(), give_up: None });
        self.hold(call);
        Entered { calls: self, call }
    }

    /// Takes a place for a read, and what tells its caller not to wait any longer. `None` if all are taken, or if a read
    /// was given up and has not come back.
    pub(super) fn take_read(self: &Arc<Self>, call: Call) -> Option<(Reading, oneshot::Receiver<()>)> {
        if self.lost.load(Ordering::Acquire) > 0 {
            return None;
        }
        let (give_up, given_up) = oneshot::channel();
        for (place, read) in self.reads.iter().enumerate() {
            let Some(mut read) = read.try_lock() else { continue };
            if read.is_none() {
                *read = Some(Running { call, since: Instant::now(), give_up: Some(give_up) });
                return Some((Reading { calls: self.clone(), call, place }, given_up));
            }
        }
        None
    }

    /// Gives up the reads that have taken so long.
    pub(super) fn give_up_after(&self, longest: Duration) {
        for read in &self.reads {
            if let Some(read) = read.lock().as_mut()
                && read.since.elapsed() >= longest
                && let Some(give_up) = read.give_up.take()
            {
                self.lost.fetch_add(1, Ordering::AcqRel);
                // The caller may have gone by itself.
                let _ = give_up.send(());
            }
        }
    }

    /// The call that has been out longest, if it has been for so long: which, and since when.
    pub(super) fn longer_than(&self, longest: Duration) -> Option<(Call, Instant)> {
        let all = self.reads.iter().chain([&self.follower]);
        let since = all.filter_map(|place| place.lock().as_ref().map(|running| (running.call, running.since)));
        since.min_by_key(|(_, since)| *since).filter(|(_, since)| since.elapsed() >= longest)
    }

    fn hold(&self, call: Call) {
        if let Some(planted) = &self.planted {
            planted.hold(call);
        }
    }
}

/// A call of the follower that has not come back.
pub(super) struct Entered<'a> {
    calls: &'a Calls,
    call: Call,
}

impl Entered<'_> {
    /// Says that a call of many steps has come back from one of them and goes on.
    pub(super) fn renew(&self) {
        *self.calls.follower.lock() = Some(Running { call: self.call, since: Instant::now(), give_up: None });
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.calls.follower.lock().take();
    }
}

/// The place of a read; free again when it is dropped.
pub(super) struct Reading {
    calls: Arc<Calls>,
    call: Call,
    place: usize,
}

impl Reading {
    /// To be called where sled is about to be.
    pub(super) fn enter(&self) {
        self.calls.hold(self.call);
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let running = self.calls.reads.get(self.place).and_then(|read| read.lock().take());
        if running.is_some_and(|running| running.give_up.is_none()) {
            self.calls.lost.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]
mod tests {
    use super::*;

    #[test]
    fn a_planted_stall_is_read_and_nothing_else_is() {
        for call in Call::ALL {
            let stall = PlantedStall::parse(&format!("{call}:/tmp/a:b")).unwrap();
            assert_eq!(stall, PlantedStall { call, file: "/tmp/a:b".into() });
        }
        assert_eq!(PlantedStall::parse("get"), None);
        assert_eq!(PlantedStall::parse("write:/tmp/a"), None);
    }

    #[test]
    fn no_more_reads_are_taken_than_there_may_be() {
        let calls = Arc::new(Calls::new(None));
        let mut taken: Vec<_> = (0..READS_MAX).map(|_| calls.take_read(Call::Get).unwrap()).collect();
        assert!(calls.take_read(Call::Get).is_none());
        taken.pop();
        assert!(calls.take_read(Call::Range).is_some());
    }

    #[test]
    fn after_a_read_was_given_up_none_is_taken_until_it_comes_back() {
        let calls = Arc::new(Calls::new(None));
        let (reading, mut given_up) = calls.take_read(Call::Get).unwrap();
        calls.give_up_after(Duration::from_secs(3600));
        assert!(given_up.try_recv().is_err());
        calls.give_up_after(Duration::ZERO);
        assert!(given_up.try_recv().is_ok());
        assert!(calls.take_read(Call::Get).is_none());
        drop(reading);
        assert!(calls.take_read(Call::Get).is_some());
    }

    #[test]
    fn the_call_that_is_out_longest_is_told_and_a_step_renews_it() {
        let calls = Arc::new(Calls::new(None));
        assert_eq!(calls.longer_than(Duration::ZERO), None);
        let verify = calls.enter(Call::Verify);
        let (_reading, _) = calls.take_read(Call::Get).unwrap();
        assert_eq!(calls.longer_than(Duration::ZERO).map(|(call, _)| call), Some(Call::Verify));
        assert_eq!(calls.longer_than(Duration::from_secs(3600)), None);
        std::thread::sleep(Duration::from_millis(1));
        verify.renew();
        assert_eq!(calls.longer_than(Duration::ZERO).map(|(call, _)| call), Some(Call::Get));
    }
}
