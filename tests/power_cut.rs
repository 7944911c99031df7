//! Power cuts: a recorder under the real binary writes down every change to its files and every fsync, while clients
//! write. From the log, directories are built as a disk could hold them after the power failed at some point: what was
//! fsynced is there, and of the rest anything between nothing and all, torn at sectors. Each must open with everything
//! that had been acknowledged by then.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test stops at whatever it did not expect")]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use partnership_registry_server::registry::{Chunk, Point, Registry};
use prost::Message as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::crash::load::{Client, Shared, Stubs, read_on};
use crate::crash::oracle::{Observed, Witness};
use crate::crash::{seed, setting};
use crate::damage::{FileImage, Image, for_each_case, open};
use crate::harness::commit_of;
use crate::harness::process::{DEADLINE, Process, with_checkpoints};

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

/// Each choice for all files, and a choice for each.
const LEFT: [Option<Left>; 5] =
    [None, Some(Left::Nothing), Some(Left::Everything), Some(Left::Prefix), Some(Left::Sectors)];

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
    /// Where the log was when each life had told what it found.
    starts: Vec<u64>,
    witness: Witness,
    _dir: TempDir,
}

/// A server that is recorded, life after life.
struct Recording {
    dir: TempDir,
    data: PathBuf,
    log: PathBuf,
    shared: Shared,
    dice: StdRng,
    starts: Vec<u64>,
}

/// A life of it, and what it found.
struct Life {
    server: Process,
    channel: Channel,
    there: Observed,
}

impl Recording {
    fn new(seed: u64) -> Recording {
        let dir = TempDir::new().unwrap();
        let (data, log) = (dir.path().join("data"), dir.path().join("log"));
        std::fs::create_dir(&data).unwrap();
        std::fs::write(&log, b"").unwrap();
        let data = data.canonicalize().unwrap();
        let length_of = log.clone();
        let shared = Shared::new(move || std::fs::metadata(&length_of).unwrap().len());
        Recording { dir, data, log, shared, dice: StdRng::seed_from_u64(seed), starts: Vec::new() }
    }

    async fn start(&mut self, fdatasync: bool) -> Life {
        let server = Process::start_with(&self.data, |command| {
            command.env("LD_PRELOAD", recorder()).env("RECORDER_LOG", &self.log).env("RECORDER_ROOT", &self.data);
            with_checkpoints(command);
            if fdatasync {
                command.args(["--segment-mib", "1"]);
            } else {
                command.env("PARTNERSHIP_TEST_FAULTS", "without-fdatasync;checkpoint-bytes=4096");
            }
        });
        let channel = server.channel().await;
        let there = Stubs::new(&channel).observe().await;
        let seen = (there.commits.len() as u64, (self.shared.position)());
        self.shared.witness.lock().unwrap().seen.push(seen);
        self.starts.push(seen.1);
        Life { server, channel, there }
    }

    /// Lets clients write until so many were answered, and ends the server by `end`.
    async fn live(&mut self, life: Life, answers: u64, end: impl FnOnce(Process)) {
        let mut running = Vec::new();
        for slot in 0..6 {
            let id = format!("c{slot}-{}", self.starts.len());
            let client = Client::new(id, &life.channel, &self.shared, self.dice.random(), &life.there.resources);
            running.push(tokio::spawn(client.run()));
        }
        running.push(tokio::spawn(read_on(Stubs::new(&life.channel), self.shared.clone())));
        self.shared.answered(answers, DEADLINE).await;
        end(life.server);
        for client in running {
            client.await.unwrap();
        }
    }

    fn end(self) -> Run {
        let witness = self.shared.witness.lock().unwrap().clone();
        Run { events: read_log(&self.log), log: self.log, starts: self.starts, witness, _dir: self.dir }
    }
}

