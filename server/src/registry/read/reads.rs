//! How reads of the journal turn out: what a failure is told as, what is said of it in the log, and whether reading works.
//!
//! A disk that does not answer has lost nothing: it is asked again, and its caller told so. Only bytes that are not what
//! was written, or not there any more, are damage.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::faults;
use crate::registry::error::Error;
use crate::store::{JournalError, Revision};

/// Reading is said not to work after so many failures without a success between them: one bad place on a disk is not the
/// end of reading, and a disk that is gone fails so often in a moment.
const FAILURES_MAX: u32 = 3;
/// Failures are logged no more often than this: each call fails once at least, and there may be thousands in a second.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// How reads of the journal turn out.
pub(crate) struct Reads {
    /// Failures of the disk since the last success.
    failures: AtomicU32,
    works: watch::Sender<bool>,
    logged: Mutex<Logged>,
}

/// What of the failures was logged.
#[derive(Default)]
struct Logged {
    last: Option<Instant>,
    /// How many failures were not, since then.
    left_out: u64,
}

impl Default for Reads {
    fn default() -> Self {
        Self { failures: AtomicU32::new(0), works: watch::Sender::new(true), logged: Mutex::default() }
    }
}

impl Reads {
    /// What came of reading the commit of `revision`, for its caller; the cause of a failure goes to the log.
    pub(crate) fn outcome<T>(&self, revision: Revision, read: Result<T, JournalError>) -> Result<T, Error> {
        match read {
            Ok(found) => {
                self.succeeded();
                Ok(found)
            }
            Err(JournalError::Disk(error)) if !error.is_cut_off() => {
                self.failed();
                self.log(revision, &error, Some(&error.source));
                match faults::planted("read-failures-are-damage") {
                    Some(_) => Err(Error::Damaged { revision }),
                    None => Err(Error::ReadFailed),
                }
            }
            Err(error) => {
                self.log(revision, &error, None);
                Err(Error::Damaged { revision })
            }
        }
    }

    /// Whether reading works, now and from now on. Once it does not, it does again with the next read that succeeds.
    pub(crate) fn works(&self) -> watch::Receiver<bool> {
        self.works.subscribe()
    }

    /// Notes that reading works.
    pub(crate) fn succeeded(&self) {
        // Seldom anything else than zero, and then nothing is written that other readers share.
        if self.failures.load(Ordering::Relaxed) > 0
            && self.failures.swap(0, Ordering::Relaxed) >= FAILURES_MAX
            && !self.works.send_replace(true)
        {
            tracing::info!("the journal can be read again");
        }
    }

    fn failed(&self) {
        let before = self.failures.fetch_add(1, Ordering::Relaxed);
        if before + 1 >= FAILURES_MAX && self.works.send_replace(false) {
            tracing::error!("the journal cannot be read: {FAILURES_MAX} reads failed one after another");
        }
    }

    fn log(&self, revision: Revision, error: &dyn std::error::Error, cause: Option<&std::io::Error>) {
        let mut logged = self.logged.lock();
        if logged.last.is_some_and(|last| last.elapsed() < LOG_EVERY) {
            logged.left_out += 1;
            return;
        }
        let left_out = std::mem::take(&mut logged.left_out);
        logged.last = Some(Instant::now());
        drop(logged);
        let cause = cause.map(tracing::field::display);
        tracing::error!(%error, cause, revision, left_out, "the journal could not be read");
    }
}
