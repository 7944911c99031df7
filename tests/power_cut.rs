//! Power cuts: a recorder under the real binary writes down every change to its files and every fsync, while clients
//! write. From the log, directories are built as a disk could hold them after the power failed at some point: what was
//! fsynced is there, and of the rest anything between nothing and all, torn at sectors. Each must open with everything
//! that had been acknowledged by then.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test stops at whatever it did not expect")]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use partnership_registry::v1::Commit;
use partnership_registry_server::registry::Registry;
use prost::Message as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;

use crate::crash::load::{Client, Shared, Stubs, read_on};
use crate::crash::oracle::{Observed, Witness};
use crate::crash::{seed, setting};
use crate::damage::{FileImage, Image, for_each_case, open};
use crate::harness::process::{DEADLINE, Process};

const SECTOR_BYTES: usize = 512;

// ---------------------------------------------------------------------------------------------------------------------
// The recorder and its log

/// The recorder, compiled once by the compiler that is at hand.
fn recorder() -> &'static Path {
    static RECORDER: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let compile = || {
        let dir = TempDir::new().unwrap();
        let library = dir.path().join("librecorder.so");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let compiled = Command::new(rustc)
            .args(["--edition", "2024", "--crate-type", "cdylib", "-C", "opt-level=1", "-C", "panic=abort", "-o"])
            .arg(&library)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power_cut/recorder.rs"))
            .status()
            .expect("rustc runs");
        assert!(compiled.success(), "the recorder does not compile");
        (dir, library)
    };
    &RECORDER.get_or_init(compile).1
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Begin,
    Open,
    Create,
    Truncate,
    Write,
    Sync,
    Rename,
    Remove,
    MakeDir,
}

/// Something that the server did to its files.
#[derive(Debug)]
struct Event {
    kind: Kind,
    fd: i32,
    number: u64,
    data: Vec<u8>,
    /// How long the log was with this event.
    position: u64,
}

impl Event {
    fn names(&self) -> Vec<String> {
        let text = std::str::from_utf8(&self.data).unwrap();
        text.split('\0').map(str::to_owned).collect()
    }
}

fn read_log(log: &Path) -> Vec<Event> {
    use Kind::{Begin, Create, MakeDir, Open, Remove, Rename, Sync, Truncate, Write};
    let bytes = std::fs::read(log).unwrap();
    let mut events = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        // The kill may have come in the middle of the last record: that call was never answered.
        let Some((record, after)) = after.split_at_checked(length) else { break };
        rest = after;
        let kinds = [Begin, Open, Create, Truncate, Write, Sync, Rename, Remove, MakeDir];
        events.push(Event {
            kind: kinds[usize::from(record[0])],
            fd: i32::from_le_bytes(record[1..5].try_into().unwrap()),
            number: u64::from_le_bytes(record[5..13].try_into().unwrap()),
            data: record[13..].to_vec(),
            position: (bytes.len() - rest.len()) as u64,
        });
    }
    events
}

// ---------------------------------------------------------------------------------------------------------------------
// The disk

/// What a disk holds for certain, and what it was told since.
#[derive(Default)]
struct Disk {
    nodes: Vec<Node>,
    open: HashMap<i32, usize>,
}

enum Node {
    File { durable: Vec<u8>, pending: Vec<Change> },
    Dir { live: Entries, durable: Entries, pending: Vec<Naming> },
}

type Entries = BTreeMap<String, usize>;

enum Change {
    Write { offset: usize, data: Vec<u8> },
    Truncate(usize),
}

/// Entries of a directory that change at once: a rename takes one away and gives another.
type Naming = Vec<(String, Option<usize>)>;

/// How much of what is not durable a power cut leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Left {
    Nothing,
    Everything,
    /// The first calls of each file, the last of them perhaps in part.
    Prefix,
    /// Any sectors, of any calls.
    Sectors,
}

const ROOT: usize = 0;

