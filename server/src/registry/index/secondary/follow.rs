//! The thread that keeps the secondary indexes: it builds them from the documents at the start, and then follows the
//! journal.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;

use super::kind::Changed;
use crate::faults;
use crate::registry::index::{Index, Outgrown, Row};
use crate::registry::resource::envelope;
use crate::registry::schema::KindId;
use crate::store::{JournalReader, Record, Revision};

/// So many rows are read at once while the indexes are built.
const PIECE_ROWS: usize = 2_048;
/// When so many commits were taken at once, more are on their way.
const MANY: Revision = 4;
/// Then the next are waited for so long, unless somebody asks a question meanwhile: a thread that is woken for each commit
/// takes the processor from the one that makes them.
const PAUSE: Duration = Duration::from_millis(5);
/// After a failure to read the journal it is tried again after so long.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// Memory is measured again after so many changes, or a fiftieth of all rows.
const MEASURE_AFTER_CHANGES: usize = 50_000;
/// And before it can be used up, if each change took so much: several times what one does.
const CHANGE_BYTES_MAX: usize = 8 << 10;
/// But not more often than after so many.
const MEASURE_AFTER_CHANGES_MIN: usize = 200;
/// While the indexes are built, it is measured after so many pieces.
const MEASURE_AFTER_PIECES: usize = 32;

/// How far the secondary indexes have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// They are being built.
    Building,
    /// They hold every commit up to this one.
    At(Revision),
    /// The journal cannot be read: they do not go on for now.
    Failing,
    /// They need more memory than the index may take: they were not built.
    Outgrown(Outgrown),
}

/// The thread's side.
pub(crate) struct Follower {
    pub(crate) index: Arc<Index>,
    pub(crate) journal: JournalReader,
    pub(crate) position: watch::Sender<Position>,
    /// Pulled when a question waits.
    pub(crate) asked: Receiver<()>,
}

impl Follower {
    /// A follower; where it tells its position, and what to pull when a question waits for it.
    pub(crate) fn new(index: Arc<Index>, journal: JournalReader) -> (Self, watch::Receiver<Position>, SyncSender<()>) {
        let (position, told) = watch::channel(Position::Building);
        let (ask, asked) = sync_channel(1);
        (Self { index, journal, position, asked }, told, ask)
    }

    /// Builds, then follows, until nobody can pull the cord any more.
    pub(crate) fn run(self, pulled: &Receiver<()>) {
        let closing = || pulled.try_recv() == Err(TryRecvError::Disconnected);
        let began = Instant::now();
        let Some(mut position) = self.build(&closing) else { return };
        let mut unmeasured = 0;
        let mut told = false;
        loop {
            let before = position;
            match self.catch_up(&mut position, &mut unmeasured) {
                Ok(()) => {
                    self.position.send_replace(Position::At(position));
                }
                Err(()) => {
                    self.position.send_replace(Position::Failing);
                    if pulled.recv_timeout(RETRY_AFTER) == Err(RecvTimeoutError::Disconnected) {
                        return;
                    }
                    continue;
                }
            }
            if !std::mem::replace(&mut told, true) {
                tracing::info!(
                    rows = self.index.read().count_of_all(),
                    seconds = began.elapsed().as_secs_f64(),
                    "the indexes are there; lists and counts are answered"
                );
                self.index.tell_memory();
            }
            let usual = MEASURE_AFTER_CHANGES.max(self.index.read().count_of_all() / 50);
            let measure_after = (self.index.bytes_left() / CHANGE_BYTES_MAX).clamp(MEASURE_AFTER_CHANGES_MIN, usual);
            if unmeasured >= measure_after {
                unmeasured = 0;
                self.index.measure();
                if measure_after == usual {
                    self.index.tell_memory();
                }
            }
            if position - before >= MANY {
                let _ = self.asked.recv_timeout(PAUSE);
            }
            if pulled.recv().is_err() {
                return;
            }
        }
    }

