//! Damage: every file of the journal and of sled is deleted, emptied, cut, swapped and bit by bit changed. Damage to sled
//! heals from the journal; damage to the journal is refused untouched, answered as DATA_LOSS, or harmless.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test stops at whatever it did not expect")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, Once};
use std::time::{Duration, Instant};

use partnership_registry::Kind as _;
use partnership_registry::v1::{self, Country};
use partnership_registry_server::kinds;
use partnership_registry_server::registry::{
    Error, ListRequest, Mutation, OpenError, Operation, Place, Registry, WriteRequest,
};
use partnership_registry_server::store::Options;
use partnership_registry_server::time::SystemClock;
use prost::Message as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::crash::load::Stubs;
use crate::crash::{seed, setting};
use crate::harness::process::Process;
use crate::harness::{PATIENCE, commit_of, until_sled_serves};

/// Small enough that a few hundred commits fill several segments.
const SEGMENT_BYTES: u64 = 24 << 10;
const COMMITS: usize = 300;
const PAGE_BYTES: usize = 4096;

// ---------------------------------------------------------------------------------------------------------------------
// Files

/// A commit in a file of the journal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) revision: u64,
    pub(crate) offset: u64,
    pub(crate) end: u64,
}

/// The files of the journal below a data directory, oldest first.
pub(crate) fn journal_files(data: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(data.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The whole commits in a file of the journal, by its written layout.
pub(crate) fn journal_frames(file: &Path) -> Vec<Frame> {
    let bytes = fs::read(file).unwrap();
    let mut frames = Vec::new();
    let mut at = 128;
    while let Some(header) = bytes.get(at..at + 64) {
        let len = u32::from_le_bytes(header[4..8].try_into().unwrap()) as usize;
        let revision = u64::from_le_bytes(header[8..16].try_into().unwrap());
        let end = at + 64 + len;
        if end > bytes.len() {
            break;
        }
        frames.push(Frame { revision, offset: at as u64, end: end as u64 });
        at = end;
    }
    frames
}

/// The bytes of a file, without the pages that hold nothing but zeros.
#[derive(Clone, PartialEq)]
pub(crate) struct FileImage {
    len: usize,
    pages: BTreeMap<usize, Vec<u8>>,
}

impl FileImage {
    pub(crate) fn new(bytes: &[u8]) -> FileImage {
        let full = bytes.chunks(PAGE_BYTES).enumerate().filter(|(_, page)| **page != [0; PAGE_BYTES][..page.len()]);
        FileImage { len: bytes.len(), pages: full.map(|(at, page)| (at * PAGE_BYTES, page.to_vec())).collect() }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len];
        for (at, page) in &self.pages {
            bytes[*at..at + page.len()].copy_from_slice(page);
        }
        bytes
    }

    fn cut(&self, len: usize) -> FileImage {
        FileImage::new(&self.bytes()[..len])
    }

    /// Where its bytes are that are not zero.
    fn live(&self) -> Vec<usize> {
        let live = |(at, page): (&usize, &Vec<u8>)| {
            let at = *at;
            page.iter()
                .enumerate()
                .filter(|(_, byte)| **byte != 0)
                .map(move |(within, _)| at + within)
                .collect::<Vec<_>>()
        };
        self.pages.iter().flat_map(live).collect()
    }

    fn flip(&mut self, byte: usize, bit: u32) {
        let page = self.pages.get_mut(&(byte / PAGE_BYTES * PAGE_BYTES)).unwrap();
        page[byte % PAGE_BYTES] ^= 1 << bit;
    }
}

/// All files below a directory, by their relative paths.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Image(pub(crate) BTreeMap<PathBuf, FileImage>);

impl Image {
    pub(crate) fn of(dir: &Path) -> Image {
        let mut image = Image::default();
        image.add(dir, Path::new(""));
        image
    }

    fn add(&mut self, dir: &Path, below: &Path) {
        for entry in fs::read_dir(dir.join(below)).unwrap() {
            let entry = entry.unwrap();
            let path = below.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                self.add(dir, &path);
            } else if let Ok(bytes) = fs::read(entry.path()) {
                // A file that is gone by now belongs to a store in use.
                self.0.insert(path, FileImage::new(&bytes));
            }
        }
    }

    /// Makes a directory of it.
    pub(crate) fn write(&self, dir: &Path) {
        for (path, file) in &self.0 {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let written = File::create(&path).unwrap();
            written.set_len(file.len as u64).unwrap();
            for (at, page) in &file.pages {
                written.write_all_at(page, *at as u64).unwrap();
            }
        }
    }

    fn write_new(&self) -> TempDir {
        let dir = TempDir::new().unwrap();
        self.write(dir.path());
        dir
    }

    /// The files in one of its directories.
    fn files_in(&self, dir: &str) -> Vec<PathBuf> {
        self.0.keys().filter(|path| path.starts_with(dir)).cloned().collect()
    }

    fn only(&self, dir: &str) -> Image {
        Image(
            self.0
                .iter()
                .filter(|(path, _)| path.starts_with(dir))
                .map(|(path, file)| (path.clone(), file.clone()))
                .collect(),
        )
    }

    fn with(&self, path: &Path, file: FileImage) -> Image {
        let mut image = self.clone();
        image.0.insert(path.to_path_buf(), file);
        image
    }

    fn without(&self, path: &Path) -> Image {
        let mut image = self.clone();
        image.0.remove(path);
        image
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// A store, and what it must answer

pub(crate) fn open(dir: &Path) -> Result<Registry, OpenError> {
    let options = Options { segment_bytes_max: SEGMENT_BYTES, cache_bytes_max: 16 << 20, ..Options::default() };
    Registry::open(dir, &options, kinds::ALL, Arc::new(SystemClock))
}

/// A version as the registry tells it: its revision, what was done, and the resource before and after.
type Told = (u64, i32, Vec<u8>, Vec<u8>);

/// Everything that a registry answers.
#[derive(Debug, PartialEq)]
struct Contents {
    /// Revision, hash and content of each commit.
    commits: Vec<(u64, Vec<u8>, Vec<u8>)>,
    /// All resources at the head, and in the middle of the history.
    resources: Vec<Vec<u8>>,
    past: Vec<Vec<u8>>,
    /// A listing of countries in pages, by another order than that of names.
    listed: Vec<Vec<u8>>,
    /// The history of some.
    histories: Vec<Vec<Told>>,
}

fn contents(registry: &Registry) -> Result<Contents, Error> {
    let mut commits = Vec::new();
    let mut token = String::new();
    loop {
        let page = registry.commits(0, 1000, &token, "")?;
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
    let everything = registry.select(&[], "")?;
    let walk = |at| {
        let mut found = Vec::new();
        registry.walk(&everything, at, true, &mut |envelope| {
            found.push(envelope.to_vec());
            true
        })?;
        Ok::<_, Error>(found)
    };
    let mut listed = Vec::new();
    let kind = registry.kind_by_tag(Country::TAG).unwrap();
    let mut request = ListRequest { page_size: 40, order_by: "display_name desc".into(), ..ListRequest::all(kind) };
    loop {
        let page = registry.list(&request)?;
        listed.extend(page.documents.iter().map(|document| document.to_vec()));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let mut histories = Vec::new();
    for name in (0..NAMES).step_by(5).map(name) {
        // A shorter journal may not have it yet.
        let versions = match registry.revisions(&name, 1000, "") {
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
struct Fixture {
    /// As it was some commits before the end.
    older: Image,
    /// As it was while it was in use, with commits that sled's files did not have yet.
    killed: Image,
    /// As it was after it had been closed.
    closed: Image,
    contents: Contents,
}

/// Written once for all tests here.
fn fixture() -> &'static Fixture {
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
                .encode_to_vec();
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
                        Operation::Update { kind, resource, mask, allow_missing: false }
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

// ---------------------------------------------------------------------------------------------------------------------
// What became of a damaged store

#[derive(Debug, PartialEq)]
enum Outcome {
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
fn outcome(dir: &Path, should: &Contents) -> Outcome {
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

/// Holds that a refusal says what is wrong, where, and what to do, and has changed nothing.
fn assert_refused_well(what: &str, told: &str, dir: &Path, before: &Image) {
    let where_it_is = dir.join("journal").display().to_string();
    assert!(told.contains(&where_it_is), "{what}: does not say where: {told}");
    assert!(told.contains("Nothing was changed."), "{what}: {told}");
    assert!(
        told.contains("Restore ") || told.contains("Start the newer version"),
        "{what}: does not say what to do: {told}"
    );
    let after = Image::of(dir);
    assert!(after.only("journal") == before.only("journal"), "{what}: the journal was changed");
    // The state that knows more than the journal had to be opened to be asked.
    if !told.contains("has lost its end") {
        assert!(after.only("sled") == before.only("sled"), "{what}: the state was changed");
    }
}

/// Places at which to cut a file: in its beginning, its middle and its live end.
fn cuts(file: &FileImage) -> Vec<usize> {
    let live = file.live().last().map_or(0, |last| last + 1);
    let mut cuts = vec![1, 16, 127, live / 4, live / 2, live * 3 / 4, live.saturating_sub(70), live.saturating_sub(1)];
    cuts.retain(|cut| *cut < live);
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

/// Runs a check for each case, on two threads.
pub(crate) fn for_each_case<T: Sync>(cases: &[T], check: impl Fn(&T) + Sync) {
    let (front, back) = cases.split_at(cases.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| front.iter().for_each(&check));
        scope.spawn(|| back.iter().for_each(&check));
    });
}

/// Random bits of the live bytes of the files in a directory of an image.
fn random_bits(image: &Image, dir: &str, count: u64, dice: &mut StdRng) -> Vec<(PathBuf, usize, u32)> {
    let files = image.files_in(dir).into_iter().map(|path| (image.0[&path].live(), path));
    let live: Vec<_> = files.flat_map(|(live, path)| live.into_iter().map(move |byte| (path.clone(), byte))).collect();
    let mut bit = || {
        let (path, byte) = &live[dice.random_range(0..live.len())];
        (path.clone(), *byte, dice.random_range(0..8))
    };
    (0..count).map(|_| bit()).collect()
}

fn flips() -> u64 {
    setting("PARTNERSHIP_TEST_BIT_FLIPS").unwrap_or(300)
}

// ---------------------------------------------------------------------------------------------------------------------
// sled

#[test]
fn a_store_opens_whole_after_a_clean_end_and_after_a_kill() {
    let fixture = fixture();
    for image in [&fixture.closed, &fixture.killed] {
        let dir = image.write_new();
        assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Whole);
        assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Whole, "opened once more");
    }
}

#[test]
fn damage_to_any_file_of_sled_heals_with_nothing_lost() {
    let fixture = fixture();
    let mut cases = Vec::new();
    for (state, image) in [("closed", &fixture.closed), ("killed", &fixture.killed)] {
        let files = image.files_in("sled");
        let none = files.iter().fold(image.clone(), |image, file| image.without(file));
        cases.push((format!("{state}: no sled at all"), none.clone()));
        let all_older =
            fixture.older.only("sled").0.into_iter().fold(none, |image, (path, file)| image.with(&path, file));
        cases.push((format!("{state}: all of sled as it was earlier"), all_older));
        let unfinished = Path::new("sled/snap.0000000000000000.generating");
        cases.push((format!("{state}: an unfinished snapshot"), image.with(unfinished, FileImage::new(b"half"))));
        for path in files {
            let (whole, told) = (&image.0[&path], path.display());
            cases.push((format!("{state}: {told} deleted"), image.without(&path)));
            cases.push((format!("{state}: {told} emptied"), image.with(&path, FileImage::new(b""))));
            cases.push((format!("{state}: {told} is garbage"), image.with(&path, FileImage::new(&[0xa5; 5000]))));
            for cut in cuts(whole) {
                cases.push((format!("{state}: {told} cut at {cut}"), image.with(&path, whole.cut(cut))));
            }
            if let Some(older) = fixture.older.0.get(&path) {
                cases.push((format!("{state}: {told} as it was earlier"), image.with(&path, older.clone())));
            }
        }
    }
    for_each_case(&cases, |(what, image)| {
        let dir = image.write_new();
        assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Whole, "{what}");
        assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Whole, "{what}: opened once more");
    });
    println!("{} ways to damage sled", cases.len());
}

#[test]
fn any_flipped_bit_in_sled_heals_with_nothing_lost() {
    let fixture = fixture();
    let mut dice = StdRng::seed_from_u64(seed());
    let mut cases = Vec::new();
    for (state, image) in [("closed", &fixture.closed), ("killed", &fixture.killed)] {
        cases.extend(random_bits(image, "sled", flips() / 2, &mut dice).into_iter().map(|bit| (state, image, bit)));
    }
    for_each_case(&cases, |(state, image, (path, byte, bit))| {
        let mut image = (*image).clone();
        image.0.get_mut(path).unwrap().flip(*byte, *bit);
        let dir = image.write_new();
        let outcome = outcome(dir.path(), &fixture.contents);
        assert_eq!(outcome, Outcome::Whole, "{state}: bit {bit} of byte {byte} of {}", path.display());
    });
}

// ---------------------------------------------------------------------------------------------------------------------
// The journal

#[test]
fn damage_to_any_file_of_the_journal_is_refused_and_changes_nothing() {
    let fixture = fixture();
    let image = &fixture.closed;
    let files = image.files_in("journal");
    let mut cases = Vec::new();
    let none = files.iter().fold(image.clone(), |image, file| image.without(file));
    let all_older =
        fixture.older.only("journal").0.into_iter().fold(none.clone(), |image, (path, file)| image.with(&path, file));
    cases.push(("no journal at all".to_owned(), none));
    cases.push(("all of the journal as it was earlier".to_owned(), all_older));
    let other = files[0].with_file_name("copy.seg");
    cases.push(("a file that is no segment".to_owned(), image.with(&other, FileImage::new(b"hello"))));
    for (at, path) in files.iter().enumerate() {
        let (whole, told) = (&image.0[path], path.display());
        cases.push((format!("{told} deleted"), image.without(path)));
        cases.push((format!("{told} emptied"), image.with(path, FileImage::new(b""))));
        cases.push((format!("{told} is garbage"), image.with(path, FileImage::new(&[0xa5; 5000]))));
        cases.push((format!("{told} is zeros"), image.with(path, FileImage::new(&vec![0; whole.len]))));
        for cut in cuts(whole) {
            cases.push((format!("{told} cut at {cut}"), image.with(path, whole.cut(cut))));
        }
        if let Some(older) = fixture.older.0.get(path).filter(|older| *older != whole) {
            cases.push((format!("{told} as it was earlier"), image.with(path, older.clone())));
        }
        let next = &files[(at + 1) % files.len()];
        cases.push((format!("{told} holds {}", next.display()), image.with(path, image.0[next].clone())));
        let twice = [whole.bytes(), whole.bytes()[128..].to_vec()].concat();
        cases.push((format!("{told} has all commits twice"), image.with(path, FileImage::new(&twice))));
    }
    for_each_case(&cases, |(what, image)| {
        let dir = image.write_new();
        match outcome(dir.path(), &fixture.contents) {
            Outcome::Refused(told) => assert_refused_well(what, &told, dir.path(), image),
            other => panic!("{what}: {other:?}"),
        }
        // The way out that the message names: what was damaged comes back, and so does everything.
        if dir.path().join("journal").exists() {
            fs::remove_dir_all(dir.path().join("journal")).unwrap();
        }
        fixture.closed.only("journal").write(dir.path());
        assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Whole, "{what}: restored");
    });
    println!("{} ways to damage the journal", cases.len());
}

#[test]
fn any_flipped_bit_in_the_journal_is_refused_and_changes_nothing() {
    let fixture = fixture();
    let mut dice = StdRng::seed_from_u64(seed());
    let mut cases = Vec::new();
    for (state, image) in [("closed", &fixture.closed), ("killed", &fixture.killed)] {
        cases.extend(random_bits(image, "journal", flips() / 2, &mut dice).into_iter().map(|bit| (state, image, bit)));
        // The last commit is where damage looks most like a crash.
        let last = image.files_in("journal").pop().unwrap();
        let len = image.0[&last].len;
        cases.extend(
            (0..20).map(|_| (state, image, (last.clone(), len - dice.random_range(1..200), dice.random_range(0..8)))),
        );
    }
    for_each_case(&cases, |(state, image, (path, byte, bit))| {
        let mut image = (*image).clone();
        image.0.get_mut(path).unwrap().flip(*byte, *bit);
        let dir = image.write_new();
        let what = format!("{state}: bit {bit} of byte {byte} of {}", path.display());
        match outcome(dir.path(), &fixture.contents) {
            Outcome::Refused(told) => {
                assert_refused_well(&what, &told, dir.path(), &image);
                assert!(
                    told.contains("byte") && told.contains(&dir.path().join(path).display().to_string()),
                    "{what}: {told}"
                );
            }
            other => panic!("{what}: {other:?}"),
        }
    });
}

/// What a crash leaves cannot be told from a cut in commits that nothing but the journal knows of. A cut further in can.
#[test]
fn a_journal_that_is_cut_after_a_kill_is_refused_from_where_sled_knew_of_it() {
    let fixture = fixture();
    let image = &fixture.killed;
    let last = image.files_in("journal").pop().unwrap();
    let whole = &image.0[&last];
    let dir = image.write_new();
    let frames = journal_frames(&dir.path().join(&last));
    let (mut refused, mut shorter) = (0, 0);
    for frame in frames {
        for cut in [frame.offset, frame.offset + 9, frame.end - 1] {
            let what = format!("cut at {cut}, in revision {}", frame.revision);
            let image = image.with(&last, whole.cut(usize::try_from(cut).unwrap()));
            let dir = image.write_new();
            match outcome(dir.path(), &fixture.contents) {
                Outcome::Refused(told) => {
                    assert_eq!(shorter, 0, "{what}: refused, though an earlier cut was not");
                    assert_refused_well(&what, &told, dir.path(), &image);
                    refused += 1;
                }
                Outcome::Shorter(count) => {
                    assert_eq!(count as u64, frame.revision - 1, "{what}");
                    shorter += 1;
                }
                other => panic!("{what}: {other:?}"),
            }
        }
    }
    println!("{refused} cuts were refused, {shorter} looked like a crash");
}

#[test]
fn the_check_notices_commits_that_are_lost_or_changed() {
    let fixture = fixture();
    let files = fixture.closed.files_in("sled");
    let unwitnessed = files.iter().fold(fixture.closed.clone(), |image, file| image.without(file));
    let last = unwitnessed.files_in("journal").pop().unwrap();
    let dir = unwitnessed.with(&last, unwitnessed.0[&last].cut(unwitnessed.0[&last].len - 1)).write_new();
    assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Shorter(COMMITS - 1));
    let mut other = contents(&open(fixture.closed.write_new().path()).unwrap()).unwrap();
    other.past.pop();
    let dir = fixture.closed.write_new();
    assert!(matches!(outcome(dir.path(), &other), Outcome::Wrong(_)));
}

// ---------------------------------------------------------------------------------------------------------------------
// The real binary

#[test]
fn a_newer_format_is_refused_untouched() {
    let fixture = fixture();
    for path in fixture.closed.files_in("journal") {
        let mut image = fixture.closed.clone();
        let mut bytes = image.0[&path].bytes();
        bytes[8] = 2;
        image.0.insert(path.clone(), FileImage::new(&bytes));
        let dir = image.write_new();
        let ended = Process::try_start(dir.path(), |_| {}).err().expect("a newer format is refused");
        assert_eq!(ended.status.code(), Some(1));
        assert!(ended.log.contains("was written by a newer version of this server, in format 2"), "{}", ended.log);
        assert!(ended.log.contains(&dir.path().join(&path).display().to_string()), "{}", ended.log);
        assert!(Image::of(dir.path()) == image, "{} was changed", path.display());
    }
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let dir = fixture().closed.write_new();
    let first = Process::start(dir.path());
    let ended = Process::try_start(dir.path(), |_| {}).err().expect("a second server is refused");
    assert_eq!(ended.status.code(), Some(1));
    let told = format!("The data directory {} is in use by another server.", dir.path().display());
    assert!(ended.log.contains(&told), "{}", ended.log);
    let stopped = first.stop();
    assert!(stopped.status.success(), "{}", stopped.log);
    assert_eq!(outcome(dir.path(), &fixture().contents), Outcome::Whole);
}

#[test]
fn the_binary_refuses_a_damaged_journal_with_what_is_wrong_where_and_what_to_do() {
    let fixture = fixture();
    let path = fixture.closed.files_in("journal").swap_remove(1);
    let mut image = fixture.closed.clone();
    image.0.get_mut(&path).unwrap().flip(300, 3);
    let dir = image.write_new();
    let ended = Process::try_start(dir.path(), |_| {}).err().expect("a damaged journal is refused");
    assert_eq!(ended.status.code(), Some(1));
    let told = format!("error: The journal is damaged in {} at byte 128: ", dir.path().join(&path).display());
    assert!(ended.log.contains(&told), "{}", ended.log);
    assert!(ended.log.contains("Nothing was changed. Restore that file from a backup"), "{}", ended.log);
    assert!(!ended.log.contains("panicked"), "{}", ended.log);
    assert!(Image::of(dir.path()).only("journal") == image.only("journal"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_that_comes_while_the_server_runs_is_data_loss_for_what_it_hit_and_for_nothing_else() {
    let dir = fixture().closed.write_new();
    let server = Process::start(dir.path());
    let channel = server.channel().await;
    until_sled_serves(&channel).await;
    let mut stubs = Stubs::new(&channel);
    let good = stubs.observe().await;
    let files = journal_files(dir.path());
    let mut dice = StdRng::seed_from_u64(seed());
    for file in &files {
        let frames = journal_frames(file);
        let frame = frames[dice.random_range(0..frames.len())];
        let commit = &good.commits[usize::try_from(frame.revision).unwrap() - 1];
        let (byte, bit) = (dice.random_range(frame.offset..frame.end), dice.random_range(0..8));
        let what = format!("bit {bit} of byte {byte} of {}, in revision {}", file.display(), frame.revision);
        let flip = || {
            let file = File::options().read(true).write(true).open(file).unwrap();
            let mut found = [0];
            file.read_exact_at(&mut found, byte).unwrap();
            file.write_all_at(&[found[0] ^ 1 << bit], byte).unwrap();
        };
        flip();
        let lost = |status: tonic::Status| {
            assert_eq!(status.code(), Code::DataLoss, "{what}: {status}");
            let details = status.get_error_details();
            let info = details.error_info().unwrap();
            assert_eq!(info.reason, "DAMAGED", "{what}");
            assert_eq!(info.metadata["revision"], frame.revision.to_string(), "{what}");
        };
        let revision =
            |name: &str, revision: u64| v1::GetRevisionRequest { name: format!("{name}/revisions/{revision}") };
        for change in &commit.changes {
            lost(stubs.registry.get_revision(revision(&change.name, frame.revision)).await.unwrap_err());
            // As it is now it is in sled, and the journal is not asked.
            let now = stubs.countries.get_country(get(&change.name, 0)).await.unwrap().into_inner();
            assert!(good.resources.contains(&now.clone().into()), "{what}");
            let then = stubs.countries.get_country(get(&change.name, frame.revision)).await;
            match then {
                Err(status) => lost(status),
                // It has not changed since.
                Ok(then) => assert_eq!(then.into_inner(), now, "{what}"),
            }
        }
        let page = v1::ListCommitsRequest { after_revision: frame.revision - 1, page_size: 1, ..Default::default() };
        lost(stubs.registry.list_commits(page).await.unwrap_err());
        for other in good.commits.iter().filter(|other| other.revision.abs_diff(frame.revision) == 1) {
            let page =
                v1::ListCommitsRequest { after_revision: other.revision - 1, page_size: 1, ..Default::default() };
            let found = stubs.registry.list_commits(page).await.unwrap().into_inner().commits;
            assert_eq!(found, std::slice::from_ref(other), "{what}");
        }
        flip();
        assert!(stubs.observe().await.commits == good.commits, "{what}: put right");
    }
    // It goes on taking writes, also while the past is damaged.
    let create = v1::CreateCountryRequest {
        country_id: "another".into(),
        country: Some(Country { display_name: "Another".into(), ..Country::default() }),
        ..Default::default()
    };
    stubs.countries.create_country(create).await.unwrap();
    let log = server.log();
    assert!(log.contains("the journal could not be read") && !log.contains("panicked"), "{log}");
}

fn get(name: &str, read_revision: u64) -> v1::GetCountryRequest {
    v1::GetCountryRequest { name: name.to_owned(), read_revision, ..Default::default() }
}