impl Disk {
    fn new() -> Disk {
        Disk { nodes: vec![Node::dir()], open: HashMap::new() }
    }

    fn find(&self, path: &str) -> Option<usize> {
        path.split('/').filter(|part| !part.is_empty()).try_fold(ROOT, |at, part| match &self.nodes[at] {
            Node::Dir { live, .. } => live.get(part).copied(),
            Node::File { .. } => None,
        })
    }

    fn name(&mut self, dir: &str, naming: Naming) {
        let dir = self.find(dir).unwrap_or_else(|| panic!("there is no directory {dir:?}"));
        let Node::Dir { live, pending, .. } = &mut self.nodes[dir] else { panic!("no directory") };
        apply(live, &naming);
        pending.push(naming);
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn follow(&mut self, event: &Event) {
        match event.kind {
            // Another process: nothing is open in it. What the system knows it still knows.
            Kind::Begin => self.open.clear(),
            Kind::Open => {
                let path = &event.names()[0];
                // A file that has no name any more can still be written, and will not be missed.
                let node = self.find(path).unwrap_or_else(|| self.add(Node::file()));
                self.open.insert(event.fd, node);
            }
            Kind::Create | Kind::MakeDir => {
                let path = event.names().swap_remove(0);
                let (dir, name) = path.rsplit_once('/').unwrap_or(("", &path));
                let node = self.add(if event.kind == Kind::Create { Node::file() } else { Node::dir() });
                self.name(dir, vec![(name.to_owned(), Some(node))]);
                if event.kind == Kind::Create {
                    self.open.insert(event.fd, node);
                }
            }
            Kind::Remove => {
                let path = event.names().swap_remove(0);
                let (dir, name) = path.rsplit_once('/').unwrap_or(("", &path));
                self.name(dir, vec![(name.to_owned(), None)]);
            }
            Kind::Rename => {
                let names = event.names();
                let [from, to] = names.as_slice() else { panic!("a rename has two names") };
                let node = self.find(from).unwrap();
                let (from_dir, from) = from.rsplit_once('/').unwrap_or(("", from));
                let (to_dir, to) = to.rsplit_once('/').unwrap_or(("", to));
                assert_eq!(from_dir, to_dir, "a rename from one directory to another is not foreseen here");
                self.name(to_dir, vec![(from.to_owned(), None), (to.to_owned(), Some(node))]);
            }
            Kind::Write => {
                self.change(event, Change::Write { offset: to_usize(event.number), data: event.data.clone() })
            }
            Kind::Truncate => self.change(event, Change::Truncate(to_usize(event.number))),
            Kind::Sync => match &mut self.nodes[self.open[&event.fd]] {
                Node::File { durable, pending } => pending.drain(..).for_each(|change| change.apply(durable)),
                Node::Dir { live, durable, pending } => {
                    durable.clone_from(live);
                    pending.clear();
                }
            },
        }
    }

    fn change(&mut self, event: &Event, change: Change) {
        let Node::File { pending, .. } = &mut self.nodes[self.open[&event.fd]] else {
            panic!("a directory was written")
        };
        pending.push(change);
    }

    /// Whether a file of the journal has changes that are not durable.
    fn journal_pending(&self) -> bool {
        let Some(Node::Dir { live, .. }) = self.find("journal").map(|journal| &self.nodes[journal]) else {
            return false;
        };
        live.values().any(|file| matches!(&self.nodes[*file], Node::File { pending, .. } if !pending.is_empty()))
    }

    /// The files as a power cut may leave them.
    fn cut(&self, left: Option<Left>, dice: &mut StdRng) -> Image {
        let mut image = Image::default();
        self.cut_below(ROOT, &PathBuf::new(), left, dice, &mut image);
        image
    }

    fn cut_below(&self, node: usize, path: &Path, left: Option<Left>, dice: &mut StdRng, image: &mut Image) {
        // Without a choice for all, each file and each directory has its own.
        let all = [Left::Nothing, Left::Everything, Left::Prefix, Left::Sectors];
        let here = left.unwrap_or_else(|| all[dice.random_range(0..all.len())]);
        match &self.nodes[node] {
            Node::File { durable, pending } => {
                let mut bytes = durable.clone();
                cut_file(&mut bytes, pending, here, dice);
                image.0.insert(path.to_path_buf(), FileImage::new(&bytes));
            }
            Node::Dir { durable, pending, .. } => {
                let mut entries = durable.clone();
                let kept = kept(pending.len(), here, dice);
                pending.iter().zip(kept).filter(|(_, kept)| *kept).for_each(|(naming, _)| apply(&mut entries, naming));
                for (name, node) in entries {
                    self.cut_below(node, &path.join(name), left, dice, image);
                }
            }
        }
    }
}

impl Node {
    fn file() -> Node {
        Node::File { durable: Vec::new(), pending: Vec::new() }
    }

