//! What is written is read: by revision, in order, by place, now and after a restart.

use std::time::Duration;

use tempfile::TempDir;

use super::super::commit::chain;
use super::super::scan_read_only;
use super::*;

#[test]
fn what_was_appended_is_read_by_revision_by_place_and_in_order_now_and_after_a_restart() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), 3000).unwrap();
    assert_eq!(opened.writer.head(), Head::NONE);
    assert_eq!(opened.append(&[]).unwrap(), Head::NONE);
    opened.fill(30, 20);
    let before = opened.records();
    assert_eq!(before.len(), 60);
    assert_eq!(opened.reader.head(), 60);
    assert_eq!(opened.writer.head(), before[59].head());
    assert_eq!(opened.reader.head_with_hash(), before[59].head());
    assert!(segment_files(data.path()).len() > 5, "small segments must have been full");
    let mut parent_hash = [0; 32];
    for (at, found) in before.iter().enumerate() {
        let revision = at as u64 + 1;
        assert_eq!((found.revision, found.parent_hash), (revision, parent_hash));
        assert_ne!(found.hash, chain(&parent_hash, &[]));
        parent_hash = found.hash;
        assert_eq!(opened.reader.read(revision).unwrap(), *found);
        let head = opened.reader.read_head(revision).unwrap();
        assert_eq!(head.hash, found.hash);
        for (of_head, change) in head.changes.iter().zip(&found.changes) {
            assert!(of_head.document.is_empty());
            assert_eq!((&of_head.name, of_head.place, of_head.digest), (&change.name, change.place, change.digest));
            assert_eq!(opened.reader.document(revision, change.place).unwrap(), change.document);
            assert!(opened.reader.document(revision + 1, change.place).is_err());
        }
    }
    let dir = data.path().join("journal");
    let read_only: Vec<Record> = scan_read_only(&dir, data.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(read_only, before);
    let (store_id, seed) = (opened.reader.store_id(), *opened.reader.seed());
    drop(opened);

    let mut opened = open_in(data.path(), 3000).unwrap();
    assert_eq!(opened.visited, before);
    assert_eq!(opened.records(), before);
    assert_eq!((opened.reader.store_id(), *opened.reader.seed(), opened.reader.epoch()), (store_id, seed, 1));
    opened.append(&[&[5]]).unwrap();
    assert_eq!(opened.reader.scan(60).map(|record| record.unwrap().revision).collect::<Vec<_>>(), [60, 61]);
    assert_eq!(opened.reader.scan(62).count(), 0);
    assert!(matches!(opened.reader.read(62), Err(JournalError::NotFound { revision: 62, head: 61 })));
    assert!(matches!(opened.reader.read(0), Err(JournalError::NotFound { .. })));
}

#[test]
fn append_tells_where_everything_lies_as_a_later_reading_does() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), 3000).unwrap();
    let mut told = Vec::new();
    for revision in (1..40).step_by(2) {
        let mut records = [record(revision, &[50, 0, 7]), record(revision + 1, &[300])];
        let head = opened.writer.append(revision - 1, &mut records).unwrap();
        assert_eq!(head, records[1].head());
        told.extend(records);
    }
    assert_eq!(opened.records(), told);
    drop(opened);
    assert_eq!(open_in(data.path(), 3000).unwrap().visited, told);
}

#[test]
fn commits_that_follow_another_head_or_are_too_large_are_refused_without_harm() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), 1 << 20).unwrap();
    opened.fill(2, 20);
    for (expected, first) in [(2, 4), (4, 5), (3, 5), (3, 3)] {
        let refused = opened.writer.append(expected, &mut [record(first, &[1])]);
        assert!(matches!(refused, Err(JournalError::WrongHead { .. })), "{expected} {first}");
    }
    let mut too_large = record(5, &[1]);
    too_large.changes[0].document = vec![1; 65 << 20].into();
    assert!(matches!(opened.writer.append(3, &mut [record(4, &[1]), too_large]), Err(JournalError::TooLarge { .. })));
    opened.append(&[&[7]]).unwrap();
    drop(opened);
    assert_eq!(open_in(data.path(), 1 << 20).unwrap().visited.len(), 4);
}

#[test]
fn a_group_larger_than_a_segment_gets_one_that_is_large_enough() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), 4096).unwrap();
    opened.append(&[&[300 << 10]]).unwrap();
    opened.append(&[&[7], &[2 << 20, 0], &[1]]).unwrap();
    opened.append(&[&[9]]).unwrap();
    let before = opened.records();
    drop(opened);
    let opened = open_in(data.path(), 4096).unwrap();
    assert_eq!(opened.visited, before);
    assert_eq!(before.len(), 5);
}

#[test]
fn who_waits_is_told_of_a_new_head_and_nobody_else_pays_for_it() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), 1 << 20).unwrap();
    assert!(!opened.reader.wait_beyond(0, Duration::ZERO));
    let reader = opened.reader.clone();
    let waiting = std::thread::spawn(move || {
        let mut seen = 0;
        while seen < 200 {
            assert!(reader.wait_beyond(seen, Duration::MAX));
            let head = reader.head();
            assert!(head > seen);
            seen = head;
        }
    });
    for _ in 0..200 {
        opened.append(&[&[5]]).unwrap();
    }
    waiting.join().unwrap();
    assert!(opened.reader.wait_beyond(199, Duration::ZERO));
}

#[test]
fn readers_beside_the_writer_see_whole_commits_only() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), 20_000).unwrap();
    let reader = opened.reader.clone();
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                let mut next = 1;
                while next <= 1000 {
                    for found in reader.scan(next) {
                        let found = found.unwrap();
                        assert_eq!((found.revision, found.changes[0].document.clone()), (next, document(next, 50)));
                        assert_eq!(reader.read(next).unwrap(), found);
                        next += 1;
                    }
                }
            });
        }
        threads.spawn(|| {
            let mut seen = 0;
            while seen < 1000 {
                seen = 0;
                for found in scan_read_only(&data.path().join("journal"), data.path()).unwrap() {
                    seen += 1;
                    assert_eq!(found.unwrap().changes[0].document, document(seen, 50));
                }
            }
        });
        for _ in 0..100 {
            opened.append(&[&[50_usize] as &[usize]; 10]).unwrap();
        }
    });
}
