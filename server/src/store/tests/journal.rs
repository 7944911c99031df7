//! The journal alone: what is written is read, and a crash is no matter. Damage is `journal_damage`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;

use super::super::disk::DirLock;
use super::super::journal::frame::chain;
use super::super::journal::{create, inspect};
use super::super::*;
use super::{Dice, copy_dir, files_in};

pub(super) fn open_in(data: &Path, segment_bytes_max: u64) -> Result<(JournalWriter, JournalReader), JournalError> {
    let dir = data.join(JOURNAL_DIR);
    let options = Options { segment_bytes_max, ..Options::default() };
    let lock = Arc::new(DirLock::take(&data.join(LOCK_FILE))?.unwrap());
    if inspect(&dir)?.is_none() {
        create(&dir)?;
    }
    inspect(&dir)?.unwrap().settle(&dir, &options, lock)
}

pub(super) fn payload(seed: u64, len: usize) -> Bytes {
    let mut dice = Dice(seed);
    // No zeros: whether a sector is empty must depend on the test, not on luck.
    (0..len).map(|_| u8::try_from(dice.roll() % 255).unwrap() + 1).collect()
}

pub(super) fn entries(reader: &JournalReader) -> Vec<Entry> {
    reader.scan(1).map(Result::unwrap).collect()
}

/// Groups of 1, 2, 3, 1, 2, 3 commits of growing length.
pub(super) fn fill(writer: &mut JournalWriter, groups: u64, len: usize) {
    for group in 0..groups {
        let payloads: Vec<Bytes> =
            (0..=group % 3).map(|at| payload(group * 10 + at, len + usize::try_from(at).unwrap())).collect();
        writer.append(&payloads).unwrap();
    }
}

pub(super) fn segment_files(data: &Path) -> Vec<PathBuf> {
    files_in(&data.join(JOURNAL_DIR))
}

