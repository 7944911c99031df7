//! The journal and sled together: what heals, and what is refused.

use std::fs;

use bytes::Bytes;
use tempfile::TempDir;

use super::super::*;
use super::model::{Model, append, commit, copy_of, killed, killed_after_restarts, open_in};
use super::{Dice, Sled, behind_the_back, copy_dir, files_in};

#[test]
fn a_new_store_is_empty_and_stays_so() {
    let data = TempDir::new().unwrap();
    let dir = data.path().join("deep/er");
    for _ in 0..2 {
        let opened = open_in(&dir).unwrap();
        assert!(!opened.rebuilt);
        Model::default().assert_is(&opened);
        assert_eq!(opened.state.get("nothing").unwrap(), None);
        assert_eq!(opened.state.version_at("nothing", 9).unwrap(), None);
        assert_eq!(opened.state.requests().count(), 0);
    }
}

#[test]
fn a_crash_at_first_creation_opens_as_a_new_store() {
    let data = TempDir::new().unwrap();
    fs::create_dir(data.path().join(JOURNAL_DIR)).unwrap();
    fs::create_dir(data.path().join(SLED_DIR)).unwrap();
    fs::write(data.path().join(LOCK_FILE), b"").unwrap();
    fs::write(data.path().join(JOURNAL_DIR).join("00000000000000000001.seg.new"), b"PRT").unwrap();
    assert!(!open_in(data.path()).unwrap().rebuilt);
}

#[test]
fn what_was_written_is_there_after_a_restart_and_after_a_kill() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path()).unwrap();
    let (mut model, mut dice) = (Model::default(), Dice(1));
    for _ in 0..3 {
        commit(&mut opened, &mut model, &mut dice, 60);
        model.assert_is(&opened);
        let copy = copy_of(data.path());
        let after_kill = open_in(copy.path()).unwrap();
        model.assert_is(&after_kill);
        drop(opened);
        opened = open_in(data.path()).unwrap();
        assert!(!opened.rebuilt);
        model.assert_is(&opened);
    }
}

#[test]
fn versions_are_found_by_revision() {
    let (data, model) = killed(60);
    let opened = open_in(data.path()).unwrap();
    let head = opened.reader.head();
    for (name, versions) in &model.history {
        for at in (0..=head).chain([Revision::MAX]) {
            let expected = versions.iter().copied().rfind(|revision| *revision <= at);
            assert_eq!(opened.state.version_at(name, at).unwrap(), expected, "{name} at {at}");
        }
    }
}

#[test]
fn a_second_open_is_refused_while_any_part_of_the_first_lives() {
    let data = TempDir::new().unwrap();
    let Opened { writer, reader, state, .. } = open_in(data.path()).unwrap();
    let refused = open_in(data.path()).err().unwrap();
    assert!(matches!(refused, StoreError::Locked { .. }));
    assert!(refused.to_string().contains(&data.path().display().to_string()));
    drop(writer);
    assert!(matches!(open_in(data.path()), Err(StoreError::Locked { .. })));
    drop(state);
    open_in(data.path()).unwrap();
    drop(reader);
}

#[test]
fn the_handles_go_to_other_threads() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Send + 'static>() {}
    shared::<JournalReader>();
    shared::<State>();
    sent::<JournalWriter>();
    sent::<JournalScan>();
    sent::<StoreError>();
}

#[test]
fn a_state_that_is_behind_catches_up() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path()).unwrap();
    let (mut model, mut dice) = (Model::default(), Dice(2));
    commit(&mut opened, &mut model, &mut dice, 20);
    let records: Vec<Record> = (0..30).map(|_| model.next(&mut dice)).collect();
    append(&mut opened, &records);
    drop(opened);
    let opened = open_in(data.path()).unwrap();
    assert!(!opened.rebuilt);
    model.assert_is(&opened);
}

#[test]
fn records_out_of_order_are_refused_and_change_nothing() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path()).unwrap();
    let (mut model, mut dice) = (Model::default(), Dice(3));
    commit(&mut opened, &mut model, &mut dice, 5);
    let head = opened.writer.head();
    let last = &model.records[model.records.len() - 1];
    assert!(matches!(opened.state.apply(&head, [last]), Err(StateError::OutOfOrder { .. })));
    let ahead = Head { revision: head.revision + 1, hash: [0; 32] };
    assert!(matches!(opened.state.apply(&ahead, []), Err(StateError::OutOfOrder { .. })));
    model.assert_is(&opened);
}

