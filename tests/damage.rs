//! Damage: every file of the journal and of sled is deleted, emptied, cut, swapped and bit by bit changed. Damage to sled
//! heals from the journal; damage to the journal is refused untouched, answered as DATA_LOSS, or harmless.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, Once};

use partnership_registry::Kind as _;
use partnership_registry::v1::{self, Country};
use partnership_registry_server::clock::SystemClock;
use partnership_registry_server::kinds;
use partnership_registry_server::registry::{
    Error, ListRequest, Mutation, OpenError, Operation, Place, Point, Registry, WriteRequest,
};
use partnership_registry_server::store::Options;
use prost::Message as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::crash::load::Stubs;
use crate::crash::{seed, setting};
use crate::harness::process::Process;

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
            page.iter().enumerate().filter(|(_, byte)| **byte != 0).map(move |(within, _)| at + within).collect::<Vec<_>>()
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
        Image(self.0.iter().filter(|(path, _)| path.starts_with(dir)).map(|(path, file)| (path.clone(), file.clone())).collect())
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
    histories: Vec<Vec<(u64, i32, Vec<u8>, Vec<u8>)>>,
}

fn contents(registry: &Registry) -> Result<Contents, Error> {
    let mut commits = Vec::new();
    let mut token = String::new();
    loop {
        let page = registry.commits(0, 1000, &token, "")?;
        commits.extend(page.entries.iter().map(|entry| (entry.revision, entry.hash.to_vec(), entry.payload.to_vec())));
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
    let mut request = ListRequest { kind, page_size: 40, order_by: "display_name desc".into(), ..ListRequest::default() };
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
            (one.record.revision, one.action, one.before.to_vec(), one.after.to_vec())
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
        let registry = open(data.path()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let kind = registry.kind_by_tag(Country::TAG).unwrap();
        let mut dice = StdRng::seed_from_u64(1);
        let mut there = BTreeMap::new();
        let mut older = Image::default();
        for commit in 0..COMMITS {
            if commit == COMMITS * 9 / 10 {
                registry.close();
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
                let resource =
                    Country { name: name(number), display_name: format!("{commit}"), description: filler, ..Country::default() }
                        .encode_to_vec();
                let operation = match there.get(&number) {
                    None => Operation::Create { kind, id: format!("n{number}"), resource },
                    Some(true) => Operation::Undelete { kind: Some(kind), name: name(number), etag: String::new() },
                    Some(false) if dice.random_bool(0.15) => {
                        Operation::Delete { kind: Some(kind), name: name(number), etag: String::new(), allow_missing: false }
                    }
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
            if commit == COMMITS * 9 / 10 {
                older = Image::of(data.path());
            }
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
