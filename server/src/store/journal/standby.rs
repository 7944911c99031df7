//! The next segment, made ahead of time by a thread of its own: its file is open, full of zeros and durable before the
//! writer needs it, so that going over to it needs no descriptor and no room in a bad moment. While one cannot be made
//! (the disk is full), it is tried again and again, and who needs it is told why there is none.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::segment::{Segment, ZEROS, path_of};
use crate::store::disk::{self, DirLock, DiskError, failed};

/// After a failure it is tried again after this time, then after twice as long, and so on.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// A segment that holds nothing yet.
pub(super) struct Blank {
    pub(super) segment: Segment,
    /// The length of its file, all of it zeros but perhaps for a header that was never good for anything.
    pub(super) len: u64,
}

/// Makes the next segment, and keeps it.
pub(super) struct Standby {
    handover: Arc<Handover>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and the writer share.
struct Handover {
    dir: Arc<DirLock>,
    bytes: u64,
    next: Mutex<Next>,
    changed: Condvar,
    ended: AtomicBool,
}

enum Next {
    /// Being made, or about to be.
    Wanted(Want),
    Ready(Blank),
    /// The last attempt failed; another follows.
    Failed(DiskError, Want),
    /// Nobody has asked for one.
    Unwanted,
}

/// What is to be made: the ordinal, and what there is of it, left by a crash or by a failed attempt.
struct Want {
    ordinal: u32,
    begun: Option<Blank>,
}

impl Standby {
    /// Starts to make the segment `ordinal`, of `bytes`, from what there may be of it.
    pub(super) fn start(
        dir: Arc<DirLock>,
        bytes: u64,
        ordinal: u32,
        begun: Option<Blank>,
    ) -> Result<Standby, DiskError> {
        let handover = Arc::new(Handover {
            dir: dir.clone(),
            bytes,
            next: Mutex::new(Next::Wanted(Want { ordinal, begun })),
            changed: Condvar::new(),
            ended: AtomicBool::new(false),
        });
        let worker = handover.clone();
        let thread = std::thread::Builder::new().name("standby".into()).spawn(move || worker.run());
        let thread = thread.map_err(failed("start a thread for", dir.path()))?;
        Ok(Standby { handover, thread: Some(thread) })
    }

    /// None, for this reason, and none will be made.
    pub(super) fn none(dir: Arc<DirLock>, ordinal: u32, error: DiskError) -> Standby {
        let handover = Arc::new(Handover {
            dir,
            bytes: 0,
            next: Mutex::new(Next::Failed(error, Want { ordinal, begun: None })),
            changed: Condvar::new(),
            ended: AtomicBool::new(false),
        });
        Standby { handover, thread: None }
    }

    /// Whether the next segment is there.
    pub(super) fn is_ready(&self) -> bool {
        matches!(*self.handover.next.lock(), Next::Ready(_))
    }

    /// Takes the next segment. Waits while it is being made; if it could not be, says why.
    pub(super) fn take(&self) -> Result<Blank, DiskError> {
        let mut next = self.handover.next.lock();
        loop {
            match std::mem::replace(&mut *next, Next::Unwanted) {
                Next::Ready(blank) => return Ok(blank),
                Next::Failed(error, want) => {
                    let told = error.again();
                    *next = Next::Failed(error, want);
                    return Err(told);
                }
                waiting @ Next::Wanted(_) => {
                    *next = waiting;
                    self.handover.changed.wait(&mut next);
                }
                Next::Unwanted => self.handover.changed.wait(&mut next),
            }
        }
    }

    /// Gives back a segment that was taken and not used. Its header may have been written.
    pub(super) fn put_back(&self, blank: Blank) {
        *self.handover.next.lock() = Next::Ready(blank);
    }

    /// Asks for another segment, after the last one was taken.
    pub(super) fn want(&self, ordinal: u32) {
        *self.handover.next.lock() = Next::Wanted(Want { ordinal, begun: None });
        self.handover.changed.notify_all();
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        self.handover.ended.store(true, Ordering::Release);
        drop(self.handover.next.lock());
        self.handover.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that makes journal segments panicked");
        }
    }
}