    /// Takes in all resources as they are now. Answers a revision up to which every commit is in; `None` if the registry
    /// closes meanwhile.
    fn build(&self, closing: &dyn Fn() -> bool) -> Option<Revision> {
        let (head, count) = {
            let rows = self.index.read();
            let (day, of_rows) = (rows.settled_day(), (rows.head(), rows.count_of_all()));
            drop(rows);
            self.index.secondary().turn(day, &|_, _| None);
            of_rows
        };
        // One thread reads, this one takes in: each has about the same to do.
        let (send, read) = sync_channel::<Vec<(KindId, Changed)>>(2);
        // What is read is given up with this closure, and then the one that reads it is waited for, in this order.
        std::thread::scope(move |scope| {
            let (index, journal) = (&*self.index, self.journal.clone());
            let reading = std::thread::Builder::new().name("index-read".into()).spawn_scoped(scope, move || {
                for from in (0..count).step_by(PIECE_ROWS) {
                    if send.send(read_rows(index, &journal, from, PIECE_ROWS.min(count - from))).is_err() {
                        return;
                    }
                }
            });
            if let Err(error) = reading {
                tracing::error!(%error, "the indexes cannot be built: the system gives no thread");
                self.position.send_replace(Position::Failing);
                return None;
            }
            let mut pieces = 0;
            while let Ok(piece) = read.recv() {
                if closing() {
                    return None;
                }
                pieces += 1;
                if pieces % MEASURE_AFTER_PIECES == 0 && !self.fits() {
                    return None;
                }
                let mut piece = piece.into_iter().peekable();
                while let Some((kind, _)) = piece.peek() {
                    let kind = *kind;
                    let same = std::iter::from_fn(|| piece.next_if(|(other, _)| *other == kind));
                    self.index.secondary().take(kind, same.map(|(_, changed)| changed).collect());
                }
            }
            self.index.secondary().order();
            self.fits().then_some(head)
        })
    }

    /// Measures whether the index fits into the memory that it may take, and tells if it does not.
    fn fits(&self) -> bool {
        self.index.measure();
        let fits = self.index.fits();
        if let Err(outgrown) = fits {
            self.position.send_replace(Position::Outgrown(outgrown));
        }
        fits.is_ok()
    }

    /// Takes in the commits up to the head.
    fn catch_up(&self, position: &mut Revision, changes: &mut usize) -> Result<(), ()> {
        while *position < self.index.head() {
            let commits = self.index.recent(*position + 1);
            let read: Vec<Record> = match &commits {
                Some(_) => Vec::new(),
                None => vec![self.journal.read(*position + 1).map_err(|error| {
                    tracing::error!(%error, revision = *position + 1, "the indexes wait: the journal could not be read");
                })?],
            };
            let records: Vec<&Record> = commits.iter().flat_map(|commits| commits.iter()).chain(&read).collect();
            if faults::planted("index-misses-updates").is_none() {
                self.index.secondary().apply(&records, &|kind, name| self.document(kind, name));
            } else {
                let created = |record: &&&Record| record.changes.iter().all(|change| change.previous_revision == 0);
                let records: Vec<_> = records.iter().filter(created).copied().collect();
                self.index.secondary().apply(&records, &|kind, name| self.document(kind, name));
            }
            *changes = changes.saturating_add(records.iter().map(|record| record.changes.len()).sum());
            *position = records.last().map_or(*position, |record| record.revision);
            self.position.send_replace(Position::At(*position));
        }
        Ok(())
    }

    /// The document of a resource as it is now, and its revision.
    fn document(&self, kind: KindId, name: &str) -> Option<(Revision, Bytes)> {
        let row = self.index.read().row(name)?;
        match self.journal.document(row.revision, row.place) {
            Ok(envelope) => {
                let (of, document) = envelope::open_envelope(&self.index.secondary().schemas, &envelope)?;
                (of == kind).then(|| (row.revision, envelope.slice_ref(document)))
            }
            Err(error) => {
                tracing::error!(%error, %name, "a document cannot be read; it is read again by each question");
                None
            }
        }
    }
}

/// What so many rows from a place on have to be found by.
fn read_rows(index: &Index, journal: &JournalReader, from: usize, count: usize) -> Vec<(KindId, Changed)> {
    let secondary = index.secondary();
    let rows = index.read().rows(from, count);
    let read = |(kind, name, row, created): (KindId, Arc<str>, Row, Revision)| {
        let envelope = journal.document(row.revision, row.place);
        let document = match &envelope {
            Ok(envelope) => envelope::open_envelope(&secondary.schemas, envelope).map(|(_, document)| document),
            Err(error) => {
                tracing::error!(%error, %name, "a document cannot be read; it is read again by each question");
                None
            }
        };
        (kind, secondary.changed(kind, name, row.revision, created, document))
    };
    rows.into_iter().map(read).collect()
}
