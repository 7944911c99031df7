//! The registry. It speaks of kinds, names and revisions, and knows no kind by name.
//!
//! This is the facade: a line for each question. A write is prepared in its caller's task and then goes through one thread,
//! a simple loop: the `committer` decides, the `writer` makes durable, visible and answered. Everything that readers see is
//! durable.

mod bell;
mod checkpoint;
mod error;
mod index;
mod query;
mod read;
pub(crate) mod resource;
mod schema;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use jiff::tz::TimeZone;
use parking_lot::{Mutex, RwLock};
use partnership_registry::v1::PartialDate;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio_util::sync::CancellationToken;

pub use error::{Chain, Costs, Dangling, Error};
pub use query::count::{Count, CountRequest, Counted};
pub use query::explain::{AnsweredFrom, Plan, PlannedTest};
pub use query::export::{Chunk, Export};
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub use query::fuzzing;
pub use query::history::{CommitsPage, RevisionsPage};
pub use query::list::{ListRequest, Page};
pub use query::page::HasRoom;
pub use query::selection::Selection;
pub use query::tally::CountedGroup;
pub use query::timeline::{TimelineEntry, TimelinePage, TimelineRequest};
pub use query::watch::{Effect, SelectedCommit, Watch};
pub use read::history::Version;
pub use read::reader::Point;
pub use resource::name::Name;
pub(crate) use resource::{ANSWER_BYTES_MAX, DOCUMENT_BYTES_MAX};
pub use schema::KindId;
pub use write::place::Place;
pub use write::request::{
    Condition, Mutation, Operation, Precondition, WriteRequest, Written, WrittenOne, request_hash,
};
pub use write::trusted_time::ClockError;
pub use write::writing::Writing;

pub use crate::store::{Action, JournalHealth, Obstacle, Record, Revision, StateHealth};

use crate::faults;
use crate::kinds::KindRules;
use crate::store::{self, Scrub, StateFollower, StoreError};
use crate::time::{Clock, Day};
use crate::violations::Violations;
pub use index::Outgrown;
use index::secondary::{Follower, Position};
use index::{Index, Opening, Unreadable};
use query::history;
use query::list;
use query::page_token::PageTokens;
use query::timeline;
use read::read_mask::ReadMask;
use read::reader::Reader;
use resource::etag::Etags;
use resource::{etag, stamp, standing};
use schema::Schemas;
use write::committer::{Answer, Committer, Replay, Submission};
use write::ledger::Ledger;
use write::plan::COMMIT_BYTES_MAX;
use write::request::{Prepared, PreparedMutation};
use write::trusted_time::TrustedClock;
use write::writer::Writer;

/// The most bytes of what waits to be written: the requests, and the documents that they change. Twice the largest commit, so
/// that one is prepared while another is written.
pub(crate) const WRITES_BYTES_MAX: usize = 2 * COMMIT_BYTES_MAX;
const WRITER_STOPPED: Error = Error::Stopped("the writer has stopped");
/// The most names of a batch of reads (AIP-231).
const BATCH_MAX: usize = 1_000;

/// The registry. Cheap to clone.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    reader: Reader,
    tokens: PageTokens,
    /// Tells of each new head once it is visible.
    heads: watch::Receiver<Revision>,
    /// Tells of new heads too, and not of each: for those who watch.
    bell: watch::Receiver<Revision>,
    writing: watch::Receiver<Writing>,
    /// `None` once the registry is closed.
    queue: RwLock<Option<Sender<Submission>>>,
    /// What is left of [`WRITES_BYTES_MAX`]. Whoever waits for it waits in turn.
    writes: Arc<Semaphore>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    clock: Arc<TrustedClock>,
    /// Dropped, it ends the thread that looks at the clock.
    clock_running: Mutex<Option<SyncSender<()>>>,
    /// Dropped when the registry closes.
    closing: Mutex<Option<Sender<()>>>,
    follower: StateFollower,
    scrub: Scrub,
    /// How far the secondary indexes have come.
    indexed: watch::Receiver<Position>,
    /// Pulled, it tells them that a question waits.
    ask_indexes: SyncSender<()>,
}