    fn dir() -> Node {
        Node::Dir { live: Entries::new(), durable: Entries::new(), pending: Vec::new() }
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::Write { offset, data } => write(bytes, *offset, data),
            Change::Truncate(len) => bytes.resize(*len, 0),
        }
    }
}

fn write(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(data);
}

fn apply(entries: &mut Entries, naming: &Naming) {
    for (name, node) in naming {
        match node {
            Some(node) => drop(entries.insert(name.clone(), *node)),
            None => drop(entries.remove(name)),
        }
    }
}

/// Which of so many calls a power cut leaves.
fn kept(count: usize, left: Left, dice: &mut StdRng) -> Vec<bool> {
    match left {
        Left::Nothing => vec![false; count],
        Left::Everything => vec![true; count],
        Left::Prefix => {
            let kept = dice.random_range(0..=count);
            (0..count).map(|at| at < kept).collect()
        }
        Left::Sectors => (0..count).map(|_| dice.random()).collect(),
    }
}

fn cut_file(bytes: &mut Vec<u8>, pending: &[Change], left: Left, dice: &mut StdRng) {
    if left != Left::Sectors {
        let kept = kept(pending.len(), left, dice);
        let last = kept.iter().rposition(|kept| *kept);
        for (at, change) in pending.iter().enumerate().filter(|(at, _)| kept[*at]) {
            match change {
                Change::Write { offset, data } if left == Left::Prefix && Some(at) == last => {
                    // Torn, at any byte: nothing is promised about where.
                    write(bytes, *offset, &data[..dice.random_range(0..=data.len())]);
                }
                change => change.apply(bytes),
            }
        }
        return;
    }
    let share = [0.1, 0.5, 0.9][dice.random_range(0..3)];
    // The length may be known to the disk though the bytes are not there.
    let grows: bool = dice.random();
    for change in pending {
        match change {
            Change::Write { offset, data } => {
                let end = offset + data.len();
                if grows && bytes.len() < end {
                    bytes.resize(end, 0);
                }
                let mut at = *offset;
                while at < end {
                    let next = (at / SECTOR_BYTES * SECTOR_BYTES + SECTOR_BYTES).min(end);
                    if dice.random_bool(share) {
                        write(bytes, at, &data[at - offset..next - offset]);
                    }
                    at = next;
                }
            }
            Change::Truncate(_) if dice.random_bool(share) => change.apply(bytes),
            Change::Truncate(_) => {}
        }
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

// ---------------------------------------------------------------------------------------------------------------------
// A run, and what is held against it

struct Run {
    log: PathBuf,
    events: Vec<Event>,
    witness: Witness,
    _dir: TempDir,
}

/// Three lives of a server under load, recorded: two end by a kill, the one between them cleanly.
async fn run(seed: u64, without_fdatasync: bool) -> Run {
    let dir = TempDir::new().unwrap();
    let (data, log) = (dir.path().join("data"), dir.path().join("log"));
    std::fs::create_dir(&data).unwrap();
    std::fs::write(&log, b"").unwrap();
    let data = data.canonicalize().unwrap();
    let length_of = log.clone();
    let shared = Shared::new(move || std::fs::metadata(&length_of).unwrap().len());
    let mut dice = StdRng::seed_from_u64(seed);
    for life in 0..3 {
        let server = Process::start_with(&data, |command| {
            command.env("LD_PRELOAD", recorder()).env("RECORDER_LOG", &log).env("RECORDER_ROOT", &data);
            command.args(["--segment-mib", "1"]);
            if without_fdatasync {
                command.env("PARTNERSHIP_TEST_WITHOUT_FDATASYNC", "1");
            }
        });
        let channel = server.channel().await;
        let mut stubs = Stubs::new(&channel);
        let there = stubs.observe().await;
        let seen = (there.commits.len() as u64, (shared.position)());
        shared.witness.lock().unwrap().seen.push(seen);
        let mut running = Vec::new();
        for slot in 0..6 {
            let client = Client::new(format!("c{slot}-{life}"), &channel, &shared, dice.random(), &there.resources);
            running.push(tokio::spawn(client.run()));
        }
        running.push(tokio::spawn(read_on(stubs, shared.clone())));
        shared.answered(150, DEADLINE).await;
        if life == 1 {
            let ended = server.stop();
            assert!(ended.status.success(), "{}", ended.log);
            assert_recorded_whole(&read_log(&log), &data);
        } else {
            server.kill();
        }
        for client in running {
            client.await.unwrap();
        }
    }
    let witness = shared.witness.lock().unwrap().clone();
    Run { events: read_log(&log), log, witness, _dir: dir }
}

/// The recorder has missed nothing: if all of its log is on the disk, that is what the directory holds.
fn assert_recorded_whole(events: &[Event], data: &Path) {
    assert!(
        events.iter().filter(|event| event.kind == Kind::Write).count() > 20,
        "there is next to nothing in the log"
    );
    let mut disk = Disk::new();
    events.iter().for_each(|event| disk.follow(event));
    let image = disk.cut(Some(Left::Everything), &mut StdRng::seed_from_u64(0));
    let there = Image::of(data);
    assert!(image.0.keys().eq(there.0.keys()), "{:?} and not {:?}", image.0.keys(), there.0.keys());
    for (path, file) in &image.0 {
        assert!(*file == there.0[path], "the log has another content of {}", path.display());
    }
}

impl Run {
    /// Builds what power cuts at random points leave, in batches, and hands each to a check. The number of all points is
    /// that of the variable, or `count`.
    fn cut_at_random_points(&self, count: usize, dice: &mut StdRng, check: impl Fn(&Cut) + Sync) {
        let mut points = Vec::new();
        let mut disk = Disk::new();
        // Half of the points lie where the journal has just been written and not yet been made durable.
        let mut in_the_middle = Vec::new();
        for (at, event) in self.events.iter().enumerate() {
            disk.follow(event);
            if disk.journal_pending() {
                in_the_middle.push(at);
            }
        }
        for number in 0..count {
            let anywhere = number % 2 == 0 || in_the_middle.is_empty();
            let point = if anywhere {
                dice.random_range(0..self.events.len())
            } else {
                in_the_middle[dice.random_range(0..in_the_middle.len())]
            };
            points.push(point);
        }
        points.sort_unstable();
        let mut disk = Disk::new();
        let mut done = 0;
        for batch in points.chunks(10) {
            let mut cuts = Vec::new();
            for point in batch {
                while done <= *point {
                    disk.follow(&self.events[done]);
                    done += 1;
                }
                let all = [None, Some(Left::Nothing), Some(Left::Everything), Some(Left::Prefix), Some(Left::Sectors)];
                let left = all[dice.random_range(0..all.len())];
                let position = self.events[*point].position;
                cuts.push(Cut { point: *point, position, left, image: disk.cut(left, dice) });
            }
            for_each_case(&cuts, &check);
        }
    }

    /// Opens what a power cut left, and holds it against what was acknowledged before.
    fn check(&self, cut: &Cut) -> Result<(), String> {
        let dir = TempDir::new().unwrap();
        cut.image.write(dir.path());
        let registry = open(dir.path()).map_err(|error| format!("it does not open: {error}"))?;
        let observed = observe(&registry);
        registry.close();
        self.witness.check(&observed?, cut.position).map(drop)
    }
}

/// What a power cut left.
struct Cut {
    point: usize,
    /// How long the log was then.
    position: u64,
    left: Option<Left>,
    image: Image,
}

/// Everything that a registry holds, without a server.
fn observe(registry: &Registry) -> Result<Observed, String> {
    let mut commits = Vec::new();
    for revision in 0..registry.head() {
        let page = registry.commits(revision, 1, "", "").map_err(|error| error.to_string())?;
        for entry in page.entries {
            let mut commit = Commit::decode(entry.payload).map_err(|error| error.to_string())?;
            commit.parent_hash = entry.parent_hash.to_vec();
            commit.hash = entry.hash.to_vec();
            commits.push(commit);
        }
    }
    let mut resources = Vec::new();
    let everything = registry.select(&[], "").map_err(|error| error.to_string())?;
    let mut envelopes = Vec::new();
    let mut keep = |envelope| {
        envelopes.push(envelope);
        true
    };
    registry.walk(&everything, registry.head(), true, &mut keep).map_err(|error| error.to_string())?;
    for envelope in envelopes {
        resources.push(partnership_registry::v1::Resource::decode(envelope).map_err(|error| error.to_string())?);
    }
    Ok(Observed { commits, resources })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_power_cut_everything_acknowledged_is_there() {
    let seed = seed();
    let run = run(seed, false).await;
    let mut dice = StdRng::seed_from_u64(seed);
    let points = to_usize(setting("PARTNERSHIP_TEST_POWER_CUTS").unwrap_or(100));
    run.cut_at_random_points(points, &mut dice, |cut| {
        let (point, left) = (cut.point, cut.left);
        run.check(cut).unwrap_or_else(|wrong| {
            panic!("cut after event {point}, with {left:?} left of what was not durable: {wrong}")
        });
    });
    // Some through the binary itself.
    let mut cuts = std::sync::Mutex::new(Vec::new());
    run.cut_at_random_points(3, &mut dice, |cut| {
        let dir = TempDir::new().unwrap();
        cut.image.write(dir.path());
        cuts.lock().unwrap().push((dir, cut.position));
    });
    for (dir, position) in cuts.get_mut().unwrap() {
        let server = Process::start(dir.path());
        let observed = Stubs::new(&server.channel().await).observe().await;
        run.witness.check(&observed, *position).unwrap_or_else(|wrong| panic!("{wrong}"));
    }
    let (events, bytes) = (run.events.len(), std::fs::metadata(&run.log).unwrap().len());
    println!("{points} power cuts in {events} events of {bytes} bytes, with {} requests", run.witness.asked.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_fdatasync_the_power_cut_is_noticed() {
    let seed = seed();
    let run = run(seed, true).await;
    let mut dice = StdRng::seed_from_u64(seed);
    let noticed = std::sync::Mutex::new(Vec::new());
    run.cut_at_random_points(40, &mut dice, |cut| {
        if let Err(wrong) = run.check(cut) {
            noticed.lock().unwrap().push(wrong);
        }
    });
    let noticed = noticed.into_inner().unwrap();
    println!("{} of 40 power cuts lost something", noticed.len());
    let loss =
        |wrong: &&String| wrong.contains("is lost") || wrong.contains("was seen") || wrong.contains("has lost its end");
    assert!(noticed.iter().filter(loss).count() >= 5, "the check would not notice: {noticed:?}");
}
