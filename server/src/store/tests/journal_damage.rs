//! The journal alone: a torn end is cut, and every other damage refused.

use std::fs;

use tempfile::TempDir;

use super::super::journal::frame::{FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES};
use super::super::journal::inspect;
use super::super::*;
use super::journal::{entries, fill, open_in, payload, segment_files};

#[test]
fn a_torn_end_is_cut_at_every_byte_and_the_journal_goes_on() {
    let data = TempDir::new().unwrap();
    let (mut writer, reader) = open_in(data.path(), 1 << 20).unwrap();
    fill(&mut writer, 3, 30);
    let before = entries(&reader);
    drop(writer);
    let file = segment_files(data.path()).remove(0);
    let whole = fs::read(&file).unwrap();
    // Where each commit ends; the last group is commits 4 to 6.
    let mut ends = vec![SEGMENT_HEADER_BYTES];
    for entry in &before {
        ends.push(ends[ends.len() - 1] + FRAME_HEADER_BYTES + entry.payload.len());
    }
    for cut in ends[3]..whole.len() {
        fs::write(&file, &whole[..cut]).unwrap();
        let whole_commits = ends.iter().filter(|end| **end <= cut).count() - 1;
        let read_only: Vec<Entry> = scan_read_only(data.path()).unwrap().map(Result::unwrap).collect();
        assert_eq!(read_only, before[..whole_commits], "cut at {cut}");
        assert_eq!(fs::read(&file).unwrap().len(), cut, "reading only must not change the file");

        let (mut writer, reader) = open_in(data.path(), 1 << 20).unwrap();
        assert_eq!(entries(&reader), before[..whole_commits], "cut at {cut}");
        writer.append(&[payload(99, 9), payload(98, 8)]).unwrap();
        drop(writer);
        let (_, reader) = open_in(data.path(), 1 << 20).unwrap();
        assert_eq!(entries(&reader).len(), whole_commits + 2, "cut at {cut}");
    }
}

#[test]
fn an_end_with_sectors_that_never_came_is_cut_before_the_first_commit_that_lacks_them() {
    let data = TempDir::new().unwrap();
    let (mut writer, reader) = open_in(data.path(), 1 << 20).unwrap();
    fill(&mut writer, 2, 700);
    let durable = entries(&reader).len();
    let start = fs::metadata(&segment_files(data.path())[0]).unwrap().len() as usize;
    writer.append(&[payload(1, 900), payload(2, 1500), payload(3, 700), payload(4, 40)]).unwrap();
    let before = entries(&reader);
    drop(writer);
    let file = segment_files(data.path()).remove(0);
    let whole = fs::read(&file).unwrap();
    let mut ends = vec![start];
    for entry in &before[durable..] {
        ends.push(ends[ends.len() - 1] + FRAME_HEADER_BYTES + entry.payload.len());
    }
    let mut pieces = vec![(start, (start / 512 + 1) * 512)];
    while pieces[pieces.len() - 1].1 < whole.len() {
        let from = pieces[pieces.len() - 1].1;
        pieces.push((from, (from + 512).min(whole.len())));
    }
    let last = pieces.len() - 1;
    pieces[last].1 = whole.len();
    for missing in 1..1_u32 << pieces.len() {
        let mut torn = whole.clone();
        for (at, (from, to)) in pieces.iter().enumerate() {
            if missing & (1 << at) != 0 {
                torn[*from..*to].fill(0);
            }
        }
        fs::write(&file, &torn).unwrap();
        let first = pieces[missing.trailing_zeros() as usize].0;
        let kept = durable + ends[1..].iter().filter(|end| **end <= first).count();
        let (writer, reader) = open_in(data.path(), 1 << 20).unwrap();
        drop(writer);
        assert_eq!(entries(&reader), before[..kept], "missing {missing:b}");
    }
}

#[test]
fn the_same_holes_before_a_later_group_are_refused() {
    let data = TempDir::new().unwrap();
    let (mut writer, reader) = open_in(data.path(), 1 << 20).unwrap();
    writer.append(&[payload(1, 3000)]).unwrap();
    writer.append(&[payload(2, 10)]).unwrap();
    assert_eq!(reader.head(), 2);
    drop(writer);
    let file = segment_files(data.path()).remove(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[1024..1536].fill(0);
    fs::write(&file, &bytes).unwrap();
    let refused = open_in(data.path(), 1 << 20).err().unwrap();
    assert!(matches!(&refused, JournalError::Damaged { offset: 128, .. }), "{refused}");
    assert!(refused.to_string().contains("revision 1 should be here"), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), bytes, "a refused journal must not be changed");
    // And in a segment that is not the last.
    let data = TempDir::new().unwrap();
    let (mut writer, _) = open_in(data.path(), 1).unwrap();
    fill(&mut writer, 3, 700);
    drop(writer);
    let file = segment_files(data.path()).remove(1);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    assert!(matches!(open_in(data.path(), 1), Err(JournalError::Damaged { .. })));
}

