//! A torn end is made zeros, and every other damage refused, with nothing changed.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::super::frame::{FRAME_HEADER_BYTES, FrameHeader, FrameKind, SEAL_BYTES};
use super::super::segment::{SEGMENT_HEADER_BYTES, path_of};
use super::super::{scan_read_only, witness};
use super::*;

/// Where the frames of a segment begin and end.
fn frames(bytes: &[u8]) -> Vec<(usize, usize, FrameHeader)> {
    let mut frames = Vec::new();
    let mut at = SEGMENT_HEADER_BYTES;
    while let Some(header) = bytes.get(at..).and_then(|rest| FrameHeader::decode(rest.first_chunk()?)) {
        let end = at + usize::try_from(header.frame_bytes()).unwrap();
        frames.push((at, end, header));
        at = end;
    }
    frames
}

/// All files below a directory.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

/// Why the journal is refused. Nothing is changed by that.
fn refused(data: &Path, what: &str) -> JournalError {
    let before = contents(data);
    let error = open_in(data, 4096).err().unwrap_or_else(|| panic!("not refused: {what}"));
    assert!(contents(data) == before, "{what}: something was changed");
    error
}

fn forget_witness(data: &Path) {
    fs::remove_file(witness::path_in(data)).unwrap();
}

/// A closed journal and what it holds.
fn written(segment_bytes: u64, write: impl FnOnce(&mut Opened)) -> (TempDir, Vec<Record>) {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), segment_bytes).unwrap();
    write(&mut opened);
    let records = opened.records();
    (data, records)
}

/// Opens a journal, holds that it has these commits, and that it goes on.
fn holds(data: &Path, records: &[Record], what: &str) {
    let mut opened = open_in(data, 4096).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(opened.visited == records, "{what}: {} commits and not {}", opened.visited.len(), records.len());
    opened.append(&[&[9], &[8, 1]]).unwrap();
    drop(opened);
    let opened = open_in(data, 4096).unwrap_or_else(|error| panic!("{what}, written on: {error}"));
    assert_eq!(opened.visited.len(), records.len() + 2, "{what}: written on");
}

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
fn every_flipped_bit_is_refused_and_nothing_is_changed() {
    let (data, before) = written(1400, |opened| opened.fill(6, 40));
    let lock = Arc::new(DirLock::take(&data.path().join("journal")).unwrap().unwrap());
    forget_witness(data.path());
    let files = segment_files(data.path());
    assert!(files.len() >= 4, "several segments and a standby");
    let last = files.len() - 2;
    let mut dice = Dice(1);
    for (at, file) in files.iter().enumerate() {
        let whole = fs::read(file).unwrap();
        let frames = frames(&whole);
        let end = frames.last().map_or(0, |(_, end, _)| *end);
        // The last commit is where damage looks most like a crash.
        let closely = if at == last { frames[frames.len() - 1].0..end } else { 0..0 };
        for byte in 0..whole.len() {
            let one = dice.roll() % 8;
            for bit in (0..8).filter(|bit| closely.contains(&byte) || *bit == one) {
                let mut flipped = whole.clone();
                flipped[byte] ^= 1 << bit;
                fs::write(file, &flipped).unwrap();
                let mut seen = Vec::new();
                let found = inspect(&lock, data.path(), &mut |record| seen.push(record));
                let what = format!("bit {bit} of byte {byte} of {}", file.display());
                if at < last || byte < end {
                    assert!(found.is_err(), "{what}");
                } else if found.is_ok() {
                    // Behind the end: what is there was never written.
                    assert!(seen == before, "{what}");
                }
                assert!(fs::read(file).unwrap() == flipped, "{what}");
            }
        }
        fs::write(file, &whole).unwrap();
    }
    assert!(inspect(&lock, data.path(), &mut |_| {}).is_ok());
}

#[test]
fn a_document_that_is_not_the_one_of_its_digest_is_refused() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), 8192).unwrap();
    let mut other = record(1, &[20]);
    other.changes[0].document = document(77, 20);
    opened.writer.append(0, &mut [other]).unwrap();
    drop(opened);
    let error = refused(data.path(), "another document").to_string();
    assert!(error.contains("the document of countries/1-0 in revision 1 is not the one"), "{error}");
}

#[test]
fn a_commit_that_is_whole_and_means_nothing_is_refused_as_such() {
    let (data, _) = written(8192, |opened| opened.fill(1, 20));
    let file = path_of(&data.path().join("journal"), 0);
    let mut bytes = fs::read(&file).unwrap();
    let (_, end, first) = frames(&bytes).remove(0);
    let head = b"\xff\xff";
    let header = FrameHeader {
        kind: FrameKind::Commit,
        head_len: 2,
        head_crc: crc32fast::hash(head),
        documents_len: 0,
        revision: 2,
        base: 1,
        parent_hash: first.parent_hash,
    };
    let frame = [header.encode().as_slice(), head, b"DONE"].concat();
    bytes[end..end + frame.len()].copy_from_slice(&frame);
    fs::write(&file, bytes).unwrap();
    assert!(matches!(refused(data.path(), "no commit"), JournalError::Unreadable { revision: 2 }));
}