#[test]
fn a_missing_emptied_cut_or_garbled_sled_heals_from_the_journal() {
    let (data, model) = killed(80);
    let sled = |dir: &TempDir| dir.path().join(SLED_DIR);
    let heals = |dir: &TempDir, what: &str| {
        let opened = open_in(dir.path()).unwrap();
        model.assert_is(&opened);
        assert!(!dir.path().join(SLED_ASIDE_DIR).exists(), "{what}");
        drop(opened);
        let again = open_in(dir.path()).unwrap();
        assert!(!again.rebuilt, "{what}: healed once is healed");
        model.assert_is(&again);
    };
    let dir = copy_of(data.path());
    fs::remove_dir_all(sled(&dir)).unwrap();
    heals(&dir, "all of it missing");
    let dir = copy_of(data.path());
    fs::remove_dir_all(sled(&dir)).unwrap();
    fs::create_dir(sled(&dir)).unwrap();
    fs::create_dir(dir.path().join(SLED_ASIDE_DIR)).unwrap();
    heals(&dir, "all of it missing, after a crash in a rebuild");
    let dir = copy_of(data.path());
    fs::write(sled(&dir).join("snap.0000000000000000.generating"), b"half").unwrap();
    heals(&dir, "an unfinished snapshot");
    for file in files_in(&sled(&data)) {
        let name = file.strip_prefix(data.path()).unwrap();
        let whole = fs::read(&file).unwrap();
        let live = whole.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        let mut changed: Vec<Vec<u8>> = vec![Vec::new(), b"garbage".to_vec(), vec![0xff; whole.len()]];
        changed.extend([live / 4, live / 2, live.saturating_sub(1)].map(|len| whole[..len].to_vec()));
        for bytes in changed {
            let dir = copy_of(data.path());
            fs::write(dir.path().join(name), &bytes).unwrap();
            heals(&dir, &format!("{} of {} bytes", name.display(), bytes.len()));
        }
        let dir = copy_of(data.path());
        fs::remove_file(dir.path().join(name)).unwrap();
        heals(&dir, &format!("{} missing", name.display()));
    }
}

type Change = fn(&Sled, &[u8]);

/// What sled might do without a checksum of its own failing.
#[test]
fn an_entry_that_sled_lost_kept_or_changed_is_noticed_and_healed() {
    let (data, model) = killed(40);
    let prefixes = [super::super::state::key::CURRENT_PREFIX, super::super::state::key::REQUEST_PREFIX, b"h"];
    let changes: [(&str, Change); 3] = [
        ("lost", |db, key| assert!(db.remove(key).unwrap().is_some())),
        ("kept under another key", |db, key| {
            let value = db.get(key).unwrap().unwrap();
            db.insert([key, b"0"].concat(), value).unwrap();
        }),
        ("changed", |db, key| {
            let changed = [&*db.get(key).unwrap().unwrap(), b"0"].concat();
            db.insert(key, changed).unwrap();
        }),
    ];
    for prefix in prefixes {
        for (what, change) in changes {
            let dir = copy_of(data.path());
            behind_the_back(dir.path(), |db| {
                let (key, _) = db.scan_prefix(prefix).nth(3).unwrap().unwrap();
                change(db, &key);
            });
            let opened = open_in(dir.path()).unwrap();
            assert!(opened.rebuilt, "{what}: {prefix:?}");
            model.assert_is(&opened);
        }
    }
}

#[test]
fn an_older_copy_of_any_file_of_sled_heals() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path()).unwrap();
    let (mut model, mut dice) = (Model::default(), Dice(5));
    commit(&mut opened, &mut model, &mut dice, 50);
    opened.state.flush().unwrap();
    let older = copy_of(data.path());
    commit(&mut opened, &mut model, &mut dice, 50);
    opened.state.flush().unwrap();
    for file in files_in(&older.path().join(SLED_DIR)) {
        let dir = copy_of(data.path());
        fs::copy(&file, dir.path().join(file.strip_prefix(older.path()).unwrap())).unwrap();
        model.assert_is(&open_in(dir.path()).unwrap());
    }
}

