//! What sled knows of the journal's end, and what comes of it: a store whose journal has lost commits does not open.

use std::fs;

use tempfile::TempDir;

use super::model::Model;
use super::{Dice, append, closed, commit, copy_of, files_in, open_in, open_settled, options, settle, wait_for};
use crate::store::open::SLED_DIR;
use crate::store::state::calls::PlantedStall;
use crate::store::state::health::StateHealth;
use crate::store::{JOURNAL_DIR, JournalError, Options, StoreError, open};

/// A store that has lost its last commit: sled has it, and neither the journal nor the witness beside it.
fn with_lost_end() -> (TempDir, Model) {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path()).unwrap();
    let (mut model, mut dice) = (Model::default(), Dice(6));
    commit(&mut opened, &mut model, &mut dice, 20);
    drop(opened);
    let older = copy_of(data.path());
    let mut opened = open_in(data.path()).unwrap();
    let last = model.next(&mut dice);
    append(&mut opened, vec![last]);
    settle(&opened);
    drop(opened);
    fs::remove_dir_all(data.path().join(JOURNAL_DIR)).unwrap();
    fs::remove_file(data.path().join("HEAD")).unwrap();
    super::copy_dir(&older.path().join(JOURNAL_DIR), &data.path().join(JOURNAL_DIR));
    (data, model)
}

#[test]
fn a_journal_that_lost_its_end_is_refused_and_not_changed() {
    let (dir, model) = with_lost_end();
    let head = model.records.len() - 1;
    let read = || files_in(&dir.path().join(JOURNAL_DIR)).into_iter().map(|file| fs::read(file).unwrap());
    let before: Vec<_> = read().collect();
    for _ in 0..2 {
        let refused = open_in(dir.path()).err().unwrap();
        assert!(matches!(refused, StoreError::Journal(JournalError::LostEnd { .. })), "{refused}");
        assert!(read().eq(before.iter().cloned()), "the journal was changed");
        let text = refused.to_string();
        assert!(text.contains(&format!("up to revision {}", head + 1)), "{text}");
    }
    // The way out that the message names.
    fs::remove_dir_all(dir.path().join(SLED_DIR)).unwrap();
    model.at(head).assert_is(&open_settled(dir.path()));
}

#[test]
fn a_journal_that_went_on_after_it_had_lost_its_end_is_refused() {
    let (dir, model) = with_lost_end();
    let sled = dir.path().join(SLED_DIR);
    let aside = dir.path().join("elsewhere");
    fs::rename(&sled, &aside).unwrap();
    let mut opened = open_in(dir.path()).unwrap();
    let mut other = model.at(model.records.len() - 1);
    commit(&mut opened, &mut other, &mut Dice(99), 3);
    drop(opened);
    fs::remove_dir_all(&sled).unwrap();
    fs::rename(&aside, &sled).unwrap();
    let refused = open_in(dir.path()).err().unwrap();
    assert!(matches!(refused, StoreError::Journal(JournalError::LostEnd { .. })), "{refused}");
}

/// sled does not open in time, so the server serves; then it turns out what sled knew.
#[test]
fn a_witness_that_comes_too_late_is_told_and_left_untouched() {
    let (dir, model) = with_lost_end();
    let file = dir.path().join("stall");
    fs::write(&file, b"").unwrap();
    let stall = PlantedStall::parse(&format!("open:{}", file.display()));
    let mut opened = open(dir.path(), &Options { stall, ..options() }, &mut |_: crate::store::Record| {}).unwrap();
    let mut other = model.at(model.records.len() - 1);
    // What is written meanwhile takes the revisions that sled knows otherwise.
    commit(&mut opened, &mut other, &mut Dice(99), 3);
    fs::remove_file(&file).unwrap();
    let health = wait_for(&opened.follower, |health| matches!(health, StateHealth::BehindWitness { .. }));
    assert_eq!(health, StateHealth::BehindWitness { applied: model.records.len() as u64 });
    assert!(!opened.follower.shared.can_be_read());
    drop(opened);
    let refused = open_in(dir.path()).err().unwrap();
    assert!(matches!(refused, StoreError::Journal(JournalError::LostEnd { .. })), "{refused}");
}

#[test]
fn a_missing_journal_is_refused_whatever_the_state_looks_like() {
    let (data, _) = closed(20);
    for with_directory in [true, false] {
        for garbled in [true, false] {
            let dir = copy_of(data.path());
            fs::remove_dir_all(dir.path().join(JOURNAL_DIR)).unwrap();
            if with_directory {
                fs::create_dir(dir.path().join(JOURNAL_DIR)).unwrap();
            }
            if garbled {
                fs::write(dir.path().join(SLED_DIR).join("db"), b"garbage").unwrap();
            }
            let refused = open_in(dir.path()).err().unwrap();
            assert!(matches!(refused, StoreError::Journal(JournalError::Missing { .. })), "{refused}");
        }
    }
}

#[test]
fn a_second_open_is_refused_while_any_part_of_the_first_lives() {
    let data = TempDir::new().unwrap();
    let opened = open_in(data.path()).unwrap();
    let refused = open_in(data.path()).err().unwrap();
    assert!(matches!(refused, StoreError::Locked { .. }));
    assert!(refused.to_string().contains(&data.path().display().to_string()));
    drop(opened.writer);
    assert!(matches!(open_in(data.path()), Err(StoreError::Locked { .. })));
    drop(opened.follower);
    open_in(data.path()).unwrap();
    drop(opened.reader);
}