impl Handover {
    fn run(&self) {
        let mut retry_after = RETRY_FIRST;
        while let Some((want, failing)) = self.next_want(retry_after) {
            match self.make(want) {
                Ok(blank) => {
                    if failing {
                        tracing::info!(file = %blank.segment.path.display(), "the next journal segment could be made after all");
                    }
                    retry_after = RETRY_FIRST;
                    *self.next.lock() = Next::Ready(blank);
                }
                Err((error, want)) => {
                    if self.ended() {
                        return;
                    }
                    if failing {
                        retry_after = (retry_after * 2).min(RETRY_MAX);
                    } else {
                        // Said once, not with every attempt.
                        tracing::warn!(
                            %error, cause = %error.source,
                            "the next journal segment cannot be made; once the present one is full no write is accepted until it can"
                        );
                    }
                    *self.next.lock() = Next::Failed(error, want);
                }
            }
            self.changed.notify_all();
        }
    }

    /// What is to be made next, and whether the last attempt failed; `None` at the end.
    fn next_want(&self, retry_after: Duration) -> Option<(Want, bool)> {
        let mut next = self.next.lock();
        loop {
            if self.ended() {
                return None;
            }
            match &mut *next {
                Next::Wanted(want) => return Some((want.take(), false)),
                Next::Failed(..) => {
                    let timed_out = self.changed.wait_for(&mut next, retry_after).timed_out();
                    // Who needs it meanwhile still learns why there is none.
                    if let (true, Next::Failed(_, want)) = (timed_out, &mut *next) {
                        return Some((want.take(), true));
                    }
                }
                Next::Ready(_) | Next::Unwanted => self.changed.wait(&mut next),
            }
        }
    }

    fn make(&self, want: Want) -> Result<Blank, (DiskError, Want)> {
        let Want { ordinal, begun } = want;
        let blank = match begun.map_or_else(|| self.create(ordinal), Ok) {
            Ok(blank) => blank,
            Err(error) => return Err((error, Want { ordinal, begun: None })),
        };
        let Blank { segment, len } = blank;
        // Also what a crash left whole may not be on the disk yet.
        let made = fill(&segment, len, self.bytes, &self.ended).and_then(|()| self.dir.sync());
        match made {
            Ok(()) => Ok(Blank { segment, len: len.max(self.bytes) }),
            Err(error) => {
                // What was taken of the last room is given back. A begun file is kept, with its descriptor.
                let len = if segment.file.set_len(0).is_ok() { 0 } else { len };
                Err((error, Want { ordinal, begun: Some(Blank { segment, len }) }))
            }
        }
    }

    /// Makes the file, which must not exist: what is there already may belong to a server that took our place.
    fn create(&self, ordinal: u32) -> Result<Blank, DiskError> {
        let path = path_of(self.dir.path(), ordinal);
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(failed("create", &path))?;
        Ok(Blank { segment: Segment { ordinal, path: path.into(), file: Arc::new(file) }, len: 0 })
    }

    fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

impl Want {
    fn take(&mut self) -> Want {
        Want { ordinal: self.ordinal, begun: self.begun.take() }
    }
}

impl Blank {
    /// Makes it longer, for a group that would not fit. After an error it is as it was.
    pub(super) fn grow(&mut self, bytes: u64) -> Result<(), DiskError> {
        if bytes <= self.len {
            return Ok(());
        }
        let never = AtomicBool::new(false);
        if let Err(error) = fill(&self.segment, self.len, bytes, &never) {
            self.segment.file.set_len(self.len).map_err(failed("cut", &self.segment.path))?;
            return Err(error);
        }
        self.len = bytes;
        Ok(())
    }
}

/// Writes zeros from `from` to `to` and makes the file durable: later writes into it then change no metadata, and find
/// the room that they need. Ends early, with an error, if `ended` is set.
pub(super) fn fill(segment: &Segment, from: u64, to: u64, ended: &AtomicBool) -> Result<(), DiskError> {
    let mut at = from;
    while at < to {
        if ended.load(Ordering::Acquire) {
            let interrupted = std::io::ErrorKind::Interrupted.into();
            return Err(failed("prepare", &segment.path)(interrupted));
        }
        let len = usize::try_from(to - at).unwrap_or(ZEROS.len()).min(ZEROS.len());
        let chunk = ZEROS.get(..len).unwrap_or(&ZEROS);
        disk::write_at(&segment.file, &segment.path, chunk, at)?;
        at += len as u64;
    }
    disk::sync_all(&segment.file, &segment.path)
}