#[test]
fn what_was_appended_is_read_by_revision_and_in_order_now_and_after_a_restart() {
    let data = TempDir::new().unwrap();
    let (mut writer, reader) = open_in(data.path(), 400).unwrap();
    assert_eq!(writer.head(), Head::NONE);
    assert_eq!(writer.append(&[]).unwrap(), Head::NONE);
    fill(&mut writer, 30, 20);
    let before = entries(&reader);
    assert_eq!(before.len(), 60);
    assert_eq!(reader.head(), 60);
    assert_eq!(writer.head(), before[59].head());
    assert!(segment_files(data.path()).len() > 5, "tiny segments must have been rotated");
    let mut parent_hash = [0; 32];
    for (at, entry) in before.iter().enumerate() {
        assert_eq!(entry.revision, at as u64 + 1);
        assert_eq!(entry.parent_hash, parent_hash);
        assert_eq!(entry.hash, chain(&parent_hash, &entry.payload));
        parent_hash = entry.hash;
        assert_eq!(reader.read(entry.revision).unwrap(), *entry);
    }
    let read_only: Vec<Entry> = scan_read_only(data.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(read_only, before);
    let (store_id, seed) = (reader.store_id(), *reader.seed());
    drop(writer);

    let (mut writer, reader) = open_in(data.path(), 400).unwrap();
    assert_eq!(entries(&reader), before);
    assert_eq!((reader.store_id(), *reader.seed()), (store_id, seed));
    writer.append(&[payload(1, 5)]).unwrap();
    assert_eq!(reader.scan(60).map(|entry| entry.unwrap().revision).collect::<Vec<_>>(), [60, 61]);
    assert_eq!(reader.scan(62).count(), 0);
    assert!(matches!(reader.read(62), Err(JournalError::NotFound { revision: 62, head: 61 })));
    assert!(matches!(reader.read(0), Err(JournalError::NotFound { .. })));
}

#[test]
fn payloads_of_every_size_are_kept_and_too_large_ones_refused_without_harm() {
    let data = TempDir::new().unwrap();
    let (mut writer, reader) = open_in(data.path(), 1 << 20).unwrap();
    let payloads = [payload(1, 0), payload(2, 1), payload(3, 300 << 10), payload(4, 2 << 20), payload(5, 7)];
    writer.append(&payloads).unwrap();
    let too_large = Bytes::from(vec![1; PAYLOAD_BYTES_MAX as usize + 1]);
    let refused = writer.append(&[payload(6, 6), too_large]);
    assert!(matches!(refused, Err(JournalError::TooLarge { .. })));
    writer.append(&[payload(7, 7)]).unwrap();
    drop(writer);
    let found: Vec<Bytes> = entries(&reader).into_iter().map(|entry| entry.payload).collect();
    assert_eq!(found[..5], payloads);
    assert_eq!(found[5..], [payload(7, 7)]);
    let (_, reader) = open_in(data.path(), 1 << 20).unwrap();
    assert_eq!(entries(&reader).len(), 6);
}

#[test]
fn a_newer_format_is_refused_untouched() {
    let data = TempDir::new().unwrap();
    let (mut writer, _) = open_in(data.path(), 1 << 20).unwrap();
    fill(&mut writer, 3, 40);
    drop(writer);
    let file = segment_files(data.path()).remove(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[8] = 2;
    bytes.extend_from_slice(b"whatever the newer version wrote");
    fs::write(&file, &bytes).unwrap();
    let refused = open_in(data.path(), 1 << 20).err().unwrap();
    assert!(matches!(refused, JournalError::NewerFormat { version: 2, known: 1, .. }), "{refused}");
    assert!(refused.to_string().contains("written by a newer version"), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_crash_around_the_birth_of_a_segment_is_no_matter() {
    let data = TempDir::new().unwrap();
    let dir = data.path().join(JOURNAL_DIR);
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("00000000000000000001.seg.new"), b"half a hea").unwrap();
    let (mut writer, reader) = open_in(data.path(), 300).unwrap();
    fill(&mut writer, 2, 40);
    let before = entries(&reader);
    drop(writer);
    // The next segment, half-made; then whole, but without a commit.
    fs::write(dir.join("00000000000000000004.seg.new"), b"half").unwrap();
    let (mut writer, reader) = open_in(data.path(), 300).unwrap();
    assert_eq!(entries(&reader), before);
    assert_eq!(segment_files(data.path()).iter().filter(|file| file.extension().unwrap() == "new").count(), 0);
    writer.append(&[payload(5, 5)]).unwrap();
    drop(writer);
    let file = segment_files(data.path()).pop().unwrap();
    assert!(file.ends_with("00000000000000000004.seg"));
    fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(128).unwrap();
    let (mut writer, reader) = open_in(data.path(), 1).unwrap();
    assert_eq!(entries(&reader), before);
    writer.append(&[payload(6, 6)]).unwrap();
    writer.append(&[payload(7, 7)]).unwrap();
    drop(writer);
    let (_, reader) = open_in(data.path(), 1).unwrap();
    assert_eq!(reader.head(), 5);
    // A half-made later segment alone is a journal that lost all the others.
    let lost = TempDir::new().unwrap();
    fs::write(lost.path().join("00000000000000000004.seg.new"), b"half").unwrap();
    assert!(matches!(inspect(lost.path()), Err(JournalError::MissingSegment { expected: 1, .. })));
}

#[test]
fn after_a_failed_append_the_writer_says_stopped_and_a_restart_heals() {
    let data = TempDir::new().unwrap();
    let (mut writer, reader) = open_in(data.path(), 1).unwrap();
    fill(&mut writer, 1, 40);
    let obstacle = data.path().join(JOURNAL_DIR).join("00000000000000000002.seg.new");
    fs::create_dir(&obstacle).unwrap();
    assert!(matches!(writer.append(&[payload(1, 1)]), Err(JournalError::Disk(_))));
    assert!(matches!(writer.append(&[payload(1, 1)]), Err(JournalError::Stopped)));
    assert_eq!((writer.head().revision, reader.head()), (1, 1));
    assert_eq!(entries(&reader).len(), 1);
    drop(writer);
    let (mut writer, _) = open_in(data.path(), 1).unwrap();
    assert_eq!(writer.append(&[payload(1, 1)]).unwrap().revision, 2);
}

#[test]
fn readers_beside_the_writer_see_whole_commits_only() {
    let data = TempDir::new().unwrap();
    let (mut writer, reader) = open_in(data.path(), 20_000).unwrap();
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                let mut next = 1;
                while next <= 2000 {
                    for entry in reader.scan(next) {
                        let entry = entry.unwrap();
                        assert_eq!(entry.revision, next);
                        assert_eq!(entry.payload, payload(next, 50));
                        assert_eq!(reader.read(next).unwrap(), entry);
                        next += 1;
                    }
                }
            });
        }
        threads.spawn(|| {
            let mut seen = 0;
            while seen < 2000 {
                seen = 0;
                for entry in scan_read_only(data.path()).unwrap() {
                    seen += 1;
                    assert_eq!(entry.unwrap().payload, payload(seen, 50));
                }
            }
        });
        for group in 0..200 {
            let payloads: Vec<Bytes> = (1..=10).map(|at| payload(group * 10 + at, 50)).collect();
            writer.append(&payloads).unwrap();
        }
    });
}

#[test]
fn an_older_copy_of_a_journal_opens_as_what_it_was() {
    let data = TempDir::new().unwrap();
    let (mut writer, reader) = open_in(data.path(), 300).unwrap();
    fill(&mut writer, 4, 40);
    let before = entries(&reader);
    let copy = TempDir::new().unwrap();
    copy_dir(data.path(), copy.path());
    fill(&mut writer, 4, 40);
    let (_, reader) = open_in(copy.path(), 300).unwrap();
    assert_eq!(entries(&reader), before);
}
