//! The scrub: after a start from a checkpoint it verifies what the start passed over, behind the serving and slowly. What
//! is answered meanwhile is verified when it is read; damage that nobody reads is found here.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::checkpoint;
use super::journal::{self, JournalError, JournalReader};
use super::record::Head;
use crate::faults;

/// So much is verified in a second at most: less than half of what a disk reads and of what a processor hashes, and yet a
/// journal of 10 GiB in a few minutes.
const BYTES_PER_SECOND: u64 = 50 << 20;
/// After so many bytes it is looked whether that was too fast.
const PACE_BYTES: u64 = 1 << 20;
/// How often the log is told how far it has come.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What is known of the journal besides that what was read of it was sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalHealth {
    /// What the start passed over is being verified.
    Verifying,
    /// All of it was verified since the start.
    Verified,
    /// It is damaged, in this way. What is not damaged is served, and the next start refuses.
    Damaged(String),
    /// It could not be verified, for this reason; the next start tries again.
    Unverified(String),
}

/// The scrub of a store in use.
pub struct Scrub {
    health: watch::Receiver<JournalHealth>,
    /// Dropped, it ends the thread.
    closing: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Scrub {
    /// Verifies the journal up to the commit from which the store was opened; without one, it has been.
    pub(super) fn start(
        journal_dir: PathBuf,
        data_dir: PathBuf,
        reader: &JournalReader,
        from: Option<Head>,
    ) -> std::io::Result<Scrub> {
        let Some(until) = from else {
            let health = watch::channel(JournalHealth::Verified).1;
            return Ok(Scrub { health, closing: Mutex::new(None), thread: Mutex::new(None) });
        };
        let bytes = reader.commit_bytes_up_to(until.revision);
        let (tell, health) = watch::channel(JournalHealth::Verifying);
        let (closing, closed) = channel();
        let body = move || run(&journal_dir, &data_dir, until, bytes, &tell, &closed);
        let thread = std::thread::Builder::new().name("scrub".into()).spawn(body)?;
        Ok(Scrub { health, closing: Mutex::new(Some(closing)), thread: Mutex::new(Some(thread)) })
    }

    /// What it has found, now and from now on.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<JournalHealth> {
        self.health.clone()
    }

    /// Ends it, wherever it is.
    pub fn close(&self) {
        self.closing.lock().take();
        if self.thread.lock().take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that verifies the journal panicked");
        }
    }
}

fn run(
    journal_dir: &Path,
    data_dir: &Path,
    until: Head,
    bytes: u64,
    tell: &watch::Sender<JournalHealth>,
    closed: &Receiver<()>,
) {
    let began = Instant::now();
    let mut pace = Pace { began, bytes: 0, due: PACE_BYTES, told: began };
    tracing::info!(bytes, until = until.revision, "verifying the journal before the checkpoint");
    let proved = journal::prove(journal_dir, data_dir, until, &mut |more| pace.go_on(more, bytes, closed));
    match proved {
        Ok(false) => {}
        Ok(true) => {
            let seconds = began.elapsed().as_secs_f64();
            tracing::info!(bytes, seconds, "the journal before the checkpoint is verified");
            tell.send_replace(JournalHealth::Verified);
        }
        Err(JournalError::Disk(error)) => {
            let why = super::state::told(&error);
            tracing::warn!(why, "the journal could not be verified; it is tried again at the next start");
            tell.send_replace(JournalHealth::Unverified(why));
        }
        Err(error) => {
            tracing::error!(
                %error,
                "the journal is damaged; what is not damaged is served, and the next start will refuse: put the journal right now"
            );
            tell.send_replace(JournalHealth::Damaged(error.to_string()));
            // The next start reads everything, and finds this too.
            if let Err(error) = checkpoint::remove(data_dir) {
                tracing::error!(%error, cause = %error.source, "the checkpoint of a damaged journal could not be removed; remove it");
            }
        }
    }
}

/// How fast the journal is read, and how far that has come.
struct Pace {
    began: Instant,
    bytes: u64,
    /// When this many are read, it is looked whether that was too fast.
    due: u64,
    told: Instant,
}

impl Pace {
    /// Notes what was read, and waits if that was too fast. Answers whether to go on.
    fn go_on(&mut self, more: u64, all: u64, closed: &Receiver<()>) -> bool {
        self.bytes += more;
        if self.bytes < self.due {
            return true;
        }
        self.due = self.bytes + PACE_BYTES;
        if self.told.elapsed() >= TELL_EVERY {
            self.told = Instant::now();
            tracing::info!(verified = self.bytes, of = all, "verifying the journal before the checkpoint");
        }
        let rate = if faults::planted("scrub-at-full-speed").is_some() { u64::MAX } else { BYTES_PER_SECOND };
        let early = time_for(self.bytes, rate).saturating_sub(self.began.elapsed());
        closed.recv_timeout(early) == Err(RecvTimeoutError::Timeout)
    }
}

/// How long so many bytes take at this rate, in bytes a second.
fn time_for(bytes: u64, rate: u64) -> Duration {
    Duration::from_millis(bytes.saturating_mul(1_000) / rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_faster_than_its_rate_and_ends_when_it_is_told_to() {
        let (closing, closed) = channel();
        let began = Instant::now();
        let mut pace = Pace { began, bytes: 0, due: PACE_BYTES, told: began };
        let all = BYTES_PER_SECOND / 4;
        while pace.bytes < all {
            assert!(pace.go_on(PACE_BYTES / 4, all, &closed));
        }
        assert!(began.elapsed() >= Duration::from_millis(240), "{:?}", began.elapsed());
        drop(closing);
        assert!(!(0..8).all(|_| pace.go_on(PACE_BYTES / 4, all, &closed)));
    }
}