#[test]
fn a_state_of_another_journal_is_rebuilt() {
    let (data, model) = killed(20);
    let (other, _) = killed(21);
    fs::remove_dir_all(data.path().join(SLED_DIR)).unwrap();
    copy_dir(&other.path().join(SLED_DIR), &data.path().join(SLED_DIR));
    let opened = open_in(data.path()).unwrap();
    assert!(opened.rebuilt);
    model.assert_is(&opened);
}

#[test]
fn a_journal_that_lost_its_end_is_refused_and_not_changed() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path()).unwrap();
    let (mut model, mut dice) = (Model::default(), Dice(6));
    commit(&mut opened, &mut model, &mut dice, 30);
    let older = copy_of(data.path());
    let head = model.records.len();
    commit(&mut opened, &mut model, &mut dice, 1);
    let applied = model.records.len();
    drop(opened);
    let last = files_in(&data.path().join(JOURNAL_DIR)).pop().unwrap();
    let whole = fs::read(&last).unwrap();
    let older_last = fs::read(older.path().join(JOURNAL_DIR).join(last.file_name().unwrap())).unwrap();
    // An older copy, and a cut that looks like a torn end.
    for bytes in [older_last.as_slice(), &whole[..whole.len() - 1]] {
        let dir = copy_of(data.path());
        let file = dir.path().join(JOURNAL_DIR).join(last.file_name().unwrap());
        fs::write(&file, bytes).unwrap();
        let refused = open_in(dir.path()).err().unwrap();
        assert!(matches!(refused, StoreError::JournalBehind { .. }), "{refused}");
        assert_eq!(fs::read(&file).unwrap(), bytes);
        let text = refused.to_string();
        assert!(text.contains(&format!("up to revision {applied}")), "{text}");
        // The way out that the message names.
        fs::remove_dir_all(dir.path().join(SLED_DIR)).unwrap();
        let opened = open_in(dir.path()).unwrap();
        let left = usize::try_from(opened.reader.head()).unwrap();
        assert!((head..applied).contains(&left));
        model.at(left).assert_is(&opened);
    }
    // The last segment gone altogether.
    fs::remove_file(&last).unwrap();
    assert!(matches!(open_in(data.path()), Err(StoreError::JournalBehind { .. })));
}

#[test]
fn a_missing_journal_is_refused_whatever_the_state_looks_like() {
    let (data, _) = killed(20);
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
            assert!(matches!(refused, StoreError::JournalMissing { .. }), "{refused}");
        }
    }
}

#[test]
fn a_commit_that_is_no_commit_is_refused() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path()).unwrap();
    opened.writer.append(&[Bytes::from_static(b"\xff\xff")]).unwrap();
    drop(opened);
    assert!(matches!(open_in(data.path()), Err(StoreError::Unreadable { revision: 1 })));
}

#[test]
fn three_hundred_flipped_bits_in_sled_all_heal() {
    let seed = std::process::id().into();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let (data, model) = killed_after_restarts(&mut dice, 3, 40);
    let mut live = Vec::new();
    for file in files_in(&data.path().join(SLED_DIR)) {
        let bytes = fs::read(&file).unwrap();
        let positions = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0).map(|(at, _)| at);
        live.extend(positions.map(|at| (file.clone(), at)));
    }
    let mut rebuilt = 0;
    for trial in 0..300 {
        let (file, at) = &live[dice.below(live.len())];
        let dir = copy_of(data.path());
        let file = dir.path().join(file.strip_prefix(data.path()).unwrap());
        let mut bytes = fs::read(&file).unwrap();
        bytes[*at] ^= 1 << dice.below(8);
        fs::write(&file, bytes).unwrap();
        let opened = open_in(dir.path()).unwrap_or_else(|error| panic!("trial {trial}: {error}"));
        model.assert_is(&opened);
        rebuilt += u32::from(opened.rebuilt);
    }
    println!("{rebuilt} of 300 were rebuilt, the others harmless or behind");
}
