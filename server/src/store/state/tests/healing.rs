//! Whatever becomes of sled's files, the state is as the journal has it.

use std::fs;

use tempfile::TempDir;

use super::model::Model;
use super::{Dice, behind_the_back, closed, commit, copy_dir, copy_of, files_in, open_in, open_settled, settle};
use crate::store::open::{SLED_ASIDE_DIR, SLED_DIR};

/// Opens it twice: once healed is healed.
fn heals(dir: &TempDir, model: &Model, what: &str) {
    for _ in 0..2 {
        let opened = open_settled(dir.path());
        model.assert_is(&opened);
        assert!(!dir.path().join(SLED_ASIDE_DIR).exists(), "{what}");
    }
}

#[test]
fn a_missing_emptied_cut_or_garbled_sled_heals_from_the_journal() {
    let (data, model) = closed(60);
    let sled = |dir: &TempDir| dir.path().join(SLED_DIR);
    let dir = copy_of(data.path());
    fs::remove_dir_all(sled(&dir)).unwrap();
    heals(&dir, &model, "all of it missing");
    let dir = copy_of(data.path());
    fs::remove_dir_all(sled(&dir)).unwrap();
    fs::create_dir(sled(&dir)).unwrap();
    fs::create_dir(dir.path().join(SLED_ASIDE_DIR)).unwrap();
    heals(&dir, &model, "all of it missing, after a crash in a rebuild");
    let dir = copy_of(data.path());
    fs::write(sled(&dir).join("snap.0000000000000000.generating"), b"half").unwrap();
    heals(&dir, &model, "an unfinished snapshot");
    for file in files_in(&sled(&data)) {
        let name = file.strip_prefix(data.path()).unwrap();
        let whole = fs::read(&file).unwrap();
        let live = whole.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        let mut changed: Vec<Vec<u8>> = vec![Vec::new(), b"garbage".to_vec(), vec![0xff; live]];
        changed.extend([live / 4, live / 2, live.saturating_sub(1)].map(|len| whole[..len].to_vec()));
        for bytes in changed {
            let dir = copy_of(data.path());
            fs::write(dir.path().join(name), &bytes).unwrap();
            heals(&dir, &model, &format!("{} of {} bytes", name.display(), bytes.len()));
        }
        let dir = copy_of(data.path());
        fs::remove_file(dir.path().join(name)).unwrap();
        heals(&dir, &model, &format!("{} missing", name.display()));
    }
}

type Damage = fn(&sled::Db, &[u8]);

/// What sled might do without a checksum of its own failing.
#[test]
fn an_entry_that_sled_lost_kept_or_changed_is_noticed_and_healed() {
    let (data, model) = closed(40);
    let damages: [(&str, Damage); 3] = [
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
    for prefix in [b"s", b"h"] {
        for (what, damage) in damages {
            let dir = copy_of(data.path());
            behind_the_back(dir.path(), |db| {
                let (key, _) = db.scan_prefix(prefix).nth(3).unwrap().unwrap();
                damage(db, &key);
            });
            heals(&dir, &model, what);
        }
    }
}

#[test]
fn an_older_copy_of_any_file_of_sled_heals() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path()).unwrap();
    let (mut model, mut dice) = (Model::default(), Dice(5));
    commit(&mut opened, &mut model, &mut dice, 50);
    settle(&opened);
    drop(opened);
    let older = copy_of(data.path());
    let mut opened = open_in(data.path()).unwrap();
    commit(&mut opened, &mut model, &mut dice, 50);
    drop(opened);
    for file in files_in(&older.path().join(SLED_DIR)) {
        let dir = copy_of(data.path());
        fs::copy(&file, dir.path().join(file.strip_prefix(older.path()).unwrap())).unwrap();
        heals(&dir, &model, &file.display().to_string());
    }
    let dir = copy_of(data.path());
    fs::remove_dir_all(dir.path().join(SLED_DIR)).unwrap();
    copy_dir(&older.path().join(SLED_DIR), &dir.path().join(SLED_DIR));
    heals(&dir, &model, "all of them");
}

#[test]
fn a_state_of_another_journal_is_rebuilt() {
    let (data, model) = closed(20);
    let (other, _) = closed(21);
    fs::remove_dir_all(data.path().join(SLED_DIR)).unwrap();
    copy_dir(&other.path().join(SLED_DIR), &data.path().join(SLED_DIR));
    heals(&data, &model, "of another journal");
}

#[test]
fn flipped_bits_in_sled_all_heal() {
    let seed = std::process::id().into();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let (data, model) = closed(40);
    let mut live = Vec::new();
    for file in files_in(&data.path().join(SLED_DIR)) {
        let bytes = fs::read(&file).unwrap();
        let positions = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0).map(|(at, _)| at);
        live.extend(positions.map(|at| (file.clone(), at)));
    }
    for _ in 0..60 {
        let (file, at) = &live[dice.below(live.len())];
        let dir = copy_of(data.path());
        let file = dir.path().join(file.strip_prefix(data.path()).unwrap());
        let mut bytes = fs::read(&file).unwrap();
        bytes[*at] ^= 1 << dice.below(8);
        fs::write(&file, bytes).unwrap();
        model.assert_is(&open_settled(dir.path()));
    }
}

/// sled checks what it reads in the background, and not what it has in memory: an entry says itself that it is unsound.
#[test]
fn an_unsound_entry_that_a_read_meets_ends_the_use_of_sled_until_a_restart() {
    let (data, model) = closed(20);
    let opened = open_settled(data.path());
    let found = opened.follower.shared.read(|_| -> Result<(), super::engine::StateError> {
        Err(super::engine::StateError::Damaged { what: "planted".to_owned() })
    });
    assert!(found.is_none());
    assert!(!opened.follower.shared.can_be_read(), "nobody reads after that");
    let health = super::wait_for(&opened.follower, |health| matches!(health, super::StateHealth::Failed(_)));
    assert_eq!(health.to_string(), "failed: planted");
    drop(opened);
    heals(&data, &model, "a restart");
}