/// A revision that the indexes hold: what can be asked about. Only [`Registry::indexed_at`] knows one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indexed(Revision);

impl Indexed {
    /// The revision.
    #[must_use]
    pub fn revision(self) -> Revision {
        self.0
    }
}

/// How a registry is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// How its store is.
    pub store: store::Options,
    /// How long a request id is remembered at least, by the times of commits.
    pub request_id_retention: Duration,
    /// Whether a clock is right that shows a time long after the last commit.
    pub accept_time_jump: bool,
    /// The most bytes of memory for the index.
    pub index_bytes_max: usize,
    /// The time zone whose days are those of the law.
    pub time_zone: TimeZone,
}

impl Default for Options {
    /// No request id is remembered for longer than a day, and the index may take any memory.
    fn default() -> Self {
        Self {
            store: store::Options::default(),
            request_id_retention: Duration::ZERO,
            accept_time_jump: false,
            index_bytes_max: usize::MAX,
            time_zone: TimeZone::UTC,
        }
    }
}

/// Why a registry does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The clock cannot be right.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The contract contradicts itself.
    #[error("the contract is wrong: {0}")]
    Contract(String),
    /// What the store holds cannot be read.
    #[error("revision {0} of the store holds what this version cannot read; start the version that wrote it")]
    Unreadable(Revision),
    /// What the store holds needs more memory than the index may take.
    #[error(transparent)]
    Outgrown(#[from] Outgrown),
    /// The operating system gives no thread.
    #[error("a thread could not be started")]
    Thread(#[from] std::io::Error),
}

impl Registry {
    /// Opens the registry in a directory, or begins one there. Blocks until it can be used.
    pub fn open(dir: &Path, options: &Options, kinds: &[KindRules], clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        TrustedClock::check_tellable(&*clock)?;
        let schemas = Arc::new(Schemas::new(partnership_registry::descriptors(), kinds).map_err(OpenError::Contract)?);
        let index = Arc::new(Index::new(schemas.clone(), options.request_id_retention, options.index_bytes_max));
        let mut opening = Opening::new(&index);
        let opened = store::open(dir, &options.store, &mut opening)?;
        if let Some(Unreadable { revision }) = opening.unreadable {
            return Err(OpenError::Unreadable(revision));
        }
        index.fits()?;
        let last = Some(index.read().last_time()).filter(|_| index.head() > 0);
        let clock = Arc::new(TrustedClock::new(clock, last, options.accept_time_jump)?);
        let etags = Etags::new(opened.reader.store_id(), opened.reader.epoch());
        let reader = Reader {
            schemas: schemas.clone(),
            index: index.clone(),
            journal: opened.reader.clone(),
            state: opened.follower.reader(),
            reads: Arc::default(),
        };

        let (new_heads, heads) = watch::channel(index.head());
        let (ringing, bell) = watch::channel(index.head());
        let (cord, pulled) = bell::hang();
        let heard = index.clone();
        let (indexer, indexed, ask_indexes) = Follower::new(index.clone(), opened.reader.clone());
        let (index_cord, index_pulled) = sync_channel(1);
        // As long as there is room: see `room`.
        let (queue, submissions) = channel();
        let (ledger, epoch) = (Ledger::new(index.clone()), opened.reader.epoch());
        let (clock_running, clock_closing) = sync_channel(0);
        let committer =
            Committer { schemas, etags, epoch, ledger, clock: clock.clone(), time_zone: options.time_zone.clone() };
        let (checkpoints, saved, (closing, closed)) = (opened.checkpoints, index.clone(), channel());
        let (writing, how_writing_does) =
            watch::channel(opened.writer.obstacle().map_or(Writing::Taken, Writing::Refused));
        let writer = Writer { committer, journal: opened.writer, index, new_heads, cord, index_cord, writing };
        let thread =
            |name: &str, body: Box<dyn FnOnce() + Send>| std::thread::Builder::new().name(name.into()).spawn(body);
        let threads = vec![
            thread("writer", Box::new(move || writer.run(&submissions)))?,
            thread("bell", Box::new(move || bell::run(&pulled, &heard, &ringing)))?,
            thread("indexes", Box::new(move || indexer.run(&index_pulled)))?,
            thread("clock", {
                let clock = clock.clone();
                Box::new(move || clock.run(&clock_closing))
            })?,
            thread("checkpoint", Box::new(move || checkpoint::run(checkpoints, &saved, &closed)))?,
        ];
        let tokens = PageTokens::new(opened.reader.seed(), opened.reader.epoch());
        Ok(Self(Arc::new(Inner {
            reader,
            tokens,
            heads,
            bell,
            writing: how_writing_does,
            queue: RwLock::new(Some(queue)),
            writes: Arc::new(Semaphore::new(WRITES_BYTES_MAX)),
            threads: Mutex::new(threads),
            clock,
            clock_running: Mutex::new(Some(clock_running)),
            closing: Mutex::new(Some(closing)),
            follower: opened.follower,
            scrub: opened.scrub,
            indexed,
            ask_indexes,
        })))
    }

    /// Takes no more writes, waits for those that were taken, and flushes the store. Blocks.
    pub fn close(&self) {
        self.0.queue.write().take();
        self.0.clock_running.lock().take();
        self.0.closing.lock().take();
        self.0.scrub.close();
        for thread in std::mem::take(&mut *self.0.threads.lock()) {
            let name = thread.thread().name().unwrap_or("?").to_owned();
            if thread.join().is_err() {
                tracing::error!(thread = name, "the thread panicked");
            }
        }
        self.0.follower.close();
    }

    /// Waits until it is found that the index of what the store holds needs more memory than it may take: then no list is
    /// ever answered. It is found in the first seconds, or never.
    pub async fn outgrown(&self) -> Outgrown {
        let mut told = self.0.indexed.clone();
        let found = told.wait_for(|position| matches!(position, Position::Outgrown(_))).await.map(|found| *found);
        match found {
            Ok(Position::Outgrown(outgrown)) => outgrown,
            Ok(Position::Building | Position::At(_) | Position::Failing) | Err(_) => std::future::pending().await,
        }
    }

    /// How sled does, now and from now on. Whatever it says, the registry answers.
    #[must_use]
    pub fn state_health(&self) -> watch::Receiver<StateHealth> {
        self.0.follower.health()
    }

    /// What is known of the journal, now and from now on.
    #[must_use]
    pub fn journal_health(&self) -> watch::Receiver<JournalHealth> {
        self.0.scrub.health()
    }

    /// How writing does, now and from now on.
    #[must_use]
    pub fn writing(&self) -> watch::Receiver<Writing> {
        self.0.writing.clone()
    }

    /// Whether reading works, now and from now on. Once it does not, it does again with the next read that succeeds.
    #[must_use]
    pub fn reads_work(&self) -> watch::Receiver<bool> {
        self.0.reader.reads.works()
    }

    /// Reads a commit, taken at random, to see whether reading works: one bad place on a disk does not fail it again and
    /// again. Blocks.
    pub fn try_read(&self) {
        self.0.reader.try_read();
    }

    /// Writes what is asked for in one commit, and answers once it is durable and visible. A caller that goes away does
    /// not undo it.
    pub async fn write(&self, request: WriteRequest) -> Result<Written, Error> {
        let mut request = request.prepare(&self.0.reader.schemas, self.0.clock.now())?;
        let grows = request.mutations.iter().any(|(_, mutation)| !matches!(mutation, PreparedMutation::Delete { .. }));
        if grows && let Err(Outgrown { bytes, max }) = self.0.reader.index.fits() {
            return Err(Error::IndexFull { bytes, max });
        }
        loop {
            request.room = None;
            request.room = Some(self.room(&request).await?);
            self.fetch(&mut request).await?;
            let (answer, answered) = oneshot::channel();
            match &*self.0.queue.read() {
                Some(queue) => queue.send(Submission { request, answer }).map_err(|_| WRITER_STOPPED)?,
                None => return Err(Error::Draining),
            }
            match answered.await.map_err(|_| WRITER_STOPPED)? {
                Answer::Done(result) => return result,
                Answer::Replay(replay) => return self.replayed(&replay),
                Answer::Again { request: again, after } => {
                    self.visible(after).await?;
                    request = *again;
                }
            }
        }
    }

    /// What one mutation left, as it is answered.
    #[must_use]
    pub fn answered(&self, one: &WrittenOne, settled_day: Day) -> Bytes {
        let asked = standing::on_settled_day(settled_day);
        standing::answered(&self.0.reader.schemas, one.name.kind(), one.document.clone(), asked)
    }

    /// Room for a write among those that wait, with the documents that it changes. It goes with the write, which is done even
    /// if its caller goes away.
    async fn room(&self, request: &Prepared) -> Result<OwnedSemaphorePermit, Error> {
        let reader = &self.0.reader;
        let mut bytes = request.bytes();
        for (_, mutation) in &request.mutations {
            if mutation.needs_current() {
                bytes += reader.document_bytes(mutation.name().as_str());
            }
            if let PreparedMutation::Rollback { name, revision, .. } = mutation {
                bytes += reader.snapshot_bytes(name, *revision)?;
            }
        }
        if faults::planted("writes-without-end").is_some() {
            bytes = 0;
        }
        if bytes > WRITES_BYTES_MAX {
            return Err(Error::CommitTooLarge { bytes, max: COMMIT_BYTES_MAX });
        }
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.0.writes.clone().acquire_many_owned(permits).await.map_err(|_| Error::Draining)
    }

    /// Fetches the documents that a request changes, here and not in the committer: a write waits for no read of another.
    async fn fetch(&self, request: &mut Prepared) -> Result<(), Error> {
        for ((_, mutation), current) in request.mutations.iter_mut().zip(&mut request.current) {
            if mutation.needs_current() {
                *current = self.0.reader.find(mutation.name(), Revision::MAX).await?;
            }
            // A revision never changes: it is fetched once.
            if let PreparedMutation::Rollback { name, revision, snapshot: snapshot @ None, .. } = mutation {
                *snapshot = self.0.reader.snapshot(name, *revision)?;
            }
        }
        Ok(())
    }

    /// Waits until a revision is visible.
    async fn visible(&self, revision: Revision) -> Result<(), Error> {
        let mut heads = self.0.heads.clone();
        heads.wait_for(|head| *head >= revision).await.map(|_| ()).map_err(|_| Error::Draining)
    }

    /// The answer that an earlier request was given, read from its commit.
    fn replayed(&self, replay: &Replay) -> Result<Written, Error> {
        let reader = &self.0.reader;
        let revision = replay.revision;
        let record = reader.record(revision)?;
        let mut changes = record.changes.iter().peekable();
        let mut results = Vec::with_capacity(replay.mutations.len());
        for (_, mutation) in &replay.mutations {
            let given = mutation.given_name();
            let change = changes.next_if(|change| given.is_none_or(|name| name.as_str() == &*change.name));
            results.push(match (change, given) {
                (Some(change), _) => {
                    let name = reader.name(&change.name)?;
                    let before = match change.previous_revision {
                        0 => None,
                        previous => Some(reader.version(&name, previous)?),
                    };
                    WrittenOne {
                        name,
                        action: Some(change.action),
                        document: reader.open(&change.document, revision)?.1,
                        ignored: mutation.ignored(&reader.schemas, before.as_deref()),
                    }
                }
                (None, Some(name)) => {
                    let document = reader.get(name, revision)?.map(|(_, document)| document).unwrap_or_default();
                    let ignored = mutation.ignored(&reader.schemas, Some(&document));
                    WrittenOne { name: name.clone(), action: None, document, ignored }
                }
                (None, None) => return Err(Error::Damaged { revision }),
            });
        }
        Ok(Written { revision, time: Some(record.commit_time), settled_day: record.settled_day, results })
    }

    /// What the paths of `read_mask` name of the document of `name`, deleted or not; all of it if there are none. If its
    /// etag is `if_none_match`, only its name, etag and revision, whatever the mask. How it stands is told for `valid_date`.
    pub async fn get(
        &self,
        kind: KindId,
        name: &str,
        point: Point,
        valid_date: Option<&PartialDate>,
        if_none_match: &str,
        read_mask: &[String],
    ) -> Result<Bytes, Error> {
        let reader = &self.0.reader;
        let mask = ReadMask::parse(&reader.schemas, kind, read_mask)?;
        let valid = standing::valid_day(&reader.schemas, kind, valid_date)?;
        if valid.is_some() && !if_none_match.is_empty() {
            // An etag says nothing of how the resource stands on another day.
            return Err(Error::invalid("valid_date", "is not given together with if_none_match"));
        }
        let name = Name::parse_as(&reader.schemas, kind, name).map_err(|rule| Error::invalid("name", rule))?;
        if !if_none_match.is_empty()
            && let Some(rule) = etag::check(if_none_match)
        {
            return Err(Error::invalid("if_none_match", rule));
        }
        let at = reader.resolve(point)?;
        let (_, document) = reader.find(&name, at).await?.ok_or_else(|| not_found(&name, point, at))?;
        if !if_none_match.is_empty() && stamp::etag(&document) == if_none_match {
            return Ok(stamp::not_modified(&document).into());
        }
        Ok(mask.answer(&reader.schemas, kind, document, reader.days(at, valid), false))
    }

    /// What the paths of `read_mask` name of the documents of `names`, in their order, as of one revision, which is answered
    /// too.
    pub async fn batch_get(
        &self,
        kind: KindId,
        names: &[String],
        point: Point,
        valid_date: Option<&PartialDate>,
        read_mask: &[String],
    ) -> Result<(Vec<Bytes>, Revision), Error> {
        let reader = &self.0.reader;
        let mask = ReadMask::parse(&reader.schemas, kind, read_mask)?;
        let valid = standing::valid_day(&reader.schemas, kind, valid_date)?;
        let mut violations = Violations::new();
        if names.len() > BATCH_MAX {
            violations.add("names", format!("must have at most {BATCH_MAX} items, and has {}", names.len()));
        }
        let mut parsed = Vec::with_capacity(names.len().min(BATCH_MAX));
        for (index, name) in names.iter().enumerate().take(BATCH_MAX) {
            match Name::parse_as(&reader.schemas, kind, name) {
                Ok(name) => parsed.push(name),
                Err(rule) => violations.add(format!("names[{index}]"), rule),
            }
        }
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        let at = reader.resolve(point)?;
        let days = reader.days(at, valid);
        let mut bytes = 0;
        let mut documents = Vec::with_capacity(parsed.len());
        for name in parsed {
            let (_, document) = reader.find(&name, at).await?.ok_or_else(|| not_found(&name, point, at))?;
            let document = mask.answer(&reader.schemas, kind, document, days, false);
            bytes += document.len();
            if bytes > ANSWER_BYTES_MAX {
                return Err(Error::AnswerTooLarge { max: ANSWER_BYTES_MAX });
            }
            documents.push(document);
        }
        Ok((documents, at))
    }

    /// How many bytes the document of a name has, about; 0 if there is none.
    #[must_use]
    pub fn document_bytes(&self, name: &str) -> usize {
        self.0.reader.document_bytes(name)
    }

    /// A page of the resources of a kind, the first one as of `at`. Blocks; ends early with `Cancelled` once nobody waits for it any more.
    pub fn list(
        &self,
        request: &ListRequest,
        at: Indexed,
        has_room: HasRoom<'_>,
        cancelled: &CancellationToken,
    ) -> Result<Page, Error> {
        list::page(&self.0.reader, &self.0.tokens, request, at.0, has_room, cancelled)
    }

    /// Reads what is to be counted.
    pub fn count_of(&self, request: CountRequest) -> Result<Count, Error> {
        Count::read(&self.0.reader.schemas, request)
    }

    /// Counts, as of `at`. Blocks; ends early with `Cancelled` once nobody waits for it any more.
    pub fn count(
        &self,
        count: &Count,
        at: Indexed,
        has_room: HasRoom<'_>,
        cancelled: &CancellationToken,
    ) -> Result<Counted, Error> {
        count.answer(&self.0.reader, at.0, has_room, cancelled)
    }

    /// A page of a timeline, the first one as of `at`. Blocks; ends early with `Cancelled` once nobody waits for it any more.
    pub fn timeline(
        &self,
        request: &TimelineRequest,
        at: Indexed,
        has_room: HasRoom<'_>,
        cancelled: &CancellationToken,
    ) -> Result<TimelinePage, Error> {
        timeline::page(&self.0.reader, &self.0.tokens, request, at.0, has_room, cancelled)
    }

    /// Reads a selection. No collections: all of them. A filter needs exactly one.
    pub fn select(&self, collections: &[String], filter: &str) -> Result<Selection, Error> {
        Selection::parse(&self.0.reader.schemas, collections, filter)
    }

    /// The revision that a point means now, once the indexes hold it. The head means a revision that is not before the head
    /// of now.
    pub async fn indexed_at(&self, point: Point) -> Result<Indexed, Error> {
        let at = self.0.reader.resolve(point)?;
        let mut told = self.0.indexed.clone();
        loop {
            match *told.borrow_and_update() {
                Position::At(position) if position >= at => {
                    return Ok(Indexed(if point == Point::Head { position } else { at }));
                }
                Position::Failing => return Err(Error::ReadFailed),
                Position::Outgrown(_) => return Err(Error::Draining),
                Position::At(_) | Position::Building => {}
            }
            // If it was pulled before, that is heard.
            let _ = self.0.ask_indexes.try_send(());
            told.changed().await.map_err(|_| Error::Draining)?;
        }
    }

    /// A walk over all that is selected, as of `at`.
    #[must_use]
    pub fn export(&self, selection: Selection, at: Indexed, show_deleted: bool) -> Export {
        Export::new(self.0.reader.clone(), selection, at.0, show_deleted)
    }

    /// Follows the commits of which something is selected, after `after`; `None`: after the head.
    pub fn watch(&self, selection: Selection, after: Option<Revision>) -> Result<Watch, Error> {
        Watch::new(self.0.reader.clone(), self.0.bell.clone(), selection, after)
    }

    /// A page of the revisions of a resource, newest first. Blocks.
    pub fn revisions(
        &self,
        parent: &str,
        size: i32,
        token: &str,
        has_room: HasRoom<'_>,
    ) -> Result<RevisionsPage, Error> {
        history::revisions(&self.0.reader, &self.0.tokens, parent, size, token, has_room)
    }

    /// One revision of a resource: `{resource}/revisions/{revision}`.
    pub fn revision(&self, name: &str) -> Result<Version, Error> {
        history::revision(&self.0.reader, name)
    }

    /// A page of commits after `after`, oldest or newest first. Blocks.
    pub fn commits(
        &self,
        after: Revision,
        size: i32,
        token: &str,
        order_by: &str,
        has_room: HasRoom<'_>,
    ) -> Result<CommitsPage, Error> {
        history::commits(&self.0.reader, &self.0.tokens, after, size, token, order_by, has_room)
    }

    /// The last durable revision.
    #[must_use]
    pub fn head(&self) -> Revision {
        self.0.reader.head()
    }

    /// The kind of a field of the `Resource` envelope.
    #[must_use]
    pub fn kind_by_tag(&self, tag: u32) -> Option<KindId> {
        self.0.reader.schemas.by_tag(tag)
    }

    /// The collection of a kind, such as `focusAreas`.
    #[must_use]
    pub fn collection(&self, kind: KindId) -> &str {
        &self.0.reader.schemas.kind(kind).collection
    }
}

fn not_found(name: &Name, point: Point, at: Revision) -> Error {
    match point {
        Point::Head => Error::NotFound(name.to_string()),
        Point::Revision(_) | Point::Time(_) => Error::NotFoundAt { name: name.to_string(), revision: at },
    }
}
