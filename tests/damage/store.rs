//! A store that is damaged, what it must answer, and what became of it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, Once};
use std::time::{Duration, Instant};

use partnership_registry::Kind as _;
use partnership_registry::v1::{Country, Reconciliation};
use partnership_registry_server::kinds;
use partnership_registry_server::registry::{
    Chunk, Error, ListRequest, Mutation, OpenError, Operation, Options, Place, Point, Registry, WriteRequest,
};
use partnership_registry_server::store;
use partnership_registry_server::time::SystemClock;
use prost::Message as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::files::Image;
use crate::harness::{PATIENCE, commit_of};

/// Small enough that a few hundred commits fill several segments.
const SEGMENT_BYTES: u64 = 32 << 10;
pub(super) const COMMITS: usize = 300;

pub(crate) fn open(dir: &Path) -> Result<Registry, OpenError> {
    let store = store::Options { segment_bytes_max: SEGMENT_BYTES, cache_bytes_max: 16 << 20, ..Default::default() };
    let options = Options { store, ..Options::default() };
    Registry::open(dir, &options, kinds::ALL, Arc::new(SystemClock))
}

/// A version as the registry tells it: its revision, what was done, and the resource before and after.
type Told = (u64, i32, Vec<u8>, Vec<u8>);

/// Everything that a registry answers.
#[derive(Debug, PartialEq)]
pub(super) struct Contents {
    /// Revision, hash and content of each commit.
    pub(super) commits: Vec<(u64, Vec<u8>, Vec<u8>)>,
    /// All resources at the head, and in the middle of the history.
    pub(super) resources: Vec<Vec<u8>>,
    pub(super) past: Vec<Vec<u8>>,
    /// A listing of countries in pages, by another order than that of names.
    pub(super) listed: Vec<Vec<u8>>,
    /// The history of some.
    pub(super) histories: Vec<Vec<Told>>,
}

pub(super) fn contents(registry: &Registry) -> Result<Contents, Error> {
    let mut commits = Vec::new();
    let mut token = String::new();
    loop {
        let page = registry.commits(0, 1000, &token, "", &mut |_| true)?;
        commits.extend(
            page.records
                .iter()
                .map(|record| (record.revision, record.hash.to_vec(), commit_of(record).encode_to_vec())),
        );
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let indexed = |point| runtime.block_on(registry.indexed_at(point));
    let at = indexed(Point::Head)?;
    let everything = registry.select(&[], "")?;
    let walk = |at| {
        let mut found = Vec::new();
        let mut export = registry.export(everything.clone(), indexed(Point::Revision(at))?, true);
        loop {
            match export.next_chunk(usize::MAX, &mut |_| true)? {
                Chunk::Read(envelopes) => found.extend(envelopes.iter().map(|envelope| envelope.to_vec())),
                Chunk::End => return Ok::<_, Error>(found),
                Chunk::Needs(bytes) => panic!("there is room for {bytes} bytes"),
            }
        }
    };
    let mut listed = Vec::new();
    let kind = registry.kind_by_tag(Country::TAG).unwrap();
    let mut request = ListRequest { page_size: 40, order_by: "display_name desc".into(), ..ListRequest::all(kind) };
    loop {
        let page = registry.list(&request, at, &mut |_| true, &CancellationToken::new())?;
        listed.extend(page.documents.iter().map(|document| document.to_vec()));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let mut histories = Vec::new();
    for name in (0..NAMES).step_by(5).map(name) {
        // A shorter journal may not have it yet.
        let versions = match registry.revisions(&name, 1000, "", &mut |_| true) {
            Err(Error::NotFound(_)) => continue,
            found => found?.versions,
        };
        let version = |one: &partnership_registry_server::registry::Version| {
            (one.record.revision, one.action.number(), one.before.to_vec(), one.after.to_vec())
        };
        histories.push(versions.iter().map(version).collect());
    }
    let head = registry.head();
    Ok(Contents { commits, resources: walk(head)?, past: walk(head / 2)?, listed, histories })
}

const NAMES: usize = 60;

fn name(number: usize) -> String {
    format!("countries/n{number}")
}

/// A store in three states, and what it holds.
pub(super) struct Fixture {
    /// As it was some commits before the end.
    pub(super) older: Image,
    /// As it was while it was in use, with commits that sled's files did not have yet.
    pub(super) killed: Image,
    /// As it was after it had been closed.
    pub(super) closed: Image,
    pub(super) contents: Contents,
}

/// Written once for all tests here.
pub(super) fn fixture() -> &'static Fixture {
    static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
        let data = TempDir::new().unwrap();
        let mut registry = open(data.path()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let kind = registry.kind_by_tag(Country::TAG).unwrap();
        let mut dice = StdRng::seed_from_u64(1);
        let mut there = BTreeMap::new();
        let mut older = Image::default();
        for commit in 0..COMMITS {
            if commit == COMMITS * 9 / 10 {
                registry.close();
                drop(registry);
                older = Image::of(data.path());
                registry = open(data.path()).unwrap();
            }
            let (mut mutations, mut taken) = (Vec::new(), Vec::new());
            for _ in 0..dice.random_range(1..4) {
                let number = dice.random_range(0..NAMES);
                if taken.contains(&number) {
                    continue;
                }
                taken.push(number);
                let length = dice.random_range(0..600);
                let filler: String = (0..length).map(|_| char::from(dice.random_range(b'a'..=b'z'))).collect();
                let resource = Country {
                    name: name(number),
                    display_name: format!("{commit}"),
                    description: filler,
                    ..Country::default()
                }
                .into();
                let operation = match there.get(&number) {
                    None => Operation::Create { kind, id: format!("n{number}"), resource },
                    Some(true) => Operation::Undelete { kind: Some(kind), name: name(number), etag: String::new() },
                    Some(false) if dice.random_bool(0.15) => Operation::Delete {
                        kind: Some(kind),
                        name: name(number),
                        etag: String::new(),
                        allow_missing: false,
                    },
                    Some(false) => {
                        let mask = vec!["display_name".into(), "description".into()];
                        Operation::Update {
                            kind,
                            resource,
                            mask,
                            allow_missing: false,
                            reconciliation: Reconciliation::Unspecified,
                        }
                    }
                };
                there.insert(number, matches!(operation, Operation::Delete { .. }));
                let place = Place { index: Some(mutations.len()), verb: "", singular: "country" };
                mutations.push(Mutation { place, operation });
            }
            let request_id = format!("00000000-0000-4000-8000-{commit:012}");
            let request = WriteRequest { mutations, request_id, ..WriteRequest::default() };
            runtime.block_on(registry.write(request)).unwrap();
        }
        let killed = Image::of(data.path());
        let contents = contents(&registry).unwrap();
        registry.close();
        drop(registry);
        let closed = Image::of(data.path());
        assert!(closed.files_in("journal").len() >= 5, "the journal has several segments");
        Fixture { older, killed, closed, contents }
    });
    &FIXTURE
}