#[test]
fn damage_that_comes_while_it_is_open_is_an_error_of_that_read() {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), 8192).unwrap();
    opened.fill(3, 40);
    let before = opened.records();
    let file = path_of(&data.path().join("journal"), 0);
    let whole = fs::read(&file).unwrap();
    let is_damage = |error: &JournalError| matches!(error, JournalError::Damaged { .. });
    for (start, end, header) in frames(&whole) {
        for byte in start..end {
            let mut flipped = whole.clone();
            flipped[byte] ^= 1 << (byte % 8);
            fs::write(&file, &flipped).unwrap();
            for found in &before {
                match opened.reader.read(found.revision) {
                    Ok(read) => assert!(read == *found && found.revision != header.revision, "byte {byte}"),
                    Err(error) => assert!(is_damage(&error) && found.revision == header.revision, "{error}"),
                }
                if let Err(error) = opened.reader.read_head(found.revision) {
                    assert!(is_damage(&error) && found.revision == header.revision, "{error}");
                }
                for change in &found.changes {
                    let from = change.place.offset as usize;
                    let hit = (from..from + 20 + change.place.len as usize).contains(&byte);
                    match opened.reader.document(found.revision, change.place) {
                        Ok(document) => assert!(document == change.document && !hit, "byte {byte}"),
                        Err(error) => assert!(is_damage(&error) && hit, "byte {byte}: {error}"),
                    }
                }
            }
            let scanned: Vec<_> = opened.reader.scan(1).collect();
            let (last, good) = scanned.split_last().unwrap();
            assert!(last.as_ref().is_err_and(is_damage), "byte {byte}");
            assert!(good.iter().zip(&before).all(|(found, record)| found.as_ref().unwrap() == record));
        }
    }
}

#[test]
fn segments_that_are_missing_cut_longer_mixed_or_misnamed_are_refused() {
    let (data, before) = written(1400, |opened| opened.fill(9, 40));
    let (other, _) = written(1400, |opened| opened.fill(9, 40));
    let files = segment_files(data.path());
    let used = files.len() - 1;
    assert!(used >= 4, "several segments");
    let refuse = |what: &str| drop(refused(data.path(), what));
    for at in 0..used {
        let file = &files[at];
        let whole = fs::read(file).unwrap();
        for len in [0, 1, 127, 511, 512, 600, whole.len() / 2, whole.len() - 1] {
            fs::write(file, &whole[..len]).unwrap();
            refuse("cut");
        }
        fs::write(file, [whole.as_slice(), &[0]].concat()).unwrap();
        refuse("longer");
        fs::write(file, vec![0; whole.len()]).unwrap();
        refuse("zeros");
        fs::write(file, b"garbage").unwrap();
        refuse("garbage");
        fs::copy(&segment_files(other.path())[at], file).unwrap();
        refuse("of another journal");
        fs::copy(&files[(at + 1) % used], file).unwrap();
        refuse("a copy of another one");
        fs::remove_file(file).unwrap();
        for with_standby in [true, false] {
            for with_witness in [true, false] {
                let copy = copy_of(data.path());
                if !with_standby {
                    fs::remove_file(copy.path().join("journal").join(files[used].file_name().unwrap())).unwrap();
                }
                if !with_witness {
                    forget_witness(copy.path());
                }
                let error = refused(copy.path(), "missing");
                assert!(matches!(error, JournalError::MissingSegment { .. }), "{error}");
            }
        }
        fs::write(file, &whole).unwrap();
    }
    let dir = data.path().join("journal");
    for (name, of) in [("x.seg", 0), ("0000000099.seg", 1), ("00000000000000000001.seg", 0)] {
        fs::copy(&files[of], dir.join(name)).unwrap();
        refuse(name);
        fs::remove_file(dir.join(name)).unwrap();
    }
    // The standby is of no account, unless something was written into it.
    let standby = fs::read(&files[used]).unwrap();
    let mut scribbled = standby.clone();
    scribbled[700] = 1;
    fs::write(&files[used], scribbled).unwrap();
    refuse("something in the standby");
    for bytes in [standby[..100].to_vec(), Vec::new(), vec![0; 9000], vec![7; 300]] {
        fs::write(&files[used], bytes).unwrap();
        holds(copy_of(data.path()).path(), &before, "a standby of another length");
    }
    fs::remove_file(&files[used]).unwrap();
    holds(data.path(), &before, "no standby");
}

fn copy_of(data: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for (path, bytes) in contents(data) {
        let to = copy.path().join(path.strip_prefix(data).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
    copy
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
fn other_formats_are_refused_untouched_and_say_what_to_do() {
    let (data, _) = written(4096, |opened| opened.fill(3, 40));
    let file = path_of(&data.path().join("journal"), 0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[8] = 3;
    fs::write(&file, &bytes).unwrap();
    let error = refused(data.path(), "newer");
    assert!(matches!(error, JournalError::NewerFormat { version: 3, known: 2, .. }), "{error}");
    assert!(error.to_string().contains("written by a newer version of this server, in format 3"), "{error}");

    let older = TempDir::new().unwrap();
    let dir = older.path().join("journal");
    fs::create_dir(&dir).unwrap();
    let mut bytes = b"PRTNJRNL\x01\0\0\0".to_vec();
    bytes.resize(128, 7);
    fs::write(dir.join("00000000000000000001.seg"), bytes).unwrap();
    let error = refused(older.path(), "older");
    assert!(matches!(error, JournalError::OlderFormat { .. }), "{error}");
    assert!(error.to_string().contains("`partnerctl export`"), "{error}");
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
