//! Every damage is refused, with nothing changed.

use tempfile::TempDir;

use super::super::frame::{FrameHeader, FrameKind};
use super::super::segment::path_of;
use super::files::{copy_of, forget_witness, frames, holds, refused, written};
use super::*;

#[test]
fn every_flipped_bit_in_a_journal_of_small_segments_is_refused_and_nothing_is_changed() {
    let (data, before) = written(1400, |opened| opened.fill(6, 40));
    assert!(segment_files(data.path()).len() >= 4, "several segments and a standby");
    every_flipped_bit_is_refused(data.path(), &before);
}

/// Many zeros follow the last commit: they are no sign that a part of it was never written.
#[test]
fn every_flipped_bit_in_the_beginning_of_a_segment_is_refused_and_nothing_is_changed() {
    let (data, before) = written(6000, |opened| opened.fill(2, 40));
    assert_eq!(segment_files(data.path()).len(), 2, "a segment and a standby");
    every_flipped_bit_is_refused(data.path(), &before);
}

fn every_flipped_bit_is_refused(data: &Path, before: &[Record]) {
    let lock = Arc::new(DirLock::take(&data.join("journal")).unwrap().unwrap());
    forget_witness(data);
    let files = segment_files(data);
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
                let found = inspect(&lock, data, None, &mut |record| seen.push(record));
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
    assert!(inspect(&lock, data, None, &mut |_| {}).is_ok());
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
