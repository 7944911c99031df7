//! An end that a crash leaves is made zeros, and one that it does not leave is missed.

use tempfile::TempDir;

use super::super::frame::{FRAME_HEADER_BYTES, FrameKind, SEAL_BYTES};
use super::super::segment::{SEGMENT_HEADER_BYTES, path_of};
use super::super::{scan_read_only, witness};
use super::files::{copy_of, forget_witness, frames, holds, refused, written};
use super::*;

#[test]
fn an_end_torn_at_any_byte_is_made_zeros_and_the_journal_goes_on() {
    // The last group is commits 4 to 6.
    let (data, before) = written(8192, |opened| opened.fill(3, 30));
    let file = path_of(&data.path().join("journal"), 0);
    let whole = fs::read(&file).unwrap();
    let frames = frames(&whole);
    let end = frames[5].1;
    for cut in (frames[2].1..end).chain([end + 1, whole.len()]) {
        let mut torn = whole.clone();
        torn[cut..].fill(0);
        fs::write(&file, &torn).unwrap();
        forget_witness(data.path());
        let kept = frames.iter().filter(|(_, end, _)| *end <= cut).count();
        let dir = data.path().join("journal");
        let read_only: Vec<_> = scan_read_only(&dir, data.path()).unwrap().map(Result::unwrap).collect();
        assert!(read_only == before[..kept], "cut at {cut}");
        assert!(fs::read(&file).unwrap() == torn, "reading only must not change the file");
        holds(data.path(), &before[..kept], &format!("cut at {cut}"));
    }
}

#[test]
fn an_end_with_sectors_that_never_came_ends_before_the_first_commit_that_lacks_them() {
    let (data, before) = written(16 << 10, |opened| {
        opened.fill(2, 700);
        opened.append(&[&[900], &[1000, 400], &[700], &[40]]).unwrap();
    });
    let file = path_of(&data.path().join("journal"), 0);
    let whole = fs::read(&file).unwrap();
    let frames = frames(&whole);
    let (start, end) = (frames[3].0, frames[6].1);
    let mut pieces = vec![(start, (start / 512 + 1) * 512)];
    while pieces[pieces.len() - 1].1 < end {
        let from = pieces[pieces.len() - 1].1;
        pieces.push((from, from + 512));
    }
    for missing in 1..1_u32 << pieces.len() {
        let mut torn = whole.clone();
        for (at, (from, to)) in pieces.iter().enumerate() {
            if missing & (1 << at) != 0 {
                torn[*from..*to].fill(0);
            }
        }
        fs::write(&file, &torn).unwrap();
        forget_witness(data.path());
        let first = pieces[missing.trailing_zeros() as usize].0;
        let kept = frames.iter().filter(|(_, end, _)| *end <= first).count();
        let opened = open_in(data.path(), 16 << 10).unwrap_or_else(|error| panic!("missing {missing:b}: {error}"));
        assert!(opened.visited == before[..kept], "missing {missing:b}");
        drop(opened);
        let (_, end, _) = frames[kept - 1];
        assert!(fs::read(&file).unwrap()[end..].iter().all(|byte| *byte == 0), "missing {missing:b}");
    }
}

#[test]
fn the_same_holes_before_a_later_group_are_refused() {
    let (data, _) = written(16 << 10, |opened| {
        opened.append(&[&[3000]]).unwrap();
        opened.append(&[&[10]]).unwrap();
    });
    forget_witness(data.path());
    let file = path_of(&data.path().join("journal"), 0);
    let whole = fs::read(&file).unwrap();
    for (from, to) in [(1024, 1536), (512, 1024), (512, 512 + FRAME_HEADER_BYTES)] {
        let mut bytes = whole.clone();
        bytes[from..to].fill(0);
        fs::write(&file, &bytes).unwrap();
        let error = refused(data.path(), "a hole before a later group");
        assert!(matches!(&error, JournalError::Damaged { offset: 512, .. }), "{error}");
        assert!(error.to_string().contains("revision 1 should be here"), "{error}");
    }
}