#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// It opens, everything is there and as it was, and sled goes with the journal.
    Whole,
    /// It does not open, and says why.
    Refused(String),
    /// It opens, and what cannot be answered is answered as damaged.
    DataLoss,
    /// It opens without the last commits.
    Shorter(usize),
    /// It opens and tells what is not so.
    Wrong(String),
}

/// Whether sled comes to go with the journal.
fn sled_is_well(registry: &Registry) -> bool {
    let health = registry.state_health();
    let began = Instant::now();
    while !health.borrow().is_well() {
        if began.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// Opens the store in a directory, reads everything, and closes it.
pub(super) fn outcome(dir: &Path, should: &Contents) -> Outcome {
    note_panics();
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let registry = match open(dir) {
            Err(error) => return Outcome::Refused(error.to_string()),
            Ok(registry) => registry,
        };
        let found = contents(&registry);
        let well = sled_is_well(&registry);
        registry.close();
        match found {
            Ok(found) if found == *should && well => Outcome::Whole,
            Ok(found) => {
                let count = found.commits.len();
                if count < should.commits.len() && found.commits == should.commits[..count] {
                    Outcome::Shorter(count)
                } else {
                    Outcome::Wrong(format!("{count} commits, other contents"))
                }
            }
            Err(Error::Damaged { .. }) => Outcome::DataLoss,
            Err(other) => Outcome::Wrong(other.to_string()),
        }
    }));
    let outcome = opened.unwrap_or_else(|_| panic!("the server's code panicked"));
    let panics = PANICS.lock().unwrap();
    assert!(panics.is_empty(), "the server's code panicked: {panics:?}");
    outcome
}

/// Panics of the server's code, in whatever thread. Those of sled are caught and healed, and need not be shown.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn note_panics() {
    static NOTED: Once = Once::new();
    NOTED.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(|location| location.file().replace('\\', "/")).unwrap_or_default();
            if place.contains("/sled-") {
                return;
            }
            if place.contains("server/src/") {
                PANICS.lock().unwrap().push(panic.to_string());
            }
            shown(panic);
        }));
    });
}