#[test]
fn every_flipped_bit_is_refused_and_nothing_is_changed() {
    let data = TempDir::new().unwrap();
    let (mut writer, _) = open_in(data.path(), 300).unwrap();
    fill(&mut writer, 6, 40);
    drop(writer);
    let files = segment_files(data.path());
    assert!(files.len() >= 3);
    for file in files {
        let whole = fs::read(&file).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &flipped).unwrap();
            let refused = inspect(&data.path().join(JOURNAL_DIR));
            assert!(refused.is_err(), "bit {bit} of {}", file.display());
            assert_eq!(fs::read(&file).unwrap(), flipped);
        }
        fs::write(&file, &whole).unwrap();
    }
}

#[test]
fn damage_that_comes_while_it_is_open_is_an_error_of_that_read() {
    let data = TempDir::new().unwrap();
    let (mut writer, reader) = open_in(data.path(), 1 << 20).unwrap();
    fill(&mut writer, 3, 40);
    let before = entries(&reader);
    let file = segment_files(data.path()).remove(0);
    let whole = fs::read(&file).unwrap();
    for bit in SEGMENT_HEADER_BYTES * 8..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, &flipped).unwrap();
        let mut damaged = 0;
        for entry in &before {
            match reader.read(entry.revision) {
                Ok(found) => assert_eq!(found, *entry),
                Err(error) => {
                    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
                    damaged += 1;
                }
            }
        }
        assert_eq!(damaged, 1, "bit {bit}");
        let scanned: Vec<_> = reader.scan(1).collect();
        let (last, good) = scanned.split_last().unwrap();
        assert!(matches!(last, Err(JournalError::Damaged { .. })), "bit {bit}");
        assert!(good.iter().zip(&before).all(|(found, entry)| found.as_ref().unwrap() == entry));
    }
}

#[test]
fn segments_that_are_missing_empty_cut_mixed_or_misnamed_are_refused() {
    let data = TempDir::new().unwrap();
    let (mut writer, _) = open_in(data.path(), 500).unwrap();
    fill(&mut writer, 9, 40);
    drop(writer);
    let other = TempDir::new().unwrap();
    let (mut writer, _) = open_in(other.path(), 500).unwrap();
    fill(&mut writer, 9, 40);
    drop(writer);
    let dir = data.path().join(JOURNAL_DIR);
    let names: Vec<_> = segment_files(data.path()).iter().map(|file| file.file_name().unwrap().to_owned()).collect();
    let last = names.len() - 1;
    let refuse = |what: &str| {
        let refused = inspect(&dir).err();
        assert!(refused.is_some(), "{what}");
    };
    for (at, name) in names.iter().enumerate() {
        let file = dir.join(name);
        let whole = fs::read(&file).unwrap();
        for len in [0, 1, 127] {
            fs::write(&file, &whole[..len]).unwrap();
            refuse("cut within its header");
        }
        if at != last {
            for len in 128..whole.len() {
                fs::write(&file, &whole[..len]).unwrap();
                refuse("cut, and not the last");
            }
            fs::remove_file(&file).unwrap();
            refuse("missing, and not the last");
        }
        fs::copy(other.path().join(JOURNAL_DIR).join(name), &file).unwrap();
        refuse("of another journal");
        fs::write(&file, b"garbage").unwrap();
        refuse("garbage");
        fs::write(&file, &whole).unwrap();
    }
    fs::copy(dir.join(&names[0]), dir.join("x.seg")).unwrap();
    refuse("misnamed");
    fs::remove_file(dir.join("x.seg")).unwrap();
    fs::copy(dir.join(&names[1]), dir.join("00000000000000000002.seg")).unwrap();
    refuse("one too many");
    fs::remove_file(dir.join("00000000000000000002.seg")).unwrap();
    assert!(inspect(&dir).is_ok());
}