/// Three lives of a server under load: two end by a kill, the one between them cleanly.
async fn run(seed: u64, fdatasync: bool) -> Run {
    let mut recording = Recording::new(seed);
    for clean_end in [false, true, false] {
        let life = recording.start(fdatasync).await;
        let end = |server: Process| {
            if clean_end {
                let ended = server.stop();
                assert!(ended.status.success(), "{}", ended.log);
            } else {
                server.kill();
            }
        };
        recording.live(life, 150, end).await;
        if clean_end {
            assert_recorded_whole(&read_log(&recording.log), &recording.data);
        }
    }
    recording.end()
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
    /// Random points in the log: a third anywhere, a third where the journal has been written and not yet been made
    /// durable, a third where somebody had just been told of a revision.
    fn random_points(&self, count: usize, dice: &mut StdRng) -> Vec<usize> {
        let mut disk = Disk::new();
        let mut unfinished = Vec::new();
        for (at, event) in self.events.iter().enumerate() {
            disk.follow(event);
            if disk.journal_pending() {
                unfinished.push(at);
            }
        }
        let answered = self.witness.asked.values().filter_map(|asked| Some(asked.answer.as_ref()?.1));
        let told: Vec<_> = answered.map(|position| self.last_event_before(position)).collect();
        let anywhere: Vec<_> = (0..self.events.len()).collect();
        let mut point = |number: usize| match number % 3 {
            1 if !unfinished.is_empty() => unfinished[dice.random_range(0..unfinished.len())],
            2 => told[dice.random_range(0..told.len())],
            _ => anywhere[dice.random_range(0..anywhere.len())],
        };
        (0..count).map(&mut point).collect()
    }

    fn last_event_before(&self, position: u64) -> usize {
        self.events.partition_point(|event| event.position <= position).saturating_sub(1)
    }

    /// Builds what power cuts at these points leave, in batches, and hands each to a check.
    fn cut_at(&self, mut points: Vec<(usize, Option<Left>)>, dice: &mut StdRng, check: impl Fn(&Cut) + Sync) {
        points.sort_unstable_by_key(|(point, _)| *point);
        let mut disk = Disk::new();
        let mut done = 0;
        for batch in points.chunks(10) {
            let mut cuts = Vec::new();
            for (point, left) in batch {
                while done <= *point {
                    disk.follow(&self.events[done]);
                    done += 1;
                }
                let position = self.events[*point].position;
                cuts.push(Cut { point: *point, position, left: *left, image: disk.cut(*left, dice) });
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
        let page = registry.commits(revision, 1, "", "", &mut |_| true).map_err(|error| error.to_string())?;
        commits.extend(page.records.iter().map(commit_of));
    }
    let mut resources = Vec::new();
    let everything = registry.select(&[], "").map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let at = runtime.block_on(registry.indexed_at(Point::Head)).map_err(|error| error.to_string())?;
    let mut export = registry.export(everything, at, true);
    loop {
        match export.next_chunk(usize::MAX, &mut |_| true).map_err(|error| error.to_string())? {
            Chunk::Read(envelopes) => {
                for envelope in envelopes {
                    let resource = partnership_registry::v1::Resource::decode(envelope);
                    resources.push(resource.map_err(|error| error.to_string())?);
                }
            }
            Chunk::End => return Ok(Observed { commits, resources }),
            Chunk::Needs(bytes) => return Err(format!("there is room for {bytes} bytes")),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_power_cut_everything_acknowledged_is_there() {
    let seed = seed();
    let run = run(seed, true).await;
    let mut dice = StdRng::seed_from_u64(seed);
    let count = to_usize(setting("PARTNERSHIP_TEST_POWER_CUTS").unwrap_or(100));
    let mut points: Vec<_> = run
        .random_points(count, &mut dice)
        .into_iter()
        .map(|point| (point, LEFT[dice.random_range(0..LEFT.len())]))
        .collect();
    // What a start has shown is durable, though the life before it may have ended before it was.
    for start in &run.starts {
        points.extend(LEFT.map(|left| (run.last_event_before(*start), left)));
    }
    let cuts = points.len();
    run.cut_at(points, &mut dice, |cut| {
        let (point, left) = (cut.point, cut.left);
        run.check(cut).unwrap_or_else(|wrong| {
            panic!("cut after event {point}, with {left:?} left of what was not durable: {wrong}")
        });
    });
    // Some through the binary itself.
    let kept = Mutex::new(Vec::new());
    let points = run.random_points(3, &mut dice).into_iter().map(|point| (point, None)).collect();
    run.cut_at(points, &mut dice, |cut| {
        let dir = TempDir::new().unwrap();
        cut.image.write(dir.path());
        kept.lock().unwrap().push((dir, cut.position));
    });
    for (dir, position) in kept.into_inner().unwrap() {
        let server = Process::start(dir.path());
        let observed = Stubs::new(&server.channel().await).observe().await;
        run.witness.check(&observed, position).unwrap_or_else(|wrong| panic!("{wrong}"));
    }
    let (events, bytes) = (run.events.len(), std::fs::metadata(&run.log).unwrap().len());
    let begun = |event: &&Event| event.kind == Kind::Create && event.names()[0].ends_with(".seg");
    assert!(run.events.iter().filter(begun).count() >= 2, "the journal never went over to another segment");
    println!("{cuts} power cuts in {events} events of {bytes} bytes, with {} requests", run.witness.asked.len());
}

/// A crash can leave commits in the system's memory alone, where a start finds them whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_start_has_shown_is_durable_even_if_a_crash_came_before_it_was() {
    let seed = seed();
    let mut recording = Recording::new(seed);
    let life = recording.start(false).await;
    recording.live(life, 20, |server| drop(server.kill())).await;
    let life = recording.start(true).await;
    assert!(life.there.commits.len() >= 5, "next to nothing was written");
    life.server.kill();
    let run = recording.end();
    let at_start = run.last_event_before(run.starts[1]);
    let points = LEFT.map(|left| (at_start, left)).into();
    run.cut_at(points, &mut StdRng::seed_from_u64(seed), |cut| {
        run.check(cut).unwrap_or_else(|wrong| panic!("with {:?} left of what was not durable: {wrong}", cut.left));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_fdatasync_the_power_cut_is_noticed() {
    let seed = seed();
    let run = run(seed, false).await;
    let mut dice = StdRng::seed_from_u64(seed);
    let noticed = Mutex::new(Vec::new());
    let points: Vec<_> = run.random_points(40, &mut dice).into_iter().map(|point| (point, None)).collect();
    run.cut_at(points, &mut dice, |cut| {
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
