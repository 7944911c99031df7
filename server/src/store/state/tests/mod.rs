//! The state's promises, tested through the store: what heals, what is refused, what is followed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at what it did not expect"
)]

mod following;
mod healing;
mod model;
mod refusing;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{StateFollower, StateHealth, engine};
use crate::store::dice::Dice;
use crate::store::open::SLED_DIR;
use crate::store::{Opened, Options, StoreError, open};
use model::Model;

/// Nothing that is waited for here takes nearly so long.
const PATIENCE: Duration = Duration::from_secs(30);

fn options() -> Options {
    Options { segment_bytes_max: 20_000, cache_bytes_max: 16 << 20, ..Options::default() }
}

fn open_in(dir: &Path) -> Result<Opened, StoreError> {
    open(dir, &options(), &mut |_: crate::store::Record| {})
}

/// Opens a store, and waits until its state goes with the journal.
fn open_settled(dir: &Path) -> Opened {
    let opened = open_in(dir).unwrap();
    settle(&opened);
    opened
}

/// Waits until the state has all that the journal has.
fn settle(opened: &Opened) {
    let head = opened.reader.head();
    wait_for(&opened.follower, |health| health.is_well());
    let began = Instant::now();
    while opened.follower.reader().applied() < head {
        assert!(began.elapsed() < PATIENCE, "the state does not come to revision {head}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn wait_for(follower: &StateFollower, what: impl Fn(&StateHealth) -> bool) -> StateHealth {
    let watch = follower.health();
    let began = Instant::now();
    loop {
        let health = watch.borrow().clone();
        if what(&health) {
            return health;
        }
        assert!(began.elapsed() < PATIENCE, "the state is {health}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Appends the records of one group.
fn append(opened: &mut Opened, mut records: Vec<crate::store::Record>) {
    let head = opened.writer.head().revision;
    opened.writer.append(head, &mut records).unwrap();
}

/// Commits in groups of one to four.
fn commit(opened: &mut Opened, model: &mut Model, dice: &mut Dice, groups: usize) {
    for _ in 0..groups {
        let records = (0..=dice.below(4)).map(|_| model.next(dice)).collect();
        append(opened, records);
    }
}

/// A data directory that was closed, and what is in it.
fn closed(groups: usize) -> (TempDir, Model) {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path()).unwrap();
    let (mut model, mut dice) = (Model::default(), Dice(groups as u64));
    commit(&mut opened, &mut model, &mut dice, groups);
    drop(opened);
    (data, model)
}

fn copy_of(dir: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    copy_dir(dir, copy.path());
    copy
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// All files below a directory, in a stable order.
fn files_in(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Changes what sled holds behind the store's back, and leaves its files sound.
fn behind_the_back(dir: &Path, change: impl FnOnce(&sled::Db)) {
    let config = sled::Config::new().segment_size(engine::SEGMENT_BYTES);
    let db = config.path(dir.join(SLED_DIR)).open().unwrap();
    change(&db);
    db.flush().unwrap();
}