#[test]
fn a_journal_that_lost_what_its_witness_knows_is_refused() {
    let (data, before) = written(1400, |opened| opened.fill(6, 40));
    let older = copy_of(data.path());
    let mut opened = open_in(data.path(), 1400).unwrap();
    opened.append(&[&[40]]).unwrap();
    drop(opened);
    let last =
        segment_files(data.path()).into_iter().rfind(|file| !frames(&fs::read(file).unwrap()).is_empty()).unwrap();
    let whole = fs::read(&last).unwrap();
    let (start, end, _) = frames(&whole).pop().unwrap();
    for from in [start, start + 10, start + 200, end - 1] {
        let copy = copy_of(data.path());
        let mut bytes = whole.clone();
        bytes[from..].fill(0);
        fs::write(copy.path().join("journal").join(last.file_name().unwrap()), bytes).unwrap();
        let error = refused(copy.path(), "the last commit is gone");
        assert!(matches!(error, JournalError::LostEnd { head: 12, .. }), "{error}");
        let told = error.to_string();
        assert!(told.contains("goes up to revision 12") && told.contains("commits up to revision 13"), "{told}");
        assert!(told.contains("nothing was changed; restore "), "{told}");
        let scanned = scan_read_only(&copy.path().join("journal"), copy.path()).unwrap().last().unwrap();
        assert!(matches!(scanned, Err(JournalError::LostEnd { .. })));
        // The way out that the message names.
        forget_witness(copy.path());
        holds(copy.path(), &before, "without its witness");
    }
    // An older copy of the journal, and another journal of the same store.
    fs::copy(witness::path_in(data.path()), witness::path_in(older.path())).unwrap();
    assert!(matches!(refused(older.path(), "older"), JournalError::LostEnd { .. }));
    forget_witness(older.path());
    let mut opened = open_in(older.path(), 1400).unwrap();
    opened.append(&[&[41], &[3]]).unwrap();
    drop(opened);
    fs::copy(witness::path_in(data.path()), witness::path_in(older.path())).unwrap();
    let told = refused(older.path(), "another revision 13").to_string();
    assert!(told.contains("another commit as revision 13"), "{told}");
    // All of it.
    fs::remove_dir_all(data.path().join("journal")).unwrap();
    fs::create_dir(data.path().join("journal")).unwrap();
    assert!(matches!(refused(data.path(), "no journal"), JournalError::Missing { .. }));
}

#[test]
fn a_crash_at_any_step_of_going_over_to_the_next_segment_loses_nothing() {
    let (data, before) = written(1400, |opened| opened.fill(6, 40));
    forget_witness(data.path());
    let files = segment_files(data.path());
    let (old, new) = (&files[files.len() - 3], &files[files.len() - 2]);
    let (old_whole, new_whole) = (fs::read(old).unwrap(), fs::read(new).unwrap());
    let (seal, end, header) = frames(&old_whole).pop().unwrap();
    assert_eq!((header.kind, end - seal), (FrameKind::Seal, usize::try_from(SEAL_BYTES).unwrap()));
    let kept = usize::try_from(header.revision).unwrap();
    let mut begun = new_whole.clone();
    begun[SEGMENT_HEADER_BYTES..].fill(0);
    fs::remove_file(&files[files.len() - 1]).unwrap();
    let with = |old_bytes: &[u8], new_bytes: &[u8]| {
        let copy = copy_of(data.path());
        fs::write(copy.path().join(old.strip_prefix(data.path()).unwrap()), old_bytes).unwrap();
        fs::write(copy.path().join(new.strip_prefix(data.path()).unwrap()), new_bytes).unwrap();
        copy
    };
    let unsealed = |written: usize| {
        let mut bytes = old_whole.clone();
        bytes[seal + written..].fill(0);
        bytes
    };
    // The header is being written.
    for cut in (0..=SEGMENT_HEADER_BYTES).step_by(8) {
        let mut header = begun.clone();
        header[cut..].fill(0);
        holds(with(&unsealed(0), &header).path(), &before[..kept], &format!("the header up to {cut}"));
    }
    // The seal is being written.
    for written in 0..=end - seal {
        holds(with(&unsealed(written), &begun).path(), &before[..kept], &format!("the seal up to {written}"));
    }
    // What no crash leaves.
    refused(with(&old_whole, &vec![0; begun.len()]).path(), "a seal, and no segment behind it");
    refused(with(&unsealed(0), &new_whole).path(), "commits behind a segment that is not sealed");
    refused(with(&unsealed(30), &new_whole).path(), "commits behind half a seal");
}

#[test]
fn a_crash_at_the_birth_of_a_journal_is_no_matter() {
    let data = TempDir::new().unwrap();
    let dir = data.path().join("journal");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("0000000000.seg.new"), b"half a hea").unwrap();
    let mut opened = open_in(data.path(), 4096).unwrap();
    opened.fill(2, 40);
    let before = opened.records();
    drop(opened);
    fs::write(dir.join("0000000000.seg.new"), b"half").unwrap();
    holds(data.path(), &before, "left over");
    assert!(!dir.join("0000000000.seg.new").exists());
}

#[test]
fn an_older_copy_of_a_journal_alone_opens_as_what_it_was() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), 1400).unwrap();
    opened.fill(4, 40);
    let before = opened.records();
    let copy = copy_of(data.path());
    opened.fill(4, 40);
    forget_witness(copy.path());
    holds(copy.path(), &before, "an older copy");
}
