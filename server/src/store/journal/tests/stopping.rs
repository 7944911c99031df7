//! When the writer stops, and when it only has to wait.

use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::super::segment::path_of;
use super::*;

const DEADLINE: Duration = Duration::from_secs(60);

/// Fills segments until the writer says that there is no room.
fn fill_up(opened: &mut Opened) -> JournalError {
    for _ in 0..100 {
        if let Err(error) = opened.append(&[&[300]]) {
            return error;
        }
    }
    panic!("never full")
}

#[test]
fn without_a_next_segment_a_write_is_refused_and_later_ones_are_not() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), 2000).unwrap();
    opened.append(&[&[300]]).unwrap();
    // A file where the segment after the next belongs: it cannot be made.
    let obstacle = path_of(&data.path().join("journal"), 2);
    fs::write(&obstacle, b"in the way").unwrap();
    let error = fill_up(&mut opened);
    assert!(matches!(error, JournalError::Unwritten { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "nothing was written to the journal: its next file could not be made; it goes on once that can be"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(&obstacle.display().to_string()), "{cause}");
    let head = opened.writer.head();
    assert!(matches!(opened.append(&[&[300]]), Err(JournalError::Unwritten { .. })));
    assert_eq!((opened.writer.head(), opened.reader.head_with_hash()), (head, head));
    // What still fits is taken.
    let head = opened.append(&[&[1]]).unwrap();
    assert_eq!(fs::read(&obstacle).unwrap(), b"in the way", "what is not ours is not touched");
    fs::remove_file(&obstacle).unwrap();
    let deadline = Instant::now() + DEADLINE;
    let mut refusals = 0_u64;
    while let Err(error) = opened.append(&[&[300]]) {
        assert!(matches!(error, JournalError::Unwritten { .. }), "{error}");
        assert!(Instant::now() < deadline, "it does not write again after {refusals} refusals");
        refusals += 1;
        std::thread::yield_now();
    }
    assert_eq!(opened.writer.head().revision, head.revision + 1);
    opened.fill(20, 100);
    let before = opened.records();
    drop(opened);
    assert_eq!(open_in(data.path(), 2000).unwrap().visited, before);
}

#[test]
fn a_crash_while_it_is_full_loses_nothing() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), 2000).unwrap();
    let obstacle = path_of(&data.path().join("journal"), 2);
    fs::write(&obstacle, b"").unwrap();
    fill_up(&mut opened);
    let before = opened.records();
    drop(opened);
    let mut opened = open_in(data.path(), 2000).unwrap();
    assert_eq!(opened.visited, before);
    opened.fill(20, 100);
}

#[test]
fn a_writer_whose_directory_or_segment_is_not_in_its_place_acknowledges_nothing_more() {
    type Move = fn(journal: &Path, aside: &Path);
    let moves: [(&str, Move); 4] = [
        ("the directory is renamed", |journal, aside| fs::rename(journal, aside).unwrap()),
        ("the directory is removed", |journal, _| fs::remove_dir_all(journal).unwrap()),
        ("the directory is another", |journal, aside| {
            fs::rename(journal, aside).unwrap();
            fs::create_dir(journal).unwrap();
            for entry in fs::read_dir(aside).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), journal.join(entry.file_name())).unwrap();
            }
        }),
        ("the segment is another", |journal, aside| {
            let segment = path_of(journal, 0);
            fs::rename(&segment, aside).unwrap();
            fs::copy(aside, segment).unwrap();
        }),
    ];
    for (what, change) in moves {
        let data = TempDir::new().unwrap();
        let mut opened = open_in(data.path(), 1 << 20).unwrap();
        opened.fill(3, 40);
        let head = opened.writer.head();
        change(&data.path().join("journal"), &data.path().join("aside"));
        let error = opened.append(&[&[5]]).unwrap_err();
        assert!(matches!(error, JournalError::Moved { .. }), "{what}: {error}");
        assert!(matches!(opened.append(&[&[5]]), Err(JournalError::Stopped)), "{what}");
        assert_eq!((opened.writer.head(), opened.reader.head_with_hash()), (head, head), "{what}");
        assert_eq!(opened.records().len(), 6, "{what}: what was acknowledged can still be read");
    }
}

#[test]
fn a_directory_is_held_by_one_at_a_time_and_whatever_it_is_called() {
    let data = TempDir::new().unwrap();
    let dir = data.path().join("journal");
    let opened = open_in(data.path(), 4096).unwrap();
    assert!(DirLock::take(&dir).unwrap().is_none());
    let aside = data.path().join("aside");
    fs::rename(&dir, &aside).unwrap();
    assert!(DirLock::take(&aside).unwrap().is_none());
    fs::rename(&aside, &dir).unwrap();
    drop(opened);
    assert!(DirLock::take(&dir).unwrap().is_some());
}
